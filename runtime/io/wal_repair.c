#include "io/wal_repair.h"

#include <string.h>

#include "base/text.h"
#include "io/wal_notes.h"
#include "io/wal_seams.h"

#define ROOM_FIRST 16u  /* actions; doubled when full */

const char *td_wal_mend_name(td_wal_mend mend) {
  switch (mend) {
  case TD_WAL_MEND_CUT: return "cut";
  case TD_WAL_MEND_MOVE: return "move";
  case TD_WAL_MEND_LEAVE: return "leave";
  }
  td_panic(__FILE__, __LINE__, "an unknown action");
}

/* --- planning ------------------------------------------------------------- */

/* The walk over one log, while it lasts. */
typedef struct planner {
  td_wal_repair *repair;
  td_wal_notes notes;
  uint32_t shard;       /* TD_SHARDS_MAX = before the first log */
  uint32_t first;       /* its first action */
  bool started;         /* a segment was seen */
  bool broken;          /* what comes behind goes */
  bool headless;        /* its beginning is gone, whatever checkpoints say */
  bool untouchable;     /* something in it must be left alone */
  td_seqno end;         /* of the part that stays */
} planner;

static td_wal_action *add(td_wal_repair *repair, td_error *err) {
  const td_alloc *alloc = &repair->dir->env.alloc;
  const size_t each = sizeof *repair->actions;
  if (repair->count == repair->room) {
    uint32_t room = repair->room ? repair->room * 2 : ROOM_FIRST;
    void *actions = td_alloc_resize(alloc, repair->actions,
                                    repair->room * each, room * each);
    if (!actions) {
      td_fail(err, TD_NO_MEMORY, "list of actions", room * each, 0);
      return NULL;
    }
    repair->actions = actions;
    repair->room = room;
  }
  td_wal_action *action = &repair->actions[repair->count++];
  *action = (td_wal_action){.mend = TD_WAL_MEND_LEAVE};
  return action;
}

static td_wal_action *add_for(planner *plan, const td_wal_report *report,
                              td_wal_mend mend, td_error *err) {
  td_wal_action *action = add(plan->repair, err);
  if (!action) return NULL;
  action->mend = mend;
  action->verdict = report->verdict;
  action->shard = report->log.shard;
  action->suspect = report->suspect;
  memcpy(action->file, report->err.file, sizeof action->file);
  return action;
}

/* Of a plan in the making: a segment that is sound. */
static bool stays(const td_wal_action *action) {
  return action->mend == TD_WAL_MEND_LEAVE
      && action->verdict == TD_VERDICT_CLEAN;
}

/* A whole segment goes, or stays, with what is readable in it. */
static td_status add_segment(planner *plan, const td_wal_report *report,
                             td_wal_mend mend, td_error *err) {
  td_wal_action *action = add_for(plan, report, mend, err);
  if (!action) return TD_NO_MEMORY;
  action->bytes = report->size;
  action->events = report->events;
  action->first_seq = report->first_seq;
  action->last_seq = report->last_seq;
  return TD_OK;
}

static td_status cut_segment(planner *plan, const td_wal_report *report,
                             td_error *err) {
  td_wal_action *action = add_for(plan, report, TD_WAL_MEND_CUT, err);
  if (!action) return TD_NO_MEMORY;
  action->offset = report->err.offset;
  action->bytes = report->size - report->err.offset;
  return TD_OK;
}

static td_status leave(planner *plan, const td_wal_report *report,
                       td_error *err) {
  td_wal_action *action = add_for(plan, report, TD_WAL_MEND_LEAVE, err);
  if (!action) return TD_NO_MEMORY;
  action->offset = report->err.offset;
  plan->untouchable = true;
  return TD_OK;
}

static bool is_foreign(td_verdict verdict) {
  return verdict == TD_VERDICT_UNSUPPORTED || verdict == TD_VERDICT_RESERVED;
}

/* A gap that is no finding: truncation was interrupted. What it had not yet
 * removed goes, or the log could not be read from its beginning. */
