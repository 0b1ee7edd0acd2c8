/* What opening a log does before anything of it is shown.
 *
 * The log is read from the segment of its checkpoint on; all below it is
 * materialised. Then, in this order: a torn tail goes to quarantine; the last
 * segment, unless a checkpoint says that all of it was on disk, is written
 * anew beside itself, synced, and moved over itself. So every crash in
 * between leaves the old file or the new one, and what is shown afterwards is
 * on disk even when the page cache of a failed sync said otherwise. */
#include "io/wal_seams.h"
#include "io/wal_tail.h"

/* How far the walk over the log came. */
typedef struct walk {
  td_wal_dir dir;
  uint32_t first, count;   /* the log's segments */
  uint64_t end;            /* behind the last good batch of the last segment */
  td_seqno last_seq;
  uint16_t version;        /* of the last good batch; 0 = none */
  bool lazy;               /* ... is */
  uint32_t segment;        /* where it stopped */
  td_error err;            /* why; TD_END = all was read */
} walk;

static const td_wal_segment *last_segment(const walk *at) {
  return &at->dir.segments[at->first + at->count - 1];
}

/* The first number to read: of the segment that holds the checkpoint, or of
 * the one before where a segment starts right behind it. */
static td_status find_start(td_wal_log *log, const walk *at, td_seqno *from,
                            td_error *err) {
  const td_wal_segment *list = at->dir.segments + at->first;
  uint64_t next = log->checkpoint.seqno.value + 1;
  uint32_t i = at->count;
  while (i > 0 && list[i - 1].name.first_seq.value > next) i--;
  if (!log->checkpoint_there) {
    log->checkpoint.seqno.value = list[0].name.first_seq.value - 1;
    i = 1;
  }
  if (i == 0) {
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(list[0].name, name);
    td_fail(err, TD_MISSING, "log", list[0].name.first_seq.value, next - 1);
    td_error_at(err, name, 0);
    return TD_MISSING;
  }
  i--;
  if (i > 0 && list[i].name.first_seq.value == next) i--;
  *from = list[i].name.first_seq;
  return TD_OK;
}

static td_status check_region(const td_wal_log *log, const td_batch *head,
                              td_error *err) {
  if (td_region_id_eq(head->region, log->options.log.region)) return TD_OK;
  return td_fail(err, TD_MISMATCH, "region id", head->region.value,
                 log->options.log.region.value);
}

/* Reads batch by batch to the end or to what is wrong. */
static void read_log(const td_wal_log *log, walk *at, td_seqno from) {
  td_wal_cursor cursor;
  td_wal_batch batch;
  if (td_wal_cursor_open(&cursor, &at->dir, log->options.log.shard, from,
                         &at->err) != TD_OK) {
    return;
  }
  while (td_wal_cursor_next(&cursor, &batch, &at->err) == TD_OK) {
    bool last = batch.segment == at->first + at->count - 1;
    at->end = last ? batch.offset + td_batch_size(&batch.head) : 0;
    at->version = batch.head.version;
    at->lazy = batch.head.lazy;
    if (check_region(log, &batch.head, &at->err) != TD_OK) {
      char name[TD_SEGNAME_TEXT_MAX];
      td_segname_format(at->dir.segments[batch.segment].name, name);
      td_error_at(&at->err, name, batch.offset);
      break;
    }
  }
  at->last_seq = cursor.last_seq;
  at->segment = cursor.segment;
  td_wal_cursor_close(&cursor);
}

static td_seqno reached(const td_wal_log *log) {
  td_seqno seqno = log->checkpoint.seqno;
  return td_seqno_cmp(log->own_mark, seqno) > 0 ? log->own_mark : seqno;
}

static td_status judge(const td_wal_log *log, const walk *at,
                       td_wal_report *report, uint8_t *buffer,
                       td_error *err) {
  const td_env *env = &log->home->env;
  bool sure = !log->recovery.checkpoint_bad;
  td_wal_tail tail = {
    .env = env, .buffer = buffer, .offset = at->err.offset,
    .shard = log->options.log.shard, .region = log->options.log.region,
    .region_known = true, .last_seq = at->last_seq, .named = reached(log),
    .lazy_run = at->lazy || (log->own_marked && sure),
    .clean = log->checkpoint.clean && sure,
  };
  if (at->segment < at->first + at->count - 1) {
    tail.next_segment = at->dir.segments[at->segment + 1].name.first_seq;
  }
  int result = env->store->file_open(env->store_ctx, log->home->dir,
                                     report->err.file, &tail.file);
  if (result < 0) {
    return td_wal_fail_io(err, "opening", result, report->err.file,
                          tail.offset);
  }
  td_status status = td_wal_tail_judge(&tail, report, err);
  env->store->file_close(env->store_ctx, tail.file);
  if (status != TD_OK && err) {
    td_error_at(err, report->err.file, err->offset);
  }
  return status;
}

/* Torn: kept in quarantine, and cut off. Anything else is refused. */
static td_status cut_torn(td_wal_log *log, walk *at, uint8_t *buffer,
                          td_error *err) {
  td_wal_report report = {.err = at->err};
  td_wal_recovery *recovery = &log->recovery;
  uint64_t offset = at->err.offset;
  td_status status = judge(log, at, &report, buffer, err);
  if (status != TD_OK) return status;
  if (report.verdict != TD_VERDICT_TORN) {
    return td_wal_report_refuse(&report, at->last_seq, err);
  }
  status = td_wal_quarantine(&log->home->env, log->home->dir,
                             report.err.file, offset, buffer, err);
  if (status != TD_OK) return status;
  recovery->torn = true;
  recovery->suspect = report.suspect;
  recovery->offset = offset;
  recovery->cut_bytes = last_segment(at)->size - offset;
  recovery->lost_events = report.lost_events;
  recovery->name = last_segment(at)->name;
  at->end = offset;
  return TD_OK;
}

