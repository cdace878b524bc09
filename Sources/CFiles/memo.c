// Looking at many files at once: the pass that finds out whether anything has changed.
#define _GNU_SOURCE
#include "danube_files.h"

#include <pthread.h>
#include <string.h>

// What one thread looks at.
struct part {
    int root;
    const char *paths;
    const struct danube_record *records;
    size_t from, to;
    uint32_t *changed;
    size_t capacity, count;
};

static int is_same(const struct danube_record *record, const struct danube_stamp *stamp) {
    if (record->kind != stamp->kind || stamp->kind == 0) return record->kind == stamp->kind;
    // A folder's size and mode say nothing about the names in it.
    return record->inode == stamp->inode && record->modified == stamp->modified
        && record->changed == stamp->changed && record->size == stamp->size
        && record->mode == stamp->mode;
}

static void *look(void *argument) {
    struct part *part = argument;
    for (size_t index = part->from; index < part->to; index++) {
        const struct danube_record *record = &part->records[index];
        struct danube_stamp stamp = {0};
        if (danube_stamp_at(part->root, part->paths + record->path, &stamp) != 0)
            memset(&stamp, 0, sizeof stamp);
        if (is_same(record, &stamp)) continue;
        if (part->count < part->capacity) part->changed[part->count] = (uint32_t)index;
        part->count++;
    }
    return NULL;
}

size_t danube_find_changed(
    int root, const char *paths, const struct danube_record *records, size_t count,
    uint32_t *changed, size_t capacity) {
    // Most of the time goes into the kernel, which two threads do not share.
    enum { ALONE = 512 };
    size_t half = count < ALONE ? count : count / 2;
    struct part first = {root, paths, records, 0, half, changed, capacity / 2, 0};
    struct part second = {root, paths, records, half, count, changed + capacity / 2,
                          capacity - capacity / 2, 0};
    pthread_t thread;
    int started = half < count && pthread_create(&thread, NULL, look, &second) == 0;
    look(&first);
    if (started) pthread_join(thread, NULL);
    else look(&second);
    if (first.count > first.capacity || second.count > second.capacity)
        return first.count + second.count > capacity ? first.count + second.count : capacity + 1;
    memmove(changed + first.count, second.changed, second.count * sizeof *changed);
    return first.count + second.count;
}
