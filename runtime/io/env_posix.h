/* The real environment: openat, pread, malloc.
 *
 * Thread: any. */
#ifndef TD_IO_ENV_POSIX_H
#define TD_IO_ENV_POSIX_H

#include "base/env.h"
#include "base/status.h"

/* A value without state of its own; copy it freely. */
TD_API td_env td_env_posix(void);

/* The same, with another source of memory. */
TD_API td_env td_env_posix_with(td_alloc alloc);

#endif
