// Deleting folders with all that is in them.
#define _GNU_SOURCE
#include "danube_steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Folders that are open at once. What lies deeper is moved up first, so that neither the number of
// descriptors nor the length of a path bounds how deep a tree may be.
enum { MOST_DEPTH = 64 };

struct removal {
    int top;
    dev_t device;
    unsigned long moved;
    int error;
};

static void empty(struct removal *removal, int folder, int depth);

static void remove_folder(struct removal *removal, int parent, const char *name, int depth) {
    if (depth >= MOST_DEPTH) {
        char aside[64];
        snprintf(aside, sizeof aside, ".danube-deep-%lu", removal->moved++);
        if (renameat(parent, name, removal->top, aside) == 0) return;
    }
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int folder = openat(parent, name, flags);
    if (folder < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        folder = openat(parent, name, flags);
    if (folder >= 0) {
        struct stat status;
        if (fstat(folder, &status) == 0 && status.st_dev == removal->device)
            empty(removal, folder, depth + 1);
        close(folder);
    }
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) removal->error = -errno;
}

static void empty(struct removal *removal, int folder, int depth) {
    struct stat status;
    // A folder that may not be written to keeps its content.
    if (fstat(folder, &status) == 0 && (status.st_mode & 0700) != 0700) fchmod(folder, 0700);
    int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (stream == NULL) {
        removal->error = -errno;
        if (copy >= 0) close(copy);
        return;
    }
    rewinddir(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (entry->d_type != DT_DIR) {
            if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) continue;
            if (errno != EISDIR && errno != EPERM) {
                removal->error = -errno;
                continue;
            }
        }
        remove_folder(removal, folder, name, depth);
    }
    closedir(stream);
}

int danube_remove_tree(const char *path) {
    int top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0 && errno == EACCES && chmod(path, 0700) == 0)
        top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0) {
        if (errno != ENOTDIR && errno != ELOOP) return errno == ENOENT ? 0 : -errno;
        return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
    }
    struct removal removal = {.top = top};
    struct stat status;
    if (fstat(top, &status) == 0) removal.device = status.st_dev;
    unsigned long before;
    do {
        before = removal.moved;
        empty(&removal, top, 0);
    } while (removal.moved != before);
    close(top);
    if (rmdir(path) != 0) return removal.error != 0 ? removal.error : -errno;
    return 0;
}
