/* A lap: log by log in their order, from `after` to `upto`, what the next
 * layout routes elsewhere.
 *
 * The order in which a log gets its events is that of this walk, however
 * large the steps and the writes are: so a lap that was cut short can be
 * walked again and goes on where the disk ends. */
#include "flow/migrate_seams.h"
#include "io/wal_parts.h"

#define RECORDS_FIRST (32u * TD_RECORD_BYTES)  /* room; doubled when full */

static const td_alloc *alloc_of(const td_migrate *m) {
  return &m->home->env.alloc;
}

/* --- writing -------------------------------------------------------------- */

/* Nothing waits any more; what follows in its log on what was walked already
 * need not be walked. */
static void note_written(td_migrate *m, const td_wal_moved *parts) {
  for (uint32_t i = 0; i < m->count; i++) {
    td_migrate_log *entry = &m->logs[i];
    if (entry->size == 0) continue;
    uint64_t first = parts++->first.value;
    if (first == entry->next.value + 1) {
      entry->next.value += entry->size / TD_RECORD_BYTES;
    }
    entry->size = 0;
  }
}

/* One batch in each log that events wait for. The disk works on them while the
 * next ones are made. */
static td_status flush(td_migrate *m, td_error *err) {
  uint32_t count = 0;
  if (m->waiting == 0) return TD_OK;
  td_status status = td_migrate_attach(m, err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < m->count; i++) count += m->logs[i].size > 0;
  size_t size = count * sizeof(td_wal_moved);
  td_wal_moved *parts = td_alloc_resize(alloc_of(m), NULL, 0, size);
  if (!parts) return td_fail(err, TD_NO_MEMORY, "migration", size, 0);
  count = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    const td_migrate_log *entry = &m->logs[i];
    if (entry->size == 0) continue;
    parts[count++] = (td_wal_moved){entry->log,
                                    {entry->records, entry->size},
                                    {0}};
  }
  status = td_wal_append_moved(parts, count, m->held, err);
  if (status == TD_OK) note_written(m, parts);
  td_alloc_free(alloc_of(m), parts, size);
  if (status != TD_OK) return status;
  m->written += m->waiting;
  m->waiting = 0;
  return TD_OK;
}

static td_status make_room(const td_migrate *m, td_migrate_log *entry,
                           size_t want, td_error *err) {
  size_t room = entry->room ? entry->room : RECORDS_FIRST;
  if (entry->room - entry->size >= want) return TD_OK;
  while (room - entry->size < want) room *= 2;
  void *records = td_alloc_resize(alloc_of(m), entry->records, entry->room,
                                  room);
  if (!records) return td_fail(err, TD_NO_MEMORY, "moved events", room, 0);
  entry->records = records;
  entry->room = room;
  return TD_OK;
}

/* Those that are there already are counted, and not written again. */
static uint32_t count_known(const td_migrate_log *entry, uint32_t count) {
  if (entry->moved.count >= entry->skip) return 0;
  uint64_t left = entry->skip - entry->moved.count;
  return left < count ? (uint32_t)left : count;
}

static td_status move(td_migrate *m, td_migrate_log *entry,
                      const uint8_t *records, uint32_t count,
                      td_error *err) {
  uint32_t known = count_known(entry, count);
  td_migrate_add(&entry->moved, records, count);
  if (known == count) return TD_OK;
  td_status status = TD_OK;
  size_t size = (size_t)(count - known) * TD_RECORD_BYTES;
  if (m->waiting >= m->options.flush_bytes) status = flush(m, err);
  if (status == TD_OK) status = make_room(m, entry, size, err);
  if (status != TD_OK) return status;
  memcpy(entry->records + entry->size,
         records + (size_t)known * TD_RECORD_BYTES, size);
  entry->size += size;
  m->waiting += size;
  return TD_OK;
}

/* --- reading -------------------------------------------------------------- */

/* Batches of the next epoch belong behind the end that the log had when this
 * migration began. */
static td_status check_epoch(const td_migrate *m, const td_migrate_log *from,
                             const td_wal_run *run, td_error *err) {
  if (run->head.layout_epoch != m->home->next
      || td_seqno_cmp(run->first_seq, from->start) > 0) {
    return TD_OK;
  }
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname_format(m->dir.segments[run->segment].name, name);
  td_fail(err, TD_DEAD, "events that an earlier migration left under epoch "
          "of the next layout", m->home->next, m->home->next);
  td_error_at(err, name, run->offset);
  return TD_DEAD;
}

