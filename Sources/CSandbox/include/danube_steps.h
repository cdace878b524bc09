// Running the steps of a plan: the guard around the engine, processes, and what they leave behind.
//
// Functions return 0 or a non-negative result on success and `-errno` on failure.
#ifndef DANUBE_STEPS_H
#define DANUBE_STEPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Namespaces that the engine is asked to have, and those that it got.
enum {
    // Mounts of its own, which vanish with it.
    DANUBE_OWN_MOUNTS = 1,
    // Process ids of its own: the kernel ends every step with the engine.
    DANUBE_OWN_PROCESSES = 2,
    // A user namespace, where the host gives the others to root only.
    DANUBE_OWN_USERS = 4,
};

// Splits the program in two. The guard, which is the process that called, passes signals on, waits,
// ends whatever the engine left behind, and exits as the engine did: it never returns. The engine
// is its child, and the function returns in it with the namespaces it has. It must be called
// before there are threads. When the guard dies, the engine gets SIGTERM.
int danube_engine_start(int wanted);
// Of an engine whose processes end with it: it ends at once with its guard, not in order.
void danube_engine_dies_with_guard(void);

// Finds out beforehand which namespaces can be had, for every process that is forked from this one.
// Gives those.
int danube_engine_probe(int wanted);

// Makes this process, the first of its own process ids, the engine without a guard: the kernel ends
// every step with it. Gives its namespaces, and the process id that it has for others.
int danube_engine_alone(int wanted, pid_t *process);

// Mounts of its own for this process.
int danube_own_mounts(void);

// Makes a folder empty for this process and whatever it starts, but for some folders below it, at
// most eight. It needs a mount namespace of its own.
int danube_engine_hide(const char *folder, const char *const *kept, size_t count);

// Whether this process is the engine.
int danube_is_engine(void);

// The engine reads its signals from now on. Until then, and when it has not ended after two of
// them, a signal that ends programs ends it at once.
void danube_engine_listens(void);

// Has the calling thread run soon after it was woken, before those that compute for long: it asks
// for short slices, which the scheduler of Linux 6.12 and later takes into account (EEVDF;
// sched_setattr(2)). Processes that the thread starts have slices like all others.
void danube_thread_is_prompt(void);

// The engine gives the terminal away: the guard takes it back in the end, with its settings.
void danube_engine_lends_terminal(void);

// Ends every process below this one, however often it has doubled or changed its session.
void danube_end_everything(void);

// Waiting for many descriptors at once (epoll). `token` is what `danube_loop_wait` says of one.
int danube_loop_open(void);
int danube_loop_add(int loop, int descriptor, uint64_t token);
int danube_loop_remove(int loop, int descriptor);
// Waits at most `milliseconds`, -1 for ever, and writes the tokens of what can be read or has
// ended. Gives their count; an interrupted wait gives 0.
int danube_loop_wait(int loop, uint64_t *tokens, int capacity, int milliseconds);

// Blocks the signals that end programs, or tell of the terminal's size, and opens a descriptor
// from which their numbers are read by `danube_next_signal`, which gives 0 when there is none.
int danube_watch_signals(void);

// Whether a blocked signal waits that ends programs.
int danube_end_is_pending(void);
int danube_next_signal(int descriptor);

// Keeps what this process holds in memory from cores and from other processes of the user, and lets
// it open that many files where the host does.
void danube_master_protect(unsigned long files);

// Nanoseconds since the machine was started, by a clock that only counts.
int64_t danube_boot_nanoseconds(void);

// Starts a program, looked up in this process's PATH, in a session or at least a process group of
// its own, with nothing inherited but the three descriptors. Gives 0 or -errno.
int danube_program_start(char *const *arguments, char *const *environment, int input, int output,
                         int error, int own_session, pid_t *pid);

// Says whose a file is.
int danube_path_owner(const char *path, uid_t *owner);

// Makes this process the parent of all orphans below it.
void danube_adopt_orphans(void);

// A process to start.
struct danube_step {
    // Program and arguments, ended by NULL. A program without `/` is looked up in `search`.
    char *const *arguments;
    // Variables as `NAME=value`, ended by NULL.
    char *const *environment;
    // Folders to look in, separated by colons.
    const char *search;
    // Folder to run in.
    const char *folder;
    // Become descriptors 0, 1 and 2.
    int input, output, error;
    // Becomes descriptor 3 when it is not negative.
    int script;
    // When not NULL, the process, and whatever it starts, sees this folder at `view` too, and
    // nobody else does. The caller must have a mount namespace of its own.
    const char *source;
    const char *view;
};

