/* The system calls that a process may still make once it is locked in.
 *
 * Left are reading and writing descriptor 0, memory that cannot be executed,
 * the clocks (the C library asks them), and the end of the process. Anything
 * else, also a call of another architecture, kills the process at once
 * (SIGSYS). Written for x86-64 and arm64; elsewhere there is no filter.
 *
 * Thread: a process with one thread. */
#ifndef TD_HOST_FILTER_H
#define TD_HOST_FILTER_H

#include <stdbool.h>

/* Installs the filter for good; needs PR_SET_NO_NEW_PRIVS. False with errno
 * where the system has none (ENOSYS: not this architecture). */
bool td_filter_install(void);

#endif
