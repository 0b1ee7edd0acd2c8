#include "format/layout.h"

#include "base/text.h"

#define HASH_DIGITS 32u
#define FORMAT "tidal-layout/"

/* A reader over the first line: stops for good at the first fault. */
typedef struct reader {
  const char *text;
  size_t size;
  size_t at;
  td_error *err;
  td_status status;
} reader;

static void refuse(reader *in, td_status status, const char *subject,
                   uint64_t got, uint64_t bound) {
  if (in->status != TD_OK) return;
  in->status = td_fail(in->err, status, subject, got, bound);
  td_error_at(in->err, NULL, in->at);
}

static void refuse_text(reader *in, const char *subject) {
  refuse(in, TD_TEXT, subject, 0, 0);
}

static void skip_blanks(reader *in) {
  while (in->at < in->size
         && (in->text[in->at] == ' ' || in->text[in->at] == '\t')) in->at++;
}

/* Passes this character, with blanks before it. */
static bool accept(reader *in, char c) {
  skip_blanks(in);
  if (in->status != TD_OK || in->at == in->size || in->text[in->at] != c) {
    return false;
  }
  in->at++;
  return true;
}

static void expect(reader *in, char c, const char *subject) {
  if (!accept(in, c)) refuse_text(in, subject);
}

/* One escape, behind its backslash. */
static void skip_escape(reader *in) {
  size_t left = in->size - in->at;
  uint64_t code;
  if (left >= 1 && in->text[in->at] && strchr("\"\\/bfnrt",
                                              in->text[in->at])) {
    in->at++;
  } else if (left >= 5 && in->text[in->at] == 'u'
             && td_text_read_hex(in->text + in->at + 1, 4, &code)) {
    in->at += 5;
  } else {
    refuse_text(in, "an escape of the layout");
  }
}

/* A text: what stands between its quotes, escapes as they are. */
static td_span read_text(reader *in, const char *subject) {
  expect(in, '"', subject);
  size_t from = in->at;
  while (in->status == TD_OK && in->at < in->size
         && in->text[in->at] != '"') {
    if ((unsigned char)in->text[in->at] < ' ') refuse_text(in, subject);
    if (in->text[in->at++] == '\\') skip_escape(in);
  }
  td_span out = {(const uint8_t *)in->text + from, in->at - from};
  expect(in, '"', subject);
  if (in->status != TD_OK) out.size = 0;
  return out;
}

static bool is(td_span text, const char *word) {
  size_t size = strlen(word);
  return text.size == size && memcmp(text.data, word, size) == 0;
}

static uint64_t read_number(reader *in, const char *subject, uint64_t least,
                            uint64_t most) {
  skip_blanks(in);
  size_t from = in->at;
  uint64_t value = 0;
  while (in->at < in->size && in->text[in->at] >= '0'
         && in->text[in->at] <= '9') in->at++;
  if (!td_text_read_decimal(in->text + from, in->at - from, UINT64_MAX, true,
                            &value)) {
    in->at = from;
    refuse_text(in, subject);
  } else if (value < least || value > most) {
    in->at = from;
    refuse(in, TD_OUT_OF_RANGE, subject, value, value < least ? least : most);
  }
  return value;
}

/* "0x" and 1..16 hex digits, in quotes. */
static uint64_t read_bound(reader *in, const char *subject) {
  td_span text = read_text(in, subject);
  const char *digits = (const char *)text.data;
  uint64_t value = 0;
  bool fine = text.size > 2 && digits[0] == '0' && digits[1] == 'x'
           && td_text_read_hex(digits + 2, text.size - 2, &value);
  if (!fine) refuse_text(in, subject);
  return value;
}

/* The next key of an object, one of the words (ending with NULL) that was
 * not seen yet; its number, or -1 behind the last, when all must have been
 * seen but those of `may_miss`. */
static int next_key(reader *in, const char *const *words, unsigned *seen,
                    unsigned may_miss, const char *subject) {
  unsigned all = 0;
  for (int i = 0; words[i]; i++) all |= 1u << i;
  if (accept(in, '}')) {
    if ((*seen | may_miss) != all) refuse_text(in, subject);
    return -1;
  }
  if (*seen) expect(in, ',', subject);
  td_span key = read_text(in, subject);
  expect(in, ':', subject);
  for (int i = 0; in->status == TD_OK && words[i]; i++) {
    if (!is(key, words[i]) || *seen >> i & 1) continue;
    *seen |= 1u << i;
    return i;
  }
  refuse_text(in, subject);
  return -1;
}

/* --- ranges -------------------------------------------------------------- */

typedef struct range {
  uint64_t first, last, shard;
} range;

static range read_range(reader *in, uint64_t shard_max) {
  static const char *const keys[] = {"shard", "first", "last", NULL};
  range out = {0, 0, 0};
  unsigned seen = 0;
  expect(in, '{', "a range of the layout");
  for (int key; in->status == TD_OK
       && (key = next_key(in, keys, &seen, 0, "a range of the layout")) >= 0;) {
    if (key == 0) out.shard = read_number(in, "shard id", 0, shard_max);
    else if (key == 1) out.first = read_bound(in, "first of a range");
    else out.last = read_bound(in, "last of a range");
  }
  return out;
}