static void drop_leftovers(planner *plan) {
  td_wal_repair *repair = plan->repair;
  for (uint32_t i = plan->first; i < repair->count; i++) {
    td_wal_action *action = &repair->actions[i];
    if (stays(action)) action->mend = TD_WAL_MEND_MOVE;
  }
}

/* A segment, or a gap before it. */
static td_status plan_segment(planner *plan, const td_wal_report *report,
                              td_error *err) {
  bool before = !report->whole;  /* the next report is the segment's own */
  if (is_foreign(report->verdict)) return leave(plan, report, err);
  if (before) {
    if (plan->started) plan->broken = true;
    else plan->headless = true;
    return TD_OK;
  }
  if (plan->broken) return add_segment(plan, report, TD_WAL_MEND_MOVE, err);
  if (plan->started && report->batches > 0
      && report->first_seq.value != plan->end.value + 1) {
    drop_leftovers(plan);
  }
  plan->started = true;
  if (report->batches > 0) plan->end = report->last_seq;
  bool whole = report->verdict == TD_VERDICT_CLEAN
            || report->err.offset >= report->size;  /* only too short */
  plan->broken = !whole;
  if (whole || report->batches == 0) {
    return add_segment(plan, report, whole ? TD_WAL_MEND_LEAVE
                                           : TD_WAL_MEND_MOVE, err);
  }
  return cut_segment(plan, report, err);
}

static bool is_segment(const td_wal_report *report) {
  td_segname name;
  const char *file = report->err.file;
  return td_segname_parse(file, strlen(file), &name, NULL) == TD_OK;
}

/* A damaged checkpoint goes; a damaged layout or file of cuts must stay. A
 * sound one that only lies about the log is for end_log. */
static td_status plan_small(planner *plan, const td_wal_report *report,
                            td_error *err) {
  td_shard_id shard;
  uint32_t slot;
  bool checkpoint = td_wal_slot_parse(report->err.file, &shard, &slot)
                 || strcmp(report->err.file, TD_WAL_META_NAME) == 0;
  if (report->evidence == TD_EVIDENCE_CHECKPOINT) return TD_OK;
  if (!checkpoint || is_foreign(report->verdict)) {
    return leave(plan, report, err);
  }
  return add_for(plan, report, TD_WAL_MEND_MOVE, err) ? TD_OK : TD_NO_MEMORY;
}

/* Later segments first: what is left shows the damage until the end. */
static void reverse(td_wal_action *list, uint32_t count) {
  for (uint32_t i = 0; i + 1 < count - i; i++) {
    td_wal_action action = list[i];
    list[i] = list[count - 1 - i];
    list[count - 1 - i] = action;
  }
}

/* Slots that name what does not stay, or a beginning that is gone. */
static td_status plan_slots(planner *plan, td_error *err) {
  const td_wal_notes *notes = &plan->notes;
  for (uint32_t i = 0; i < 2; i++) {
    if (!notes->good[i]) continue;
    bool holds = td_seqno_cmp(notes->top[i], plan->end) <= 0;
    if (holds && !plan->headless) continue;
    td_wal_action *action = add(plan->repair, err);
    if (!action) return TD_NO_MEMORY;
    char name[TD_CHECKPOINT_NAME_MAX];
    td_checkpoint_name((td_shard_id){(uint16_t)plan->shard}, i, name);
    bool old = notes->slots[i].generation == 0;
    action->mend = TD_WAL_MEND_MOVE;
    action->verdict = TD_VERDICT_CORRUPT;
    action->shard.value = (uint16_t)plan->shard;
    td_text text = td_text_init(action->file, sizeof action->file);
    td_text_string(&text, old ? TD_WAL_META_NAME : name);
  }
  return TD_OK;
}

/* What stays is no action; and nothing of a log is touched if something in it
 * must not be. */
static void drop_idle(planner *plan) {
  td_wal_repair *repair = plan->repair;
  uint32_t kept = plan->first;
  for (uint32_t i = plan->first; i < repair->count; i++) {
    const td_wal_action *action = &repair->actions[i];
    bool left = action->mend == TD_WAL_MEND_LEAVE;
    if (stays(action) || (plan->untouchable && !left)) continue;
    repair->actions[kept++] = *action;
  }
  repair->count = kept;
}

