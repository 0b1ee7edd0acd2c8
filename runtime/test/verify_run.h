/* For the tests of verdicts: a run over a whole directory, and what it found
 * as a list. */
#ifndef TD_TEST_VERIFY_RUN_H
#define TD_TEST_VERIFY_RUN_H

#include "io/wal_verify.h"
#include "test/log_maker.h"

#define RUN_FINDINGS_MAX 16u

typedef struct verify_run {
  td_error err;          /* how it ended; TD_END = judged to the end */
  uint32_t count;        /* findings */
  uint32_t segments;     /* reports of whole segments */
  uint64_t events;       /* good ones */
  uint32_t batches;
  td_wal_report findings[RUN_FINDINGS_MAX];  /* the first so many */
} verify_run;

/* Judges an open directory; checks what must hold of every report. */
void verify_dir(verify_run *run, const td_wal_dir *dir);
/* The same over an open of the store, which must leave nothing behind. An
 * open that fails ends the run. */
void verify_store(verify_run *run, memory_store *store);

/* Checks finding `i`. */
void check_finding(const verify_run *run, uint32_t i, td_verdict verdict,
                   td_evidence evidence, const char *file, uint64_t offset);
/* Checks that there is exactly this one. */
void check_only(const verify_run *run, td_verdict verdict,
                td_evidence evidence, const char *file, uint64_t offset);
/* Checks that there is none. */
void check_clean(const verify_run *run);

/* The other files of suite "verify", called by test_verify. */
void test_verify_rules(void);
void test_verify_places(void);

#endif
