// Starting the evaluator's process. posix_spawn cannot give a child its own pid namespace.
#define _GNU_SOURCE
#include "spawn.h"
#include "numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_STACK = 64 * 1024, HIGHEST_DESCRIPTOR = 65536 };

// Shared with the parent, which is suspended until the child has called exec or has ended.
struct start {
    const char *program;
    char *argv[3];
    int channel;
    unsigned namespaces;
    unsigned user, group;
    volatile int error;
};

static int write_file(const char *path, const char *text, size_t length) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t count = write(descriptor, text, length);
    close(descriptor);
    return count == (ssize_t)length ? 0 : -1;
}

// "0 ID 1": root inside is the caller outside. By hand, since between clone and exec nothing may
// allocate or lock.
static size_t put_map(char *out, unsigned id) {
    char digits[12];
    size_t count = 0, length = 0;
    do digits[count++] = (char)('0' + id % 10);
    while ((id /= 10) != 0);
    out[length++] = '0';
    out[length++] = ' ';
    while (count > 0) out[length++] = digits[--count];
    out[length++] = ' ';
    out[length++] = '1';
    return length;
}

static int map_identity(const struct start *start) {
    char line[32];
    if (write_file("/proc/self/setgroups", "deny", 4) != 0 && errno != ENOENT) return -1;
    if (write_file("/proc/self/uid_map", line, put_map(line, start->user)) != 0) return -1;
    return write_file("/proc/self/gid_map", line, put_map(line, start->group));
}

static void close_from(int first) {
    if (syscall(SYS_close_range, first, ~0u, 0) == 0) return;
    for (int descriptor = first; descriptor < HIGHEST_DESCRIPTOR; descriptor++) close(descriptor);
}

static int child_main(void *argument) {
    static char *const environment[] = {NULL};
    struct start *start = argument;
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Python orders sets of objects by their addresses, which must be the same each time.
    personality(ADDR_NO_RANDOMIZE);
    setsid();
    if ((start->namespaces & CLONE_NEWUSER) != 0 && map_identity(start) != 0) goto failed;
    // The channel may stand on a low number: it is moved away before 0, 1 and 2 are replaced.
    int channel = fcntl(start->channel, F_DUPFD, 8);
    int sink = open("/dev/null", O_RDWR);
    if (channel < 0 || sink < 0) goto failed;
    for (int descriptor = 0; descriptor < 3; descriptor++)
        if (dup2(sink, descriptor) < 0) goto failed;
    if (dup2(channel, 3) < 0) goto failed;
    close_from(4);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(start->program, start->argv, environment);
failed:
    start->error = errno == 0 ? EIO : errno;
    _exit(127);
}

static int try_start(struct start *start, unsigned namespaces, char *stack, pid_t *pid) {
    start->namespaces = namespaces;
    start->error = 0;
    int flags = CLONE_VM | CLONE_VFORK | (int)namespaces | SIGCHLD;
    *pid = clone(child_main, stack + CHILD_STACK, flags, start);
    if (*pid < 0) return errno;
    if (start->error == 0) return 0;
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {}
    return start->error;
}

int danube_spawn_on(const char *program, int channel, pid_t *pid) {
    char flags[32];
    struct start start = {
        .program = program, .argv = {(char *)program, flags, NULL}, .channel = channel,
        .user = geteuid(), .group = getegid(),
    };
    char *stack = mmap(
        NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;

    // A handler of the parent must not run in the child, which shares its memory until exec.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);

    // Root takes the pid namespace alone, so that the child can later change to an identity that
    // owns nothing; others need a user namespace for it. The last choice is none at all.
    static const unsigned choices[] = {CLONE_NEWPID, CLONE_NEWPID | CLONE_NEWUSER, 0};
    int choice = start.user == 0 ? 0 : 1, error;
    for (;; choice++) {
        snprintf(flags, sizeof flags, "--namespaces=%x", choices[choice]);
        error = try_start(&start, choices[choice], stack, pid);
        if (error == 0 || choices[choice] == 0 || error == ENOENT) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, CHILD_STACK);
    return -error;
}
