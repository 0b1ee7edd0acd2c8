/* The one door to the outside: storage and memory are parameters.
 *
 * Below the io floor nothing touches an operating system; everything that
 * does takes a td_env. io/env_posix.c is the real one, a simulator is
 * another. There are no paths below a directory handle: names are checked by
 * their grammar (no '/', no "..") before they get here.
 *
 * Calls return 0 or a negative errno.
 *
 * Thread: as the implementation says; the posix one: any. */
#ifndef TD_BASE_ENV_H
#define TD_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

typedef struct td_dir td_dir;
typedef struct td_file td_file;

/* Called for each name in a directory, in no order; false ends the list. */
typedef int td_name_fn(void *ctx, const char *name);

typedef struct td_store_class {
  /* Opens an existing directory; -ENOENT, -ENOTDIR, -EACCES ... */
  int (*dir_open)(void *ctx, const char *path, td_dir **out);
  /* Every name but "." and "..". */
  int (*dir_list)(void *ctx, td_dir *dir, td_name_fn *each, void *each_ctx);
  void (*dir_close)(void *ctx, td_dir *dir);
  /* Opens an existing plain file for reading, never through a link. */
  int (*file_open)(void *ctx, td_dir *dir, const char *name, td_file **out);
  int (*file_size)(void *ctx, td_file *file, uint64_t *out);
  /* Bytes read, at most size, 0 at the end; may be short. */
  int64_t (*file_read)(void *ctx, td_file *file, void *out, size_t size,
                       uint64_t offset);
  void (*file_close)(void *ctx, td_file *file);
} td_store_class;

typedef struct td_env {
  const td_store_class *store;
  void *store_ctx;
  td_alloc alloc;
} td_env;

#endif
