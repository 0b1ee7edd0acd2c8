#include "host/filter.h"

#include <errno.h>

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define X32_CALLS 0x40000000u  /* numbers of the x32 interface start here */
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define X32_CALLS 0xffffffffu
#endif

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#endif

#define FIELD(name) ((unsigned)offsetof(struct seccomp_data, name))
/* The low half of an argument, little-endian; the high half lies behind. */
#define ARG_LOW(n) (FIELD(args) + 8u * (n))
#define ARG_HIGH(n) (ARG_LOW(n) + 4u)

#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define END(what) BPF_STMT(BPF_RET | BPF_K, (what))
/* Skips so many instructions if the loaded value is, or is not, k. */
#define IF_EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), yes, no)
#define IF_ABOVE(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (k), yes, no)
#define IF_BITS(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (k), yes, no)

#define ALLOW END(SECCOMP_RET_ALLOW)
#define KILL END(SECCOMP_RET_KILL_PROCESS)
/* Allows one call, whatever its arguments. */
#define CALL(number) IF_EQUAL((number), 0, 1), ALLOW
/* Allows one call if its first argument is 0. */
#define CALL_ON_0(number) \
  IF_EQUAL((number), 0, 6), \
    LOAD(ARG_HIGH(0)), IF_EQUAL(0, 0, 3), \
    LOAD(ARG_LOW(0)), IF_EQUAL(0, 0, 1), ALLOW, KILL
/* Allows one call unless its third argument asks for executable pages. */
#define CALL_WITHOUT_EXEC(number) \
  IF_EQUAL((number), 0, 4), \
    LOAD(ARG_LOW(2)), IF_BITS(PROT_EXEC, 1, 0), ALLOW, KILL

bool td_filter_install(void) {
  struct sock_filter rules[] = {
    LOAD(FIELD(arch)), IF_EQUAL(ARCHITECTURE, 1, 0), KILL,
    LOAD(FIELD(nr)), IF_ABOVE(X32_CALLS, 0, 1), KILL,
    CALL_ON_0(__NR_read), CALL_ON_0(__NR_write),
    CALL(__NR_brk), CALL_WITHOUT_EXEC(__NR_mmap), CALL(__NR_munmap),
    CALL(__NR_mremap), CALL(__NR_madvise),
    CALL(__NR_clock_gettime), CALL(__NR_gettimeofday),
#ifdef __NR_time
    CALL(__NR_time),
#endif
    CALL(__NR_exit), CALL(__NR_exit_group),
    KILL,
  };
  struct sock_fprog program = {
    .len = sizeof rules / sizeof *rules, .filter = rules,
  };
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

bool td_filter_install(void) {
  errno = ENOSYS;
  return false;
}

#endif
