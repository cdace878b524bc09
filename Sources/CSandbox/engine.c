// The guard and the engine: whatever happens to either, no step outlives them.
#define _GNU_SOURCE
#include "danube_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>

static int write_text(const char *path, const char *text) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    ssize_t count = write(descriptor, text, strlen(text));
    int error = count < 0 ? -errno : 0;
    close(descriptor);
    return error;
}

// Everybody keeps the identity they have: files made by steps belong to the user.
static int keep_identity(uid_t user, gid_t group) {
    char line[64];
    int error = write_text("/proc/self/setgroups", "deny");
    if (error < 0 && error != -ENOENT) return error;
    snprintf(line, sizeof line, "%u %u 1", user, user);
    error = write_text("/proc/self/uid_map", line);
    if (error < 0) return error;
    snprintf(line, sizeof line, "%u %u 1", group, group);
    return write_text("/proc/self/gid_map", line);
}

// A process may leave its namespaces only for others, never come back, so what may fail is tried in
// a child first.
static int try_namespaces(int wanted) {
    uid_t user = geteuid();
    gid_t group = getegid();
    int flags = 0;
    if (wanted & DANUBE_OWN_USERS) flags |= CLONE_NEWUSER;
    if (wanted & DANUBE_OWN_MOUNTS) flags |= CLONE_NEWNS;
    if (wanted & DANUBE_OWN_PROCESSES) flags |= CLONE_NEWPID;
    if (unshare(flags) != 0) return -errno;
    if (wanted & DANUBE_OWN_USERS) {
        int error = keep_identity(user, group);
        if (error < 0) return error;
    }
    if (wanted & DANUBE_OWN_MOUNTS)
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -errno;
    return 0;
}

// The first process of a namespace sees its own processes in /proc, or has no such namespace.
static int mount_processes(void) {
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 ? 0 : -errno;
}

static int probe(int wanted) {
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        if (try_namespaces(wanted) != 0) _exit(1);
        pid_t inner = fork();
        if (inner < 0) _exit(1);
        if (inner == 0)
            _exit(wanted & DANUBE_OWN_PROCESSES && mount_processes() != 0 ? 1 : 0);
        int status = 1;
        while (waitpid(inner, &status, 0) < 0 && errno == EINTR) {}
        _exit(status == 0 ? 0 : 1);
    }
    int status = 1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return status == 0 ? 0 : -EPERM;
}

// What a process before this one, of which this is a fork, has found out for what it wanted.
static int probed_wanted, probed_choice;

// The namespaces that can be had of those that are wanted, at best; 0 for none.
static int choose_namespaces(int wanted) {
    int users = geteuid() == 0 ? 0 : DANUBE_OWN_USERS;
    const int choices[] = {
        (wanted & ~DANUBE_OWN_USERS) | users,
        (wanted & DANUBE_OWN_MOUNTS) | users,
        (wanted & ~DANUBE_OWN_USERS) | DANUBE_OWN_USERS,
    };
    for (size_t index = 0; index < sizeof choices / sizeof *choices; index++) {
        int choice = choices[index];
        if ((choice & (DANUBE_OWN_MOUNTS | DANUBE_OWN_PROCESSES)) == 0) continue;
        if (probe(choice) == 0) return choice;
    }
    return 0;
}

int danube_engine_probe(int wanted) {
    probed_choice = choose_namespaces(wanted);
    probed_wanted = wanted;
    return probed_choice;
}

int danube_own_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0) return -errno;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : -errno;
}

static int enter_namespaces(int wanted) {
    if (wanted == 0) return 0;
    int choice = wanted == probed_wanted ? probed_choice : choose_namespaces(wanted);
    return choice != 0 && try_namespaces(choice) == 0 ? choice : 0;
}

// Ends every process below this one, however often it has doubled or changed its session.
void danube_end_everything(void) {
    for (int round = 0; round < 1000; round++) {
        pid_t strays[256];
        ssize_t count = danube_strays(NULL, 0, strays, 256);
        if (count <= 0) return;
        for (ssize_t index = 0; index < count; index++) kill(strays[index], SIGKILL);
        for (ssize_t index = 0; index < count; index++)
            while (waitpid(strays[index], NULL, 0) < 0 && errno == EINTR) {}
    }
}

// Whether the engine reads its signals, shared between it and the guard. An engine that does not,
// because nothing runs yet, or that has not ended after several, is ended by the guard.
static volatile sig_atomic_t *is_listening;
// Beside it: whether the engine gave the terminal to another process.
static volatile sig_atomic_t *lends_terminal;

// The engine's own number, once it was forked.
static pid_t engine_process;

