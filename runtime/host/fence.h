/* What a forked process gives up before it runs a foreign layout: every
 * descriptor but one socket, signal handlers, the right to grow, to write
 * files, to have children or new rights, to outlive its parent, and nearly
 * every system call (host/filter.h).
 *
 * Sanitizers reserve terabytes of address space and make system calls of
 * their own: in such builds the address-space limit and the filter are off.
 *
 * Thread: the only one of a process that was just forked. */
#ifndef TD_HOST_FENCE_H
#define TD_HOST_FENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of a child that could not be fenced in. */
#define TD_FENCE_NO_LIMITS 71
#define TD_FENCE_NO_FILTER 72

/* True in builds in which the whole fence stands. */
bool td_fence_is_whole(void);

/* The socket becomes descriptor 0. `memory` bytes may be mapped beyond what
 * is mapped now. With `filter` false no system-call filter is asked for.
 * Ends the process with one of the statuses above when it cannot. */
void td_fence_close(int socket, size_t memory, bool filter);

#endif
