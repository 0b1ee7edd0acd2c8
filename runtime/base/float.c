#include "base/float.h"

#include <float.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* --- exact decimal numbers ------------------------------------------------ */

/* 0.d[0]d[1]... * 10^point, d[0] != 0 unless it is 0. Digits behind the last
 * place are dropped; `more` says that some were not 0, which is all that
 * rounding has to know: floats and the points halfway between them have at
 * most 113 digits, so what is dropped never decides but in a tie. */
#define PLACES 128

typedef struct decimal {
  uint8_t d[PLACES];
  int count;
  int point;
  bool more;
} decimal;

static void put_digit(decimal *to, uint8_t digit) {
  if (to->count < PLACES) to->d[to->count++] = digit;
  else to->more |= digit != 0;
}

static void trim(decimal *x) {
  while (x->count > 0 && x->d[x->count - 1] == 0) x->count--;
  if (x->count == 0) x->point = 0;
}

/* x = x / 2^bits, bits 1..59 */
static void halve(decimal *x, unsigned bits) {
  const decimal from = *x;
  uint64_t rest = 0, mask = (UINT64_C(1) << bits) - 1;
  int read = 0;
  *x = (decimal){.point = from.point, .more = from.more};
  while (read < from.count || rest != 0) {
    rest = rest * 10 + (read < from.count ? from.d[read] : 0u);
    read++;
    if (x->count > 0 || rest >> bits) put_digit(x, (uint8_t)(rest >> bits));
    else x->point--;
    rest &= mask;
    if (read >= from.count && x->count == PLACES) {
      x->more |= rest != 0;
      break;
    }
  }
  trim(x);
}

/* x = x * 2^bits, bits 1..59 */
static void twice(decimal *x, unsigned bits) {
  uint8_t wide[PLACES + 20];
  int at = (int)sizeof wide;
  uint64_t carry = 0;
  for (int i = x->count; i-- > 0;) {
    carry += (uint64_t)x->d[i] << bits;
    wide[--at] = (uint8_t)(carry % 10);
    carry /= 10;
  }
  for (; carry > 0; carry /= 10) wide[--at] = (uint8_t)(carry % 10);
  int count = (int)sizeof wide - at;
  x->point += count - x->count;
  x->count = 0;
  for (int i = 0; i < count; i++) put_digit(x, wide[at + i]);
  trim(x);
}

/* x = x * 2^bits */
static void scale(decimal *x, int bits) {
  for (; bits > 0; bits -= bits > 59 ? 59 : bits) {
    twice(x, (unsigned)(bits > 59 ? 59 : bits));
  }
  for (; bits < 0; bits += bits < -59 ? 59 : -bits) {
    halve(x, (unsigned)(bits < -59 ? 59 : -bits));
  }
}

/* True if cutting x behind `places` digits must be mended by one up. */
static bool rounds_up(const decimal *x, int places) {
  if (places < 0 || places >= x->count) return false;
  bool tie = x->d[places] == 5 && places + 1 == x->count && !x->more;
  if (tie) return places > 0 && x->d[places - 1] % 2 == 1;
  return x->d[places] >= 5;
}

/* The integer below; x is below 2^60. */
static uint64_t whole_part(const decimal *x) {
  uint64_t value = 0;
  for (int i = 0; i < x->point; i++) {
    value = value * 10 + (i < x->count ? x->d[i] : 0u);
  }
  return value;
}

static uint64_t nearest(const decimal *x) {
  return whole_part(x) + (rounds_up(x, x->point) ? 1 : 0);
}

/* --- writing -------------------------------------------------------------- */

#define DIGITS 9

static decimal decimal_of(uint32_t bits) {
  uint32_t mantissa = bits & 0x7fffff;
  int exponent = (int)(bits >> 23 & 0xff);
  decimal x = {.count = 0};
  char text[TD_U64_DIGITS_MAX + 1];
  if (exponent > 0) mantissa |= 0x800000;
  else exponent = 1;
  td_text digits = td_text_init(text, sizeof text);
  td_text_decimal(&digits, mantissa);
  for (size_t i = 0; i < digits.size; i++) {
    put_digit(&x, (uint8_t)(text[i] - '0'));
  }
  x.point = x.count;
  trim(&x);
  scale(&x, exponent - 150);
  return x;
}

