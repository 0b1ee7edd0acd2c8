/* Published layouts and cuts as bytes.
 * Covers format/layout format/layout_route format/cuts. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/text.h"
#include "format/cuts.h"
#include "format/layout.h"
#include "model/router.h"
#include "test/layout_text.h"

size_t layout_seal(char *out, size_t size) {
  out[size++] = '\n';
  td_hash128 hash = td_hash128_of((td_span){(uint8_t *)out, size});
  td_text text = td_text_init(out + size, 33);
  td_text_hex(&text, hash.high, 16);
  td_text_hex(&text, hash.low, 16);
  return size + 32;
}

size_t layout_text(char *out, size_t room, uint32_t epoch,
                   const char *strategy, uint32_t num_shards,
                   const char *ranges) {
  int size = snprintf(out, room, "{\"format\":\"tidal-layout/1\",\"name\":"
                      "\"prod\",\"epoch\":%u,\"regions\":[{\"id\":0,\"name\":"
                      "\"us\"},{\"id\":2,\"name\":\"eu\"},{\"id\":1,"
                      "\"name\":\"ap\"}],\"routing\":{\"strategy\":"
                      "\"%s\",\"num_shards\":%u%s%s}}", epoch, strategy,
                      num_shards, ranges ? ",\"ranges\":" : "",
                      ranges ? ranges : "");
  td_assert(size > 0 && (size_t)size + 34 < room);
  return layout_seal(out, (size_t)size);
}

static td_status decode(const char *text, size_t size, td_layout *out,
                        td_error *err) {
  return td_layout_decode((td_span){(const uint8_t *)text, size}, out, err);
}

#define ALL "[{\"shard\":0,\"first\":\"0x0\",\"last\":\"0x7f\"}," \
  "{\"shard\":2,\"first\":\"0x80\",\"last\":\"0xffffFFFFffffffff\"}]"

static void case_reads(void) {
  char text[1024];
  td_layout layout;
  td_layout_range ranges[2];
  td_error err;
  size_t size = layout_text(text, sizeof text, 7, "ranges", 3, ALL);
  CHECK(decode(text, size, &layout, &err) == TD_OK);
  CHECK_U64(layout.epoch, 7);
  CHECK_U64(layout.num_shards, 3);
  CHECK_U64(layout.region_count, 3);
  CHECK_U64(layout.range_count, 2);
  CHECK(layout.strategy == TD_LAYOUT_RANGES);
  CHECK_U64(layout.hash.low,
            td_hash128_of((td_span){(uint8_t *)text, size - 32}).low);
  td_layout_ranges((td_span){(uint8_t *)text, size}, &layout, ranges);
  td_region_id regions[3];
  td_layout_regions((td_span){(uint8_t *)text, size}, &layout, regions);
  CHECK(regions[0].value == 0 && regions[1].value == 2
        && regions[2].value == 1);
  CHECK_U64(ranges[1].first, 0x80);
  CHECK(ranges[1].shard.value == 2);
  CHECK(td_layout_route(&layout, ranges, (td_entity_id){0x7f}).value == 0);
  CHECK(td_layout_route(&layout, ranges, (td_entity_id){UINT64_MAX}).value
        == 2);
  text[size] = '\n';
  CHECK(decode(text, size + 1, &layout, &err) == TD_OK);
}

/* Blanks and the order of keys are free. */
static void case_free_form(void) {
  char text[512] = " { \"routing\" : { \"ranges\" : [ { \"last\":"
    "\"0xffffffffffffffff\" ,\t\"first\":\"0x0\", \"shard\": 1 } ] ,"
    " \"num_shards\": 2, \"strategy\": \"hash_ranges\" }, \"regions\": [ ],"
    " \"epoch\": 4294967295, \"name\": \"a\\u00e9\\\"\\\\\", \"format\":"
    "\"tidal-layout/1\" } ";
  td_layout layout;
  size_t size = layout_seal(text, strlen(text));
  CHECK(decode(text, size, &layout, NULL) == TD_OK);
  CHECK_U64(layout.epoch, UINT32_MAX);
  CHECK(layout.strategy == TD_LAYOUT_HASH_RANGES);
}

