/* The two slots of a checkpoint, and v1's one file.
 *
 * A slot is replaced by rename after its sync, so a crash leaves each slot
 * old or new, never damaged: a damaged one is rot. */
#include <string.h>

#include "base/text.h"
#include "io/wal_parts.h"

#define V1_NAME "checkpoint.meta"

/* A slot's bytes and what they say. */
typedef struct slot {
  char name[TD_WAL_FILE_NAME_MAX];
  uint8_t *bytes;
  size_t size;
  bool there;
  bool valid;
  td_checkpoint checkpoint;
  td_error err;  /* of one that is there and not valid */
} slot;

static void free_slot(const td_wal_log *log, slot *at) {
  td_alloc_free(&log->home->env.alloc, at->bytes, at->size);
  at->bytes = NULL;
}

static int32_t read_all(const td_env *env, td_file *file, uint8_t *out,
                        size_t size) {
  for (size_t at = 0; at < size;) {
    int64_t count = env->store->file_read(env->store_ctx, file, out + at,
                                          size - at, at);
    if (count < 0) return (int32_t)count;
    if (count == 0) return -TD_SYS_IO;  /* shorter than it said */
    at += (size_t)count;
  }
  return 0;
}

static td_status read_open(const td_wal_log *log, td_file *file, slot *at,
                           td_error *err) {
  const td_env *env = &log->home->env;
  uint64_t size;
  int result = env->store->file_size(env->store_ctx, file, &size);
  if (result < 0) {
    return td_wal_fail_io(err, "asking for the size", result, at->name, 0);
  }
  /* One byte more than the largest is enough to refuse it. */
  uint64_t most = td_checkpoint_size(TD_CHECKPOINT_MARKS_MAX) + 1;
  if (size > most) size = most;
  if (size == 0) return TD_OK;
  at->bytes = td_alloc_resize(&env->alloc, NULL, 0, (size_t)size);
  if (!at->bytes) return td_fail(err, TD_NO_MEMORY, "checkpoint", size, 0);
  at->size = (size_t)size;
  result = read_all(env, file, at->bytes, at->size);
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "reading", result, at->name, 0);
}

/* The file's bytes; no such file is no failure. */
static td_status read_slot(const td_wal_log *log, slot *at, td_error *err) {
  const td_env *env = &log->home->env;
  td_file *file;
  int result = env->store->file_open(env->store_ctx, log->home->dir, at->name,
                                     &file);
  if (result == -TD_SYS_NOENT) return TD_OK;
  if (result < 0) return td_wal_fail_io(err, "opening", result, at->name, 0);
  at->there = true;
  td_status status = read_open(log, file, at, err);
  env->store->file_close(env->store_ctx, file);
  return status;
}

/* Behind a right hash nothing is rot: what is wrong then is refused. */
static td_status decode_slot(const td_wal_log *log, slot *at, uint32_t index,
                             td_error *err) {
  td_span bytes = {at->bytes, at->size};
  const td_checkpoint *read = &at->checkpoint;
  td_status status = td_checkpoint_decode(bytes, &at->checkpoint, &at->err);
  td_error_at(&at->err, at->name, 0);
  if (status == TD_SHORT || status == TD_MAGIC || status == TD_HEADER_HASH) {
    return TD_OK;
  }
  if (status != TD_OK) {
    if (err) *err = at->err;
    return status;
  }
  at->valid = true;
  td_log_id own = {read->region, read->shard};
  if (td_log_id_eq(own, log->options.log) && read->generation % 2 == index) {
    return TD_OK;
  }
  td_fail(err, TD_MISMATCH, "log or slot of a checkpoint",
          own.shard.value, log->options.log.shard.value);
  td_error_at(err, at->name, 58);
  return TD_MISMATCH;
}

/* The newest one's marks without the log's own, which is kept apart. */
static td_status keep_marks(td_wal_log *log, const slot *at, td_error *err) {
  uint32_t count = at->checkpoint.mark_count;
  td_span bytes = {at->bytes, at->size};
  if (count == 0) return TD_OK;
  size_t size = count * sizeof *log->marks;
  log->marks = td_alloc_resize(&log->home->env.alloc, NULL, 0, size);
  if (!log->marks) return td_fail(err, TD_NO_MEMORY, "marks", size, 0);
  log->mark_count = log->mark_room = count;
  for (uint32_t i = 0; i < count; i++) {
    log->marks[i] = td_checkpoint_mark(bytes, i);
    if (td_log_id_eq(log->marks[i].log, log->options.log)) {
      log->own_mark = log->marks[i].seqno;
    }
  }
  return TD_OK;
}

