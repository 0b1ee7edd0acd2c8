/* Lines of events against a slow reader that looks at a line as a whole and
 * leaves numbers to the C library; in any pieces; and what is written of any
 * events is read back. */
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/float.h"
#include "base/text.h"
#include "format/lines.h"

#define EVENTS_MAX 4096u

typedef struct result {
  td_record records[EVENTS_MAX];
  uint32_t count;
  uint64_t faults;
} result;

static void note(void *ctx, const td_line_fault *fault) {
  result *to = ctx;
  char text[TD_LINE_FAULT_TEXT_MAX];
  td_assert(td_line_fault_format(fault, text) == strlen(text));
  td_assert(fault->line > 0 && fault->column > 0);
  to->faults++;
}

static void read_all(td_lines *lines, result *to, td_span bytes, size_t piece,
                     uint32_t room) {
  to->count = 0;
  to->faults = 0;
  td_lines_init(lines, note, to);
  for (size_t done = 0; done < bytes.size; done += piece) {
    size_t at = 0, left = bytes.size - done < piece ? bytes.size - done : piece;
    uint8_t *copy = fuzz_copy(bytes.data + done, left);
    while (at < left) {
      td_assert(to->count + room < EVENTS_MAX);
      to->count += td_lines_read(lines, (td_span){copy, left}, &at,
                                 to->records + to->count, room);
    }
    free(copy);
  }
  to->count += td_lines_end(lines, to->records + to->count);
  td_assert(lines->events == to->count && lines->bad == to->faults);
}

/* --- the slow reader ------------------------------------------------------ */

static bool all_of(const char *text, int (*is)(int)) {
  if (!*text) return false;
  for (; *text; text++) {
    if (!is((unsigned char)*text)) return false;
  }
  return true;
}

static bool slow_u64(const char *text, uint64_t *out) {
  bool hex = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0;
  size_t size = strlen(text);
  if (hex ? size > 18 || !all_of(text + 2, isxdigit)
          : size > 20 || !all_of(text, isdigit)) {
    return false;
  }
  if (!hex && size == 20 && strcmp(text, "18446744073709551615") > 0) {
    return false;
  }
  *out = strtoull(text, NULL, hex ? 16 : 10);
  return true;
}

static bool slow_uint(const char *text, uint64_t max, uint64_t *out) {
  return all_of(text, isdigit) && slow_u64(text, out) && *out <= max;
}

/* JSON's grammar of numbers, by hand, and strtof. */
static bool slow_weight(const char *text, float *out) {
  static const char *const words[] = {"nan", "inf", "-inf"};
  const char *at = text;
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, words[i]) == 0) {
      *out = strtof(text, NULL);
      return true;
    }
  }
  at += *at == '-';
  size_t whole = strspn(at, "0123456789");
  if (whole == 0 || (whole > 1 && *at == '0')) return false;
  at += whole;
  if (*at == '.') {
    size_t part = strspn(at + 1, "0123456789");
    if (part == 0) return false;
    at += 1 + part;
  }
  if (*at == 'e' || *at == 'E') {
    at++;
    at += *at == '-' || *at == '+';
    size_t part = strspn(at, "0123456789");
    if (part == 0) return false;
    at += part;
  }
  *out = strtof(text, NULL);
  return *at == '\0' && *out - *out == 0;
}

static bool slow_fields(char *const *field, uint32_t count, td_record *out) {
  uint64_t number;
  if (count == 7) {
    if (!slow_uint(field[0], 65535, &number)
        || !slow_uint(field[1], 65535, &number)
        || !slow_uint(field[2], UINT64_MAX, &number)) {
      return false;
    }
    field += 3;
  }
  if (!slow_u64(field[0], &out->entity.value)) return false;
  if (!slow_uint(field[1], 255, &number)) return false;
  out->signal_type = (uint8_t)number;
  return slow_weight(field[2], &out->weight)
      && slow_u64(field[3], &out->timestamp_ns);
}

/* A line of CSV; *columns as td_lines has them. */
static bool slow_csv(char *line, uint32_t *columns, td_record *out) {
  char *field[8];
  uint32_t count = 0;
  for (char *at = line; at && count < 8;) {
    field[count++] = at;
    at = strchr(at, ',');
    if (at) *at++ = '\0';
  }
  if (*columns == 0 && (count == 4 || count == 7)) *columns = count;
  return count == *columns && slow_fields(field, count, out);
}

static bool same_record(const td_record *a, const td_record *b) {
  uint8_t x[TD_RECORD_BYTES], y[TD_RECORD_BYTES];
  td_record_encode(a, x);
  td_record_encode(b, y);
  return memcmp(x, y, sizeof x) == 0;
}

