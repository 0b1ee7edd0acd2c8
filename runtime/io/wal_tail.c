#include "io/wal_tail.h"

#include <string.h>

#include "format/segment.h"
#include "io/wal_file.h"

#define SECTOR_BYTES 512u
#define PART_BYTES 64u  /* of a sector at either end of a batch, to count */

_Static_assert(TD_WAL_BUFFER_BYTES % SECTOR_BYTES == 0, "whole sectors");

static void decide(td_wal_report *report, td_verdict verdict,
                   td_evidence evidence, uint64_t proof) {
  report->verdict = verdict;
  report->evidence = evidence;
  report->proof = proof;
}

/* The damaged batch, as far as its header tells. */
typedef struct damaged {
  td_batch head;
  bool sound;   /* the header is */
  bool inside;  /* ... and all its bytes are in the file */
  bool lazy;    /* or so it must be supposed */
} damaged;

static td_status fill(const td_wal_tail *tail, uint64_t at, size_t size,
                      size_t *filled, td_error *err) {
  *filled = 0;
  return td_wal_file_fill(tail->env, tail->file, tail->buffer, size, at,
                          filled, err);
}

static td_status read_damaged(const td_wal_tail *tail,
                              const td_wal_report *report, damaged *out,
                              td_error *err) {
  size_t filled;
  td_status status = fill(tail, tail->offset, TD_BATCH_HEADER_BYTES, &filled,
                          err);
  if (status != TD_OK) return status;
  td_span bytes = {tail->buffer, filled};
  out->sound = td_batch_decode(bytes, &out->head, NULL) == TD_OK;
  out->inside = out->sound && report->err.status != TD_SHORT;
  out->lazy = out->sound ? out->head.lazy : tail->lazy_run;
  return TD_OK;
}

/* --- C2 ------------------------------------------------------------------- */

/* A header of this log with a later number. */
static bool is_later(const td_wal_tail *tail, const td_batch *head) {
  return td_shard_id_eq(head->shard, tail->shard)
      && (!tail->region_known || td_region_id_eq(head->region, tail->region))
      && td_seqno_cmp(head->first_seq, tail->last_seq) > 0;
}

/* What stands at some byte of the window: true = corrupt, else *skip says
 * how far to go on. A header is no proof until its hash is right. */
static bool look(const td_wal_tail *tail, const uint8_t *in, uint64_t place,
                 bool lazy, uint64_t *skip, td_wal_report *report) {
  td_batch head;
  td_span bytes = {in, TD_BATCH_HEADER_BYTES};
  td_status status = td_batch_decode(bytes, &head, NULL);
  *skip = 1;
  if (status == TD_MAGIC || status == TD_HEADER_HASH) return false;
  if (status != TD_OK) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_NEWER, place);
    return true;
  }
  if (!is_later(tail, &head)) return false;
  if (lazy && head.lazy) {
    report->lost_events += head.event_count;
    *skip = td_batch_size(&head);
    return false;
  }
  decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_BATCH, place);
  report->reached = td_batch_last_seq(&head);
  return true;
}

/* Tries every byte of the window as the start of a header; *next is where to
 * go on. */
static bool scan_window(const td_wal_tail *tail, size_t filled, uint64_t at,
                        bool lazy, uint64_t *next, td_wal_report *report) {
  size_t starts = filled - TD_BATCH_HEADER_BYTES + 1;
  uint64_t i = 0;
  while (i < starts) {
    const uint8_t *in = memchr(tail->buffer + i, 'T', starts - (size_t)i);
    uint64_t skip;
    if (!in) break;
    i = (uint64_t)(in - tail->buffer);
    if (look(tail, in, at + i, lazy, &skip, report)) return true;
    i += skip;
  }
  *next = at + (i > starts ? i : starts);
  return false;
}

/* Windows overlap by a header less one byte: none is missed between two. */
static td_status scan(const td_wal_tail *tail, const damaged *batch,
                      td_wal_report *report, td_error *err) {
  uint64_t at = tail->offset + (batch->inside ? td_batch_size(&batch->head)
                                              : 1);
  if (batch->sound && !batch->inside) return TD_OK;
  for (;;) {
    size_t filled;
    td_status status = fill(tail, at, TD_WAL_BUFFER_BYTES, &filled, err);
    if (status != TD_OK || filled < TD_BATCH_HEADER_BYTES) return status;
    if (scan_window(tail, filled, at, batch->lazy, &at, report)) return TD_OK;
  }
}

/* --- T2, T3 --------------------------------------------------------------- */

