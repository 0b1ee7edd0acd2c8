/* Covers format/lines format/lines_json.
 * Lines of events: what is taken, what is refused and with which words. */
#include "test/test.h"

#include <float.h>
#include <string.h>

#include "tidal.h"

#define CSV "0x2a,3,0.5,1700000000000000000"
#define JSON "{\"entity\":\"0x2a\",\"signal_type\":3,\"weight\":0.5," \
             "\"timestamp_ns\":\"1700000000000000000\"}"
#define NAMES "entity,signal_type,weight,timestamp_ns"
#define ALL_NAMES "region,shard,seqno," NAMES
#define EVENTS_MAX 64u

/* All that reading a text gave. */
typedef struct result {
  td_record records[EVENTS_MAX];
  uint32_t count;
  char faults[2048];    /* one a line */
  td_lines lines;
} result;

static void note(void *ctx, const td_line_fault *fault) {
  result *to = ctx;
  char text[TD_LINE_FAULT_TEXT_MAX];
  size_t used = strlen(to->faults);
  size_t size = td_line_fault_format(fault, text);
  CHECK(size == strlen(text));
  if (used + size + 2 > sizeof to->faults) return;
  if (used > 0) to->faults[used++] = '\n';
  memcpy(to->faults + used, text, size + 1);
}

/* Reads in pieces of `piece` bytes, `room` events at a time. */
static void read_pieces(result *to, const char *text, size_t size,
                        size_t piece, uint32_t room) {
  memset(to, 0, sizeof *to);
  td_lines_init(&to->lines, note, to);
  for (size_t done = 0; done < size; done += piece) {
    size_t at = 0, left = size - done < piece ? size - done : piece;
    td_span bytes = {(const uint8_t *)text + done, left};
    while (at < left) {
      td_assert(to->count + room < EVENTS_MAX);
      to->count += td_lines_read(&to->lines, bytes, &at,
                                 to->records + to->count, room);
    }
  }
  to->count += td_lines_end(&to->lines, to->records + to->count);
  CHECK(to->count == to->lines.events);
}

static void read_text(result *to, const char *text) {
  read_pieces(to, text, strlen(text), 1u << 20, 20);
}

static bool is_sample(const td_record *record) {
  return record->entity.value == 42 && record->signal_type == 3
      && record->weight == 0.5f
      && record->timestamp_ns == UINT64_C(1700000000000000000);
}

static void taken(void) {
  static const char *const texts[] = {
    CSV, CSV "\n", CSV "\r\n", "\n\n" CSV "\n\n", "\xef\xbb\xbf" CSV "\n",
    NAMES "\n" CSV, NAMES "\r\n" CSV "\r\n", "  \t\r\n" NAMES "\n" CSV,
    "\xef\xbb\xbf" NAMES "\n" CSV, ALL_NAMES "\n0,65535,1," CSV,
    "1,2,18446744073709551615," CSV, "0x000000000000002A,003,5e-1,"
    "1700000000000000000", "0X2a,3,0.50,0x17979cfe362a0000",
    "42,3,0.5,1700000000000000000", JSON, JSON "\n", JSON "\r\n\r\n",
    "\xef\xbb\xbf" JSON, " \t" JSON " ", "{ \"timestamp_ns\" :\t"
    "1700000000000000000 , \"weight\":5e-1,\r\"signal_type\": 3 , "
    "\"entity\": 42 }", "{\"region\":1,\"shard\":2,\"seqno\":\"3\","
    "\"entity\":\"42\",\"signal_type\":3,\"weight\":0.5,"
    "\"timestamp_ns\":\"0x17979cfe362a0000\"}",
    "{\"seqno\":18446744073709551615,\"entity\":\"0X2A\",\"signal_type\":3,"
    "\"weight\":0.5,\"timestamp_ns\":1700000000000000000,\"shard\":65535,"
    "\"region\":0}",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    result got;
    read_text(&got, texts[i]);
    if (got.count == 1 && got.lines.bad == 0 && is_sample(got.records)) {
      continue;
    }
    test_failed(__FILE__, __LINE__, "%s: %u events, %s", texts[i], got.count,
                got.faults);
  }
}

