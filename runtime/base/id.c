#include "base/id.h"

#include "base/text.h"

int td_log_id_cmp(td_log_id a, td_log_id b) {
  int order = td_region_id_cmp(a.region, b.region);
  return order ? order : td_shard_id_cmp(a.shard, b.shard);
}

int td_segment_id_cmp(td_segment_id a, td_segment_id b) {
  int order = td_region_id_cmp(a.region, b.region);
  if (order == 0) order = td_shard_id_cmp(a.shard, b.shard);
  return order ? order : td_seqno_cmp(a.seqno, b.seqno);
}

/* Multiply and fold; the constants are odd and irregular, nothing more. */
uint64_t td_segment_id_hash(td_segment_id id) {
  uint64_t tags = (uint64_t)id.region.value << 16 | id.shard.value;
  uint64_t h = (id.seqno.value ^ tags << 32) * UINT64_C(0x9e3779b97f4a7c15);
  h ^= h >> 32;
  h = (h + tags) * UINT64_C(0xd6e8feb86659fd93);
  return h ^ h >> 32;
}

static void put_tag(td_text *text, char letter, uint16_t value) {
  td_text_char(text, letter);
  td_text_decimal(text, value);
}

size_t td_region_id_format(td_region_id id, char *out) {
  td_text text = td_text_init(out, TD_REGION_ID_TEXT_MAX);
  put_tag(&text, 'r', id.value);
  td_assert(text.size < TD_REGION_ID_TEXT_MAX);
  return text.size;
}

size_t td_shard_id_format(td_shard_id id, char *out) {
  td_text text = td_text_init(out, TD_SHARD_ID_TEXT_MAX);
  put_tag(&text, 's', id.value);
  td_assert(text.size < TD_SHARD_ID_TEXT_MAX);
  return text.size;
}

size_t td_entity_id_format(td_entity_id id, char *out) {
  td_text text = td_text_init(out, TD_ENTITY_ID_TEXT_MAX);
  td_text_string(&text, "0x");
  td_text_hex(&text, id.value, 16);
  td_assert(text.size < TD_ENTITY_ID_TEXT_MAX);
  return text.size;
}

size_t td_log_id_format(td_log_id id, char *out) {
  td_text text = td_text_init(out, TD_LOG_ID_TEXT_MAX);
  put_tag(&text, 'r', id.region.value);
  td_text_char(&text, ':');
  put_tag(&text, 's', id.shard.value);
  td_assert(text.size < TD_LOG_ID_TEXT_MAX);
  return text.size;
}

size_t td_segment_id_format(td_segment_id id, char *out) {
  td_text text = td_text_init(out, TD_SEGMENT_ID_TEXT_MAX);
  put_tag(&text, 'r', id.region.value);
  td_text_char(&text, ':');
  put_tag(&text, 's', id.shard.value);
  td_text_char(&text, ':');
  td_text_decimal(&text, id.seqno.value);
  td_assert(text.size < TD_SEGMENT_ID_TEXT_MAX);
  return text.size;
}

/* What a reader of one text form moves along. */
typedef struct reader {
  const char *at;
  const char *end;
} reader;

/* A number up to the next ':' or the end, canonical, at most max. */
static td_status read_number(reader *in, const char *subject, uint64_t max,
                             uint64_t *out, td_error *err) {
  const char *from = in->at;
  while (in->at < in->end && *in->at != ':') in->at++;
  size_t size = (size_t)(in->at - from);
  uint64_t value = 0;
  if (td_text_read_decimal(from, size, UINT64_MAX, true, &value)) {
    if (value > max) return td_fail(err, TD_OUT_OF_RANGE, subject, value, max);
    *out = value;
    return TD_OK;
  }
  return td_fail(err, TD_TEXT, subject, size, 0);
}

static td_status read_tag(reader *in, char letter, const char *subject,
                          uint16_t *out, td_error *err) {
  uint64_t value;
  if (in->at == in->end || *in->at != letter) {
    return td_fail(err, TD_TEXT, subject, 0, 0);
  }
  in->at++;
  td_status status = read_number(in, subject, UINT16_MAX, &value, err);
  if (status == TD_OK) *out = (uint16_t)value;
  return status;
}

