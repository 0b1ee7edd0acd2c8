#include "io/wal_file.h"

static td_status fail_io(td_error *err, const char *subject, int64_t result,
                         uint64_t offset) {
  td_fail(err, TD_IO, subject, 0, 0);
  if (err) {
    err->sys = (int32_t)-result;
    err->offset = offset;
  }
  return TD_IO;
}

td_status td_wal_file_fill(const td_env *env, td_file *file, uint8_t *out,
                           size_t size, uint64_t offset, size_t *filled,
                           td_error *err) {
  size_t at = 0;
  while (at < size) {
    int64_t result = env->store->file_read(env->store_ctx, file, out + at,
                                           size - at, offset + at);
    if (result < 0) return fail_io(err, "reading", result, offset + at);
    if (result == 0) break;
    td_assert((uint64_t)result <= size - at);
    at += (size_t)result;
  }
  *filled = at;
  return TD_OK;
}

/* One byte more than the file should have shows one that grew. */
static td_status read_open(const td_env *env, td_file *file, size_t most,
                           td_wal_file *out, td_error *err) {
  uint64_t size;
  int result = env->store->file_size(env->store_ctx, file, &size);
  if (result < 0) return fail_io(err, "asking for the size", result, 0);
  if (size > most) return td_fail(err, TD_LENGTH, "file size", size, most);
  size_t room = (size_t)size + 1;
  uint8_t *data = td_alloc_resize(&env->alloc, NULL, 0, room);
  if (!data) return td_fail(err, TD_NO_MEMORY, "file", room, 0);
  size_t filled = 0;
  td_status status = td_wal_file_fill(env, file, data, room, 0, &filled, err);
  if (status == TD_OK && filled > most) {
    status = td_fail(err, TD_LENGTH, "file size", filled, most);
  }
  if (status == TD_OK) *out = (td_wal_file){data, filled, room};
  else td_alloc_free(&env->alloc, data, room);
  return status;
}

td_status td_wal_file_read(const td_wal_dir *dir, const char *name,
                           size_t most, td_wal_file *out, td_error *err) {
  const td_env *env = &dir->env;
  td_file *file;
  *out = (td_wal_file){.data = NULL};
  int result = env->store->file_open(env->store_ctx, dir->dir, name, &file);
  td_status status;
  if (result < 0) {
    status = fail_io(err, "opening", result, 0);
  } else {
    status = read_open(env, file, most, out, err);
    env->store->file_close(env->store_ctx, file);
  }
  if (status != TD_OK && err) {
    td_error_at(err, name, err->offset == TD_NO_OFFSET ? 0 : err->offset);
  }
  return status;
}

void td_wal_file_free(const td_wal_dir *dir, td_wal_file *file) {
  td_alloc_free(&dir->env.alloc, file->data, file->room);
  *file = (td_wal_file){.data = NULL};
}