static void edges(void) {
  result got;
  read_text(&got, "0,0,-0,0\n"
                  "18446744073709551615,255,3.40282347e+38,"
                  "18446744073709551615\n"
                  "9223372036854775808,1,nan,0xffffffffffffffff\n"
                  "0xffffffffffffffff,1,inf,0x0\n"
                  "00000000000000000001,1,-inf,1");
  CHECK_TEXT(got.faults, "");
  CHECK(got.count == 5 && got.lines.form == TD_LINES_CSV);
  CHECK_U64(got.records[1].entity.value, UINT64_MAX);
  CHECK_U64(got.records[1].timestamp_ns, UINT64_MAX);
  CHECK(got.records[1].signal_type == 255);
  CHECK_U64(got.records[2].entity.value, UINT64_C(1) << 63);
  CHECK(got.records[2].weight != got.records[2].weight);
  CHECK(got.records[4].weight < -FLT_MAX);
  read_text(&got, "{\"entity\":18446744073709551615,\"signal_type\":0,"
                  "\"weight\":\"nan\",\"timestamp_ns\":0}\n"
                  "{\"entity\":9007199254740993,\"signal_type\":255,"
                  "\"weight\":\"-inf\",\"timestamp_ns\":9223372036854775809}");
  CHECK_TEXT(got.faults, "");
  CHECK(got.count == 2 && got.lines.form == TD_LINES_JSON);
  CHECK_U64(got.records[0].entity.value, UINT64_MAX);
  CHECK_U64(got.records[1].entity.value, UINT64_C(9007199254740993));
  CHECK_U64(got.records[1].timestamp_ns, (UINT64_C(1) << 63) + 1);
}

static void nothing(void) {
  static const char *const texts[] = {"", "\n", "\r\n \t\n", NAMES,
                                      NAMES "\n\n", "\xef\xbb\xbf"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    result got;
    read_text(&got, texts[i]);
    CHECK(got.count == 0 && got.lines.bad == 0);
  }
}

