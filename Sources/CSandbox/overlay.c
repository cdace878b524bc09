// Overlay mounts: a workspace is a stack of folders, of which only the topmost is written to.
#define _GNU_SOURCE
#include "danube_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int set(int context, const char *key, const char *value) {
    return fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) == 0 ? 0 : -errno;
}

// Layer by layer (Linux 6.8), so that no path needs to be quoted and none is too long together.
static int set_layers(int context, const char *const *layers) {
    for (; *layers != NULL; layers++) {
        int error = set(context, "lowerdir+", *layers);
        if (error < 0) return error;
    }
    return 0;
}

// All layers in one text, in which `:`, `,` and `\` must be quoted.
static int set_joined(int context, const char *const *layers) {
    char text[4000];
    size_t length = 0;
    for (const char *const *layer = layers; *layer != NULL; layer++) {
        if (layer != layers) text[length++] = ':';
        for (const char *at = *layer; *at != 0; at++) {
            if (length + 4 > sizeof text) return -E2BIG;
            if (*at == ':' || *at == '\\') text[length++] = '\\';
            text[length++] = *at;
        }
    }
    text[length] = 0;
    return set(context, "lowerdir", text);
}

static int configure(
    int context, const char *const *layers, int separately, const char *upper, const char *work,
    int for_user) {
    int error = separately ? set_layers(context, layers) : set_joined(context, layers);
    if (error < 0) return error;
    if (upper != NULL) {
        if ((error = set(context, "upperdir", upper)) < 0) return error;
        if ((error = set(context, "workdir", work)) < 0) return error;
        // Nothing here outlives a crash, so nothing needs to reach the disk.
        fsconfig(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
    }
    if (for_user && fsconfig(context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) != 0)
        return -errno;
    return fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0 ? 0 : -errno;
}

static int try_mount(
    const char *target, const char *const *layers, int separately, const char *upper,
    const char *work, int for_user) {
    int context = fsopen("overlay", FSOPEN_CLOEXEC);
    if (context < 0) return -errno;
    int error = configure(context, layers, separately, upper, work, for_user);
    if (error == 0) {
        int mounted = fsmount(context, FSMOUNT_CLOEXEC, 0);
        if (mounted < 0) {
            error = -errno;
        } else {
            if (move_mount(mounted, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
                error = -errno;
            close(mounted);
        }
    }
    close(context);
    return error;
}

int danube_overlay_mount(
    const char *target, const char *const *layers, const char *upper, const char *work) {
    // Without the rights of the host, marks of the overlay are attributes that users may set.
    static int for_user = -1, separately = 1;
    if (for_user < 0) for_user = geteuid() != 0;
    int error = try_mount(target, layers, separately, upper, work, for_user);
    if (error == -EINVAL && separately) {
        error = try_mount(target, layers, 0, upper, work, for_user);
        if (error == 0) separately = 0;
    }
    if (error == -EPERM && !for_user) {
        error = try_mount(target, layers, separately, upper, work, 1);
        if (error == 0) for_user = 1;
    }
    return error;
}

int danube_bind(const char *source, const char *target) {
    return mount(source, target, NULL, MS_BIND, NULL) == 0 ? 0 : -errno;
}

int danube_unmount(const char *target) {
    return umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : -errno;
}
