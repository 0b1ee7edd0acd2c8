/* A JSON object of an event, and nothing else that is JSON. */
#include <string.h>

#include "format/lines_parts.h"

#define ALL_FIELDS ((1u << TD_LINE_FIELDS) - 1)
#define EVENT_FIELDS ((1u << TD_LINE_REGION) - 1)

/* A walk over the line; `at` is never past its end. */
typedef struct scan {
  td_lines *lines;
  td_span line;
  size_t at;
} scan;

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static void skip_blanks(scan *s) {
  while (s->at < s->line.size && is_blank(s->line.data[s->at])) s->at++;
}

/* From here to the end of the line, for a complaint. */
static td_span rest_of(const scan *s) {
  return (td_span){s->line.data + s->at, s->line.size - s->at};
}

static bool take(scan *s, uint8_t c) {
  skip_blanks(s);
  if (s->at == s->line.size || s->line.data[s->at] != c) return false;
  s->at++;
  return true;
}

static bool bad(scan *s, const char *field, const char *what) {
  return td_line_bad(s->lines, s->line, rest_of(s), field, what);
}

/* The text between quotes; without escapes, so bytes are what they are. */
static bool take_text(scan *s, td_span *out) {
  size_t end = s->at;
  while (end < s->line.size && s->line.data[end] != '"'
         && s->line.data[end] != '\\' && s->line.data[end] >= ' ') {
    end++;
  }
  *out = (td_span){s->line.data + s->at, end - s->at};
  if (end == s->line.size || s->line.data[end] != '"') return false;
  s->at = end + 1;
  return true;
}

/* A number or a word: up to what ends it. */
static td_span take_plain(scan *s) {
  size_t start = s->at;
  while (s->at < s->line.size && !is_blank(s->line.data[s->at])
         && !strchr(",:{}[]\"", s->line.data[s->at])) {
    s->at++;
  }
  return (td_span){s->line.data + start, s->at - start};
}

static bool is_key(td_span key, td_line_field field) {
  const char *name = td_line_field_name(field);
  return key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
}

static td_line_field field_of(td_span key) {
  int field = 0;
  while (field < TD_LINE_FIELDS && !is_key(key, (td_line_field)field)) {
    field++;
  }
  return (td_line_field)field;
}

/* A key and its colon; TD_LINE_FIELDS: what is there has been reported. */
static td_line_field take_key(scan *s, unsigned seen) {
  td_span key;
  if (!take(s, '"')) {
    bad(s, NULL, "write a key in quotes here");
    return TD_LINE_FIELDS;
  }
  if (!take_text(s, &key)) {
    bad(s, NULL, "write a key without escapes, then a quote");
    return TD_LINE_FIELDS;
  }
  td_line_field field = field_of(key);
  if (field == TD_LINE_FIELDS || seen >> field & 1) {
    td_line_bad(s->lines, s->line, key, "key", field == TD_LINE_FIELDS
      ? "is not known; write entity, signal_type, weight and timestamp_ns"
      : "is there twice; write it once");
    return TD_LINE_FIELDS;
  }
  if (take(s, ':')) return field;
  bad(s, td_line_field_name(field), "write ':' here");
  return TD_LINE_FIELDS;
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* Which fields are text, which plain; what JSON's own rules refuse. */
static bool may_be(td_line_field field, bool quoted, td_span given) {
  bool wide = field == TD_LINE_ENTITY || field == TD_LINE_TIMESTAMP_NS
           || field == TD_LINE_SEQNO;
  size_t sign = given.size > 0 && given.data[0] == '-' ? 1 : 0;
  bool number = given.size > sign && is_digit(given.data[sign]);
  if (field == TD_LINE_WEIGHT) return quoted != number;
  if (quoted) return wide;
  return given.size > 0 && (given.size == 1 || given.data[0] != '0');
}

static bool take_value(scan *s, td_line_field field, td_record *out) {
  td_span given;
  bool quoted = take(s, '"');
  if (quoted && !take_text(s, &given)) {
    return bad(s, td_line_field_name(field),
               "write text without escapes, then a quote");
  }
  if (!quoted) given = take_plain(s);
  if (!may_be(field, quoted, given)) {
    return td_line_refuse(s->lines, s->line, field, given);
  }
  return td_line_set(s->lines, s->line, field, given, out);
}

/* The fields of a whole object: four, or all seven. */
static bool check_seen(scan *s, unsigned seen) {
  unsigned want = seen & ~EVENT_FIELDS ? ALL_FIELDS : EVENT_FIELDS;
  for (int field = 0; field < TD_LINE_FIELDS; field++) {
    if ((want & ~seen) >> field & 1) {
      return td_line_bad(s->lines, s->line, s->line,
                         td_line_field_name((td_line_field)field),
                         "is missing; write entity, signal_type, weight and "
                         "timestamp_ns (with all of region, shard and seqno, "
                         "or none)");
    }
  }
  return true;
}

bool td_line_json(td_lines *lines, td_span line, td_record *out) {
  scan s = {lines, line, 0};
  unsigned seen = 0;
  if (!take(&s, '{')) return bad(&s, NULL, "write an object { ... } a line");
  do {
    td_line_field field = take_key(&s, seen);
    if (field == TD_LINE_FIELDS) return false;
    if (!take_value(&s, field, out)) return false;
    seen |= 1u << field;
  } while (take(&s, ','));
  if (!take(&s, '}')) return bad(&s, NULL, "write ',' or '}' here");
  skip_blanks(&s);
  if (s.at < line.size) {
    return bad(&s, NULL, "nothing may stand behind the object");
  }
  return check_seen(&s, seen);
}
