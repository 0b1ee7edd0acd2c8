/* Opening, holding, publishing, closing. */
#include "flow/migrate.h"

#include <string.h>

#include "flow/migrate_seams.h"
#include "io/wal_parts.h"
#include "io/wal_seams.h"

static const td_alloc *alloc_of(const td_migrate *m) {
  return &m->home->env.alloc;
}

static td_wal_dir dir_of(const td_migrate *m) {
  return (td_wal_dir){.env = m->home->env, .dir = m->home->dir,
                      .borrowed = true};
}

td_status td_migrate_list(td_migrate *m, td_error *err) {
  td_status status = td_wal_dir_list(&m->dir, &m->home->env, m->home->dir,
                                     err);
  if (status != TD_OK) return status;
  status = td_wal_layouts_open(&m->layouts, &m->dir, err);
  if (status != TD_OK) td_wal_dir_close(&m->dir);
  m->listed = status == TD_OK;
  return status;
}

void td_migrate_unlist(td_migrate *m) {
  if (!m->listed) return;
  td_migrate_end_lap(m);
  td_migrate_end_check(m);
  td_wal_layouts_close(&m->layouts);
  td_wal_dir_close(&m->dir);
  m->listed = false;
}

/* --- memory --------------------------------------------------------------- */

static void release(td_migrate *m) {
  const td_alloc *alloc = alloc_of(m);
  for (uint32_t i = 0; i < m->count; i++) {
    td_alloc_free(alloc, m->logs[i].records, m->logs[i].room);
    td_alloc_free(alloc, m->logs[i].own, sizeof *m->logs[i].own);
  }
  td_alloc_free(alloc, m->logs, m->count * sizeof *m->logs);
  td_alloc_free(alloc, m->places, TD_SHARDS_MAX * sizeof *m->places);
  td_alloc_free(alloc, m->router, m->router_size);
  *m = (td_migrate){.home = NULL};
}

static td_status take(const td_migrate *m, void *out, size_t size,
                      td_error *err) {
  void *block = td_alloc_resize(alloc_of(m), NULL, 0, size);
  if (!block) return td_fail(err, TD_NO_MEMORY, "migration", size, 0);
  memset(block, 0, size);
  memcpy(out, &block, sizeof block);
  return TD_OK;
}

static td_status make_router(td_migrate *m, td_error *err) {
  const td_wal_routes *routes = &m->home->next_routes;
  size_t size = td_router_size(routes->layout.range_count);
  td_status status = take(m, &m->router, size, err);
  if (status != TD_OK) return status;
  m->router_size = size;
  return td_router_init_layout(m->router, &routes->layout, routes->ranges,
                               alloc_of(m), err);
}

/* --- the logs ------------------------------------------------------------- */

/* A log of the directory may be another region's than the one asked for: one
 * that began as v1 is r0:s0 wherever it lies. */
static td_status read_region(const td_wal_dir *dir, td_migrate_log *entry,
                             td_error *err) {
  td_wal_cursor cursor;
  td_wal_batch batch;
  td_status status = td_wal_cursor_open(&cursor, dir, entry->id.shard,
                                        (td_seqno){0}, err);
  if (status != TD_OK) return status;
  if (td_wal_cursor_next(&cursor, &batch, NULL) == TD_OK) {
    entry->id.region = batch.head.region;
  }
  td_wal_cursor_close(&cursor);
  return TD_OK;
}

/* Notes the log of an entry that was not there before, if it is now. */
static td_status note_there(const td_wal_dir *dir, td_migrate_log *entry,
                            td_error *err) {
  uint32_t first;
  if (entry->there || td_wal_dir_log(dir, entry->id.shard, &first) == 0) {
    return TD_OK;
  }
  entry->there = true;
  entry->first = dir->segments[first].name.first_seq;
  return read_region(dir, entry, err);
}

/* Whoever opened a new log since the last look may have closed it again. */
static td_status note_new(td_migrate *m, td_error *err) {
  td_wal_dir dir;
  if (m->opened == m->home->opened) return TD_OK;
  td_status status = td_wal_dir_list(&dir, &m->home->env, m->home->dir, err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < m->count && status == TD_OK; i++) {
    status = note_there(&dir, &m->logs[i], err);
  }
  td_wal_dir_close(&dir);
  return status;
}

