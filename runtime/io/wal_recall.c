/* What a log knows of events that may come again: its own last ones, as many
 * as its window has. And, so that who tries again behind a cut what he sent
 * before it is told so by the new owner, as many of each log that was cut for
 * the published layout: the last ones before that layout that are this
 * shard's by it.
 *
 * Those are found by the epochs in the headers, from the cut backwards: what
 * the migration itself brought, which may be most of a log, is passed over
 * without being read. What was truncated or retired is not known any more, and
 * when so many events of its own came since the cut, nothing is asked of the
 * other logs. All together at most TD_WAL_WINDOW_MAX. */
#include "io/wal_layouts.h"
#include "io/wal_seams.h"

typedef struct recall {
  const td_wal_dir *dir;
  const td_wal_routes *routes;  /* of the layout that counts, or will */
  td_shard_id shard;            /* whose events are wanted */
  uint32_t depth;               /* of each log */
  td_wal_window *window;        /* NULL: they are counted only */
  uint32_t count;
  uint8_t *payload;             /* of one batch */
  size_t room;
} recall;

/* --- the log itself ------------------------------------------------------- */

static void take_own(td_wal_window *window, const td_wal_batch *batch,
                     td_seqno from) {
  const uint8_t *record = batch->payload.data;
  if (batch->head.kind != TD_BATCH_SIGNALS) return;
  for (uint32_t i = 0; i < batch->head.event_count; i++) {
    if (batch->head.first_seq.value + i >= from.value) {
      td_wal_window_add(window, (td_span){record, TD_RECORD_BYTES});
    }
    record += TD_RECORD_BYTES;
  }
  td_wal_window_settle(window);
}

static td_status read_own(td_wal_log *log, const td_wal_dir *dir,
                          td_error *err) {
  td_wal_cursor cursor;
  td_wal_batch batch;
  td_shard_id shard = log->options.log.shard;
  uint32_t first;
  uint64_t last = log->last_seq.value, size = log->window.size;
  if (td_wal_dir_log(dir, shard, &first) == 0) return TD_OK;
  td_seqno from = dir->segments[first].name.first_seq;
  if (last >= size && last - size + 1 > from.value) {
    from.value = last - size + 1;
  }
  td_status status = td_wal_cursor_open(&cursor, dir, shard, from, err);
  while (status == TD_OK) {
    status = td_wal_cursor_next(&cursor, &batch, err);
    if (status == TD_OK) take_own(&log->window, &batch, from);
  }
  td_wal_cursor_close(&cursor);
  return status == TD_END ? TD_OK : status;
}

/* --- a segment, header by header ------------------------------------------ */

typedef struct headers {
  const td_wal_dir *dir;
  td_segname name;
  td_file *file;
  uint64_t offset, next;  /* of `head`, and behind it */
  td_batch head;
} headers;

static td_status at_place(const headers *in, td_status status,
                          td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  if (status == TD_OK || status == TD_END) return status;
  td_segname_format(in->name, name);
  td_error_at(err, name, in->offset);
  return status;
}

static td_status open_headers(headers *in, const td_wal_dir *dir,
                              uint32_t segment, td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  *in = (headers){.dir = dir, .name = dir->segments[segment].name};
  td_segname_format(in->name, name);
  int result = dir->env.store->file_open(dir->env.store_ctx, dir->dir, name,
                                         &in->file);
  if (result == 0) return TD_OK;
  in->file = NULL;
  return td_wal_fail_io(err, "opening", result, name, 0);
}

static void close_headers(headers *in) {
  const td_env *env = &in->dir->env;
  if (in->file) env->store->file_close(env->store_ctx, in->file);
}

/* The next one, of events through `upto`; else TD_END. */
static td_status next_header(headers *in, td_seqno upto, td_error *err) {
  uint8_t bytes[TD_BATCH_HEADER_BYTES];
  size_t filled;
  if (in->next > 0 && td_seqno_cmp(td_batch_last_seq(&in->head), upto) >= 0) {
    return TD_END;
  }
  in->offset = in->next;
  td_status status = td_wal_file_fill(&in->dir->env, in->file, bytes,
                                      sizeof bytes, in->offset, &filled, err);
  if (status != TD_OK) return at_place(in, status, err);
  if (filled == 0 || bytes[0] == 0) return TD_END;
  status = td_batch_decode((td_span){bytes, filled}, &in->head, err);
  if (status != TD_OK) return at_place(in, status, err);
  in->next = in->offset + td_batch_size(&in->head);
  return td_seqno_cmp(in->head.first_seq, upto) > 0 ? TD_END : TD_OK;
}

