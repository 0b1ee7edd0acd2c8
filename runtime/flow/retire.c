#include "flow/retire.h"

td_status td_retire_open(td_retire *retire, td_wal_log *log, td_error *err) {
  td_wal_home *home = log->home;
  td_shard_id shard = log->options.log.shard;
  *retire = (td_retire){.log = log};
  td_status status = td_wal_dir_list(&retire->dir, &home->env, home->dir,
                                     err);
  if (status != TD_OK) {
    retire->log = NULL;
    return status;
  }
  (void)td_wal_dir_log(&retire->dir, shard, &retire->first);
  status = td_wal_layouts_open(&retire->layouts, &retire->dir, err);
  if (status == TD_OK) {
    status = td_wal_live_open(&retire->live, &retire->layouts, shard,
                              (td_seqno){0}, err);
    if (status == TD_OK) return TD_OK;
    td_wal_layouts_close(&retire->layouts);
  }
  td_wal_dir_close(&retire->dir);
  retire->log = NULL;
  return status;
}

/* A run that counts, or what is not on disk yet, ends the dead ones. */
static td_status look_at(td_retire *retire, uint64_t *bytes, td_error *err) {
  td_wal_run run;
  td_status status = td_wal_live_run(&retire->live, &run, err);
  if (status != TD_OK) return status;
  bool counts = run.live || run.head.kind != TD_BATCH_SIGNALS;
  retire->segments = run.segment - retire->first;
  *bytes += TD_BATCH_HEADER_BYTES + run.records.size;
  bool last = td_seqno_cmp(td_batch_last_seq(&run.head),
                           td_wal_log_durable(retire->log)) >= 0;
  return counts || last ? TD_END : TD_OK;
}

td_status td_retire_step(td_retire *retire, uint64_t bytes, td_error *err) {
  uint64_t done = 0;
  td_status status = TD_OK;
  while (status == TD_OK && done < bytes) {
    status = look_at(retire, &done, err);
  }
  return status;
}

/* Both slots go through `upto`; the marks of others stay. */
static td_status raise_checkpoints(td_wal_log *log, td_seqno upto,
                                   td_error *err) {
  td_status status = TD_OK;
  while (status == TD_OK && td_seqno_cmp(log->older_seqno, upto) < 0) {
    td_seqno now = log->checkpoint.seqno;
    td_wal_progress progress = {
      .seqno = td_seqno_cmp(now, upto) < 0 ? upto : now,
      .hlc_wall_ns = log->checkpoint.hlc_wall_ns,
      .marks = log->marks, .mark_count = log->mark_count,
    };
    status = td_wal_log_checkpoint(log, &progress, err);
  }
  return status;
}

td_status td_retire_apply(td_retire *retire, td_error *err) {
  uint32_t behind = retire->first + retire->segments;
  if (retire->segments == 0) return TD_OK;
  td_seqno upto = {
    retire->dir.segments[behind].name.first_seq.value - 1,
  };
  td_status status = raise_checkpoints(retire->log, upto, err);
  if (status != TD_OK) return status;
  return td_wal_log_retire(retire->log, upto, &retire->segments, err);
}

void td_retire_close(td_retire *retire) {
  if (!retire->log) return;
  td_wal_live_close(&retire->live);
  td_wal_layouts_close(&retire->layouts);
  td_wal_dir_close(&retire->dir);
  *retire = (td_retire){.log = NULL};
}