/* A sector of zeros inside the batch never got to the disk. Those at its ends
 * belong to it in part. */
static td_status find_hole(const td_wal_tail *tail, size_t batch_size,
                           td_wal_report *report, td_error *err) {
  uint64_t at = tail->offset, end = tail->offset + batch_size;
  while (at < end) {
    uint64_t left = end - at;
    size_t want = left < TD_WAL_BUFFER_BYTES - SECTOR_BYTES
                    ? (size_t)left : TD_WAL_BUFFER_BYTES - SECTOR_BYTES;
    if (want < left) want -= (size_t)((at + want) % SECTOR_BYTES);
    size_t filled, done = 0;
    td_status status = fill(tail, at, want, &filled, err);
    if (status != TD_OK || filled < want) return status;
    while (done < want) {
      size_t part = SECTOR_BYTES - (size_t)((at + done) % SECTOR_BYTES);
      if (part > want - done) part = want - done;
      td_span bytes = {tail->buffer + done, part};
      if (part >= PART_BYTES && td_segment_only_zeros(bytes)) {
        decide(report, TD_VERDICT_TORN, TD_EVIDENCE_SECTOR, at + done);
        return TD_OK;
      }
      done += part;
    }
    at += want;
  }
  return TD_OK;
}

/* No evidence of anything later. */
static td_status judge_torn(const td_wal_tail *tail, const damaged *batch,
                            td_wal_report *report, td_error *err) {
  if (!batch->inside) {
    decide(report, TD_VERDICT_TORN,
           batch->sound ? TD_EVIDENCE_CUT : TD_EVIDENCE_HEADER, 0);
    return TD_OK;
  }
  td_status status = find_hole(tail, td_batch_size(&batch->head), report, err);
  if (status != TD_OK || report->verdict == TD_VERDICT_TORN) return status;
  if (batch->head.version == 1) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_OLD, 0);
    report->reached = td_batch_last_seq(&batch->head);
    return TD_OK;
  }
  decide(report, TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, 0);
  report->suspect = true;
  return TD_OK;
}

/* --- the rule ------------------------------------------------------------- */

/* C1, C3 and C4 need no look at the file. */
static bool judge_known(const td_wal_tail *tail, td_wal_report *report) {
  if (tail->next_segment.value > 0) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_SEGMENT, 0);
    report->reached.value = tail->next_segment.value - 1;
  } else if (td_seqno_cmp(tail->named, tail->last_seq) > 0) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_CHECKPOINT,
           tail->named.value);
    report->reached = tail->named;
  } else if (tail->clean) {
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_CLEAN, 0);
    report->reached.value = tail->last_seq.value + 1;
  } else {
    return false;
  }
  return true;
}

static td_status judge_broken(const td_wal_tail *tail, td_wal_report *report,
                              td_error *err) {
  damaged batch;
  if (judge_known(tail, report)) return TD_OK;
  td_status status = read_damaged(tail, report, &batch, err);
  if (status != TD_OK) return status;
  if (batch.sound && batch.lazy) report->lost_events = batch.head.event_count;
  status = scan(tail, &batch, report, err);
  if (status == TD_OK && report->verdict != TD_VERDICT_CORRUPT) {
    status = judge_torn(tail, &batch, report, err);
  }
  if (report->verdict != TD_VERDICT_TORN) report->lost_events = 0;
  return status;
}

/* C5, and what has a right hash and is wrong all the same: no torn write. At
 * the start of a segment it speaks against the segment's name. */
td_status td_wal_tail_judge(const td_wal_tail *tail, td_wal_report *report,
                            td_error *err) {
  switch ((int)report->err.status) {
  case TD_UNSUPPORTED:
    decide(report, TD_VERDICT_UNSUPPORTED, TD_EVIDENCE_NONE, 0);
    return TD_OK;
  case TD_RESERVED:
    decide(report, TD_VERDICT_RESERVED, TD_EVIDENCE_NONE, 0);
    return TD_OK;
  case TD_MISSING:
    decide(report, TD_VERDICT_GAP, TD_EVIDENCE_NONE, 0);
    return TD_OK;
  case TD_LENGTH:
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_HASHED, 0);
    break;
  case TD_MISMATCH:
    if (tail->offset == 0) {
      decide(report, TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE, 0);
    } else {
      decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 0);
    }
    break;
  case TD_SEQUENCE:
    decide(report, TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 0);
    break;
  default:
    return judge_broken(tail, report, err);
  }
  report->reached.value = tail->last_seq.value + 1;
  return TD_OK;
}