#define RANGE(s, a, b) "{\"shard\":" s ",\"first\":\"" a "\",\"last\":\"" b \
  "\"}"
#define LAST "0xffffffffffffffff"

static void case_refused_ranges(void) {
  static const struct { const char *ranges; td_status status; } rows[] = {
    {"[]", TD_NO_RANGES}, {NULL, TD_NO_RANGES},
    {"[" RANGE("0", "0x1", LAST) "]", TD_NOT_FROM_ZERO},
    {"[" RANGE("0", "0x0", "0xfffffffffffffffe") "]", TD_NOT_TO_LAST},
    {"[" RANGE("0", "0x0", "0x5") "," RANGE("1", "0x7", LAST) "]", TD_GAP},
    {"[" RANGE("0", "0x0", "0x5") "," RANGE("1", "0x5", LAST) "]",
     TD_OVERLAP},
    {"[" RANGE("0", "0x0", LAST) "," RANGE("1", "0x0", LAST) "]",
     TD_OVERLAP},
    {"[" RANGE("0", "0x6", "0x5") "]", TD_INVERTED},
    {"[" RANGE("3", "0x0", LAST) "]", TD_OUT_OF_RANGE},
    {"[" RANGE("65536", "0x0", LAST) "]", TD_OUT_OF_RANGE},
    {"[" RANGE("0", "0", LAST) "]", TD_TEXT},
    {"[" RANGE("0", "0x", LAST) "]", TD_TEXT},
    {"[" RANGE("0", "0x0", "0x1ffffffffffffffff") "]", TD_TEXT},
    {"[" RANGE("-1", "0x0", LAST) "]", TD_TEXT},
    {"[" RANGE("00", "0x0", LAST) "]", TD_TEXT},
    {"[" RANGE("0", "0x0", LAST) ",]", TD_TEXT},
    {"[{\"shard\":0,\"first\":\"0x0\"}]", TD_TEXT},
    {"[{\"shard\":0,\"shard\":0,\"first\":\"0x0\",\"last\":\"" LAST "\"}]",
     TD_TEXT},
    {"{}", TD_TEXT}, {"[", TD_TEXT},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[1024];
    td_layout layout = {.epoch = 99};
    td_error err;
    size_t size = layout_text(text, sizeof text, 1, "ranges", 3,
                              rows[i].ranges);
    CHECK_TEXT(td_status_code(decode(text, size, &layout, &err)),
               td_status_code(rows[i].status));
    CHECK(err.status == rows[i].status && err.offset < size);
    CHECK_U64(layout.epoch, 99);
  }
}

/* One edit of a good line each; %s stands for what may be there. */
static void case_refused_text(void) {
  static const struct { const char *old, *fresh; td_status status; } rows[] =
  {
    {"tidal-layout/1", "tidal-layout/2", TD_UNSUPPORTED},
    {"tidal-layout/1", "tidal-layout/01", TD_TEXT},
    {"tidal-layout/1", "tidal-plan/1", TD_TEXT},
    {"\"epoch\":1", "\"epoch\":0", TD_OUT_OF_RANGE},
    {"\"epoch\":1", "\"epoch\":4294967296", TD_OUT_OF_RANGE},
    {"\"epoch\":1", "\"epoch\":1.0", TD_TEXT},
    {"\"epoch\":1", "\"epoch\":\"1\"", TD_TEXT},
    {"\"epoch\":1,", "", TD_TEXT}, {"\"epoch\":1,", "\"epoch\":1,,", TD_TEXT},
    {"\"epoch\":1,", "\"epoch\":1,\"epoch\":1,", TD_TEXT},
    {"\"epoch\":1,", "\"epoch\":1,\"more\":1,", TD_TEXT},
    {"\"num_shards\":5", "\"num_shards\":0", TD_OUT_OF_RANGE},
    {"\"num_shards\":5", "\"num_shards\":65537", TD_OUT_OF_RANGE},
    {"\"hash\"", "\"hush\"", TD_TEXT}, {"\"hash\"", "hash", TD_TEXT},
    {"\"id\":2", "\"id\":65536", TD_OUT_OF_RANGE},
    {"\"us\"", "\"u\\q\"", TD_TEXT}, {"\"us\"", "\"u\\u12x4\"", TD_TEXT},
    {"\"us\"", "\"u\x01\"", TD_TEXT}, {"\"us\"", "\"us", TD_TEXT},
    {"}}", "}}x", TD_TEXT}, {"}}", "}", TD_TEXT}, {"{\"format", "[\"format",
                                                   TD_TEXT},
    {"\"num_shards\":5", "\"num_shards\":5,\"ranges\":" ALL, TD_TEXT},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[1024], edited[1024];
    td_layout layout;
    td_error err;
    layout_text(text, sizeof text, 1, "hash", 5, NULL);
    *strchr(text, '\n') = '\0';
    const char *at = strstr(text, rows[i].old);
    CHECK(at != NULL);
    if (!at) continue;
    int size = snprintf(edited, sizeof edited - 34, "%.*s%s%s",
                        (int)(at - text), text, rows[i].fresh,
                        at + strlen(rows[i].old));
    td_status status = decode(edited, layout_seal(edited, (size_t)size),
                              &layout, &err);
    CHECK_TEXT(td_status_code(status), td_status_code(rows[i].status));
    CHECK(err.offset < sizeof edited);
  }
}

