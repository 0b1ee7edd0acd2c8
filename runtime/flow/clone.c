#include "flow/clone.h"

#include "io/wal_log.h"
#include "io/wal_seams.h"

#define TMP_NAME "clone.tmp"

static const td_env *env_of(const td_clone *clone) {
  return &clone->home->env;
}

static td_status fail(td_error *err, const char *subject, int64_t result,
                      const char *file, uint64_t offset) {
  if (!td_wal_is_full(result)) {
    return td_wal_fail_io(err, subject, result, file, offset);
  }
  td_fail(err, TD_FULL, "copy", 0, 0);
  td_error_at(err, file, offset);
  if (err) err->sys = (int32_t)-result;
  return TD_FULL;
}

/* --- small files ---------------------------------------------------------- */

static td_status copy_file(td_clone *clone, const char *name, size_t most,
                           td_error *err) {
  const td_env *env = env_of(clone);
  td_wal_file file;
  bool full = false;
  td_status status = td_wal_file_read(&clone->dir, name, most, &file, err);
  if (status != TD_OK) return status;
  td_span bytes = {file.data, file.size};
  int result = env->store->dir_unlink(env->store_ctx, clone->target,
                                      TMP_NAME);
  if (result == -TD_SYS_NOENT) result = 0;
  if (result == 0) {
    result = td_wal_replace(env, clone->target, TMP_NAME, name, bytes, &full);
  }
  td_wal_file_free(&clone->dir, &file);
  return result == 0 ? TD_OK : fail(err, "copying", result, name, 0);
}

/* Checked when they were listed, or here: nothing damaged is passed on. */
static td_status copy_layouts(td_clone *clone, td_error *err) {
  td_status status = TD_OK;
  for (uint32_t i = 0; i < clone->layouts.count && status == TD_OK; i++) {
    char name[TD_LAYOUT_NAME_MAX];
    td_layout_name(clone->layouts.epochs[i], name);
    status = copy_file(clone, name, TD_LAYOUT_BYTES_MAX, err);
  }
  return status;
}

static td_status copy_cuts(td_clone *clone, td_error *err) {
  td_status status = TD_OK;
  for (uint32_t s = 0; s < TD_SHARDS_MAX && status == TD_OK; s++) {
    td_shard_id shard = {(uint16_t)s};
    td_wal_file file;
    td_cuts cuts;
    char name[TD_CUTS_NAME_MAX];
    if (!td_wal_layouts_cuts(&clone->layouts, shard)) continue;
    status = td_wal_cuts_read(&clone->dir, shard, &file, &cuts, err);
    if (status != TD_OK) return status;
    size_t size = file.size;
    td_wal_file_free(&clone->dir, &file);
    td_cuts_name(shard, name);
    status = copy_file(clone, name, size, err);
  }
  return status;
}

/* --- opening -------------------------------------------------------------- */

static td_status open_target(td_clone *clone, const char *path,
                             const char *name, td_error *err) {
  const td_env *env = env_of(clone);
  td_dir *above;
  int result = env->store->dir_open(env->store_ctx, path, &above);
  if (result < 0) return fail(err, "opening the directory", result, NULL, 0);
  result = env->store->dir_make(env->store_ctx, above, name, &clone->target);
  if (result < 0) clone->target = NULL;
  else result = env->store->dir_sync(env->store_ctx, above);
  env->store->dir_close(env->store_ctx, above);
  return result < 0 ? fail(err, "making the directory", result, name, 0)
                    : TD_OK;
}

static int find_segment(void *ctx, const char *name) {
  bool *found = ctx;
  td_segname segment;
  *found |= td_segname_parse(name, strlen(name), &segment, NULL) == TD_OK;
  return !*found;
}

/* A copy that begins must not mix with another one. */
static td_status check_fresh(const td_clone *clone, const char *name,
                             td_error *err) {
  const td_env *env = env_of(clone);
  bool found = false;
  int result = env->store->dir_list(env->store_ctx, clone->target,
                                    find_segment, &found);
  if (result < 0) return fail(err, "listing the directory", result, name, 0);
  if (!found) return TD_OK;
  td_fail(err, TD_OCCUPIED, "directory", 0, 0);
  td_error_at(err, name, TD_NO_OFFSET);
  return TD_OCCUPIED;
}

static td_status list(td_clone *clone, td_error *err) {
  td_status status = td_wal_dir_list(&clone->dir, env_of(clone),
                                     clone->home->dir, err);
  if (status != TD_OK) return status;
  status = td_wal_layouts_open(&clone->layouts, &clone->dir, err);
  if (status != TD_OK) td_wal_dir_close(&clone->dir);
  clone->listed = status == TD_OK;
  return status;
}

td_status td_clone_open(td_clone *clone, td_wal_home *home, const char *path,
                        const char *name, bool fresh, td_error *err) {
  *clone = (td_clone){.home = home};
  td_status status = open_target(clone, path, name, err);
  if (status == TD_OK && fresh) status = check_fresh(clone, name, err);
  if (status == TD_OK) status = list(clone, err);
  if (status == TD_OK) status = copy_layouts(clone, err);
  if (status == TD_OK) status = copy_cuts(clone, err);
  if (status != TD_OK) td_clone_close(clone);
  return status;
}

/* --- segments ------------------------------------------------------------- */

static void drop_file(td_clone *clone) {
  const td_env *env = env_of(clone);
  if (clone->file) env->store->file_close(env->store_ctx, clone->file);
  clone->file = NULL;
}

