/* bin/tidal-unit: every C test, or the suites named as arguments.
 *   TIDAL_SEED=N  seed of the random cases
 *   TIDAL_SOAK=N  every battery goes on for N seconds with new seeds
 *   TIDAL_STOP=1  ends at the first failed check */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned passed, failed;
static unsigned faults;   /* failed checks of the running case */
static char skipped[128]; /* why it was not run */
static time_t started;    /* seconds of a clock that never goes back */

void test_failed(const char *file, int line, const char *format, ...) {
  va_list args;
  faults++;
  if (faults > 20) return;  /* one broken loop must not bury the rest */
  printf("# %s:%d: ", file, line);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
  if (!getenv("TIDAL_STOP")) return;
  fflush(stdout);
  exit(1);
}

void test_skip(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(skipped, sizeof skipped, format, args);
  va_end(args);
}

static time_t seconds(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

void test_case(const char *suite, const char *name, void (*run)(void)) {
  faults = 0;
  skipped[0] = '\0';
  started = seconds();
  run();
  printf("%sok %u - %s: %s%s%s\n", faults ? "not " : "", passed + failed + 1,
         suite, name, skipped[0] ? " # SKIP " : "", skipped);
  fflush(stdout);
  if (faults) failed++; else passed++;
}

uint64_t test_seed(void) {
  const char *text = getenv("TIDAL_SEED");
  return text ? strtoull(text, NULL, 0) : UINT64_C(20261122);
}

bool test_soak(void) {
  return getenv("TIDAL_SOAK") != NULL;
}

bool test_again(void) {
  const char *most = getenv("TIDAL_SOAK");
  return most && seconds() - started < (time_t)strtoull(most, NULL, 10);
}

static const struct { const char *name; void (*run)(void); } suites[] = {
  {"layout", test_layout}, {"parcel", test_parcel},
  {"filter", test_filter}, {"lines", test_lines},
  {"live", test_live}, {"verify", test_verify},
  {"base", test_base}, {"float", test_float}, {"batch", test_batch},
  {"segment", test_segment},
  {"checkpoint", test_checkpoint}, {"router", test_router},
  {"profile", test_profile}, {"traffic", test_traffic}, {"config", test_config},
  {"replication", test_replication}, {"wal", test_wal},
  {"env", test_env}, {"sim", test_sim}, {"log", test_log},
  {"window", test_window}, {"home", test_home}, {"repair", test_repair},
  {"parts", test_parts}, {"moved", test_moved},
  {"recall", test_recall},
  {"journal", test_journal}, {"migrate", test_migrate},
  {"clone", test_clone}, {"retire", test_retire},
  {"migrate_threads", test_migrate_threads}, {"follow", test_follow},
  {"log_threads", test_log_threads}, {"follow_threads", test_follow_threads},
  {"flips", test_flips}, {"cuts", test_cuts}, {"bursts", test_bursts},
  {"crash", test_crash}, {"recovery", test_recovery}, {"faults", test_faults},
  {"memory", test_memory}, {"kill", test_kill}, {"strace", test_strace},
};

static bool wanted(const char *name, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], name) == 0) return true;
  }
  return argc == 1;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--append") == 0) {
    return test_append(argv[2]);
  }
  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
    if (wanted(suites[i].name, argc, argv)) suites[i].run();
  }
  printf("1..%u\n# %u passed, %u failed (seed %llu)\n", passed + failed,
         passed, failed, (unsigned long long)test_seed());
  return failed > 0 || passed == 0;
}
