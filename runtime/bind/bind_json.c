/* tidal.json_read: one JSON value as Lua values, read strictly. Saved plans
 * of large layouts are tens of megabytes of it.
 *
 * No recursion: the tables that are not closed yet lie on the stack, each
 * followed, in an object, by the key whose value is read. The text has been
 * looked through for bytes that are no UTF-8 (lua/tidal/json_reader.lua). */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "bind/bind.h"

#define DEPTH_MAX 100
#define TOO_DEEP "nested deeper than 100"
#define MEMBERS_LIKELY 16  /* of an object, as the one before it had */
#define DIGITS_SURE 18    /* so many fit an integer, whichever they are */
#define NUMBER_BYTES 64   /* longer ones go through a string of Lua's */
#define LIST_META 2       /* arguments */
#define NULL_VALUE 3

typedef struct reader {
  lua_State *L;
  const char *text;
  size_t size, at;
  uint32_t depth;
  bool is_list[DEPTH_MAX];
  lua_Integer count[DEPTH_MAX];  /* of what is in it so far */
  int likely;                    /* members of the object that closed last */
} reader;

static _Noreturn void fail(const reader *r, size_t at, const char *what) {
  lua_pushfstring(r->L, "json: %s at offset %I", what, (LUAI_UACINT)at);
  lua_error(r->L);
  td_panic(__FILE__, __LINE__, "lua_error returned");
}

/* The character at `at`; 0 behind the end, where none is expected. */
static char peek(const reader *r, size_t at) {
  return at < r->size ? r->text[at] : '\0';
}