// Which part of starting a step failed.
enum {
    DANUBE_STEP_FOLDER = 1,
    DANUBE_STEP_PROGRAM = 2,
    DANUBE_STEP_PROCESS = 3,
    DANUBE_STEP_VIEW = 4
};

// Starts a process in a session of its own, with no signal blocked. It dies with the calling
// thread. `failed` says which part the error is about. Signals must be blocked in the caller, and
// have no handlers.
int danube_step_start(const struct danube_step *step, pid_t *pid, int *pidfd, int *failed);

// Becomes the program of a step, looked up as execvpe does. Gives an error number if it cannot.
int danube_step_execute(const struct danube_step *step);

// Whether standard input is a terminal that this process may read from now.
int danube_terminal_is_ours(void);

// Runs a program for a person to its end, within the engine: in a group of its own that gets the
// signals of the terminal, or those of the guard where it has none. Whatever it leaves is ended.
// Writes its wait status; `failed` says which part of starting it an error is about.
int danube_shell_run(
    const struct danube_step *step, int has_terminal, int *status, int *failed);

// What a step used.
struct danube_usage {
    int64_t user_microseconds, system_microseconds;
    int64_t peak_kilobytes;
};

// Reaps a process. Gives its wait status, or -ECHILD, or -EAGAIN while it runs.
int danube_step_reap(pid_t pid, struct danube_usage *usage, int *status);

// Reaps ended processes that were handed to this one. Gives how many; the pids that are listed are
// left alone.
int danube_reap_strays(const pid_t *known, size_t count);

// Lists children of this process that are not among the `count` known ones, ascending: at most
// `capacity`. Gives how many were listed.
ssize_t danube_strays(const pid_t *known, size_t count, pid_t *strays, size_t capacity);

// The session of a process, or -errno.
pid_t danube_session(pid_t pid);

// A pipe whose ends no other program inherits.
int danube_pipe(int *reading, int *writing);

// Copies the environment a process was started with. Gives its length, at most `capacity`.
ssize_t danube_environment(pid_t pid, char *buffer, size_t capacity);

// A process that is kept warm and forks an engine for each job. Whoever asks it has the first of
// two sockets and waits at most so long for an answer; the host has the other one.
int danube_host_sockets(int sockets[2], int seconds);
// Asks for an engine in a folder, with its standard input and what it says of itself. Writes the
// answer: its process id, or `-errno`.
int danube_host_ask(int socket, const char *folder, int input, int error, int32_t *process);
// Waits for an order and gives the length of the folder's path, 0 when nobody asks any more.
ssize_t danube_host_receive(int socket, char *folder, size_t capacity, int *input, int *error);
int danube_host_answer(int socket, int32_t process);
// Called once, before the first fork for an engine, with what `danube_engine_probe` found.
void danube_host_begin(int namespaces);
// Forks, and the child gets 0.
int danube_fork(void);
// Forks. The child gets 0, a session of its own, and the two descriptors as 0, and 1 and 2; it is
// the first of its own process ids where engines have them.
pid_t danube_host_fork(int socket, int input, int error);
// Writes other arguments over those a process was started with, for those who list processes.
void danube_retitle(char *start, size_t capacity, const char *title);

// A file in memory with a content, to be read from its start.
int danube_memory_file(const void *content, size_t length);

// Mounts an overlay. `layers` are the lower folders, the topmost first, ended by NULL; `upper` and
// `work` may be NULL for a view that nobody writes to.
int danube_overlay_mount(
    const char *target, const char *const *layers, const char *upper, const char *work);
// What is in a layer: files and links, folders that add to those below or replace them, and marks
// for what was taken away.
enum {
    DANUBE_LAYER_FILE = 1,
    DANUBE_LAYER_LINK,
    DANUBE_LAYER_FOLDER,
    DANUBE_LAYER_REPLACED,
    DANUBE_LAYER_REMOVED,
    DANUBE_LAYER_OTHER,
};
int danube_layer_entry(const char *path);
// Makes a mark for what is taken away, and marks a folder as one that replaces those below.
int danube_layer_remove(const char *path);
int danube_layer_replace(const char *path);

// Deletes a file, or a folder with all that is in it and whatever its permissions, on one file
// system. What cannot be deleted stays; the last error is given.
int danube_remove_tree(const char *path);

// Shows a folder at another place too, for all who share the caller's mount namespace.
int danube_bind(const char *source, const char *target);

// Takes a mount away, at once or as soon as nobody uses it.
int danube_unmount(const char *target);

#endif
