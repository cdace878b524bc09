// What overlay mounts leave in their upper folders: marks for what was taken away or replaced.
#define _GNU_SOURCE
#include "danube_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static int has_mark(const char *path, const char *name) {
    char text[64], value[4];
    // The host's administrator marks with `trusted`, others with `user`.
    snprintf(text, sizeof text, "trusted.overlay.%s", name);
    ssize_t length = lgetxattr(path, text, value, sizeof value);
    if (length < 0) {
        snprintf(text, sizeof text, "user.overlay.%s", name);
        length = lgetxattr(path, text, value, sizeof value);
    }
    return length >= 0 && (length == 0 || value[0] == 'y');
}

int danube_layer_entry(const char *path) {
    struct stat status;
    if (lstat(path, &status) != 0) return -errno;
    switch (status.st_mode & S_IFMT) {
    case S_IFDIR: return has_mark(path, "opaque") ? DANUBE_LAYER_REPLACED : DANUBE_LAYER_FOLDER;
    case S_IFLNK: return DANUBE_LAYER_LINK;
    case S_IFCHR:
        return status.st_rdev == makedev(0, 0) ? DANUBE_LAYER_REMOVED : DANUBE_LAYER_OTHER;
    case S_IFREG:
        if (status.st_size == 0 && has_mark(path, "whiteout")) return DANUBE_LAYER_REMOVED;
        return DANUBE_LAYER_FILE;
    default: return DANUBE_LAYER_OTHER;
    }
}

int danube_layer_remove(const char *path) {
    if (mknod(path, S_IFCHR, makedev(0, 0)) == 0) return 0;
    if (errno != EPERM) return -errno;
    // Where no device may be made, an empty file with an attribute says the same.
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return -errno;
    int error = fsetxattr(descriptor, "user.overlay.whiteout", "y", 1, 0) == 0 ? 0 : -errno;
    close(descriptor);
    return error;
}

int danube_layer_replace(const char *path) {
    if (lsetxattr(path, "trusted.overlay.opaque", "y", 1, 0) == 0) return 0;
    return lsetxattr(path, "user.overlay.opaque", "y", 1, 0) == 0 ? 0 : -errno;
}
