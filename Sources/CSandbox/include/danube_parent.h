// The trusted side: starting the evaluator, reading beneath a folder, and talking without blocking.
//
// Functions return 0 or a non-negative result on success and `-errno` on failure.
#ifndef DANUBE_PARENT_H
#define DANUBE_PARENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A child process with a socket to it.
struct danube_child {
    pid_t pid;
    // Becomes readable when the process has ended; -1 where the kernel has no pidfd.
    int pidfd;
    // The parent's end of the socket pair; close-on-exec.
    int channel;
};

// What poll(2) found on a child's descriptors.
enum {
    DANUBE_READABLE = 1,
    DANUBE_WRITABLE = 2,
    DANUBE_HUNG_UP = 4,
    DANUBE_ENDED = 8,
};

// What a path is.
struct danube_status {
    // 'f' regular file, 'd' folder, 'o' anything else.
    char kind;
    int executable;
    int64_t size;
    int64_t modified_seconds;
    int64_t modified_nanoseconds;
    uint64_t device;
    uint64_t inode;
};

// Starts `program` in a session of its own: descriptor 3 is the child's end of a new socket pair,
// 0, 1 and 2 are /dev/null, everything else is closed, the environment is empty.
int danube_spawn(const char *program, struct danube_child *child);

// Waits until the channel can be read (or written, if `writing`; then it is not watched for
// reading), or the process has ended, or `milliseconds` have passed (result 0). An interrupted wait
// returns 0 too.
int danube_wait_ready(const struct danube_child *child, int reading, int writing, int milliseconds);

// Receives or sends without blocking and without SIGPIPE. -EAGAIN when nothing could be done;
// descriptors that come along are dropped by the kernel. 0 from receiving is end of file.
ssize_t danube_receive(int channel, void *buffer, size_t capacity);
ssize_t danube_send(int channel, const void *buffer, size_t count);

// Kills the process and its group, and closes the channel. It is still to be ended.
void danube_kill(struct danube_child *child);

// Kills the process and its group, and reaps it. `status` is a wait status. Closes all descriptors.
// A process that had ended by itself keeps its own status.
int danube_end(struct danube_child *child, int *status);

// The signal that ended a process by its wait status, or 0; and its exit code otherwise.
int danube_status_signal(int status);
int danube_status_code(int status);

// Opens a folder for the functions below; follows links.
int danube_open_root(const char *path);

// Opens a path beneath `root`, never leaving it, never blocking, never following magic links.
// `links` says whether other symbolic links may be followed (-ELOOP if not), `reading` whether the
// content is wanted; otherwise only danube_fstatus and danube_where can be used.
int danube_open_beneath(int root, const char *path, int links, int reading);
// Creates a file beneath `root` that is there afterwards only if it was not there before.
int danube_create_beneath(int root, const char *path);

int danube_fstatus(int descriptor, struct danube_status *status);

// Reads at most `capacity` bytes from `offset`; retries when interrupted.
ssize_t danube_pread(int descriptor, void *buffer, size_t capacity, int64_t offset);
// Writes all bytes at the end of what was written before.
int danube_write_all(int descriptor, const void *buffer, size_t count);

// Lists a folder: names sorted by bytes, each ended by NUL, in one block that the caller frees.
// `hidden` is one name to leave out, or NULL. -EOVERFLOW above `most` names.
int danube_list(int folder, const char *hidden, size_t most, char **names, size_t *length);

// The target of /proc/self/fd/N: where an open descriptor really lies.
ssize_t danube_where(int descriptor, char *buffer, size_t capacity);

// Monotonic time in nanoseconds.
int64_t danube_now(void);

// Whether the kernel has openat2(2).
int danube_has_openat2(void);

// Has what is large go back to the system when it is freed. Else the heap of each thread keeps as
// much as it once had.
void danube_gives_memory_back(void);

#endif