static td_status choose(td_wal_log *log, slot slots[2], td_error *err) {
  uint32_t newest = 0;
  for (uint32_t i = 0; i < 2; i++) {
    if (slots[i].there && !slots[i].valid) log->recovery.checkpoint_bad = true;
  }
  if (slots[0].valid && slots[1].valid) {
    newest = slots[1].checkpoint.generation > slots[0].checkpoint.generation;
    log->older_seqno = slots[1 - newest].checkpoint.seqno;
  } else if (slots[0].valid || slots[1].valid) {
    newest = slots[1].valid;
  } else if (log->recovery.checkpoint_bad) {
    const slot *bad = &slots[slots[1].there];
    td_fail(err, TD_CORRUPT, "every checkpoint", 0, 0);
    td_error_at(err, bad->name, 0);
    return TD_CORRUPT;
  } else {
    return TD_END;
  }
  log->checkpoint = slots[newest].checkpoint;
  log->checkpoint_there = true;
  td_status status = keep_marks(log, &slots[newest], err);
  if (status != TD_OK || !log->recovery.checkpoint_bad) return status;
  const slot *bad = &slots[1 - newest];
  return td_wal_quarantine(log, bad->name, 0, (td_span){bad->bytes, bad->size},
                           err);
}

/* v1's file counts where no v2 slot is. One of another size is no proof of
 * anything: nobody knows how it was written. */
static td_status load_v1(td_wal_log *log, td_error *err) {
  slot at = {.name = V1_NAME};
  td_log_id first = {{0}, {0}};
  if (!td_log_id_eq(log->options.log, first)) return TD_OK;
  td_status status = read_slot(log, &at, err);
  if (status == TD_OK && at.there) {
    td_span bytes = {at.bytes, at.size};
    bool read = td_checkpoint_decode_v1(bytes, &log->checkpoint, NULL)
             == TD_OK;
    log->checkpoint_there = read;
    log->recovery.checkpoint_bad = !read;
  }
  free_slot(log, &at);
  return status;
}

td_status td_wal_checkpoint_load(td_wal_log *log, td_error *err) {
  slot slots[2] = {{.there = false}, {.there = false}};
  td_status status = TD_OK;
  for (uint32_t i = 0; i < 2 && status == TD_OK; i++) {
    td_checkpoint_name(log->options.log.shard, i, slots[i].name);
    status = read_slot(log, &slots[i], err);
    if (status == TD_OK && slots[i].there) {
      status = decode_slot(log, &slots[i], i, err);
    }
  }
  if (status == TD_OK) status = choose(log, slots, err);
  for (uint32_t i = 0; i < 2; i++) free_slot(log, &slots[i]);
  return status == TD_END ? load_v1(log, err) : status;
}

/* The caller's marks with the log's own in its place. */
static uint32_t merge_marks(const td_wal_log *log,
                            const td_wal_progress *progress, td_mark *out) {
  td_mark own = {log->options.log, log->options.layout_epoch,
                 td_wal_log_durable(log)};
  uint32_t count = 0;
  bool placed = false;
  for (uint32_t i = 0; i < progress->mark_count; i++) {
    int order = td_log_id_cmp(progress->marks[i].log, own.log);
    if (order >= 0 && !placed) {
      out[count++] = own;
      placed = true;
    }
    if (order != 0) out[count++] = progress->marks[i];
  }
  if (!placed) out[count++] = own;
  return count;
}

