// Commits, trees and blobs.
#include <stdlib.h>
#include <string.h>

#include "library.h"

int danube_git_open(const char *path, struct danube_git **repository) {
    const struct danube_git_library *git = danube_git_library();
    if (!git) return DANUBE_GIT_UNAVAILABLE;
    git_repository *opened;
    int error = git->git_repository_open_ext(&opened, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    if (error < 0) return danube_git_failed(git, error);
    struct danube_git *result = calloc(1, sizeof *result);
    if (!result || git->git_repository_odb(&result->objects, opened) < 0) {
        free(result);
        git->git_repository_free(opened);
        return danube_git_fail(-1, "the objects cannot be opened");
    }
    result->git = git;
    result->repository = opened;
    *repository = result;
    return 0;
}

void danube_git_close(struct danube_git *repository) {
    repository->git->git_odb_free(repository->objects);
    repository->git->git_repository_free(repository->repository);
    free(repository);
}

int danube_git_resolve(
    struct danube_git *repository, const char *revision, struct danube_git_id *commit) {
    const struct danube_git_library *git = repository->git;
    if (revision[0] == '-' || revision[0] == '\0')
        return danube_git_fail(DANUBE_GIT_ABSENT, "not a revision");
    git_object *found, *peeled;
    int error = git->git_revparse_single(&found, repository->repository, revision);
    if (error < 0) {
        int code = danube_git_failed(git, error);
        return error == GIT_EINVALIDSPEC ? DANUBE_GIT_ABSENT : code;
    }
    error = git->git_object_peel(&peeled, found, GIT_OBJECT_COMMIT);
    git->git_object_free(found);
    if (error < 0) return danube_git_fail(DANUBE_GIT_ABSENT, "not a commit");
    danube_git_set(commit, git->git_object_id(peeled));
    git->git_object_free(peeled);
    return 0;
}

static int lookup_commit(
    struct danube_git *repository, const struct danube_git_id *id, git_commit **commit) {
    git_oid oid = danube_git_oid(id);
    int error = repository->git->git_commit_lookup(commit, repository->repository, &oid);
    return error < 0 ? danube_git_failed(repository->git, error) : 0;
}

int danube_git_tree(
    struct danube_git *repository, const struct danube_git_id *commit, struct danube_git_id *tree) {
    git_commit *found;
    int error = lookup_commit(repository, commit, &found);
    if (error < 0) return error;
    danube_git_set(tree, repository->git->git_commit_tree_id(found));
    repository->git->git_commit_free(found);
    return 0;
}

int danube_git_parent(
    struct danube_git *repository, const struct danube_git_id *commit,
    struct danube_git_id *parent) {
    git_commit *found;
    int error = lookup_commit(repository, commit, &found);
    if (error < 0) return error;
    const git_oid *first = repository->git->git_commit_parent_id(found, 0);
    if (first) danube_git_set(parent, first);
    repository->git->git_commit_free(found);
    return first ? 0 : danube_git_fail(DANUBE_GIT_ABSENT, "no parent");
}

int danube_git_time(
    struct danube_git *repository, const struct danube_git_id *commit, int64_t *seconds) {
    git_commit *found;
    int error = lookup_commit(repository, commit, &found);
    if (error < 0) return error;
    *seconds = repository->git->git_commit_time(found);
    repository->git->git_commit_free(found);
    return 0;
}

int danube_git_merge_base(
    struct danube_git *repository, const struct danube_git_id *one,
    const struct danube_git_id *other, struct danube_git_id *base) {
    git_oid left = danube_git_oid(one), right = danube_git_oid(other), found;
    int error = repository->git->git_merge_base(&found, repository->repository, &left, &right);
    if (error < 0) return danube_git_failed(repository->git, error);
    danube_git_set(base, &found);
    return 0;
}

static int lookup_tree(
    struct danube_git *repository, const struct danube_git_id *id, git_tree **tree) {
    git_oid oid = danube_git_oid(id);
    int error = repository->git->git_tree_lookup(tree, repository->repository, &oid);
    return error < 0 ? danube_git_failed(repository->git, error) : 0;
}

int danube_git_entry(
    struct danube_git *repository, const struct danube_git_id *tree, const char *name,
    struct danube_git_entry *entry) {
    const struct danube_git_library *git = repository->git;
    git_tree *found;
    int error = lookup_tree(repository, tree, &found);
    if (error < 0) return error;
    const git_tree_entry *one = git->git_tree_entry_byname(found, name);
    if (one) {
        danube_git_set(&entry->id, git->git_tree_entry_id(one));
        entry->mode = (uint32_t)git->git_tree_entry_filemode(one);
    }
    git->git_tree_free(found);
    return one ? 0 : danube_git_fail(DANUBE_GIT_ABSENT, "no such name");
}

int danube_git_names(
    struct danube_git *repository, const struct danube_git_id *tree, size_t most, char **block,
    size_t *length) {
    const struct danube_git_library *git = repository->git;
    git_tree *found;
    int result = lookup_tree(repository, tree, &found);
    if (result < 0) return result;
    size_t count = git->git_tree_entrycount(found);
    if (count > most) {
        result = danube_git_fail(DANUBE_GIT_TOO_LARGE, "too many names");
    } else {
        const char **names = malloc((count + 1) * sizeof *names);
        if (!names) {
            result = danube_git_fail(-1, "out of memory");
        } else {
            for (size_t i = 0; i < count; i++)
                names[i] = git->git_tree_entry_name(git->git_tree_entry_byindex(found, i));
            result = danube_git_block(names, count, block, length);
            free(names);
        }
    }
    git->git_tree_free(found);
    return result;
}

int danube_git_size(
    struct danube_git *repository, const struct danube_git_id *blob, uint64_t *size) {
    git_oid oid = danube_git_oid(blob);
    size_t length;
    git_object_t type;
    int error =
        repository->git->git_odb_read_header(&length, &type, repository->objects, &oid);
    if (error < 0) return danube_git_failed(repository->git, error);
    if (type != GIT_OBJECT_BLOB) return danube_git_fail(-1, "not a blob");
    *size = length;
    return 0;
}

int danube_git_read(
    struct danube_git *repository, const struct danube_git_id *blob, void *buffer, size_t size) {
    git_oid oid = danube_git_oid(blob);
    git_blob *found;
    int error = repository->git->git_blob_lookup(&found, repository->repository, &oid);
    if (error < 0) return danube_git_failed(repository->git, error);
    int same = (uint64_t)repository->git->git_blob_rawsize(found) == size;
    if (same && size > 0) memcpy(buffer, repository->git->git_blob_rawcontent(found), size);
    repository->git->git_blob_free(found);
    return same ? 0 : danube_git_fail(-1, "a blob of another size");
}
