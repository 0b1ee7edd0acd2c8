#include "io/wal_notes.h"

#include <string.h>

#include "base/text.h"
#include "io/wal_file.h"

#define CHECKPOINT_BYTES_MAX \
  (TD_CHECKPOINT_HEADER_BYTES + TD_CHECKPOINT_HASH_BYTES \
   + (size_t)TD_MARK_BYTES * TD_CHECKPOINT_MARKS_MAX)

bool td_wal_slot_parse(const char *name, td_shard_id *shard,
                       uint32_t *slot) {
  char canonical[TD_CHECKPOINT_NAME_MAX];
  uint64_t number;
  size_t size = strlen(name);
  if (size != TD_CHECKPOINT_NAME_MAX - 1) return false;
  const char *digits = name + strlen("checkpoint-s");
  if (!td_text_read_decimal(digits, 5, UINT16_MAX, false, &number)) {
    return false;
  }
  *shard = (td_shard_id){(uint16_t)number};
  *slot = name[size - 1] == '1';
  td_checkpoint_name(*shard, *slot, canonical);
  return memcmp(name, canonical, size) == 0;
}

/* The verdict of a file that was read but does not decode. */
static td_verdict verdict_of(td_status status) {
  switch ((int)status) {
  case TD_UNSUPPORTED: return TD_VERDICT_UNSUPPORTED;
  case TD_RESERVED: return TD_VERDICT_RESERVED;
  case TD_MISMATCH: return TD_VERDICT_MISMATCH;
  default: return TD_VERDICT_CORRUPT;
  }
}

static void report_file(td_wal_report *report, td_status status,
                        const char *name) {
  report->verdict = verdict_of(status);
  td_error_at(&report->err, name, 0);
}

static void note_seqno(td_seqno *to, td_seqno seqno) {
  if (td_seqno_cmp(seqno, *to) > 0) *to = seqno;
}

/* Its own marks are as good as its number: the log went that far. */
static void note_marks(td_wal_notes *notes, uint32_t slot, td_span bytes) {
  const td_checkpoint *read = &notes->slots[slot];
  td_log_id own = {read->region, read->shard};
  for (uint32_t i = 0; i < read->mark_count; i++) {
    td_mark mark = td_checkpoint_mark(bytes, i);
    if (!td_log_id_eq(mark.log, own)) continue;
    note_seqno(&notes->top[slot], mark.seqno);
    notes->own[slot] = true;
  }
}

td_status td_wal_slot_decode(td_span bytes, td_shard_id shard, uint32_t slot,
                             td_checkpoint *out, td_error *err) {
  td_status status = td_checkpoint_decode(bytes, out, err);
  if (status != TD_OK) return status;
  if (!td_shard_id_eq(out->shard, shard)) {
    return td_fail(err, TD_MISMATCH, "shard id", out->shard.value,
                   shard.value);
  }
  if (out->generation % 2 != slot) {
    return td_fail(err, TD_MISMATCH, "generation mod 2", out->generation % 2,
                   slot);
  }
  return TD_OK;
}

td_status td_wal_slot_read(const td_wal_dir *dir, td_shard_id shard,
                           uint32_t slot, td_wal_notes *notes,
                           td_wal_report *report, td_error *err) {
  char name[TD_CHECKPOINT_NAME_MAX];
  td_wal_file file;
  td_checkpoint_name(shard, slot, name);
  td_error *why = &report->err;
  td_status status = td_wal_file_read(dir, name, CHECKPOINT_BYTES_MAX, &file,
                                      why);
  if (status == TD_IO || status == TD_NO_MEMORY) {
    if (err) *err = *why;
    return status;
  }
  if (status == TD_OK) {
    td_span bytes = {file.data, file.size};
    td_checkpoint *out = &notes->slots[slot];
    status = td_wal_slot_decode(bytes, shard, slot, out, why);
    if (status == TD_OK) note_marks(notes, slot, bytes);
    td_wal_file_free(dir, &file);
  }
  notes->good[slot] = status == TD_OK;
  notes->bad[slot] = status != TD_OK;
  if (status != TD_OK) report_file(report, status, name);
  return TD_OK;
}

td_status td_wal_meta_read(const td_wal_dir *dir, td_wal_notes *notes,
                           td_wal_report *report, td_error *err) {
  td_wal_file file;
  td_error *why = &report->err;
  td_status status = td_wal_file_read(dir, TD_WAL_META_NAME,
                                      TD_CHECKPOINT_V1_BYTES, &file, why);
  if (status == TD_IO || status == TD_NO_MEMORY) {
    if (err) *err = *why;
    return status;
  }
  if (status == TD_OK) {
    td_span bytes = {file.data, file.size};
    status = td_checkpoint_decode_v1(bytes, &notes->slots[0], why);
    td_wal_file_free(dir, &file);
  }
  notes->good[0] = status == TD_OK;
  if (status != TD_OK) report_file(report, status, TD_WAL_META_NAME);
  return TD_OK;
}

/* What reading a small file came to: a report, unless the world failed. */
static td_status end_check(const td_wal_dir *dir, td_wal_file *file,
                           td_status status, td_wal_report *report,
                           td_error *err) {
  if (status == TD_IO || status == TD_NO_MEMORY) {
    if (err) *err = report->err;
    return status;
  }
  if (status == TD_OK) td_wal_file_free(dir, file);
  else report->verdict = verdict_of(status);
  return TD_OK;
}

td_status td_wal_cuts_check(const td_wal_dir *dir, td_shard_id shard,
                            td_wal_report *report, td_error *err) {
  td_wal_file file;
  td_cuts cuts;
  td_status status = td_wal_cuts_read(dir, shard, &file, &cuts, &report->err);
  return end_check(dir, &file, status, report, err);
}

td_status td_wal_layout_check(const td_wal_dir *dir, uint32_t epoch,
                              td_wal_report *report, td_error *err) {
  td_wal_file file;
  td_layout layout;
  td_status status = td_wal_layout_read(dir, epoch, &file, &layout,
                                        &report->err);
  return end_check(dir, &file, status, report, err);
}

/* Retired is what truncation may have removed: it never passes the older
 * checkpoint. A bad slot may have been the newer one, and then the other's
 * clean flag is out of date. */
void td_wal_notes_end(td_wal_notes *notes) {
  const td_checkpoint *slots = notes->slots;
  bool both = notes->good[0] && notes->good[1];
  for (uint32_t i = 0; i < 2; i++) {
    const td_checkpoint *other = &slots[1 - i];
    if (!notes->good[i]) continue;
    note_seqno(&notes->top[i], slots[i].seqno);
    note_seqno(&notes->named, notes->top[i]);
    bool newest = !both || slots[i].generation > other->generation;
    if (newest && !notes->bad[1 - i]) {
      notes->clean = slots[i].clean;
      notes->marked = notes->own[i];
    }
    if (!both || td_seqno_cmp(slots[i].seqno, other->seqno) <= 0) {
      notes->retired = slots[i].seqno;
    }
  }
}
