/* The two slots of a checkpoint, and v1's one file.
 *
 * A slot is replaced by rename after its sync, so a crash leaves each slot
 * old or new, never damaged: a damaged one is rot. */
#include "io/wal_notes.h"
#include "io/wal_seams.h"

/* A slot's bytes and what they say. */
typedef struct slot {
  char name[TD_CHECKPOINT_NAME_MAX];
  td_wal_file file;
  bool there;
  bool valid;
  td_checkpoint checkpoint;
} slot;

static td_wal_dir dir_of(const td_wal_log *log) {
  return (td_wal_dir){
    .env = log->home->env, .dir = log->home->dir, .borrowed = true,
  };
}

/* A small file that need not be there. */
static td_status read_file(const td_wal_log *log, const char *name,
                           size_t most, td_wal_file *file, bool *there,
                           td_error *err) {
  td_wal_dir dir = dir_of(log);
  td_error why;
  td_status status = td_wal_file_read(&dir, name, most, file, &why);
  *there = !(status == TD_IO && why.sys == TD_SYS_NOENT);
  if (status == TD_OK || !*there) return TD_OK;
  if (err) *err = why;
  return status;
}

/* Behind a right hash nothing is rot: what is wrong then is refused. */
static td_status read_slot(const td_wal_log *log, slot *at, uint32_t index,
                           td_error *err) {
  td_shard_id shard = log->options.log.shard;
  td_error why;
  td_checkpoint_name(shard, index, at->name);
  td_status status = read_file(log, at->name,
                               td_checkpoint_size(TD_CHECKPOINT_MARKS_MAX),
                               &at->file, &at->there, err);
  if (status != TD_OK || !at->there) return status;
  td_span bytes = {at->file.data, at->file.size};
  status = td_wal_slot_decode(bytes, shard, index, &at->checkpoint, &why);
  if (status == TD_SHORT || status == TD_MAGIC || status == TD_HEADER_HASH) {
    return TD_OK;
  }
  td_region_id region = at->checkpoint.region;
  if (status == TD_OK && !td_region_id_eq(region, log->options.log.region)) {
    status = td_fail(&why, TD_MISMATCH, "region id", region.value,
                     log->options.log.region.value);
  }
  at->valid = status == TD_OK;
  if (status == TD_OK) return TD_OK;
  td_error_at(&why, at->name, 0);
  if (err) *err = why;
  return status;
}

/* The newest one's marks without the log's own, which is kept apart. */
static td_status keep_marks(td_wal_log *log, const slot *at, td_error *err) {
  uint32_t count = at->checkpoint.mark_count;
  td_span bytes = {at->file.data, at->file.size};
  if (count == 0) return TD_OK;
  size_t size = count * sizeof *log->marks;
  log->marks = td_alloc_resize(&log->home->env.alloc, NULL, 0, size);
  if (!log->marks) return td_fail(err, TD_NO_MEMORY, "marks", size, 0);
  log->mark_count = log->mark_room = count;
  for (uint32_t i = 0; i < count; i++) {
    log->marks[i] = td_checkpoint_mark(bytes, i);
    if (td_log_id_eq(log->marks[i].log, log->options.log)) {
      log->own_mark = log->marks[i].seqno;
      log->own_marked = true;
    }
  }
  return TD_OK;
}

/* One that rotted is kept for whoever wants to look. */
static td_status keep_bad(td_wal_log *log, const slot *bad, td_error *err) {
  const td_env *env = &log->home->env;
  uint8_t *buffer = td_alloc_resize(&env->alloc, NULL, 0, TD_WAL_BUFFER_BYTES);
  if (!buffer) {
    return td_fail(err, TD_NO_MEMORY, "copy buffer", TD_WAL_BUFFER_BYTES, 0);
  }
  td_status status = td_wal_quarantine(env, log->home->dir, bad->name, 0,
                                       buffer, err);
  td_alloc_free(&env->alloc, buffer, TD_WAL_BUFFER_BYTES);
  return status;
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
  return keep_bad(log, &slots[1 - newest], err);
}

/* v1's file counts where no v2 slot is. One of another size is no proof of
 * anything: nobody knows how it was written. */
static td_status load_v1(td_wal_log *log, td_error *err) {
  td_wal_dir dir = dir_of(log);
  td_wal_file file;
  bool there;
  td_log_id first = {{0}, {0}};
  if (!td_log_id_eq(log->options.log, first)) return TD_OK;
  td_status status = read_file(log, TD_WAL_META_NAME,
                               TD_CHECKPOINT_V1_BYTES + 1, &file, &there, err);
  bool read = false;
  if (status == TD_OK && there) {
    td_span bytes = {file.data, file.size};
    read = td_checkpoint_decode_v1(bytes, &log->checkpoint, NULL) == TD_OK;
    td_wal_file_free(&dir, &file);
  }
  log->checkpoint_there = read;
  log->recovery.checkpoint_bad = there && !read;
  return status == TD_LENGTH ? TD_OK : status;
}

td_status td_wal_checkpoint_load(td_wal_log *log, td_error *err) {
  td_wal_dir dir = dir_of(log);
  slot slots[2] = {{.there = false}, {.there = false}};
  td_status status = TD_OK;
  for (uint32_t i = 0; i < 2 && status == TD_OK; i++) {
    status = read_slot(log, &slots[i], i, err);
  }
  if (status == TD_OK) status = choose(log, slots, err);
  for (uint32_t i = 0; i < 2; i++) td_wal_file_free(&dir, &slots[i].file);
  return status == TD_END ? load_v1(log, err) : status;
}

/* The caller's marks with the log's own in its place. */
static uint32_t merge_marks(const td_wal_log *log,
                            const td_wal_progress *progress, td_mark *out) {
  td_mark own = {log->options.log, log->home->epoch,
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

static td_status replace_slot(td_wal_log *log, uint64_t generation,
                              td_span bytes, td_error *err) {
  char tmp[TD_WAL_FILE_NAME_MAX], name[TD_CHECKPOINT_NAME_MAX];
  bool full;
  td_wal_tmp_name(log, "checkpoint", tmp);
  td_checkpoint_name(log->options.log.shard, generation, name);
  int32_t result = td_wal_replace(&log->home->env, log->home->dir, tmp, name,
                                  bytes, &full);
  if (result == 0) return TD_OK;
  if (full) return td_wal_fail_full(log, "checkpoint", result, err);
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
    .layout_epoch = log->home->epoch,
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
