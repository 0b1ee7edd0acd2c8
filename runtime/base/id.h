/* Ids that cannot be mixed: every kind is a struct of its own.
 *
 *   region  u16  r0      shard   u16  s3       entity u64  0x000000000000002a
 *   log     (region, shard)  r0:s3
 *   segment (region, shard, seqno of the first event)  r0:s3:42
 *
 * Order is numeric, field by field. Text is canonical: decimal without
 * leading zeros, signs or blanks; what format writes, parse reads, and parse
 * reads nothing else. (`.value` is for base, format and bind only.)
 *
 * Thread: any. */
#ifndef TD_BASE_ID_H
#define TD_BASE_ID_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"

typedef struct td_region_id { uint16_t value; } td_region_id;
typedef struct td_shard_id { uint16_t value; } td_shard_id;
typedef struct td_entity_id { uint64_t value; } td_entity_id;
typedef struct td_seqno { uint64_t value; } td_seqno;

/* One writer's sequence of batches. */
typedef struct td_log_id {
  td_region_id region;
  td_shard_id shard;
} td_log_id;

typedef struct td_segment_id {
  td_region_id region;
  td_shard_id shard;
  td_seqno seqno;
} td_segment_id;

#define TD_SHARDS_MAX 65536u
#define TD_REGIONS_MAX 65536u
#define TD_REGION_ID_TEXT_MAX 7u    /* r65535 and the closing zero */
#define TD_SHARD_ID_TEXT_MAX 7u
#define TD_ENTITY_ID_TEXT_MAX 19u   /* 0x and 16 digits */
#define TD_LOG_ID_TEXT_MAX 14u
#define TD_SEGMENT_ID_TEXT_MAX 35u
#define TD_SEGMENT_ID_BYTES 12u

/* < 0, 0, > 0 as a is before, equal to, behind b. */
static inline int td_u64_cmp(uint64_t a, uint64_t b) {
  return (a > b) - (a < b);
}
static inline int td_region_id_cmp(td_region_id a, td_region_id b) {
  return td_u64_cmp(a.value, b.value);
}
static inline int td_shard_id_cmp(td_shard_id a, td_shard_id b) {
  return td_u64_cmp(a.value, b.value);
}
static inline int td_entity_id_cmp(td_entity_id a, td_entity_id b) {
  return td_u64_cmp(a.value, b.value);
}
static inline int td_seqno_cmp(td_seqno a, td_seqno b) {
  return td_u64_cmp(a.value, b.value);
}
TD_API int td_log_id_cmp(td_log_id a, td_log_id b);
TD_API int td_segment_id_cmp(td_segment_id a, td_segment_id b);

static inline bool td_region_id_eq(td_region_id a, td_region_id b) {
  return a.value == b.value;
}
static inline bool td_shard_id_eq(td_shard_id a, td_shard_id b) {
  return a.value == b.value;
}
static inline bool td_log_id_eq(td_log_id a, td_log_id b) {
  return td_log_id_cmp(a, b) == 0;
}
static inline bool td_segment_id_eq(td_segment_id a, td_segment_id b) {
  return td_segment_id_cmp(a, b) == 0;
}

/* For hash tables in memory; not stored anywhere, may change. */
TD_API uint64_t td_segment_id_hash(td_segment_id id);

/* Text with a closing zero into out, which has the type's TD_*_TEXT_MAX
 * bytes. Returns the length. */
TD_API size_t td_region_id_format(td_region_id id, char *out);
TD_API size_t td_shard_id_format(td_shard_id id, char *out);
TD_API size_t td_entity_id_format(td_entity_id id, char *out);
TD_API size_t td_log_id_format(td_log_id id, char *out);
TD_API size_t td_segment_id_format(td_segment_id id, char *out);

/* Reads all of text[0..size). Statuses: TD_OK, TD_TEXT (another form),
 * TD_OUT_OF_RANGE (a number too large). Writes *out only on TD_OK. */
TD_API td_status td_region_id_parse(const char *text, size_t size,
                                    td_region_id *out, td_error *err);
TD_API td_status td_shard_id_parse(const char *text, size_t size,
                                   td_shard_id *out, td_error *err);
TD_API td_status td_log_id_parse(const char *text, size_t size,
                                 td_log_id *out, td_error *err);
TD_API td_status td_segment_id_parse(const char *text, size_t size,
                                     td_segment_id *out, td_error *err);
/* "0x" or "0X" and 1..16 hex digits, or decimal up to 18446744073709551615. */
TD_API td_status td_entity_id_parse(const char *text, size_t size,
                                    td_entity_id *out, td_error *err);

/* 12 bytes, big-endian region, shard, seqno: their byte order is the order
 * of the ids. */
TD_API void td_segment_id_encode(td_segment_id id,
                                 uint8_t out[TD_SEGMENT_ID_BYTES]);
/* Statuses: TD_OK, TD_LENGTH (not 12 bytes). */
TD_API td_status td_segment_id_decode(td_span bytes, td_segment_id *out,
                                      td_error *err);

#endif
