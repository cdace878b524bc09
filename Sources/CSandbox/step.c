// Starting, reaping and finding the processes of steps.
#define _GNU_SOURCE
#include "danube_steps.h"
#include "numbers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_STACK = 64 * 1024 };

// Shared with the parent, which is suspended until the child has called exec or has ended.
struct start {
    const struct danube_step *step;
    volatile int error, failed;
};

// Looks a program up as execvpe does, but in the step's own path and without allocating.
int danube_step_execute(const struct danube_step *step) {
    const char *program = step->arguments[0];
    if (strchr(program, '/') != NULL) {
        execve(program, step->arguments, step->environment);
        return errno;
    }
    size_t length = strlen(program);
    int error = ENOENT;
    for (const char *folder = step->search; *folder != 0;) {
        size_t size = strcspn(folder, ":");
        char path[PATH_MAX];
        if (size > 0 && size + length + 2 <= sizeof path) {
            memcpy(path, folder, size);
            path[size] = '/';
            memcpy(path + size + 1, program, length + 1);
            execve(path, step->arguments, step->environment);
            if (errno != ENOENT && errno != ENOTDIR) error = errno;
            if (error != ENOENT && error != EACCES) return error;
        }
        folder += size + (folder[size] == ':');
    }
    return error;
}

static int child_main(void *argument) {
    struct start *start = argument;
    const struct danube_step *step = start->step;
    // Only what is ignored survives exec.
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTTOU, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    start->failed = DANUBE_STEP_PROCESS;
    if (dup2(step->input, 0) < 0 || dup2(step->output, 1) < 0 || dup2(step->error, 2) < 0)
        goto failed;
    if (step->script >= 0 && dup2(step->script, 3) < 0) goto failed;
    // Descriptors that some library opened without saying that they are its own.
    syscall(SYS_close_range, step->script >= 0 ? 4 : 3, ~0u, CLOSE_RANGE_CLOEXEC);
    start->failed = DANUBE_STEP_VIEW;
    if (step->source != NULL && mount(step->source, step->view, NULL, MS_BIND, NULL) != 0)
        goto failed;
    start->failed = DANUBE_STEP_FOLDER;
    if (chdir(step->folder) != 0) goto failed;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    start->failed = DANUBE_STEP_PROGRAM;
    errno = danube_step_execute(step);
failed:
    start->error = errno == 0 ? EIO : errno;
    _exit(127);
}

// A stack that no child uses: whoever starts one waits until it is free again, so that one does for
// a thread that starts all steps. Another thread meanwhile gets another.
static _Atomic(char *) free_stack;

static char *take_stack(void) {
    char *stack = atomic_exchange(&free_stack, NULL);
    if (stack != NULL) return stack;
    stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return stack == MAP_FAILED ? NULL : stack;
}

static void give_stack(char *stack) {
    char *none = NULL;
    if (!atomic_compare_exchange_strong(&free_stack, &none, stack)) munmap(stack, CHILD_STACK);
}

int danube_step_start(const struct danube_step *step, pid_t *pid, int *pidfd, int *failed) {
    *failed = DANUBE_STEP_PROCESS;
    char *stack = take_stack();
    if (stack == NULL) return -errno;
    struct start start = {.step = step};
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    if (step->source != NULL) flags |= CLONE_NEWNS;
    *pid = clone(child_main, stack + CHILD_STACK, flags, &start, pidfd);
    int error = *pid < 0 ? errno : 0;
    give_stack(stack);
    if (error != 0) return -error;
    if (start.error == 0) return 0;
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {}
    close(*pidfd);
    *failed = start.failed;
    return -start.error;
}

void danube_adopt_orphans(void) { prctl(PR_SET_CHILD_SUBREAPER, 1); }

int danube_step_reap(pid_t pid, struct danube_usage *usage, int *status) {
    struct rusage used;
    pid_t ended;
    do ended = wait4(pid, status, WNOHANG, &used);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) return -errno;
    if (ended == 0) return -EAGAIN;
    usage->user_microseconds = used.ru_utime.tv_sec * 1000000LL + used.ru_utime.tv_usec;
    usage->system_microseconds = used.ru_stime.tv_sec * 1000000LL + used.ru_stime.tv_usec;
    usage->peak_kilobytes = used.ru_maxrss;
    return 0;
}

static int is_known(const pid_t *known, size_t count, pid_t pid) {
    for (size_t index = 0; index < count; index++)
        if (known[index] == pid) return 1;
    return 0;
}