/* Each range starts where the one before it ended. */
static void check_range(reader *in, range found, uint64_t next, bool first) {
  if (found.first > found.last) {
    refuse(in, TD_INVERTED, "range", found.last, found.first);
  } else if (first && found.first != 0) {
    refuse(in, TD_NOT_FROM_ZERO, "ranges", found.first, 0);
  } else if (found.first > next) {
    refuse(in, TD_GAP, "ranges", found.first - 1, next);
  } else if (found.first < next || (!first && next == 0)) {
    refuse(in, TD_OVERLAP, "ranges", next - 1, found.first);
  }
}

/* The list at in->at; writes to out unless it is NULL. Returns how many. */
static uint32_t read_ranges(reader *in, uint64_t shard_max,
                            td_layout_range *out) {
  uint32_t count = 0;
  uint64_t next = 0;
  expect(in, '[', "ranges of the layout");
  if (accept(in, ']')) {
    refuse(in, TD_NO_RANGES, "layout", 0, 0);
    return 0;
  }
  do {
    if (count == TD_LAYOUT_RANGES_MAX) {
      refuse(in, TD_TOO_MANY, "ranges", count + 1, TD_LAYOUT_RANGES_MAX);
      return count;
    }
    range found = read_range(in, shard_max);
    check_range(in, found, next, count == 0);
    if (in->status != TD_OK) {
      if (in->err) in->err->index = count;
      return count;
    }
    td_shard_id shard = {(uint16_t)found.shard};
    if (out) out[count] = (td_layout_range){found.first, shard};
    next = found.last + 1;
    count++;
  } while (accept(in, ','));
  expect(in, ']', "ranges of the layout");
  if (next != 0) refuse(in, TD_NOT_TO_LAST, "ranges", next - 1, UINT64_MAX);
  return count;
}

/* --- the rest of the line ------------------------------------------------- */

static td_layout_strategy read_strategy(reader *in) {
  static const char *const words[] = {"single", "hash", "ranges",
                                      "hash_ranges"};
  td_span text = read_text(in, "strategy of the layout");
  for (unsigned i = 0; i < 4; i++) {
    if (is(text, words[i])) return (td_layout_strategy)i;
  }
  refuse_text(in, "strategy of the layout");
  return TD_LAYOUT_SINGLE;
}

/* Ranges may stand before the number of shards: their shards are held against
 * it at the end, in a second reading. */
static void read_routing(reader *in, td_layout *out) {
  static const char *const keys[] = {"strategy", "num_shards", "ranges", NULL};
  const char *subject = "routing of the layout";
  unsigned seen = 0;
  expect(in, '{', subject);
  for (int key; in->status == TD_OK
       && (key = next_key(in, keys, &seen, 4, subject)) >= 0;) {
    if (key == 0) {
      out->strategy = read_strategy(in);
    } else if (key == 1) {
      out->num_shards = (uint32_t)read_number(in, "num_shards", 1,
                                              TD_SHARDS_MAX);
    } else {
      out->ranges_at = in->at;
      out->range_count = read_ranges(in, UINT16_MAX, NULL);
    }
  }
  bool wanted = out->strategy == TD_LAYOUT_RANGES
             || out->strategy == TD_LAYOUT_HASH_RANGES;
  if (in->status == TD_OK && wanted != (out->range_count > 0)) {
    refuse(in, wanted ? TD_NO_RANGES : TD_TEXT, subject, 0, 0);
  }
  if (in->status == TD_OK && wanted) {
    reader again = *in;
    again.at = out->ranges_at;
    read_ranges(&again, out->num_shards - 1, NULL);
    in->status = again.status;
  }
}

static td_region_id read_region(reader *in, const char *subject) {
  static const char *const keys[] = {"id", "name", NULL};
  uint64_t id = 0;
  unsigned seen = 0;
  expect(in, '{', subject);
  for (int key; in->status == TD_OK
       && (key = next_key(in, keys, &seen, 0, subject)) >= 0;) {
    if (key == 0) id = read_number(in, "region id", 0, UINT16_MAX);
    else read_text(in, "name of a region");
  }
  return (td_region_id){(uint16_t)id};
}

/* The list at in->at; writes to out unless it is NULL. Returns how many. */
static uint32_t read_regions(reader *in, td_region_id *out) {
  const char *subject = "regions of the layout";
  uint32_t count = 0;
  expect(in, '[', subject);
  if (accept(in, ']')) return 0;
  do {
    td_region_id region = read_region(in, subject);
    if (out) out[count] = region;
    count++;
  } while (accept(in, ','));
  expect(in, ']', subject);
  return count;
}

