// A process that is kept warm and forks one engine for each job.
#define _GNU_SOURCE
#include "danube_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int danube_host_sockets(int sockets[2], int seconds) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) return -errno;
    struct timeval patience = {.tv_sec = seconds};
    setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return 0;
}

enum { SENT = 2 };

union control {
    char bytes[CMSG_SPACE(SENT * sizeof(int))];
    struct cmsghdr alignment;
};

int danube_host_ask(int socket, const char *folder, int input, int error, int32_t *process) {
    struct iovec text = {.iov_base = (void *)folder, .iov_len = strlen(folder)};
    union control control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {
        .msg_iov = &text, .msg_iovlen = 1,
        .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(SENT * sizeof(int));
    const int descriptors[SENT] = {input, error};
    memcpy(CMSG_DATA(header), descriptors, sizeof descriptors);
    ssize_t count;
    do count = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    do count = recv(socket, process, sizeof *process, 0);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    return count == sizeof *process ? 0 : -EPIPE;
}

ssize_t danube_host_receive(
    int socket, char *folder, size_t capacity, int *input, int *error) {
    struct iovec text = {.iov_base = folder, .iov_len = capacity - 1};
    union control control;
    struct msghdr message = {
        .msg_iov = &text, .msg_iovlen = 1,
        .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
    };
    ssize_t count;
    do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count <= 0) return count < 0 ? -errno : 0;
    folder[count] = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int descriptors[SENT];
    if (header == NULL || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof descriptors))
        return -EBADMSG;
    memcpy(descriptors, CMSG_DATA(header), sizeof descriptors);
    *input = descriptors[0];
    *error = descriptors[1];
    return count;
}

int danube_host_answer(int socket, int32_t process) {
    ssize_t count;
    do count = send(socket, &process, sizeof process, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : 0;
}

// The host's own process ids, to which it comes back after each fork; -1 where an engine cannot
// have ids of its own without a namespace of users.
static int own_processes = -1;

void danube_host_begin(int namespaces) {
    // Nobody waits for an engine: what becomes of it is in its journal.
    signal(SIGCHLD, SIG_IGN);
    const int wanted = DANUBE_OWN_MOUNTS | DANUBE_OWN_PROCESSES;
    if (namespaces == wanted) own_processes = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
}

int danube_fork(void) {
    pid_t child = fork();
    return child < 0 ? -errno : child;
}

pid_t danube_host_fork(int socket, int input, int error) {
    int has_processes = own_processes >= 0 && unshare(CLONE_NEWPID) == 0;
    pid_t child = danube_fork();
    if (child != 0) {
        // Where it cannot come back, the next engine would be one of this one's processes.
        if (has_processes && setns(own_processes, CLONE_NEWPID) != 0) _exit(3);
        return child;
    }
    signal(SIGCHLD, SIG_DFL);
    close(socket);
    if (setsid() < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(error, STDOUT_FILENO) < 0 ||
        dup2(error, STDERR_FILENO) < 0)
        _exit(3);
    if (input > STDERR_FILENO) close(input);
    if (error > STDERR_FILENO) close(error);
    return 0;
}

void danube_retitle(char *start, size_t capacity, const char *title) {
    size_t length = strlen(title);
    if (length >= capacity) return;
    memset(start, 0, capacity);
    memcpy(start, title, length);
}
