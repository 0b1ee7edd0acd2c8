/* Torn or damaged? The rule for a batch that is not whole.
 *
 * At most one batch is in flight, and the one before it was synced before it
 * was written. So anything whole behind the damage proves that the damaged
 * batch was once on disk: damage, not a tear. Only behind a batch that was
 * written without a sync of its own (lazy), or whose header no longer tells,
 * do other lazy ones prove nothing. */
#include <string.h>

#include "format/segment.h"
#include "io/wal_parts.h"

#define SECTOR_BYTES 512u
#define PART_BYTES 64u  /* of a sector at either end of a batch, to count */

static td_status refuse(const td_wal_damage *damage, const char *subject,
                        uint64_t reached, td_error *err) {
  td_fail(err, TD_CORRUPT, subject, damage->last_seq.value, reached);
  td_error_at(err, damage->err.file, damage->err.offset);
  return TD_CORRUPT;
}

/* Is a whole batch of this log, with a later number, at these bytes? */
static bool later_batch(const td_wal_damage *damage, td_span at,
                        td_batch *out) {
  if (td_batch_decode(at, out, NULL) != TD_OK) return false;
  td_log_id log = {out->region, out->shard};
  td_span payload = {at.data + TD_BATCH_HEADER_BYTES,
                     at.size - TD_BATCH_HEADER_BYTES};
  return td_log_id_eq(log, damage->log)
      && td_seqno_cmp(out->first_seq, damage->last_seq) > 0
      && td_batch_verify(out, payload, NULL) == TD_OK;
}

/* Of what lies behind the damage; `synced` if the damaged batch was, before
 * anything was written behind it. A newer format is never cut. */
static td_status scan(const td_wal_damage *damage, size_t start, bool synced,
                      td_wal_recovery *out, td_error *err) {
  td_span tail = damage->tail;
  for (size_t at = start; at + TD_BATCH_HEADER_BYTES <= tail.size; at++) {
    const uint8_t *next = memchr(tail.data + at, 'T', tail.size - at);
    if (!next) return TD_OK;
    at = (size_t)(next - tail.data);
    td_span rest = {next, tail.size - at};
    td_batch batch;
    if (later_batch(damage, rest, &batch)) {
      if (synced || !batch.lazy) {
        return refuse(damage, "a batch with a whole one behind it",
                      td_batch_last_seq(&batch).value, err);
      }
      out->lost_events += batch.event_count;
      at += td_batch_size(&batch) - 1;
    } else if (td_batch_decode(rest, &batch, err) == TD_UNSUPPORTED) {
      td_error_at(err, damage->err.file, damage->err.offset + at);
      return TD_UNSUPPORTED;
    }
  }
  return TD_OK;
}

/* A sector of zeros inside the batch: it never got to the disk. */
static bool zero_sector(const td_wal_damage *damage, size_t size) {
  uint64_t offset = damage->err.offset;
  for (size_t at = 0; at < size;) {
    size_t part = SECTOR_BYTES - (size_t)((offset + at) % SECTOR_BYTES);
    if (part > size - at) part = size - at;
    td_span bytes = {damage->tail.data + at, part};
    if (part >= PART_BYTES && td_segment_only_zeros(bytes)) return true;
    at += part;
  }
  return false;
}

/* Can it have been torn at all, with nothing whole behind it? */
static td_status judge_alone(const td_wal_damage *damage,
                             td_wal_recovery *out, td_error *err) {
  td_batch head;
  size_t start = 1;
  bool synced = false;
  if (td_batch_decode(damage->tail, &head, NULL) == TD_OK) {
    size_t size = td_batch_size(&head);
    bool inside = size <= damage->tail.size;
    start = inside ? size : damage->tail.size;
    out->suspect = inside && !zero_sector(damage, size);
    synced = !head.lazy;
    if (head.lazy) out->lost_events += head.event_count;
    if (out->suspect && head.version == 1) {
      return refuse(damage, "a v1 batch that is not torn",
                    td_batch_last_seq(&head).value, err);
    }
  }
  return scan(damage, start, synced, out, err);
}

static bool may_be_torn(td_status status) {
  return status == TD_SHORT || status == TD_MAGIC || status == TD_HEADER_HASH
      || status == TD_PAYLOAD_HASH;
}

td_status td_wal_judge(const td_wal_damage *damage, td_wal_recovery *out,
                       td_error *err) {
  td_status status = damage->err.status;
  uint64_t next = damage->last_seq.value + 1;
  if (status == TD_SEQUENCE || status == TD_LENGTH) {
    return refuse(damage, "a batch that does not belong here", next, err);
  }
  if (!may_be_torn(status)) {
    if (err) *err = damage->err;
    return status;
  }
  if (!damage->last_segment) {
    return refuse(damage, "a batch with a later segment behind it",
                  damage->next_segment - 1, err);
  }
  if (td_seqno_cmp(damage->reached, damage->last_seq) > 0) {
    return refuse(damage, "a batch that a checkpoint saw",
                  damage->reached.value, err);
  }
  if (damage->clean) {
    return refuse(damage, "the end of a log that was closed cleanly", next,
                  err);
  }
  td_wal_recovery found = *out;
  status = judge_alone(damage, &found, err);
  if (status != TD_OK) return status;
  found.torn = true;
  found.offset = damage->err.offset;
  found.cut_bytes = damage->tail.size;
  *out = found;
  return TD_OK;
}
