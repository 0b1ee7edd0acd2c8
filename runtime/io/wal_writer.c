/* The order of calls that makes an acknowledged batch safe: write, sync the
 * file, sync the directory of a new one, publish. */
#include <string.h>

#include "io/wal_seams.h"

#define ZEROS_BYTES 65536u

static td_status out_of_order(const td_wal_log *log, td_error *err) {
  if (err) *err = log->failed;
  return log->failed.status;
}

static void publish(td_wal_log *log) {
  log->data_unsynced = log->moved_unsynced = false;
  log->synced_ns = log->home->env.clock->mono_ns(log->home->env.clock_ctx);
  atomic_store_explicit(&log->durable_seq, log->last_seq.value,
                        memory_order_release);
}

static td_status sync_name(td_wal_log *log, td_error *err) {
  const td_env *env = &log->home->env;
  if (!log->name_unsynced) return TD_OK;
  int result = env->store->dir_sync(env->store_ctx, log->home->dir);
  if (result < 0) return td_wal_poison(log, "syncing the directory", result,
                                       err);
  log->name_unsynced = false;
  return TD_OK;
}

td_status td_wal_make_durable(td_wal_log *log, td_error *err) {
  if (log->state == TD_WAL_POISONED) return out_of_order(log, err);
  if (!log->data_unsynced) return TD_OK;
  int32_t result = td_wal_sync_file(&log->home->env, log->file, false);
  if (result < 0) return td_wal_poison(log, "syncing", result, err);
  td_status status = sync_name(log, err);
  if (status == TD_OK) publish(log);
  return status;
}

td_status td_wal_seal(td_wal_log *log, td_error *err) {
  const td_env *env = &log->home->env;
  if (log->state == TD_WAL_POISONED) return out_of_order(log, err);
  if (!log->file) return TD_OK;
  if (log->ahead > log->end) {
    int result = env->store->file_truncate(env->store_ctx, log->file,
                                           log->end);
    if (result < 0) return td_wal_poison(log, "cutting", result, err);
    log->ahead = log->end;
  }
  int32_t result = td_wal_sync_file(env, log->file, true);
  if (result < 0) return td_wal_poison(log, "syncing", result, err);
  td_status status = sync_name(log, err);
  if (status != TD_OK) return status;
  publish(log);
  env->store->file_close(env->store_ctx, log->file);
  log->file = NULL;
  return TD_OK;
}

/* Removes what of a batch got there; certainly so only when synced. */
static td_status cut_back(td_wal_log *log, int32_t why, td_error *err) {
  const td_env *env = &log->home->env;
  int result = env->store->file_truncate(env->store_ctx, log->file, log->end);
  if (result == 0) result = td_wal_sync_file(env, log->file, true);
  if (result < 0) return td_wal_poison(log, "cutting back", result, err);
  log->ahead = log->end;
  if (log->data_unsynced) {
    td_status status = sync_name(log, err);
    if (status != TD_OK) return status;
    publish(log);
  }
  log->state = TD_WAL_FULL;
  return td_wal_fail_full(log, "batch", why, err);
}

static td_status start_segment(td_wal_log *log, td_seqno first_seq,
                               td_error *err) {
  const td_env *env = &log->home->env;
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname next = {log->options.log.shard, first_seq};
  td_segname_format(next, name);
  int result = env->store->file_create(env->store_ctx, log->home->dir, name,
                                       &log->file);
  if (result == 0) {
    log->name = next;
    log->end = log->ahead = 0;
    log->name_unsynced = true;
    return TD_OK;
  }
  log->file = NULL;
  if (!td_wal_is_full(result)) {
    return td_wal_poison(log, "making a segment", result, err);
  }
  log->state = TD_WAL_FULL;
  return td_wal_fail_full(log, "new segment", result, err);
}

/* The file that has room for so many bytes more. */
static td_status make_room(td_wal_log *log, size_t size, td_seqno first_seq,
                           td_error *err) {
  if (log->file && log->end > 0
      && log->end + size > log->options.segment_bytes) {
    td_status status = td_wal_seal(log, err);
    if (status != TD_OK) return status;
  }
  return log->file ? TD_OK : start_segment(log, first_seq, err);
}

/* Zeros to the next step, so that syncs of the batches to come need not
 * write the file's size. A disk too full for them may do without. */
static int32_t write_ahead(td_wal_log *log) {
  static const uint8_t zeros[ZEROS_BYTES];
  uint64_t step = log->options.ahead_bytes;
  if (step == 0 || log->end <= log->ahead) return 0;
  uint64_t target = (log->end + step - 1) / step * step;
  for (uint64_t at = log->end; at < target;) {
    uint64_t left = target - at, written;
    size_t part = left < sizeof zeros ? (size_t)left : sizeof zeros;
    int32_t result = td_wal_write_all(&log->home->env, log->file,
                                      (td_span){zeros, part}, at, &written);
    at += written;
    if (at > log->ahead) log->ahead = at;
    if (td_wal_is_full(result)) return 0;
    if (result < 0) return result;
  }
  return 0;
}

static td_status write_batch(td_wal_log *log, td_span bytes, td_error *err) {
  uint64_t written;
  int32_t result = td_wal_write_all(&log->home->env, log->file, bytes,
                                    log->end, &written);
  if (td_wal_is_full(result)) return cut_back(log, result, err);
  if (result < 0) return td_wal_poison(log, "writing", result, err);
  return TD_OK;
}

