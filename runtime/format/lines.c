#include "format/lines.h"

#include <string.h>

#include "base/float.h"
#include "base/text.h"
#include "format/lines_parts.h"

#define SHOWN_MAX 40u
#define NAMES "entity,signal_type,weight,timestamp_ns"
#define ALL_NAMES "region,shard,seqno," NAMES

static const struct { const char *name, *what; } fields[TD_LINE_FIELDS] = {
  [TD_LINE_ENTITY] = {"entity", "write 0..18446744073709551615, or 0x and 1 "
                                "to 16 hex digits"},
  [TD_LINE_SIGNAL_TYPE] = {"signal_type", "write an integer 0..255"},
  [TD_LINE_WEIGHT] = {"weight", "write a number such as 0.5, -3 or 1e-7, at "
                                "most 3.4028235e38, or nan, inf, -inf (in "
                                "JSON these as text)"},
  [TD_LINE_TIMESTAMP_NS] = {"timestamp_ns",
                            "write nanoseconds, 0..18446744073709551615"},
  [TD_LINE_REGION] = {"region", "write an integer 0..65535"},
  [TD_LINE_SHARD] = {"shard", "write an integer 0..65535"},
  [TD_LINE_SEQNO] = {"seqno", "write 0..18446744073709551615"},
};

void td_lines_init(td_lines *lines, td_line_fault_fn *fault,
                   void *fault_ctx) {
  memset(lines, 0, sizeof *lines);
  lines->fault = fault;
  lines->fault_ctx = fault_ctx;
}

/* --- one line ------------------------------------------------------------- */

const char *td_line_field_name(td_line_field field) {
  return fields[field].name;
}

bool td_line_bad(td_lines *lines, td_span line, td_span given,
                 const char *field, const char *what) {
  lines->bad++;
  if (lines->fault) {
    td_line_fault fault = {
      .line = lines->line, .column = (uint32_t)(given.data - line.data) + 1,
      .field = field, .given = given, .what = what,
    };
    lines->fault(lines->fault_ctx, &fault);
  }
  return false;
}

bool td_line_refuse(td_lines *lines, td_span line, td_line_field field,
                    td_span given) {
  return td_line_bad(lines, line, given, fields[field].name,
                     fields[field].what);
}

/* Any of the three fields that only have to be right. */
static bool read_number(td_span given, uint64_t max, uint64_t *out) {
  return td_text_read_decimal((const char *)given.data, given.size, max,
                              false, out);
}

static bool read_field(td_line_field field, td_span given, td_record *out) {
  const char *text = (const char *)given.data;
  td_entity_id id;
  uint64_t number;
  switch (field) {
  case TD_LINE_ENTITY:
    return td_entity_id_parse(text, given.size, &out->entity, NULL) == TD_OK;
  case TD_LINE_SIGNAL_TYPE:
    if (!read_number(given, UINT8_MAX, &number)) return false;
    out->signal_type = (uint8_t)number;
    return true;
  case TD_LINE_WEIGHT:
    return td_float_parse(text, given.size, &out->weight, NULL) == TD_OK;
  case TD_LINE_TIMESTAMP_NS:
    if (td_entity_id_parse(text, given.size, &id, NULL) != TD_OK) {
      return false;
    }
    out->timestamp_ns = id.value;
    return true;
  case TD_LINE_REGION:
  case TD_LINE_SHARD: return read_number(given, UINT16_MAX, &number);
  case TD_LINE_SEQNO: return read_number(given, UINT64_MAX, &number);
  case TD_LINE_FIELDS: break;
  }
  return false;
}

bool td_line_set(td_lines *lines, td_span line, td_line_field field,
                 td_span given, td_record *out) {
  return read_field(field, given, out)
      || td_line_refuse(lines, line, field, given);
}

/* --- CSV ------------------------------------------------------------------ */

#define COLUMNS 4u
#define COLUMNS_ALL 7u

static bool is_text(td_span given, const char *text) {
  return given.size == strlen(text)
      && memcmp(given.data, text, given.size) == 0;
}

/* The fields of a line; at most one more than there can be. */
static uint32_t split(td_span line, td_span out[COLUMNS_ALL + 1]) {
  uint32_t count = 0;
  const uint8_t *start = line.data, *end = line.data + line.size;
  for (const uint8_t *at = start; count <= COLUMNS_ALL; at++) {
    if (at < end && *at != ',') continue;
    out[count++] = (td_span){start, (size_t)(at - start)};
    if (at == end) break;
    start = at + 1;
  }
  return count;
}

static bool has_names(const td_span *given, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    for (int field = 0; field < TD_LINE_FIELDS; field++) {
      if (is_text(given[i], fields[field].name)) return true;
    }
  }
  return false;
}

/* The first line: true if it is one of names, the right ones or others. */
static bool read_names(td_lines *lines, td_span line, const td_span *given,
                       uint32_t count) {
  if (is_text(line, NAMES)) {
    lines->columns = COLUMNS;
  } else if (is_text(line, ALL_NAMES)) {
    lines->columns = COLUMNS_ALL;
  } else if (has_names(given, count)) {
    lines->form = TD_LINES_FOREIGN;
    td_line_bad(lines, line, line, "names", "write " NAMES);
  } else {
    return false;
  }
  return true;
}

