/* The directory of logs, and the calls every part of a log makes: whole
 * writes, repeated syncs, quarantine, and how a log ends. */
#include <string.h>

#include "base/text.h"
#include "io/wal_parts.h"

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

td_status td_wal_home_open(td_wal_home *home, const td_env *env,
                           const char *path, td_error *err) {
  *home = (td_wal_home){.env = *env};
  const td_store_class *store = env->store;
  int result = store->dir_open(env->store_ctx, path, &home->dir);
  if (result < 0) {
    home->dir = NULL;
    return td_wal_fail_io(err, "opening the directory", result, NULL, 0);
  }
  result = store->dir_lock(env->store_ctx, home->dir, "LOCK", &home->lock);
  if (result == 0) return TD_OK;
  home->lock = NULL;
  td_wal_home_close(home);
  if (result != -TD_SYS_AGAIN) {
    return td_wal_fail_io(err, "locking the directory", result, "LOCK", 0);
  }
  td_fail(err, TD_LOCKED, "directory", 0, 0);
  td_error_at(err, "LOCK", TD_NO_OFFSET);
  return TD_LOCKED;
}

void td_wal_home_close(td_wal_home *home) {
  const td_env *env = &home->env;
  if (home->lock) env->store->file_close(env->store_ctx, home->lock);
  if (home->dir) env->store->dir_close(env->store_ctx, home->dir);
  home->lock = NULL;
  home->dir = NULL;
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

td_status td_wal_poison(td_wal_log *log, const char *subject, int64_t result,
                        td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  bool opening = log->state == TD_WAL_OPENING;
  td_status status = opening ? TD_IO : TD_POISONED;
  if (log->state != TD_WAL_POISONED) {
    td_fail(&log->failed, status, subject,
            opening ? 0 : td_wal_log_durable(log).value, 0);
    log->failed.sys = (int32_t)-result;
    if (log->file) {
      td_segname_format(log->name, name);
      td_error_at(&log->failed, name, log->end);
    }
    log->state = TD_WAL_POISONED;
  }
  if (err) *err = log->failed;
  return log->failed.status;
}

td_status td_wal_fail_full(td_wal_log *log, const char *subject,
                           int64_t result, td_error *err) {
  if (log->state == TD_WAL_OPENING) {
    return td_wal_fail_io(err, subject, result, NULL, 0);
  }
  td_fail(err, TD_FULL, subject, 0, 0);
  if (err) err->sys = (int32_t)-result;
  return TD_FULL;
}

void td_wal_tmp_name(const td_wal_log *log, const char *what,
                     char out[TD_WAL_FILE_NAME_MAX]) {
  td_text text = td_text_init(out, TD_WAL_FILE_NAME_MAX);
  td_text_string(&text, what);
  td_text_string(&text, "-s");
  td_text_padded(&text, log->options.log.shard.value, 5);
  td_text_string(&text, ".tmp");
  td_assert(text.size < TD_WAL_FILE_NAME_MAX);
}

/* A name that nothing in quarantine has yet: earlier copies stay. */
static int create_copy(const td_env *env, td_dir *dir, const char *name,
                       uint64_t offset, td_file **file) {
  int result = -TD_SYS_EXIST;
  for (uint32_t i = 0; i < COPIES_MAX && result == -TD_SYS_EXIST; i++) {
    char out[TD_WAL_FILE_NAME_MAX];
    td_text text = td_text_init(out, sizeof out);
    td_text_string(&text, name);
    td_text_char(&text, '.');
    td_text_decimal(&text, offset);
    td_text_char(&text, '.');
    td_text_decimal(&text, i);
    td_assert(text.size < sizeof out);
    result = env->store->file_create(env->store_ctx, dir, out, file);
  }
  return result;
}

static int fill_copy(const td_env *env, td_dir *dir, const char *name,
                     uint64_t offset, td_span bytes) {
  td_file *file;
  uint64_t written;
  int result = create_copy(env, dir, name, offset, &file);
  if (result < 0) return result;
  result = td_wal_write_all(env, file, bytes, 0, &written);
  if (result == 0) result = td_wal_sync_file(env, file, true);
  env->store->file_close(env->store_ctx, file);
  if (result == 0) result = env->store->dir_sync(env->store_ctx, dir);
  return result;
}

td_status td_wal_quarantine(td_wal_log *log, const char *name,
                            uint64_t offset, td_span bytes, td_error *err) {
  const td_env *env = &log->home->env;
  td_dir *dir;
  int result = env->store->dir_make(env->store_ctx, log->home->dir,
                                    "quarantine", &dir);
  if (result == 0) {
    result = fill_copy(env, dir, name, offset, bytes);
    env->store->dir_close(env->store_ctx, dir);
  }
  if (result == 0) {
    result = env->store->dir_sync(env->store_ctx, log->home->dir);
  }
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "copying to quarantine", result, name, offset);
}
