#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "format/batch.h"
#include "format/record.h"

#define UNTOUCHED 0xa5

/* What byte 62 of a header leaves as it is. */
enum {
  KEEP_RESERVED = 1, KEEP_PAYLOAD_HASH = 2, KEEP_LENGTH = 4,
  KEEP_VERSION = 8, KEEP_HEADER_HASH = 16, KEEP_SEQUENCE = 32,
};

uint8_t *fuzz_copy(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size > 0 ? size : 1);
  td_assert(copy);
  if (size > 0) memcpy(copy, data, size);
  return copy;
}

void fuzz_fill(void *out, size_t size) {
  memset(out, UNTOUCHED, size);
}

bool fuzz_untouched(const void *out, size_t size) {
  const uint8_t *bytes = out;
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != UNTOUCHED) return false;
  }
  return true;
}

void fuzz_check_error(td_status status, const td_error *err) {
  char text[TD_ERROR_TEXT_MAX];
  td_assert(status != TD_OK && err->status == status);
  if (err->got % 8 != 0) return;  /* texts are slow under a sanitizer */
  size_t size = td_error_format(err, text, sizeof text);
  td_assert(size < sizeof text && strlen(text) == size);
}

static uint64_t take(fuzz_input *in, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes && in->size > 0; i++) {
    value |= (uint64_t)*in->data++ << 8 * i;
    in->size--;
  }
  return value;
}

uint8_t fuzz_u8(fuzz_input *in) { return (uint8_t)take(in, 1); }
uint16_t fuzz_u16(fuzz_input *in) { return (uint16_t)take(in, 2); }
uint32_t fuzz_u32(fuzz_input *in) { return (uint32_t)take(in, 4); }
uint64_t fuzz_u64(fuzz_input *in) { return take(in, 8); }

void fuzz_fix_header(uint8_t *header) {
  memcpy(header, "TIDL", 4);
  td_put_u32(header + 48, 0);
  uint64_t hash = td_hash64((td_span){header, TD_BATCH_HEADER_BYTES});
  td_put_u32(header + 48, (uint32_t)hash);
}

/* A payload length that fits and agrees with the kind; its events. */
static void fix_length(uint8_t *header, size_t left) {
  uint32_t length = td_get_u32(header + 28) % 256;
  if (length > left) length = (uint32_t)left;
  uint32_t count = 1 + td_get_u32(header + 24) % 4;
  if ((header[6] & 15) == TD_BATCH_SIGNALS && left >= TD_RECORD_BYTES) {
    count = 1 + length / TD_RECORD_BYTES;
    if (count * TD_RECORD_BYTES > left) count--;
    length = count * TD_RECORD_BYTES;
  }
  td_put_u32(header + 24, count);
  td_put_u32(header + 28, length);
}

/* Returns the bytes of the batch, as far as they are there. */
static size_t fix_batch(uint8_t *header, size_t size, uint64_t *next_seq) {
  size_t left = size - TD_BATCH_HEADER_BYTES;
  unsigned keep = header[62];
  if (!(keep & KEEP_VERSION)) {
    td_put_u16(header + 4, (uint16_t)(1 + (header[4] & 1)));
    td_put_u16(header + 6, header[4] == 1 ? 0 : header[6] & 17);
  }
  if (!(keep & KEEP_RESERVED)) {
    if (header[4] == 1) memset(header + 52, 0, 12);
    td_put_u16(header + 56, 0);
    td_put_u16(header + 62, 0);
  }
  if (!(keep & KEEP_LENGTH)) fix_length(header, left);
  if (*next_seq != 0 && !(keep & KEEP_SEQUENCE)) {
    td_put_u64(header + 8, *next_seq);
    *next_seq += td_get_u32(header + 24);
  }
  size_t length = td_get_u32(header + 28);
  if (length > left) length = left;
  if (!(keep & KEEP_PAYLOAD_HASH)) {
    td_hash128 hash = td_hash128_of((td_span){header + TD_BATCH_HEADER_BYTES,
                                              length});
    td_put_u64(header + 32, hash.low);
    td_put_u64(header + 40, hash.high);
  }
  if (!(keep & KEEP_HEADER_HASH)) fuzz_fix_header(header);
  return TD_BATCH_HEADER_BYTES + length;
}

void fuzz_fix_segment(uint8_t *bytes, size_t size, uint64_t next_seq) {
  size_t at = 0;
  while (size - at >= TD_BATCH_HEADER_BYTES && bytes[at] != 0) {
    at += fix_batch(bytes + at, size - at, &next_seq);
  }
}
