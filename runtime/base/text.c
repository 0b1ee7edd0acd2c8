#include "base/text.h"

#include <string.h>

td_text td_text_init(char *out, size_t room) {
  if (room > 0) out[0] = '\0';
  return (td_text){out, room, 0};
}

void td_text_bytes(td_text *text, const char *bytes, size_t size) {
  if (text->size + 1 < text->room) {
    size_t left = text->room - 1 - text->size;
    size_t fits = size < left ? size : left;
    memcpy(text->out + text->size, bytes, fits);
    text->out[text->size + fits] = '\0';
  }
  text->size += size;
}

void td_text_string(td_text *text, const char *string) {
  td_text_bytes(text, string, strlen(string));
}

void td_text_char(td_text *text, char c) {
  td_text_bytes(text, &c, 1);
}

void td_text_decimal(td_text *text, uint64_t value) {
  td_text_padded(text, value, 1);
}

void td_text_padded(td_text *text, uint64_t value, unsigned width) {
  char digits[TD_U64_DIGITS_MAX];
  size_t at = sizeof digits;
  size_t low = width < sizeof digits ? sizeof digits - width : 0;
  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (at > low) digits[--at] = '0';
  td_text_bytes(text, digits + at, sizeof digits - at);
}

void td_text_hex(td_text *text, uint64_t value, unsigned digits) {
  char out[TD_U64_HEX_MAX];
  td_assert(digits <= sizeof out);
  for (unsigned i = digits; i-- > 0; value >>= 4) {
    out[i] = "0123456789abcdef"[value & 15];
  }
  td_text_bytes(text, out, digits);
}

bool td_text_read_decimal(const char *in, size_t size, uint64_t max,
                          bool canonical, uint64_t *out) {
  uint64_t value = 0;
  if (size == 0 || size > TD_U64_DIGITS_MAX) return false;
  if (canonical && size > 1 && in[0] == '0') return false;
  for (size_t i = 0; i < size; i++) {
    if (in[i] < '0' || in[i] > '9') return false;
    uint64_t digit = (uint64_t)(in[i] - '0');
    /* Only the 20th digit can be one too many. */
    if (i == TD_U64_DIGITS_MAX - 1 && value > (UINT64_MAX - digit) / 10) {
      return false;
    }
    value = value * 10 + digit;
  }
  if (value > max) return false;
  *out = value;
  return true;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool td_text_read_hex(const char *in, size_t size, uint64_t *out) {
  uint64_t value = 0;
  if (size == 0 || size > 16) return false;
  for (size_t i = 0; i < size; i++) {
    int digit = hex_digit(in[i]);
    if (digit < 0) return false;
    value = value << 4 | (uint64_t)digit;
  }
  *out = value;
  return true;
}
