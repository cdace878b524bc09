// The interpreter's life: isolated start, warm-up, greeting, run. It is never finalised: the
// process
// ends, and what an `atexit` handler of hostile code would do does not happen.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "configuration.h"

enum { PATH_LENGTH = 4096 };

static char failure[512];
static PyObject *boot;

static const char *fail(const char *what) {
    snprintf(failure, sizeof failure, "%s", what);
    PyObject *type, *value, *traceback;
    if (Py_IsInitialized() && PyErr_Occurred()) {
        PyErr_Fetch(&type, &value, &traceback);
        PyErr_NormalizeException(&type, &value, &traceback);
        PyObject *text = value == NULL ? NULL : PyObject_Repr(value);
        const char *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8(text);
        if (utf8 != NULL) snprintf(failure, sizeof failure, "%s: %s", what, utf8);
        PyErr_Clear();
    }
    return failure;
}

// The standard library that belongs to the library this program is linked with, whatever `python3`
// comes first on a PATH: it lies beside the library or one folder further up.
static bool find_standard_library(char *folder) {
    Dl_info info;
    char library[PATH_LENGTH], probe[PATH_LENGTH + 64];
    if (dladdr((void *)Py_IsInitialized, &info) == 0 || info.dli_fname == NULL) return false;
    if (realpath(info.dli_fname, library) == NULL) return false;
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(library, '/');
        if (slash == NULL) return false;
        *slash = 0;
        for (int below = 0; below < 2; below++) {
            snprintf(
                folder, PATH_LENGTH, "%s%s/python%d.%d", library, below ? "/lib" : "",
                PY_MAJOR_VERSION, PY_MINOR_VERSION);
            snprintf(probe, sizeof probe, "%s/encodings/__init__.py", folder);
            if (access(probe, R_OK) == 0) return true;
        }
    }
    return false;
}

static PyStatus set_paths(PyConfig *config, const char *executable, const char *library) {
    char prefix[PATH_LENGTH];
    snprintf(prefix, sizeof prefix, "%s", library);
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(prefix, '/');
        if (slash != NULL) *slash = 0;
    }
    const struct {
        wchar_t **field;
        const char *value;
    } paths[] = {
        {&config->program_name, executable}, {&config->executable, executable},
        {&config->base_executable, executable}, {&config->prefix, prefix},
        {&config->base_prefix, prefix}, {&config->exec_prefix, prefix},
        {&config->base_exec_prefix, prefix}, {&config->stdlib_dir, library},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        PyStatus status = PyConfig_SetBytesString(config, paths[i].field, paths[i].value);
        if (PyStatus_Exception(status)) return status;
    }
    wchar_t *wide = Py_DecodeLocale(library, NULL);
    if (wide == NULL) return PyStatus_NoMemory();
    PyStatus status = PyWideStringList_Append(&config->module_search_paths, wide);
    PyMem_RawFree(wide);
    config->module_search_paths_set = 1;
    return status;
}

static PyStatus initialise(const char *executable, const char *library, int64_t hash_seed) {
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    before.configure_locale = 0;
    PyStatus status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status)) return status;

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.pathconfig_warnings = 0;
    config.install_signal_handlers = 0;
    config.use_hash_seed = 1;
    config.hash_seed = (unsigned long)hash_seed & 0xffffffff;
    config.user_site_directory = 0;
    config.safe_path = 1;
    config.verbose = 0;
    config.quiet = 1;
    config.buffered_stdio = 0;
    config.configure_c_stdio = 0;
    config.use_frozen_modules = 1;
    status = set_paths(&config, executable, library);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return status;
}

static const char *start_interpreter(const char *executable, int64_t hash_seed) {
    static char library[PATH_LENGTH];
    if (!find_standard_library(library))
        return fail("the standard library of Python was not found beside libpython");
    PyImport_AppendInittab("_danube_channel", danube_channel_module);
    PyImport_AppendInittab("_contextvars", danube_contextvars_module);
    PyStatus status = initialise(executable, library, hash_seed);
    if (PyStatus_Exception(status))
        return fail(status.err_msg == NULL ? "Python did not start" : status.err_msg);
    return NULL;
}

