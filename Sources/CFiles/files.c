#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "danube_files.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

_Static_assert(DANUBE_O_PATH == O_PATH, "the value that the header states");

int danube_open_at(int root, const char *path, int flags, mode_t mode) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    // EAGAIN: something was renamed during resolution, so that staying beneath was not certain.
    for (int attempt = 0; attempt < 64; attempt++) {
        long descriptor = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (descriptor >= 0) return (int)descriptor;
        if (errno != EAGAIN && errno != EINTR) break;
    }
    return -errno;
}

static int64_t nanoseconds(struct statx_timestamp time) {
    return (int64_t)((uint64_t)time.tv_sec * 1000000000u + time.tv_nsec);
}

static int stamp(int folder, const char *name, int flags, struct danube_stamp *stamp) {
    struct statx found;
    int all = flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    if (statx(folder, name, all, STATX_BASIC_STATS, &found) < 0) return -errno;
    stamp->kind = S_ISREG(found.stx_mode)   ? 'f'
                  : S_ISDIR(found.stx_mode) ? 'd'
                  : S_ISLNK(found.stx_mode) ? 'l'
                                            : 'o';
    stamp->mode = found.stx_mode;
    stamp->inode = found.stx_ino;
    stamp->size = (int64_t)found.stx_size;
    stamp->modified = nanoseconds(found.stx_mtime);
    stamp->changed = nanoseconds(found.stx_ctime);
    stamp->device = (uint64_t)found.stx_dev_major << 32 | found.stx_dev_minor;
    stamp->owner = found.stx_uid;
    return 0;
}

int danube_stamp(int descriptor, struct danube_stamp *result) {
    return stamp(descriptor, "", AT_EMPTY_PATH, result);
}

int danube_stamp_at(int folder, const char *name, struct danube_stamp *result) {
    return stamp(folder, name, 0, result);
}

int danube_stamp_beneath(int root, const char *path, struct danube_stamp *result) {
    int file = danube_open_at(root, path, O_PATH | O_NOFOLLOW, 0);
    if (file < 0) return file;
    int error = danube_stamp(file, result);
    close(file);
    return error;
}

int danube_clone(int from, int to) { return ioctl(to, FICLONE, from) < 0 ? -errno : 0; }

void danube_spread_folders(int folder) {
    int flags;
    if (ioctl(folder, FS_IOC_GETFLAGS, &flags) < 0) return;
    flags |= FS_TOPDIR_FL;
    (void)ioctl(folder, FS_IOC_SETFLAGS, &flags);
}

int64_t danube_file_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int danube_has_fine_times(int folder) {
    // A file without a name: nobody sees it.
    int file = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) return -errno;
    int result = 1;
    // With coarse times, eight changes within microseconds can't all fall on different ticks.
    struct danube_stamp before = {0}, after;
    for (int round = 0; result == 1 && round < 8; round++) {
        if (pwrite(file, "x", 1, 0) != 1 || danube_stamp(file, &after) < 0)
            result = -EIO;
        else if (round > 0 &&
                 (after.changed == before.changed || after.modified == before.modified))
            result = 0;
        before = after;
    }
    close(file);
    return result;
}

int danube_has_kernel_ticks(int folder) {
    struct statfs found;
    if (fstatfs(folder, &found) < 0) return 0;
    switch ((unsigned long)found.f_type) {
    case EXT4_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC: return 1;
    default: return 0;
    }
}

int danube_sync_all(int descriptor) { return syncfs(descriptor) < 0 ? -errno : 0; }

int danube_space(const char *path, uint64_t *available, uint64_t *total) {
    struct statvfs found;
    if (statvfs(path, &found) < 0) return -errno;
    *available = (uint64_t)found.f_bavail * found.f_frsize;
    *total = (uint64_t)found.f_blocks * found.f_frsize;
    return 0;
}
