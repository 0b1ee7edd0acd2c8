#include "fuzz/json_oracle.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 100u
#define TEXT_MAX (1u << 20)  /* of what is written with an indent, too */

/* --- UTF-8 ---------------------------------------------------------------- */

/* Bytes of the code point at `at`; 0 = there is none. */
static size_t code_size(td_span text, size_t at) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  uint8_t lead = text.data[at];
  size_t size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2
              : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
  if (size < 2) return size;
  if (text.size - at < size) return 0;
  uint32_t code = lead & (0x7fu >> size);
  for (size_t i = 1; i < size; i++) {
    if ((text.data[at + i] & 0xc0) != 0x80) return 0;
    code = code << 6 | (text.data[at + i] & 0x3fu);
  }
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < least[size] || code > 0x10ffff || surrogate ? 0 : size;
}

size_t fuzz_json_utf8(td_span text) {
  size_t at = 0, size;
  while (at < text.size && (size = code_size(text, at)) > 0) at += size;
  return at;
}

/* --- the walk ------------------------------------------------------------- */

/* Over the text; with a state, over the value at its top as well. */
typedef struct walk {
  const char *text;
  size_t size, at;
  unsigned depth;
  lua_State *L;
} walk;

/* A text as it is meant. */
typedef struct meaning {
  char bytes[TEXT_MAX];
  size_t size;
} meaning;

/* Keys of the objects that are open, in turn. */
static struct { size_t at[TEXT_MAX], size[TEXT_MAX], count, used;
                char bytes[TEXT_MAX]; } keys;

static int look(const walk *w) {
  return w->at < w->size ? (uint8_t)w->text[w->at] : -1;
}

static bool take(walk *w, const char *word) {
  size_t size = strlen(word);
  if (w->size - w->at < size || memcmp(w->text + w->at, word, size) != 0) {
    return false;
  }
  w->at += size;
  return true;
}

static void blanks(walk *w) {
  while (take(w, " ") || take(w, "\n") || take(w, "\t") || take(w, "\r")) {
  }
}

static void put_code(meaning *out, uint32_t code) {
  static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
  unsigned size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (unsigned i = size; i-- > 1; code >>= 6) {
    out->bytes[out->size + i] = (char)(0x80 | (code & 0x3f));
  }
  out->bytes[out->size] = (char)(leads[size] | code);
  out->size += size;
}

static bool hex(walk *w, uint32_t *out) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  *out = 0;
  for (int i = 0; i < 4; i++, w->at++) {
    int c = look(w);
    const char *digit = c > 0 ? strchr(digits, c) : NULL;
    if (!digit) return false;
    *out = *out << 4 | (uint32_t)((digit - digits) % 16);
  }
  return true;
}