/* All was read. Did the log once reach further? */
static td_status check_reach(const td_wal_log *log, const walk *at,
                             td_error *err) {
  if (td_seqno_cmp(reached(log), at->last_seq) <= 0) return TD_OK;
  td_fail(err, TD_CORRUPT, "the end of the log", at->last_seq.value,
          reached(log).value);
  if (at->count > 0) {
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(last_segment(at)->name, name);
    td_error_at(err, name, at->end);
  }
  return TD_CORRUPT;
}

/* The bytes [0, end) of the segment in a new file, synced and open. */
static int copy_segment(const td_wal_log *log, const char *name,
                        const char *tmp, uint64_t end, uint8_t *buffer,
                        td_file **out) {
  const td_env *env = &log->home->env;
  td_file *source, *target;
  int result = env->store->file_open(env->store_ctx, log->home->dir, name,
                                     &source);
  if (result < 0) return result;
  result = env->store->file_create(env->store_ctx, log->home->dir, tmp,
                                   &target);
  if (result == 0) {
    result = td_wal_copy(env, source, 0, end, target, buffer);
    if (result == 0) *out = target;
    else env->store->file_close(env->store_ctx, target);
  }
  env->store->file_close(env->store_ctx, source);
  return result;
}

static td_status rewrite(td_wal_log *log, const char *name, uint64_t end,
                         uint8_t *buffer, td_error *err) {
  const td_env *env = &log->home->env;
  td_dir *dir = log->home->dir;
  char tmp[TD_WAL_FILE_NAME_MAX];
  td_wal_tmp_name(log, "rewrite", tmp);
  int result = copy_segment(log, name, tmp, end, buffer, &log->file);
  if (result == 0) {
    result = env->store->dir_rename(env->store_ctx, dir, tmp, dir, name);
  }
  if (result == 0) result = env->store->dir_sync(env->store_ctx, dir);
  if (result < 0) {
    return td_wal_fail_io(err, "writing the last segment anew", result, name,
                          end);
  }
  log->recovery.rewritten = true;
  log->ahead = end;
  return TD_OK;
}

/* A v1 segment stays the file it is: nobody of ours has written to it. */
static td_status sync_in_place(td_wal_log *log, const char *name,
                               uint64_t end, td_error *err) {
  const td_env *env = &log->home->env;
  int result = env->store->file_edit(env->store_ctx, log->home->dir, name,
                                     &log->file);
  if (result < 0) {
    log->file = NULL;
    return td_wal_fail_io(err, "opening", result, name, end);
  }
  if (log->recovery.torn) {
    result = env->store->file_truncate(env->store_ctx, log->file, end);
    log->ahead = end;
  }
  if (result == 0) result = td_wal_sync_file(env, log->file, true);
  if (result == 0) {
    result = env->store->dir_sync(env->store_ctx, log->home->dir);
  }
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "syncing", result, name, end);
}

static td_status adopt(td_wal_log *log, const walk *at, uint8_t *buffer,
                       td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  bool suspect = log->recovery.torn || log->checkpoint.generation == 0
              || td_seqno_cmp(at->last_seq, log->own_mark) > 0;
  log->last_seq = at->last_seq;
  if (at->count == 0) return TD_OK;
  log->name = last_segment(at)->name;
  log->end = at->end;
  log->ahead = last_segment(at)->size;
  /* A segment without a batch may have a name that was never synced. */
  log->name_unsynced = log->end == 0;
  td_segname_format(log->name, name);
  if (suspect && at->version != 1) {
    return rewrite(log, name, log->end, buffer, err);
  }
  return sync_in_place(log, name, log->end, err);
}

static td_status recover(td_wal_log *log, walk *at, td_error *err) {
  const td_env *env = &log->home->env;
  at->count = td_wal_dir_log(&at->dir, log->options.log.shard, &at->first);
  at->last_seq = (td_seqno){0};
  at->err = (td_error){.status = TD_END};
  if (at->count > 0) {
    td_seqno from;
    td_status status = find_start(log, at, &from, err);
    if (status != TD_OK) return status;
    read_log(log, at, from);
  } else if (log->checkpoint.generation == 0) {
    at->last_seq = log->checkpoint.seqno;  /* v1 removes what it has used */
  }
  td_status status = at->err.status;
  if (status == TD_NO_MEMORY || status == TD_IO) {
    if (err) *err = at->err;
    return status;
  }
  uint8_t *buffer = td_alloc_resize(&env->alloc, NULL, 0, TD_WAL_BUFFER_BYTES);
  if (!buffer) {
    return td_fail(err, TD_NO_MEMORY, "copy buffer", TD_WAL_BUFFER_BYTES, 0);
  }
  status = status == TD_END ? check_reach(log, at, err)
                            : cut_torn(log, at, buffer, err);
  if (status == TD_OK) status = adopt(log, at, buffer, err);
  td_alloc_free(&env->alloc, buffer, TD_WAL_BUFFER_BYTES);
  return status;
}

td_status td_wal_recover(td_wal_log *log, td_error *err) {
  walk at = {.count = 0};
  td_status status = td_wal_dir_list(&at.dir, &log->home->env, log->home->dir,
                                     err);
  if (status != TD_OK) return status;
  log->recovery.clean = log->checkpoint.clean;
  status = recover(log, &at, err);
  td_wal_dir_close(&at.dir);
  return status;
}