static td_status end_log(planner *plan, td_error *err) {
  td_wal_repair *repair = plan->repair;
  drop_idle(plan);
  if (plan->shard == TD_SHARDS_MAX || plan->untouchable) return TD_OK;
  uint32_t count = repair->count - plan->first;
  if (count > 1) reverse(repair->actions + plan->first, count);
  return plan_slots(plan, err);
}

static void start_log(planner *plan, uint32_t shard) {
  *plan = (planner){
    .repair = plan->repair, .shard = shard, .first = plan->repair->count,
  };
}

static td_status plan_all(td_wal_repair *repair, td_wal_verifier *verifier,
                          td_error *err) {
  planner plan = {.repair = repair, .shard = TD_SHARDS_MAX};
  for (;;) {
    td_wal_report report;
    td_status status = td_wal_verify_next(verifier, &report, err);
    if (status != TD_OK && status != TD_END) return status;
    bool same = status == TD_OK && verifier->shard == plan.shard;
    if (!same && end_log(&plan, err) != TD_OK) return TD_NO_MEMORY;
    if (status == TD_END) return TD_OK;
    if (!same) start_log(&plan, verifier->shard);
    plan.notes = verifier->notes;
    status = is_segment(&report) ? plan_segment(&plan, &report, err)
                                 : plan_small(&plan, &report, err);
    if (status != TD_OK) return status;
  }
}

td_status td_wal_repair_open(td_wal_repair *repair, const td_wal_dir *dir,
                             td_error *err) {
  td_wal_verifier verifier;
  *repair = (td_wal_repair){.dir = dir};
  td_status status = td_wal_verify_open(&verifier, dir, err);
  if (status != TD_OK) return status;
  status = plan_all(repair, &verifier, err);
  td_wal_verify_close(&verifier);
  if (status != TD_OK) td_wal_repair_close(repair);
  return status;
}

void td_wal_repair_close(td_wal_repair *repair) {
  if (!repair->dir) return;
  td_alloc_free(&repair->dir->env.alloc, repair->actions,
                repair->room * sizeof *repair->actions);
  *repair = (td_wal_repair){.dir = NULL};
}

/* --- doing ---------------------------------------------------------------- */

static td_status cut_tail(const td_wal_dir *dir, const td_wal_action *action,
                          uint8_t *buffer, td_error *err) {
  const td_env *env = &dir->env;
  td_file *file;
  td_status status = td_wal_quarantine(env, dir->dir, action->file,
                                       action->offset, buffer, err);
  if (status != TD_OK) return status;
  int result = env->store->file_edit(env->store_ctx, dir->dir, action->file,
                                     &file);
  if (result == 0) {
    result = env->store->file_truncate(env->store_ctx, file, action->offset);
    if (result == 0) result = td_wal_sync_file(env, file, true);
    env->store->file_close(env->store_ctx, file);
  }
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "cutting", result, action->file, action->offset);
}

td_status td_wal_repair_do(const td_wal_repair *repair, uint32_t i,
                           td_error *err) {
  const td_wal_action *action = &repair->actions[i];
  const td_wal_dir *dir = repair->dir;
  const td_alloc *alloc = &dir->env.alloc;
  td_assert(i < repair->count);
  if (action->mend == TD_WAL_MEND_LEAVE) return TD_OK;
  if (action->mend == TD_WAL_MEND_MOVE) {
    return td_wal_quarantine_move(&dir->env, dir->dir, action->file, err);
  }
  uint8_t *buffer = td_alloc_resize(alloc, NULL, 0, TD_WAL_BUFFER_BYTES);
  if (!buffer) {
    return td_fail(err, TD_NO_MEMORY, "copy buffer", TD_WAL_BUFFER_BYTES, 0);
  }
  td_status status = cut_tail(dir, action, buffer, err);
  td_alloc_free(alloc, buffer, TD_WAL_BUFFER_BYTES);
  return status;
}
