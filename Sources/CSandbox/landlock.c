// Landlock: a second lock on files and on the network, for the case that the filter has a hole.
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layers.h"

// Headers of older distributions lack the newer fields; a kernel takes a shorter structure.
struct ruleset {
    uint64_t files, network, scopes;
};
enum { CREATE_RULESET = 444, RESTRICT_SELF = 446, VERSION_FLAG = 1 };

int danube_landlock_deny_all(void) {
    int version = (int)syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG);
    if (version < 1) return -1;

    // What each version of the interface can handle (linux/landlock.h): 13 rights on files, then
    // REFER, TRUNCATE, (4: TCP), IOCTL_DEV, (6: scopes of abstract sockets and signals).
    static const uint64_t files[] = {0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
    int newest = (int)(sizeof files / sizeof *files);
    struct ruleset rules = {.files = files[(version < newest ? version : newest) - 1]};
    size_t size = sizeof rules.files;
    if (version >= 4) rules.network = 3, size = 2 * sizeof(uint64_t);
    if (version >= 6) rules.scopes = 3, size = sizeof rules;

    int ruleset = (int)syscall(CREATE_RULESET, &rules, size, 0);
    if (ruleset < 0) return -1;
    long result = syscall(RESTRICT_SELF, ruleset, 0);
    close(ruleset);
    return result == 0 ? version : -1;
}