static PyObject *call_boot(const char *name, PyObject *argument) {
    PyObject *function = PyObject_GetAttrString(boot, name);
    if (function == NULL) return NULL;
    PyObject *result = PyObject_CallOneArg(function, argument);
    Py_DECREF(function);
    return result;
}

static PyObject *execute(const char *source, const char *name) {
    bool is_package;
    PyObject *code = danube_module_code(source, &is_package);
    if (code == NULL) return NULL;
    PyObject *module = PyImport_ExecCodeModule(name, code);
    Py_DECREF(code);
    return module;
}

void danube_python_prepare(const char *executable, const char *flags) {
    danube_modules_open(executable);
    // A folder that cannot be written only costs every start its time.
    if (danube_modules_are_compiled() || !danube_modules_can_save(executable)) return;
    if (start_interpreter(executable, 0) != NULL) return;
    danube_modules_save(executable);
    // The process begins anew, so that its memory looks as it always does: addresses decide the
    // order of sets.
    char *const arguments[] = {(char *)executable, (char *)flags, (char *)"--compiled", NULL};
    char *const environment[] = {NULL};
    execve(executable, arguments, environment);
    _exit(DANUBE_EXIT_PYTHON);
}

const char *danube_python_start(const char *executable, const danube_settings *settings) {
    const char *problem = start_interpreter(executable, settings->hash_seed);
    if (problem != NULL) return problem;
    if (!danube_modules_are_compiled()) danube_modules_open(executable);
    Py_XDECREF(execute("danube_dryrun._future", "__future__"));
    boot = execute("danube_dryrun._boot", "danube_dryrun._boot");
    if (boot == NULL) return fail("the evaluator did not load");

    Py_ssize_t length = (Py_ssize_t)danube_configuration_length;
    PyObject *bytes = PyBytes_FromStringAndSize(danube_configuration, length);
    PyObject *result = bytes == NULL ? NULL : call_boot("warm_up", bytes);
    Py_XDECREF(bytes);
    if (result == NULL) return fail("the evaluator did not load");
    Py_DECREF(result);
    return NULL;
}

int danube_python_compile(const char *executable) {
    if (start_interpreter(executable, 0) != NULL) return DANUBE_EXIT_PYTHON;
    return danube_modules_save(executable);
}

static PyObject *layers;

void danube_hello_layer(const char *name, bool holds, const char *detail) {
    if (layers == NULL) layers = PyList_New(0);
    PyObject *layer = Py_BuildValue("(sOs)", name, holds ? Py_True : Py_False, detail);
    if (layers == NULL || layer == NULL || PyList_Append(layers, layer) != 0) PyErr_Clear();
    Py_XDECREF(layer);
}

// Without an interpreter the greeting is put together by hand.
static int send_failure(const char *text) {
    unsigned char bytes[600];
    size_t length = 0, count = strlen(text);
    if (count > 500) count = 500;
#define PUT(character) bytes[length++] = (unsigned char)(character)
#define PUT_U32(value) PUT(value), PUT((value) >> 8), PUT((value) >> 16), PUT((value) >> 24)
#define PUT_TEXT(text, count)                                        \
    PUT('u'), PUT_U32(count), memcpy(bytes + length, text, (count)), length += (count)
    PUT('('), PUT_U32(2u), PUT_TEXT("", 0u);
    PUT('('), PUT_U32(1u), PUT('('), PUT_U32(3u);
    PUT_TEXT("python", 6u), PUT('F'), PUT_TEXT(text, count);
    return danube_frame_send('H', (const char *)bytes, length);
}

int danube_hello_send(const char *problem) {
    if (problem != NULL) return send_failure(problem);
    PyObject *tuple = layers == NULL ? NULL : PyList_AsTuple(layers);
    PyObject *result = tuple == NULL ? NULL : call_boot("hello", tuple);
    Py_XDECREF(tuple);
    Py_XDECREF(result);
    if (result != NULL) return 0;
    PyErr_Clear();
    return -1;
}

int danube_python_run(void) {
    PyObject *result = call_boot("run", Py_None);
    if (result == NULL) return DANUBE_EXIT_INTERNAL;
    long code = PyLong_AsLong(result);
    return code < 0 || code > 255 ? DANUBE_EXIT_INTERNAL : (int)code;
}
