/* Many threads, one batch: who comes first commits for those who join.
 *
 * Two groups: one fills while the other is written. A thread puts its events
 * into the filling group; the first one in it leads: it waits for the file,
 * and for more events or the delay, takes the group, writes and syncs it
 * outside the lock, and wakes the others. A group is free again when the last
 * of its threads has its result. */
#include <string.h>

#include "io/wal_seams.h"

/* What one call wants appended. */
typedef struct item {
  const td_record *records;  /* or, NULL: */
  td_span payload;
  uint32_t count;
} item;

void td_wal_enter(td_wal_log *log) {
  td_lock_take(&log->lock);
  while (log->busy) td_cond_wait(&log->changed, &log->lock);
  log->busy = true;
  td_lock_release(&log->lock);
}

void td_wal_leave(td_wal_log *log) {
  td_lock_take(&log->lock);
  log->busy = false;
  td_cond_wake(&log->changed);
  td_lock_release(&log->lock);
}

static size_t payload_size(const item *what) {
  return what->records ? (size_t)what->count * TD_RECORD_BYTES
                       : what->payload.size;
}

static bool joins(const td_wal_log *log, const td_wal_group *group,
                  const item *what) {
  return group->stage == TD_GROUP_FILLING && what->records
      && group->kind == TD_BATCH_SIGNALS && !group->hurry
      && group->events + (uint64_t)what->count
           <= log->options.group_events_max;
}

/* The group to join or to start. */
static td_wal_group *wait_for_group(td_wal_log *log, const item *what) {
  for (;;) {
    td_wal_group *group = &log->groups[log->filling];
    if (group->stage == TD_GROUP_FREE || joins(log, group, what)) {
      return group;
    }
    if (group->stage == TD_GROUP_FILLING && !group->hurry) {
      group->hurry = true;
      td_cond_wake(&log->changed);
    }
    td_cond_wait(&log->changed, &log->lock);
  }
}

static td_status fit(const td_wal_log *log, td_wal_group *group, size_t want,
                     td_error *err) {
  if (want <= group->room) return TD_OK;
  void *bytes = td_alloc_resize(&log->home->env.alloc, group->bytes,
                                group->room, want);
  if (!bytes) return td_fail(err, TD_NO_MEMORY, "group of events", want, 0);
  group->bytes = bytes;
  group->room = want;
  return TD_OK;
}

static void put_records(uint8_t *out, const item *what) {
  for (uint32_t i = 0; i < what->count; i++) {
    td_record_encode(&what->records[i], out + (size_t)i * TD_RECORD_BYTES);
  }
}

static td_status put(td_wal_log *log, td_wal_group *group, const item *what,
                     td_error *err) {
  bool fresh = group->stage == TD_GROUP_FREE;
  size_t used = fresh ? 0 : group->size, more = payload_size(what);
  td_status status = fit(log, group, TD_BATCH_HEADER_BYTES + used + more, err);
  if (status != TD_OK) return status;
  if (fresh) {
    group->stage = TD_GROUP_FILLING;
    group->kind = what->records ? TD_BATCH_SIGNALS : TD_BATCH_SESSIONS;
    group->events = 0;
    group->waiting = 0;
    group->hurry = false;
    group->err = (td_error){.status = TD_OK};
  }
  uint8_t *out = group->bytes + TD_BATCH_HEADER_BYTES + used;
  if (what->records) put_records(out, what);
  else if (more > 0) memcpy(out, what->payload.data, more);
  group->size = used + more;
  group->events += what->count;
  group->waiting++;
  return TD_OK;
}

/* Until the file is free and the group is full, hurried or old enough. */
static void wait_to_lead(td_wal_log *log, td_wal_group *group) {
  const td_env *env = &log->home->env;
  uint64_t start = env->clock->mono_ns(env->clock_ctx);
  for (;;) {
    uint64_t waited = env->clock->mono_ns(env->clock_ctx) - start;
    bool ready = group->hurry || group->kind != TD_BATCH_SIGNALS
              || group->events >= log->options.group_events_max
              || waited >= log->options.group_delay_ns;
    if (ready && !log->busy) return;
    if (log->busy) {
      td_cond_wait(&log->changed, &log->lock);
    } else {
      td_cond_wait_for(&log->changed, &log->lock,
                       log->options.group_delay_ns - waited);
    }
  }
}

static void lead(td_wal_log *log, td_wal_group *group) {
  wait_to_lead(log, group);
  log->busy = true;
  group->stage = TD_GROUP_TAKEN;
  log->filling ^= 1;
  td_cond_wake(&log->changed);
  td_lock_release(&log->lock);
  td_status status = td_wal_write_group(log, group, &group->err);
  if (status == TD_OK && td_wal_sync_due(log)) {
    status = td_wal_make_durable(log, &group->err);
  }
  if (status == TD_OK) group->err.status = TD_OK;
  td_lock_take(&log->lock);
  group->stage = TD_GROUP_DONE;
  log->busy = false;
  td_cond_wake(&log->changed);
}

