// Seals itself as the bridge does, then tries what native code could try, and reports on
// descriptor 3
// one line for each finding. Started by danube_spawn_on with the test's name in the program's name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "danube_seal.h"

static char line[256];

static void say(const char *text) { (void)!write(3, text, strlen(text)); }

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// Every system call but those that end the process or are allowed: each must answer EPERM.
static void try_all(void) {
    static const int apart[] = {
        SYS_read, SYS_write, SYS_mmap, SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_futex,
        SYS_clock_gettime, SYS_rt_sigreturn, SYS_exit, SYS_exit_group, SYS_execve, SYS_execveat,
        SYS_ptrace,
#if defined(__x86_64__)
        // uretprobe and uprobe: newer kernels answer them with SIGILL, before any filter.
        335, 336,
#endif
    };
    for (int number = 0; number < 1024; number++) {
        int known = 0;
        for (unsigned i = 0; i < sizeof apart / sizeof *apart; i++) known |= apart[i] == number;
        if (known) continue;
        errno = 0;
        long result = syscall(number, 0, 0, 0, 0, 0, 0);
        if (result == -1 && errno == EPERM) continue;
        snprintf(line, sizeof line, "GAINED %d %ld %d\n", number, result, errno);
        say(line);
    }
    say("DONE\n");
}

static void gained(const char *what, int condition) {
    if (!condition) return;
    snprintf(line, sizeof line, "GAINED %s\n", what);
    say(line);
}

static void try_arguments(void) {
    char byte;
    gained("read 0", read(0, &byte, 1) >= 0);
    gained("write 1", write(1, "x", 1) >= 0);
    gained("write 4", write(4, "x", 1) >= 0);
    int prot = PROT_READ | PROT_WRITE, map = MAP_PRIVATE | MAP_ANONYMOUS;
    gained("mmap exec", mmap(0, 4096, prot | PROT_EXEC, map, -1, 0) != MAP_FAILED);
    gained("mmap shared", mmap(0, 4096, prot, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    gained("mmap file", mmap(0, 4096, PROT_READ, MAP_PRIVATE, 3, 0) != MAP_FAILED);
    gained("mmap fixed",
           mmap((void *)0x10000000, 4096, prot, map | MAP_FIXED, -1, 0) != MAP_FAILED);
    char *page = mmap(0, 4096, prot, map, -1, 0);
    if (page == MAP_FAILED) say("BROKEN mmap\n");
    gained("mprotect exec", mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
    gained("madvise", madvise(page, 4096, MADV_MERGEABLE) == 0);
    gained("futex lock", syscall(SYS_futex, page, 6 /* LOCK_PI */, 0, 0, 0, 0) == 0);
    if (madvise(page, 4096, MADV_DONTNEED) != 0) say("BROKEN madvise\n");
    gained("memory", mmap(0, 1ul << 30, prot, map, -1, 0) != MAP_FAILED);
    say("DONE\n");
}

int main(int count, char **arguments) {
    unsigned namespaces = 0;
    if (count > 1) sscanf(arguments[count - 1], "--namespaces=%x", &namespaces);
    danube_layer layers[DANUBE_LAYER_MAX];
    danube_limits limits = {0};
    danube_child_begin();
    long long before = now();
    int layer_count = danube_seal(namespaces, &limits, layers);
    long long after = now();
    const char *test = strrchr(arguments[0], '-');
    test = test == NULL ? "" : test + 1;
    if (strcmp(test, "layers") == 0) {
        for (int i = 0; i < layer_count; i++) {
            snprintf(line, sizeof line, "%s|%d|%s\n", layers[i].name, layers[i].holds,
                     layers[i].detail);
            say(line);
        }
        snprintf(line, sizeof line, "NANOSECONDS %lld\n", after - before);
        say(line);
    }
    if (strcmp(test, "all") == 0) try_all();
    if (strcmp(test, "arguments") == 0) try_arguments();
    if (strcmp(test, "exec") == 0) execve("/bin/true", arguments, NULL), say("GAINED exec\n");
    if (strcmp(test, "ptrace") == 0) syscall(SYS_ptrace, 0, 0, 0, 0), say("GAINED ptrace\n");
#if defined(__x86_64__)
    if (strcmp(test, "x32") == 0) syscall(0x40000000 | SYS_read, 3, 0, 0), say("GAINED x32\n");
    if (strcmp(test, "i386") == 0) {
        long result = 20;  // getpid in the 32-bit table
        __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
        say("GAINED i386\n");
    }
#endif
    if (strcmp(test, "crash") == 0) *(volatile int *)8 = 1;
    if (strcmp(test, "abort") == 0) abort();
    return 0;
}
