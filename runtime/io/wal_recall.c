/* What a log knows of events that may come again: its own last ones, as many
 * as its window has. And, so that who tries again behind a cut what he sent
 * before it is told so by the new owner, as many of each other log that was
 * cut, through its last cut: those that are this shard's by the published
 * layout.
 *
 * When so many events of its own came since its last cut, nothing is asked of
 * the other logs. At a publication each of them is read once, for all windows.
 * All that a window knows is at most TD_WAL_WINDOW_MAX. */
#include "io/wal_seams.h"
#include "io/wal_sent.h"

#define LIST_FIRST 64u  /* events; doubled when full */

/* A log whose window is to know more. */
typedef struct target {
  td_wal_log *log;
  uint32_t depth;    /* of each other log */
  td_hash128 *list;  /* what was found there */
  uint32_t count, room;
} target;

typedef struct recall {
  td_wal_sent sent;
  const td_wal_routes *routes;  /* of the layout that counts, or will */
  target *targets;              /* by rising shard */
  uint32_t count;
  uint32_t depth;               /* the most of theirs */
} recall;

/* --- the log itself ------------------------------------------------------- */

typedef struct own {
  td_wal_window *window;
  td_seqno first;  /* of those that it got */
} own;

static td_status take_own(void *ctx, const uint8_t *records, uint32_t count,
                          td_seqno first, uint64_t left, td_error *err) {
  own *to = ctx;
  (void)err;
  if (left == to->window->size) to->first = first;
  for (uint32_t i = 0; i < count; i++, records += TD_RECORD_BYTES) {
    td_wal_window_add(to->window, (td_span){records, TD_RECORD_BYTES});
  }
  return TD_OK;
}

/* *enough: the window is full of what was sent behind the cut. */
static td_status read_own(td_wal_log *log, td_wal_sent *sent, bool *enough,
                          td_error *err) {
  own to = {.window = &log->window};
  td_status status = td_wal_sent_log(sent, log->options.log.shard, err);
  if (status == TD_OK) {
    status = td_wal_sent_last(sent, log->last_seq, log->options.window_events,
                              take_own, &to, err);
  }
  td_cut cut = td_wal_sent_cut(sent, log->home->epoch);
  *enough = cut.epoch == 0 || td_seqno_cmp(to.first, cut.upto) > 0;
  return status;
}

/* --- the logs that were cut ----------------------------------------------- */

static target *find(const recall *r, td_shard_id shard) {
  uint32_t low = 0, high = r->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    target *at = &r->targets[middle];
    uint32_t there = at->log->options.log.shard.value;
    if (there == shard.value) return at;
    if (there < shard.value) low = middle + 1;
    else high = middle;
  }
  return NULL;
}

static td_status keep(target *to, td_hash128 hash, td_error *err) {
  const td_alloc *alloc = &to->log->home->env.alloc;
  if (to->count == to->room) {
    uint32_t room = to->room ? to->room * 2 : LIST_FIRST;
    void *list = td_alloc_resize(alloc, to->list, to->room * sizeof hash,
                                 room * sizeof hash);
    if (!list) {
      return td_fail(err, TD_NO_MEMORY, "events of a window",
                     room * sizeof hash, 0);
    }
    to->list = list;
    to->room = room;
  }
  to->list[to->count++] = hash;
  return TD_OK;
}

/* What a log still has is its own window's. */
static td_status take(void *ctx, const uint8_t *records, uint32_t count,
                      td_seqno first, uint64_t left, td_error *err) {
  const recall *r = ctx;
  td_status status = TD_OK;
  (void)first;
  for (uint32_t i = 0; i < count && status == TD_OK; i++, left--) {
    td_span record = {records + (size_t)i * TD_RECORD_BYTES, TD_RECORD_BYTES};
    td_shard_id owner = td_wal_route(r->routes,
                                     td_record_entity(record.data));
    if (td_shard_id_eq(owner, r->sent.shard)) continue;
    target *to = find(r, owner);
    if (!to || left > to->depth) continue;
    td_hash128 hash = td_hash128_of(record);
    if (td_wal_window_has(&to->log->window, hash)) continue;
    status = keep(to, hash, err);
  }
  return status;
}