/* Leaves DIGITS digits at most, without zeros behind. */
static void round_digits(decimal *x) {
  bool up = rounds_up(x, DIGITS);
  if (x->count > DIGITS) x->count = DIGITS;
  if (up) {
    while (x->count > 0 && x->d[x->count - 1] == 9) x->count--;
    if (x->count == 0) {
      *x = (decimal){.d = {1}, .count = 1, .point = x->point + 1};
    } else {
      x->d[x->count - 1]++;
    }
  }
  trim(x);
}

static void put_digits(td_text *text, const decimal *x, int first, int end) {
  for (int i = first; i < end; i++) {
    td_text_char(text, (char)('0' + (i >= 0 && i < x->count ? x->d[i] : 0)));
  }
}

static void format_decimal(td_text *text, const decimal *x) {
  int exponent = x->point - 1;
  if (x->count == 0) {
    td_text_char(text, '0');
  } else if (exponent < -4 || exponent >= DIGITS) {
    put_digits(text, x, 0, 1);
    if (x->count > 1) td_text_char(text, '.');
    put_digits(text, x, 1, x->count);
    td_text_string(text, exponent < 0 ? "e-" : "e+");
    td_text_padded(text, (uint64_t)(exponent < 0 ? -exponent : exponent), 2);
  } else if (x->point <= 0) {
    td_text_string(text, "0.");
    put_digits(text, x, x->point, x->count);
  } else {
    put_digits(text, x, 0, x->point);
    if (x->count > x->point) td_text_char(text, '.');
    put_digits(text, x, x->point, x->count);
  }
}

size_t td_float_format(float value, char out[TD_FLOAT_TEXT_MAX]) {
  uint32_t bits;
  td_text text = td_text_init(out, TD_FLOAT_TEXT_MAX);
  memcpy(&bits, &value, sizeof bits);
  if (value != value) {
    td_text_string(&text, "nan");
    return text.size;
  }
  if (bits >> 31) td_text_char(&text, '-');
  bits &= 0x7fffffff;
  memcpy(&value, &bits, sizeof bits);
  if (bits == 0x7f800000) {
    td_text_string(&text, "inf");
  } else if (value < 1e9f && (float)(uint32_t)value == value) {
    td_text_decimal(&text, (uint32_t)value);  /* most weights: 10 x faster */
  } else {
    decimal x = decimal_of(bits);
    round_digits(&x);
    format_decimal(&text, &x);
  }
  td_assert(text.size < TD_FLOAT_TEXT_MAX);
  return text.size;
}

/* --- reading -------------------------------------------------------------- */

/* Exponents so far out that digits cannot make up for them are held here. */
#define EXPONENT_MAX 1000000

/* A number as it is written: all of its digits, and the first 19 as one. */
typedef struct number {
  const char *digits;    /* with the point among them */
  size_t digit_chars;
  bool negative;
  uint64_t head;         /* value of the first digits ... */
  int head_exponent;     /* ... times this power of ten, if `short` */
  bool is_short;         /* the head is all of it */
  int exponent;          /* what stands behind 'e' */
} number;

static size_t skip_digits(const char *text, size_t at, size_t size) {
  while (at < size && text[at] >= '0' && text[at] <= '9') at++;
  return at;
}

/* Behind the 'e': false unless [+-]digits end the text. */
static bool read_exponent(const char *text, size_t size, int *out) {
  bool negative = size > 0 && text[0] == '-';
  size_t at = size > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  int value = 0;
  if (at == size || skip_digits(text, at, size) != size) return false;
  for (; at < size; at++) {
    value = value * 10 + (text[at] - '0');
    if (value > EXPONENT_MAX) value = EXPONENT_MAX;
  }
  *out = negative ? -value : value;
  return true;
}

static void read_head(number *x) {
  bool behind = false;
  int taken = 0, exponent = 0;
  x->is_short = true;
  for (size_t i = 0; i < x->digit_chars; i++) {
    char c = x->digits[i];
    if (c == '.') {
      behind = true;
      continue;
    }
    if (taken == 19) {
      x->is_short = false;
      return;
    }
    x->head = x->head * 10 + (uint64_t)(c - '0');
    if (x->head > 0) taken++;
    if (behind) exponent--;
  }
  x->head_exponent = exponent;
}

