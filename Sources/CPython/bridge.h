#ifndef DANUBE_BRIDGE_H
#define DANUBE_BRIDGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "danube_python.h"

// ---- channel.c: frames on descriptor 3 ----

enum { DANUBE_CHANNEL = 3, DANUBE_FRAME_MAX = 16 << 20 };

// Blocks for one frame. The payload is malloc'ed. Returns 0, or -1 on the end or on nonsense.
int danube_frame_receive(char *kind, char **payload, size_t *length);
int danube_frame_send(char kind, const char *payload, size_t length);

// ---- channel_module.c: the module `_danube_channel` ----

PyObject *danube_channel_module(void);

// ---- contextvars.c: `_contextvars`, which distributions build as a file of its own ----

PyObject *danube_contextvars_module(void);

// ---- modules.c: the embedded Python sources ----

typedef struct {
    const char *name;  // "danube_dryrun.main"
    const char *path;  // "danube_dryrun/main.py"
    const unsigned char *text;
    size_t length;  // Without the final NUL.
    bool is_package;
} danube_source;

extern const danube_source danube_sources[];
extern const size_t danube_source_count;
// How many of them, from the first, an evaluation loads before it begins, in this order.
extern const size_t danube_early_count;

// Takes the compiled forms from the file beside the executable if they are of these sources and
// this interpreter; otherwise modules are compiled when imported and `danube_modules_save` can keep
// them for the next time.
void danube_modules_open(const char *executable);
bool danube_modules_are_compiled(void);
bool danube_modules_can_save(const char *executable);
// Compiles all and writes the file, whole or not at all. Returns 0 or an errno value.
int danube_modules_save(const char *executable);

// The code of a module (new reference), with `*is_package`. NULL without an exception if there is
// no such module.
PyObject *danube_module_code(const char *name, bool *is_package);
// The same by the module's place in `danube_sources`.
PyObject *danube_module_code_at(size_t index);

// ---- hook.c: audit events ----

// Installs the audit hook; events that a dry run refuses are handed to `callback(event, args)`.
int danube_audit_install(PyObject *callback);

#endif
