#include "format/segname.h"

#include "base/text.h"

int td_segname_cmp(td_segname a, td_segname b) {
  int order = td_shard_id_cmp(a.shard, b.shard);
  return order ? order : td_seqno_cmp(a.first_seq, b.first_seq);
}

size_t td_segname_format(td_segname name, char out[TD_SEGNAME_TEXT_MAX]) {
  td_text text = td_text_init(out, TD_SEGNAME_TEXT_MAX);
  td_assert(name.first_seq.value >= 1);
  td_text_string(&text, "wal-");
  if (name.shard.value != 0) {
    td_text_char(&text, 's');
    td_text_padded(&text, name.shard.value, 5);
    td_text_char(&text, '-');
  }
  td_text_padded(&text, name.first_seq.value, 20);
  td_text_string(&text, ".seg");
  td_assert(text.size < TD_SEGNAME_TEXT_MAX);
  return text.size;
}

/* Reads the digits where they must be, writes the name again and compares:
 * what is not the canonical form cannot pass. */
td_status td_segname_parse(const char *text, size_t size, td_segname *out,
                           td_error *err) {
  bool tagged = size == TD_SEGNAME_TEXT_MAX - 1;
  uint64_t shard = 0, first = 0;
  if (!tagged && size != TD_SEGNAME_TEXT_MAX - 1 - strlen("s00000-")) {
    return td_fail(err, TD_NAME, NULL, size, 0);
  }
  const char *digits = text + strlen(tagged ? "wal-s00000-" : "wal-");
  if ((tagged && !td_text_read_decimal(text + strlen("wal-s"), 5, UINT16_MAX,
                                       false, &shard))
      || !td_text_read_decimal(digits, 20, UINT64_MAX, false, &first)
      || first == 0) {
    return td_fail(err, TD_NAME, NULL, size, 0);
  }
  td_segname name = {{(uint16_t)shard}, {first}};
  char canonical[TD_SEGNAME_TEXT_MAX];
  if (td_segname_format(name, canonical) != size
      || memcmp(canonical, text, size) != 0) {
    return td_fail(err, TD_NAME, NULL, size, 0);
  }
  *out = name;
  return TD_OK;
}