/* What of some records goes elsewhere, as many at once as go together. */
static td_status move_chunk(td_migrate *m, td_migrate_log *from,
                            const uint8_t *records, uint32_t count,
                            td_error *err) {
  uint16_t shards[TD_MIGRATE_CHUNK];
  td_migrate_route(m, records, count, shards);
  for (uint32_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && shards[end] == shards[i];) end++;
    if (shards[i] == from->id.shard.value) continue;
    from->left += end - i;
    td_status status = move(m, &m->logs[m->places[shards[i]]],
                            records + (size_t)i * TD_RECORD_BYTES, end - i,
                            err);
    if (status != TD_OK) return status;
  }
  return TD_OK;
}

static td_status move_run(td_migrate *m, td_migrate_log *from,
                          const td_wal_run *run, td_error *err) {
  uint64_t upto = from->upto.value, first = run->first_seq.value;
  td_status status = check_epoch(m, from, run, err);
  if (status != TD_OK || !run->live) return status;
  uint64_t most = first <= upto ? upto - first + 1 : 0;
  uint32_t left = run->count < most ? run->count : (uint32_t)most;
  const uint8_t *records = run->records.data;
  while (left > 0 && status == TD_OK) {
    uint32_t count = left < TD_MIGRATE_CHUNK ? left : TD_MIGRATE_CHUNK;
    status = move_chunk(m, from, records, count, err);
    records += (size_t)count * TD_RECORD_BYTES;
    left -= count;
  }
  return status;
}

static void end_log(td_migrate *m) {
  if (m->reading) td_wal_live_close(&m->live);
  m->reading = false;
}

void td_migrate_end_lap(td_migrate *m) {
  end_log(m);
  for (uint32_t i = 0; i < m->count; i++) m->logs[i].size = 0;
  m->waiting = 0;
  m->at = m->count;
}

/* The next log with something to copy. */
static td_status begin_log(td_migrate *m, td_error *err) {
  while (m->at < m->count
         && td_seqno_cmp(m->logs[m->at].after, m->logs[m->at].upto) >= 0) {
    m->at++;
  }
  if (m->at == m->count) return TD_END;
  const td_migrate_log *from = &m->logs[m->at];
  td_seqno first = {from->after.value + 1};
  td_status status = td_wal_live_open(&m->live, &m->layouts, from->id.shard,
                                      first, err);
  m->reading = status == TD_OK;
  return status;
}

static td_status step_run(td_migrate *m, uint64_t *bytes, td_error *err) {
  td_wal_run run;
  td_migrate_log *from = &m->logs[m->at];
  td_status status = td_wal_live_run(&m->live, &run, err);
  if (status == TD_END) {
    return td_fail(err, TD_SHORT, "log", from->after.value,
                   from->upto.value);
  }
  if (status == TD_OK) status = move_run(m, from, &run, err);
  if (status != TD_OK) return status;
  *bytes += run.records.size;
  m->read += run.records.size;
  if (run.first_seq.value + (run.count - 1) >= from->upto.value) {
    end_log(m);
    m->at++;
  }
  return TD_OK;
}

td_status td_migrate_lap(td_migrate *m, td_error *err) {
  td_migrate_unlist(m);
  td_status status = td_migrate_look(m, err);
  for (uint32_t i = 0; i < m->count && status == TD_OK; i++) {
    td_migrate_log *entry = &m->logs[i];
    entry->moved = (td_migrate_sum){.count = 0};
    entry->next = entry->upto;
    if (td_seqno_cmp(entry->upto, entry->last) <= 0) continue;
    status = td_fail(err, TD_AHEAD, "lap", entry->upto.value,
                     entry->last.value);
  }
  if (status == TD_OK) status = td_migrate_list(m, err);
  m->at = status == TD_OK ? 0 : m->count;
  return status;
}

td_status td_migrate_step(td_migrate *m, uint64_t bytes, td_error *err) {
  uint64_t done = 0;
  td_status status = TD_OK;
  while (status == TD_OK && done < bytes) {
    if (!m->reading) status = begin_log(m, err);
    if (status == TD_OK) status = step_run(m, &done, err);
  }
  if (status == TD_END) {
    status = flush(m, err);
    if (status == TD_OK) status = td_wal_sync_all(m->home, m->held, err);
    if (status == TD_OK) status = TD_END;
  }
  if (status != TD_OK) td_migrate_unlist(m);
  return status;
}
