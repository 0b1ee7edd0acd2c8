#define _GNU_SOURCE  /* processors of a thread */
#include "bench/bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t bench_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int bench_cpu(unsigned n) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET((size_t)cpu, &set) && n-- == 0) return cpu;
  }
  return -1;
}

static cpu_set_t before_pin;

bool bench_pin(int cpu) {
  cpu_set_t set;
  if (cpu < 0) return false;
  if (CPU_COUNT(&before_pin) == 0) {
    (void)sched_getaffinity(0, sizeof before_pin, &before_pin);
  }
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

void bench_unpin(void) {
  if (CPU_COUNT(&before_pin) == 0) return;
  (void)sched_setaffinity(0, sizeof before_pin, &before_pin);
}

void *bench_alloc(size_t size) {
  void *block = malloc(size);
  if (!block) {
    fprintf(stderr, "tidal-bench: no memory\n");
    exit(1);
  }
  return block;
}

bool bench_wanted(const bench *b, const char *group, const char *id) {
  for (int i = 0; i < b->wanted_count; i++) {
    if (strcmp(b->wanted[i], id) == 0) return true;
    if (strcmp(b->wanted[i], group) == 0) return true;
  }
  return b->wanted_count == 0;
}

/* --- numbers -------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_min(const double *list, uint32_t count) {
  double min = list[0];
  for (uint32_t i = 1; i < count; i++) min = list[i] < min ? list[i] : min;
  return min;
}

double bench_median(double *list, uint32_t count) {
  qsort(list, count, sizeof *list, compare);
  return list[count / 2];
}

bench_verdict bench_judge(double ratio, double gate, bench_rule rule) {
  if (gate <= 0) return BENCH_REPORT;
  bool passed = rule == BENCH_AT_LEAST ? ratio >= gate : ratio <= gate;
  return passed ? BENCH_OK : BENCH_BELOW;
}

bool bench_quiet(double ratio) {
  return ratio >= 0.93 && ratio <= 1.07;
}

static double ratio_of(double ours, double peer, bench_rule rule) {
  return rule == BENCH_AT_LEAST ? peer / ours : ours / peer;
}

/* --- one run -------------------------------------------------------------- */

typedef struct side {
  bench_fn *run;
  void *ctx;
  uint64_t times;  /* per slice */
  double ns[BENCH_ROUNDS];
} side;

/* How a run is made. */
typedef struct method {
  uint32_t rounds;
  bool disk;  /* times are given, medians are judged */
} method;

static const method COMPUTING = {BENCH_ROUNDS, false};
static const method WRITING = {BENCH_DISK_ROUNDS, true};

static double slice(const side *s) {
  uint64_t start = bench_now();
  s->run(s->ctx, s->times);
  return (double)(bench_now() - start);
}

/* Warms the side up, then sizes its slice. */
static void calibrate(side *s) {
  double ns = 0;
  for (s->times = 1; ns < BENCH_SLICE_NS / 4; s->times *= 2) ns = slice(s);
  ns = slice(s);
  s->times = (uint64_t)((double)s->times * BENCH_SLICE_NS / ns) + 1;
}

static void run_rounds(const method *how, side *sides, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (how->disk) slice(&sides[i]);
    else calibrate(&sides[i]);
  }
  for (uint32_t round = 0; round < how->rounds; round++) {
    for (uint32_t i = 0; i < count; i++) {
      uint32_t at = round % 2 ? count - 1 - i : i;
      side *s = &sides[(at + round) % count];
      s->ns[round] = slice(s) / (double)s->times;
    }
  }
}

static double median_of(const double *list, uint32_t count) {
  double copy[BENCH_ROUNDS];
  memcpy(copy, list, count * sizeof *list);
  return bench_median(copy, count);
}

static void conclude(const method *how, bench_result *r, const side *ours,
                     const side *peer) {
  double ratios[BENCH_ROUNDS];
  for (uint32_t i = 0; i < how->rounds; i++) {
    ratios[i] = ratio_of(ours->ns[i], peer->ns[i], r->rule);
  }
  r->unit = "ns";
  r->median_ratio = bench_median(ratios, how->rounds);
  if (how->disk) {
    r->ours = median_of(ours->ns, how->rounds);
    r->peer = median_of(peer->ns, how->rounds);
    r->ratio = r->median_ratio;
  } else {
    r->ours = bench_min(ours->ns, how->rounds);
    r->peer = bench_min(peer->ns, how->rounds);
    r->ratio = ratio_of(r->ours, r->peer, r->rule);
  }
  r->verdict = bench_judge(r->ratio, r->gate, r->rule);
}