/* Every line of a CSV text without names. */
static void check_slow(td_span bytes, const result *got) {
  uint32_t columns = 0, index = 0;
  uint64_t bad = 0;
  for (size_t at = 0; at < bytes.size;) {
    char line[TD_LINE_BYTES_MAX + 2];
    const uint8_t *start = bytes.data + at;
    const uint8_t *end = memchr(start, '\n', bytes.size - at);
    size_t size = end ? (size_t)(end - start) : bytes.size - at;
    at += size + (end ? 1 : 0);
    if (at == size + (end ? 1 : 0) && size >= 3
        && memcmp(start, "\xef\xbb\xbf", 3) == 0) {
      start += 3;
      size -= 3;
    }
    if (size > 0 && start[size - 1] == '\r') size--;
    if (size > TD_LINE_BYTES_MAX) {
      bad++;
      continue;
    }
    memcpy(line, start, size);
    line[size] = '\0';
    if (strspn(line, " \t\r") == size) continue;
    td_record record;
    bool zero = memchr(line, '\0', size) != NULL;
    for (size_t i = 0; i < size; i++) {
      if (line[i] == '\0') line[i] = '\x01';
    }
    bool good = slow_csv(line, &columns, &record) && !zero;
    if (good) {
      td_assert(index < got->count);
      td_assert(same_record(&record, &got->records[index]));
      index++;
    }
    bad += !good;
  }
  td_assert(index == got->count && bad == got->faults);
}

/* --- both ways ------------------------------------------------------------ */

static size_t write_json(const td_record *record, char *out, size_t room) {
  char weight[TD_FLOAT_TEXT_MAX];
  const char *quote = record->weight - record->weight == 0 ? "" : "\"";
  td_float_format(record->weight, weight);
  return (size_t)snprintf(
    out, room, "{\"weight\":%s%s%s,\"entity\":\"0x%llx\",\"timestamp_ns\":"
    "%llu,\"signal_type\":%u}\n", quote, weight, quote,
    (unsigned long long)record->entity.value,
    (unsigned long long)record->timestamp_ns, record->signal_type);
}

static size_t write_csv(const td_record *record, char *out, size_t room) {
  char weight[TD_FLOAT_TEXT_MAX];
  td_float_format(record->weight, weight);
  return (size_t)snprintf(out, room, "%llu,%u,%s,0x%llx\n",
                          (unsigned long long)record->entity.value,
                          record->signal_type, weight,
                          (unsigned long long)record->timestamp_ns);
}

/* The input as events: written and read again they are the same. */
static void check_events(td_lines *lines, result *got, td_span bytes,
                         bool json) {
  static char text[EVENTS_MAX * 8];
  uint32_t count = 0;
  size_t size = 0;
  for (; bytes.size / TD_RECORD_BYTES > count && count < 100; count++) {
    td_record record = td_record_decode(bytes.data + count * TD_RECORD_BYTES);
    size += json ? write_json(&record, text + size, sizeof text - size)
                 : write_csv(&record, text + size, sizeof text - size);
    td_assert(size < sizeof text);
  }
  read_all(lines, got, (td_span){(const uint8_t *)text, size}, 4096, 100);
  td_assert(got->count == count && got->faults == 0);
  for (uint32_t i = 0; i < count; i++) {
    td_record want = td_record_decode(bytes.data + i * TD_RECORD_BYTES);
    if (want.weight != want.weight) {
      uint32_t quiet = 0x7fc00000;
      memcpy(&want.weight, &quiet, sizeof quiet);
    }
    td_assert(same_record(&want, &got->records[i]));
  }
}

/* A byte of a name of every column but is of no number. */
static bool has_names(td_span bytes) {
  for (size_t i = 0; i < bytes.size; i++) {
    if (bytes.data[i] != 0 && strchr("ysgh", bytes.data[i])) return true;
  }
  return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static td_lines lines, again;
  static result whole, pieces;
  td_span bytes = {data, size < 8192 ? size : 8192};
  read_all(&lines, &whole, bytes, bytes.size + 1, 2000);
  size_t piece = size > 0 ? 1 + data[size / 2] % 64u : 1;
  read_all(&again, &pieces, bytes, piece, 1 + (uint32_t)piece % 3);
  td_assert(whole.count == pieces.count && whole.faults == pieces.faults);
  td_assert(lines.form == again.form && lines.line == again.line);
  for (uint32_t i = 0; i < whole.count; i++) {
    td_assert(same_record(&whole.records[i], &pieces.records[i]));
  }
  if (lines.form == TD_LINES_CSV && !has_names(bytes)) {
    check_slow(bytes, &whole);
  }
  check_events(&lines, &whole, bytes, false);
  check_events(&lines, &whole, bytes, true);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const char *const texts[] = {
    "0x2a,3,0.5,1700000000000000000\n42,255,-1e-7,0\r\n\n1,2,3,4",
    "entity,signal_type,weight,timestamp_ns\n1,2,-0,4\n", "1,2,nan,4\n",
    "region,shard,seqno,entity,signal_type,weight,timestamp_ns\n",
    "\xef\xbb\xbf" "65535,0,18446744073709551615,0xffffffffffffffff,0,"
    "3.40282347e+38,18446744073709551615\n0,1,2,3,4,1.4e-45,6\n",
    "{\"entity\":\"0x2a\",\"signal_type\":3,\"weight\":\"-inf\","
    "\"timestamp_ns\":17}\n{}\n", "{\"region\":0,\"shard\":1,\"seqno\":\"2\","
    "\"entity\":1,\"signal_type\":3,\"weight\":0.25,\"timestamp_ns\":\"1\"}",
    "1,2,16777217.0000001,4\n1,2,1.00000005960464477539062500001e0,4\n",
  };
  if (index >= sizeof texts / sizeof *texts) return 0;
  size_t size = strlen(texts[index]);
  td_assert(size <= room);
  memcpy(out, texts[index], size);
  return size;
}
