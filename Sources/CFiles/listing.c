#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "danube_files.h"

static char kind_of_type(unsigned char type) {
    switch (type) {
    case DT_REG: return 'f';
    case DT_DIR: return 'd';
    case DT_LNK: return 'l';
    case DT_UNKNOWN: return 0;
    default: return 'o';
    }
}

struct growing {
    struct danube_listing *listing;
    size_t text_capacity, entry_capacity;
};

static int append(struct growing *growing, const char *name, char kind) {
    struct danube_listing *listing = growing->listing;
    size_t size = strlen(name) + 1;
    if (listing->length + size > growing->text_capacity) {
        size_t capacity = growing->text_capacity ? growing->text_capacity * 2 : 4096;
        char *larger = realloc(listing->text, capacity);
        if (!larger) return -ENOMEM;
        listing->text = larger;
        growing->text_capacity = capacity;
    }
    if (listing->count == growing->entry_capacity) {
        size_t capacity = growing->entry_capacity ? growing->entry_capacity * 2 : 64;
        struct danube_entry *larger = realloc(listing->entries, capacity * sizeof *larger);
        if (!larger) return -ENOMEM;
        listing->entries = larger;
        growing->entry_capacity = capacity;
    }
    if (listing->length > UINT32_MAX - size) return -EOVERFLOW;
    memcpy(listing->text + listing->length, name, size);
    listing->entries[listing->count++] = (struct danube_entry){
        .name = (uint32_t)listing->length,
        .length = (uint32_t)(size - 1),
        .kind = kind,
        .wanted = 1,
    };
    listing->length += size;
    return 0;
}

static int compare(const void *left, const void *right, void *text) {
    const struct danube_entry *a = left, *b = right;
    // strcmp compares as unsigned bytes.
    return strcmp((char *)text + a->name, (char *)text + b->name);
}

int danube_listing_read(int folder, size_t most, struct danube_listing *listing) {
    *listing = (struct danube_listing){0};
    struct growing growing = {.listing = listing};
    _Alignas(struct dirent64) char block[32768];
    int error = 0;
    while (!error) {
        ssize_t count = getdents64(folder, block, sizeof block);
        if (count < 0) error = -errno;
        if (count <= 0) break;
        for (ssize_t offset = 0; !error && offset < count;) {
            struct dirent64 *entry = (struct dirent64 *)(block + offset);
            offset += entry->d_reclen;
            const char *name = entry->d_name;
            if (name[0] == '.' &&
                (!name[1] || (name[1] == '.' && !name[2]) || !strcmp(name, ".git")))
                continue;
            error = listing->count < most ? append(&growing, name, kind_of_type(entry->d_type))
                                          : -EOVERFLOW;
        }
    }
    if (error) {
        danube_listing_free(listing);
        return error;
    }
    if (listing->count > 1)
        qsort_r(listing->entries, listing->count, sizeof *listing->entries, compare, listing->text);
    return 0;
}

int danube_listing_stamp(int folder, struct danube_listing *listing) {
    for (size_t i = 0; i < listing->count; i++) {
        struct danube_entry *entry = &listing->entries[i];
        if (!entry->wanted) continue;
        int error = danube_stamp_at(folder, listing->text + entry->name, &entry->stamp);
        if (error == -ENOENT) {
            entry->stamp.kind = 0;
            error = 0;
        }
        if (error) return error;
        entry->kind = entry->stamp.kind;
    }
    return 0;
}

void danube_listing_free(struct danube_listing *listing) {
    free(listing->text);
    free(listing->entries);
    *listing = (struct danube_listing){0};
}
