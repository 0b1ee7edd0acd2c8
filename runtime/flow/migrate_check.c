/* What arrived: the events that a log holds under the next epoch. */
#include "flow/migrate_seams.h"
#include "io/wal_parts.h"

void td_migrate_end_check(td_migrate *m) {
  if (m->checking) td_wal_cursor_close(&m->cursor);
  m->checking = false;
}

td_status td_migrate_check(td_migrate *m, td_shard_id shard, td_seqno after,
                           td_error *err) {
  const td_migrate_log *entry = td_migrate_find(m, shard);
  if (!entry) {
    return td_fail(err, TD_OUT_OF_RANGE, "shard id", shard.value,
                   m->logs[m->count - 1].id.shard.value);
  }
  td_migrate_unlist(m);
  td_status status = td_wal_sync_all(m->home, m->held, err);
  if (status == TD_OK) status = td_migrate_look(m, err);
  if (status != TD_OK) return status;
  m->found = (td_migrate_sum){.count = 0};
  m->found_last = after;
  m->check_after = after;
  m->check_upto = entry->last;
  if (td_seqno_cmp(after, m->check_upto) >= 0) return TD_OK;
  status = td_migrate_list(m, err);
  if (status != TD_OK) return status;
  status = td_wal_cursor_open(&m->cursor, &m->dir, shard,
                              (td_seqno){after.value + 1}, err);
  m->checking = status == TD_OK;
  if (status != TD_OK) td_migrate_unlist(m);
  return status;
}

/* An event of the next epoch that belongs elsewhere. */
static td_status refuse(const td_migrate *m, const td_wal_batch *batch,
                        uint32_t index, uint16_t shard, td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  const uint8_t *record = batch->payload.data
                        + (size_t)index * TD_RECORD_BYTES;
  td_segname_format(m->dir.segments[batch->segment].name, name);
  td_fail(err, TD_MOVED, "event", td_record_entity(record).value, shard);
  td_error_at(err, name, batch->offset);
  if (err) err->index = index;
  return TD_MOVED;
}

static td_status count_batch(td_migrate *m, const td_wal_batch *batch,
                             td_error *err) {
  const td_batch *head = &batch->head;
  if (head->layout_epoch != m->home->next
      || head->kind != TD_BATCH_SIGNALS
      || td_seqno_cmp(head->first_seq, m->check_after) <= 0) {
    return TD_OK;
  }
  for (uint32_t done = 0, now; done < head->event_count; done += now) {
    uint16_t shards[TD_MIGRATE_CHUNK];
    const uint8_t *records = batch->payload.data
                           + (size_t)done * TD_RECORD_BYTES;
    uint32_t left = head->event_count - done;
    now = left < TD_MIGRATE_CHUNK ? left : TD_MIGRATE_CHUNK;
    td_migrate_route(m, records, now, shards);
    for (uint32_t i = 0; i < now; i++) {
      if (shards[i] == head->shard.value) continue;
      return refuse(m, batch, done + i, shards[i], err);
    }
    td_migrate_add(&m->found, records, now);
  }
  m->found_last = td_batch_last_seq(head);
  return TD_OK;
}

td_status td_migrate_check_step(td_migrate *m, uint64_t bytes,
                                td_error *err) {
  td_wal_batch batch;
  uint64_t done = 0;
  td_status status = m->checking ? TD_OK : TD_END;
  while (status == TD_OK && done < bytes) {
    if (td_seqno_cmp(m->cursor.last_seq, m->check_upto) >= 0) {
      status = TD_END;
      break;
    }
    status = td_wal_cursor_next(&m->cursor, &batch, err);
    if (status == TD_OK) status = count_batch(m, &batch, err);
    if (status == TD_OK) done += batch.head.payload_len;
  }
  m->read += done;
  if (status != TD_OK) td_migrate_unlist(m);
  return status;
}
