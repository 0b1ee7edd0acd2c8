/* A directory for logs where there may be none yet.
 *
 * Thread: any. */
#ifndef TD_IO_DIR_MAKE_H
#define TD_IO_DIR_MAKE_H

#include <stdbool.h>

#include "base/env.h"
#include "base/status.h"

#define TD_DIR_PATH_MAX 4096u  /* bytes, without the closing zero */

/* Makes the directory unless there is one; its parent must be there. What
 * was made is safe from a power failure. Statuses: TD_OK, TD_IO (sys),
 * TD_LENGTH. */
TD_API td_status td_dir_make(const td_env *env, const char *path,
                             td_error *err);

#endif
