// Makes the n-th change of a file below a folder fail, or ends the process there.
//
// FAULT_BELOW=folder  FAULT_AT=n  FAULT_MODE=kill|tear|EIO|ENOSPC  FAULT_TOLD=file
// FAULT_CALLS=names
// All threads and children share one count. `kill` ends the process before the call, `tear` after
// half of what is written; by leaving at once, since the first process of a namespace does not hear
// its own SIGKILL. EIO happens once, a full disk stays full. FAULT_TOLD gets the name of the call
// that was hit, or, without FAULT_AT, the number of calls. With FAULT_CALLS only calls of these
// names count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { KILL = -1, TEAR = -2 };

static atomic_long *count;
static long at;
static int mode;
static const char *below, *told, *calls;

static void tell(const char *text) {
    int file = syscall(SYS_openat, AT_FDCWD, told, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    syscall(SYS_write, file, text, strlen(text));
    syscall(SYS_close, file);
}

__attribute__((constructor)) static void begin(void) {
    const char *number = getenv("FAULT_AT"), *name = getenv("FAULT_MODE");
    below = getenv("FAULT_BELOW");
    told = getenv("FAULT_TOLD");
    calls = getenv("FAULT_CALLS");
    at = number != NULL ? atol(number) : 0;
    mode = name == NULL || strcmp(name, "kill") == 0 ? KILL
        : strcmp(name, "tear") == 0 ? TEAR
        : strcmp(name, "EIO") == 0 ? EIO
                                   : ENOSPC;
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

__attribute__((destructor)) static void end(void) {
    char text[32];
    snprintf(text, sizeof text, "%ld", atomic_load(count));
    if (at == 0 && told != NULL) tell(text);
}

static int is_below(int descriptor, const char *path) {
    char name[64], place[PATH_MAX];
    if (below == NULL) return 0;
    if (path != NULL && path[0] == '/') return strncmp(path, below, strlen(below)) == 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, place, sizeof place - 1);
    if (length < 0) return 0;
    place[length] = 0;
    return strncmp(place, below, strlen(below)) == 0;
}

// Gives 0 to go on, TEAR to write half of it, or the error to fail with.
static int fault(const char *call, int descriptor, const char *path) {
    int before = errno;
    int result = 0;
    int counts = calls == NULL || strstr(calls, call) != NULL;
    if (counts && is_below(descriptor, path)) {
        long number = atomic_fetch_add(count, 1) + 1;
        if (at != 0 && (number == at || (number > at && mode == ENOSPC))) {
            if (number == at) tell(call);
            if (mode == KILL) syscall(SYS_exit_group, 137);
            result = mode;
        }
    }
    errno = before;
    return result;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define FAULT(name, descriptor, path, half) \
    REAL(name); \
    int error = fault(#name, descriptor, path); \
    if (error == TEAR) { \
        half; \
        syscall(SYS_exit_group, 137); \
    } \
    if (error > 0) { \
        errno = error; \
        return -1; \
    }

// A full disk still lets files be made durable, shortened and taken away.
#define FAULT_BUT_FULL(name, descriptor, path) \
    REAL(name); \
    int error = mode == ENOSPC ? 0 : fault(#name, descriptor, path); \
    if (error == TEAR) syscall(SYS_exit_group, 137); \
    if (error > 0) { \
        errno = error; \
        return -1; \
    }

ssize_t write(int file, const void *bytes, size_t size) {
    FAULT(write, file, NULL, real(file, bytes, size / 2));
    return real(file, bytes, size);
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) {
    FAULT(pwrite, file, NULL, real(file, bytes, size / 2, offset));
    return real(file, bytes, size, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) {
    FAULT(pwrite64, file, NULL, real(file, bytes, size / 2, offset));
    return real(file, bytes, size, offset);
}
ssize_t writev(int file, const struct iovec *parts, int parts_count) {
    FAULT(writev, file, NULL, real(file, parts, parts_count / 2));
    return real(file, parts, parts_count);
}
int fsync(int file) {
    FAULT_BUT_FULL(fsync, file, NULL);
    return real(file);
}
int fdatasync(int file) {
    FAULT_BUT_FULL(fdatasync, file, NULL);
    return real(file);
}
int syncfs(int file) {
    FAULT_BUT_FULL(syncfs, file, NULL);
    return real(file);
}
int ftruncate(int file, off_t length) {
    FAULT_BUT_FULL(ftruncate, file, NULL);
    return real(file, length);
}
int ftruncate64(int file, off64_t length) {
    FAULT_BUT_FULL(ftruncate64, file, NULL);
    return real(file, length);
}
int rename(const char *from, const char *to) {
    FAULT(rename, -1, to, (void)0);
    return real(from, to);
}
int unlink(const char *path) {
    FAULT_BUT_FULL(unlink, -1, path);
    return real(path);
}
int unlinkat(int folder, const char *path, int flags) {
    FAULT_BUT_FULL(unlinkat, folder, path);
    return real(folder, path, flags);
}
int mkdir(const char *path, mode_t bits) {
    FAULT(mkdir, -1, path, (void)0);
    return real(path, bits);
}
int mkdirat(int folder, const char *path, mode_t bits) {
    FAULT(mkdirat, folder, path, (void)0);
    return real(folder, path, bits);
}
int linkat(int from_folder, const char *from, int folder, const char *path, int flags) {
    FAULT(linkat, folder, path, (void)0);
    return real(from_folder, from, folder, path, flags);
}
int symlinkat(const char *target, int folder, const char *path) {
    FAULT(symlinkat, folder, path, (void)0);
    return real(target, folder, path);
}
