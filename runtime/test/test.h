/* The whole C test framework: named cases, checks that go on after a
 * failure, TAP on standard output. */
#ifndef TD_TEST_TEST_H
#define TD_TEST_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Runs one case and prints "ok N - suite: name" or "not ok ...". */
void test_case(const char *suite, const char *name, void (*run)(void));

/* Notes a failed check of the running case and where it stands. */
void test_failed(const char *file, int line, const char *format, ...)
  __attribute__((format(printf, 3, 4)));

/* Seed of the random cases: TIDAL_SEED, or the fixed one. */
uint64_t test_seed(void);

/* True when longer runs are asked for: TIDAL_SOAK, in seconds. */
bool test_soak(void);
/* Shall the running case do the same again, with other seeds? In a longer
 * run so until its seconds are over. */
bool test_again(void);

/* The running case cannot be run here; it says why. */
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(what) \
  ((what) ? (void)0 : test_failed(__FILE__, __LINE__, "%s", #what))

#define CHECK_U64(got, want) \
  do { \
    uint64_t got_ = (got), want_ = (want); \
    if (got_ != want_) { \
      test_failed(__FILE__, __LINE__, "%s is 0x%016llx, want 0x%016llx", \
                  #got, (unsigned long long)got_, \
                  (unsigned long long)want_); \
    } \
  } while (0)

#define CHECK_TEXT(got, want) \
  do { \
    const char *got_ = (got), *want_ = (want); \
    if (strcmp(got_, want_) != 0) { \
      test_failed(__FILE__, __LINE__, "%s is \"%s\", want \"%s\"", #got, \
                  got_, want_); \
    } \
  } while (0)

/* tidal-unit --append DIR, the writer that suite "strace" lets fail. */
int test_append(const char *path);

/* One function per test file, called from main.c. */
void test_layout(void);
void test_parcel(void);
void test_filter(void);
void test_lines(void);
void test_live(void);
void test_verify(void);
void test_base(void);
void test_float(void);
void test_batch(void);
void test_checkpoint(void);
void test_config(void);
void test_env(void);
void test_follow(void);
void test_follow_threads(void);
void test_bursts(void);
void test_crash(void);
void test_cuts(void);
void test_faults(void);
void test_flips(void);
void test_kill(void);
void test_memory(void);
void test_log(void);
void test_home(void);
void test_repair(void);
void test_window(void);
void test_moved(void);
void test_recall(void);
void test_journal(void);
void test_migrate(void);
void test_clone(void);
void test_retire(void);
void test_migrate_threads(void);
void test_parts(void);
void test_log_threads(void);
void test_profile(void);
void test_recovery(void);
void test_traffic(void);
void test_replication(void);
void test_router(void);
void test_segment(void);
void test_sim(void);
void test_strace(void);
void test_wal(void);

#endif
