#include "test/verify_run.h"

#include <string.h>

#include "test/test.h"

static void check_report(const td_wal_report *report) {
  char why[1024];
  bool clean = report->verdict == TD_VERDICT_CLEAN;
  CHECK(report->err.file[0] != '\0');
  CHECK(report->err.offset != TD_NO_OFFSET);
  CHECK(clean == (report->err.status == TD_OK));
  CHECK(!report->suspect || report->verdict == TD_VERDICT_TORN);
  CHECK(report->whole || report->batches == 0);
  CHECK(td_wal_report_why(report, why, sizeof why) < sizeof why);
  CHECK(strchr(why, '{') == NULL);
  CHECK(td_verdict_code(report->verdict)[0] != '\0');
}

static void note_report(verify_run *run, const td_wal_report *report) {
  check_report(report);
  if (report->whole) run->segments++;
  run->events += report->events;
  run->batches += report->batches;
  if (report->verdict == TD_VERDICT_CLEAN) return;
  if (run->count < RUN_FINDINGS_MAX) run->findings[run->count] = *report;
  run->count++;
}

void verify_dir(verify_run *run, const td_wal_dir *dir) {
  static td_wal_verifier verifier;
  td_wal_report report;
  td_error again;
  *run = (verify_run){.err = {.status = TD_OK}};
  if (td_wal_verify_open(&verifier, dir, &run->err) != TD_OK) return;
  while (td_wal_verify_next(&verifier, &report, &run->err) == TD_OK) {
    note_report(run, &report);
  }
  CHECK(td_wal_verify_next(&verifier, &report, &again) == run->err.status);
  CHECK_TEXT(again.file, run->err.file);
  CHECK_U64(again.offset, run->err.offset);
  td_wal_verify_close(&verifier);
  td_wal_verify_close(&verifier);
}

void verify_store(verify_run *run, memory_store *store) {
  td_env env = memory_store_env(store);
  td_wal_dir dir;
  *run = (verify_run){.err = {.status = TD_OK}};
  if (td_wal_dir_open(&dir, &env, "memory", &run->err) == TD_OK) {
    verify_dir(run, &dir);
    td_wal_dir_close(&dir);
  }
  CHECK(store->dirs_open == 0 && store->files_open == 0);
  CHECK(store->blocks_held == 0);
}

void check_finding(const verify_run *run, uint32_t i, td_verdict verdict,
                   td_evidence evidence, const char *file, uint64_t offset) {
  CHECK(run->err.status == TD_END);
  if (i >= run->count) {
    test_failed(__FILE__, __LINE__, "no finding %u, want %s in %s", i,
                td_verdict_code(verdict), file);
    return;
  }
  const td_wal_report *finding = &run->findings[i];
  CHECK_TEXT(td_verdict_code(finding->verdict), td_verdict_code(verdict));
  CHECK_U64(finding->evidence, evidence);
  CHECK(finding->suspect == (evidence == TD_EVIDENCE_SUSPECT));
  CHECK_TEXT(finding->err.file, file);
  CHECK_U64(finding->err.offset, offset);
}

void check_only(const verify_run *run, td_verdict verdict,
                td_evidence evidence, const char *file, uint64_t offset) {
  CHECK_U64(run->count, 1);
  check_finding(run, 0, verdict, evidence, file, offset);
}

void check_clean(const verify_run *run) {
  CHECK(run->err.status == TD_END);
  CHECK_U64(run->count, 0);
}