static void skip(reader *r) {
  while (r->at < r->size) {
    char c = r->text[r->at];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
    r->at++;
  }
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* --- texts ---------------------------------------------------------------- */

/* Four hex digits; false where they are not. */
static bool read_unit(const reader *r, size_t at, uint32_t *out) {
  uint64_t value;
  if (at > r->size || r->size - at < 4) return false;
  if (!td_text_read_hex(r->text + at, 4, &value)) return false;
  *out = (uint32_t)value;
  return true;
}

/* The code point of \uXXXX at `at`, of two for one beyond U+FFFF; *behind is
 * the offset behind it. */
static uint32_t read_code(const reader *r, size_t at, size_t *behind) {
  uint32_t high, low;
  if (!read_unit(r, at + 2, &high)) fail(r, at, "a bad escape");
  *behind = at + 6;
  if (high < 0xd800 || high > 0xdfff) return high;
  if (high > 0xdbff || peek(r, at + 6) != '\\' || peek(r, at + 7) != 'u' ||
      !read_unit(r, at + 8, &low) || low < 0xdc00 || low > 0xdfff) {
    fail(r, at, "half a surrogate pair");
  }
  *behind = at + 12;
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static void add_utf8(luaL_Buffer *out, uint32_t code) {
  if (code < 0x80) {
    luaL_addchar(out, (char)code);
    return;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
  luaL_addchar(out, (char)(lead[more] | code >> 6 * more));
  while (more-- > 0) {
    luaL_addchar(out, (char)(0x80 | ((code >> 6 * more) & 0x3f)));
  }
}

/* What the backslash at `at` begins; returns the offset behind it. */
static size_t add_escape(const reader *r, luaL_Buffer *out, size_t at) {
  static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";
  char c = peek(r, at + 1);
  const char *found = c != '\0' ? strchr(from, c) : NULL;
  if (found != NULL) {
    luaL_addchar(out, to[found - from]);
    return at + 2;
  }
  if (c != 'u') fail(r, at, "a bad escape");
  size_t behind;
  add_utf8(out, read_code(r, at, &behind));
  return behind;
}

/* Where the plain characters from `at` on end: at a quote or a backslash. */
static size_t plain_end(const reader *r, size_t start, size_t at) {
  for (; at < r->size; at++) {
    char c = r->text[at];
    if (c == '"' || c == '\\') return at;
    if ((uint8_t)c < ' ') fail(r, at, "a control character in text");
  }
  fail(r, start, "text without an end");
}

/* Pushes the text whose quote is the next character. */
static void read_text(reader *r) {
  size_t start = r->at, from = start + 1, stop = plain_end(r, start, from);
  if (r->text[stop] == '"') {
    lua_pushlstring(r->L, r->text + from, stop - from);
  } else {
    luaL_Buffer out;
    luaL_buffinit(r->L, &out);
    for (;;) {
      luaL_addlstring(&out, r->text + from, stop - from);
      if (r->text[stop] == '"') break;
      from = add_escape(r, &out, stop);
      stop = plain_end(r, start, from);
    }
    luaL_pushresult(&out);
  }
  r->at = stop + 1;
}

/* --- numbers -------------------------------------------------------------- */

static size_t digits_end(const reader *r, size_t at) {
  while (is_digit(peek(r, at))) at++;
  return at;
}

/* The end of a number in JSON's grammar; whether it is one without fraction
 * and exponent. */
static size_t number_end(const reader *r, bool *whole) {
  size_t at = r->at + (peek(r, r->at) == '-');
  size_t end = peek(r, at) == '0' ? at + 1 : digits_end(r, at);
  if (end == at) fail(r, r->at, "a bad number");
  *whole = true;
  if (peek(r, end) == '.' && is_digit(peek(r, end + 1))) {
    end = digits_end(r, end + 1);
    *whole = false;
  }
  if (peek(r, end) == 'e' || peek(r, end) == 'E') {
    at = end + 1 + (peek(r, end + 1) == '+' || peek(r, end + 1) == '-');
    if (is_digit(peek(r, at))) {
      end = digits_end(r, at);
      *whole = false;
    }
  }
  char c = peek(r, end);
  if (is_digit(c) || is_letter(c) || c == '.' || c == '+' || c == '-') {
    fail(r, r->at, "a bad number");
  }
  return end;
}

/* Pushes what Lua reads in the number that ends at `end`, as tonumber does.
 * Where a locale has another point, it takes 200 characters at most. */
static void push_number(const reader *r, size_t end) {
  lua_State *L = r->L;
  const char *text = r->text + r->at;
  size_t size = end - r->at;
  char bytes[NUMBER_BYTES];
  if (size < sizeof bytes) {
    memcpy(bytes, text, size);
    bytes[size] = '\0';
    lua_stringtonumber(L, bytes);
    return;
  }
  text = lua_pushlstring(L, text, size);
  if (lua_stringtonumber(L, text) == 0) fail(r, r->at, "too long a number");
  lua_remove(L, -2);
}

static void read_number(reader *r) {
  bool whole, negative = peek(r, r->at) == '-';
  size_t end = number_end(r, &whole), from = r->at + negative;
  if (whole && end - from <= DIGITS_SURE) {
    lua_Integer value = 0;
    for (; from < end; from++) value = value * 10 + (r->text[from] - '0');
    lua_pushinteger(r->L, negative ? -value : value);
  } else {
    push_number(r, end);
    if (isinf(lua_tonumber(r->L, -1))) {
      fail(r, r->at, "a number beyond every float");
    }
  }
  r->at = end;
}

/* --- values --------------------------------------------------------------- */

/* true, false and null. */
static void read_word(reader *r) {
  static const char *const words[] = {"true", "false", "null"};
  size_t end = r->at;
  while (is_letter(peek(r, end))) end++;
  for (int i = 0; i < 3; i++) {
    size_t size = strlen(words[i]);
    if (end - r->at != size || memcmp(r->text + r->at, words[i], size) != 0) {
      continue;
    }
    r->at = end;
    if (i == 2) lua_pushvalue(r->L, NULL_VALUE);
    else lua_pushboolean(r->L, i == 0);
    return;
  }
  fail(r, r->at, "a value expected");
}

/* Pushes the next key, and goes on to its value. */
static void read_key(reader *r) {
  size_t start = r->at;
  if (peek(r, start) != '"') fail(r, start, "a key expected");
  read_text(r);
  lua_pushvalue(r->L, -1);
  if (lua_rawget(r->L, -3) != LUA_TNIL) {
    fail(r, start, "a key for the second time");
  }
  lua_pop(r->L, 1);
  skip(r);
  if (peek(r, r->at) != ':') fail(r, r->at, "':' expected");
  r->at++;
  skip(r);
}

/* Pushes a new table and goes on to what is in it; false where that is
 * nothing, and the table is whole. */
static bool open_table(reader *r, bool is_list) {
  if (r->depth == DEPTH_MAX) fail(r, r->at, TOO_DEEP);
  r->at++;
  skip(r);
  bool is_empty = peek(r, r->at) == (is_list ? ']' : '}');
  lua_createtable(r->L, 0, is_list || is_empty ? 0 : r->likely);
  if (is_list) {
    lua_pushvalue(r->L, LIST_META);
    lua_setmetatable(r->L, -2);
  }
  if (is_empty) {
    r->at++;
    return false;
  }
  r->is_list[r->depth] = is_list;
  r->count[r->depth++] = 0;
  if (!is_list) read_key(r);
  return true;
}

/* Puts the value on top into the innermost open table; true if another one
 * follows, false if the table is whole. */
static bool put_value(reader *r) {
  uint32_t level = r->depth - 1;
  bool is_list = r->is_list[level];
  lua_Integer count = ++r->count[level];
  if (is_list) lua_rawseti(r->L, -2, count);
  else lua_rawset(r->L, -3);
  char c = peek(r, r->at);
  if (c == ',') {
    r->at++;
    skip(r);
    if (!is_list) read_key(r);
    return true;
  }
  if (c != (is_list ? ']' : '}')) {
    fail(r, r->at, is_list ? "',' or ']' expected" : "',' or '}' expected");
  }
  if (!is_list) {
    r->likely = count < MEMBERS_LIKELY ? (int)count : MEMBERS_LIKELY;
  }
  r->at++;
  r->depth--;
  return false;
}

/* Pushes one value; true when it is whole: no table was opened. */
static bool read_value(reader *r) {
  char c = peek(r, r->at);
  if (c == '{' || c == '[') return !open_table(r, c == '[');
  if (c == '"') read_text(r);
  else if (c == '-' || is_digit(c)) read_number(r);
  else read_word(r);
  return true;
}

/* tidal.json_read(text, list, null) -> value: objects and lists as tables,
 * lists with the metatable `list`, null as the value `null`. Raises text. */
static int json_read(lua_State *L) {
  td_span text = td_bind_bytes(L, td_bind_arg(1, "text"), "a string");
  td_bind_table(L, td_bind_arg(LIST_META, "list"), "a metatable");
  luaL_argexpected(L, !lua_isnoneornil(L, NULL_VALUE), NULL_VALUE, "null");
  lua_settop(L, NULL_VALUE);
  luaL_checkstack(L, 2 * DEPTH_MAX + LUA_MINSTACK, NULL);
  reader r = {.L = L, .text = (const char *)text.data, .size = text.size};
  skip(&r);
  for (;;) {
    if (!read_value(&r)) continue;
    do skip(&r);
    while (r.depth > 0 && !put_value(&r));
    if (r.depth == 0) break;
  }
  if (r.at < r.size) fail(&r, r.at, "more than one value");
  return 1;
}

void td_bind_open_json(lua_State *L) {
  lua_pushcfunction(L, json_read);
  lua_setfield(L, -2, "json_read");
}