/* The result, once it is there; the last one to have it frees the group. */
static td_status collect(td_wal_log *log, td_wal_group *group, uint32_t index,
                         td_seqno *first, td_error *err) {
  while (group->stage != TD_GROUP_DONE) {
    td_cond_wait(&log->changed, &log->lock);
  }
  td_status status = group->err.status;
  if (status == TD_OK) {
    if (first) first->value = group->first_seq.value + index;
  } else if (err) {
    *err = group->err;
  }
  if (--group->waiting == 0) {
    group->stage = TD_GROUP_FREE;
    td_cond_wake(&log->changed);
  }
  return status;
}

static td_status append(td_wal_log *log, const item *what, td_seqno *first,
                        td_error *err) {
  size_t size = payload_size(what);
  if (what->count == 0) return td_fail(err, TD_LENGTH, "event count", 0, 1);
  if (size > TD_BATCH_PAYLOAD_MAX) {
    return td_fail(err, TD_LENGTH, "payload length", size,
                   TD_BATCH_PAYLOAD_MAX);
  }
  td_lock_take(&log->lock);
  td_wal_group *group = wait_for_group(log, what);
  bool leads = group->stage == TD_GROUP_FREE;
  uint32_t index = leads ? 0 : group->events;
  td_status status = put(log, group, what, err);
  if (status == TD_OK) {
    if (leads) lead(log, group);
    else if (group->events >= log->options.group_events_max) {
      td_cond_wake(&log->changed);
    }
    status = collect(log, group, index, first, err);
  }
  td_lock_release(&log->lock);
  return status;
}

td_status td_wal_log_append(td_wal_log *log, const td_record *records,
                            uint32_t count, td_seqno *first, td_error *err) {
  item what = {.records = records, .count = count};
  return append(log, &what, first, err);
}

td_status td_wal_log_append_sessions(td_wal_log *log, td_span payload,
                                     uint32_t count, td_seqno *first,
                                     td_error *err) {
  item what = {.payload = payload, .count = count};
  return append(log, &what, first, err);
}

/* --- several logs at once --------------------------------------------------- */

/* Takes the file of a log and writes one batch to it. */
static td_status begin_part(td_wal_part *part, td_error *err) {
  td_wal_log *log = part->log;
  item what = {.records = part->records, .count = part->count};
  td_wal_group *group = &log->direct;
  td_wal_enter(log);
  group->stage = TD_GROUP_FREE;
  td_status status = put(log, group, &what, err);
  if (status == TD_OK) status = td_wal_write_group(log, group, err);
  if (status == TD_OK) part->first = group->first_seq;
  return status;
}

/* Parts rise, so two threads never wait for each other. */
static td_status check_parts(const td_wal_part *parts, uint32_t count,
                             td_error *err) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t events = parts[i].count;
    if (events == 0 || events > TD_RECORDS_MAX) {
      return td_fail(err, TD_LENGTH, "event count", events, TD_RECORDS_MAX);
    }
    if (i == 0) continue;
    int order = td_log_id_cmp(parts[i - 1].log->options.log,
                              parts[i].log->options.log);
    if (order < 0) continue;
    td_fail(err, order == 0 ? TD_DUPLICATE : TD_BACKWARD, "parts", i, i - 1);
    if (err) {
      err->index = i - 1;
      err->other = i;
    }
    return order == 0 ? TD_DUPLICATE : TD_BACKWARD;
  }
  return TD_OK;
}

/* The disk may begin with all of them before the first is waited for. */
static void push(const td_wal_part *part) {
  const td_wal_log *log = part->log;
  const td_env *env = &log->home->env;
  if (part->status == TD_OK && log->file && td_wal_sync_due(log)
      && env->store->file_push) {
    env->store->file_push(env->store_ctx, log->file);
  }
}

td_status td_wal_append_all(td_wal_part *parts, uint32_t count,
                            td_error *err) {
  td_error why;
  td_status first = check_parts(parts, count, err);
  if (first != TD_OK) {
    for (uint32_t i = 0; i < count; i++) parts[i].status = first;
    return first;
  }
  for (uint32_t i = 0; i < count; i++) {
    parts[i].status = begin_part(&parts[i], &why);
    if (parts[i].status != TD_OK && first == TD_OK) {
      first = parts[i].status;
      if (err) *err = why;
    }
  }
  for (uint32_t i = 0; i < count; i++) push(&parts[i]);
  for (uint32_t i = 0; i < count; i++) {
    td_wal_log *log = parts[i].log;
    if (parts[i].status == TD_OK && td_wal_sync_due(log)) {
      parts[i].status = td_wal_make_durable(log, &why);
      if (parts[i].status != TD_OK && first == TD_OK) {
        first = parts[i].status;
        if (err) *err = why;
      }
    }
    td_wal_leave(log);
  }
  return first;
}
