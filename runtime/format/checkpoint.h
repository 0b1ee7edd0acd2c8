/* Checkpoints: through which event all state is materialised. FORMAT.md 4.
 *
 *   v1, file checkpoint.meta, 16 bytes: seqno u64, timestamp_ns u64
 *   v2, files checkpoint-s00003.0 and .1, generation g in slot g mod 2:
 *   off size field
 *     0    4 magic "TIDC"          32    8 hlc_wall_ns
 *     4    2 version 2             40    4 layout_epoch
 *     6    2 flags, bit 0 clean    44    4 mark_count
 *     8    8 seqno                 48   10 reserved
 *    16    8 timestamp_ns          58    2 shard
 *    24    8 generation >= 1       60    2 region
 *                                  62    2 reserved
 *    64  16n marks: region u16, shard u16, epoch u32, seqno u64; sorted by
 *            (region, shard), none twice
 *   end    8 XXH3-64 of every byte before it
 *
 * Thread: any. */
#ifndef TD_FORMAT_CHECKPOINT_H
#define TD_FORMAT_CHECKPOINT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/id.h"
#include "base/status.h"

#define TD_CHECKPOINT_V1_BYTES 16u
#define TD_CHECKPOINT_HEADER_BYTES 64u
#define TD_CHECKPOINT_HASH_BYTES 8u
#define TD_CHECKPOINT_VERSION 2u
#define TD_MARK_BYTES 16u
#define TD_CHECKPOINT_MARKS_MAX 4194304u  /* 64 regions x 65,536 shards */
#define TD_CHECKPOINT_NAME_MAX 20u        /* checkpoint-s00003.0 and zero */

/* How far one log has been applied here. */
typedef struct td_mark {
  td_log_id log;
  uint32_t epoch;
  td_seqno seqno;
} td_mark;

typedef struct td_checkpoint {
  td_seqno seqno;
  uint64_t timestamp_ns;
  uint64_t generation;     /* 0 = this was a v1 file */
  uint64_t hlc_wall_ns;    /* bound of every hybrid-clock stamp issued */
  uint32_t layout_epoch;
  uint32_t mark_count;
  td_shard_id shard;
  td_region_id region;
  bool clean;              /* the writer shut down cleanly after it */
} td_checkpoint;

/* Bytes of a v2 checkpoint with this many marks. */
static inline size_t td_checkpoint_size(uint32_t mark_count) {
  return (size_t)TD_CHECKPOINT_HEADER_BYTES + TD_CHECKPOINT_HASH_BYTES
       + (size_t)TD_MARK_BYTES * mark_count;
}

/* Writes td_checkpoint_size(mark_count) bytes. Statuses: TD_OK, TD_SHORT
 * (room too small), TD_TOO_MANY, TD_SEQUENCE (generation 0), TD_DUPLICATE
 * and TD_BACKWARD (marks not in rising order; index and other). */
TD_API td_status td_checkpoint_encode(const td_checkpoint *checkpoint,
                                      const td_mark *marks, uint8_t *out,
                                      size_t room, td_error *err);

/* Reads a v2 checkpoint. Its marks stay in `bytes`: td_checkpoint_mark.
 * Statuses: TD_OK, TD_SHORT, TD_MAGIC, TD_HEADER_HASH, TD_UNSUPPORTED,
 * TD_RESERVED, TD_TOO_MANY, TD_LENGTH, TD_SEQUENCE, TD_DUPLICATE,
 * TD_BACKWARD. Writes
 * *out only on TD_OK. */
TD_API td_status td_checkpoint_decode(td_span bytes, td_checkpoint *out,
                                      td_error *err);

/* Mark number index < mark_count of bytes that decoded. */
TD_API td_mark td_checkpoint_mark(td_span bytes, uint32_t index);

/* v1: shard 0, region 0, no marks, generation 0. Encode writes 16 bytes.
 * Statuses of decode: TD_OK, TD_LENGTH. */
TD_API void td_checkpoint_encode_v1(const td_checkpoint *checkpoint,
                                    uint8_t out[TD_CHECKPOINT_V1_BYTES]);
TD_API td_status td_checkpoint_decode_v1(td_span bytes, td_checkpoint *out,
                                         td_error *err);

/* checkpoint-s00003.1 with a closing zero; the slot is generation mod 2.
 * Returns the length. */
TD_API size_t td_checkpoint_name(td_shard_id shard, uint64_t generation,
                                 char out[TD_CHECKPOINT_NAME_MAX]);

#endif