static bool escape(walk *w, meaning *out) {
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  uint32_t code, low;
  int c = look(w);
  const char *letter = c > 0 ? strchr(letters, c) : NULL;
  if (c < 0) return false;
  w->at++;
  if (letter) {
    put_code(out, (uint8_t)meant[letter - letters]);
    return true;
  }
  if (c != 'u' || !hex(w, &code)) return false;
  if (code >= 0xdc00 && code <= 0xdfff) return false;
  if (code >= 0xd800 && code <= 0xdbff) {
    if (!take(w, "\\u") || !hex(w, &low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return false;
    code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
  }
  put_code(out, code);
  return true;
}

static bool text(walk *w, meaning *out) {
  out->size = 0;
  if (!take(w, "\"")) return false;
  for (;;) {
    int c = look(w);
    if (c < ' ') return false;
    w->at++;
    if (c == '"') return true;
    if (c != '\\') out->bytes[out->size++] = (char)c;
    else if (!escape(w, out)) return false;
  }
}

static bool digits(walk *w) {
  size_t start = w->at;
  while (look(w) >= '0' && look(w) <= '9') w->at++;
  return w->at > start;
}

static bool number(walk *w) {
  static char copy[TEXT_MAX];
  size_t start = w->at;
  bool whole = true;
  take(w, "-");
  if (!take(w, "0") && !digits(w)) return false;
  if (take(w, ".")) {
    whole = false;
    if (!digits(w)) return false;
  }
  if (take(w, "e") || take(w, "E")) {
    whole = false;
    if (!take(w, "+")) take(w, "-");
    if (!digits(w)) return false;
  }
  memcpy(copy, w->text + start, w->at - start);
  copy[w->at - start] = '\0';
  errno = 0;
  long long integer = strtoll(copy, NULL, 10);
  bool fits = whole && errno == 0;
  double value = strtod(copy, NULL);
  if (isinf(value)) return false;
  if (!w->L) return true;
  td_assert(lua_type(w->L, -1) == LUA_TNUMBER);
  td_assert((bool)lua_isinteger(w->L, -1) == fits);
  double got = lua_tonumber(w->L, -1);
  td_assert(fits ? lua_tointeger(w->L, -1) == integer
                 : memcmp(&got, &value, sizeof value) == 0);
  return true;
}

/* --- lists and objects ---------------------------------------------------- */

static bool value(walk *w);

/* So many entries, as a list or an object. */
static void check_table(const walk *w, bool is_list, lua_Unsigned count) {
  lua_State *L = w->L;
  lua_Unsigned found = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) found++;
  td_assert(found == count && (!is_list || lua_rawlen(L, -1) == count));
  td_assert((bool)lua_getmetatable(L, -1) == is_list);
  if (!is_list) return;
  lua_pushliteral(L, "__name");
  td_assert(lua_rawget(L, -2) == LUA_TSTRING);
  td_assert(strcmp(lua_tostring(L, -1), "tidal.json.list") == 0);
  lua_pop(L, 2);
}

/* The value of an entry whose key, with a state, lies at the top. */
static bool entry(walk *w) {
  if (w->L) {
    td_assert(lua_type(w->L, -2) == LUA_TTABLE);
    lua_rawget(w->L, -2);
  }
  blanks(w);
  bool fine = value(w);
  blanks(w);
  if (w->L) lua_pop(w->L, 1);
  return fine;
}

/* A key, which is none of those from number `first` on. */
static bool key(walk *w, size_t first) {
  static meaning name;
  blanks(w);
  if (!text(w, &name)) return false;
  for (size_t i = first; i < keys.count; i++) {
    if (keys.size[i] == name.size
        && memcmp(keys.bytes + keys.at[i], name.bytes, name.size) == 0) {
      return false;
    }
  }
  keys.at[keys.count] = keys.used;
  keys.size[keys.count++] = name.size;
  memcpy(keys.bytes + keys.used, name.bytes, name.size);
  keys.used += name.size;
  if (w->L) lua_pushlstring(w->L, name.bytes, name.size);
  blanks(w);
  return take(w, ":");
}

static bool members(walk *w, bool is_list, lua_Unsigned *count) {
  size_t first = keys.count;
  do {
    ++*count;
    if (!is_list && !key(w, first)) return false;
    if (is_list && w->L) lua_pushinteger(w->L, (lua_Integer)*count);
    if (!entry(w)) return false;
  } while (take(w, ","));
  return true;
}

static bool table(walk *w, bool is_list) {
  const char *close = is_list ? "]" : "}";
  lua_Unsigned count = 0;
  size_t outer = keys.count, used = keys.used;
  if (++w->depth > DEPTH_MAX) return false;
  blanks(w);
  if (!take(w, close)) {
    if (!members(w, is_list, &count) || !take(w, close)) return false;
  }
  keys.count = outer;
  keys.used = used;
  w->depth--;
  if (w->L) check_table(w, is_list, count);
  return true;
}

static bool value(walk *w) {
  static meaning name;
  lua_State *L = w->L;
  if (look(w) == '"') {
    if (!text(w, &name)) return false;
    if (!L) return true;
    size_t size;
    td_assert(lua_type(L, -1) == LUA_TSTRING);
    const char *got = lua_tolstring(L, -1, &size);
    td_assert(size == name.size && memcmp(got, name.bytes, size) == 0);
    return true;
  }
  if (take(w, "[")) return table(w, true);
  if (take(w, "{")) return table(w, false);
  bool yes = take(w, "true");
  if (yes || take(w, "false")) {
    if (L) td_assert(lua_isboolean(L, -1) && lua_toboolean(L, -1) == yes);
    return true;
  }
  if (!take(w, "null")) return number(w);
  if (L) td_assert(lua_rawequal(L, -1, JSON_NULL));
  return true;
}

static bool whole(td_span bytes, lua_State *L) {
  walk w = {.text = (const char *)bytes.data, .size = bytes.size, .L = L};
  td_assert(bytes.size < TEXT_MAX);
  keys.count = keys.used = 0;
  blanks(&w);
  if (!value(&w)) return false;
  blanks(&w);
  return w.at == w.size;
}

bool fuzz_json_valid(td_span bytes) {
  return fuzz_json_utf8(bytes) == bytes.size && whole(bytes, NULL);
}

void fuzz_json_match(lua_State *L, td_span bytes) {
  luaL_checkstack(L, 4 * (int)DEPTH_MAX, NULL);
  int top = lua_gettop(L);
  td_assert(whole(bytes, L));
  td_assert(lua_gettop(L) == top);
}

/* --- spelling ------------------------------------------------------------- */

typedef struct spelling {
  uint8_t *out;
  size_t size, room;
  unsigned depth;
  bool is_list[DEPTH_MAX + 3], is_first;
} spelling;

#define PICK(list, i) list[(i) % (sizeof list / sizeof *list)]

static void put(spelling *s, const char *word) {
  size_t size = strlen(word);
  if (size > s->room - s->size) return;
  memcpy(s->out + s->size, word, size);
  s->size += size;
}

static void put_letters(spelling *s, fuzz_input *in, unsigned count) {
  static const char *const letters[] = {
    "a", "b", "\\u0061", "\\n", "\\u0000", "\xc3\xa4", "\\ud83d\\ude00", "1",
    "\\/", "\\\"", "\xf0\x9f\x98\x80", "\x7f", "\\\\", "__index", " ", "x",
    "\\u007f", "\\u0080", "\\u07FF", "\\u0800", "\\ud7ff", "\\ue000", "\\uffff",
    "\\uD800\\uDC00", "\\udbff\\udfff", "\\u0031", "\xc2\x80", "\xef\xbf\xbf",
  };
  put(s, "\"");
  for (; count > 0; count--) put(s, PICK(letters, fuzz_u8(in)));
  put(s, "\"");
}

/* What stands in front of a value. */
static void put_place(spelling *s, fuzz_input *in) {
  if (!s->is_first) put(s, ",");
  s->is_first = false;
  if (s->depth == 0 || s->is_list[s->depth - 1]) return;
  put_letters(s, in, 3);
  put(s, ":");
}

static void put_scalar(spelling *s, unsigned which) {
  static const char *const scalars[] = {
    "0", "-0", "7", "-12", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "999999999999999999",
    "1000000000000000000", "0.1", "-0.0", "1e5", "1E-7", "2.5e+300", "1e308",
    "5e-324", "1e-400", "true", "false", "null", "18446744073709551615",
    "0.33333333333333333333333333333333333333333333333333333333333333333333",
    "111111111111111111111111111111111111111111111111111111111111111111111",
    "0.1234567890123456789012345678901234567890123456789012345678901",
    "0.12345678901234567890123456789012345678901234567890123456789012",
    "1e309", "1.7976931348623157e308", "1.7976931348623159e308", "-1E+0",
  };
  put(s, PICK(scalars, which));
}

static void put_junk(spelling *s, unsigned which) {
  static const char *const junk[] = {
    "[", "]", "{", "}", ",", ":", "\"", "\\", "e", ".", "-", "\x01", "\xff",
    "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "\"\\ud800\"", "01", "nul",
    "\"\\udc00\"", "+1", "/**/", "\xef\xbb\xbf", "\"\\ud800\\ud800\"", "1.",
    "\v", "\f", "\x1f", "+",
  };
  put(s, PICK(junk, which));
}

static void put_close(spelling *s) {
  put(s, s->is_list[--s->depth] ? "]" : "}");
  s->is_first = false;
}

static void put_open(spelling *s, bool is_list) {
  put(s, is_list ? "[" : "{");
  s->is_list[s->depth++] = is_list;
  s->is_first = true;
}

size_t fuzz_json_spell(td_span bytes, uint8_t *out, size_t room) {
  fuzz_input in = {bytes.data, bytes.size};
  spelling s = {.out = out, .room = room, .is_first = true};
  do {
    uint8_t byte = fuzz_u8(&in), kind = byte % 8;
    if (byte >= 0xf8) put_junk(&s, fuzz_u8(&in));
    if (kind == 0) {
      put(&s, PICK(((const char *const[]){" ", "\n", "\t", "\r"}), byte / 8));
    } else if (kind == 1) {
      if (s.depth > 1) put_close(&s);
    } else {
      put_place(&s, &in);
      if (kind == 2) put_letters(&s, &in, byte / 8);
      else if (kind > 5) put_scalar(&s, byte / 8);
      else if (s.depth < DEPTH_MAX + 2) put_open(&s, kind < 5);
      else put_scalar(&s, byte / 8);
      if (s.depth == 0) break;
    }
  } while (in.size > 0);
  while (s.depth > 0) put_close(&s);
  return s.size;
}