/* Damage never reads as a layout: every flip, every cut, every addition. */
static void case_damage(void) {
  char text[1024];
  td_layout layout;
  td_error err;
  size_t size = layout_text(text, sizeof text, 1, "ranges", 3, ALL);
  for (size_t bit = 0; bit < size * 8; bit++) {
    text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    CHECK(decode(text, size, &layout, &err) == TD_PAYLOAD_HASH);
    text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
  }
  for (size_t cut = 0; cut < size; cut++) {
    CHECK(decode(text, cut, &layout, &err) == TD_PAYLOAD_HASH);
  }
  text[size] = text[size + 1] = '\n';
  CHECK(decode(text, size + 2, &layout, &err) == TD_PAYLOAD_HASH);
  text[size] = ' ';
  CHECK(decode(text, size + 1, &layout, &err) == TD_PAYLOAD_HASH);
}

/* TD_LAYOUT_RANGES_MAX of them and one more; TD_LAYOUT_BYTES_MAX. */
static void case_limits(void) {
  for (uint32_t more = 0; more < 2; more++) {
    uint32_t count = TD_LAYOUT_RANGES_MAX + more;
    size_t room = (size_t)count * 80 + 1024, at = 0;
    char *ranges = malloc(room), *text = malloc(room + 1024);
    td_assert(ranges && text);
    for (uint32_t i = 0; i < count; i++) {
      unsigned long long last = i + 1 < count ? i : UINT64_MAX;
      at += (size_t)snprintf(ranges + at, room - at,
                             "%c" RANGE("%u", "0x%x", "0x%llx"),
                             i ? ',' : '[', i & 65535, i, last);
    }
    snprintf(ranges + at, room - at, "]");
    td_layout layout;
    size_t size = layout_text(text, room + 1024, 1, "ranges", 65536, ranges);
    td_status status = decode(text, size, &layout, NULL);
    CHECK(status == (more ? TD_TOO_MANY : TD_OK));
    free(ranges);
    free(text);
  }
  uint8_t *bytes = calloc(TD_LAYOUT_BYTES_MAX + 1, 1);
  td_assert(bytes);
  td_layout layout;
  CHECK(td_layout_decode((td_span){bytes, TD_LAYOUT_BYTES_MAX}, &layout, NULL)
        == TD_PAYLOAD_HASH);
  CHECK(td_layout_decode((td_span){bytes, TD_LAYOUT_BYTES_MAX + 1}, &layout,
                         NULL) == TD_LENGTH);
  free(bytes);
}

