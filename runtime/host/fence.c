#define _GNU_SOURCE  /* syscall */

#include "host/fence.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/filter.h"

#ifndef __has_feature
#define __has_feature(what) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define FDS 3        /* the socket, and nothing twice */
#define FDS_MOST 65536

bool td_fence_is_whole(void) { return !SANITIZED; }

/* Whatever the parent does with a signal, a child just dies of it. */
static void drop_handlers(void) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  sigset_t none;
  for (int number = 1; number < NSIG; number++) {
    sigaction(number, &standard, NULL);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0) return;
#endif
  for (int fd = first; fd < FDS_MOST; fd++) close(fd);
}

/* Descriptor 0 is the socket; 1 and 2 lead nowhere. */
static void keep_only(int socket) {
  int nowhere = open("/dev/null", O_WRONLY);
  if (socket != 0) dup2(socket, 0);
  for (int fd = 1; fd < FDS; fd++) {
    if (nowhere >= 0) dup2(nowhere, fd);
    else close(fd);
  }
  close_from(FDS);
}

/* Bytes of address space in use; 0 where the system does not tell. */
static size_t mapped(void) {
  char text[64];
  int fd = open("/proc/self/statm", O_RDONLY);
  ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
  unsigned long pages = 0;
  if (fd >= 0) close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  if (sscanf(text, "%lu", &pages) != 1) return 0;
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* For good; a limit that is tighter already stays. */
static bool limit(unsigned what, rlim_t most) {
  struct rlimit both;
  if (getrlimit(what, &both) != 0) return false;
  if (both.rlim_max > most) both.rlim_max = most;
  both.rlim_cur = both.rlim_max;
  return setrlimit(what, &both) == 0;
}

void td_fence_close(int socket, size_t memory, bool filter) {
  size_t space = mapped() + memory;  /* asked while files can be opened */
  drop_handlers();
  keep_only(socket);
  bool fine = (SANITIZED || limit(RLIMIT_AS, space)) &&
              limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0) &&
              limit(RLIMIT_NPROC, 0) && limit(RLIMIT_NOFILE, FDS) &&
              prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
  if (!fine) _exit(TD_FENCE_NO_LIMITS);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(TD_FENCE_NO_FILTER);
  if (SANITIZED || !filter) return;
  if (!td_filter_install()) _exit(TD_FENCE_NO_FILTER);
}
