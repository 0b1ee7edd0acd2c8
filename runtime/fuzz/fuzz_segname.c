/* Names of segments: one text for each name, one name for each text. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "format/segname.h"

static void check_parse(const char *text, size_t size) {
  td_segname name;
  td_error err;
  char again[TD_SEGNAME_TEXT_MAX];
  fuzz_fill(&name, sizeof name);
  td_status status = td_segname_parse(text, size, &name, &err);
  if (status != TD_OK) {
    td_assert(status == TD_NAME);
    td_assert(fuzz_untouched(&name, sizeof name));
    fuzz_check_error(status, &err);
    return;
  }
  td_assert(td_segname_format(name, again) == size);
  td_assert(memcmp(again, text, size) == 0);
}

static void check_format(td_segname name) {
  td_segname again;
  char text[TD_SEGNAME_TEXT_MAX];
  size_t size = td_segname_format(name, text);
  td_assert(size < sizeof text && strlen(text) == size);
  td_assert(td_segname_parse(text, size, &again, NULL) == TD_OK);
  td_assert(td_segname_cmp(name, again) == 0);
  td_assert(td_segname_parse(text, size - 1, &again, NULL) == TD_NAME);
}

/* Numeric order is the order of the texts, within one shard. */
static void check_order(td_segname a, td_segname b) {
  char x[TD_SEGNAME_TEXT_MAX], y[TD_SEGNAME_TEXT_MAX];
  int order = td_segname_cmp(a, b);
  td_assert((td_segname_cmp(b, a) > 0) == (order < 0));
  if (!td_shard_id_eq(a.shard, b.shard)) return;
  td_segname_format(a, x);
  td_segname_format(b, y);
  td_assert((strcmp(x, y) < 0) == (order < 0));
}

static td_segname take_name(fuzz_input *in) {
  td_segname name = {{fuzz_u16(in)}, {fuzz_u64(in)}};
  if (name.first_seq.value == 0) name.first_seq.value = 1;
  return name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  check_parse((const char *)data, size);
  td_segname a = take_name(&in);
  td_segname b = take_name(&in);
  check_format(a);
  check_order(a, b);
  b.shard = a.shard;
  check_order(a, b);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const char *const names[] = {
    "wal-00000000000000000001.seg", "wal-18446744073709551615.seg",
    "wal-s00001-09223372036854775808.seg",
    "wal-s65535-18446744073709551615.seg",
  };
  if (index >= sizeof names / sizeof *names) return 0;
  size_t size = strlen(names[index]);
  td_assert(size <= room);
  memcpy(out, names[index], size);
  return size;
}