/* How many of a batch's events are older than the layout. */
static uint32_t older(const recall *r, const td_batch *head) {
  bool is = head->kind == TD_BATCH_SIGNALS
         && head->layout_epoch != r->routes->layout.epoch;
  return is ? head->event_count : 0;
}

static td_status read_payload(recall *r, const headers *in, td_error *err) {
  size_t size = in->head.payload_len, filled;
  if (size > r->room) {
    uint8_t *room = td_alloc_resize(&r->dir->env.alloc, r->payload, r->room,
                                    size);
    if (!room) return td_fail(err, TD_NO_MEMORY, "batch", size, 0);
    r->payload = room;
    r->room = size;
  }
  td_status status = td_wal_file_fill(&r->dir->env, in->file, r->payload,
                                      size, in->offset + TD_BATCH_HEADER_BYTES,
                                      &filled, err);
  if (status == TD_OK) {
    status = td_batch_verify(&in->head, (td_span){r->payload, filled}, err);
  }
  return at_place(in, status, err);
}

/* --- the logs that were cut ----------------------------------------------- */

static void take(recall *r, uint32_t from, uint32_t upto) {
  for (uint32_t i = from; i < upto; i++) {
    const uint8_t *record = r->payload + (size_t)i * TD_RECORD_BYTES;
    td_shard_id owner = td_wal_route(r->routes, td_record_entity(record));
    if (!td_shard_id_eq(owner, r->shard)) continue;
    r->count++;
    if (!r->window) continue;
    td_wal_window_add(r->window, (td_span){record, TD_RECORD_BYTES});
  }
}

/* Those of a segment, but for the first *skip. */
static td_status take_segment(recall *r, uint32_t segment, td_seqno upto,
                              uint64_t *skip, td_error *err) {
  headers in;
  td_status status = open_headers(&in, r->dir, segment, err);
  while (status == TD_OK) {
    status = next_header(&in, upto, err);
    uint32_t count = status == TD_OK ? older(r, &in.head) : 0;
    uint32_t from = *skip < count ? (uint32_t)*skip : count;
    *skip -= from;
    if (from == count) continue;
    status = read_payload(r, &in, err);
    if (status == TD_OK) take(r, from, count);
  }
  close_headers(&in);
  return status == TD_END ? TD_OK : status;
}

static td_status count_segment(const recall *r, uint32_t segment,
                               td_seqno upto, uint64_t *count,
                               td_error *err) {
  headers in;
  td_status status = open_headers(&in, r->dir, segment, err);
  while (status == TD_OK) {
    status = next_header(&in, upto, err);
    if (status == TD_OK) *count += older(r, &in.head);
  }
  close_headers(&in);
  return status == TD_END ? TD_OK : status;
}

/* The last r->depth events of a log through its cut. */
static td_status take_log(recall *r, td_shard_id shard, td_seqno upto,
                          td_error *err) {
  const td_wal_segment *list = r->dir->segments;
  uint32_t first, count = td_wal_dir_log(r->dir, shard, &first);
  uint32_t end = first + count;
  while (end > first && td_seqno_cmp(list[end - 1].name.first_seq, upto) > 0) {
    end--;
  }
  uint64_t found = 0;
  uint32_t at = end;
  td_status status = TD_OK;
  while (status == TD_OK && at > first && found < r->depth) {
    status = count_segment(r, --at, upto, &found, err);
  }
  uint64_t skip = found > r->depth ? found - r->depth : 0;
  for (; status == TD_OK && at < end; at++) {
    status = take_segment(r, at, upto, &skip, err);
  }
  return status;
}

/* Where a log was cut for the layout; 0 = it was not. */
static td_status cut_of(const recall *r, const td_wal_layouts *layouts,
                        td_shard_id shard, td_seqno *upto, td_error *err) {
  td_wal_file file;
  td_cuts cuts;
  upto->value = 0;
  if (!td_wal_layouts_cuts(layouts, shard)) return TD_OK;
  td_status status = td_wal_cuts_read(r->dir, shard, &file, &cuts, err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < cuts.count; i++) {
    td_cut cut = td_cuts_get((td_span){file.data, file.size}, i);
    if (cut.epoch == r->routes->layout.epoch) *upto = cut.upto;
  }
  td_wal_file_free(r->dir, &file);
  return TD_OK;
}