int danube_is_engine(void) { return engine_process == getpid(); }

void danube_engine_listens(void) {
    if (is_listening != NULL) *is_listening = 1;
}

void danube_engine_dies_with_guard(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

void danube_engine_lends_terminal(void) {
    if (lends_terminal != NULL) *lends_terminal = 1;
}

// The terminal as it was, for the guard alone: the engine may be in a namespace where the guard's
// group has no number.
struct terminal {
    int is_known;
    struct termios settings;
};

static void take_terminal_back(const struct terminal *terminal) {
    if (!*lends_terminal || !terminal->is_known) return;
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, getpgrp());
    tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->settings);
}

static int ends_program(int number) {
    return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

// The guard's life. Signals that end programs go to the engine, which ends its steps in order.
static void guard(pid_t engine, const sigset_t *watched) {
    enum { MOST_PASSED = 2 };
    int passed = 0, ordered = 0;
    struct terminal terminal;
    terminal.is_known = tcgetattr(STDIN_FILENO, &terminal.settings) == 0;
    for (;;) {
        int number = sigwaitinfo(watched, NULL);
        if (number < 0) continue;
        if (number == SIGTSTP) {
            kill(engine, SIGSTOP);
            raise(SIGSTOP);
            kill(engine, SIGCONT);
            continue;
        }
        if (number != SIGCHLD) {
            if (ends_program(number) && (!*is_listening || ++passed > MOST_PASSED)) {
                ordered = number;
                number = SIGKILL;
            }
            kill(engine, number);
            continue;
        }
        int status;
        pid_t ended;
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended != engine) continue;
            danube_end_everything();
            take_terminal_back(&terminal);
            if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
            if (ordered != 0) _exit(128 + ordered);
            // Nobody else is left to say so.
            dprintf(STDERR_FILENO,
                    "danube: error: the run was ended by signal %d (%s)\n"
                    "  hint: Run it again: what was finished is kept, the rest is cleaned up.\n",
                    WTERMSIG(status), strsignal(WTERMSIG(status)));
            _exit(128 + WTERMSIG(status));
        }
    }
}

int danube_engine_start(int wanted) {
    static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1,
                                 SIGWINCH, SIGTSTP, SIGCHLD};
    sigset_t watched;
    sigemptyset(&watched);
    for (size_t index = 0; index < sizeof passed / sizeof *passed; index++)
        sigaddset(&watched, passed[index]);
    void *page = mmap(NULL, 2 * sizeof *is_listening, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return -errno;
    is_listening = page;
    lends_terminal = is_listening + 1;
    int got = enter_namespaces(wanted);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t before = getpid();
    pid_t engine = fork();
    if (engine < 0) return -errno;
    if (engine > 0) guard(engine, &watched);

    // A terminal's signals reach the guard alone, so each reaches the engine once.
    setpgid(0, 0);
    signal(SIGTTOU, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (got & DANUBE_OWN_PROCESSES) {
        int error = mount_processes();
        if (error < 0) return error;
    } else if (getppid() != before) {
        _exit(128 + SIGKILL);
    }
    engine_process = getpid();
    return got;
}

// What ends a program ends this one, until its loop takes the signal: that is on another thread,
// which has it blocked, so from then on this thread blocks it too, and it waits for the loop. The
// first process of a namespace would not hear of it without a handler.
static void end_or_leave(int number, siginfo_t *information, void *context) {
    (void)information;
    if (!*is_listening) _exit(128 + number);
    sigaddset(&((ucontext_t *)context)->uc_sigmask, number);
    kill(getpid(), number);
}

int danube_engine_alone(int wanted, pid_t *process) {
    if (getpid() != 1) return -EINVAL;
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    static volatile sig_atomic_t listening;
    is_listening = &listening;
    struct sigaction action = {.sa_sigaction = end_or_leave, .sa_flags = SA_SIGINFO};
    // One at a time: sent anew, it is for the loop.
    for (size_t index = 0; index < sizeof ending / sizeof *ending; index++)
        sigaddset(&action.sa_mask, ending[index]);
    for (size_t index = 0; index < sizeof ending / sizeof *ending; index++)
        sigaction(ending[index], &action, NULL);
    // The old mount of /proc tells the number that others know.
    char text[32];
    ssize_t count = readlink("/proc/self", text, sizeof text - 1);
    if (count < 0) return -errno;
    text[count] = 0;
    *process = atoi(text);
    int error = danube_own_mounts();
    if (error == 0) error = mount_processes();
    if (error < 0) return error;
    signal(SIGTTOU, SIG_IGN);
    engine_process = getpid();
    return wanted;
}
