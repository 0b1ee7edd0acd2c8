#include "io/wal_judge.h"

#include <string.h>

#include "format/segment.h"
#include "io/wal_file.h"

#define SECTOR_BYTES 512u

_Static_assert(TD_WAL_BUFFER_BYTES % SECTOR_BYTES == 0, "whole sectors");

static void decide(td_wal_report *report, td_verdict verdict,
                   td_evidence evidence, uint64_t proof) {
  report->verdict = verdict;
  report->evidence = evidence;
  report->proof = proof;
}

/* The header at the damaged place, if that is sound. */
static td_status read_head(const td_wal_tail *tail, td_batch *head,
                           bool *sound, td_error *err) {
  size_t filled = 0;
  td_status status = td_wal_file_fill(tail->env, tail->file, tail->buffer,
                                      TD_BATCH_HEADER_BYTES, tail->offset,
                                      &filled, err);
  if (status != TD_OK) return status;
  td_span bytes = {tail->buffer, filled};
  *sound = td_batch_decode(bytes, head, NULL) == TD_OK;
  return TD_OK;
}

/* Rule C2 for one header whose hash is right. */
static bool is_proof(const td_wal_tail *tail, const td_batch *head,
                     bool lazy, td_wal_report *report) {
  if (td_seqno_cmp(head->first_seq, tail->last_seq) <= 0) return false;
  if (!lazy || !head->lazy) return true;
  report->lost_events += head->event_count;
  return false;
}

/* Tries every byte of the window as the start of a header. A header is no
 * proof until its hash is right; then it counts even if this build cannot
 * read the rest of it: nobody cuts what he does not understand. */
static bool scan_window(const td_wal_tail *tail, td_span bytes, uint64_t at,
                        bool lazy, td_wal_report *report) {
  const uint8_t *end = bytes.data + bytes.size - TD_BATCH_HEADER_BYTES + 1;
  const uint8_t *in = bytes.data;
  while ((in = memchr(in, 'T', (size_t)(end - in)))) {
    td_batch head;
    uint64_t place = at + (uint64_t)(in - bytes.data);
    td_span rest = {in, TD_BATCH_HEADER_BYTES};
    td_status status = td_batch_decode(rest, &head, NULL);
    if (status == TD_OK) {
      if (is_proof(tail, &head, lazy, report)) {
        decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_BATCH, place);
        return true;
      }
    } else if (status != TD_MAGIC && status != TD_HEADER_HASH) {
      decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_NEWER, place);
      return true;
    }
    if (++in == end) break;
  }
  return false;
}

/* Windows overlap by a header less one byte: none is missed between two. */
static td_status scan(const td_wal_tail *tail, bool lazy,
                      td_wal_report *report, td_error *err) {
  uint64_t at = tail->offset + 1;
  for (;;) {
    size_t filled = 0;
    td_status status = td_wal_file_fill(tail->env, tail->file, tail->buffer,
                                        TD_WAL_BUFFER_BYTES, at, &filled,
                                        err);
    if (status != TD_OK) return status;
    if (filled < TD_BATCH_HEADER_BYTES) return TD_OK;
    td_span window = {tail->buffer, filled};
    if (scan_window(tail, window, at, lazy, report)) return TD_OK;
    at += filled - (TD_BATCH_HEADER_BYTES - 1);
    if (filled < TD_WAL_BUFFER_BYTES) return TD_OK;
  }
}

/* A sector of zeros that begins inside the batch was never written. */
static td_status find_hole(const td_wal_tail *tail, size_t batch_size,
                           td_wal_report *report, td_error *err) {
  uint64_t end = tail->offset + batch_size;
  uint64_t at = (tail->offset / SECTOR_BYTES + 1) * SECTOR_BYTES;
  while (at < end) {
    size_t filled = 0;
    td_status status = td_wal_file_fill(tail->env, tail->file, tail->buffer,
                                        TD_WAL_BUFFER_BYTES, at, &filled,
                                        err);
    if (status != TD_OK) return status;
    const uint8_t *in = tail->buffer;
    for (; filled >= SECTOR_BYTES && at < end; filled -= SECTOR_BYTES) {
      if (td_segment_only_zeros((td_span){in, SECTOR_BYTES})) {
        decide(report, TD_VERDICT_TORN, TD_EVIDENCE_SECTOR, at);
        return TD_OK;
      }
      in += SECTOR_BYTES;
      at += SECTOR_BYTES;
    }
    if (in == tail->buffer) return TD_OK;
  }
  return TD_OK;
}

/* No evidence of anything later: T2 and T3. */
static td_status judge_torn(const td_wal_tail *tail, const td_batch *head,
                            bool sound, td_wal_report *report,
                            td_error *err) {
  if (!sound) {
    decide(report, TD_VERDICT_TORN, TD_EVIDENCE_HEADER, 0);
    return TD_OK;
  }
  if (report->err.status == TD_SHORT) {
    decide(report, TD_VERDICT_TORN, TD_EVIDENCE_CUT, 0);
    return TD_OK;
  }
  td_status status = find_hole(tail, td_batch_size(head), report, err);
  if (status != TD_OK || report->verdict == TD_VERDICT_TORN) return status;
  if (head->version == 1) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_OLD, 0);
    return TD_OK;
  }
  decide(report, TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, 0);
  report->suspect = true;
  return TD_OK;
}

/* C1, C3 and C4 need no look at the file. */
static bool judge_known(const td_wal_tail *tail, td_wal_report *report) {
  if (!tail->newest) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_SEGMENT, 0);
  } else if (td_seqno_cmp(tail->named, tail->last_seq) > 0) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_CHECKPOINT,
           tail->named.value);
  } else if (tail->clean) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_CLEAN, 0);
  } else {
    return false;
  }
  return true;
}

static td_status judge_tail(const td_wal_tail *tail, td_wal_report *report,
                            td_error *err) {
  td_batch head;
  bool sound = false;
  if (judge_known(tail, report)) return TD_OK;
  td_status status = read_head(tail, &head, &sound, err);
  if (status != TD_OK) return status;
  bool lazy = sound ? head.lazy : tail->last_lazy;
  status = scan(tail, lazy, report, err);
  if (report->verdict == TD_VERDICT_CORRUPT) report->lost_events = 0;
  if (status != TD_OK || report->verdict == TD_VERDICT_CORRUPT) return status;
  return judge_torn(tail, &head, sound, report, err);
}

/* A header with a right hash is no torn write, whatever else is wrong with
 * it. At the start of a segment it speaks against the segment's name. */
td_status td_wal_report_judge(const td_wal_tail *tail,
                              td_wal_report *report, td_error *err) {
  switch ((int)report->err.status) {
  case TD_UNSUPPORTED:
    decide(report, TD_VERDICT_UNSUPPORTED, TD_EVIDENCE_NONE, 0);
    return TD_OK;
  case TD_RESERVED:
    decide(report, TD_VERDICT_RESERVED, TD_EVIDENCE_NONE, 0);
    return TD_OK;
  case TD_LENGTH:
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_HASHED, 0);
    return TD_OK;
  case TD_MISMATCH:
    if (tail->offset == 0) {
      decide(report, TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE, 0);
    } else {
      decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 0);
    }
    return TD_OK;
  case TD_SEQUENCE:
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 0);
    return TD_OK;
  default:
    return judge_tail(tail, report, err);
  }
}
