#include "io/wal_verify.h"

#include <string.h>

#include "io/wal_notes.h"
#include "io/wal_step.h"
#include "io/wal_tail.h"

/* The work on one log, in this order. */
enum { STAGE_LOG, STAGE_SLOT, STAGE_SECOND_SLOT, STAGE_META, STAGE_CUTS,
       STAGE_FIRST, STAGE_SEGMENTS, STAGE_END };

static bool slot_exists(const td_wal_verifier *verifier, uint32_t shard,
                        uint32_t slot) {
  return verifier->slots[slot][shard / 8] >> (shard % 8) & 1;
}

static int list_one(void *ctx, const char *name) {
  td_wal_verifier *verifier = ctx;
  td_shard_id shard;
  uint32_t slot;
  if (td_wal_slot_parse(name, &shard, &slot)) {
    uint8_t *byte = &verifier->slots[slot][shard.value / 8];
    *byte = (uint8_t)(*byte | 1 << (shard.value % 8));
  } else if (strcmp(name, TD_WAL_META_NAME) == 0) {
    verifier->meta = true;
  }
  return 1;
}

static td_shard_id shard_of(const td_wal_verifier *verifier) {
  return (td_shard_id){(uint16_t)verifier->shard};
}

static const td_wal_segment *segment_of(const td_wal_verifier *verifier) {
  return &verifier->dir->segments[verifier->segment];
}

td_status td_wal_verify_open(td_wal_verifier *verifier,
                             const td_wal_dir *dir, td_error *err) {
  const td_env *env = &dir->env;
  *verifier = (td_wal_verifier){.dir = dir};
  int result = env->store->dir_list(env->store_ctx, dir->dir, list_one,
                                    verifier);
  if (result < 0) {
    td_fail(err, TD_IO, "listing the directory", 0, 0);
    if (err) err->sys = -result;
    return TD_IO;
  }
  td_status status = td_wal_layouts_list(&verifier->layouts, dir, err);
  if (status != TD_OK) return status;
  status = td_wal_cursor_open(&verifier->cursor, dir, (td_shard_id){0},
                              (td_seqno){0}, err);
  if (status != TD_OK) td_wal_layouts_close(&verifier->layouts);
  return status;
}

void td_wal_verify_close(td_wal_verifier *verifier) {
  td_wal_cursor_close(&verifier->cursor);
  td_wal_layouts_close(&verifier->layouts);
  verifier->shard = TD_SHARDS_MAX;
  verifier->stage = STAGE_LOG;
}

/* --- one segment -------------------------------------------------------- */

/* Aims the cursor at one segment: what it says then is about this one. The
 * log's first segment, and one behind a finding, follows nothing. */
static void aim(td_wal_verifier *verifier) {
  td_wal_cursor *cursor = &verifier->cursor;
  td_seqno first = segment_of(verifier)->name.first_seq;
  if (!verifier->chained) {
    verifier->last_seq.value = first.value - 1;
    verifier->last_lazy = false;
  }
  td_wal_cursor_seek(cursor, NULL, 0);
  cursor->failed = (td_error){.status = TD_OK};
  cursor->segment = verifier->segment;
  cursor->segment_end = verifier->segment + 1;
  cursor->from.value = 0;
  cursor->last_seq = verifier->last_seq;
  cursor->region = verifier->region;
  cursor->region_known = verifier->region_known;
}

static void count_batch(td_wal_verifier *verifier, td_wal_report *report,
                        const td_wal_batch *batch) {
  const td_batch *head = &batch->head;
  if (report->batches == 0) report->first_seq = head->first_seq;
  report->last_seq = td_batch_last_seq(head);
  report->batches++;
  report->events += head->event_count;
  report->end = batch->offset + td_batch_size(head);
  uint32_t epoch = head->layout_epoch;
  if (epoch > 0 && (report->epoch_low == 0 || epoch < report->epoch_low)) {
    report->epoch_low = epoch;
  }
  if (epoch > report->epoch_high) report->epoch_high = epoch;
  verifier->last_seq = report->last_seq;
  verifier->last_lazy = head->lazy;
  verifier->region = head->region;
  verifier->region_known = true;
}

static bool is_newest(const td_wal_verifier *verifier) {
  return verifier->segment + 1 == verifier->segment_end;
}

static td_status judge(td_wal_verifier *verifier, td_wal_report *report,
                       td_error *err) {
  td_wal_tail tail = {
    .env = &verifier->dir->env,
    .file = verifier->cursor.file,
    .buffer = verifier->cursor.buffer,
    .offset = report->err.offset,
    .shard = shard_of(verifier),
    .region = verifier->region,
    .region_known = verifier->region_known,
    .last_seq = verifier->last_seq,
    .named = verifier->notes.named,
    .lazy_run = verifier->last_lazy || verifier->notes.marked,
    .clean = verifier->notes.clean,
  };
  if (!is_newest(verifier)) {
    tail.next_segment = segment_of(verifier)[1].name.first_seq;
  }
  td_status status = td_wal_tail_judge(&tail, report, err);
  if (status != TD_OK) td_error_at(err, report->err.file, err->offset);
  return status;
}

