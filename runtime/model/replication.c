#include "model/replication.h"

#include <stdatomic.h>

#include "base/sort.h"

/* 64 bytes apart, so that two logs' marks never share a cache line. */
typedef struct cell {
  _Atomic uint64_t seqno;
  _Atomic uint32_t epoch;
  td_log_id log;
  uint8_t padding[48];
} cell;

_Static_assert(sizeof(cell) == 64, "one mark per cache line");

struct td_replication {
  uint32_t count;
  uint8_t padding[60];
  cell cells[];  /* sorted by log */
};

size_t td_replication_size(uint32_t log_count) {
  return sizeof(td_replication) + sizeof(cell) * (size_t)log_count;
}

static bool before(const void *a, const void *b) {
  const cell *left = a, *right = b;
  return td_log_id_cmp(left->log, right->log) < 0;
}

/* Which two entries of the caller's list name this log. */
static td_status twice(const td_log_id *logs, td_log_id log, td_error *err) {
  uint32_t first = 0;
  while (!td_log_id_eq(logs[first], log)) first++;
  uint32_t second = first + 1;
  while (!td_log_id_eq(logs[second], log)) second++;
  td_fail(err, TD_DUPLICATE, "log", 0, 0);
  if (err) {
    err->index = first;
    err->other = second;
  }
  return TD_DUPLICATE;
}

td_status td_replication_init(td_replication *state, const td_log_id *logs,
                              uint32_t count, td_error *err) {
  if (count > TD_LOGS_MAX) {
    return td_fail(err, TD_TOO_MANY, "logs", count, TD_LOGS_MAX);
  }
  state->count = count;
  for (uint32_t i = 0; i < count; i++) {
    atomic_init(&state->cells[i].seqno, 0);
    atomic_init(&state->cells[i].epoch, 0);
    state->cells[i].log = logs[i];
  }
  td_sort(state->cells, count, sizeof(cell), before);
  for (uint32_t i = 1; i < count; i++) {
    td_log_id log = state->cells[i].log;
    if (td_log_id_eq(state->cells[i - 1].log, log)) {
      return twice(logs, log, err);
    }
  }
  return TD_OK;
}

uint32_t td_replication_count(const td_replication *state) {
  return state->count;
}

/* The log's cell, or NULL. */
static const cell *find(const td_replication *state, td_log_id log) {
  uint32_t low = 0, high = state->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = td_log_id_cmp(state->cells[middle].log, log);
    if (order == 0) return &state->cells[middle];
    if (order < 0) low = middle + 1; else high = middle;
  }
  return NULL;
}

static cell *find_mutable(td_replication *state, td_log_id log) {
  const cell *found = find(state, log);
  return found ? &state->cells[found - state->cells] : NULL;
}

static td_mark mark_of(const cell *at) {
  return (td_mark){
    .log = at->log,
    .epoch = atomic_load_explicit(&at->epoch, memory_order_acquire),
    .seqno = {atomic_load_explicit(&at->seqno, memory_order_acquire)},
  };
}

td_mark td_replication_at(const td_replication *state, uint32_t index) {
  td_assert(index < state->count);
  return mark_of(&state->cells[index]);
}

bool td_replication_get(const td_replication *state, td_log_id log,
                        td_mark *out) {
  const cell *at = find(state, log);
  if (!at) return false;
  *out = mark_of(at);
  return true;
}

/* Raises an atomic word to at least `value`. Release: who reads the new mark
 * sees what was applied before it. */
static void raise_seqno(_Atomic uint64_t *word, uint64_t value) {
  uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
  while (seen < value
         && !atomic_compare_exchange_weak_explicit(word, &seen, value,
                                                   memory_order_release,
                                                   memory_order_relaxed)) {
  }
}

static void raise_word(_Atomic uint32_t *word, uint32_t value) {
  uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
  while (seen < value
         && !atomic_compare_exchange_weak_explicit(word, &seen, value,
                                                   memory_order_release,
                                                   memory_order_relaxed)) {
  }
}

/* The hole check needs no lock: marks only grow, so a batch that fits now
 * fits later too. */
td_status td_replication_advance(td_replication *state, td_log_id log,
                                 td_seqno first, td_seqno last,
                                 td_error *err) {
  cell *at = find_mutable(state, log);
  if (!at) return td_fail(err, TD_UNKNOWN_LOG, "log", 0, 0);
  if (first.value == 0) return td_fail(err, TD_SEQUENCE, "first", 0, 1);
  if (last.value < first.value) {
    return td_fail(err, TD_INVERTED, "batch:", last.value, first.value);
  }
  uint64_t seen = atomic_load_explicit(&at->seqno, memory_order_relaxed);
  if (first.value - 1 > seen) {
    return td_fail(err, TD_AHEAD, "batch", first.value, seen);
  }
  raise_seqno(&at->seqno, last.value);
  return TD_OK;
}

td_status td_replication_raise_epoch(td_replication *state, td_log_id log,
                                     uint32_t epoch, td_error *err) {
  cell *at = find_mutable(state, log);
  if (!at) return td_fail(err, TD_UNKNOWN_LOG, "log", 0, 0);
  uint32_t seen = atomic_load_explicit(&at->epoch, memory_order_relaxed);
  if (epoch < seen) return td_fail(err, TD_BACKWARD, "epoch", epoch, seen);
  raise_word(&at->epoch, epoch);
  return TD_OK;
}

void td_replication_snapshot(const td_replication *state, td_mark *out) {
  for (uint32_t i = 0; i < state->count; i++) {
    out[i] = mark_of(&state->cells[i]);
  }
}

td_status td_replication_restore(td_replication *state, const td_mark *marks,
                                 uint32_t count, td_error *err) {
  for (uint32_t i = 0; i < count; i++) {
    if (find(state, marks[i].log)) continue;
    td_fail(err, TD_UNKNOWN_LOG, "log of a mark", 0, 0);
    if (err) err->index = i;
    return TD_UNKNOWN_LOG;
  }
  for (uint32_t i = 0; i < count; i++) {
    cell *at = find_mutable(state, marks[i].log);
    raise_word(&at->epoch, marks[i].epoch);
    raise_seqno(&at->seqno, marks[i].seqno.value);
  }
  return TD_OK;
}

uint64_t td_replication_lag(const td_replication *state,
                            const td_replication *other, td_log_id log) {
  td_mark here = {0}, there = {0};
  td_replication_get(state, log, &here);
  td_replication_get(other, log, &there);
  return there.seqno.value > here.seqno.value
       ? there.seqno.value - here.seqno.value : 0;
}
