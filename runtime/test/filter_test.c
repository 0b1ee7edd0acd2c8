/* Covers host/filter.
 * A process for each system call: behind the filter it dies of SIGSYS, or
 * goes on for the few that are left. */
#define _GNU_SOURCE  /* syscall */

#include "test/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/filter.h"

#define NO_FILTER 99

typedef struct call {
  const char *name;
  long number;
  long args[6];
} call;

/* How a process ends that makes one call behind the filter: 0, a signal, or
 * NO_FILTER. */
static int fate(const call *one) {
  pid_t pid = fork();
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!td_filter_install()) _exit(NO_FILTER);
    const long *a = one->args;
    syscall(one->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    syscall(SYS_exit_group, 0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static char bytes[16];

static void check(const call *list, size_t count, int want) {
  for (size_t i = 0; i < count; i++) {
    int got = fate(&list[i]);
    if (got == NO_FILTER) continue;
    if (got != want) test_failed(__FILE__, __LINE__, "%s: %d instead of %d",
                                 list[i].name, got, want);
  }
}

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define AT ((long)(intptr_t)bytes)

static void allowed(void) {
  const call calls[] = {
    {"read 0", SYS_read, {0, AT, 1}}, {"write 0", SYS_write, {0, AT, 1}},
    {"brk", SYS_brk, {0}}, {"munmap", SYS_munmap, {0, 0}},
    {"mmap", SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"clock_gettime", SYS_clock_gettime, {0, AT}},
    {"exit", SYS_exit, {0}}, {"exit_group", SYS_exit_group, {0}},
  };
  check(calls, COUNT(calls), 0);
}

static void killed(void) {
  const call calls[] = {
    {"openat", SYS_openat, {AT_FDCWD, AT, 0}}, {"write 1", SYS_write, {1}},
    {"write 2", SYS_write, {2}}, {"read 1", SYS_read, {1}},
    {"read 2^32", SYS_read, {(long)(UINT64_C(1) << 32), AT, 1}},
    {"socket", SYS_socket, {1, 1, 0}}, {"connect", SYS_connect, {0}},
    {"sendto", SYS_sendto, {0}}, {"recvmsg", SYS_recvmsg, {0}},
    {"clone", SYS_clone, {SIGCHLD}}, {"execve", SYS_execve, {AT}},
    {"kill", SYS_kill, {0, 0}}, {"ptrace", SYS_ptrace, {0}},
    {"ioctl", SYS_ioctl, {0}}, {"fcntl", SYS_fcntl, {0}},
    {"dup", SYS_dup, {0}}, {"pipe2", SYS_pipe2, {AT}},
    {"getpid", SYS_getpid, {0}}, {"prctl", SYS_prctl, {0}},
    {"prlimit64", SYS_prlimit64, {0}}, {"nanosleep", SYS_nanosleep, {AT}},
    {"unlinkat", SYS_unlinkat, {0}}, {"mkdirat", SYS_mkdirat, {0}},
    {"mprotect", SYS_mprotect, {0, 0, PROT_EXEC}},
    {"executable mmap", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"futex", SYS_futex, {AT}}, {"rt_sigaction", SYS_rt_sigaction, {0}},
    {"getrandom", SYS_getrandom, {AT, 1}}, {"uname", SYS_uname, {AT}},
    {"bpf", SYS_bpf, {0}}, {"no such call", 4000, {0}},
#if defined(__x86_64__)
    {"open", SYS_open, {AT}}, {"fork", SYS_fork, {0}},
    {"x32 read", 0x40000000L | SYS_read, {0, AT, 1}},
#endif
  };
  check(calls, COUNT(calls), SIGSYS);
}

void test_filter(void) {
  const call none = {"exit_group", SYS_exit_group, {0}};
  if (fate(&none) == NO_FILTER) {
    printf("ok 1 - filter # SKIP no system-call filter here\n");
    return;
  }
  test_case("filter", "lets through what is needed", allowed);
  test_case("filter", "kills for everything else", killed);
}
