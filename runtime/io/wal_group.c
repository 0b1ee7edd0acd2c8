/* Many threads, one batch: who comes first commits for those who join.
 *
 * Two groups: one fills while the other is written. A thread puts its events
 * into the filling group; the first one in it leads: it waits for the file,
 * and for more events or the delay, takes the group, writes and syncs it
 * outside the lock, and wakes the others. A group is free again when the last
 * of its threads has its result.
 *
 * With a window of events that came before, the group is thinned out when it
 * is written: by then every earlier group is settled, so who is told that an
 * event is known knows that it is safe. */
#include <string.h>

#include "io/wal_seams.h"

/* What one call wants appended. */
typedef struct item {
  const td_record *records;  /* or, NULL: */
  td_span payload;           /* of sessions, or with `moved` of events */
  bool moved;
  uint32_t count;
  td_seqno *numbers;  /* out, of each event; may be NULL */
  td_seqno first;     /* out */
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

/* Room for what becomes of each event. */
static td_status fit_places(const td_wal_log *log, td_wal_group *group,
                            uint32_t events, td_error *err) {
  size_t want = events * sizeof *group->places;
  if (log->options.window_events == 0 || want <= group->places_room) {
    return TD_OK;
  }
  void *places = td_alloc_resize(&log->home->env.alloc, group->places,
                                 group->places_room, want);
  if (!places) return td_fail(err, TD_NO_MEMORY, "group of events", want, 0);
  group->places = places;
  group->places_room = want;
  return TD_OK;
}

static void put_records(uint8_t *out, const item *what) {
  for (uint32_t i = 0; i < what->count; i++) {
    td_record_encode(&what->records[i], out + (size_t)i * TD_RECORD_BYTES);
  }
}

static void name_layout(const td_wal_log *log, td_error *err) {
  char name[TD_LAYOUT_NAME_MAX];
  td_layout_name(log->home->epoch, name);
  td_error_at(err, name, TD_NO_OFFSET);
}

td_status td_wal_check_region(const td_wal_log *log, td_error *err) {
  const td_wal_routes *routes = &log->home->routes;
  td_region_id region = log->options.log.region;
  if (log->home->epoch == 0 || td_wal_routes_region(routes, region)) {
    return TD_OK;
  }
  td_fail(err, TD_REGION, "region", region.value,
          routes->layout.region_count);
  name_layout(log, err);
  return TD_REGION;
}

td_status td_wal_check_owner(const td_wal_log *log, td_entity_id entity,
                             uint32_t index, td_error *err) {
  const td_wal_routes *routes = &log->home->routes;
  td_shard_id owner = td_wal_route(routes, entity);
  if (td_shard_id_eq(owner, log->options.log.shard)) return TD_OK;
  td_fail(err, TD_MOVED, "event", entity.value, owner.value);
  name_layout(log, err);
  if (err) err->index = index;
  return TD_MOVED;
}

/* Events that moved are checked by who moves them. */
static td_status check_owners(const td_wal_log *log, const item *what,
                              td_error *err) {
  td_status status = what->moved ? TD_OK : td_wal_check_region(log, err);
  if (status != TD_OK || !what->records || log->home->epoch == 0) {
    return status;
  }
  for (uint32_t i = 0; i < what->count; i++) {
    status = td_wal_check_owner(log, what->records[i].entity, i, err);
    if (status != TD_OK) return status;
  }
  return TD_OK;
}

static void start(const td_wal_log *log, td_wal_group *group,
                  const item *what) {
  bool signals = what->records || what->moved;
  group->stage = TD_GROUP_FILLING;
  group->kind = signals ? TD_BATCH_SIGNALS : TD_BATCH_SESSIONS;
  group->moved = what->moved;
  group->epoch = log->home->epoch;
  group->events = 0;
  group->waiting = 0;
  group->hurry = false;
  group->err = (td_error){.status = TD_OK};
}

static td_status put(td_wal_log *log, td_wal_group *group, const item *what,
                     td_error *err) {
  bool fresh = group->stage == TD_GROUP_FREE;
  size_t used = fresh ? 0 : group->size, more = payload_size(what);
  td_status status = check_owners(log, what, err);
  if (status != TD_OK) return status;
  status = fit(log, group, TD_BATCH_HEADER_BYTES + used + more, err);
  if (status == TD_OK) {
    status = fit_places(log, group, (fresh ? 0 : group->events) + what->count,
                        err);
  }
  if (status != TD_OK) return status;
  if (fresh) start(log, group, what);
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

/* The number of the event that was put in as number i; 0 = it was known. */
static td_seqno number_of(const td_wal_log *log, const td_wal_group *group,
                          uint32_t i) {
  bool thin = log->options.window_events > 0 && !group->moved;
  if (thin && group->kind == TD_BATCH_SIGNALS) {
    i = group->places[i];
    if (i == TD_WAL_KNOWN) return (td_seqno){0};
  }
  return (td_seqno){group->first_seq.value + i};
}

td_seqno td_wal_group_first(const td_wal_log *log, const td_wal_group *group,
                            uint32_t first, uint32_t count) {
  td_seqno number = {0};
  for (uint32_t i = first; i < first + count && number.value == 0; i++) {
    number = number_of(log, group, i);
  }
  return number;
}

static void tell(const td_wal_log *log, const td_wal_group *group,
                 uint32_t index, item *what) {
  what->first = td_wal_group_first(log, group, index, what->count);
  if (!what->numbers) return;
  for (uint32_t i = 0; i < what->count; i++) {
    what->numbers[i] = number_of(log, group, index + i);
  }
}

/* The result, once it is there; the last one to have it frees the group. */
static td_status collect(td_wal_log *log, td_wal_group *group, uint32_t index,
                         item *what, td_error *err) {
  while (group->stage != TD_GROUP_DONE) {
    td_cond_wait(&log->changed, &log->lock);
  }
  td_status status = group->err.status;
  if (status == TD_OK) tell(log, group, index, what);
  else if (err) *err = group->err;
  if (--group->waiting == 0) {
    group->stage = TD_GROUP_FREE;
    td_cond_wake(&log->changed);
  }
  return status;
}

static td_status check_count(const td_wal_log *log, const item *what,
                             td_error *err) {
  size_t size = payload_size(what);
  uint32_t window = log->options.window_events;
  if (what->count == 0) return td_fail(err, TD_LENGTH, "event count", 0, 1);
  if (what->records && window > 0 && what->count > window) {
    return td_fail(err, TD_LENGTH, "event count (the window's limit)",
                   what->count, window);
  }
  if (size <= TD_BATCH_PAYLOAD_MAX) return TD_OK;
  return td_fail(err, TD_LENGTH, "payload length", size,
                 TD_BATCH_PAYLOAD_MAX);
}

static td_status append(td_wal_log *log, item *what, td_error *err) {
  td_status status = check_count(log, what, err);
  if (status != TD_OK) return status;
  td_lock_take(&log->lock);
  td_wal_group *group = wait_for_group(log, what);
  bool leads = group->stage == TD_GROUP_FREE;
  uint32_t index = leads ? 0 : group->events;
  status = put(log, group, what, err);
  if (status == TD_OK) {
    if (leads) lead(log, group);
    else if (group->events >= log->options.group_events_max) {
      td_cond_wake(&log->changed);
    }
    status = collect(log, group, index, what, err);
  }
  td_lock_release(&log->lock);
  return status;
}

td_status td_wal_put_direct(td_wal_log *log, const td_record *records,
                            uint32_t count, td_error *err) {
  item what = {.records = records, .count = count};
  td_status status = check_count(log, &what, err);
  log->direct.stage = TD_GROUP_FREE;
  return status == TD_OK ? put(log, &log->direct, &what, err) : status;
}

td_status td_wal_put_moved(td_wal_log *log, td_span payload, uint32_t count,
                           td_error *err) {
  item what = {.payload = payload, .count = count, .moved = true};
  td_status status = check_count(log, &what, err);
  log->direct.stage = TD_GROUP_FREE;
  return status == TD_OK ? put(log, &log->direct, &what, err) : status;
}

td_status td_wal_log_append(td_wal_log *log, const td_record *records,
                            uint32_t count, td_seqno *first, td_error *err) {
  item what = {.records = records, .count = count};
  td_status status = append(log, &what, err);
  if (status == TD_OK && first) *first = what.first;
  return status;
}

td_status td_wal_log_append_each(td_wal_log *log, const td_record *records,
                                 uint32_t count, td_seqno *numbers,
                                 td_error *err) {
  item what = {.records = records, .count = count, .numbers = numbers};
  return append(log, &what, err);
}

td_status td_wal_log_append_sessions(td_wal_log *log, td_span payload,
                                     uint32_t count, td_seqno *first,
                                     td_error *err) {
  item what = {.payload = payload, .count = count};
  td_status status = append(log, &what, err);
  if (status == TD_OK && first) *first = what.first;
  return status;
}
