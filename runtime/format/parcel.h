/* A parcel: a list of texts, as it goes between the host and the process in
 * which it has a layout evaluated.
 *
 *   off size
 *     0    4  magic, the bytes T D P 1
 *     4    4  length u32 of the body
 *     8   16  XXH3-128 of the body, low half first
 *    24       body: count u32, then count times { length u32, bytes }
 *
 * All numbers little-endian. The writer may be hostile: every length is held
 * against its limit and against what is left before anything is believed, and
 * a body must be used up exactly. The hash only tells a torn parcel; what the
 * texts mean is for the reader to check.
 *
 * Thread: any. */
#ifndef TD_FORMAT_PARCEL_H
#define TD_FORMAT_PARCEL_H

#include "base/bytes.h"
#include "base/hash.h"
#include "base/status.h"

#define TD_PARCEL_HEADER_BYTES 24u
#define TD_PARCEL_BYTES_MAX 16777216u  /* of a body */
#define TD_PARCEL_TEXTS_MAX 1048576u

typedef struct td_parcel {
  uint32_t size;     /* of the body */
  td_hash128 hash;
} td_parcel;

/* What is left of a body that was checked. */
typedef struct td_parcel_texts {
  td_span rest;
  uint32_t count;    /* texts still in it */
} td_parcel_texts;

/* Reads a header of TD_PARCEL_HEADER_BYTES. Statuses: TD_OK, TD_MAGIC,
 * TD_LENGTH (too large, or too small for a count). Writes *out only on
 * TD_OK. */
TD_API td_status td_parcel_head(const uint8_t *header, td_parcel *out,
                                td_error *err);

/* Checks a body against its header and all its lengths. Statuses: TD_OK,
 * TD_LENGTH (of the body, of a text, bytes left over), TD_PAYLOAD_HASH,
 * TD_TOO_MANY (texts). Writes *out only on TD_OK. */
TD_API td_status td_parcel_open(const td_parcel *parcel, td_span body,
                                td_parcel_texts *out, td_error *err);

/* The next text; only while count > 0. */
TD_API td_span td_parcel_next(td_parcel_texts *texts);

/* --- writing: the caller adds up sizes and gives the memory ------------- */

/* Bytes that one text takes in a body; a body begins with 4 for the count. */
static inline size_t td_parcel_text_bytes(size_t size) { return 4 + size; }

/* Puts a text at *at and moves *at behind it. */
TD_API void td_parcel_put(uint8_t **at, td_span text);

/* Fills in the header and the count of a whole parcel, header and body. */
TD_API void td_parcel_seal(uint8_t *bytes, size_t size, uint32_t count);

#endif
