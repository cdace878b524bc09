// Deleting folders with all that is in them.
#include "danube_steps.h"

#include <errno.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

int danube_remove_tree(const char *path) {
    char *const paths[] = {(char *)path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (tree == NULL) return -errno;
    int error = 0;
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        switch (entry->fts_info) {
        case FTS_D:
            // A folder that may not be written to keeps its content.
            if (access(entry->fts_accpath, R_OK | W_OK | X_OK) != 0)
                chmod(entry->fts_accpath, 0700);
            break;
        case FTS_DNR:
            // Tried once more with the right to read, and left alone when that does not help.
            if (entry->fts_number == 0 && chmod(entry->fts_accpath, 0700) == 0) {
                entry->fts_number = 1;
                fts_set(tree, entry, FTS_AGAIN);
            }
            break;
        case FTS_DP:
            if (rmdir(entry->fts_accpath) != 0) error = -errno;
            break;
        default:
            if (unlink(entry->fts_accpath) != 0 && errno != ENOENT) error = -errno;
        }
    }
    fts_close(tree);
    return error;
}
