/* What the fuzz targets share. A target takes any bytes and checks with
 * td_assert what must hold for them; not crashing is the least of it.
 *
 * With clang a target links with libFuzzer; elsewhere with fuzz/driver.c. */
#ifndef TD_FUZZ_FUZZ_H
#define TD_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Each target defines these two. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A valid input, number `index`, into out[0..room). Returns its size, 0 =
 * there are no more. For the driver. */
size_t fuzz_seed(unsigned index, uint8_t *out, size_t room);

/* A copy in a block of exactly this size, for changing; free() it. */
uint8_t *fuzz_copy(const uint8_t *data, size_t size);

/* Bytes that a failed call must leave alone: filled before, checked after. */
void fuzz_fill(void *out, size_t size);
bool fuzz_untouched(const void *out, size_t size);

/* A failed call's error: its status, and (for some) a text that fits. */
void fuzz_check_error(td_status status, const td_error *err);

/* Numbers off the front of the input; zeros when it is used up. */
typedef struct fuzz_input {
  const uint8_t *data;
  size_t size;
} fuzz_input;

uint8_t fuzz_u8(fuzz_input *in);
uint16_t fuzz_u16(fuzz_input *in);
uint32_t fuzz_u32(fuzz_input *in);
uint64_t fuzz_u64(fuzz_input *in);

/* Makes a header's magic and hash right. */
void fuzz_fix_header(uint8_t *header);

/* Makes most batches of a segment right, so that what stands behind the
 * hashes is reached: byte 62 of each header says what to leave wrong. With
 * `next_seq` != 0 batches also follow one another from there. */
void fuzz_fix_segment(uint8_t *bytes, size_t size, uint64_t next_seq);

#endif
