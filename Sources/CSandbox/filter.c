// The system-call filter (seccomp-BPF), put on after CPython has started.
//
// What computing in CPython needs: memory without execution, futexes (the interpreter's lock), the
// clock where the vDSO has none, and one descriptor. The default is EPERM, not death, so that a
// refused call becomes a Python exception with the line of the user's file.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layers.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "The system-call filter knows x86-64 and AArch64 only."
#endif

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
// Both architectures are little-endian: the low half of an argument comes first.
#define ARGUMENT(n) (FIELD(args) + 8 * (n))

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define SKIP_UNLESS_EQUAL(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define SKIP_IF_EQUAL(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (count), 0)
#define SKIP_UNLESS_ANY(bits, count) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (count))
#define SKIP_IF_ANY(bits, count) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (count), 0)

#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define KILL RETURN(SECCOMP_RET_KILL_PROCESS)

#define ALWAYS(call) SKIP_UNLESS_EQUAL(call, 1), ALLOW
#define FATAL(call) SKIP_UNLESS_EQUAL(call, 1), KILL

int danube_filter_install(int channel) {
    struct sock_filter program[] = {
        // Another architecture's numbers mean other calls.
        LOAD(FIELD(arch)),
        SKIP_IF_EQUAL(NATIVE, 1),
        KILL,
        LOAD(FIELD(nr)),
#if defined(__x86_64__)
        // The x32 interface shares the architecture and marks its numbers with this bit.
        SKIP_UNLESS_ANY(0x40000000u, 1),
        KILL,
#endif
        ALWAYS(SYS_brk),
        ALWAYS(SYS_munmap),
        ALWAYS(SYS_mremap),
        ALWAYS(SYS_clock_gettime),
        ALWAYS(SYS_rt_sigreturn),
        ALWAYS(SYS_exit),
        ALWAYS(SYS_exit_group),
        FATAL(SYS_execve),
        FATAL(SYS_execveat),
        FATAL(SYS_ptrace),

        // read and write on the channel.
        SKIP_IF_EQUAL(SYS_read, 1),
        SKIP_UNLESS_EQUAL(SYS_write, 4),
        LOAD(ARGUMENT(0)),
        SKIP_UNLESS_EQUAL((uint32_t)channel, 1),
        ALLOW,
        REFUSE,

        // mmap of private anonymous memory that is not executable and stands where the kernel
        // puts it: a fixed address could lie over code or over the program's own data.
        SKIP_UNLESS_EQUAL(SYS_mmap, 7),
        LOAD(ARGUMENT(2)),
        SKIP_IF_ANY(PROT_EXEC, 4),
        LOAD(ARGUMENT(3)),
        SKIP_IF_ANY(MAP_SHARED | MAP_FIXED | MAP_HUGETLB, 2),
        SKIP_UNLESS_ANY(MAP_ANONYMOUS, 1),
        ALLOW,
        REFUSE,

        // madvise: giving memory back.
        SKIP_UNLESS_EQUAL(SYS_madvise, 5),
        LOAD(ARGUMENT(2)),
        SKIP_IF_EQUAL(MADV_DONTNEED, 2),
        SKIP_IF_EQUAL(MADV_FREE, 1),
        REFUSE,
        ALLOW,

        // futex: waiting and waking only, none of the requeueing and priority inheritance.
        SKIP_UNLESS_EQUAL(SYS_futex, 8),
        LOAD(ARGUMENT(1)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)FUTEX_CMD_MASK),
        SKIP_IF_EQUAL(FUTEX_WAIT, 4),
        SKIP_IF_EQUAL(FUTEX_WAKE, 3),
        SKIP_IF_EQUAL(FUTEX_WAIT_BITSET, 2),
        SKIP_IF_EQUAL(FUTEX_WAKE_BITSET, 1),
        REFUSE,
        ALLOW,

        REFUSE,
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    return (int)syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
}
