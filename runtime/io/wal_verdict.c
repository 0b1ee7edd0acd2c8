#include "io/wal_verdict.h"

#include "base/text.h"

const char *td_verdict_code(td_verdict verdict) {
  switch (verdict) {
  case TD_VERDICT_CLEAN: return "clean";
  case TD_VERDICT_TORN: return "torn";
  case TD_VERDICT_CORRUPT: return "corrupt";
  case TD_VERDICT_GAP: return "gap";
  case TD_VERDICT_MISMATCH: return "mismatch";
  case TD_VERDICT_UNSUPPORTED: return "unsupported";
  case TD_VERDICT_RESERVED: return "reserved";
  }
  td_panic(__FILE__, __LINE__, "an unknown verdict");
}

static const struct { const char *sentence, *subject; } evidences[] = {
#define WORDS(name, sentence, subject) {sentence, subject},
  TD_EVIDENCE_MAP(WORDS)
#undef WORDS
};

size_t td_wal_report_why(const td_wal_report *report, char *out,
                         size_t size) {
  td_text text = td_text_init(out, size);
  if (report->err.status == TD_END) {
    td_text_string(&text, "the log ends here");
  } else {
    char what[TD_ERROR_TEXT_MAX];
    td_error bare = report->err;
    bare.file[0] = '\0';
    bare.offset = TD_NO_OFFSET;
    td_error_format(&bare, what, sizeof what);
    td_text_string(&text, what);
  }
  const char *at = evidences[report->evidence].sentence;
  if (*at) td_text_string(&text, "; ");
  for (; *at; at++) {
    if (*at != '{') {
      td_text_char(&text, *at);
      continue;
    }
    td_text_decimal(&text, report->proof);
    at++;
  }
  return text.size;
}

td_status td_wal_report_refuse(const td_wal_report *report,
                               td_seqno last_seq, td_error *err) {
  td_status status = report->err.status;
  bool as_it_is = report->verdict == TD_VERDICT_GAP
               || report->verdict == TD_VERDICT_MISMATCH
               || report->verdict == TD_VERDICT_UNSUPPORTED
               || report->verdict == TD_VERDICT_RESERVED;
  td_assert(report->verdict != TD_VERDICT_CLEAN);
  if (as_it_is || status == TD_MISMATCH) {
    if (err) *err = report->err;
    return status;
  }
  td_fail(err, TD_CORRUPT, evidences[report->evidence].subject,
          last_seq.value, report->reached.value);
  td_error_at(err, report->err.file, report->err.offset);
  return TD_CORRUPT;
}
