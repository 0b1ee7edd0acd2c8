/* Calls that every part of a log makes: whole writes, repeated syncs, copies,
 * replacement by rename, quarantine. */
#include "base/text.h"
#include "io/wal_seams.h"

#define NOTHING_MAX 3u     /* writes of no byte in a row; then it is EIO */
#define INTERRUPTS_MAX 100u
#define COPIES_MAX 1000u   /* of one tail in quarantine/ */

td_status td_wal_fail_io(td_error *err, const char *subject, int64_t result,
                         const char *file, uint64_t offset) {
  td_fail(err, TD_IO, subject, 0, 0);
  if (err) err->sys = (int32_t)-result;
  if (file) td_error_at(err, file, offset);
  return TD_IO;
}

int32_t td_wal_write_all(const td_env *env, td_file *file, td_span bytes,
                         uint64_t offset, uint64_t *written) {
  uint32_t nothing = 0, interrupts = 0;
  *written = 0;
  while (*written < bytes.size) {
    int64_t count = env->store->file_write(
      env->store_ctx, file, bytes.data + *written,
      bytes.size - (size_t)*written, offset + *written);
    if (count > 0) {
      *written += (uint64_t)count;
      td_assert(*written <= bytes.size);
      nothing = interrupts = 0;
    } else if (count == 0) {
      if (++nothing == NOTHING_MAX) return -TD_SYS_IO;
    } else if (count != -TD_SYS_INTR || ++interrupts == INTERRUPTS_MAX) {
      return (int32_t)count;
    }
  }
  return 0;
}

int32_t td_wal_sync_file(const td_env *env, td_file *file, bool full) {
  int32_t result = -TD_SYS_INTR;
  for (uint32_t i = 0; i < INTERRUPTS_MAX && result == -TD_SYS_INTR; i++) {
    result = env->store->file_sync(env->store_ctx, file, full);
  }
  return result;
}

int32_t td_wal_copy(const td_env *env, td_file *source, uint64_t first,
                    uint64_t end, td_file *target, uint8_t *buffer) {
  for (uint64_t at = first; at < end;) {
    uint64_t left = end - at, written;
    size_t part = left < TD_WAL_BUFFER_BYTES ? (size_t)left
                                             : TD_WAL_BUFFER_BYTES;
    int64_t count = env->store->file_read(env->store_ctx, source, buffer,
                                          part, at);
    if (count <= 0) return count < 0 ? (int32_t)count : -TD_SYS_IO;
    int32_t result = td_wal_write_all(env, target,
                                      (td_span){buffer, (size_t)count},
                                      at - first, &written);
    if (result < 0) return result;
    at += (uint64_t)count;
  }
  return td_wal_sync_file(env, target, true);
}

/* Makes, writes and syncs. */
static int32_t write_new(const td_env *env, td_dir *dir, const char *name,
                         td_span bytes, bool *full) {
  td_file *file;
  uint64_t written;
  int32_t result = env->store->file_create(env->store_ctx, dir, name, &file);
  *full = td_wal_is_full(result);
  if (result < 0) return result;
  result = td_wal_write_all(env, file, bytes, 0, &written);
  if (td_wal_is_full(result)) {
    env->store->file_close(env->store_ctx, file);
    int gone = env->store->dir_unlink(env->store_ctx, dir, name);
    *full = gone == 0;
    return gone < 0 ? gone : result;
  }
  if (result == 0) result = td_wal_sync_file(env, file, true);
  env->store->file_close(env->store_ctx, file);
  return result;
}

int32_t td_wal_replace(const td_env *env, td_dir *dir, const char *tmp,
                       const char *name, td_span bytes, bool *full) {
  int32_t result = write_new(env, dir, tmp, bytes, full);
  if (result == 0) {
    result = env->store->dir_rename(env->store_ctx, dir, tmp, dir, name);
  }
  if (result == 0) result = env->store->dir_sync(env->store_ctx, dir);
  return result;
}

/* A name that nothing in quarantine has yet: earlier copies stay. */
static int create_copy(const td_env *env, td_dir *dir, const char *name,
                       uint64_t offset, char out[TD_WAL_FILE_NAME_MAX],
                       td_file **file) {
  int result = -TD_SYS_EXIST;
  for (uint32_t i = 0; i < COPIES_MAX && result == -TD_SYS_EXIST; i++) {
    td_text text = td_text_init(out, TD_WAL_FILE_NAME_MAX);
    td_text_string(&text, name);
    td_text_char(&text, '.');
    td_text_decimal(&text, offset);
    td_text_char(&text, '.');
    td_text_decimal(&text, i);
    td_assert(text.size < TD_WAL_FILE_NAME_MAX);
    result = env->store->file_create(env->store_ctx, dir, out, file);
  }
  return result;
}

static int fill_copy(const td_env *env, td_dir *dir, const char *name,
                     uint64_t offset, td_file *source, uint8_t *buffer) {
  char copy[TD_WAL_FILE_NAME_MAX];
  td_file *file;
  uint64_t size;
  int result = env->store->file_size(env->store_ctx, source, &size);
  if (result == 0) result = create_copy(env, dir, name, offset, copy, &file);
  if (result < 0) return result;
  result = td_wal_copy(env, source, offset, size, file, buffer);
  env->store->file_close(env->store_ctx, file);
  if (result == 0) result = env->store->dir_sync(env->store_ctx, dir);
  return result;
}

td_status td_wal_quarantine(const td_env *env, td_dir *dir, const char *name,
                            uint64_t offset, uint8_t *buffer, td_error *err) {
  td_dir *quarantine;
  td_file *source;
  int result = env->store->file_open(env->store_ctx, dir, name, &source);
  if (result < 0) return td_wal_fail_io(err, "opening", result, name, offset);
  result = env->store->dir_make(env->store_ctx, dir, "quarantine",
                                &quarantine);
  if (result == 0) {
    result = fill_copy(env, quarantine, name, offset, source, buffer);
    env->store->dir_close(env->store_ctx, quarantine);
  }
  env->store->file_close(env->store_ctx, source);
  if (result == 0) result = env->store->dir_sync(env->store_ctx, dir);
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "copying to quarantine", result, name, offset);
}

/* An empty file takes the new name first: a rename never replaces a copy. */
static int move_into(const td_env *env, td_dir *dir, td_dir *quarantine,
                     const char *name) {
  char copy[TD_WAL_FILE_NAME_MAX];
  td_file *file;
  int result = create_copy(env, quarantine, name, 0, copy, &file);
  if (result < 0) return result;
  env->store->file_close(env->store_ctx, file);
  result = env->store->dir_rename(env->store_ctx, dir, name, quarantine, copy);
  if (result == 0) result = env->store->dir_sync(env->store_ctx, quarantine);
  return result;
}

td_status td_wal_quarantine_move(const td_env *env, td_dir *dir,
                                 const char *name, td_error *err) {
  td_dir *quarantine;
  int result = env->store->dir_make(env->store_ctx, dir, "quarantine",
                                    &quarantine);
  if (result == 0) {
    /* The folder must be safe before the only copy is in it. */
    result = env->store->dir_sync(env->store_ctx, dir);
    if (result == 0) result = move_into(env, dir, quarantine, name);
    env->store->dir_close(env->store_ctx, quarantine);
  }
  if (result == 0) result = env->store->dir_sync(env->store_ctx, dir);
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "moving to quarantine", result, name, 0);
}
