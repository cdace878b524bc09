// A root directory with nothing in it.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layers.h"

int danube_root_empty(void) {
    // Nothing done here may travel back to the host's mounts, and pivot_root refuses shared ones.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;

    static const char *const places[] = {"/tmp", "/proc", "/dev", "/sys"};
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const char *place = NULL;
    for (unsigned i = 0; place == NULL && i < sizeof places / sizeof *places; i++)
        if (mount("none", places[i], "tmpfs", flags, "size=4k,nr_inodes=1,mode=555") == 0)
            place = places[i];
    if (place == NULL || chdir(place) != 0) return -1;

    // Both names are the same: the old root ends up mounted over the new one, and is taken off.
    if (syscall(SYS_pivot_root, ".", ".") != 0) return -1;
    if (umount2(".", MNT_DETACH) != 0) return -1;
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) != 0) return -1;
    return chdir("/");
}
