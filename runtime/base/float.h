/* A 32-bit float as text, exactly and the same everywhere: no locale, no C
 * library, correctly rounded (to nearest, ties to even) both ways.
 *
 *   written   as "%.9g" of C's locale: nine digits tell any two floats apart;
 *             "inf", "-inf", and "nan" for every NaN
 *   read      numbers in the grammar of JSON, -?int[.digits][e[+-]digits],
 *             and those three words; any number of digits
 *
 * Reading gives back what was written, bit for bit; a NaN comes back as
 * 0x7fc00000.
 *
 * Thread: any. */
#ifndef TD_BASE_FLOAT_H
#define TD_BASE_FLOAT_H

#include "base/status.h"

#define TD_FLOAT_TEXT_MAX 17u  /* -1.17549435e-38 and the closing zero */

/* Text with a closing zero. Returns the length. */
TD_API size_t td_float_format(float value, char out[TD_FLOAT_TEXT_MAX]);

/* Reads all of text[0..size). Statuses: TD_OK, TD_TEXT (another form),
 * TD_OUT_OF_RANGE (rounds to more than 3.4028235e38; what is too small for
 * a float becomes 0). Writes *out only on TD_OK. */
TD_API td_status td_float_parse(const char *text, size_t size, float *out,
                                td_error *err);

#endif