static td_status open_own(td_migrate *m, td_migrate_log *entry,
                          td_error *err) {
  td_status status = TD_OK;
  td_wal_options options = td_wal_options_init(entry->id);
  if (!entry->own) status = take(m, &entry->own, sizeof *entry->own, err);
  if (status == TD_OK) {
    status = td_wal_log_open(entry->own, m->home, &options, err);
  }
  if (status != TD_OK) return status;
  entry->own->lent = true;
  entry->log = entry->own;
  if (m->held) td_wal_enter(entry->log);
  return TD_OK;
}

/* Whoever opened a log may have closed it since, or opened one of ours. */
static void attach(td_migrate *m) {
  for (uint32_t i = 0; i < m->count; i++) m->logs[i].log = NULL;
  for (td_wal_log *log = m->home->logs; log; log = log->next) {
    td_migrate_log *entry = td_migrate_find(m, log->options.log.shard);
    if (!entry) continue;
    entry->log = log;
    entry->id = log->options.log;
    entry->there = true;
  }
}

td_status td_migrate_attach(td_migrate *m, td_error *err) {
  if (m->home->moved_lost) {
    return td_fail(err, TD_IO, "syncing moved events", 0, 0);
  }
  td_status status = note_new(m, err);
  attach(m);
  for (uint32_t i = 0; i < m->count && status == TD_OK; i++) {
    td_migrate_log *entry = &m->logs[i];
    bool wanted = entry->there || entry->size > 0;
    if (wanted && !entry->log) status = open_own(m, entry, err);
  }
  if (status == TD_OK) m->opened = m->home->opened;
  return status;
}

td_status td_migrate_look(td_migrate *m, td_error *err) {
  td_status status = td_migrate_attach(m, err);
  for (uint32_t i = 0; i < m->count && status == TD_OK; i++) {
    td_wal_log *log = m->logs[i].log;
    if (log) m->logs[i].last = td_wal_log_durable(log);
  }
  return status;
}

/* An entry for every shard of either layout, as writers may begin its log
 * meanwhile, and for every log that is there beside them, in the order of
 * segments: that of shards. */
static td_status make_logs(td_migrate *m, td_error *err) {
  uint32_t shards = m->home->next_routes.layout.num_shards;
  uint32_t now = m->home->routes.layout.num_shards;
  const td_wal_segment *segments = m->dir.segments;
  if (shards < now) shards = now;
  uint32_t count = shards;
  td_status status = take(m, &m->places, TD_SHARDS_MAX * sizeof *m->places,
                          err);
  if (status != TD_OK) return status;
  memset(m->places, 0xff, TD_SHARDS_MAX * sizeof *m->places);
  for (uint32_t s = 0; s < shards; s++) m->places[s] = s;
  for (uint32_t i = 0; i < m->dir.segment_count; i++) {
    uint32_t *place = &m->places[segments[i].name.shard.value];
    if (*place == UINT32_MAX) *place = count++;
  }
  status = take(m, &m->logs, count * sizeof *m->logs, err);
  if (status != TD_OK) return status;
  m->count = count;
  for (uint32_t s = 0; s < shards; s++) {
    td_shard_id shard = {(uint16_t)s};
    m->logs[s].id = (td_log_id){m->options.region, shard};
  }
  for (uint32_t i = 0; i < m->dir.segment_count; i++) {
    td_shard_id shard = segments[i].name.shard;
    m->logs[m->places[shard.value]].id = (td_log_id){m->options.region, shard};
  }
  return TD_OK;
}