/* The same answers as the model's router, over random layouts. */
static void case_routes(void) {
  td_prng prng = {test_seed()};
  for (uint32_t round = 0; round < 400; round++) {
    td_range given[20];
    char list[4096], text[8192];
    static _Alignas(max_align_t) uint8_t block[65536];
    td_router *router = (td_router *)(void *)block;
    uint32_t count = 1 + (uint32_t)td_prng_below(&prng, 20);
    uint64_t step = UINT64_MAX / count;
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
      uint64_t first = i == 0 ? 0 : given[i - 1].last + 1;
      uint64_t last = i + 1 == count ? UINT64_MAX
                    : first + td_prng_below(&prng, step);
      uint16_t shard = (uint16_t)td_prng_below(&prng, 9);
      given[i] = (td_range){first, last, {shard}, i};
      at += (size_t)snprintf(list + at, sizeof list - at,
                             "%c" RANGE("%u", "0x%llx", "0x%llx"),
                             i ? ',' : '[', (unsigned)shard,
                             (unsigned long long)first,
                             (unsigned long long)last);
    }
    snprintf(list + at, sizeof list - at, "]");
    uint32_t kind = round % 4;
    static const char *const names[] = {"single", "hash", "ranges",
                                        "hash_ranges"};
    size_t size = layout_text(text, sizeof text, 1, names[kind], 9,
                              kind >= 2 ? list : NULL);
    td_layout layout;
    td_layout_range ranges[20];
    CHECK(decode(text, size, &layout, NULL) == TD_OK);
    td_layout_ranges((td_span){(uint8_t *)text, size}, &layout, ranges);
  td_region_id regions[3];
  td_layout_regions((td_span){(uint8_t *)text, size}, &layout, regions);
  CHECK(regions[0].value == 0 && regions[1].value == 2
        && regions[2].value == 1);
    CHECK(td_router_size(count) <= sizeof block);
    if (kind == 0) td_router_init_single(router, (td_shard_id){0});
    else if (kind == 1) td_router_init_hash(router, 9, NULL);
    else td_router_init_ranges(router, (td_strategy)kind, given, count, NULL);
    for (uint32_t i = 0; i < 200; i++) {
      td_entity_id id = {td_prng_next(&prng)};
      const td_range *near = &given[i % count];
      if (i % 4 == 1) id.value = near->first;
      if (i % 4 == 2) id.value = near->last;
      if (i == 3) id.value = UINT64_MAX;
      CHECK(td_layout_route(&layout, ranges, id).value
            == td_router_route(router, id).value);
    }
  }
}

/* --- cuts ----------------------------------------------------------------- */

static size_t make_cuts(uint8_t *out, size_t room) {
  static const td_cut list[] = {{{9}, 2}, {{UINT64_MAX}, 3}, {{0}, UINT32_MAX}};
  td_cuts cuts = {.generation = UINT64_MAX, .count = 3, .shard = {65535},
                  .region = {7}};
  CHECK(td_cuts_encode(&cuts, list, out, room, NULL) == TD_OK);
  return td_cuts_size(3);
}

