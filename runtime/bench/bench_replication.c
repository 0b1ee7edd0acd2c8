/* G19: two threads raise the marks of two logs, against both raising the
 * mark of one. Marks lie a cache line apart, so different logs must not slow
 * each other down. */
#include "bench/bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/replication.h"

/* What the two threads do in one slice. */
typedef struct job {
  struct pair *pair;
  td_replication *state;
  td_log_id logs[2];
  uint64_t times;
  uint64_t from;  /* mark reached before the slice: they can only grow */
} job;

/* The caller and one more thread, which waits for `round` to change. It
 * spins: a slice is too short to sleep before. */
typedef struct pair {
  pthread_t thread;
  int cpu;
  job *job;
  _Atomic uint32_t round;
  atomic_bool done;
} pair;

/* The marks rise in turn, as from two connections that carry one log. */
static void raise_marks(const job *j, unsigned lane) {
  for (uint64_t i = 0; i < j->times; i++) {
    td_seqno last = {j->from + 2 * i + 1 + lane};
    td_assert(td_replication_advance(j->state, j->logs[lane], (td_seqno){1},
                                     last, NULL) == TD_OK);
  }
}

static void *help(void *ctx) {
  pair *p = ctx;
  bench_pin(p->cpu);
  for (uint32_t seen = 0;;) {
    if (atomic_load(&p->round) == seen) continue;
    seen++;
    if (!p->job) return NULL;
    raise_marks(p->job, 1);
    atomic_store(&p->done, true);
  }
}

static void run(void *ctx, uint64_t times) {
  job *j = ctx;
  pair *p = j->pair;
  j->times = times;
  p->job = j;
  atomic_store(&p->done, false);
  atomic_fetch_add(&p->round, 1);
  raise_marks(j, 0);
  while (!atomic_load(&p->done)) {}
  j->from += 2 * times;
}

static void start_job(job *j, pair *p, const td_log_id *logs, bool same) {
  *j = (job){.pair = p, .state = bench_alloc(td_replication_size(2)),
             .logs = {logs[0], logs[same ? 0 : 1]}};
  td_assert(td_replication_init(j->state, logs, 2, NULL) == TD_OK);
}

static void measure(bench *b) {
  static const td_log_id logs[] = {{{0}, {0}}, {{0}, {1}}};
  pair p = {.cpu = b->other_cpu};
  job apart, together;
  start_job(&apart, &p, logs, false);
  start_job(&together, &p, logs, true);
  bench_pair compared = {
    .result = {.id = "G19", .name = "advance, 2 threads: two logs vs one log",
               .gate = 0.85, .rule = BENCH_AT_MOST},
    .ours = run, .peer = run, .ours_ctx = &apart, .peer_ctx = &together};
  if (pthread_create(&p.thread, NULL, help, &p) != 0) {
    bench_skip(b, "G19", "advance: no second thread");
    return;
  }
  bench_measure(b, "G19", &compared, 1);
  p.job = NULL;
  atomic_fetch_add(&p.round, 1);
  pthread_join(p.thread, NULL);
  free(apart.state);
  free(together.state);
}

void bench_replication(bench *b) {
  if (!bench_wanted(b, "replication", "G19")) return;
  if (b->cpu < 0 || b->other_cpu < 0) {
    bench_skip(b, "G19", "advance: needs two processors");
  } else {
    measure(b);
  }
}
