// Keeps a folder of the host from a job: what a master has in its data folder is not its business.
#define _GNU_SOURCE
#include "danube_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_KEPT = 8 };

static int make_folders(const char *path) {
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part) return -ENAMETOOLONG;
    memcpy(part, path, length + 1);
    for (size_t at = 1; at <= length; at++) {
        if (part[at] != '/' && part[at] != 0) continue;
        char end = part[at];
        part[at] = 0;
        if (mkdir(part, 0755) != 0 && errno != EEXIST) return -errno;
        part[at] = end;
    }
    return 0;
}

int danube_engine_hide(const char *folder, const char *const *kept, size_t count) {
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    int held[MOST_KEPT];
    int error = count > MOST_KEPT ? -E2BIG : 0;
    size_t opened = 0;
    // A folder that is held can be shown again when its path leads nowhere any more.
    for (; error == 0 && opened < count; opened++) {
        held[opened] = open(kept[opened], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (held[opened] < 0) {
            error = -errno;
            break;
        }
    }
    if (error == 0 && mount("none", folder, "tmpfs", flags, "size=64k,mode=755") != 0)
        error = -errno;
    for (size_t index = 0; error == 0 && index < count; index++) {
        char source[64];
        snprintf(source, sizeof source, "/proc/self/fd/%d", held[index]);
        error = make_folders(kept[index]);
        if (error == 0 && mount(source, kept[index], NULL, MS_BIND | MS_REC, NULL) != 0)
            error = -errno;
    }
    if (error == 0
        && mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) != 0)
        error = -errno;
    for (size_t index = 0; index < opened; index++) close(held[index]);
    return error;
}
