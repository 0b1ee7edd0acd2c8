/* A batch: 64-byte header, then the payload. FORMAT.md 1 is the authority.
 *
 *   off size field                     v1       v2
 *     0    4 magic "TIDL"
 *     4    2 version                   1        2
 *     6    2 flags                     0        bits 0-3 kind, bit 4 lazy
 *     8    8 first_seq >= 1
 *    16    8 timestamp_ns
 *    24    4 event_count >= 1
 *    28    4 payload_len               21 * event_count for kind 0
 *    32   16 payload_hash              XXH3-128 of the payload, low half first
 *    48    4 header_hash               low half of XXH3-64, these bytes zero
 *    52    4 layout_epoch              0        epoch
 *    56    2 reserved                  0        0
 *    58    2 shard                     0        shard
 *    60    2 region                    0        region
 *    62    2 reserved                  0        0
 *
 * A header is judged in this order: magic, hash, version, then flags and
 * reserved bytes, then length, then sequence. So a flipped bit is damage and
 * never passes for a newer format. v1 reads as shard 0, region 0, epoch 0.
 *
 * Thread: any. */
#ifndef TD_FORMAT_BATCH_H
#define TD_FORMAT_BATCH_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/status.h"

#define TD_BATCH_HEADER_BYTES 64u
#define TD_BATCH_VERSION 2u
#define TD_SEGMENT_BYTES 16777216u  /* a new segment starts before this */
#define TD_BATCH_PAYLOAD_MAX (TD_SEGMENT_BYTES - TD_BATCH_HEADER_BYTES)

typedef enum td_batch_kind {
  TD_BATCH_SIGNALS = 0,   /* records of 21 bytes (format/record.h) */
  TD_BATCH_SESSIONS = 1,  /* opaque here: read, verified, shipped, counted */
} td_batch_kind;

/* A header as a value. Two headers with equal fields encode to equal bytes. */
typedef struct td_batch {
  td_seqno first_seq;
  uint64_t timestamp_ns;    /* when the batch was closed, since 1970 */
  td_hash128 payload_hash;
  uint32_t event_count;
  uint32_t payload_len;     /* bytes */
  uint32_t layout_epoch;    /* 0 = none */
  td_shard_id shard;
  td_region_id region;
  uint16_t version;         /* 1 or 2 */
  uint8_t kind;             /* td_batch_kind */
  bool lazy;                /* written under a policy that may not sync it */
} td_batch;

/* The number of the batch's last event. */
static inline td_seqno td_batch_last_seq(const td_batch *batch) {
  return (td_seqno){batch->first_seq.value + batch->event_count - 1};
}

/* Bytes of header and payload. */
static inline size_t td_batch_size(const td_batch *batch) {
  return (size_t)TD_BATCH_HEADER_BYTES + batch->payload_len;
}

/* Checks the fields by the rules for bytes read (version, v1 tags, kind,
 * length, sequence). Statuses: TD_OK, TD_UNSUPPORTED, TD_RESERVED,
 * TD_LENGTH, TD_SEQUENCE. */
TD_API td_status td_batch_check(const td_batch *batch, td_error *err);

/* Writes the header of a batch whose payload_hash is already set. The batch
 * must pass td_batch_check. */
TD_API void td_batch_encode(const td_batch *batch,
                            uint8_t out[TD_BATCH_HEADER_BYTES]);

/* Sets payload_len and payload_hash from the payload, checks, and writes the
 * header. Statuses: as td_batch_check; writes nothing unless TD_OK. */
TD_API td_status td_batch_seal(td_batch *batch, td_span payload,
                               uint8_t out[TD_BATCH_HEADER_BYTES],
                               td_error *err);

/* Reads a header from the first 64 of `bytes`, without its payload. Statuses:
 * TD_OK, TD_SHORT, TD_MAGIC, TD_HEADER_HASH, TD_UNSUPPORTED, TD_RESERVED,
 * TD_LENGTH, TD_SEQUENCE. Writes *out only on TD_OK. */
TD_API td_status td_batch_decode(td_span bytes, td_batch *out, td_error *err);

/* Checks a payload against its header. Statuses: TD_OK, TD_SHORT (fewer than
 * payload_len bytes), TD_PAYLOAD_HASH. Only the first payload_len count. */
TD_API td_status td_batch_verify(const td_batch *batch, td_span payload,
                                 td_error *err);

#endif
