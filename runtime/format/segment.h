/* A walk over the batches of a segment that lies in memory, without copying:
 * payloads point into the caller's bytes.
 *
 * Each step judges one batch whole, header and payload. Behind the last
 * batch only zeros may stand (space written ahead): that is the end. Whether
 * batches follow one another is for the log reader (io/wal.h) to say.
 *
 * Thread: owner. */
#ifndef TD_FORMAT_SEGMENT_H
#define TD_FORMAT_SEGMENT_H

#include "base/bytes.h"
#include "base/status.h"
#include "format/batch.h"

typedef struct td_segment {
  td_span bytes;
  size_t at;  /* offset of the next batch; stays on an invalid one */
} td_segment;

/* Starts at the first byte. */
static inline td_segment td_segment_init(td_span bytes) {
  return (td_segment){bytes, 0};
}

/* The next batch. Statuses: TD_OK, TD_END (nothing or only zeros are left),
 * those of td_batch_decode and td_batch_verify with the offset in *err; such
 * an error is given again by the next call. Writes only on TD_OK. */
TD_API td_status td_segment_next(td_segment *segment, td_batch *batch,
                                 td_span *payload, td_error *err);

/* True if every byte is zero. */
TD_API bool td_segment_only_zeros(td_span bytes);

#endif
