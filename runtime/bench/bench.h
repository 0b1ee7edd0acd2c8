/* Ratios that hold on noisy machines.
 *
 * A gate compares two sides, ours and a peer, measured in one process:
 * slices of 1.5 ms, every side once in each of 61 rounds, the order of sides
 * rotated and reversed from round to round, all on one processor. The ratio
 * of the two fastest slices is what is judged; the median of the ratios
 * round by round stands beside it. One side against itself (A/A) shows how
 * far the machine can be trusted. Up to three attempts; one pass is enough.
 *
 * What waits for a disk is measured otherwise: 15 rounds of as many syncs as
 * the pair says, and the median of the ratios round by round is judged.
 *
 * A gate is a ratio, never a time.
 *
 * Thread: owner. */
#ifndef TD_BENCH_BENCH_H
#define TD_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS 61u
#define BENCH_DISK_ROUNDS 15u
#define BENCH_ATTEMPTS 3u
#define BENCH_SLICE_NS 1.5e6
#define BENCH_PAIRS_MAX 16u    /* compared in one run */
#define BENCH_RESULTS_MAX 96u
#define BENCH_NAME_MAX 64u
#define BENCH_PATH_MAX 4096u

/* Does the measured thing `times` times. */
typedef void bench_fn(void *ctx, uint64_t times);

typedef enum bench_rule {
  BENCH_AT_LEAST,  /* ratio = peer / ours: so many times faster */
  BENCH_AT_MOST,   /* ratio = ours / peer: at most so much of it */
} bench_rule;

typedef enum bench_verdict {
  BENCH_OK, BENCH_BELOW, BENCH_SKIP, BENCH_REPORT,
} bench_verdict;

typedef struct bench_result {
  const char *id;             /* of the gate, "G6" */
  char name[BENCH_NAME_MAX];  /* what is compared, or why it was skipped */
  const char *unit;           /* "ns", "ms", "KB" or "GB/s" */
  double ours, peer;
  double ratio, median_ratio; /* the first one is judged */
  double gate;
  bench_rule rule;
  bench_verdict verdict;
} bench_result;

typedef struct bench_pair {
  bench_result result;  /* id, name, gate and rule are the caller's */
  bench_fn *ours, *peer;
  void *ours_ctx, *peer_ctx;
  uint64_t times;       /* of a slice that waits for a disk */
  uint64_t bytes;       /* of one time: GB/s are told, not ns */
} bench_pair;

typedef struct bench {
  char **wanted;  /* gates or groups named on the command line */
  int wanted_count;
  bool quiet;     /* no table while measuring: JSON follows */
  int cpu;        /* measured on; -1 = could not be pinned */
  int other_cpu;  /* for a second thread; -1 = there is none */
  uint32_t count;
  char directory[BENCH_PATH_MAX];  /* where this program lies */
  const char *disk;                /* where files are written */
  bench_result results[BENCH_RESULTS_MAX];
} bench;

uint64_t bench_now(void);

/* Keeps the calling thread on one processor; false: not allowed. */
bool bench_pin(int cpu);
/* Lets it go again, as far as it could before the first pin. */
void bench_unpin(void);
/* The n-th processor this process may use, or -1. */
int bench_cpu(unsigned n);

/* Whether a gate, or the group it belongs to, was asked for. */
bool bench_wanted(const bench *b, const char *group, const char *id);

/* Measures the pairs in one run and keeps their results. A pair with gate 0
 * is only reported. `control` names the A/A line, made of the first pair. */
void bench_measure(bench *b, const char *control, bench_pair *pairs,
                   uint32_t count);

/* The same for what waits for a disk. */
void bench_measure_disk(bench *b, const char *control, bench_pair *pairs,
                        uint32_t count);

/* Keeps one result and prints its line. */
void bench_add(bench *b, const bench_result *result);
void bench_skip(bench *b, const char *id, const char *why);

/* Says whether a ratio passes its gate. */
bench_verdict bench_judge(double ratio, double gate, bench_rule rule);

/* Whether an A/A ratio says that the machine is quiet; else one tries again,
 * but never fails for it. */
bool bench_quiet(double ratio);

double bench_min(const double *list, uint32_t count);
/* Reorders the list. */
double bench_median(double *list, uint32_t count);

/* Memory or the end of the process. */
void *bench_alloc(size_t size);

/* One group of gates each. */
void bench_start(bench *b);
void bench_router(bench *b);
void bench_format(bench *b);
void bench_replication(bench *b);
void bench_log(bench *b);
void bench_log_many(bench *b);
void bench_log_read(bench *b);
void bench_migrate(bench *b);

/* What a program is made of: groups, each with the names of its gates. */
typedef struct bench_group {
  const char *name;
  const char *gates;
  void (*run)(bench *b);
} bench_group;

typedef struct bench_program {
  const char *name;
  const char *notes;  /* the end of its --help */
  const bench_group *groups;
  uint32_t group_count;
  bool pinned;        /* to one processor: no peer needs threads */
  const char *peers;  /* the program that --peers stands for; NULL: none */
} bench_program;

/* main() of such a program: its exit code. */
int bench_main(const bench_program *program, int argc, char **argv);

/* The machine and the results, as one line of JSON. */
void bench_print_json(const bench *b, double steal_ms);
/* Milliseconds another guest had our processors, since start-up. */
double bench_steal_ms(void);

#endif
