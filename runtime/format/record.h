/* An event of a kind-0 batch, 21 bytes. FORMAT.md 2 is the authority.
 *
 *   off size field
 *     0    8 entity
 *     8    1 signal_type
 *     9    4 weight          f32, IEEE bits; a NaN keeps its bits
 *    13    8 timestamp_ns
 *
 * Named record, not event: glibc's thread_db.h owns td_event_*.
 *
 * Thread: any. */
#ifndef TD_FORMAT_RECORD_H
#define TD_FORMAT_RECORD_H

#include "base/bytes.h"
#include "base/id.h"
#include "format/batch.h"

#define TD_RECORD_BYTES 21u
#define TD_RECORDS_MAX (TD_BATCH_PAYLOAD_MAX / TD_RECORD_BYTES)

typedef struct td_record {
  td_entity_id entity;
  uint64_t timestamp_ns;
  float weight;
  uint8_t signal_type;
} td_record;

_Static_assert(sizeof(float) == 4, "weights are IEEE single precision");

static inline void td_record_encode(const td_record *record,
                                    uint8_t out[TD_RECORD_BYTES]) {
  uint32_t bits;
  memcpy(&bits, &record->weight, sizeof bits);
  td_put_u64(out, record->entity.value);
  out[8] = record->signal_type;
  td_put_u32(out + 9, bits);
  td_put_u64(out + 13, record->timestamp_ns);
}

/* Any 21 bytes are a record. */
static inline td_record td_record_decode(const uint8_t in[TD_RECORD_BYTES]) {
  td_record record;
  uint32_t bits = td_get_u32(in + 9);
  record.entity.value = td_get_u64(in);
  record.signal_type = in[8];
  memcpy(&record.weight, &bits, sizeof bits);
  record.timestamp_ns = td_get_u64(in + 13);
  return record;
}

/* The entity alone, for routing. */
static inline td_entity_id td_record_entity(const uint8_t *in) {
  return (td_entity_id){td_get_u64(in)};
}

#endif
