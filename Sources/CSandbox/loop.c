// What the engine waits on. The C library's names for it do not reach Swift.
#define _GNU_SOURCE
#include "danube_steps.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

int danube_loop_open(void) {
    int loop = epoll_create1(EPOLL_CLOEXEC);
    return loop < 0 ? -errno : loop;
}

int danube_loop_add(int loop, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
    return epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

int danube_loop_remove(int loop, int descriptor) {
    struct epoll_event event = {0};
    return epoll_ctl(loop, EPOLL_CTL_DEL, descriptor, &event) == 0 ? 0 : -errno;
}

int danube_loop_wait(int loop, uint64_t *tokens, int capacity, int milliseconds) {
    struct epoll_event events[64];
    int most = capacity < 64 ? capacity : 64;
    int count = epoll_wait(loop, events, most, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
    return count;
}

int danube_watch_signals(void) {
    sigset_t watched;
    sigemptyset(&watched);
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        sigaddset(&watched, numbers[index]);
    // Between a step's birth and its exec it shares the engine's memory: no handler may run then.
    if (pthread_sigmask(SIG_BLOCK, &watched, NULL) != 0) return -errno;
    int descriptor = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int danube_end_is_pending(void) {
    sigset_t pending;
    if (sigpending(&pending) != 0) return 0;
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1
        || sigismember(&pending, SIGHUP) == 1 || sigismember(&pending, SIGQUIT) == 1;
}

int danube_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}