static td_status read_colon(reader *in, const char *subject, td_error *err) {
  if (in->at == in->end) return td_fail(err, TD_TEXT, subject, 0, 0);
  in->at++;  /* read_number stops at ':' or the end only */
  return TD_OK;
}

static td_status read_end(const reader *in, const char *subject,
                          td_error *err) {
  return in->at == in->end ? TD_OK : td_fail(err, TD_TEXT, subject, 0, 0);
}

td_status td_region_id_parse(const char *text, size_t size,
                             td_region_id *out, td_error *err) {
  reader in = {text, text + size};
  uint16_t value = 0;
  td_status status = read_tag(&in, 'r', "region id", &value, err);
  if (status == TD_OK) status = read_end(&in, "region id", err);
  if (status == TD_OK) out->value = value;
  return status;
}

td_status td_shard_id_parse(const char *text, size_t size, td_shard_id *out,
                            td_error *err) {
  reader in = {text, text + size};
  uint16_t value = 0;
  td_status status = read_tag(&in, 's', "shard id", &value, err);
  if (status == TD_OK) status = read_end(&in, "shard id", err);
  if (status == TD_OK) out->value = value;
  return status;
}

static td_status read_log(reader *in, const char *subject, td_log_id *out,
                          td_error *err) {
  td_status status = read_tag(in, 'r', subject, &out->region.value, err);
  if (status == TD_OK) status = read_colon(in, subject, err);
  if (status == TD_OK) {
    status = read_tag(in, 's', subject, &out->shard.value, err);
  }
  return status;
}

td_status td_log_id_parse(const char *text, size_t size, td_log_id *out,
                          td_error *err) {
  reader in = {text, text + size};
  td_log_id id = {{0}, {0}};
  td_status status = read_log(&in, "log id", &id, err);
  if (status == TD_OK) status = read_end(&in, "log id", err);
  if (status == TD_OK) *out = id;
  return status;
}

td_status td_segment_id_parse(const char *text, size_t size,
                              td_segment_id *out, td_error *err) {
  reader in = {text, text + size};
  td_log_id log = {{0}, {0}};
  uint64_t seqno = 0;
  td_status status = read_log(&in, "segment id", &log, err);
  if (status == TD_OK) status = read_colon(&in, "segment id", err);
  if (status == TD_OK) {
    status = read_number(&in, "segment id", UINT64_MAX, &seqno, err);
  }
  if (status == TD_OK) status = read_end(&in, "segment id", err);
  if (status == TD_OK) {
    *out = (td_segment_id){log.region, log.shard, {seqno}};
  }
  return status;
}

td_status td_entity_id_parse(const char *text, size_t size,
                             td_entity_id *out, td_error *err) {
  bool hex = size > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  uint64_t value;
  bool read = hex ? td_text_read_hex(text + 2, size - 2, &value)
                  : td_text_read_decimal(text, size, UINT64_MAX, false,
                                         &value);
  if (!read) return td_fail(err, TD_TEXT, "entity id", size, 0);
  out->value = value;
  return TD_OK;
}

void td_segment_id_encode(td_segment_id id,
                          uint8_t out[TD_SEGMENT_ID_BYTES]) {
  td_put_u16_be(out, id.region.value);
  td_put_u16_be(out + 2, id.shard.value);
  td_put_u64_be(out + 4, id.seqno.value);
}

td_status td_segment_id_decode(td_span bytes, td_segment_id *out,
                               td_error *err) {
  if (bytes.size != TD_SEGMENT_ID_BYTES) {
    return td_fail(err, TD_LENGTH, "segment id", bytes.size,
                   TD_SEGMENT_ID_BYTES);
  }
  *out = (td_segment_id){
    {td_get_u16_be(bytes.data)}, {td_get_u16_be(bytes.data + 2)},
    {td_get_u64_be(bytes.data + 4)},
  };
  return TD_OK;
}
