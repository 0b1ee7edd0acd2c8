/* Covers base/float.
 * Against printf and strtof of the C library, in C's locale. */
#include "test/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tidal.h"

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static bool is_nan(uint32_t bits) { return (bits & 0x7fffffff) > 0x7f800000; }

/* Written as printf does, and read back bit for bit. */
static bool round_trips(uint32_t bits) {
  char out[TD_FLOAT_TEXT_MAX], want[64];
  float back = 0;
  size_t size = td_float_format(float_of(bits), out);
  snprintf(want, sizeof want, "%.9g", (double)float_of(bits));
  if (is_nan(bits)) memcpy(want, "nan", 4);
  if (strcmp(out, want) != 0 || size != strlen(out)) {
    test_failed(__FILE__, __LINE__, "0x%08x is %s, want %s", bits, out, want);
    return false;
  }
  td_status status = td_float_parse(out, size, &back, NULL);
  uint32_t expected = is_nan(bits) ? 0x7fc00000 : bits;
  if (status == TD_OK && bits_of(back) == expected) return true;
  test_failed(__FILE__, __LINE__, "%s is read as 0x%08x, want 0x%08x", out,
              bits_of(back), expected);
  return false;
}

/* Every exponent with the edges of the mantissa, and many more: all of them
 * take 2^32 rounds, a share is drawn at random. */
static void both_ways(void) {
  td_prng prng = {test_seed()};
  uint32_t rounds = test_soak() ? 100000000 : 300000, faults = 0;
  for (uint32_t exponent = 0; exponent < 512; exponent++) {
    static const uint32_t edges[] = {0, 1, 2, 0x3fffff, 0x400000, 0x400001,
                                     0x7ffffe, 0x7fffff};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
      faults += !round_trips(exponent << 23 | edges[i]);
    }
  }
  for (uint32_t i = 0; i < rounds && faults < 5; i++) {
    faults += !round_trips((uint32_t)td_prng_next(&prng));
    float whole = (float)(int32_t)(uint32_t)td_prng_next(&prng) / 64;
    faults += !round_trips(bits_of(whole));
  }
  CHECK(faults == 0);
}

static bool reads_as_strtof(const char *text) {
  float got = 7, want = strtof(text, NULL);
  td_status status = td_float_parse(text, strlen(text), &got, NULL);
  bool same = isinf(want) ? status == TD_OUT_OF_RANGE && got == 7
                          : status == TD_OK && bits_of(got) == bits_of(want);
  if (!same) {
    test_failed(__FILE__, __LINE__, "%s is read as %.9g (%s), want %.9g",
                text, (double)got, td_status_code(status), (double)want);
  }
  return same;
}

static void numbers(void) {
  static const char *const texts[] = {
    "0", "-0", "0.0", "-0.000", "1", "-1", "0.1", "1e0", "1E+2", "1e-2",
    "0e99999999999", "-0e-99999999999", "1e-99999999999", "1e99999999999",
    "-1e400", "3.4028234663852886e38", "3.4028235677973366e38",
    "3.4028235677973365e38", "340282356779733661637539395458142568447",
    "340282356779733661637539395458142568448", "1e38", "1e39", "9e38",
    "1.17549435e-38", "1.1754943508222875e-38", "1.1754942e-38", "1e-45",
    "7.006492321624085e-46", "7.006492321624086e-46", "1.4e-45", "1e-46",
    "0.0000000000000000000000000000000000000000000014012984643", "16777215.5",
    "8388607.6", "8388607.5", "8388608.5", "16777216.5", "16777217",
    "16777219", "33554434", "33554438", "0.3000000119", "4503599627370497.5",
    "9007199254740993", "18446744073709551616", "123456789012345678901234567",
    "0.00000000000000000000000000000000000000000000000000000000000000000001",
    "1.00000005960464477539062500000000000000000000000000000000000000000000",
    "1.00000005960464477539062500000000000000000000000000000000000000000001",
    "1.000000059604644775390625", "1.0000000596046447753906249999999999999",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    CHECK(reads_as_strtof(texts[i]));
  }
}

/* The double before or behind a positive one. */
static double beside(double value, int64_t step) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits += (uint64_t)step;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

/* Exactly halfway between two floats, and a breath beside: every digit
 * counts, also the 200th. */
static void halves(void) {
  td_prng prng = {test_seed() ^ 1};
  uint32_t faults = 0;
  for (uint32_t i = 0; i < 20000 && faults < 5; i++) {
    char text[512];
    uint32_t bits = (uint32_t)td_prng_next(&prng) % 0x7f7fffff;
    if (i < 200) bits = i;
    double half = ((double)float_of(bits) + (double)float_of(bits + 1)) / 2;
    int size = snprintf(text, sizeof text, i % 2 ? "%.170f" : "%.150e", half);
    faults += !reads_as_strtof(text);
    /* Behind the point of a plain number: one unit up, far behind. */
    if (i % 2) {
      memset(text + size, '0', 100);
      memcpy(text + size + 100, "1", 2);
      faults += !reads_as_strtof(text);
    }
    /* So few digits that a double could hold them: rounded once, not twice. */
    snprintf(text, sizeof text, "%.*g", 14 + (int)(i % 4), half);
    faults += !reads_as_strtof(text);
    snprintf(text, sizeof text, "%.17g", beside(half, i % 3 ? -1 : 1));
    faults += !reads_as_strtof(text);
  }
  CHECK(faults == 0);
}

static void any_numbers(void) {
  td_prng prng = {test_seed() ^ 2};
  uint32_t faults = 0;
  for (uint32_t i = 0; i < 200000 && faults < 5; i++) {
    char text[80];
    uint64_t digits = td_prng_next(&prng) >> td_prng_below(&prng, 64);
    int exponent = (int)td_prng_below(&prng, 100) - 60;
    snprintf(text, sizeof text, i % 2 ? "%llu.%llue%d" : "-%llu.%06llu",
             (unsigned long long)digits,
             (unsigned long long)td_prng_below(&prng, 1000000), exponent);
    faults += !reads_as_strtof(text);
  }
  CHECK(faults == 0);
}

static void other_texts(void) {
  static const char *const bad[] = {
    "", "-", "+1", ".5", "1.", "-.5", "01", "-01", "00", "1e", "1e+", "1e1.5",
    "1 ", " 1", "1,5", "0x1p3", "1f", "NaN", "Inf", "+inf", "-nan", "infinity",
    "nan(1)", "1e5e5", "1..2", "--1", "1_000", "e5", "1\n",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    float kept = 7;
    td_error err;
    if (td_float_parse(bad[i], strlen(bad[i]), &kept, &err) != TD_TEXT
        || kept != 7) {
      test_failed(__FILE__, __LINE__, "\"%s\" is taken", bad[i]);
    }
  }
  float kept = 7;
  CHECK(td_float_parse("1\0", 2, &kept, NULL) == TD_TEXT);
  CHECK(td_float_parse("12345", 2, &kept, NULL) == TD_OK && kept == 12);
}

void test_float(void) {
  test_case("float", "is written as printf does and read back", both_ways);
  test_case("float", "numbers are read as strtof does", numbers);
  test_case("float", "halves are rounded to even", halves);
  test_case("float", "any number of digits and exponent", any_numbers);
  test_case("float", "other texts are refused", other_texts);
}