static void case_cuts(void) {
  uint8_t bytes[160];
  td_cuts cuts;
  size_t size = make_cuts(bytes, sizeof bytes);
  td_span span = {bytes, size};
  CHECK(td_cuts_decode(span, &cuts, NULL) == TD_OK);
  CHECK_U64(cuts.generation, UINT64_MAX);
  CHECK(cuts.count == 3 && cuts.shard.value == 65535);
  CHECK(cuts.region.value == 7);
  CHECK_U64(td_cuts_get(span, 1).upto.value, UINT64_MAX);
  CHECK_U64(td_cuts_get(span, 2).epoch, UINT32_MAX);
  for (size_t bit = 0; bit < size * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(td_cuts_decode(span, &cuts, NULL)
          == (bit < 32 ? TD_MAGIC : TD_HEADER_HASH));
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  for (size_t cut = 0; cut < size; cut++) {
    CHECK(td_cuts_decode((td_span){bytes, cut}, &cuts, NULL)
          == (cut < 72 ? TD_SHORT : TD_HEADER_HASH));
  }
}

/* Every byte set, under a right hash. */
static void case_cuts_fields(void) {
  uint8_t bytes[160], good[160];
  size_t size = make_cuts(good, sizeof good);
  for (size_t at = 4; at < size - 8; at++) {
    td_cuts cuts;
    memcpy(bytes, good, size);
    bytes[at] ^= 0xff;
    td_put_u64(bytes + size - 8, td_hash64((td_span){bytes, size - 8}));
    bool entry = at >= 64, epoch = entry && (at - 64) % 16 / 4 == 2;
    bool zero = entry && (at - 64) % 16 >= 12;
    td_status want = at < 8 ? TD_UNSUPPORTED
      : at < 24 || (at >= 32 && at < 44) || (at >= 48 && at < 58)
        || (at >= 62 && at < 64) || zero ? TD_RESERVED
      : at == 44 || at == 45 ? TD_LENGTH : at < 48 && at > 45 ? TD_TOO_MANY
      : epoch ? TD_BACKWARD : TD_OK;
    td_status status = td_cuts_decode((td_span){bytes, size}, &cuts, NULL);
    if (epoch && status == TD_OK) continue;  /* still rising */
    CHECK_TEXT(td_status_code(status), td_status_code(want));
  }
}

static void case_cuts_limits(void) {
  size_t size = td_cuts_size(TD_CUTS_MAX);
  uint8_t *bytes = malloc(size + TD_CUT_BYTES);
  td_cut *list = calloc(TD_CUTS_MAX + 1, sizeof *list);
  td_cuts cuts = {.generation = 1, .count = TD_CUTS_MAX};
  td_assert(bytes && list);
  for (uint32_t i = 0; i <= TD_CUTS_MAX; i++) list[i].epoch = i + 1;
  CHECK(td_cuts_encode(&cuts, list, bytes, size - 1, NULL) == TD_SHORT);
  CHECK(td_cuts_encode(&cuts, list, bytes, size, NULL) == TD_OK);
  CHECK(td_cuts_decode((td_span){bytes, size}, &cuts, NULL) == TD_OK);
  list[5].epoch = 5;
  CHECK(td_cuts_encode(&cuts, list, bytes, size, NULL) == TD_DUPLICATE);
  list[5].epoch = 3;
  CHECK(td_cuts_encode(&cuts, list, bytes, size, NULL) == TD_BACKWARD);
  list[0].epoch = 0;
  cuts.count = 1;
  CHECK(td_cuts_encode(&cuts, list, bytes, size, NULL) == TD_BACKWARD);
  cuts.count = TD_CUTS_MAX + 1;
  CHECK(td_cuts_encode(&cuts, list, bytes, size + TD_CUT_BYTES, NULL)
        == TD_TOO_MANY);
  cuts = (td_cuts){.generation = 0};
  CHECK(td_cuts_encode(&cuts, NULL, bytes, size, NULL) == TD_SEQUENCE);
  free(bytes);
  free(list);
}

static void case_names(void) {
  static const char *const bad[] = {
    "layout-000000002.json", "layout-00000000002.json",
    "layout-4294967296.json", "layout-0000000002.jsom", "cuts-s0003",
    "cuts-s65536", "cuts-s00003x", "Cuts-s00003", "layout-+000000002.json",
    "layout-0000000002.json.tmp", "",
  };
  char name[TD_LAYOUT_NAME_MAX];
  uint32_t epoch = 0;
  td_shard_id shard = {0};
  CHECK(td_layout_name(UINT32_MAX, name) == TD_LAYOUT_NAME_MAX - 1);
  CHECK_TEXT(name, "layout-4294967295.json");
  CHECK(td_layout_name_parse(name, &epoch) && epoch == UINT32_MAX);
  CHECK(td_cuts_name((td_shard_id){65535}, name) == TD_CUTS_NAME_MAX - 1);
  CHECK_TEXT(name, "cuts-s65535");
  CHECK(td_cuts_name_parse(name, &shard) && shard.value == 65535);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(!td_layout_name_parse(bad[i], &epoch));
    CHECK(!td_cuts_name_parse(bad[i], &shard));
  }
}

void test_layout(void) {
  test_case("layout", "a published layout", case_reads);
  test_case("layout", "blanks and order are free", case_free_form);
  test_case("layout", "ranges that are refused", case_refused_ranges);
  test_case("layout", "text that is refused", case_refused_text);
  test_case("layout", "every flip and cut", case_damage);
  test_case("layout", "limits", case_limits);
  test_case("layout", "routes as the model does", case_routes);
  test_case("layout", "cuts: every flip and cut", case_cuts);
  test_case("layout", "cuts: every field", case_cuts_fields);
  test_case("layout", "cuts: limits", case_cuts_limits);
  test_case("layout", "names", case_names);
}