/* One attempt; true when no further one is needed. */
static bool attempt(const method *how, side *sides, bench_pair *pairs,
                    uint32_t count, bench_result *control) {
  bool done;
  run_rounds(how, sides, 2 * count + 2);
  conclude(how, control, &sides[2 * count], &sides[2 * count + 1]);
  done = bench_quiet(control->ratio);
  for (uint32_t i = 0; i < count; i++) {
    bench_result now = pairs[i].result;
    conclude(how, &now, &sides[2 * i], &sides[2 * i + 1]);
    if (pairs[i].result.verdict != BENCH_OK || now.verdict == BENCH_OK) {
      pairs[i].result = now;
    }
    if (pairs[i].result.verdict == BENCH_BELOW) done = false;
  }
  return done;
}

/* Times become speeds; the ratio stays. */
static void tell_speed(bench_result *r, uint64_t bytes) {
  r->unit = "GB/s";
  r->ours = (double)bytes / r->ours;
  r->peer = (double)bytes / r->peer;
}

static void measure(bench *b, const method *how, const char *control,
                    bench_pair *pairs, uint32_t count) {
  bench_result same = {.id = "A/A", .rule = BENCH_AT_LEAST};
  if (count == 0 || count > BENCH_PAIRS_MAX) return;
  snprintf(same.name, sizeof same.name, "control of %s", control);
  side *sides = bench_alloc((2 * count + 2) * sizeof *sides);
  for (uint32_t i = 0; i < count; i++) {
    const bench_pair *p = &pairs[i];
    pairs[i].result.verdict = BENCH_BELOW;
    sides[2 * i] = (side){p->ours, p->ours_ctx, p->times, {0}};
    sides[2 * i + 1] = (side){p->peer, p->peer_ctx, p->times, {0}};
  }
  sides[2 * count] = sides[2 * count + 1] = sides[0];
  for (uint32_t i = 0; i < BENCH_ATTEMPTS; i++) {
    if (attempt(how, sides, pairs, count, &same)) break;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (pairs[i].bytes > 0) tell_speed(&pairs[i].result, pairs[i].bytes);
    bench_add(b, &pairs[i].result);
  }
  if (!bench_quiet(same.ratio)) {
    snprintf(same.name, sizeof same.name, "control of %s: noisy", control);
  }
  bench_add(b, &same);
  free(sides);
}

void bench_measure(bench *b, const char *control, bench_pair *pairs,
                   uint32_t count) {
  measure(b, &COMPUTING, control, pairs, count);
}

void bench_measure_disk(bench *b, const char *control, bench_pair *pairs,
                        uint32_t count) {
  measure(b, &WRITING, control, pairs, count);
}

/* --- results -------------------------------------------------------------- */

static void print_line(const bench_result *r) {
  static const char *const verdicts[] = {"ok", "BELOW", "skip", ""};
  if (r->verdict == BENCH_SKIP) {
    printf("%-5s %-60s SKIP\n", r->id, r->name);
    return;
  }
  char gate[32] = "";
  if (r->gate > 0) {
    snprintf(gate, sizeof gate, "%s%.4g",
             r->rule == BENCH_AT_LEAST ? ">=" : "<=", r->gate);
  }
  printf("%-5s %-48s %11.1f %11.1f %-4s %7.2fx %7.2fx %7s %s\n", r->id, r->name,
         r->ours, r->peer, r->unit, r->ratio, r->median_ratio, gate,
         verdicts[r->verdict]);
}

void bench_add(bench *b, const bench_result *result) {
  if (b->count == BENCH_RESULTS_MAX) {
    fprintf(stderr, "tidal-bench: more results than %u\n", BENCH_RESULTS_MAX);
    exit(1);
  }
  if (!b->quiet) {
    if (b->count == 0) {
      printf("%-5s %-48s %11s %11s %13s %8s %7s\n", "gate", "what", "ours",
             "peer", "ratio", "median", "gate");
    }
    print_line(result);
    fflush(stdout);
  }
  b->results[b->count++] = *result;
}

void bench_skip(bench *b, const char *id, const char *why) {
  bench_result r = {.id = id, .unit = "ns", .verdict = BENCH_SKIP};
  snprintf(r.name, sizeof r.name, "%s", why);
  bench_add(b, &r);
}