static td_status begin_segment(td_clone *clone, uint32_t segment,
                               td_error *err) {
  const td_env *env = env_of(clone);
  int result = env->store->dir_unlink(env->store_ctx, clone->target,
                                      TMP_NAME);
  if (result == 0 || result == -TD_SYS_NOENT) {
    result = env->store->file_create(env->store_ctx, clone->target, TMP_NAME,
                                     &clone->file);
  }
  if (result < 0) {
    clone->file = NULL;
    return fail(err, "making a segment", result, TMP_NAME, 0);
  }
  clone->segment = segment;
  clone->end = 0;
  return TD_OK;
}

/* Whole and synced, it gets its name. */
static td_status end_segment(td_clone *clone, td_error *err) {
  const td_env *env = env_of(clone);
  char name[TD_SEGNAME_TEXT_MAX];
  if (!clone->file) return TD_OK;
  td_segname_format(clone->dir.segments[clone->segment].name, name);
  int result = td_wal_sync_file(env, clone->file, true);
  drop_file(clone);
  if (result == 0) {
    result = env->store->dir_rename(env->store_ctx, clone->target, TMP_NAME,
                                    clone->target, name);
  }
  if (result == 0) {
    result = env->store->dir_sync(env->store_ctx, clone->target);
  }
  return result == 0 ? TD_OK : fail(err, "copying", result, name, clone->end);
}

static td_status write_part(td_clone *clone, td_span bytes, td_error *err) {
  uint64_t written;
  int32_t result = td_wal_write_all(env_of(clone), clone->file, bytes,
                                    clone->end, &written);
  clone->end += written;
  clone->bytes += written;
  return result == 0 ? TD_OK : fail(err, "copying", result, TMP_NAME,
                                    clone->end);
}

/* Equal fields encode to equal bytes (format/batch.h). */
static td_status copy_batch(td_clone *clone, const td_wal_batch *batch,
                            td_error *err) {
  uint8_t head[TD_BATCH_HEADER_BYTES];
  td_status status = TD_OK;
  if (clone->file && clone->segment != batch->segment) {
    status = end_segment(clone, err);
  }
  if (status == TD_OK && !clone->file) {
    status = begin_segment(clone, batch->segment, err);
  }
  if (status != TD_OK) return status;
  td_batch_encode(&batch->head, head);
  status = write_part(clone, (td_span){head, sizeof head}, err);
  return status == TD_OK ? write_part(clone, batch->payload, err) : status;
}

/* Whether a file of that name and size is there: a segment that is not the
 * last one of its log does not change any more. */
static bool is_there(const td_clone *clone, const td_wal_segment *segment) {
  const td_env *env = env_of(clone);
  char name[TD_SEGNAME_TEXT_MAX];
  td_file *file;
  uint64_t size = 0;
  td_segname_format(segment->name, name);
  if (env->store->file_open(env->store_ctx, clone->target, name, &file) < 0) {
    return false;
  }
  int result = env->store->file_size(env->store_ctx, file, &size);
  env->store->file_close(env->store_ctx, file);
  return result == 0 && size == segment->size;
}

/* Segments that are there already, but for the last one. */
static td_seqno first_missing(const td_clone *clone, uint32_t first,
                              uint32_t count) {
  const td_wal_segment *list = clone->dir.segments + first;
  uint32_t i = 0;
  while (i + 1 < count && is_there(clone, &list[i])) i++;
  return list[i].name.first_seq;
}

static td_seqno end_of(const td_clone *clone, td_shard_id shard) {
  for (const td_wal_log *log = clone->home->logs; log; log = log->next) {
    if (td_shard_id_eq(log->options.log.shard, shard)) {
      return td_wal_log_durable(log);
    }
  }
  return (td_seqno){UINT64_MAX};
}

static td_status begin_log(td_clone *clone, td_error *err) {
  uint32_t first, count = 0;
  td_shard_id shard = {0};
  while (count == 0 && clone->next_shard < TD_SHARDS_MAX) {
    shard.value = (uint16_t)clone->next_shard++;
    count = td_wal_dir_log(&clone->dir, shard, &first);
  }
  if (count == 0) return TD_END;
  clone->upto = end_of(clone, shard);
  td_status status = td_wal_cursor_open(
    &clone->cursor, &clone->dir, shard, first_missing(clone, first, count),
    err);
  clone->reading = status == TD_OK;
  return status;
}

static td_status end_log(td_clone *clone, td_error *err) {
  td_wal_cursor_close(&clone->cursor);
  clone->reading = false;
  return end_segment(clone, err);
}

static td_status step_batch(td_clone *clone, td_error *err) {
  td_wal_batch batch;
  if (td_seqno_cmp(clone->cursor.last_seq, clone->upto) >= 0) {
    return end_log(clone, err);
  }
  td_status status = td_wal_cursor_next(&clone->cursor, &batch, err);
  if (status == TD_END) return end_log(clone, err);
  return status == TD_OK ? copy_batch(clone, &batch, err) : status;
}

td_status td_clone_step(td_clone *clone, uint64_t bytes, td_error *err) {
  uint64_t before = clone->bytes;
  td_status status = TD_OK;
  while (status == TD_OK && clone->bytes - before < bytes) {
    if (!clone->reading) status = begin_log(clone, err);
    if (status == TD_OK) status = step_batch(clone, err);
  }
  return status;
}

void td_clone_close(td_clone *clone) {
  if (!clone->home) return;
  const td_env *env = env_of(clone);
  if (clone->reading) td_wal_cursor_close(&clone->cursor);
  drop_file(clone);
  if (clone->listed) {
    td_wal_layouts_close(&clone->layouts);
    td_wal_dir_close(&clone->dir);
  }
  if (clone->target) env->store->dir_close(env->store_ctx, clone->target);
  *clone = (td_clone){.home = NULL};
}
