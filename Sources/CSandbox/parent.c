#define _GNU_SOURCE
#include "danube_parent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spawn.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int danube_spawn(const char *program, struct danube_child *child) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
    int result = danube_spawn_on(program, pair[1], &child->pid);
    close(pair[1]);
    if (result < 0) {
        close(pair[0]);
        return result;
    }
    child->channel = pair[0];
    // The child is not reaped before danube_end, so its id cannot be another process's.
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    return 0;
}

int danube_wait_ready(
    const struct danube_child *child, int reading, int writing, int milliseconds) {
    struct pollfd watched[2] = {
        {.fd = child->channel, .events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))},
        {.fd = child->pidfd, .events = POLLIN},
    };
    int count = poll(watched, 2, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    int found = 0;
    if (watched[0].revents & POLLIN) found |= DANUBE_READABLE;
    if (watched[0].revents & POLLOUT) found |= DANUBE_WRITABLE;
    if (watched[0].revents & (POLLHUP | POLLERR | POLLNVAL)) found |= DANUBE_HUNG_UP;
    if (watched[1].revents & (POLLIN | POLLHUP)) found |= DANUBE_ENDED;
    return found;
}

ssize_t danube_receive(int channel, void *buffer, size_t capacity) {
    ssize_t count;
    do count = recv(channel, buffer, capacity, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

ssize_t danube_send(int channel, const void *buffer, size_t count) {
    ssize_t sent;
    do sent = send(channel, buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

void danube_kill(struct danube_child *child) {
    if (child->channel >= 0) close(child->channel);
    child->channel = -1;
    // The group first: its leader cannot be reaped, and its id reused, before both are sent. The
    // process itself is killed as well, since it may have left the group.
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
}

int danube_end(struct danube_child *child, int *status) {
    danube_kill(child);
    pid_t reaped;
    do reaped = waitpid(child->pid, status, 0);
    while (reaped < 0 && errno == EINTR);
    int error = reaped < 0 ? errno : 0;
    if (child->pidfd >= 0) close(child->pidfd);
    child->pidfd = -1;
    return -error;
}

int danube_status_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
int danube_status_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

int danube_open_root(const char *path) {
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -errno : root;
}

static int open_how(int root, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    long descriptor;
    // EAGAIN: something was renamed during resolution, so that staying beneath was not certain.
    for (int attempt = 0; attempt < 64; attempt++) {
        descriptor = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (descriptor >= 0) return (int)descriptor;
        if (errno != EAGAIN && errno != EINTR) break;
    }
    return -errno;
}

int danube_open_beneath(int root, const char *path, int links, int reading) {
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (!links) resolve |= RESOLVE_NO_SYMLINKS;
    uint64_t flags = reading ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH;
    return open_how(root, path, flags, 0, resolve);
}

int danube_create_beneath(int root, const char *path) {
    return open_how(
        root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600,
        RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

int danube_has_openat2(void) {
    int descriptor = open_how(AT_FDCWD, "/", O_PATH, 0, 0);
    if (descriptor < 0) return 0;
    close(descriptor);
    return 1;
}

int danube_fstatus(int descriptor, struct danube_status *status) {
    struct stat found;
    if (fstat(descriptor, &found) < 0) return -errno;
    status->kind = S_ISREG(found.st_mode) ? 'f' : S_ISDIR(found.st_mode) ? 'd' : 'o';
    status->executable = (found.st_mode & 0100) != 0;
    status->size = found.st_size;
    status->modified_seconds = found.st_mtim.tv_sec;
    status->modified_nanoseconds = found.st_mtim.tv_nsec;
    status->device = found.st_dev;
    status->inode = found.st_ino;
    return 0;
}

ssize_t danube_pread(int descriptor, void *buffer, size_t capacity, int64_t offset) {
    ssize_t count;
    do count = pread(descriptor, buffer, capacity, offset);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

int danube_write_all(int descriptor, const void *buffer, size_t count) {
    const char *next = buffer;
    while (count > 0) {
        ssize_t written = write(descriptor, next, count);
        if (written < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        next += written;
        count -= (size_t)written;
    }
    return 0;
}

struct names {
    char *text;
    size_t length, capacity, count;
};

static int append(struct names *names, const char *name) {
    size_t size = strlen(name) + 1;
    if (names->length + size > names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 4096;
        char *larger = realloc(names->text, capacity);
        if (!larger) return -ENOMEM;
        names->text = larger;
        names->capacity = capacity;
    }
    memcpy(names->text + names->length, name, size);
    names->length += size;
    names->count++;
    return 0;
}

static int compare(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

// Replaces the names by the same names in order.
static int sort(struct names *names) {
    if (names->count < 2) return 0;
    const char **order = malloc(names->count * sizeof *order);
    char *sorted = malloc(names->length);
    if (!order || !sorted) {
        free(order);
        free(sorted);
        return -ENOMEM;
    }
    const char *name = names->text;
    for (size_t i = 0; i < names->count; i++, name += strlen(name) + 1) order[i] = name;
    qsort(order, names->count, sizeof *order, compare);
    char *end = sorted;
    for (size_t i = 0; i < names->count; i++) end = stpcpy(end, order[i]) + 1;
    free(order);
    free(names->text);
    names->text = sorted;
    return 0;
}

int danube_list(int folder, const char *hidden, size_t most, char **text, size_t *length) {
    struct names names = {0};
    _Alignas(struct dirent64) char block[32768];
    int error = 0;
    while (!error) {
        ssize_t count = getdents64(folder, block, sizeof block);
        if (count < 0) error = -errno;
        if (count <= 0) break;
        for (ssize_t offset = 0; !error && offset < count;) {
            struct dirent64 *entry = (struct dirent64 *)(block + offset);
            offset += entry->d_reclen;
            const char *name = entry->d_name;
            if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
            if (hidden && !strcmp(name, hidden)) continue;
            error = names.count < most ? append(&names, name) : -EOVERFLOW;
        }
    }
    if (!error) error = sort(&names);
    if (error) {
        free(names.text);
        return error;
    }
    *text = names.text;
    *length = names.length;
    return (int)names.count;
}

ssize_t danube_where(int descriptor, char *buffer, size_t capacity) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, capacity);
    if (length < 0) return -errno;
    // A full buffer may hold only a part of the path.
    return (size_t)length == capacity ? -ENAMETOOLONG : length;
}

int64_t danube_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
