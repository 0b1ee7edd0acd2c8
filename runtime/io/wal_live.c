#include "io/wal_live.h"

static const td_alloc *alloc_of(const td_wal_live *live) {
  return &live->dir->env.alloc;
}

/* --- cuts ---------------------------------------------------------------- */

/* Loads the layout of one published cut. */
static td_status load_cut(td_wal_live *live, td_cut cut, td_error *err) {
  const td_wal_dir *dir = live->dir;
  td_wal_cut *out = &live->cuts[live->cut_count];
  td_wal_file file;
  td_layout layout;
  *out = (td_wal_cut){.upto = cut.upto};
  td_status status = td_wal_layout_read(dir, cut.epoch, &file, &layout, err);
  if (status != TD_OK) return status;
  status = td_wal_routes_read(&out->routes, alloc_of(live),
                              (td_span){file.data, file.size}, err);
  td_wal_file_free(dir, &file);
  if (status != TD_OK) return status;
  live->cut_count++;
  if (td_seqno_cmp(cut.upto, live->upto) > 0) live->upto = cut.upto;
  return TD_OK;
}

static td_status load_cuts(td_wal_live *live, td_span bytes, uint32_t count,
                           td_error *err) {
  size_t size = count * sizeof *live->cuts;
  if (count == 0) return TD_OK;
  live->cuts = td_alloc_resize(alloc_of(live), NULL, 0, size);
  if (!live->cuts) return td_fail(err, TD_NO_MEMORY, "cuts", size, 0);
  live->cut_room = count;
  for (uint32_t i = 0; i < count; i++) {
    td_cut cut = td_cuts_get(bytes, i);
    if (!td_wal_layouts_has(live->layouts, cut.epoch)) continue;
    td_status status = load_cut(live, cut, err);
    if (status != TD_OK) return status;
  }
  return TD_OK;
}

static td_status read_cuts(td_wal_live *live, td_error *err) {
  const td_wal_dir *dir = live->dir;
  td_wal_file file;
  td_cuts cuts;
  if (!td_wal_layouts_cuts(live->layouts, live->shard)) return TD_OK;
  td_status status = td_wal_cuts_read(dir, live->shard, &file, &cuts, err);
  if (status != TD_OK) return status;
  live->region = cuts.region;
  live->cut_file = true;
  status = load_cuts(live, (td_span){file.data, file.size}, cuts.count, err);
  td_wal_file_free(dir, &file);
  return status;
}

static void free_cuts(td_wal_live *live) {
  for (uint32_t i = 0; i < live->cut_count; i++) {
    td_wal_routes_free(&live->cuts[i].routes, alloc_of(live));
  }
  td_alloc_free(alloc_of(live), live->cuts,
                live->cut_room * sizeof *live->cuts);
}

td_status td_wal_live_open(td_wal_live *live, const td_wal_layouts *layouts,
                           td_shard_id shard, td_seqno from, td_error *err) {
  *live = (td_wal_live){.dir = layouts->dir, .layouts = layouts,
                        .shard = shard, .from = from};
  td_status status = read_cuts(live, err);
  if (status == TD_OK) {
    status = td_wal_cursor_open(&live->cursor, layouts->dir, shard, from,
                                err);
  }
  if (status != TD_OK) {
    free_cuts(live);
    live->dir = NULL;
  }
  return status;
}

void td_wal_live_close(td_wal_live *live) {
  if (!live->dir) return;
  free_cuts(live);
  td_wal_cursor_close(&live->cursor);
  *live = (td_wal_live){.failed = {.status = TD_END}};
}

/* --- walking -------------------------------------------------------------- */