/* One line each; `fault` is how its complaint begins. */
static const struct { const char *text, *fault; } bad_lines[] = {
  {"-1,3,0.5,1", "column 1: entity \"-1\": write 0..18446744073709551615"},
  {"18446744073709551616,3,0.5,1", "column 1: entity \"184467440737095516"},
  {"1.0,3,0.5,1", "column 1: entity \"1.0\""},
  {"1e3,3,0.5,1", "column 1: entity \"1e3\""},
  {"0x,3,0.5,1", "column 1: entity \"0x\""},
  {"0x11112222333344445,3,0.5,1", "column 1: entity"},
  {"000000000000000000001,3,0.5,1", "column 1: entity"},
  {",3,0.5,1", "column 1: entity \"\""},
  {"\"1\",3,0.5,1", "column 1: entity \"\"1\"\""},
  {" 1,3,0.5,1", "column 1: entity \" 1\""},
  {"1,256,0.5,1", "column 3: signal_type \"256\": write an integer 0..255"},
  {"1,-1,0.5,1", "column 3: signal_type \"-1\""},
  {"1,3.0,0.5,1", "column 3: signal_type \"3.0\""},
  {"1,0x3,0.5,1", "column 3: signal_type \"0x3\""},
  {"1,3,0,5,1", "column 1: \"1,3,0,5,1\": write the 4 fields " NAMES},
  {"1,3,,1", "column 5: weight \"\": write a number such as 0.5"},
  {"1,3,1e39,1", "column 5: weight \"1e39\": write a number such as 0.5, -3"},
  {"1,3,NaN,1", "column 5: weight \"NaN\""},
  {"1,3,.5,1", "column 5: weight \".5\""},
  {"1,3,0.5,", "column 9: timestamp_ns \"\": write nanoseconds"},
  {"1,3,0.5,1 ", "column 9: timestamp_ns \"1 \""},
  {"1,3,0.5,1\r\r", "column 9: timestamp_ns \"1\\x0d\""},
  {"1,3,0.5,1.5e18", "column 9: timestamp_ns \"1.5e18\""},
  {"1,3,0.5", "column 1: \"1,3,0.5\": write the 4 fields"},
  {"1", "column 1: \"1\": write the 4 fields"},
  {"[", "column 1: \"[\": write the 4 fields"},
  {"1,2,3,4,5,6,7,8,9", "column 1: \"1,2,3,4,5,6,7,8,9\": write the 4"},
  {"65536,0,1,1,3,0.5,1", "column 1: region \"65536\": write an integer 0"},
  {"0,-1,1,1,3,0.5,1", "column 3: shard \"-1\""},
  {"0,0,0x1,1,3,0.5,1", "column 5: seqno \"0x1\""},
  {"0,0,1,x,3,0.5,1", "column 7: entity \"x\""},
  {"caf\xc3\xa9,3,0.5,1", "column 1: entity \"caf\\xc3\\xa9\""},
  {"{", "column 2: \"\": write a key in quotes here"},
  {"{}", "column 2: \"}\": write a key in quotes here"},
  {"{\"entity\"", "column 10: entity \"\": write ':' here"},
  {"{\"entity", "column 3: \"entity\": write a key without escapes"},
  {"{\"entity\":", "column 11: entity \"\": write 0..18446744073709551615"},
  {"{\"entity\":\"1", "column 12: entity \"1\": write text without escapes"},
  {"{\"entity\":1", "column 12: \"\": write ',' or '}' here"},
  {"{\"entity\":1,}", "column 13: \"}\": write a key in quotes here"},
  {"{\"entity\":1}", "column 1: signal_type \"{\"entity\":1}\": is missing"},
  {"{\"entity\":1,\"entity\":1}", "column 14: key \"entity\": is there twice"},
  {"{\"Entity\":1}", "column 3: key \"Entity\": is not known; write entity"},
  {"{\"live\":true}", "column 3: key \"live\": is not known"},
  {"{\"en\\u0074ity\":1}", "column 3: \"en\\u0074ity\":1}\": write a key wi"},
  {"{\"entity\":-1}", "column 11: entity \"-1\""},
  {"{\"entity\":1.0}", "column 11: entity \"1.0\""},
  {"{\"entity\":1e3}", "column 11: entity \"1e3\""},
  {"{\"entity\":01}", "column 11: entity \"01\""},
  {"{\"entity\":0x1}", "column 11: entity \"0x1\""},
  {"{\"entity\":18446744073709551616}", "column 11: entity \"1844674407370"},
  {"{\"entity\":null}", "column 11: entity \"null\""},
  {"{\"entity\":[1]}", "column 11: entity \"\""},
  {"{\"entity\":\"\\u0031\"}", "column 12: entity \"\\u0031\"}\": write text"},
  {"{\"signal_type\":256}", "column 16: signal_type \"256\": write an integ"},
  {"{\"signal_type\":\"3\"}", "column 17: signal_type \"3\""},
  {"{\"signal_type\":true}", "column 16: signal_type \"true\""},
  {"{\"weight\":nan}", "column 11: weight \"nan\": write a number such as"},
  {"{\"weight\":\"0.5\"}", "column 12: weight \"0.5\""},
  {"{\"weight\":\"NaN\"}", "column 12: weight \"NaN\""},
  {"{\"weight\":1e39}", "column 11: weight \"1e39\""},
  {"{\"weight\":+1}", "column 11: weight \"+1\""},
  {"{\"region\":0,\"entity\":1,\"signal_type\":3,\"weight\":0,"
   "\"timestamp_ns\":1}", "column 1: shard \"{\"region\":0,\"entity\":1,"},
  {"{\"seqno\":\"-1\"}", "column 11: seqno \"-1\""},
  {JSON ",", "column 84: \",\": nothing may stand behind the object"},
  {JSON JSON, "column 84: \"{\"entity\":\"0x2a\""},
  {"{\"entity\":1 \"weight\":2}", "column 13: \"\"weight\":2}\": write ','"},
};

