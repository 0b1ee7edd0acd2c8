/* Parcels: whatever the bytes say, nothing outside of them is looked at, and
 * what is taken is what a writer of the same texts would write. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/parcel.h"

/* Writes the texts of a body anew; they must give the same bytes. */
static void check_again(td_parcel_texts texts, td_span body) {
  size_t size = TD_PARCEL_HEADER_BYTES + body.size;
  uint8_t *again = malloc(size);
  uint8_t *at = again + TD_PARCEL_HEADER_BYTES + 4;
  uint32_t count = texts.count;
  while (texts.count > 0) td_parcel_put(&at, td_parcel_next(&texts));
  td_assert(at == again + size);
  td_parcel_seal(again, size, count);
  td_assert(memcmp(again + TD_PARCEL_HEADER_BYTES, body.data, body.size)
            == 0);
  free(again);
}

static void check_parcel(const uint8_t *bytes, size_t size) {
  td_parcel parcel;
  td_parcel_texts texts;
  td_error err;
  fuzz_fill(&parcel, sizeof parcel);
  fuzz_fill(&texts, sizeof texts);
  td_status status = td_parcel_head(bytes, &parcel, &err);
  if (status != TD_OK) {
    td_assert(status == TD_MAGIC || status == TD_LENGTH);
    td_assert(fuzz_untouched(&parcel, sizeof parcel));
    fuzz_check_error(status, &err);
    return;
  }
  td_assert(parcel.size <= TD_PARCEL_BYTES_MAX);
  td_span body = {bytes + TD_PARCEL_HEADER_BYTES,
                  size - TD_PARCEL_HEADER_BYTES};
  status = td_parcel_open(&parcel, body, &texts, &err);
  if (status == TD_OK) {
    check_again(texts, body);
  } else {
    td_assert(fuzz_untouched(&texts, sizeof texts));
    fuzz_check_error(status, &err);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < TD_PARCEL_HEADER_BYTES + 4) return 0;
  check_parcel(data, size);
  /* behind the header: the same body with its length and hash made right */
  uint8_t *copy = fuzz_copy(data, size);
  uint32_t count = td_get_u32(copy + TD_PARCEL_HEADER_BYTES);
  td_parcel_seal(copy, size, count % (TD_PARCEL_TEXTS_MAX + 1));
  check_parcel(copy, size);
  free(copy);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const char *const texts[] = {"run", "cluster.lua", "", "\0\1\2"};
  if (index > sizeof texts / sizeof *texts) return 0;
  uint8_t *at = out + TD_PARCEL_HEADER_BYTES + 4;
  for (unsigned i = 0; i < index; i++) {
    td_parcel_put(&at, (td_span){(const uint8_t *)texts[i],
                                 strlen(texts[i])});
  }
  td_assert((size_t)(at - out) <= room);
  td_parcel_seal(out, (size_t)(at - out), index);
  return (size_t)(at - out);
}