bool td_wal_sync_due(const td_wal_log *log) {
  const td_env *env = &log->home->env;
  if (log->options.sync == TD_SYNC_ALWAYS) return true;
  if (log->options.sync == TD_SYNC_UNSAFE_NEVER) return false;
  uint64_t now = env->clock->mono_ns(env->clock_ctx);
  return now - log->synced_ns >= log->options.sync_interval_ns;
}

/* The header in front of the group's payload. */
static td_status seal_group(const td_wal_log *log, td_wal_group *group,
                            td_error *err) {
  const td_env *env = &log->home->env;
  td_span payload = {group->bytes + TD_BATCH_HEADER_BYTES, group->size};
  if (log->last_seq.value == UINT64_MAX) {
    return td_fail(err, TD_SEQUENCE, "next number", 0, UINT64_MAX);
  }
  td_batch head = {
    .first_seq = {log->last_seq.value + 1},
    .timestamp_ns = env->clock->wall_ns(env->clock_ctx),
    .event_count = group->events,
    .layout_epoch = group->moved ? log->home->next : log->home->epoch,
    .shard = log->options.log.shard, .region = log->options.log.region,
    .version = TD_BATCH_VERSION, .kind = (uint8_t)group->kind,
    .lazy = log->options.sync != TD_SYNC_ALWAYS,
  };
  td_status status = td_batch_seal(&head, payload, group->bytes, err);
  if (status == TD_OK) group->first_seq = head.first_seq;
  return status;
}

/* What the window knows goes out of the group. */
static void thin_out(td_wal_log *log, td_wal_group *group) {
  uint8_t *records = group->bytes + TD_BATCH_HEADER_BYTES;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < group->events; i++) {
    uint8_t *in = records + (size_t)i * TD_RECORD_BYTES;
    td_span record = {in, TD_RECORD_BYTES};
    bool fresh = td_wal_window_add(&log->window, record);
    group->places[i] = fresh ? kept : TD_WAL_KNOWN;
    if (!fresh) continue;
    if (kept < i) {
      memmove(records + (size_t)kept * TD_RECORD_BYTES, in, TD_RECORD_BYTES);
    }
    kept++;
  }
  group->events = kept;
  group->size = (size_t)kept * TD_RECORD_BYTES;
}

/* At most one batch is in flight, or a torn one would pass for damaged: a
 * moved one, which nobody waited for, is on disk before the next. */
static td_status settle_moved(td_wal_log *log, td_error *err) {
  bool lazy = log->options.sync != TD_SYNC_ALWAYS;
  return log->moved_unsynced && !lazy ? td_wal_make_durable(log, err) : TD_OK;
}

static td_status write_sealed(td_wal_log *log, td_wal_group *group,
                              td_error *err) {
  td_status status = settle_moved(log, err);
  if (status == TD_OK) status = seal_group(log, group, err);
  if (status != TD_OK) return status;
  td_span bytes = {group->bytes, TD_BATCH_HEADER_BYTES + group->size};
  status = make_room(log, bytes.size, group->first_seq, err);
  if (status == TD_OK) status = write_batch(log, bytes, err);
  if (status != TD_OK) return status;
  bool lazy = log->options.sync != TD_SYNC_ALWAYS;
  log->end += bytes.size;
  int32_t result = lazy || group->moved ? 0 : write_ahead(log);
  if (result < 0) return td_wal_poison(log, "writing ahead", result, err);
  if (log->ahead < log->end) log->ahead = log->end;
  log->last_seq.value += group->events;
  log->data_unsynced = true;
  log->moved_unsynced |= group->moved;
  log->state = TD_WAL_OPEN;
  return TD_OK;
}

/* A layout published while the group filled may have taken ids away, or the
 * region. */
static td_status check_group(const td_wal_log *log, const td_wal_group *group,
                             td_error *err) {
  if (group->moved || group->epoch == log->home->epoch) return TD_OK;
  td_status status = td_wal_check_region(log, err);
  if (status != TD_OK || group->kind != TD_BATCH_SIGNALS) return status;
  const uint8_t *record = group->bytes + TD_BATCH_HEADER_BYTES;
  for (uint32_t i = 0; i < group->events; i++, record += TD_RECORD_BYTES) {
    status = td_wal_check_owner(log, td_record_entity(record), TD_NO_INDEX,
                                err);
    if (status != TD_OK) return status;
  }
  return TD_OK;
}

/* A layout that may be published is one that nobody may write beside. */
static td_status check_home(const td_wal_log *log, td_error *err) {
  if (log->home->failed.status != TD_OK && err) *err = log->home->failed;
  return log->home->failed.status;
}

td_status td_wal_write_group(td_wal_log *log, td_wal_group *group,
                             td_error *err) {
  bool thin = log->options.window_events > 0 && !group->moved
           && group->kind == TD_BATCH_SIGNALS;
  if (log->state == TD_WAL_POISONED) return out_of_order(log, err);
  if (check_home(log, err) != TD_OK) return log->home->failed.status;
  td_status status = check_group(log, group, err);
  if (status != TD_OK) return status;
  if (thin) thin_out(log, group);
  if (group->events == 0) return TD_OK;
  status = write_sealed(log, group, err);
  if (thin && status != TD_OK) td_wal_window_undo(&log->window, group->events);
  if (thin && status == TD_OK) td_wal_window_settle(&log->window);
  return status;
}
