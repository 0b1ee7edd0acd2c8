/* Layouts: raw, with a right hash, and made from tables of ranges. One that
 * decodes covers every id, routes it to one of its shards, as a linear scan
 * over its ranges does, and says the same when it is written anew. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/layout.h"

#define TABLE_MAX 40u
#define HASH_LINE_BYTES 33u  /* 32 digits and the line feed */
#define RANGE_TEXT_MAX 96u
#define FRAME_TEXT_MAX 256u

typedef struct table {
  td_layout_strategy strategy;
  uint32_t epoch, regions;
  uint32_t num_shards;
  uint32_t count;
  struct { uint64_t first, last; uint32_t shard; } ranges[TABLE_MAX];
} table;

static const char *const strategies[] = {"single", "hash", "ranges",
                                         "hash_ranges"};

/* --- files -------------------------------------------------------------- */

/* Closes the first line and puts its hash behind it. */
static void put_hash(td_text *text) {
  td_text_char(text, '\n');
  td_hash128 hash = td_hash128_of((td_span){(const uint8_t *)text->out,
                                            text->size});
  td_text_hex(text, hash.high, 16);
  td_text_hex(text, hash.low, 16);
  td_text_char(text, '\n');
}

static void put_head(td_text *text, uint32_t epoch, uint32_t regions) {
  td_text_string(text, "{\"format\":\"tidal-layout/1\",\"name\":\"fuzz\","
                       "\"epoch\":");
  td_text_decimal(text, epoch);
  td_text_string(text, ",\"regions\":[");
  for (uint32_t i = 0; i < regions; i++) {
    td_text_string(text, i > 0 ? ",{\"id\":" : "{\"id\":");
    td_text_decimal(text, i);
    td_text_string(text, ",\"name\":\"\"}");
  }
}

static void put_range(td_text *text, bool more, uint64_t shard,
                      uint64_t first, uint64_t last) {
  td_text_string(text, more ? ",{\"shard\":" : "{\"shard\":");
  td_text_decimal(text, shard);
  td_text_string(text, ",\"first\":\"0x");
  td_text_hex(text, first, 16);
  td_text_string(text, "\",\"last\":\"0x");
  td_text_hex(text, last, 16);
  td_text_string(text, "\"}");
}

static void put_routing(td_text *text, td_layout_strategy strategy,
                        uint32_t num_shards) {
  td_text_string(text, "],\"routing\":{\"strategy\":\"");
  td_text_string(text, strategies[strategy]);
  td_text_string(text, "\",\"num_shards\":");
  td_text_decimal(text, num_shards);
}

/* --- what decoded ------------------------------------------------------- */

static void check_route(const td_layout *layout, const td_layout_range *list,
                        uint64_t id) {
  td_entity_id entity = {id};
  uint64_t key = id, shard = 0;
  if (layout->strategy == TD_LAYOUT_HASH
      || layout->strategy == TD_LAYOUT_HASH_RANGES) {
    key = td_hash_entity(entity);
  }
  if (layout->strategy == TD_LAYOUT_HASH) shard = key % layout->num_shards;
  for (uint32_t i = 0; i < layout->range_count; i++) {
    if (list[i].first <= key) shard = list[i].shard.value;
  }
  td_assert(td_layout_route(layout, list, entity).value == shard);
  td_assert(shard < layout->num_shards);
}

static void check_ranges(const td_layout *layout,
                         const td_layout_range *list) {
  uint32_t count = layout->range_count;
  td_assert(count == 0 || list[0].first == 0);
  for (uint32_t i = 0; i < count; i++) {
    td_assert(list[i].shard.value < layout->num_shards);
    td_assert(i == 0 || list[i].first > list[i - 1].first);
  }
  uint32_t step = 1 + count / 64;  /* a share of large ones */
  for (uint32_t i = 0; i < count; i += step) {
    check_route(layout, list, list[i].first);
    check_route(layout, list, list[i].first - 1);
  }
  static const uint64_t ids[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63,
                                 (UINT64_C(1) << 63) - 1, 42};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    check_route(layout, list, ids[i]);
  }
}

