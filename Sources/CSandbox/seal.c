// Sealing: every layer in the only order in which each can still be put on.
#define _GNU_SOURCE
#include "danube_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "layers.h"
#include "numbers.h"

enum { CHANNEL = 3, NOBODY = 65534 };
static const char filter_name[] = "system calls";

typedef struct {
    danube_layer *layers;
    int count;
    bool identified;
} report;

static void add(report *report, const char *name, bool holds, const char *detail) {
    danube_layer *layer = &report->layers[report->count++];
    layer->name = name;
    layer->holds = holds;
    snprintf(layer->detail, sizeof layer->detail, "%s", detail);
}

// A layer that is put on by one call: on failure the detail says why.
static bool note(report *report, const char *name, int result, const char *detail) {
    add(report, name, result >= 0, result >= 0 ? detail : strerror(errno));
    return result >= 0;
}

void danube_child_begin(void) {
    static const int handled[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGQUIT};
    for (unsigned i = 0; i < sizeof handled / sizeof *handled; i++) signal(handled[i], SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    clearenv();
    // Otherwise the C library would read the host's time zone.
    setenv("TZ", "UTC0", 1);
    tzset();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// Root becomes an identity that owns nothing; then a user namespace hides even that one.
static void seal_identity(report *report, unsigned inherited) {
    // The bounding set can only be emptied while privileged; a new user namespace fills it again.
    danube_capabilities_bound();
    report->identified = true;
    bool mapped = (inherited & CLONE_NEWUSER) != 0;
    if (!mapped && geteuid() == 0) {
        int result = setgroups(0, NULL);
        if (result == 0) result = setresgid(NOBODY, NOBODY, NOBODY);
        if (result == 0) result = setresuid(NOBODY, NOBODY, NOBODY);
        note(report, "identity", result, "nobody, no groups");
    } else {
        add(report, "identity", true, mapped ? "the caller's, mapped" : "the caller's, not root");
    }
    if (mapped) {
        add(report, "user namespace", true, "since the start");
    } else {
        note(report, "user namespace", unshare(CLONE_NEWUSER), "its own, nothing mapped");
    }
}

static void seal_namespaces(report *report, unsigned inherited) {
    bool own_pid = (inherited & CLONE_NEWPID) != 0 && getpid() == 1;
    add(report, "process namespace", own_pid,
        own_pid ? "alone in it" : "the host gave none at the start");
    // Who is not privileged becomes so inside a user namespace, and there only.
    int mounts = unshare(CLONE_NEWNS);
    if (mounts != 0 && (inherited & CLONE_NEWUSER) == 0) {
        seal_identity(report, inherited);
        mounts = unshare(CLONE_NEWNS);
    }
    if (note(report, "mount namespace", mounts, "its own")) {
        int empty = danube_root_empty();
        if (empty == 0 && access("/proc", F_OK) == 0) empty = -1, errno = EEXIST;
        note(report, "empty root", empty, "nothing of the host's files is there");
    } else {
        add(report, "empty root", false, "needs the mount namespace");
    }
    note(report, "network namespace", unshare(CLONE_NEWNET), "without any interface that is up");
    note(report, "ipc namespace", unshare(CLONE_NEWIPC | CLONE_NEWUTS), "its own, and host name");
}

static int limit(int resource, uint64_t value) {
    struct rlimit present;
    if (getrlimit(resource, &present) != 0) return -1;
    // An unprivileged process may only lower its ceiling.
    if (present.rlim_max != RLIM_INFINITY && value > present.rlim_max) value = present.rlim_max;
    struct rlimit wanted = {value, value};
    return setrlimit(resource, &wanted);
}

static void seal_limits(report *report, const danube_limits *limits) {
    uint64_t memory = limits->memory_bytes ? limits->memory_bytes : (uint64_t)512 << 20;
    uint64_t seconds = limits->cpu_seconds ? limits->cpu_seconds : 60;
    int result = limit(RLIMIT_AS, memory);
    result |= limit(RLIMIT_CPU, seconds);
    result |= limit(RLIMIT_STACK, limits->stack_bytes ? limits->stack_bytes : (uint64_t)8 << 20);
    result |= limit(RLIMIT_NOFILE, CHANNEL + 1);
    result |= limit(RLIMIT_NPROC, 0);
    result |= limit(RLIMIT_FSIZE, 0);
    result |= limit(RLIMIT_CORE, 0);
    result |= limit(RLIMIT_MEMLOCK, 0);
    result |= limit(RLIMIT_MSGQUEUE, 0);
    char detail[96];
    snprintf(
        detail, sizeof detail, "%llu MiB, %llu s of CPU, no files, no processes",
        (unsigned long long)(memory >> 20), (unsigned long long)seconds);
    note(report, "limits", result, detail);
}

// The parent's end closes when the parent dies; a death between fork and here would else be missed.
static void follow_parent(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    struct pollfd channel = {.fd = CHANNEL, .events = POLLRDHUP};
    if (poll(&channel, 1, 0) > 0 && (channel.revents & (POLLRDHUP | POLLHUP)) != 0) _exit(0);
}

static void seal_landlock(report *report) {
    int version = danube_landlock_deny_all();
    int saved = errno;
    char detail[32];
    snprintf(detail, sizeof detail, "all denied, version %d", version);
    if (version > 0) {
        int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) close(folder), version = -1, saved = ENOTSUP;
    }
    errno = saved;
    note(report, "landlock", version, detail);
}

static void seal_filter(report *report) {
    int result = danube_filter_install(CHANNEL);
    if (result > 0) result = -1, errno = EBUSY;
    // The probes are calls that worked until now and cannot do harm where the filter has not.
    if (result == 0) {
        bool leaks = syscall(SYS_getpid) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0
            || open("/", O_PATH) >= 0 || prctl(PR_GET_DUMPABLE) >= 0;
        if (leaks) result = -1, errno = ENOTSUP;
    }
    note(report, filter_name, result, "allow-list of 15, checked by architecture");
}

int danube_seal(
    unsigned namespaces, const danube_limits *limits, danube_layer layers[DANUBE_LAYER_MAX]) {
    report report = {layers, 0, false};
    note(&report, "no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set");
    seal_namespaces(&report, namespaces);
    if (!report.identified) seal_identity(&report, namespaces);
    int dropped = danube_capabilities_drop();
    if (dropped == 0 && !danube_capabilities_none()) dropped = -1, errno = EPERM;
    note(&report, "capabilities", dropped, "none in any set");
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    follow_parent();
    seal_landlock(&report);
    seal_limits(&report, limits);
    syscall(SYS_close_range, CHANNEL + 1, ~0u, 0);
    add(&report, "descriptors", fcntl(CHANNEL + 1, F_GETFD) < 0, "one, to the parent");
    seal_filter(&report);
    return report.count;
}

bool danube_sealed(const danube_layer layers[], int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(layers[i].name, filter_name) == 0) return layers[i].holds;
    return false;
}
