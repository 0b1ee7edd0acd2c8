/* Published layouts: which shard an id belonged to under an epoch. FORMAT.md
 * 5 and 6.
 *
 *   file layout-0000000002.json, two lines:
 *   {"format":"tidal-layout/1","name":"prod","epoch":2,"regions":[{"id":0,
 *    "name":"us-east"}],"routing":{"strategy":"single|hash|ranges|
 *    hash_ranges","num_shards":5,"ranges":[{"shard":0,"first":"0x..",
 *    "last":"0x.."}]}}
 *   32 hex digits: XXH3-128 of the first line with its line feed
 *
 * Read in C, not with the Lua JSON reader: log followers and programs without
 * Lua need it to know which events count. The reader takes this format only:
 * blanks and the order of keys are free, everything else is not; a key that
 * it does not know, or twice, is refused, because it might mean something.
 *
 * Routing here is a plain search: io does not know the model's router, and
 * only events under a cut are routed. The answers are the same.
 *
 * Thread: any. */
#ifndef TD_FORMAT_LAYOUT_H
#define TD_FORMAT_LAYOUT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/status.h"

#define TD_LAYOUT_BYTES_MAX 16777216u
#define TD_LAYOUT_RANGES_MAX 65536u
#define TD_LAYOUT_NAME_MAX 23u  /* layout-0000000002.json and the zero */

typedef enum td_layout_strategy {
  TD_LAYOUT_SINGLE,
  TD_LAYOUT_HASH,
  TD_LAYOUT_RANGES,
  TD_LAYOUT_HASH_RANGES,
} td_layout_strategy;

typedef struct td_layout {
  td_hash128 hash;         /* of the first line: what the layout is */
  uint32_t epoch;
  uint32_t num_shards;
  uint32_t region_count;
  uint32_t range_count;    /* 0 for single and hash */
  td_layout_strategy strategy;
  size_t regions_at;       /* in the file, for td_layout_regions */
  size_t ranges_at;        /* ... for td_layout_ranges */
} td_layout;

typedef struct td_layout_range {
  uint64_t first;          /* through to the next one's first - 1 */
  td_shard_id shard;
} td_layout_range;

/* Reads a whole file and checks all of it: hash, form, numbers, and that the
 * ranges cover all 2^64 ids. Statuses: TD_OK; TD_LENGTH (too large),
 * TD_PAYLOAD_HASH, TD_UNSUPPORTED (another tidal-layout), TD_TEXT (with
 * offset), TD_OUT_OF_RANGE, TD_TOO_MANY, TD_NO_RANGES, TD_NOT_FROM_ZERO,
 * TD_GAP, TD_OVERLAP, TD_INVERTED, TD_NOT_TO_LAST. Writes *out only on
 * TD_OK. */
TD_API td_status td_layout_decode(td_span bytes, td_layout *out,
                                  td_error *err);

/* Writes range_count ranges of bytes that decoded, rising. */
TD_API void td_layout_ranges(td_span bytes, const td_layout *layout,
                             td_layout_range *out);

/* Writes the ids of region_count regions of bytes that decoded, as listed. */
TD_API void td_layout_regions(td_span bytes, const td_layout *layout,
                              td_region_id *out);

/* The shard of an id; `ranges` as td_layout_ranges gave them. */
TD_API td_shard_id td_layout_route(const td_layout *layout,
                                   const td_layout_range *ranges,
                                   td_entity_id entity);

/* layout-0000000002.json with a closing zero. Returns the length. */
TD_API size_t td_layout_name(uint32_t epoch, char out[TD_LAYOUT_NAME_MAX]);
/* True for a name in exactly that form. */
TD_API bool td_layout_name_parse(const char *name, uint32_t *epoch);

#endif
