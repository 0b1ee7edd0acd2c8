#include "io/wal_parts.h"

#include "io/wal_seams.h"

/* Takes the file of a log and writes one batch to it. */
static td_status begin_part(td_wal_part *part, td_error *err) {
  td_wal_log *log = part->log;
  td_wal_enter(log);
  td_status status = td_wal_put_direct(log, part->records, part->count, err);
  if (status == TD_OK) status = td_wal_write_group(log, &log->direct, err);
  if (status == TD_OK) {
    part->first = td_wal_group_first(log, &log->direct, 0, part->count);
  }
  return status;
}

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
static void push(const td_wal_log *log) {
  const td_env *env = &log->home->env;
  if (log->file && env->store->file_push) {
    env->store->file_push(env->store_ctx, log->file);
  }
}

static td_status finish_part(td_wal_part *part, td_error *err) {
  td_wal_log *log = part->log;
  td_status status = part->status;
  if (status == TD_OK && td_wal_sync_due(log)) {
    status = td_wal_make_durable(log, err);
  }
  td_wal_leave(log);
  return status;
}

/* The first failure is what the caller hears of. */
static void note(td_status status, const td_error *why, td_status *first,
                 td_error *err) {
  if (status == TD_OK || *first != TD_OK) return;
  *first = status;
  if (err) *err = *why;
}

td_status td_wal_append_all(td_wal_part *parts, uint32_t count,
                            td_error *err) {
  td_error why = {.status = TD_OK};
  td_status first = check_parts(parts, count, err);
  for (uint32_t i = 0; i < count; i++) parts[i].status = first;
  if (first != TD_OK) return first;
  for (uint32_t i = 0; i < count; i++) {
    parts[i].status = begin_part(&parts[i], &why);
    note(parts[i].status, &why, &first, err);
  }
  for (uint32_t i = 0; i < count; i++) {
    bool due = parts[i].status == TD_OK && td_wal_sync_due(parts[i].log);
    if (due) push(parts[i].log);
  }
  for (uint32_t i = 0; i < count; i++) {
    parts[i].status = finish_part(&parts[i], &why);
    note(parts[i].status, &why, &first, err);
  }
  return first;
}

/* --- moved events --------------------------------------------------------- */

static td_status begin_moved(td_wal_moved *part, bool held, td_error *err) {
  td_wal_log *log = part->log;
  uint32_t count = (uint32_t)(part->records.size / TD_RECORD_BYTES);
  if (!held) td_wal_enter(log);
  td_status status = td_wal_put_moved(log, part->records, count, err);
  if (status == TD_OK) status = td_wal_write_group(log, &log->direct, err);
  if (status == TD_OK) part->first = log->direct.first_seq;
  return status;
}

td_status td_wal_append_moved(td_wal_moved *parts, uint32_t count, bool held,
                              td_error *err) {
  td_error why = {.status = TD_OK};
  td_status first = TD_OK;
  for (uint32_t i = 0; i < count; i++) {
    note(begin_moved(&parts[i], held, &why), &why, &first, err);
  }
  for (uint32_t i = 0; i < count; i++) {
    push(parts[i].log);
    if (!held) td_wal_leave(parts[i].log);
  }
  return first;
}

td_status td_wal_sync_all(td_wal_home *home, bool held, td_error *err) {
  td_error why = {.status = TD_OK};
  td_status first = TD_OK;
  if (!held) td_wal_hold(home);
  for (td_wal_log *log = home->logs; log; log = log->next) push(log);
  for (td_wal_log *log = home->logs; log; log = log->next) {
    note(td_wal_make_durable(log, &why), &why, &first, err);
  }
  if (!held) td_wal_let_go(home);
  return first;
}

void td_wal_hold(td_wal_home *home) {
  for (td_wal_log *log = home->logs; log; log = log->next) td_wal_enter(log);
}

void td_wal_let_go(td_wal_home *home) {
  for (td_wal_log *log = home->logs; log; log = log->next) td_wal_leave(log);
}
