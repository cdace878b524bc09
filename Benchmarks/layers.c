// What the sandbox's layers cost: a process that is started and sealed as the evaluator is, against
// the same process started plainly. Prints the two medians, in microseconds of wall time.
//
// Built by Benchmarks/run with the sources of CSandbox, so that what is measured is what runs.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "danube_parent.h"
#include "danube_seal.h"
#include "spawn.h"

enum { ROUNDS = 400 };

extern char **environ;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int sealed_child(const char *flags) {
    danube_layer layers[DANUBE_LAYER_MAX];
    danube_limits limits = {0};
    danube_child_begin();
    int count = danube_seal((unsigned)strtoul(flags, NULL, 16), &limits, layers);
    char answer = danube_sealed(layers, count) ? 's' : 'x';
    _exit(write(3, &answer, 1) == 1 ? 0 : 1);
}

// One process from its start to its end. Gives the microseconds, or a negative number.
static double round_trip(const char *program, int sealed) {
    int channel[2], status = 0;
    char answer = 0;
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) return -1;
    int64_t start = danube_now();
    if (sealed) {
        if (danube_spawn_on(program, channel[1], &pid) != 0) return -1;
    } else {
        posix_spawn_file_actions_t actions;
        char *arguments[] = {(char *)program, (char *)"--plain", NULL};
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, channel[1], 3);
        int error = posix_spawn(&pid, program, &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (error != 0) return -1;
    }
    close(channel[1]);
    ssize_t count = read(channel[0], &answer, 1);
    if (waitpid(pid, &status, 0) != pid || status != 0) return -1;
    int64_t end = danube_now();
    close(channel[0]);
    if (count != 1 || answer != (sealed ? 's' : 'p')) return -1;
    return (double)(end - start) / 1e3;
}

int main(int count, char **arguments) {
    static const char prefix[] = "--namespaces=";
    if (count == 2 && strncmp(arguments[1], prefix, sizeof prefix - 1) == 0)
        return sealed_child(arguments[1] + sizeof prefix - 1);
    if (count == 2) _exit(write(3, "p", 1) == 1 ? 0 : 1);

    static double times[2][ROUNDS];
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return 1;
    program[length] = 0;
    // In turn, so that both see the same machine.
    for (int round = 0; round < ROUNDS; round++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            times[sealed][round] = round_trip(program, sealed);
            if (times[sealed][round] < 0) {
                fprintf(stderr, "round %d, sealed %d: failed\n", round, sealed);
                return 1;
            }
        }
    }
    for (int sealed = 0; sealed < 2; sealed++)
        qsort(times[sealed], ROUNDS, sizeof(double), by_value);
    printf("%.1f %.1f\n", times[0][ROUNDS / 2], times[1][ROUNDS / 2]);
    return 0;
}
