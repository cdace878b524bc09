// A program that a person uses: it has their terminal while it lives.
#define _GNU_SOURCE
#include "danube_steps.h"
#include "numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// How long a shell may take to end when it is asked to.
enum { GRACE_SECONDS = 2 };

struct failure {
    int error, part;
};

static void child_main(
    const struct danube_step *step, int has_terminal, int report) {
    struct failure failure = {.part = DANUBE_STEP_PROCESS};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    // Still ignored here: whoever is in the background may not take the terminal otherwise.
    signal(SIGTTOU, SIG_IGN);
    if (has_terminal) tcsetpgrp(STDIN_FILENO, getpid());
    static const int plain[] = {SIGPIPE, SIGTTOU, SIGTTIN, SIGTSTP, SIGINT, SIGQUIT};
    for (size_t index = 0; index < sizeof plain / sizeof *plain; index++)
        signal(plain[index], SIG_DFL);
    if (dup2(step->input, 0) < 0 || dup2(step->output, 1) < 0 || dup2(step->error, 2) < 0)
        goto failed;
    if (step->script >= 0 && dup2(step->script, 3) < 0) goto failed;
    syscall(SYS_close_range, step->script >= 0 ? 4 : 3, ~0u, CLOSE_RANGE_CLOEXEC);
    failure.part = DANUBE_STEP_FOLDER;
    if (chdir(step->folder) != 0) goto failed;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    failure.part = DANUBE_STEP_PROGRAM;
    errno = danube_step_execute(step);
failed:
    failure.error = errno == 0 ? EIO : errno;
    (void)!write(report, &failure, sizeof failure);
    _exit(127);
}

// Waits until the program has ended. Its status is written, and 0 given.
static int wait_for(pid_t pid, int has_terminal, const sigset_t *watched, int *status) {
    struct timespec until = {0};
    int is_ending = 0;
    for (;;) {
        struct timespec grace = {.tv_sec = GRACE_SECONDS};
        if (is_ending) {
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            grace.tv_sec = now.tv_sec < until.tv_sec ? until.tv_sec - now.tv_sec : 0;
        }
        int number = sigtimedwait(watched, NULL, is_ending ? &grace : NULL);
        if (number < 0 && errno == EAGAIN) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            is_ending = 0;
            continue;
        }
        if (number == SIGCHLD) {
            int found;
            pid_t ended;
            while ((ended = waitpid(-1, &found, WNOHANG | WUNTRACED)) > 0) {
                if (ended != pid) continue;
                if (!WIFSTOPPED(found)) {
                    *status = found;
                    return 0;
                }
                // A shell that suspends itself would leave a terminal that nobody reads.
                if (has_terminal) tcsetpgrp(STDIN_FILENO, pid);
                kill(-pid, SIGCONT);
            }
            if (ended < 0 && errno == ECHILD) return -ECHILD;
            continue;
        }
        if (number != SIGINT && number != SIGTERM && number != SIGHUP && number != SIGQUIT)
            continue;
        kill(-pid, number);
        if (number == SIGINT) continue;
        // Interactive shells ignore the others.
        if (has_terminal) kill(-pid, SIGHUP);
        kill(-pid, SIGCONT);
        if (!is_ending) clock_gettime(CLOCK_MONOTONIC, &until);
        if (!is_ending) until.tv_sec += GRACE_SECONDS;
        is_ending = 1;
    }
}

int danube_terminal_is_ours(void) {
    return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

int danube_shell_run(
    const struct danube_step *step, int has_terminal, int *status, int *failed) {
    sigset_t watched;
    sigemptyset(&watched);
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        sigaddset(&watched, numbers[index]);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    signal(SIGTTOU, SIG_IGN);
    *failed = DANUBE_STEP_PROCESS;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    if (has_terminal) danube_engine_lends_terminal();
    pid_t pid = fork();
    if (pid < 0) {
        int error = -errno;
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    if (pid == 0) child_main(step, has_terminal, ends[1]);
    close(ends[1]);
    // Both do it, so that it is done whoever is first.
    setpgid(pid, pid);
    struct failure failure;
    ssize_t count;
    while ((count = read(ends[0], &failure, sizeof failure)) < 0 && errno == EINTR) {}
    close(ends[0]);
    danube_engine_listens();
    int error = wait_for(pid, has_terminal, &watched, status);
    danube_end_everything();
    if (count == sizeof failure) {
        *failed = failure.part;
        return -failure.error;
    }
    return error;
}