static void refused(void) {
  for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++) {
    result got;
    char want[256];
    read_text(&got, bad_lines[i].text);
    snprintf(want, sizeof want, "line 1, %s", bad_lines[i].fault);
    if (got.count == 0 && got.lines.bad == 1
        && strncmp(got.faults, want, strlen(want)) == 0) {
      continue;
    }
    test_failed(__FILE__, __LINE__, "%s: %u events, \"%s\", want \"%s\"",
                bad_lines[i].text, got.count, got.faults, want);
  }
}

/* Bad lines are passed over, counted and numbered; the good ones stay. */
static void among_good_ones(void) {
  result got;
  read_text(&got, CSV "\n\nx\n" CSV "\n" NAMES "\n1,2,3\n" CSV "\n" JSON);
  CHECK(got.count == 3 && got.lines.bad == 4 && got.lines.line == 8);
  CHECK(is_sample(&got.records[2]));
  CHECK(strstr(got.faults, "line 3, column 1: \"x\": write the 4"));
  CHECK(strstr(got.faults, "line 5, column 1: entity \"entity\""));
  CHECK(strstr(got.faults, "line 6, column 1: \"1,2,3\""));
  CHECK(strstr(got.faults, "line 8, column 1: entity \"{"));
  read_text(&got, JSON "\n" CSV "\n" JSON);
  CHECK(got.count == 2 && got.lines.bad == 1);
  CHECK(strstr(got.faults, "line 2, column 1: \"0x2a,3"));
  read_text(&got, CSV "\n0,0,1," CSV "\n");
  CHECK(got.count == 1 && got.lines.bad == 1);
  read_text(&got, "0,0,1," CSV "\n" CSV "\n");
  CHECK(got.count == 1 && got.lines.bad == 1);
  CHECK(strstr(got.faults, "write the 7 fields " ALL_NAMES));
}

/* Other columns: what follows could be taken for what it is not. */
static void foreign(void) {
  static const char *const names[] = {
    "entity,weight,signal_type,timestamp_ns", "timestamp_ns,entity,1,2",
    "entity", "id,type,weight,time", "entity;weight,weight",
    ALL_NAMES ",live", NAMES ",", "\xef\xbb\xbf" "seqno," NAMES,
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    result got;
    char text[256];
    snprintf(text, sizeof text, "\n%s\r\n" CSV "\n" CSV, names[i]);
    read_text(&got, text);
    CHECK(got.count == 0 && got.lines.bad == 1);
    CHECK(got.lines.form == TD_LINES_FOREIGN);
    CHECK(strstr(got.faults, "line 2, column 1: names \""));
  }
}

static void zero_bytes(void) {
  result got;
  static const char text[] = "1\0,3,0.5,1\n1,3,0.5,1\0\n\0\n" CSV;
  read_pieces(&got, text, sizeof text - 1, 100, 5);
  CHECK(got.count == 1 && got.lines.bad == 3);
  CHECK(strstr(got.faults, "line 1, column 1: entity \"1\\x00\""));
  CHECK(strstr(got.faults, "line 3, column 1: \"\\x00\""));
  static const char json[] = "{\"entity\":1\0}\n{\"ent\0ity\":1}\n" JSON "\0";
  read_pieces(&got, json, sizeof json - 1, 100, 5);
  CHECK(got.count == 0 && got.lines.bad == 3);
}

/* TD_LINE_BYTES_MAX bytes are a line, one more is too long; a long one is
 * passed over whatever its length, and the next one read. */
