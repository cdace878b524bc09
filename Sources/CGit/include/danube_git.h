// Reading a git repository through libgit2, which is loaded when it is first needed.
//
// No configuration of the system or the user is read, no filter, hook or remote is ever run.
// Functions return 0 or more on success; on failure less than 0, and danube_git_problem tells why
// (on the same thread, until the next call).
#ifndef DANUBE_GIT_H
#define DANUBE_GIT_H

#include <stddef.h>
#include <stdint.h>

// Nothing is there under that name. Other failures are -1.
enum { DANUBE_GIT_ABSENT = -3, DANUBE_GIT_TOO_LARGE = -4, DANUBE_GIT_UNAVAILABLE = -5 };

enum { DANUBE_GIT_ID_SIZE = 20 };

// An object's id.
struct danube_git_id {
    unsigned char bytes[DANUBE_GIT_ID_SIZE];
};

struct danube_git;

// One name in a tree.
struct danube_git_entry {
    struct danube_git_id id;
    // As git has it: 040000 folder, 0100644 and 0100755 file, 0120000 link, 0160000 submodule.
    uint32_t mode;
};

// Why the last call on this thread failed.
const char *danube_git_problem(void);

// The version of the library ("1.5.1") in `text`.
int danube_git_version(char *text, size_t capacity);

// Opens the repository that is in the folder `path` itself (its `.git`, or a bare one).
int danube_git_open(const char *path, struct danube_git **repository);
void danube_git_close(struct danube_git *repository);

// The commit that a revision names; one that begins with `-` is refused.
int danube_git_resolve(
    struct danube_git *repository, const char *revision, struct danube_git_id *commit);

// The tree and the first parent of a commit, and its time in seconds since 1970.
int danube_git_tree(
    struct danube_git *repository, const struct danube_git_id *commit, struct danube_git_id *tree);
int danube_git_parent(
    struct danube_git *repository, const struct danube_git_id *commit,
    struct danube_git_id *parent);
int danube_git_time(
    struct danube_git *repository, const struct danube_git_id *commit, int64_t *seconds);

// The best common ancestor of two commits.
int danube_git_merge_base(
    struct danube_git *repository, const struct danube_git_id *one,
    const struct danube_git_id *other, struct danube_git_id *base);

// One name in a tree.
int danube_git_entry(
    struct danube_git *repository, const struct danube_git_id *tree, const char *name,
    struct danube_git_entry *entry);

// All names in a tree, each ended by NUL, sorted by bytes; the caller frees the block.
int danube_git_names(
    struct danube_git *repository, const struct danube_git_id *tree, size_t most, char **names,
    size_t *length);

// The size of a blob, known without reading it.
int danube_git_size(
    struct danube_git *repository, const struct danube_git_id *blob, uint64_t *size);

// Reads a blob of exactly `size` bytes.
int danube_git_read(
    struct danube_git *repository, const struct danube_git_id *blob, void *buffer, size_t size);

// Paths that differ between two trees (`old` may be NULL: all), each ended by NUL and sorted by
// bytes, of both sides of a change; the caller frees the block.
int danube_git_changes(
    struct danube_git *repository, const struct danube_git_id *old,
    const struct danube_git_id *new, size_t most, char **paths, size_t *length);

// Name of the branch that HEAD is on, without `refs/heads/`. Absent when it is on none.
int danube_git_branch(struct danube_git *repository, char *name, size_t capacity);

// Name of a tag on a commit; the last by its bytes where there are several.
int danube_git_tag(
    struct danube_git *repository, const struct danube_git_id *commit, char *name,
    size_t capacity);

#endif
