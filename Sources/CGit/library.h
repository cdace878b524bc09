#ifndef DANUBE_GIT_LIBRARY_H
#define DANUBE_GIT_LIBRARY_H

#include <git2.h>

#include "danube_git.h"

// The functions of libgit2 that are used, found when it is loaded.
#define DANUBE_GIT_FUNCTIONS(X)                                                                   \
    X(git_libgit2_init) X(git_libgit2_opts) X(git_libgit2_version) X(git_error_last)              \
    X(git_repository_open_ext) X(git_repository_free) X(git_repository_head)                      \
    X(git_repository_odb) X(git_odb_free) X(git_odb_read_header)                                  \
    X(git_revparse_single) X(git_object_peel) X(git_object_id) X(git_object_free)                 \
    X(git_commit_lookup) X(git_commit_free) X(git_commit_tree_id) X(git_commit_parent_id)         \
    X(git_commit_time) X(git_merge_base)                                                          \
    X(git_tree_lookup) X(git_tree_free) X(git_tree_entrycount) X(git_tree_entry_byindex)          \
    X(git_tree_entry_byname) X(git_tree_entry_id) X(git_tree_entry_name)                          \
    X(git_tree_entry_filemode)                                                                    \
    X(git_blob_lookup) X(git_blob_free) X(git_blob_rawcontent) X(git_blob_rawsize)                \
    X(git_diff_tree_to_tree) X(git_diff_num_deltas) X(git_diff_get_delta) X(git_diff_free)        \
    X(git_diff_options_init)                                                                      \
    X(git_reference_free) X(git_reference_name)  \
    X(git_reference_lookup) X(git_reference_peel) X(git_tag_list) X(git_strarray_dispose)

struct danube_git_library {
#define DANUBE_GIT_POINTER(function) __typeof__(&function) function;
    DANUBE_GIT_FUNCTIONS(DANUBE_GIT_POINTER)
#undef DANUBE_GIT_POINTER
};

// Loads libgit2 once and bars it from configuration and network. NULL when there is none.
const struct danube_git_library *danube_git_library(void);

// Remembers why a call failed and gives the code to return.
int danube_git_fail(int code, const char *text);
// The same for a failure that libgit2 reported.
int danube_git_failed(const struct danube_git_library *git, int error);

struct danube_git {
    const struct danube_git_library *git;
    git_repository *repository;
    git_odb *objects;
};

static inline git_oid danube_git_oid(const struct danube_git_id *id) {
    git_oid oid;
    _Static_assert(sizeof oid.id == sizeof id->bytes, "ids are SHA-1");
    __builtin_memcpy(oid.id, id->bytes, sizeof oid.id);
    return oid;
}

static inline void danube_git_set(struct danube_git_id *id, const git_oid *oid) {
    __builtin_memcpy(id->bytes, oid->id, sizeof id->bytes);
}

// Names each ended by NUL, sorted by bytes, without doubles, in one new block.
int danube_git_block(const char **names, size_t count, char **block, size_t *length);

#endif
