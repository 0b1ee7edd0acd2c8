/* Covers model/replication.
 * Marks of logs, also under four threads. */
#include "test/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tidal.h"

#define LOGS 4u
static const td_log_id logs[LOGS] = {
  {{1}, {0}}, {{0}, {65535}}, {{0}, {0}}, {{65535}, {1}},
};

static td_replication *make(void) {
  td_replication *state = malloc(td_replication_size(LOGS));
  CHECK(td_replication_init(state, logs, LOGS, NULL) == TD_OK);
  return state;
}

static uint64_t mark_of(const td_replication *state, td_log_id log) {
  td_mark mark = {0};
  CHECK(td_replication_get(state, log, &mark));
  return mark.seqno.value;
}

static td_status advance(td_replication *state, td_log_id log,
                         uint64_t first, uint64_t last) {
  td_error err;
  return td_replication_advance(state, log, (td_seqno){first},
                                (td_seqno){last}, &err);
}

static void starts_empty_and_sorted(void) {
  td_replication *state = make();
  td_mark mark;
  CHECK_U64(td_replication_count(state), LOGS);
  for (uint32_t i = 0; i < LOGS; i++) {
    mark = td_replication_at(state, i);
    CHECK(mark.seqno.value == 0 && mark.epoch == 0);
    if (i > 0) {
      CHECK(td_log_id_cmp(td_replication_at(state, i - 1).log, mark.log) < 0);
    }
  }
  CHECK(!td_replication_get(state, (td_log_id){{0}, {1}}, &mark));
  free(state);
}

static void refuses_twice(void) {
  td_error err;
  td_log_id twice[] = {{{3}, {3}}, {{1}, {1}}, {{3}, {3}}};
  td_replication *state = malloc(td_replication_size(3));
  CHECK(td_replication_init(state, twice, 3, &err) == TD_DUPLICATE);
  CHECK(err.index == 0 && err.other == 2);
  CHECK(td_replication_init(state, twice, 0, &err) == TD_OK);
  CHECK(td_replication_init(state, twice, TD_LOGS_MAX + 1, &err)
        == TD_TOO_MANY);
  free(state);
}

static void only_forward_without_holes(void) {
  td_replication *state = make();
  CHECK(advance(state, logs[0], 1, 10) == TD_OK);
  CHECK(advance(state, logs[0], 12, 20) == TD_AHEAD);
  CHECK_U64(mark_of(state, logs[0]), 10);
  CHECK(advance(state, logs[0], 11, 11) == TD_OK);
  CHECK(advance(state, logs[0], 1, 5) == TD_OK);    /* known: no-op */
  CHECK(advance(state, logs[0], 5, 15) == TD_OK);   /* overlap */
  CHECK_U64(mark_of(state, logs[0]), 15);
  CHECK(advance(state, logs[0], 0, 5) == TD_SEQUENCE);
  CHECK(advance(state, logs[0], 16, 15) == TD_INVERTED);
  CHECK(advance(state, (td_log_id){{9}, {9}}, 1, 1) == TD_UNKNOWN_LOG);
  CHECK_U64(mark_of(state, logs[1]), 0);
  CHECK(advance(state, logs[1], 1, UINT64_MAX) == TD_OK);
  CHECK_U64(mark_of(state, logs[1]), UINT64_MAX);
  CHECK(advance(state, logs[1], UINT64_MAX, UINT64_MAX) == TD_OK);
  free(state);
}

static void epochs_rise(void) {
  td_error err;
  td_mark mark;
  td_replication *state = make();
  CHECK(td_replication_raise_epoch(state, logs[2], 7, &err) == TD_OK);
  CHECK(td_replication_raise_epoch(state, logs[2], 7, &err) == TD_OK);
  CHECK(td_replication_raise_epoch(state, logs[2], 6, &err) == TD_BACKWARD);
  CHECK(err.got == 6 && err.bound == 7);
  CHECK(td_replication_get(state, logs[2], &mark) && mark.epoch == 7);
  CHECK(td_replication_raise_epoch(state, (td_log_id){{9}, {9}}, 1, &err)
        == TD_UNKNOWN_LOG);
  free(state);
}