/* In the form that the writer has. */
static void check_written(const td_layout *layout,
                          const td_layout_range *list) {
  uint32_t count = layout->range_count, regions = layout->region_count;
  if (regions > TABLE_MAX) return;
  size_t room = FRAME_TEXT_MAX + RANGE_TEXT_MAX * ((size_t)count + regions);
  char *out = malloc(room);
  td_layout_range *again = malloc((count + 1) * sizeof *again);
  td_layout back;
  td_assert(out && again);
  td_text text = td_text_init(out, room);
  put_head(&text, layout->epoch, regions);
  put_routing(&text, layout->strategy, layout->num_shards);
  if (count > 0) td_text_string(&text, ",\"ranges\":[");
  for (uint32_t i = 0; i < count; i++) {
    uint64_t last = i + 1 < count ? list[i + 1].first - 1 : UINT64_MAX;
    put_range(&text, i > 0, list[i].shard.value, list[i].first, last);
  }
  td_text_string(&text, count > 0 ? "]}}" : "}}");
  put_hash(&text);
  td_span bytes = {(const uint8_t *)out, text.size};
  td_assert(text.size < room);
  td_assert(td_layout_decode(bytes, &back, NULL) == TD_OK);
  td_layout_ranges(bytes, &back, again);
  td_assert(back.epoch == layout->epoch && back.range_count == count);
  td_assert(back.num_shards == layout->num_shards);
  td_assert(back.region_count == regions);
  td_assert(back.strategy == layout->strategy);
  for (uint32_t i = 0; i < count; i++) {
    td_assert(again[i].first == list[i].first);
    td_assert(td_shard_id_eq(again[i].shard, list[i].shard));
  }
  free(again);
  free(out);
}

/* A changed byte of the first line is always found. */
static void check_changed(td_span bytes, const td_layout *layout) {
  uint8_t *changed = fuzz_copy(bytes.data, bytes.size);
  td_layout none;
  size_t at = (size_t)(layout->hash.low % (bytes.size - HASH_LINE_BYTES));
  changed[at] ^= (uint8_t)(1u << layout->hash.high % 8);
  td_assert(td_layout_decode((td_span){changed, bytes.size}, &none, NULL)
            == TD_PAYLOAD_HASH);
  free(changed);
}

static td_status check_decode(td_span bytes) {
  td_layout layout;
  td_error err;
  fuzz_fill(&layout, sizeof layout);
  td_status status = td_layout_decode(bytes, &layout, &err);
  if (status != TD_OK) {
    td_assert(fuzz_untouched(&layout, sizeof layout));
    td_assert(td_layout_decode(bytes, &layout, NULL) == status);
    td_assert(err.offset == TD_NO_OFFSET || err.offset <= bytes.size);
    fuzz_check_error(status, &err);
    return status;
  }
  bool ranged = layout.strategy == TD_LAYOUT_RANGES
             || layout.strategy == TD_LAYOUT_HASH_RANGES;
  td_assert(layout.epoch > 0 && ranged == (layout.range_count > 0));
  td_assert(layout.num_shards > 0 && layout.num_shards <= TD_SHARDS_MAX);
  td_assert(layout.range_count <= TD_LAYOUT_RANGES_MAX);
  td_layout_range *list = malloc((layout.range_count + 1) * sizeof *list);
  td_assert(list);
  td_layout_ranges(bytes, &layout, list);
  check_ranges(&layout, list);
  check_written(&layout, list);
  check_changed(bytes, &layout);
  free(list);
  return status;
}

/* --- inputs ------------------------------------------------------------- */

/* The first line of the input with a right hash. */
static void check_fixed(const uint8_t *data, size_t size) {
  const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
  size_t line = end ? (size_t)(end - data) : size;
  size_t room = line + HASH_LINE_BYTES + 2;
  char *out = malloc(room);
  td_assert(out);
  td_text text = td_text_init(out, room);
  if (line > 0) td_text_bytes(&text, (const char *)data, line);
  put_hash(&text);
  td_assert(text.size == room - 1);
  uint8_t *exact = fuzz_copy((const uint8_t *)out, text.size);
  check_decode((td_span){exact, text.size});
  /* The line feed at the end may be missing. */
  check_decode((td_span){exact, text.size - 1});
  free(exact);
  free(out);
}

/* Ranges that cover everything, once or (16) again, then perhaps one bound
 * bent. */
