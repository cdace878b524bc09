// The hostile side: sealing the evaluator's process, for ever, once Python has started.
#ifndef DANUBE_SEAL_H
#define DANUBE_SEAL_H

#include <stdbool.h>
#include <stdint.h>

// One layer of the sandbox, as it was found to hold after it was put on.
typedef struct {
    const char *name;
    bool holds;
    char detail[96];
} danube_layer;

enum { DANUBE_LAYER_MAX = 16 };

// What the child is bounded by. Zero stands for the default.
typedef struct {
    uint64_t memory_bytes;  // Address space. Default 512 MiB.
    uint64_t cpu_seconds;   // CPU time, a second line behind the parent's clock. Default 60.
    uint64_t stack_bytes;   // Default 8 MiB.
} danube_limits;

// Undoes what the language's run-time installed (signal handlers), empties the environment, fixes
// the time zone. Call first in `main`.
void danube_child_begin(void);

// Puts every layer on and probes each. Afterwards only descriptor 3 and anonymous memory are of
// use. `namespaces` is the number in the argument `--namespaces=` that danube_spawn gives.
// Returns the number of entries in `layers`. A layer that could not be had is reported, not fatal.
int danube_seal(
    unsigned namespaces, const danube_limits *limits, danube_layer layers[DANUBE_LAYER_MAX]);

// Whether the system-call filter is among the layers that hold; without it nothing may run.
bool danube_sealed(const danube_layer layers[], int count);

#endif