/* False: not a number of JSON. */
static bool read_number(const char *text, size_t size, number *x) {
  size_t at = size > 0 && text[0] == '-' ? 1 : 0;
  *x = (number){.negative = at == 1, .digits = text + at};
  size_t end = skip_digits(text, at, size);
  if (end == at || (text[at] == '0' && end > at + 1)) return false;
  if (end < size && text[end] == '.') {
    size_t last = skip_digits(text, end + 1, size);
    if (last == end + 1) return false;
    end = last;
  }
  x->digit_chars = end - at;
  if (end == size) return true;
  if (text[end] != 'e' && text[end] != 'E') return false;
  return read_exponent(text + end + 1, size - end - 1, &x->exponent);
}

/* The quick way: one exact product or quotient of doubles. False where its
 * rounding could decide: halfway between two floats, or outside of the
 * normal ones. */
static bool read_quick(const number *x, float *out) {
  static const double powers[] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13,
    1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  };
  uint64_t bits;
  int exponent = x->head_exponent + x->exponent;
  if (FLT_EVAL_METHOD != 0 || !x->is_short || x->head >> 53
      || exponent < -22 || exponent > 22) {
    return false;
  }
  double value = (double)x->head;
  if (exponent < 0) value /= powers[-exponent];
  else value *= powers[exponent];
  memcpy(&bits, &value, sizeof bits);
  bool halfway = (bits & 0x1fffffff) == 0x10000000;
  if (x->head != 0 && (halfway || value < FLT_MIN || value > FLT_MAX)) {
    return false;
  }
  *out = (float)value;
  return true;
}

static decimal decimal_read(const number *x) {
  decimal out = {.count = 0};
  int point = 0;
  bool behind = false;
  for (size_t i = 0; i < x->digit_chars; i++) {
    char c = x->digits[i];
    if (c == '.') {
      behind = true;
    } else if (c == '0' && out.count == 0) {
      if (behind) point--;
    } else {
      put_digit(&out, (uint8_t)(c - '0'));
      if (!behind) point++;
    }
  }
  out.point = point + x->exponent;
  trim(&out);
  return out;
}

/* The bits of the nearest float, without the sign; 0x7f800000: too large. */
static uint32_t round_decimal(decimal *x) {
  if (x->count == 0 || x->point < -46) return 0;
  if (x->point > 39) return 0x7f800000;
  /* Powers of two until 2^23 <= x < 2^24, a float's mantissa. */
  int exponent = 0;
  for (; x->point > 8; exponent += 3) scale(x, -3);
  for (; x->point < 7; exponent -= 3) scale(x, 3);
  for (; whole_part(x) >= 1u << 24; exponent++) scale(x, -1);
  for (; whole_part(x) < 1u << 23; exponent--) scale(x, 1);
  if (exponent < -149) {
    scale(x, exponent + 149);
    exponent = -149;
  }
  uint64_t mantissa = nearest(x);
  if (exponent > 104) return 0x7f800000;
  /* A mantissa of 2^24 carries into the exponent, which is right. */
  uint32_t bits = (uint32_t)(exponent + 149) << 23;
  return bits + (uint32_t)mantissa;
}

static bool read_word(const char *text, size_t size, uint32_t *bits) {
  static const struct { const char *text; uint32_t bits; } words[] = {
    {"nan", 0x7fc00000}, {"inf", 0x7f800000}, {"-inf", 0xff800000},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strlen(words[i].text) == size
        && memcmp(words[i].text, text, size) == 0) {
      *bits = words[i].bits;
      return true;
    }
  }
  return false;
}

td_status td_float_parse(const char *text, size_t size, float *out,
                         td_error *err) {
  number x;
  uint32_t bits;
  float value;
  if (!read_number(text, size, &x)) {
    if (!read_word(text, size, &bits)) {
      return td_fail(err, TD_TEXT, "weight", size, 0);
    }
    memcpy(out, &bits, sizeof bits);
    return TD_OK;
  }
  read_head(&x);
  if (!read_quick(&x, &value)) {
    decimal exact = decimal_read(&x);
    bits = round_decimal(&exact);
    if (bits >= 0x7f800000) {
      return td_fail(err, TD_OUT_OF_RANGE, "weight", size, 0);
    }
    memcpy(&value, &bits, sizeof value);
  }
  *out = x.negative ? -value : value;
  return TD_OK;
}
