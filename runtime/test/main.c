/* bin/tidal-unit: every C test, or the suites named as arguments. */
#include "test/test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static unsigned passed, failed;
static unsigned faults;  /* failed checks of the running case */

void test_failed(const char *file, int line, const char *format, ...) {
  va_list args;
  faults++;
  if (faults > 20) return;  /* one broken loop must not bury the rest */
  printf("# %s:%d: ", file, line);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
}

void test_case(const char *suite, const char *name, void (*run)(void)) {
  faults = 0;
  run();
  printf("%sok %u - %s: %s\n", faults ? "not " : "", passed + failed + 1,
         suite, name);
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

static const struct { const char *name; void (*run)(void); } suites[] = {
  {"layout", test_layout}, {"lines", test_lines},
  {"live", test_live}, {"verify", test_verify},
  {"base", test_base}, {"float", test_float}, {"batch", test_batch},
  {"segment", test_segment},
  {"checkpoint", test_checkpoint}, {"router", test_router},
  {"profile", test_profile}, {"traffic", test_traffic}, {"config", test_config},
  {"replication", test_replication}, {"wal", test_wal},
  {"env", test_env}, {"sim", test_sim}, {"log", test_log},
  {"window", test_window}, {"home", test_home}, {"repair", test_repair}, {"parts", test_parts},
  {"log_threads", test_log_threads},
};

static bool wanted(const char *name, int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], name) == 0) return true;
  }
  return argc == 1;
}

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
    if (wanted(suites[i].name, argc, argv)) suites[i].run();
  }
  printf("1..%u\n# %u passed, %u failed (seed %llu)\n", passed + failed,
         passed, failed, (unsigned long long)test_seed());
  return failed > 0 || passed == 0;
}
