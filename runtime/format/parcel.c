#include "format/parcel.h"

#define MAGIC UINT32_C(0x31504454)  /* "TDP1" */
#define COUNT_BYTES 4u

static td_hash128 get_hash(const uint8_t *p) {
  return (td_hash128){td_get_u64(p), td_get_u64(p + 8)};
}

td_status td_parcel_head(const uint8_t *header, td_parcel *out,
                         td_error *err) {
  uint32_t magic = td_get_u32(header), size = td_get_u32(header + 4);
  if (magic != MAGIC) return td_fail(err, TD_MAGIC, "parcel", magic, MAGIC);
  if (size < COUNT_BYTES) {
    return td_fail(err, TD_LENGTH, "parcel length", size, COUNT_BYTES);
  }
  if (size > TD_PARCEL_BYTES_MAX) {
    return td_fail(err, TD_LENGTH, "parcel length", size,
                   TD_PARCEL_BYTES_MAX);
  }
  *out = (td_parcel){size, get_hash(header + 8)};
  return TD_OK;
}

/* Walks over all texts; they must end where the body ends. */
static td_status check_texts(td_parcel_texts texts, td_error *err) {
  while (texts.count > 0) {
    if (texts.rest.size < 4) {
      return td_fail(err, TD_LENGTH, "rest of a parcel", texts.rest.size, 4);
    }
    uint32_t size = td_get_u32(texts.rest.data);
    if (size > texts.rest.size - 4) {
      return td_fail(err, TD_LENGTH, "text in a parcel", size,
                     texts.rest.size - 4);
    }
    td_parcel_next(&texts);
  }
  if (texts.rest.size == 0) return TD_OK;
  return td_fail(err, TD_LENGTH, "rest of a parcel", texts.rest.size, 0);
}

td_status td_parcel_open(const td_parcel *parcel, td_span body,
                         td_parcel_texts *out, td_error *err) {
  if (body.size != parcel->size || body.size < COUNT_BYTES) {
    return td_fail(err, TD_LENGTH, "parcel length", body.size, parcel->size);
  }
  td_hash128 hash = td_hash128_of(body);
  if (!td_hash128_eq(hash, parcel->hash)) {
    return td_fail(err, TD_PAYLOAD_HASH, "parcel", parcel->hash.low,
                   hash.low);
  }
  td_parcel_texts texts = {
    {body.data + COUNT_BYTES, body.size - COUNT_BYTES},
    td_get_u32(body.data),
  };
  if (texts.count > TD_PARCEL_TEXTS_MAX) {
    return td_fail(err, TD_TOO_MANY, "texts in a parcel", texts.count,
                   TD_PARCEL_TEXTS_MAX);
  }
  td_status status = check_texts(texts, err);
  if (status == TD_OK) *out = texts;
  return status;
}

td_span td_parcel_next(td_parcel_texts *texts) {
  td_assert(texts->count > 0 && texts->rest.size >= 4);
  uint32_t size = td_get_u32(texts->rest.data);
  td_assert(size <= texts->rest.size - 4);
  td_span text = {texts->rest.data + 4, size};
  texts->rest.data += 4 + size;
  texts->rest.size -= 4 + size;
  texts->count--;
  return text;
}

void td_parcel_put(uint8_t **at, td_span text) {
  td_assert(text.size <= TD_PARCEL_BYTES_MAX);
  td_put_u32(*at, (uint32_t)text.size);
  if (text.size > 0) memcpy(*at + 4, text.data, text.size);
  *at += 4 + text.size;
}

void td_parcel_seal(uint8_t *bytes, size_t size, uint32_t count) {
  td_assert(size >= TD_PARCEL_HEADER_BYTES + COUNT_BYTES);
  uint8_t *body = bytes + TD_PARCEL_HEADER_BYTES;
  size_t length = size - TD_PARCEL_HEADER_BYTES;
  td_assert(length <= TD_PARCEL_BYTES_MAX && count <= TD_PARCEL_TEXTS_MAX);
  td_put_u32(body, count);
  td_hash128 hash = td_hash128_of((td_span){body, length});
  td_put_u32(bytes, MAGIC);
  td_put_u32(bytes + 4, (uint32_t)length);
  td_put_u64(bytes + 8, hash.low);
  td_put_u64(bytes + 16, hash.high);
}