static void place(const td_wal_verifier *verifier, td_wal_report *report,
                  uint64_t offset) {
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname_format(segment_of(verifier)->name, name);
  td_error_at(&report->err, name, offset);
}

/* The segment ends well. The newest one must reach what checkpoints name. */
static void end_well(const td_wal_verifier *verifier, td_wal_report *report) {
  td_seqno named = verifier->notes.named;
  bool all = !is_newest(verifier)
          || td_seqno_cmp(named, verifier->last_seq) <= 0;
  td_fail(&report->err, all ? TD_OK : TD_END, NULL, 0, 0);
  place(verifier, report, report->end);
  if (all) return;
  report->verdict = TD_VERDICT_CORRUPT;
  report->evidence = TD_EVIDENCE_CHECKPOINT;
  report->proof = named.value;
  report->reached = named;
}

/* Walks the segment to its end or to what is wrong in it. */
static td_status walk(td_wal_verifier *verifier, td_wal_report *report,
                      td_error *err) {
  td_wal_batch batch;
  td_status status;
  aim(verifier);
  do {
    status = td_wal_cursor_next(&verifier->cursor, &batch, &report->err);
    if (status == TD_OK) count_batch(verifier, report, &batch);
  } while (status == TD_OK);
  if (status == TD_END) {
    end_well(verifier, report);
    return TD_OK;
  }
  if (status != TD_IO && status != TD_NO_MEMORY) {
    return judge(verifier, report, err);
  }
  *err = report->err;
  return status;
}

/* Whether the segment's name continues the log, or, for the first one, may
 * be its beginning: of that only checkpoints can tell. What is missing below
 * notes.retired may have been removed by truncation. False: reported. */
static bool check_name(td_wal_verifier *verifier, bool first,
                       td_wal_report *report) {
  const td_wal_notes *notes = &verifier->notes;
  td_seqno start = segment_of(verifier)->name.first_seq;
  td_seqno before = {start.value - 1};
  td_seqno last = first ? (td_seqno){0} : verifier->last_seq;
  int order = td_seqno_cmp(before, last);
  if (first && notes->named.value == 0) return true;
  if (!first && !verifier->chained) return true;
  if (order == 0) return true;
  if (order > 0 && td_seqno_cmp(before, notes->retired) <= 0) {
    verifier->chained = false;
    return true;
  }
  td_fail(&report->err, order > 0 ? TD_MISSING : TD_SEQUENCE,
          order > 0 ? "segment" : "first_seq", start.value, last.value);
  place(verifier, report, 0);
  report->verdict = order > 0 ? TD_VERDICT_GAP : TD_VERDICT_MISMATCH;
  verifier->chained = false;
  return false;
}

static td_status step_segment(td_wal_verifier *verifier,
                              td_wal_report *report, td_error *err) {
  bool first = verifier->stage == STAGE_FIRST;
  verifier->stage = STAGE_SEGMENTS;
  report->size = segment_of(verifier)->size;
  if (!check_name(verifier, first, report)) return TD_OK;
  td_status status = walk(verifier, report, err);
  if (status != TD_OK) return status;
  report->whole = true;
  verifier->chained = report->verdict == TD_VERDICT_CLEAN;
  verifier->segment++;
  return TD_OK;
}

/* --- one log ------------------------------------------------------------ */

/* Whether one of 64 shards, from a multiple of 64 on, has a slot or cuts. */
static bool any_noted(const td_wal_verifier *verifier, uint32_t shard) {
  uint64_t bits[3];
  memcpy(&bits[0], &verifier->slots[0][shard / 8], sizeof *bits);
  memcpy(&bits[1], &verifier->slots[1][shard / 8], sizeof *bits);
  memcpy(&bits[2], &verifier->layouts.cuts[shard / 8], sizeof *bits);
  return (bits[0] | bits[1] | bits[2]) != 0;
}

/* The first shard from `shard` on that has a slot or cuts. */
static uint32_t next_noted(const td_wal_verifier *verifier, uint32_t shard) {
  while (shard < TD_SHARDS_MAX) {
    uint32_t at = shard / 8;
    if (shard % 64 == 0 && !any_noted(verifier, shard)) {
      shard += 64;
      continue;
    }
    unsigned noted = verifier->slots[0][at] | verifier->slots[1][at]
                   | verifier->layouts.cuts[at];
    if (!noted) shard = (at + 1) * 8;
    else if (noted >> (shard % 8) & 1) return shard;
    else shard++;
  }
  return shard;
}

/* The next shard with segments or checkpoints; false behind the last. Logs
 * follow one another in the list: the last one's end is this one's start. */
