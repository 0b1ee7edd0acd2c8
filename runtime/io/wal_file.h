/* A small file of a log directory, read whole: checkpoints, cuts, layouts.
 *
 * Memory: the file's size, at most what the caller allows.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_FILE_H
#define TD_IO_WAL_FILE_H

#include "base/bytes.h"
#include "io/wal.h"

typedef struct td_wal_file {
  uint8_t *data;
  size_t size;
  size_t room;  /* bytes held, for td_wal_file_free */
} td_wal_file;

/* Reads a plain file of at most `most` bytes. Statuses: TD_OK, TD_IO (sys,
 * offset), TD_NO_MEMORY, TD_LENGTH (it is larger). Every error names the
 * file; after anything but TD_OK there is nothing to free. */
TD_API td_status td_wal_file_read(const td_wal_dir *dir, const char *name,
                                  size_t most, td_wal_file *out,
                                  td_error *err);
/* Idempotent. */
TD_API void td_wal_file_free(const td_wal_dir *dir, td_wal_file *file);

/* One read at an offset, however short the store answers: fills
 * out[0..size), less only at the end of the file. Statuses: TD_OK, TD_IO
 * (offset of the read). */
TD_API td_status td_wal_file_fill(const td_env *env, td_file *file,
                                  uint8_t *out, size_t size, uint64_t offset,
                                  size_t *filled, td_error *err);

#endif
