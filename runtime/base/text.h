/* Text into a caller's buffer, without stdio: the floors below io import no
 * symbol of an operating system, and ids are formatted in hot loops.
 *
 * A td_text never writes past its end and always leaves room for a closing
 * zero; `size` counts what the whole text needs, as snprintf does.
 *
 * Thread: owner. */
#ifndef TD_BASE_TEXT_H
#define TD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define TD_U64_DIGITS_MAX 20u
#define TD_U64_HEX_MAX 16u

typedef struct td_text {
  char *out;
  size_t room;  /* bytes of out */
  size_t size;  /* bytes of the text so far, closing zero not counted */
} td_text;

/* Starts an empty text in out[0..room). room 0 is allowed: only counts. */
TD_API td_text td_text_init(char *out, size_t room);

/* Each appends; none fails. */
TD_API void td_text_bytes(td_text *text, const char *bytes, size_t size);
TD_API void td_text_string(td_text *text, const char *string);
TD_API void td_text_char(td_text *text, char c);
TD_API void td_text_decimal(td_text *text, uint64_t value);
/* Decimal with zeros in front up to `width` digits. */
TD_API void td_text_padded(td_text *text, uint64_t value, unsigned width);
/* The low `digits` hex digits, at most 16, lower case, no prefix. */
TD_API void td_text_hex(td_text *text, uint64_t value, unsigned digits);

/* Reads all of in[0..size) as an unsigned number: digits only. With
 * `canonical` leading zeros are refused too. False: not that, or above
 * `max`; *out is then untouched. */
TD_API bool td_text_read_decimal(const char *in, size_t size, uint64_t max,
                                 bool canonical, uint64_t *out);
/* Reads all of in[0..size) as 1..16 hex digits, either case, no prefix. */
TD_API bool td_text_read_hex(const char *in, size_t size, uint64_t *out);

#endif
