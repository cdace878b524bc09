// Differences between trees, and names of commits.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

static int collect(
    const struct danube_git_library *git, git_diff *diff, size_t most, char **paths,
    size_t *length) {
    size_t deltas = git->git_diff_num_deltas(diff), count = 0;
    if (deltas > most) return danube_git_fail(DANUBE_GIT_TOO_LARGE, "too many changes");
    const char **names = malloc((deltas * 2 + 1) * sizeof *names);
    if (!names) return danube_git_fail(-1, "out of memory");
    for (size_t i = 0; i < deltas; i++) {
        const git_diff_delta *delta = git->git_diff_get_delta(diff, i);
        if (delta->old_file.path) names[count++] = delta->old_file.path;
        if (delta->new_file.path) names[count++] = delta->new_file.path;
    }
    int result = danube_git_block(names, count, paths, length);
    free(names);
    return result;
}

int danube_git_changes(
    struct danube_git *repository, const struct danube_git_id *old,
    const struct danube_git_id *new, size_t most, char **paths, size_t *length) {
    const struct danube_git_library *git = repository->git;
    git_tree *before = NULL, *after = NULL;
    git_diff *diff = NULL;
    git_oid oid;
    git_diff_options options;
    git->git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags |= GIT_DIFF_SKIP_BINARY_CHECK;

    int error = 0;
    if (old) {
        oid = danube_git_oid(old);
        error = git->git_tree_lookup(&before, repository->repository, &oid);
    }
    if (error >= 0) {
        oid = danube_git_oid(new);
        error = git->git_tree_lookup(&after, repository->repository, &oid);
    }
    if (error >= 0)
        error = git->git_diff_tree_to_tree(&diff, repository->repository, before, after, &options);
    int result = error < 0 ? danube_git_failed(git, error)
                           : collect(git, diff, most, paths, length);
    git->git_diff_free(diff);
    git->git_tree_free(before);
    git->git_tree_free(after);
    return result;
}

static int copy(const char *text, char *name, size_t capacity) {
    if (strlen(text) >= capacity) return danube_git_fail(DANUBE_GIT_TOO_LARGE, "a long name");
    strcpy(name, text);
    return 0;
}

int danube_git_branch(struct danube_git *repository, char *name, size_t capacity) {
    const struct danube_git_library *git = repository->git;
    git_reference *head;
    int error = git->git_repository_head(&head, repository->repository);
    if (error < 0) {
        int code = danube_git_failed(git, error);
        return error == GIT_EUNBORNBRANCH ? DANUBE_GIT_ABSENT : code;
    }
    const char *full = git->git_reference_name(head);
    int result = strncmp(full, "refs/heads/", 11) == 0
        ? copy(full + 11, name, capacity)
        : danube_git_fail(DANUBE_GIT_ABSENT, "on no branch");
    git->git_reference_free(head);
    return result;
}

// Whether a tag stands on a commit, be it annotated or not.
static int is_on(struct danube_git *repository, const char *tag, const git_oid *commit) {
    const struct danube_git_library *git = repository->git;
    char full[1024];
    git_reference *reference;
    git_object *target;
    if (snprintf(full, sizeof full, "refs/tags/%s", tag) >= (int)sizeof full) return 0;
    if (git->git_reference_lookup(&reference, repository->repository, full) < 0) return 0;
    int error = git->git_reference_peel(&target, reference, GIT_OBJECT_COMMIT);
    git->git_reference_free(reference);
    if (error < 0) return 0;
    int same = !memcmp(git->git_object_id(target)->id, commit->id, sizeof commit->id);
    git->git_object_free(target);
    return same;
}

int danube_git_tag(
    struct danube_git *repository, const struct danube_git_id *commit, char *name,
    size_t capacity) {
    const struct danube_git_library *git = repository->git;
    git_oid oid = danube_git_oid(commit);
    git_strarray tags;
    int error = git->git_tag_list(&tags, repository->repository);
    if (error < 0) return danube_git_failed(git, error);
    const char *last = NULL;
    for (size_t i = 0; i < tags.count; i++) {
        const char *tag = tags.strings[i];
        if ((!last || strcmp(tag, last) > 0) && is_on(repository, tag, &oid)) last = tag;
    }
    int result = last ? copy(last, name, capacity)
                      : danube_git_fail(DANUBE_GIT_ABSENT, "no tag");
    git->git_strarray_dispose(&tags);
    return result;
}
