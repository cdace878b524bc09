// `danube-pybridge`: the evaluator's process. It speaks frames on descriptor 3 with the compiler
// that started it, and nothing else. See docs/security-model.md.
//
// It is written in C because it is started for every plan: a run-time library that it has no use
// for would cost it more than its own work here.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "danube_python.h"
#include "danube_seal.h"

// The program's own file: the compiled Python modules are kept beside it.
static const char *executable_path(const char *fallback) {
    static char path[PATH_MAX + 1];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    if (length <= 0) return fallback != NULL ? fallback : "danube-pybridge";
    path[length] = 0;
    return path;
}

// Reads the number that `danube_spawn` gives as `--namespaces=`, in hexadecimal digits.
static bool read_namespaces(const char *argument, unsigned *namespaces) {
    static const char prefix[] = "--namespaces=";
    if (argument == NULL || strncmp(argument, prefix, sizeof prefix - 1) != 0) return false;
    const char *digits = argument + sizeof prefix - 1;
    size_t count = strlen(digits);
    if (count == 0 || count > 8 || strspn(digits, "0123456789abcdefABCDEF") != count) return false;
    *namespaces = (unsigned)strtoul(digits, NULL, 16);
    return true;
}

// Seals the process and sends the greeting. Ends the process where the seal is not enough.
static void seal_and_greet(unsigned namespaces, const danube_settings *settings) {
#define BOUND(value) ((value) > 0 ? (uint64_t)(value) : 0)
    danube_limits limits = {
        .memory_bytes = BOUND(settings->memory_bytes),
        .cpu_seconds = BOUND(settings->cpu_seconds),
        .stack_bytes = BOUND(settings->stack_bytes),
    };
    danube_layer layers[DANUBE_LAYER_MAX] = {0};
    int count = danube_seal(namespaces, &limits, layers);
    for (int i = 0; i < count; i++)
        danube_hello_layer(layers[i].name, layers[i].holds, layers[i].detail);
    if (danube_hello_send(NULL) != 0) _exit(DANUBE_EXIT_CHANNEL);
    if (!danube_sealed(layers, count)) _exit(DANUBE_EXIT_UNSEALED);
}

int main(int count, char **arguments) {
    danube_child_begin();
    const char *executable = executable_path(arguments[0]);
    if (count == 2 && strcmp(arguments[1], "--compile") == 0)
        _exit(danube_python_compile(executable));
    unsigned namespaces = 0;
    if (count < 2 || !read_namespaces(arguments[1], &namespaces)) _exit(DANUBE_EXIT_USAGE);
    if (count == 2) danube_python_prepare(executable, arguments[1]);
    danube_settings settings;
    if (danube_configuration_receive(&settings) != 0) _exit(DANUBE_EXIT_CHANNEL);
    const char *problem = danube_python_start(executable, &settings);
    if (problem != NULL) {
        danube_hello_send(problem);
        _exit(DANUBE_EXIT_PYTHON);
    }
    seal_and_greet(namespaces, &settings);
    _exit(danube_python_run());
}