static td_status take_logs(recall *r, td_error *err) {
  td_status status = TD_OK;
  for (uint32_t s = 0; s < TD_SHARDS_MAX && status == TD_OK; s++) {
    td_shard_id shard = {(uint16_t)s};
    if (!td_wal_layouts_cuts(&r->sent.layouts, shard)) continue;
    status = td_wal_sent_log(&r->sent, shard, err);
    if (status != TD_OK) break;
    td_cut cut = td_wal_sent_cut(&r->sent, r->routes->layout.epoch);
    status = td_wal_sent_last(&r->sent, cut.upto, r->depth, take, r, err);
  }
  return status;
}

/* --- the windows ---------------------------------------------------------- */

/* Room for what is found, behind all that is known: the oldest goes only
 * where it is too much. */
static td_status widen(target *to, td_error *err) {
  td_wal_log *log = to->log;
  uint32_t known = td_wal_window_count(&log->window);
  uint32_t size = log->options.window_events;
  if (to->count == 0) return TD_OK;
  if (size < known) size = known;
  bool fits = to->count <= TD_WAL_WINDOW_MAX - size;
  size = fits ? size + to->count : TD_WAL_WINDOW_MAX;
  td_status status = td_wal_window_init(&log->wider, &log->home->env.alloc,
                                        size, err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < to->count; i++) {
    td_wal_window_put(&log->wider, to->list[i]);
  }
  td_wal_window_put_all(&log->wider, &log->window);
  td_wal_window_settle(&log->wider);
  return TD_OK;
}

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

/* Makes log->wider of each target that has something to add. */
static td_status ask_others(recall *r, td_error *err) {
  for (uint32_t i = 0; i < r->count; i++) {
    target *to = &r->targets[i];
    to->depth = depth_of(to->log, &r->sent.layouts);
    if (r->depth < to->depth) r->depth = to->depth;
  }
  td_status status = take_logs(r, err);
  for (uint32_t i = 0; i < r->count; i++) {
    target *to = &r->targets[i];
    if (status == TD_OK) status = widen(to, err);
    td_alloc_free(&to->log->home->env.alloc, to->list,
                  to->room * sizeof *to->list);
  }
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
  bool enough;
  target to = {.log = log};
  recall r = {.routes = &log->home->routes, .targets = &to, .count = 1};
  td_status status = td_wal_sent_open(&r.sent, dir, err);
  if (status != TD_OK) return status;
  status = read_own(log, &r.sent, &enough, err);
  if (status == TD_OK && !enough) status = ask_others(&r, err);
  if (status == TD_OK) settle(log);
  td_wal_sent_close(&r.sent);
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

/* --- a publication -------------------------------------------------------- */

static td_status ask_for_all(td_wal_home *home, recall *r, td_error *err) {
  td_wal_dir dir;
  td_status status = td_wal_dir_list(&dir, &home->env, home->dir, err);
  if (status != TD_OK) return status;
  status = td_wal_sent_open(&r->sent, &dir, err);
  if (status == TD_OK) status = ask_others(r, err);
  td_wal_sent_close(&r->sent);
  td_wal_dir_close(&dir);
  return status;
}

td_status td_wal_recall_next(td_wal_home *home, td_error *err) {
  recall r = {.routes = &home->next_routes};
  uint32_t count = 0;
  for (const td_wal_log *log = home->logs; log; log = log->next) {
    count += log->options.window_events > 0;
  }
  if (count == 0) return TD_OK;
  size_t size = count * sizeof *r.targets;
  r.targets = td_alloc_resize(&home->env.alloc, NULL, 0, size);
  if (!r.targets) return td_fail(err, TD_NO_MEMORY, "windows", size, 0);
  for (td_wal_log *log = home->logs; log; log = log->next) {
    if (log->options.window_events == 0) continue;
    r.targets[r.count++] = (target){.log = log};
  }
  td_status status = ask_for_all(home, &r, err);
  td_alloc_free(&home->env.alloc, r.targets, size);
  if (status != TD_OK) td_wal_recall_end(home, false);
  return status;
}

void td_wal_recall_end(td_wal_home *home, bool published) {
  for (td_wal_log *log = home->logs; log; log = log->next) {
    if (published) settle(log);
    else td_wal_window_deinit(&log->wider);
  }
}
