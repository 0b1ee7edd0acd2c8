/* G17: how long `tidal-lua -e ''` takes from start to end, and how much
 * memory it holds at most, beside lua5.4 and tarantool. Whole processes, run
 * in turn; a program that is not installed is skipped.
 *
 * A child's peak counts from what its parent held when it was started, so
 * this group runs first, while that is little. */
#define _GNU_SOURCE  /* wait4 */
#include "bench/bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS 31u

extern char **environ;

typedef enum which { OURS, LUA, AGAIN, TARANTOOL, PROGRAMS } which;

typedef struct program {
  const char *argv[4];
  bool missing;
  double ns[RUNS];
  double kb[RUNS];
} program;

/* One run to its end; false: not installed, or it failed. */
static bool run_once(program *p, uint32_t at) {
  posix_spawn_file_actions_t quiet;
  struct rusage used;
  pid_t pid;
  int status, failed;
  char *argv[4] = {NULL};
  for (int i = 0; i < 3 && p->argv[i]; i++) {
    memcpy(&argv[i], &p->argv[i], sizeof argv[i]);
  }
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  uint64_t start = bench_now();
  failed = posix_spawnp(&pid, p->argv[0], &quiet, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (failed || wait4(pid, &status, 0, &used) != pid) return false;
  p->ns[at] = (double)(bench_now() - start);
  p->kb[at] = (double)used.ru_maxrss;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Everything in turn, in another order each time. */
static void run_all(program *programs) {
  for (unsigned i = 0; i < PROGRAMS; i++) {
    programs[i].missing = !run_once(&programs[i], 0);
  }
  for (uint32_t round = 0; round < RUNS; round++) {
    for (uint32_t i = 0; i < PROGRAMS; i++) {
      uint32_t at = round % 2 ? PROGRAMS - 1 - i : i;
      program *p = &programs[(at + round) % PROGRAMS];
      if (!p->missing && !run_once(p, round)) p->missing = true;
    }
  }
}

static bench_result compare(const char *name, const char *unit,
                            const double *ours, const double *peer,
                            double gate) {
  double ratios[RUNS];
  bench_result r = {.id = "G17", .unit = unit, .gate = gate,
                    .rule = BENCH_AT_MOST};
  snprintf(r.name, sizeof r.name, "%s", name);
  for (uint32_t i = 0; i < RUNS; i++) ratios[i] = ours[i] / peer[i];
  r.ours = bench_min(ours, RUNS);
  r.peer = bench_min(peer, RUNS);
  r.ratio = r.ours / r.peer;
  r.median_ratio = bench_median(ratios, RUNS);
  r.verdict = bench_judge(r.ratio, gate, r.rule);
  return r;
}

/* The best of the attempts. */
static void better(bench_result *best, bench_result now) {
  if (!best->id || now.ratio < best->ratio) *best = now;
}

enum { TIME, PEAK, TARANTOOL_TIME, CONTROL, LINES };

/* One attempt; true when no further one is needed. */
static bool attempt(program *programs, bench_result *best) {
  const program *ours = &programs[OURS], *lua = &programs[LUA];
  run_all(programs);
  if (ours->missing || lua->missing) return true;
  better(&best[TIME], compare("start-up vs lua5.4 -e ''", "ns", ours->ns,
                              lua->ns, 1.15));
  better(&best[PEAK], compare("peak memory vs lua5.4 -e ''", "KB", ours->kb,
                              lua->kb, 1.5));
  best[CONTROL] = compare("control of G17", "ns", lua->ns,
                          programs[AGAIN].ns, 0);
  best[CONTROL].id = "A/A";
  if (!programs[TARANTOOL].missing) {
    better(&best[TARANTOOL_TIME],
           compare("start-up vs tarantool", "ns", ours->ns,
                   programs[TARANTOOL].ns, 0.125));
  }
  for (unsigned i = 0; i < LINES; i++) {
    if (best[i].id && best[i].verdict == BENCH_BELOW) return false;
  }
  return bench_quiet(best[CONTROL].ratio);
}

static double own_peak(void) {
  struct rusage used;
  return getrusage(RUSAGE_SELF, &used) == 0 ? (double)used.ru_maxrss : 0;
}

void bench_start(bench *b) {
  static program programs[PROGRAMS] = {
    [LUA] = {.argv = {"lua5.4", "-e", ""}},
    [AGAIN] = {.argv = {"lua5.4", "-e", ""}},
    [TARANTOOL] = {.argv = {"tarantool", "-e", "os.exit(0)"}},
  };
  bench_result best[LINES] = {{0}};
  char path[BENCH_PATH_MAX + 16];
  if (!bench_wanted(b, "start", "G17")) return;
  snprintf(path, sizeof path, "%s/tidal-lua", b->directory);
  programs[OURS] = (program){.argv = {path, "-e", ""}};
  for (uint32_t i = 0; i < BENCH_ATTEMPTS; i++) {
    if (attempt(programs, best)) break;
  }
  if (programs[OURS].missing) {
    bench_skip(b, "G17", "start-up: no tidal-lua beside this program");
  } else if (programs[LUA].missing) {
    bench_skip(b, "G17", "start-up: lua5.4 is not installed");
  } else if (best[PEAK].peer <= own_peak()) {
    bench_skip(b, "G17", "peak memory: hidden by this program's own");
    best[PEAK].id = NULL;
  }
  if (!best[TARANTOOL_TIME].id) {
    bench_skip(b, "G17", "start-up: tarantool is not installed");
  }
  for (unsigned i = 0; i < LINES; i++) {
    if (best[i].id) bench_add(b, &best[i]);
  }
}
