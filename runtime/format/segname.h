/* Names of segment files. FORMAT.md 3 is the authority.
 *
 *   shard 0      wal-00000000000000000042.seg
 *   any other    wal-s00003-00000000000000000042.seg
 *
 * Only this form is a name: what format writes, parse reads, and parse reads
 * nothing else. The region is not in the name; headers carry it.
 *
 * Thread: any. */
#ifndef TD_FORMAT_SEGNAME_H
#define TD_FORMAT_SEGNAME_H

#include "base/id.h"
#include "base/status.h"

#define TD_SEGNAME_TEXT_MAX 36u  /* with the closing zero */

typedef struct td_segname {
  td_shard_id shard;
  td_seqno first_seq;  /* >= 1 */
} td_segname;

/* Numeric order: shard, then first_seq. */
TD_API int td_segname_cmp(td_segname a, td_segname b);

/* Returns the length. first_seq must be >= 1. */
TD_API size_t td_segname_format(td_segname name,
                                char out[TD_SEGNAME_TEXT_MAX]);

/* Reads all of text[0..size). Statuses: TD_OK, TD_NAME. */
TD_API td_status td_segname_parse(const char *text, size_t size,
                                  td_segname *out, td_error *err);

#endif