static td_status take_logs(recall *r, const td_wal_layouts *layouts, bool own,
                           td_error *err) {
  td_status status = TD_OK;
  for (uint32_t s = 0; s < TD_SHARDS_MAX && status == TD_OK; s++) {
    td_shard_id shard = {(uint16_t)s};
    td_seqno upto = {0};
    if (own || !td_shard_id_eq(shard, r->shard)) {
      status = cut_of(r, layouts, shard, &upto, err);
    }
    if (status == TD_OK && upto.value > 0) {
      status = take_log(r, shard, upto, err);
    }
  }
  return status;
}

/* --- the window ----------------------------------------------------------- */

/* So many of each log, that there is room for all. */
static uint32_t depth_of(const td_wal_log *log,
                         const td_wal_layouts *layouts) {
  uint32_t logs = 1, depth = log->options.window_events;
  for (uint32_t s = 0; s < TD_SHARDS_MAX; s++) {
    logs += td_wal_layouts_cuts(layouts, (td_shard_id){(uint16_t)s});
  }
  uint32_t most = (TD_WAL_WINDOW_MAX - depth) / logs;
  return depth < most ? depth : most;
}

/* Makes log->wider, if there is something to add: counts it, then takes it. */
static td_status fill_wider(td_wal_log *log, recall *r,
                            const td_wal_layouts *layouts, bool own,
                            td_error *err) {
  td_status status = take_logs(r, layouts, own, err);
  if (status != TD_OK || r->count == 0) return status;
  status = td_wal_window_init(&log->wider, &log->home->env.alloc,
                              log->options.window_events + r->count, err);
  if (status != TD_OK) return status;
  r->window = &log->wider;
  status = take_logs(r, layouts, own, err);
  if (status == TD_OK) td_wal_window_add_all(&log->wider, &log->window);
  else td_wal_window_deinit(&log->wider);
  return status;
}

/* `own`: also what the log itself had before its cut, of which a window that
 * was open all the time knows. */
static td_status widen(td_wal_log *log, const td_wal_dir *dir,
                       const td_wal_routes *routes, bool own, td_error *err) {
  td_wal_layouts layouts;
  td_seqno cut;
  recall r = {.dir = dir, .routes = routes, .shard = log->options.log.shard};
  td_status status = td_wal_layouts_list(&layouts, dir, err);
  if (status != TD_OK) return status;
  r.depth = depth_of(log, &layouts);
  status = cut_of(&r, &layouts, r.shard, &cut, err);
  bool past = cut.value > 0 && log->last_seq.value - cut.value
                                 >= log->options.window_events;
  if (status == TD_OK && !past) {
    status = fill_wider(log, &r, &layouts, own, err);
  }
  td_alloc_free(&dir->env.alloc, r.payload, r.room);
  td_wal_layouts_close(&layouts);
  return status;
}

/* The wider window takes the place of the first. */
static void settle(td_wal_log *log) {
  if (log->wider.size == 0) return;
  td_wal_window_deinit(&log->window);
  log->window = log->wider;
  log->wider = (td_wal_window){.size = 0};
}

static td_status read_all(td_wal_log *log, const td_wal_dir *dir,
                          td_error *err) {
  td_status status = read_own(log, dir, err);
  if (status != TD_OK || log->home->epoch == 0) return status;
  status = widen(log, dir, &log->home->routes, true, err);
  if (status == TD_OK) settle(log);
  return status;
}

td_status td_wal_recall(td_wal_log *log, td_error *err) {
  td_wal_options *options = &log->options;
  td_wal_dir dir;
  uint32_t size = options->window_events;
  td_status status = td_wal_window_init(&log->window, &log->home->env.alloc,
                                        size, err);
  if (status != TD_OK || size == 0) return status;
  if (options->group_events_max > size) options->group_events_max = size;
  status = td_wal_dir_list(&dir, &log->home->env, log->home->dir, err);
  if (status != TD_OK) return status;
  status = read_all(log, &dir, err);
  td_wal_dir_close(&dir);
  return status;
}

td_status td_wal_recall_next(td_wal_home *home, td_error *err) {
  td_wal_dir dir;
  td_wal_log *log = home->logs;
  while (log && log->options.window_events == 0) log = log->next;
  if (!log) return TD_OK;
  td_status status = td_wal_dir_list(&dir, &home->env, home->dir, err);
  if (status != TD_OK) return status;
  for (; log && status == TD_OK; log = log->next) {
    if (log->options.window_events == 0) continue;
    status = widen(log, &dir, &home->next_routes, false, err);
  }
  td_wal_dir_close(&dir);
  if (status != TD_OK) td_wal_recall_end(home, false);
  return status;
}

void td_wal_recall_end(td_wal_home *home, bool published) {
  for (td_wal_log *log = home->logs; log; log = log->next) {
    if (published) settle(log);
    else td_wal_window_deinit(&log->wider);
  }
}
