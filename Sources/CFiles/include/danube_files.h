// Files as a cache needs them: folders listed with the times of what is in them, paths that are
// resolved beneath a folder only, copies that share blocks where the file system can.
//
// Functions return 0 or a non-negative result on success and `-errno` on failure. Names are bytes.
#ifndef DANUBE_FILES_H
#define DANUBE_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// O_PATH, which needs a feature macro that Swift's view of the headers lacks.
enum { DANUBE_O_PATH = 010000000 };

// What a path is and when it was last changed. Times are nanoseconds since 1970, modulo 2^64.
struct danube_stamp {
    // 'f' regular file, 'd' folder, 'l' symbolic link, 'o' anything else, 0 nothing.
    char kind;
    uint32_t mode;
    uint64_t inode;
    int64_t size;
    int64_t modified;
    int64_t changed;
    uint64_t device;
    uint32_t owner;
};

// A name in a folder.
struct danube_entry {
    // Where the name begins in the listing's text; it is ended by NUL.
    uint32_t name;
    uint32_t length;
    // As in danube_stamp; 0 when the file system does not tell without being asked for the stamp.
    char kind;
    // Whether danube_listing_stamp is to fill in the stamp.
    uint8_t wanted;
    struct danube_stamp stamp;
};

struct danube_listing {
    char *text;
    size_t length;
    struct danube_entry *entries;
    size_t count;
};

// Lists an open folder: every name but `.`, `..` and `.git`, sorted by bytes. All are wanted.
// -EOVERFLOW above `most` names. The caller frees a listing that was made.
int danube_listing_read(int folder, size_t most, struct danube_listing *listing);
// Fills in the stamps of the wanted entries. What vanished meanwhile has kind 0.
int danube_listing_stamp(int folder, struct danube_listing *listing);
void danube_listing_free(struct danube_listing *listing);

// Opens a path beneath `root` with the flags of open(2). No symbolic link is followed (-ELOOP),
// except that O_PATH | O_NOFOLLOW opens a link itself; nothing leads out (-EXDEV).
int danube_open_at(int root, const char *path, int flags, mode_t mode);

int danube_stamp(int descriptor, struct danube_stamp *stamp);
// The stamp of a name in an open folder; a link is not followed.
int danube_stamp_at(int folder, const char *name, struct danube_stamp *stamp);
// The stamp of a path beneath `root`, with no link followed on the way nor at its end.
int danube_stamp_beneath(int root, const char *path, struct danube_stamp *stamp);

// Makes one file's blocks another's, where the file system can. -EOPNOTSUPP, -EXDEV and others
// where it cannot.
int danube_clone(int from, int to);

// Asks the file system to put the folders that are made in this one far from each other, and the
// files in them with them. Only ext4 knows it; a failure matters to nobody.
void danube_spread_folders(int folder);

// The earliest time that a change from now on can leave on a file of this machine's file systems,
// by the clock they use. Nanoseconds since 1970.
int64_t danube_file_clock(void);

// How the file system of an open folder marks changes: 1 when every change after a look at a file
// leaves another time than the one seen, 0 when changes within a tick may share one, and -errno
// when it could not be tried.
int danube_has_fine_times(int folder);
// Whether the file system is one whose ticks are the kernel's, at most 10 ms.
int danube_has_kernel_ticks(int folder);

// Writes the data of all files of the file system that `descriptor` is on.
int danube_sync_all(int descriptor);

// How many bytes the file system of a path has, and how many of them others than root may take.
int danube_space(const char *path, uint64_t *available, uint64_t *total);

// What a path was when it was looked at last. `path` is where it begins in a text of paths that are
// each ended by NUL.
struct danube_record {
    uint32_t path;
    uint32_t mode;
    uint64_t inode;
    int64_t size;
    int64_t modified;
    int64_t changed;
    // As in danube_stamp; 0 where nothing was.
    char kind;
    char unused[7];
};

// Writes the indices of the records whose paths beneath `root` are not what they were, ascending.
// Gives their count; more than `capacity` where there are more than that.
size_t danube_find_changed(
    int root, const char *paths, const struct danube_record *records, size_t count,
    uint32_t *changed, size_t capacity);

#endif
