// The embedded interpreter, without any of its types.
#ifndef DANUBE_PYTHON_H
#define DANUBE_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Exit codes of the bridge (sysexits.h where there is one that fits).
enum {
    DANUBE_EXIT_USAGE = 64,     // Not started by Danube.
    DANUBE_EXIT_INTERNAL = 70,  // The evaluator itself failed.
    DANUBE_EXIT_PYTHON = 71,    // No interpreter or no standard library.
    DANUBE_EXIT_CHANNEL = 74,   // The parent is gone, or sent what is not a frame.
    DANUBE_EXIT_UNSEALED = 77,  // No system-call filter: evaluation refused.
};

// What stands in the configuration frame for the process itself; the rest is the evaluator's.
typedef struct {
    int64_t hash_seed;      // "hash_seed". Default 0: hashing is not randomised.
    int64_t memory_bytes;   // "memory" in bytes, as int or ("L", digits). Default 0.
    int64_t cpu_seconds;    // "cpu_seconds". Default 0.
    int64_t stack_bytes;    // "stack". Default 0.
} danube_settings;

// Receives the configuration frame, which must come first, and reads the settings out of it.
// Returns 0, or -1 when the channel has ended or the frame is not a tuple of pairs.
int danube_configuration_receive(danube_settings *settings);

// Sees to the compiled form of the embedded sources beside `executable`. Where there is none it is
// written and the program executed again, with `flags` and `--compiled` as its arguments. Returns
// when there is one, or when it cannot be written.
void danube_python_prepare(const char *executable, const char *flags);

// Starts Python, isolated from the host's configuration, loads the SDK and the evaluator, and puts
// the repository's file system and importer in place of the host's. Returns NULL or what went
// wrong,
// which lives as long as the process. `executable` is the program's own file.
const char *danube_python_start(const char *executable, const danube_settings *settings);

// Adds a layer to the greeting.
void danube_hello_layer(const char *name, bool holds, const char *detail);

// Sends the greeting: version and layers. With `failure`, instead, an empty version and that text.
int danube_hello_send(const char *failure);

// Runs the evaluator with the configuration. Returns the exit code.
int danube_python_run(void);

// Writes the compiled form of the embedded sources beside `executable`. Returns 0 or errno.
int danube_python_compile(const char *executable);

#endif
