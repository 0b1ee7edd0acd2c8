/* The one door to the outside: storage and memory are parameters.
 *
 * Below the io floor nothing touches an operating system; everything that
 * does takes a td_env. io/env_posix.c is the real one, a simulator is
 * another. There are no paths below a directory handle: names are checked by
 * their grammar (no '/', no "..") before they get here.
 *
 * Calls return 0 or a negative errno. The members behind file_close are for
 * writing: a store that is only read from may leave them NULL.
 *
 * Thread: as the implementation says; the posix one: any. */
#ifndef TD_BASE_ENV_H
#define TD_BASE_ENV_H

#include <stdbool.h>
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

  /* Makes a plain file that was not there, to read and write; -EEXIST. */
  int (*file_create)(void *ctx, td_dir *dir, const char *name, td_file **out);
  /* Opens an existing plain file to read and write, never through a link. */
  int (*file_edit)(void *ctx, td_dir *dir, const char *name, td_file **out);
  /* Bytes written, at most size; may be short or interrupted: the caller
   * goes on. Behind the end the file grows. */
  int64_t (*file_write)(void *ctx, td_file *file, const void *bytes,
                        size_t size, uint64_t offset);
  /* Until this returns 0 nothing written is safe from a power failure.
   * Content and size; `full` adds what is not needed to read it back. */
  int (*file_sync)(void *ctx, td_file *file, bool full);
  int (*file_truncate)(void *ctx, td_file *file, uint64_t size);
  /* Begins to write out what waits and does not wait for it: a sync that
   * follows is shorter, nothing else. May be NULL. */
  void (*file_push)(void *ctx, td_file *file);
  /* Opens a directory below this one, making it when it is not there. */
  int (*dir_make)(void *ctx, td_dir *dir, const char *name, td_dir **out);
  /* Moves a name, replacing what has the other. */
  int (*dir_rename)(void *ctx, td_dir *source, const char *name,
                    td_dir *target, const char *new_name);
  int (*dir_unlink)(void *ctx, td_dir *dir, const char *name);
  /* Until this returns 0 no name made, moved or removed is safe. */
  int (*dir_sync)(void *ctx, td_dir *dir);
  /* One holder of a name at a time; file_close lets go, and so does the end
   * of the process. -EWOULDBLOCK (TD_SYS_AGAIN): somebody else holds it. */
  int (*dir_lock)(void *ctx, td_dir *dir, const char *name, td_file **out);
} td_store_class;

/* The error numbers that callers tell apart; io/env_posix.c checks that they
 * are the system's. */
enum {
  TD_SYS_NOENT = 2, TD_SYS_INTR = 4, TD_SYS_IO = 5, TD_SYS_AGAIN = 11,
  TD_SYS_EXIST = 17, TD_SYS_NOTDIR = 20, TD_SYS_NOSPC = 28, TD_SYS_ROFS = 30,
  TD_SYS_DQUOT = 122,
};

typedef struct td_clock_class {
  uint64_t (*wall_ns)(void *ctx);  /* since 1970; may go back */
  uint64_t (*mono_ns)(void *ctx);  /* never goes back; any beginning */
} td_clock_class;

typedef struct td_env {
  const td_store_class *store;
  void *store_ctx;
  td_alloc alloc;
  const td_clock_class *clock;  /* NULL where only reading is done */
  void *clock_ctx;
  uint64_t (*random)(void *ctx);  /* names and jitter, nothing secret */
  void *random_ctx;
} td_env;

#endif