/* The next batch into live->batch; its first events may lie below `from`. */
static td_status fetch(td_wal_live *live, td_error *err) {
  td_wal_batch batch;
  td_status status = td_wal_cursor_next(&live->cursor, &batch, err);
  if (status != TD_OK) return status;
  const td_batch *head = &batch.head;
  if (live->cut_file && !td_region_id_eq(head->region, live->region)) {
    char name[TD_CUTS_NAME_MAX];
    td_cuts_name(live->shard, name);
    td_fail(err, TD_MISMATCH, "region id", live->region.value,
            head->region.value);
    td_error_at(err, name, 0);
    return TD_MISMATCH;
  }
  live->batch = batch;
  live->next = 0;
  if (td_seqno_cmp(head->first_seq, live->from) < 0) {
    live->next = (uint32_t)(live->from.value - head->first_seq.value);
  }
  return TD_OK;
}

static td_seqno seqno_at(const td_wal_live *live, uint32_t i) {
  return (td_seqno){live->batch.head.first_seq.value + i};
}

/* Rule 1: also of sessions, which are never live all the same. */
static bool epoch_counts(const td_wal_live *live) {
  uint32_t epoch = live->batch.head.layout_epoch;
  return epoch == 0 || live->layouts->count == 0
      || td_wal_layouts_has(live->layouts, epoch);
}

/* Rule 2, for one event. */
static bool stays(const td_wal_live *live, uint32_t i) {
  const uint8_t *record = live->batch.payload.data
                        + (size_t)i * TD_RECORD_BYTES;
  td_entity_id entity = td_record_entity(record);
  for (uint32_t c = 0; c < live->cut_count; c++) {
    const td_wal_cut *cut = &live->cuts[c];
    if (td_seqno_cmp(seqno_at(live, i), cut->upto) > 0) continue;
    td_shard_id to = td_wal_route(&cut->routes, entity);
    if (!td_shard_id_eq(to, live->shard)) return false;
  }
  return true;
}

/* Behind the last event that shares the fate of event live->next. */
static uint32_t run_end(const td_wal_live *live, bool *alive) {
  const td_batch *head = &live->batch.head;
  uint32_t i = live->next;
  *alive = false;
  if (head->kind != TD_BATCH_SIGNALS || !epoch_counts(live)) {
    return head->event_count;
  }
  *alive = true;
  if (td_seqno_cmp(seqno_at(live, i), live->upto) > 0) {
    return head->event_count;
  }
  *alive = stays(live, i);
  do i++;
  while (i < head->event_count && stays(live, i) == *alive);
  return i;
}

td_status td_wal_live_run(td_wal_live *live, td_wal_run *out, td_error *err) {
  live->next -= live->left;
  live->left = 0;
  if (live->failed.status == TD_OK
      && live->next == live->batch.head.event_count) {
    td_error why;
    if (fetch(live, &why) != TD_OK) live->failed = why;
  }
  if (live->failed.status != TD_OK) {
    if (err) *err = live->failed;
    return live->failed.status;
  }
  bool alive;
  uint32_t first = live->next, end = run_end(live, &alive);
  const td_wal_batch *batch = &live->batch;
  bool signals = batch->head.kind == TD_BATCH_SIGNALS;
  *out = (td_wal_run){
    .head = batch->head,
    .first_seq = seqno_at(live, first),
    .count = end - first,
    .segment = batch->segment,
    .offset = batch->offset,
    .live = alive,
  };
  if (signals) {
    out->records.data = batch->payload.data + (size_t)first * TD_RECORD_BYTES;
    out->records.size = (size_t)out->count * TD_RECORD_BYTES;
  }
  live->next = end;
  return TD_OK;
}

td_status td_wal_live_next(td_wal_live *live, td_wal_event *out,
                           td_error *err) {
  while (live->left == 0) {
    td_wal_run run;
    td_status status = td_wal_live_run(live, &run, err);
    if (status != TD_OK) return status;
    if (run.live) live->left = run.count;
  }
  uint32_t i = live->next - live->left--;
  const td_batch *head = &live->batch.head;
  const uint8_t *records = live->batch.payload.data;
  out->record = td_record_decode(records + (size_t)i * TD_RECORD_BYTES);
  out->seqno = seqno_at(live, i);
  out->log = (td_log_id){head->region, head->shard};
  return TD_OK;
}
