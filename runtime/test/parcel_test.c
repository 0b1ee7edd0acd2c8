/* Covers format/parcel.
 * Parcels there and back, and every way in which one can be wrong. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "tidal.h"

#define ROOM 256u

/* A parcel of "", "ab" and a text with a zero byte; returns its size. */
static size_t make(uint8_t *out) {
  uint8_t *at = out + TD_PARCEL_HEADER_BYTES + 4;
  td_parcel_put(&at, (td_span){NULL, 0});
  td_parcel_put(&at, (td_span){(const uint8_t *)"ab", 2});
  td_parcel_put(&at, (td_span){(const uint8_t *)"\0\xff", 2});
  td_parcel_seal(out, (size_t)(at - out), 3);
  return (size_t)(at - out);
}

static td_status open_all(const uint8_t *bytes, size_t size,
                          td_parcel_texts *texts, td_error *err) {
  td_parcel parcel;
  td_status status = td_parcel_head(bytes, &parcel, err);
  if (status != TD_OK) return status;
  td_span body = {bytes + TD_PARCEL_HEADER_BYTES,
                  size - TD_PARCEL_HEADER_BYTES};
  return td_parcel_open(&parcel, body, texts, err);
}

static void there_and_back(void) {
  uint8_t bytes[ROOM];
  size_t size = make(bytes);
  td_parcel_texts texts;
  CHECK(memcmp(bytes, "TDP1", 4) == 0);
  CHECK_U64(size, 24 + 4 + 4 + 6 + 6);
  CHECK(open_all(bytes, size, &texts, NULL) == TD_OK);
  CHECK_U64(texts.count, 3);
  CHECK_U64(td_parcel_next(&texts).size, 0);
  td_span text = td_parcel_next(&texts);
  CHECK(text.size == 2 && memcmp(text.data, "ab", 2) == 0);
  text = td_parcel_next(&texts);
  CHECK(text.size == 2 && memcmp(text.data, "\0\xff", 2) == 0);
  CHECK_U64(texts.count, 0);
}

static void every_bit(void) {
  uint8_t bytes[ROOM];
  size_t size = make(bytes);
  for (size_t bit = 0; bit < size * 8; bit++) {
    td_parcel_texts texts;
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(open_all(bytes, size, &texts, NULL) != TD_OK);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

/* Makes the hash right again, so that what stands behind it is reached. */
static td_status reopen(uint8_t *bytes, size_t size, td_error *err) {
  td_parcel_texts texts;
  uint8_t *body = bytes + TD_PARCEL_HEADER_BYTES;
  td_parcel_seal(bytes, size, td_get_u32(body));
  return open_all(bytes, size, &texts, err);
}

static void wrong_lengths(void) {
  uint8_t bytes[ROOM];
  size_t size = make(bytes);
  uint8_t *body = bytes + TD_PARCEL_HEADER_BYTES;
  td_error err;
  for (uint32_t count = 0; count < 100; count++) {
    td_put_u32(body, count);
    CHECK(reopen(bytes, size, &err) == (count == 3 ? TD_OK : TD_LENGTH));
  }
  td_put_u32(body, TD_PARCEL_TEXTS_MAX);
  CHECK(reopen(bytes, size, &err) == TD_LENGTH);
  size = make(bytes);
  const uint32_t lengths[] = {1, 3, 6, 7, 0x7fffffff, 0xfffffffc,
                              0xffffffff};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    td_put_u32(body + 8, lengths[i]);
    CHECK(reopen(bytes, size, &err) == TD_LENGTH);
  }
}

static void limits(void) {
  uint8_t bytes[ROOM];
  td_parcel parcel;
  td_error err;
  make(bytes);
  const struct { uint32_t size; td_status status; } rows[] = {
    {0, TD_LENGTH}, {3, TD_LENGTH}, {4, TD_OK}, {TD_PARCEL_BYTES_MAX, TD_OK},
    {TD_PARCEL_BYTES_MAX + 1, TD_LENGTH}, {UINT32_MAX, TD_LENGTH},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    td_put_u32(bytes + 4, rows[i].size);
    CHECK(td_parcel_head(bytes, &parcel, &err) == rows[i].status);
  }
  bytes[0] = 'X';
  CHECK(td_parcel_head(bytes, &parcel, &err) == TD_MAGIC);
}

/* As many texts as there may be, and one more. */
static void many_texts(void) {
  size_t size = TD_PARCEL_HEADER_BYTES + 4 + 4 * (TD_PARCEL_TEXTS_MAX + 1);
  uint8_t *bytes = calloc(1, size);
  td_parcel_texts texts;
  td_error err;
  uint8_t *body = bytes + TD_PARCEL_HEADER_BYTES;
  td_parcel_seal(bytes, size - 4, TD_PARCEL_TEXTS_MAX);
  CHECK(open_all(bytes, size - 4, &texts, &err) == TD_OK);
  td_parcel_seal(bytes, size, TD_PARCEL_TEXTS_MAX);
  td_put_u32(body, TD_PARCEL_TEXTS_MAX + 1);
  td_hash128 hash = td_hash128_of((td_span){
    body, size - TD_PARCEL_HEADER_BYTES});
  td_put_u64(bytes + 8, hash.low);
  td_put_u64(bytes + 16, hash.high);
  CHECK(open_all(bytes, size, &texts, &err) == TD_TOO_MANY);
  free(bytes);
}

void test_parcel(void) {
  test_case("parcel", "there and back", there_and_back);
  test_case("parcel", "every flipped bit is found", every_bit);
  test_case("parcel", "wrong lengths behind a right hash", wrong_lengths);
  test_case("parcel", "limits of the header", limits);
  test_case("parcel", "as many texts as possible", many_texts);
}