/* Written beside, synced, moved over the slot: old or new, never half. */
static td_status replace_slot(td_wal_log *log, uint64_t generation,
                              td_span bytes, td_error *err) {
  const td_env *env = &log->home->env;
  td_dir *dir = log->home->dir;
  char tmp[TD_WAL_FILE_NAME_MAX], name[TD_CHECKPOINT_NAME_MAX];
  td_file *file;
  uint64_t written;
  td_wal_tmp_name(log, "checkpoint", tmp);
  td_checkpoint_name(log->options.log.shard, generation, name);
  int result = env->store->file_create(env->store_ctx, dir, tmp, &file);
  if (td_wal_is_full(result)) {
    return td_wal_fail_full(log, "checkpoint", result, err);
  }
  if (result < 0) return td_wal_poison(log, "making a checkpoint", result, err);
  result = td_wal_write_all(env, file, bytes, 0, &written);
  if (td_wal_is_full(result)) {
    env->store->file_close(env->store_ctx, file);
    int gone = env->store->dir_unlink(env->store_ctx, dir, tmp);
    if (gone < 0) return td_wal_poison(log, "removing a file", gone, err);
    return td_wal_fail_full(log, "checkpoint", result, err);
  }
  if (result == 0) result = td_wal_sync_file(env, file, true);
  env->store->file_close(env->store_ctx, file);
  if (result == 0) {
    result = env->store->dir_rename(env->store_ctx, dir, tmp, dir, name);
  }
  if (result == 0) result = env->store->dir_sync(env->store_ctx, dir);
  if (result == 0) return TD_OK;
  return td_wal_poison(log, "writing a checkpoint", result, err);
}

static td_status encode_and_replace(td_wal_log *log, td_checkpoint *next,
                                    const td_mark *marks, td_error *err) {
  const td_alloc *alloc = &log->home->env.alloc;
  size_t size = td_checkpoint_size(next->mark_count);
  uint8_t *bytes = td_alloc_resize(alloc, NULL, 0, size);
  if (!bytes) return td_fail(err, TD_NO_MEMORY, "checkpoint", size, 0);
  td_status status = td_checkpoint_encode(next, marks, bytes, size, err);
  if (status == TD_OK) {
    status = replace_slot(log, next->generation, (td_span){bytes, size}, err);
  }
  td_alloc_free(alloc, bytes, size);
  return status;
}

/* The new marks become the log's; `marks` is one block of `room` marks. */
static void adopt(td_wal_log *log, const td_checkpoint *next, td_mark *marks,
                  uint32_t room) {
  log->older_seqno = log->checkpoint.generation > 0
                       ? log->checkpoint.seqno : (td_seqno){0};
  log->checkpoint = *next;
  log->checkpoint_there = true;
  log->own_mark = td_wal_log_durable(log);
  td_wal_checkpoint_free(log);
  log->marks = marks;
  log->mark_count = next->mark_count;
  log->mark_room = room;
}

td_status td_wal_checkpoint_store(td_wal_log *log,
                                  const td_wal_progress *progress, bool clean,
                                  td_error *err) {
  const td_env *env = &log->home->env;
  if (progress->mark_count >= TD_CHECKPOINT_MARKS_MAX) {
    return td_fail(err, TD_TOO_MANY, "marks", progress->mark_count + 1ull,
                   TD_CHECKPOINT_MARKS_MAX);
  }
  size_t room = (progress->mark_count + 1u) * sizeof(td_mark);
  td_mark *marks = td_alloc_resize(&env->alloc, NULL, 0, room);
  if (!marks) return td_fail(err, TD_NO_MEMORY, "marks", room, 0);
  uint64_t wall = progress->hlc_wall_ns;
  if (wall < log->checkpoint.hlc_wall_ns) wall = log->checkpoint.hlc_wall_ns;
  td_checkpoint next = {
    .seqno = progress->seqno,
    .timestamp_ns = env->clock->wall_ns(env->clock_ctx),
    .generation = log->checkpoint.generation + 1, .hlc_wall_ns = wall,
    .layout_epoch = log->options.layout_epoch,
    .mark_count = merge_marks(log, progress, marks),
    .shard = log->options.log.shard, .region = log->options.log.region,
    .clean = clean,
  };
  td_status status = encode_and_replace(log, &next, marks, err);
  if (status == TD_OK) adopt(log, &next, marks, progress->mark_count + 1);
  else td_alloc_free(&env->alloc, marks, room);
  return status;
}

void td_wal_checkpoint_free(td_wal_log *log) {
  td_alloc_free(&log->home->env.alloc, log->marks,
                log->mark_room * sizeof *log->marks);
  log->marks = NULL;
  log->mark_count = log->mark_room = 0;
}
