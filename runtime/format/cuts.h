/* Cuts: where moved events stop to count in the log they left. FORMAT.md 5.
 *
 *   file cuts-s00003, replaced by rename
 *   off size field
 *     0    4 magic "TIDX"          44    4 count
 *     4    2 version 2             48   10 reserved
 *     6    2 flags 0               58    2 shard
 *     8   16 zero                  60    2 region
 *    24    8 generation >= 1       62    2 reserved
 *    32   12 zero
 *    64  16n cuts: upto_seq u64, epoch u32, zero u32; by rising epoch from 1
 *   end    8 XXH3-64 of every byte before it
 *
 * A cut says: of the events through upto_seq only those count that the layout
 * of its epoch routes to this shard, once that layout is published.
 *
 * Thread: any. */
#ifndef TD_FORMAT_CUTS_H
#define TD_FORMAT_CUTS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/id.h"
#include "base/status.h"

#define TD_CUTS_HEADER_BYTES 64u
#define TD_CUTS_HASH_BYTES 8u
#define TD_CUTS_VERSION 2u
#define TD_CUT_BYTES 16u
#define TD_CUTS_MAX 65536u          /* migrations of one log */
#define TD_CUTS_NAME_MAX 12u        /* cuts-s00003 and the closing zero */

typedef struct td_cut {
  td_seqno upto;      /* the last event concerned */
  uint32_t epoch;
} td_cut;

typedef struct td_cuts {
  uint64_t generation;
  uint32_t count;
  td_shard_id shard;
  td_region_id region;
} td_cuts;

/* Bytes of a file with this many cuts. */
static inline size_t td_cuts_size(uint32_t count) {
  return (size_t)TD_CUTS_HEADER_BYTES + TD_CUTS_HASH_BYTES
       + (size_t)TD_CUT_BYTES * count;
}

/* Writes td_cuts_size(count) bytes. Statuses: TD_OK, TD_SHORT (room too
 * small), TD_TOO_MANY, TD_SEQUENCE (generation 0), TD_DUPLICATE and
 * TD_BACKWARD (epochs do not rise from 1). */
TD_API td_status td_cuts_encode(const td_cuts *cuts, const td_cut *list,
                                uint8_t *out, size_t room, td_error *err);

/* Reads a file of cuts; the cuts stay in `bytes`: td_cuts_get. Statuses:
 * TD_OK, TD_SHORT, TD_MAGIC, TD_HEADER_HASH, TD_UNSUPPORTED, TD_RESERVED,
 * TD_LENGTH, TD_TOO_MANY, TD_SEQUENCE, TD_DUPLICATE, TD_BACKWARD. Writes
 * *out only on TD_OK. */
TD_API td_status td_cuts_decode(td_span bytes, td_cuts *out, td_error *err);

/* Cut number index < count of bytes that decoded. */
TD_API td_cut td_cuts_get(td_span bytes, uint32_t index);

/* cuts-s00003 with a closing zero. Returns the length. */
TD_API size_t td_cuts_name(td_shard_id shard, char out[TD_CUTS_NAME_MAX]);
/* True for a name in exactly that form. */
TD_API bool td_cuts_name_parse(const char *name, td_shard_id *out);

#endif