static bool read_csv(td_lines *lines, td_span line, bool first,
                     td_record *out) {
  td_span given[COLUMNS_ALL + 1];
  uint32_t count = split(line, given);
  if (first && read_names(lines, line, given, count)) return false;
  if (lines->columns == 0 && (count == COLUMNS || count == COLUMNS_ALL)) {
    lines->columns = count;
  }
  if (lines->columns == 0 || count != lines->columns) {
    const char *what = lines->columns == COLUMNS_ALL
      ? "write the 7 fields " ALL_NAMES " as in the lines before"
      : "write the 4 fields " NAMES;
    return td_line_bad(lines, line, line, NULL, what);
  }
  uint32_t at = 0;
  if (count == COLUMNS_ALL) {
    for (; at < COLUMNS_ALL - COLUMNS; at++) {
      td_line_field field = (td_line_field)(TD_LINE_REGION + at);
      if (!td_line_set(lines, line, field, given[at], out)) return false;
    }
  }
  for (uint32_t i = 0; i < COLUMNS; i++) {
    td_line_field field = (td_line_field)(TD_LINE_ENTITY + i);
    if (!td_line_set(lines, line, field, given[at + i], out)) return false;
  }
  return true;
}

/* --- many lines ----------------------------------------------------------- */

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

/* True for a line that has an event. */
static bool read_line(td_lines *lines, td_span line, td_record *out) {
  size_t blanks = 0;
  lines->kept = 0;
  if (lines->form == TD_LINES_FOREIGN) return false;
  lines->line++;
  if (lines->line == 1 && line.size >= 3
      && memcmp(line.data, "\xef\xbb\xbf", 3) == 0) {
    line = (td_span){line.data + 3, line.size - 3};
  }
  if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
  if (line.size > TD_LINE_BYTES_MAX) {
    return td_line_bad(lines, line, line, NULL,
                       "write lines of at most 4096 bytes");
  }
  while (blanks < line.size && is_blank(line.data[blanks])) blanks++;
  if (blanks == line.size) return false;
  bool first = lines->form == TD_LINES_UNKNOWN;
  if (first) {
    bool json = line.data[blanks] == '{';
    lines->form = json ? TD_LINES_JSON : TD_LINES_CSV;
  }
  bool good = lines->form == TD_LINES_JSON
            ? td_line_json(lines, line, out)
            : read_csv(lines, line, first, out);
  lines->events += good;
  return good;
}

/* Keeps a part of a line; when `rest` is full the line is too long anyway. */
static void keep(td_lines *lines, td_span part) {
  size_t room = sizeof lines->rest - lines->kept;
  if (part.size > room) part.size = room;
  if (part.size == 0) return;
  memcpy(lines->rest + lines->kept, part.data, part.size);
  lines->kept += (uint32_t)part.size;
}

uint32_t td_lines_read(td_lines *lines, td_span bytes, size_t *at,
                       td_record *out, uint32_t room) {
  uint32_t count = 0;
  while (count < room && *at < bytes.size) {
    td_span line = {bytes.data + *at, bytes.size - *at};
    const uint8_t *end = memchr(line.data, '\n', line.size);
    if (!end) {
      keep(lines, line);
      *at = bytes.size;
      break;
    }
    line.size = (size_t)(end - line.data);
    *at += line.size + 1;
    if (lines->kept > 0) {
      keep(lines, line);
      line = (td_span){lines->rest, lines->kept};
    }
    if (read_line(lines, line, &out[count])) count++;
  }
  return count;
}

uint32_t td_lines_end(td_lines *lines, td_record *out) {
  if (lines->kept == 0) return 0;
  return read_line(lines, (td_span){lines->rest, lines->kept}, out) ? 1 : 0;
}

/* --- complaints ----------------------------------------------------------- */

static void put_shown(td_text *text, td_span given) {
  size_t shown = given.size <= SHOWN_MAX ? given.size : SHOWN_MAX;
  td_text_char(text, '"');
  for (size_t i = 0; i < shown; i++) {
    uint8_t c = given.data[i];
    if (c >= ' ' && c < 0x7f) {
      td_text_char(text, (char)c);
    } else {
      td_text_string(text, "\\x");
      td_text_hex(text, c, 2);
    }
  }
  td_text_string(text, shown < given.size ? "...\"" : "\"");
}

size_t td_line_fault_format(const td_line_fault *fault,
                            char out[TD_LINE_FAULT_TEXT_MAX]) {
  td_text text = td_text_init(out, TD_LINE_FAULT_TEXT_MAX);
  td_text_string(&text, "line ");
  td_text_decimal(&text, fault->line);
  td_text_string(&text, ", column ");
  td_text_decimal(&text, fault->column);
  td_text_string(&text, ": ");
  if (fault->field) {
    td_text_string(&text, fault->field);
    td_text_char(&text, ' ');
  }
  put_shown(&text, fault->given);
  td_text_string(&text, ": ");
  td_text_string(&text, fault->what);
  td_assert(text.size < TD_LINE_FAULT_TEXT_MAX);
  return text.size;
}
