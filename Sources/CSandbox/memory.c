// What becomes of memory that is freed.

#include "danube_parent.h"

#include <malloc.h>

// Less is taken from the heaps, which is faster; what has this many bytes is from the system.
static const int LARGE = 1 << 20;

void danube_gives_memory_back(void) {
    mallopt(M_MMAP_THRESHOLD, LARGE);
    mallopt(M_TRIM_THRESHOLD, LARGE);
}