static void take_table(table *out, fuzz_input *in) {
  uint8_t mode = fuzz_u8(in), bent = fuzz_u8(in);
  uint64_t next = 0;
  out->strategy = (td_layout_strategy)(mode & 3);
  out->epoch = 1u + bent;
  out->regions = mode / 32;
  out->num_shards = 1u + fuzz_u16(in);
  while (out->count < TABLE_MAX && in->size > 0) {
    uint64_t width = fuzz_u64(in), left = UINT64_MAX - next;
    uint32_t n = out->count++;
    uint64_t last = width < left && in->size > 0 ? next + width : UINT64_MAX;
    out->ranges[n].first = next;
    out->ranges[n].last = last;
    out->ranges[n].shard = fuzz_u16(in);
    if (mode & 4) out->ranges[n].shard %= out->num_shards;
    if (last == UINT64_MAX && !(mode & 16)) break;
    next = last + 1;
  }
  if (out->count == 0 || !(mode & 8)) return;
  uint32_t n = bent / 4 % out->count;
  uint64_t by = bent & 1 ? 1 : UINT64_MAX;
  if (bent & 2) out->ranges[n].first += by;
  else out->ranges[n].last += by;
}

static bool is_right(const table *all) {
  if (all->strategy == TD_LAYOUT_SINGLE || all->strategy == TD_LAYOUT_HASH) {
    return all->count == 0;
  }
  uint32_t end = all->count - 1;
  if (all->count == 0 || all->ranges[0].first != 0
      || all->ranges[end].last != UINT64_MAX) return false;
  for (uint32_t i = 0; i < all->count; i++) {
    if (all->ranges[i].first > all->ranges[i].last
        || all->ranges[i].shard >= all->num_shards) return false;
    if (i > 0 && (all->ranges[i - 1].last == UINT64_MAX
                  || all->ranges[i].first != all->ranges[i - 1].last + 1)) {
      return false;
    }
  }
  return true;
}

static void check_made(fuzz_input in) {
  char out[FRAME_TEXT_MAX + RANGE_TEXT_MAX * TABLE_MAX];
  table all = {.count = 0};
  td_text text = td_text_init(out, sizeof out);
  take_table(&all, &in);
  put_head(&text, all.epoch, all.regions);
  put_routing(&text, all.strategy, all.num_shards);
  if (all.count > 0) td_text_string(&text, ",\"ranges\":[");
  for (uint32_t i = 0; i < all.count; i++) {
    put_range(&text, i > 0, all.ranges[i].shard, all.ranges[i].first,
              all.ranges[i].last);
  }
  td_text_string(&text, all.count > 0 ? "]}}" : "}}");
  put_hash(&text);
  td_assert(text.size < sizeof out);
  td_span bytes = {(const uint8_t *)out, text.size};
  td_layout layout;
  td_assert((check_decode(bytes) == TD_OK) == is_right(&all));
  if (td_layout_decode(bytes, &layout, NULL) != TD_OK) return;
  td_assert(layout.epoch == all.epoch && layout.strategy == all.strategy);
  td_assert(layout.region_count == all.regions);
  td_assert(layout.num_shards == all.num_shards);
  td_assert(layout.range_count == all.count);
}

/* A name that is read is the one that is written. */
static void check_name(const uint8_t *data, size_t size) {
  char name[TD_LAYOUT_NAME_MAX + 4], canonical[TD_LAYOUT_NAME_MAX];
  uint32_t epoch;
  if (size >= sizeof name) size = sizeof name - 1;
  if (size > 0) memcpy(name, data, size);
  name[size] = '\0';
  fuzz_fill(&epoch, sizeof epoch);
  if (td_layout_name_parse(name, &epoch)) {
    td_layout_name(epoch, canonical);
    td_assert(strcmp(name, canonical) == 0);
  } else {
    td_assert(fuzz_untouched(&epoch, sizeof epoch));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_decode((td_span){data, size});
  check_fixed(data, size);
  check_made((fuzz_input){data, size});
  check_name(data, size);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  td_text text = td_text_init((char *)out, room);
  if (index > 4) return 0;
  if (index == 4) return td_layout_name(UINT32_MAX, (char *)out);
  put_head(&text, 1 + index, index);
  put_routing(&text, (td_layout_strategy)index, 1 + index);
  if (index > 1) {
    td_text_string(&text, ",\"ranges\":[");
    put_range(&text, false, 0, 0, 41);
    put_range(&text, true, index, 42, UINT64_MAX);
    td_text_char(&text, ']');
  }
  td_text_string(&text, "}}");
  put_hash(&text);
  return text.size;
}
