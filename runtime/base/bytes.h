/* Little-endian numbers at byte offsets, and a span of bytes.
 *
 * The helpers are unrolled: gcc and clang turn each into one move. Offsets
 * are the caller's promise; length checks stand where bytes come in.
 *
 * Thread: any. */
#ifndef TD_BASE_BYTES_H
#define TD_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes somebody else owns. */
typedef struct td_span {
  const uint8_t *data;
  size_t size;
} td_span;

static inline uint16_t td_get_u16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t td_get_u32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16
       | (uint32_t)p[3] << 24;
}

static inline uint64_t td_get_u64(const uint8_t *p) {
  return (uint64_t)td_get_u32(p) | (uint64_t)td_get_u32(p + 4) << 32;
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Stores go through memcpy: gcc 12 does not merge shifted byte stores. */
static inline void td_put_u16(uint8_t *p, uint16_t v) { memcpy(p, &v, 2); }
static inline void td_put_u32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static inline void td_put_u64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }
#else
static inline void td_put_u16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}
static inline void td_put_u32(uint8_t *p, uint32_t v) {
  td_put_u16(p, (uint16_t)v);
  td_put_u16(p + 2, (uint16_t)(v >> 16));
}
static inline void td_put_u64(uint8_t *p, uint64_t v) {
  td_put_u32(p, (uint32_t)v);
  td_put_u32(p + 4, (uint32_t)(v >> 32));
}
#endif

/* Big-endian, for keys whose byte order must be their numeric order. */
static inline void td_put_u16_be(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

static inline void td_put_u64_be(uint8_t *p, uint64_t v) {
  for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static inline uint16_t td_get_u16_be(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t td_get_u32_be(const uint8_t *p) {
  return (uint32_t)td_get_u16_be(p) << 16 | td_get_u16_be(p + 2);
}

static inline uint64_t td_get_u64_be(const uint8_t *p) {
  uint64_t v = 0;
  for (int i = 0; i < 8; i++) v = v << 8 | p[i];
  return v;
}

#endif