// Adds the children of one thread, as the kernel lists them. Gives the new count.
static ssize_t add_children(int descriptor, pid_t *found, size_t count, size_t capacity) {
    char text[8192];
    ssize_t length = pread(descriptor, text, sizeof text - 1, 0);
    if (length < 0) return -errno;
    // A number that the end of the buffer cut in two is left for the next time.
    while (length > 0 && text[length - 1] != ' ') length--;
    text[length] = 0;
    for (char *at = text; count < capacity;) {
        char *end;
        long pid = strtol(at, &end, 10);
        if (end == at) break;
        found[count++] = (pid_t)pid;
        at = end;
    }
    return (ssize_t)count;
}

// Children of every thread. Orphans go to any thread that is alive once the first one has ended.
static ssize_t children_of_threads(pid_t *found, size_t capacity) {
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) return -errno;
    ssize_t count = 0;
    for (struct dirent *entry; count >= 0 && (entry = readdir(threads)) != NULL;) {
        char path[320];
        snprintf(path, sizeof path, "%s/children", entry->d_name);
        int descriptor = openat(dirfd(threads), path, O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) continue;
        ssize_t more = add_children(descriptor, found, (size_t)count, capacity);
        // A thread that has just ended has no children to list.
        if (more >= 0) count = more;
        close(descriptor);
    }
    closedir(threads);
    return count;
}

// The list of children of a thread, which stays open while the process is the same.
struct children_list {
    int descriptor;
    pid_t thread, process;
};

static ssize_t add_listed(struct children_list *list, pid_t thread, pid_t *found, size_t count,
                          size_t capacity) {
    pid_t process = getpid();
    if (list->thread != thread || list->process != process) {
        char path[64];
        // One from before a fork stays with the process that opened it.
        if (list->process == process) close(list->descriptor);
        snprintf(path, sizeof path, "/proc/self/task/%d/children", thread);
        *list = (struct children_list){open(path, O_RDONLY | O_CLOEXEC), thread, process};
    }
    if (list->descriptor < 0) return -errno;
    return add_children(list->descriptor, found, count, capacity);
}

// Children of this process. In the engine one thread starts steps, and the first one, to which
// orphans go, waits for it: only the lists of these two are read.
static ssize_t children(pid_t *found, size_t capacity) {
    static struct children_list first, own;
    pid_t thread = (pid_t)syscall(SYS_gettid), process = getpid();
    if (thread != process && !danube_is_engine()) return children_of_threads(found, capacity);
    ssize_t count = add_listed(&first, process, found, 0, capacity);
    if (count < 0 || thread == process) return count;
    return add_listed(&own, thread, found, (size_t)count, capacity);
}

ssize_t danube_strays(const pid_t *known, size_t count, pid_t *strays, size_t capacity) {
    pid_t found[1024];
    ssize_t all = children(found, sizeof found / sizeof *found);
    if (all < 0) return all;
    size_t listed = 0;
    for (ssize_t index = 0; index < all && listed < capacity; index++)
        if (!is_known(known, count, found[index])) strays[listed++] = found[index];
    return (ssize_t)listed;
}

int danube_reap_strays(const pid_t *known, size_t count) {
    int reaped = 0;
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) break;
        // A known one is reaped by its owner, who is told of it; the next look finds the others.
        if (is_known(known, count, info.si_pid)) break;
        if (waitpid(info.si_pid, NULL, WNOHANG) <= 0) break;
        reaped++;
    }
    return reaped;
}

pid_t danube_session(pid_t pid) {
    pid_t session = getsid(pid);
    return session < 0 ? -errno : session;
}

int danube_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

ssize_t danube_environment(pid_t pid, char *buffer, size_t capacity) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    size_t length = 0;
    while (length < capacity) {
        ssize_t count = read(descriptor, buffer + length, capacity - length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        length += (size_t)count;
    }
    close(descriptor);
    return (ssize_t)length;
}

int danube_memory_file(const void *content, size_t length) {
    int descriptor = memfd_create("danube", MFD_CLOEXEC);
    if (descriptor < 0) return -errno;
    const char *bytes = content;
    for (size_t written = 0; written < length;) {
        ssize_t count = write(descriptor, bytes + written, length - written);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            int error = errno;
            close(descriptor);
            return -error;
        }
        written += (size_t)count;
    }
    lseek(descriptor, 0, SEEK_SET);
    return descriptor;
}