/* A cut of the next epoch that is not ours would come into force. */
static td_status check_cuts(const td_migrate *m, td_shard_id shard,
                            td_error *err) {
  td_wal_file file;
  td_cuts cuts;
  if (m->options.resume || !td_wal_layouts_cuts(&m->layouts, shard)) {
    return TD_OK;
  }
  td_status status = td_wal_cuts_read(&m->dir, shard, &file, &cuts, err);
  if (status != TD_OK) return status;
  td_span bytes = {file.data, file.size};
  for (uint32_t i = 0; i < cuts.count && status == TD_OK; i++) {
    if (td_cuts_get(bytes, i).epoch != m->home->next) continue;
    char name[TD_CUTS_NAME_MAX];
    td_cuts_name(shard, name);
    status = td_fail(err, TD_DEAD, "events under a cut of that epoch", 0,
                     m->home->next);
    td_error_at(err, name, TD_NO_OFFSET);
  }
  td_wal_file_free(&m->dir, &file);
  return status;
}

static td_status open_logs(td_migrate *m, td_error *err) {
  td_status status = TD_OK;
  for (uint32_t i = 0; i < m->count && status == TD_OK; i++) {
    td_migrate_log *entry = &m->logs[i];
    status = check_cuts(m, entry->id.shard, err);
    if (status == TD_OK) status = note_there(&m->dir, entry, err);
  }
  m->opened = m->home->opened;
  if (status == TD_OK) status = td_migrate_look(m, err);
  for (uint32_t i = 0; i < m->count; i++) m->logs[i].start = m->logs[i].last;
  return status;
}

td_status td_migrate_open(td_migrate *m, td_wal_home *home, td_span layout,
                          const td_migrate_options *options, td_error *err) {
  *m = (td_migrate){.home = home, .options = *options};
  if (m->options.flush_bytes == 0) {
    m->options.flush_bytes = TD_MIGRATE_FLUSH_BYTES;
  }
  td_status status = td_wal_home_prepare(home, layout, err);
  if (status != TD_OK) {
    m->home = NULL;
    return status;
  }
  status = make_router(m, err);
  if (status == TD_OK) status = td_migrate_list(m, err);
  if (status == TD_OK) status = make_logs(m, err);
  if (status == TD_OK) status = open_logs(m, err);
  td_migrate_unlist(m);
  m->at = m->count;
  if (status != TD_OK) td_migrate_close(m, NULL);
  return status;
}

td_migrate_log *td_migrate_find(td_migrate *m, td_shard_id shard) {
  uint32_t place = m->places[shard.value];
  return place == UINT32_MAX ? NULL : &m->logs[place];
}

/* --- the end -------------------------------------------------------------- */

td_status td_migrate_hold(td_migrate *m, td_error *err) {
  td_status status = td_migrate_attach(m, err);
  if (status != TD_OK) return status;
  td_wal_hold(m->home);
  m->held = true;
  status = td_wal_sync_all(m->home, true, err);
  if (status != TD_OK) td_migrate_let_go(m);
  return status;
}

void td_migrate_let_go(td_migrate *m) {
  if (!m->held) return;
  td_wal_let_go(m->home);
  m->held = false;
}

td_status td_migrate_publish(td_migrate *m, td_span layout, td_error *err) {
  td_wal_dir dir = dir_of(m);
  uint32_t next = m->home->next;
  td_assert(m->held);
  td_status status = td_migrate_look(m, err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < m->count; i++) {
    const td_migrate_log *entry = &m->logs[i];
    bool grew = td_seqno_cmp(entry->last, entry->start) > 0;
    if (entry->left == 0 && !grew) continue;
    td_cut cut = {entry->last, next};
    status = td_wal_cut_log(&dir, entry->id, cut, err);
    if (status != TD_OK) return status;
  }
  status = td_wal_home_publish(m->home, layout, err);
  m->published = status == TD_OK;
  return status;
}

td_status td_migrate_close(td_migrate *m, td_error *err) {
  td_status status = TD_OK;
  if (!m->home) return TD_OK;
  td_migrate_unlist(m);
  td_migrate_let_go(m);
  for (uint32_t i = 0; i < m->count; i++) {
    td_error why;
    td_wal_log *own = m->logs[i].own;
    td_status end = own ? td_wal_log_close(own, true, &why) : TD_OK;
    if (end == TD_OK || status != TD_OK) continue;
    status = end;
    if (err) *err = why;
  }
  if (!m->published) td_wal_home_forget(m->home);
  release(m);
  return status;
}