static void long_lines(void) {
  static char text[4 * TD_LINE_BYTES_MAX];
  static const size_t sizes[] = {
    TD_LINE_BYTES_MAX - 1, TD_LINE_BYTES_MAX, TD_LINE_BYTES_MAX + 1,
    TD_LINE_BYTES_MAX + 2, TD_LINE_BYTES_MAX + 6, 3 * TD_LINE_BYTES_MAX,
  };
  static const size_t pieces[] = {1, 7, 4096, 4097, 1u << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (size_t mark = 0; mark < 2; mark++) {
      size_t size = 0;
      if (mark) memcpy(text, "\xef\xbb\xbf", 3);
      size = mark * 3;
      memset(text + size, '0', sizes[i]);
      memcpy(text + size, "1,3,0.", 6);
      memcpy(text + size + sizes[i] - 2, ",1", 2);
      size += sizes[i];
      memcpy(text + size, "\r\n" CSV, 2 + strlen(CSV));
      size += 2 + strlen(CSV);
      for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        result got;
        bool fits = sizes[i] <= TD_LINE_BYTES_MAX;
        read_pieces(&got, text, size, pieces[p], 3);
        CHECK(got.count == 1u + fits && got.lines.bad == !fits);
        CHECK(fits || strstr(got.faults, "line 1, column 1: \"1,3,0.000"));
        CHECK(got.lines.line == 2);
      }
    }
  }
}

/* Nobody reads on to see whether a long line is blank: it is too long. What
 * it holds says nothing about the form. */
static void long_blanks(void) {
  static char text[3 * TD_LINE_BYTES_MAX];
  static const size_t pieces[] = {1, 4096, 1u << 20};
  for (size_t size = TD_LINE_BYTES_MAX - 1; size < TD_LINE_BYTES_MAX + 8;
       size++) {
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
      result got;
      memset(text, ' ', size);
      text[size - 1] = size > TD_LINE_BYTES_MAX ? '{' : ' ';
      memcpy(text + size, "\n" NAMES "\n" CSV, sizeof "\n" NAMES "\n" CSV);
      read_pieces(&got, text, strlen(text), pieces[p], 3);
      CHECK(got.count == 1 && got.lines.form == TD_LINES_CSV);
      CHECK(got.lines.bad == (size > TD_LINE_BYTES_MAX));
    }
  }
}

/* The same whatever the pieces, and however few events fit. */
static void pieces(void) {
  static const char text[] =
    "\xef\xbb\xbf\r\n" NAMES "\r\n" CSV "\r\n\nbad\n" CSV "\n7,7,7,7\n"
    "8,8,8\n9,9,9,9\r\n\n" CSV;
  result whole;
  read_text(&whole, text);
  CHECK(whole.count == 5 && whole.lines.bad == 2);
  for (size_t piece = 1; piece < sizeof text; piece++) {
    for (uint32_t room = 1; room < 6; room++) {
      result got;
      read_pieces(&got, text, sizeof text - 1, piece, room);
      CHECK(got.count == whole.count && got.lines.line == whole.lines.line);
      CHECK(memcmp(got.records, whole.records, sizeof got.records) == 0);
      CHECK_TEXT(got.faults, whole.faults);
    }
  }
}

void test_lines(void) {
  test_case("lines", "all forms of an event are taken", taken);
  test_case("lines", "numbers reach their edges", edges);
  test_case("lines", "empty texts and names alone are no fault", nothing);
  test_case("lines", "bad lines are refused by column and field", refused);
  test_case("lines", "bad lines are passed over", among_good_ones);
  test_case("lines", "other columns end it", foreign);
  test_case("lines", "zero bytes are shown", zero_bytes);
  test_case("lines", "long lines have a limit", long_lines);
  test_case("lines", "long blank lines, too", long_blanks);
  test_case("lines", "pieces of any size give the same", pieces);
}