static void read_format(reader *in) {
  td_span text = read_text(in, "format of the layout");
  size_t size = strlen(FORMAT);
  uint64_t version = 0;
  bool ours = text.size > size && memcmp(text.data, FORMAT, size) == 0
           && td_text_read_decimal((const char *)text.data + size,
                                   text.size - size, UINT64_MAX, true,
                                   &version);
  if (!ours) refuse_text(in, "format of the layout");
  else if (version != 1) refuse(in, TD_UNSUPPORTED, FORMAT, version, 1);
}

static void read_line(reader *in, td_layout *out) {
  static const char *const keys[] = {"format", "name", "epoch", "regions",
                                     "routing", NULL};
  const char *subject = "layout";
  unsigned seen = 0;
  expect(in, '{', subject);
  for (int key; in->status == TD_OK
       && (key = next_key(in, keys, &seen, 0, subject)) >= 0;) {
    switch (key) {
    case 0: read_format(in); break;
    case 1: read_text(in, "name of the layout"); break;
    case 2:
      out->epoch = (uint32_t)read_number(in, "epoch", 1, UINT32_MAX);
      break;
    case 3:
      out->regions_at = in->at;
      out->region_count = read_regions(in, NULL);
      break;
    default: read_routing(in, out); break;
    }
  }
  skip_blanks(in);
  if (in->at != in->size) refuse_text(in, subject);
}

/* Sets *line to the bytes before the first line feed. */
static td_status check_hash(td_span bytes, size_t *line, td_hash128 *hash,
                            td_error *err) {
  const uint8_t *end = bytes.size > 0 ? memchr(bytes.data, '\n', bytes.size)
                                      : NULL;
  size_t at = end ? (size_t)(end - bytes.data) + 1 : 0;
  const char *digits = (const char *)bytes.data + at;
  size_t left = bytes.size - at;
  if (left == HASH_DIGITS + 1 && digits[HASH_DIGITS] == '\n') left--;
  char canonical[HASH_DIGITS + 1];
  *hash = td_hash128_of((td_span){bytes.data, at});
  td_text text = td_text_init(canonical, sizeof canonical);
  td_text_hex(&text, hash->high, 16);
  td_text_hex(&text, hash->low, 16);
  if (end && left == HASH_DIGITS
      && memcmp(digits, canonical, HASH_DIGITS) == 0) {
    *line = at - 1;
    return TD_OK;
  }
  uint64_t stored = 0;
  if (end && left >= HASH_DIGITS) td_text_read_hex(digits + 16, 16, &stored);
  td_fail(err, TD_PAYLOAD_HASH, "layout", stored, hash->low);
  td_error_at(err, NULL, at);
  return TD_PAYLOAD_HASH;
}

td_status td_layout_decode(td_span bytes, td_layout *out, td_error *err) {
  td_layout read = {.epoch = 0};
  reader in = {.text = (const char *)bytes.data, .err = err};
  if (bytes.size > TD_LAYOUT_BYTES_MAX) {
    return td_fail(err, TD_LENGTH, "layout", bytes.size, TD_LAYOUT_BYTES_MAX);
  }
  td_status status = check_hash(bytes, &in.size, &read.hash, err);
  if (status != TD_OK) return status;
  in.status = TD_OK;
  read_line(&in, &read);
  if (in.status == TD_OK) *out = read;
  return in.status;
}

/* Over bytes that decoded. */
static reader read_again(td_span bytes, size_t at) {
  return (reader){.text = (const char *)bytes.data, .size = bytes.size,
                  .at = at};
}

void td_layout_ranges(td_span bytes, const td_layout *layout,
                      td_layout_range *out) {
  reader in = read_again(bytes, layout->ranges_at);
  if (layout->range_count == 0) return;
  uint32_t count = read_ranges(&in, layout->num_shards - 1, out);
  td_assert(count == layout->range_count);
}

void td_layout_regions(td_span bytes, const td_layout *layout,
                       td_region_id *out) {
  reader in = read_again(bytes, layout->regions_at);
  uint32_t count = read_regions(&in, out);
  td_assert(count == layout->region_count);
}

size_t td_layout_name(uint32_t epoch, char out[TD_LAYOUT_NAME_MAX]) {
  td_text text = td_text_init(out, TD_LAYOUT_NAME_MAX);
  td_text_string(&text, "layout-");
  td_text_padded(&text, epoch, 10);
  td_text_string(&text, ".json");
  td_assert(text.size < TD_LAYOUT_NAME_MAX);
  return text.size;
}

bool td_layout_name_parse(const char *name, uint32_t *epoch) {
  char canonical[TD_LAYOUT_NAME_MAX];
  uint64_t number;
  if (strlen(name) != TD_LAYOUT_NAME_MAX - 1) return false;
  if (!td_text_read_decimal(name + strlen("layout-"), 10, UINT32_MAX, false,
                            &number)) return false;
  td_layout_name((uint32_t)number, canonical);
  if (memcmp(name, canonical, sizeof canonical) != 0) return false;
  *epoch = (uint32_t)number;
  return true;
}