static bool start_log(td_wal_verifier *verifier) {
  const td_wal_dir *dir = verifier->dir;
  uint32_t first = verifier->segment_end;
  uint32_t shard = next_noted(verifier, verifier->shard);
  if (verifier->shard == 0 && verifier->meta) shard = 0;
  if (first < dir->segment_count
      && dir->segments[first].name.shard.value < shard) {
    shard = dir->segments[first].name.shard.value;
  }
  verifier->shard = shard;
  if (shard == TD_SHARDS_MAX) return false;
  uint32_t count = td_wal_dir_log(dir, shard_of(verifier), &first);
  verifier->segment = first;
  verifier->segment_end = first + count;
  verifier->notes = (td_wal_notes){.clean = false};
  verifier->chained = verifier->region_known = false;
  return true;
}

static td_status step_slot(td_wal_verifier *verifier, uint32_t slot,
                           td_wal_report *report, td_error *err) {
  uint32_t shard = verifier->shard;
  if (!slot_exists(verifier, shard, slot)) return TD_OK;
  return td_wal_slot_read(verifier->dir, shard_of(verifier), slot,
                          &verifier->notes, report, err);
}

static td_status step_meta(td_wal_verifier *verifier, td_wal_report *report,
                           td_error *err) {
  uint32_t shard = verifier->shard;
  td_status status = TD_OK;
  if (shard == 0 && verifier->meta && !slot_exists(verifier, 0, 0)
      && !slot_exists(verifier, 0, 1)) {
    status = td_wal_meta_read(verifier->dir, &verifier->notes, report, err);
  }
  td_wal_notes_end(&verifier->notes);
  return status;
}

/* A checkpoint whose log is gone, or belongs to another region. */
static void check_notes(td_wal_verifier *verifier, td_wal_report *report) {
  uint32_t first;
  char name[TD_CHECKPOINT_NAME_MAX];
  const td_wal_notes *notes = &verifier->notes;
  uint32_t slot = notes->good[1] ? 1 : 0;
  const td_checkpoint *read = &notes->slots[slot];
  if (!notes->good[slot]) return;
  if (td_wal_dir_log(verifier->dir, shard_of(verifier), &first) == 0) {
    if (notes->named.value == 0) return;
    td_fail(&report->err, TD_END, NULL, 0, 0);
    report->verdict = TD_VERDICT_CORRUPT;
    report->evidence = TD_EVIDENCE_CHECKPOINT;
    report->proof = notes->named.value;
  } else if (verifier->region_known
             && !td_region_id_eq(read->region, verifier->region)) {
    td_fail(&report->err, TD_MISMATCH, "region id", read->region.value,
            verifier->region.value);
    report->verdict = TD_VERDICT_MISMATCH;
  } else {
    return;
  }
  td_checkpoint_name(shard_of(verifier), slot, name);
  bool old = read->generation == 0;
  td_error_at(&report->err, old ? TD_WAL_META_NAME : name, 0);
}

/* Behind the last log. */
static td_status step_layout(td_wal_verifier *verifier,
                             td_wal_report *report, td_error *err) {
  const td_wal_layouts *layouts = &verifier->layouts;
  if (verifier->layout == layouts->count) {
    return td_fail(err, TD_END, NULL, 0, 0);
  }
  uint32_t epoch = layouts->epochs[verifier->layout++];
  return td_wal_layout_check(verifier->dir, epoch, report, err);
}

/* One step of work. Leaves the report without a file when there is nothing
 * to say. */
static td_status step(td_wal_verifier *verifier, td_wal_report *report,
                      td_error *err) {
  switch (verifier->stage) {
  case STAGE_LOG:
    if (!start_log(verifier)) return step_layout(verifier, report, err);
    verifier->stage = STAGE_SLOT;
    return TD_OK;
  case STAGE_SLOT:
    verifier->stage = STAGE_SECOND_SLOT;
    return step_slot(verifier, 0, report, err);
  case STAGE_SECOND_SLOT:
    verifier->stage = STAGE_META;
    return step_slot(verifier, 1, report, err);
  case STAGE_META:
    verifier->stage = STAGE_CUTS;
    return step_meta(verifier, report, err);
  case STAGE_CUTS:
    verifier->stage = STAGE_FIRST;
    if (!td_wal_layouts_cuts(&verifier->layouts, shard_of(verifier))) {
      return TD_OK;
    }
    return td_wal_cuts_check(verifier->dir, shard_of(verifier), report, err);
  case STAGE_END:
    verifier->stage = STAGE_LOG;
    verifier->shard++;
    return TD_OK;
  default:
    if (verifier->segment < verifier->segment_end) {
      return step_segment(verifier, report, err);
    }
    check_notes(verifier, report);
    verifier->stage = STAGE_END;
    return TD_OK;
  }
}

td_status td_wal_verify_next(td_wal_verifier *verifier, td_wal_report *out,
                             td_error *err) {
  td_error *failed = &verifier->failed;
  while (failed->status == TD_OK) {
    td_wal_report report = {.verdict = TD_VERDICT_CLEAN};
    td_error why;
    td_status status = step(verifier, &report, &why);
    if (status != TD_OK) {
      *failed = why;
    } else if (report.err.file[0]) {
      report.log = (td_log_id){verifier->region, shard_of(verifier)};
      report.region_known = verifier->region_known;
      *out = report;
      return TD_OK;
    }
  }
  if (err) *err = *failed;
  return failed->status;
}
