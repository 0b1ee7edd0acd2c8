/* The list of segments: names that parse, sorted, with their sizes. */
#include <string.h>

#include "base/sort.h"
#include "base/text.h"
#include "io/wal_step.h"

#define ROOM_FIRST 64u  /* segments; doubled when full */

/* What travels through the listing of a directory. */
typedef struct listing {
  td_wal_dir *dir;
  td_error *err;
  td_status status;
} listing;

/* Names the directory itself: the last part of its path. */
static void error_at_dir(td_error *err, const char *path) {
  if (!err) return;
  size_t end = strlen(path);
  while (end > 1 && path[end - 1] == '/') end--;
  size_t at = end;
  while (at > 0 && path[at - 1] != '/') at--;
  td_text text = td_text_init(err->file, sizeof err->file);
  td_text_bytes(&text, path + at, end - at);
}

static td_status fail_io(td_error *err, const char *subject, int64_t result) {
  td_fail(err, TD_IO, subject, 0, 0);
  if (err) err->sys = (int32_t)-result;
  return TD_IO;
}

static td_status grow(td_wal_dir *dir, td_error *err) {
  const size_t each = sizeof *dir->segments;
  uint32_t room = dir->segment_room ? dir->segment_room * 2 : ROOM_FIRST;
  void *segments = td_alloc_resize(&dir->env.alloc, dir->segments,
                                   dir->segment_room * each, room * each);
  if (!segments) {
    return td_fail(err, TD_NO_MEMORY, "list of segments", room * each, 0);
  }
  dir->segments = segments;
  dir->segment_room = room;
  return TD_OK;
}

static td_status append(td_wal_dir *dir, td_segname name, td_error *err) {
  if (dir->segment_count == TD_WAL_SEGMENTS_MAX) {
    return td_fail(err, TD_TOO_MANY, "segments", TD_WAL_SEGMENTS_MAX + 1,
                   TD_WAL_SEGMENTS_MAX);
  }
  if (dir->segment_count == dir->segment_room) {
    td_status status = grow(dir, err);
    if (status != TD_OK) return status;
  }
  dir->segments[dir->segment_count++] = (td_wal_segment){.name = name};
  return TD_OK;
}

static int list_one(void *ctx, const char *text) {
  listing *list = ctx;
  td_segname name;
  if (td_segname_parse(text, strlen(text), &name, NULL) != TD_OK) return 1;
  list->status = append(list->dir, name, list->err);
  return list->status == TD_OK;
}

static td_status list_names(td_wal_dir *dir, td_error *err) {
  const td_env *env = &dir->env;
  listing list = {dir, err, TD_OK};
  int result = env->store->dir_list(env->store_ctx, dir->dir, list_one, &list);
  if (list.status != TD_OK) return list.status;
  if (result < 0) return fail_io(err, "listing the directory", result);
  return TD_OK;
}

static bool before(const void *a, const void *b) {
  const td_wal_segment *left = a, *right = b;
  return td_segname_cmp(left->name, right->name) < 0;
}

/* TD_MISSING: it is not there any more. */
static td_status read_size(td_wal_dir *dir, td_wal_segment *segment,
                           td_error *err) {
  const td_env *env = &dir->env;
  char name[TD_SEGNAME_TEXT_MAX];
  const char *subject = "opening";
  td_file *file;
  td_segname_format(segment->name, name);
  int result = env->store->file_open(env->store_ctx, dir->dir, name, &file);
  if (result == -TD_SYS_NOENT) return TD_MISSING;
  if (result == 0) {
    subject = "asking for the size";
    result = env->store->file_size(env->store_ctx, file, &segment->size);
    env->store->file_close(env->store_ctx, file);
  }
  if (result == 0) return TD_OK;
  fail_io(err, subject, result);
  td_error_at(err, name, 0);
  return TD_IO;
}

/* What truncation removed since it was listed counts as removed before. One
 * that is missed for another reason, whoever walks the log will miss. */
static td_status read_list(td_wal_dir *dir, const char *path, td_error *err) {
  td_status status = list_names(dir, err);
  if (status != TD_OK) {
    error_at_dir(err, path);
    return status;
  }
  td_sort(dir->segments, dir->segment_count, sizeof *dir->segments, before);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < dir->segment_count; i++) {
    td_wal_segment segment = dir->segments[i];
    status = read_size(dir, &segment, err);
    if (status == TD_OK) dir->segments[kept++] = segment;
    else if (status != TD_MISSING) return status;
  }
  dir->segment_count = kept;
  return TD_OK;
}

td_status td_wal_dir_attach(td_wal_dir *dir, const td_env *env,
                            const char *path, td_error *err) {
  *dir = (td_wal_dir){.env = *env};
  int result = env->store->dir_open(env->store_ctx, path, &dir->dir);
  if (result == 0) return TD_OK;
  dir->dir = NULL;
  fail_io(err, "opening the directory", result);
  error_at_dir(err, path);
  return TD_IO;
}

td_status td_wal_dir_open(td_wal_dir *dir, const td_env *env,
                          const char *path, td_error *err) {
  td_status status = td_wal_dir_attach(dir, env, path, err);
  if (status != TD_OK) return status;
  status = read_list(dir, path, err);
  if (status != TD_OK) td_wal_dir_close(dir);
  return status;
}

td_status td_wal_dir_list(td_wal_dir *dir, const td_env *env,
                          td_dir *open_dir, td_error *err) {
  *dir = (td_wal_dir){.env = *env, .dir = open_dir, .borrowed = true};
  td_status status = read_list(dir, "", err);
  if (status != TD_OK) td_wal_dir_close(dir);
  return status;
}

void td_wal_dir_close(td_wal_dir *dir) {
  if (dir->dir && !dir->borrowed) {
    dir->env.store->dir_close(dir->env.store_ctx, dir->dir);
  }
  td_alloc_free(&dir->env.alloc, dir->segments,
                dir->segment_room * sizeof *dir->segments);
  dir->dir = NULL;
  dir->segments = NULL;
  dir->segment_count = dir->segment_room = 0;
}

/* Number of segments whose shard is below the given one, or equal to it when
 * `with` is set. */
static uint32_t count_below(const td_wal_dir *dir, td_shard_id shard,
                            bool with) {
  uint32_t low = 0, high = dir->segment_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = td_shard_id_cmp(dir->segments[middle].name.shard, shard);
    if (order < 0 || (with && order == 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

uint32_t td_wal_dir_log(const td_wal_dir *dir, td_shard_id shard,
                        uint32_t *first) {
  *first = count_below(dir, shard, false);
  return count_below(dir, shard, true) - *first;
}