static void snapshot_and_restore(void) {
  td_error err;
  td_mark marks[LOGS];
  td_replication *state = make(), *other = make();
  CHECK(advance(state, logs[0], 1, 5) == TD_OK);
  CHECK(advance(state, logs[3], 1, UINT64_MAX) == TD_OK);
  CHECK(td_replication_raise_epoch(state, logs[3], 3, &err) == TD_OK);
  td_replication_snapshot(state, marks);
  CHECK(advance(other, logs[0], 1, 9) == TD_OK);
  CHECK(td_replication_restore(other, marks, LOGS, &err) == TD_OK);
  CHECK_U64(mark_of(other, logs[0]), 9);  /* never back */
  CHECK_U64(mark_of(other, logs[3]), UINT64_MAX);
  marks[2].log = (td_log_id){{8}, {8}};
  marks[0].seqno.value = 77;
  CHECK(td_replication_restore(other, marks, LOGS, &err) == TD_UNKNOWN_LOG);
  CHECK(err.index == 2);
  CHECK_U64(mark_of(other, logs[2]), 0);  /* nothing half-applied */
  free(state);
  free(other);
}

static void lag(void) {
  td_log_id only[] = {{{1}, {0}}, {{7}, {7}}};
  td_replication *leader = make();
  td_replication *follower = malloc(td_replication_size(2));
  CHECK(td_replication_init(follower, only, 2, NULL) == TD_OK);
  CHECK(advance(leader, logs[0], 1, UINT64_MAX) == TD_OK);
  CHECK_U64(td_replication_lag(follower, leader, logs[0]), UINT64_MAX);
  CHECK(advance(follower, logs[0], 1, 10) == TD_OK);
  CHECK_U64(td_replication_lag(follower, leader, logs[0]), UINT64_MAX - 10);
  CHECK_U64(td_replication_lag(leader, follower, logs[0]), 0);
  CHECK_U64(td_replication_lag(leader, follower, only[1]), 0);
  CHECK(advance(leader, logs[1], 1, 4) == TD_OK);
  CHECK_U64(td_replication_lag(follower, leader, logs[1]), 4);
  free(leader);
  free(follower);
}

/* --- threads ------------------------------------------------------------ */

#define WRITERS 4
#define STEPS 50000u

typedef struct worker {
  td_replication *state;
  uint64_t steps;
  uint32_t decreases;
  uint32_t refused;
} worker;

/* Every writer tries every batch in order; only one of them raises it. */
static void *writer(void *arg) {
  worker *self = arg;
  for (uint64_t i = 1; i <= self->steps; i++) {
    for (uint32_t log = 0; log < LOGS; log++) {
      td_status status = td_replication_advance(
        self->state, logs[log], (td_seqno){i}, (td_seqno){i}, NULL);
      if (status != TD_OK) self->refused++;
    }
    if (i % 1024 == 0) {
      td_replication_raise_epoch(self->state, logs[0], (uint32_t)(i / 1024),
                                 NULL);
    }
  }
  return NULL;
}

static void *reader(void *arg) {
  worker *self = arg;
  uint64_t last[LOGS] = {0};
  for (uint64_t done = 0; done < LOGS;) {
    done = 0;
    for (uint32_t i = 0; i < LOGS; i++) {
      uint64_t seen = td_replication_at(self->state, i).seqno.value;
      if (seen < last[i]) self->decreases++;
      last[i] = seen;
      done += seen >= self->steps;
    }
  }
  return NULL;
}

static void four_threads(void) {
  td_replication *state = make();
  uint64_t steps = test_soak() ? STEPS * 100 : STEPS;
  pthread_t threads[WRITERS + 1];
  worker workers[WRITERS + 1];
  for (int i = 0; i <= WRITERS; i++) {
    workers[i] = (worker){state, steps, 0, 0};
    int failed = pthread_create(&threads[i], NULL,
                                i < WRITERS ? writer : reader, &workers[i]);
    CHECK(failed == 0);
  }
  for (int i = 0; i <= WRITERS; i++) pthread_join(threads[i], NULL);
  CHECK_U64(workers[WRITERS].decreases, 0);
  for (int i = 0; i < WRITERS; i++) CHECK_U64(workers[i].refused, 0);
  for (uint32_t i = 0; i < LOGS; i++) CHECK_U64(mark_of(state, logs[i]), steps);
  free(state);
}

void test_replication(void) {
  test_case("replication", "starts at 0, sorted", starts_empty_and_sorted);
  test_case("replication", "refuses a log named twice", refuses_twice);
  test_case("replication", "marks go forward only, without holes",
            only_forward_without_holes);
  test_case("replication", "epochs rise by their own call", epochs_rise);
  test_case("replication", "snapshot and restore", snapshot_and_restore);
  test_case("replication", "lag against another state", lag);
  test_case("replication", "four writers and a reader", four_threads);
}
