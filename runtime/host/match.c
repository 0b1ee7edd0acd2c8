#include "host/match.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "host/budget.h"
#include "host/pattern.h"

#define CHARGED_BYTES 16  /* that memchr and memcmp look at for one step */

/* A matcher over argument 1, its items of the pattern behind `skip` bytes of
 * argument 2. */
static td_matcher matcher_of(lua_State *L, size_t skip) {
  size_t size, length;
  const char *text = luaL_checklstring(L, 1, &size);
  const char *pattern = luaL_checklstring(L, 2, &length);
  td_matcher m = {.L = L, .begin = text, .end = text + size};
  m.items = td_pattern_compile(L, pattern + skip, length - skip);
  return m;
}

/* Pushes capture i, counted from 0; the whole match where there is none. */
static void push_capture(td_matcher *m, int i, const char *from,
                         const char *to) {
  if (i >= m->count) {
    if (i > 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
    lua_pushlstring(m->L, from, (size_t)(to - from));
    return;
  }
  const td_capture *capture = &m->captures[i];
  if (capture->size == TD_CAPTURE_POSITION) {
    lua_pushinteger(m->L, capture->at - m->begin + 1);
    return;
  }
  lua_pushlstring(m->L, capture->at, (size_t)capture->size);
}

/* Pushes all captures, or the whole match if `whole` and there are none. */
static int push_captures(td_matcher *m, const char *from, const char *to,
                         bool whole) {
  int count = m->count == 0 && whole ? 1 : m->count;
  luaL_checkstack(m->L, count + 4, "too many captures");
  for (int i = 0; i < count; i++) push_capture(m, i, from, to);
  return count;
}

/* Argument 3, a position from either end, as one from 0; more than size
 * where it lies behind the text. */
static size_t start_arg(lua_State *L, size_t size) {
  lua_Integer at = luaL_optinteger(L, 3, 1);
  if (at > 0) return (size_t)at - 1;
  if (at == 0 || at < -(lua_Integer)size) return 0;
  return size - (size_t)-at;
}

static bool is_plain(const char *pattern, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i])) return false;
  }
  return true;
}

/* Where `what` stands in the text, or NULL. */
static const char *find_plain(lua_State *L, const char *at, const char *end,
                              const char *what, size_t length) {
  if (length == 0) return at;
  while ((size_t)(end - at) >= length) {
    size_t room = (size_t)(end - at) - length + 1;
    const char *found = memchr(at, what[0], room);
    size_t seen = found ? (size_t)(found - at) + length : room;
    td_budget_charge(L, 1 + (int64_t)(seen / CHARGED_BYTES));
    if (!found) return NULL;
    if (memcmp(found, what, length) == 0) return found;
    at = found + 1;
  }
  return NULL;
}

static int find_text(lua_State *L, size_t start) {
  size_t size, length;
  const char *text = luaL_checklstring(L, 1, &size);
  const char *what = luaL_checklstring(L, 2, &length);
  const char *found = find_plain(L, text + start, text + size, what, length);
  if (!found) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, found - text + 1);
  lua_pushinteger(L, found - text + (lua_Integer)length);
  return 2;
}

static int find_pattern(lua_State *L, size_t start, bool find) {
  bool anchored = lua_tostring(L, 2)[0] == '^';
  td_matcher m = matcher_of(L, anchored ? 1 : 0);
  for (const char *at = m.begin + start; at <= m.end; at++) {
    const char *to = td_pattern_match(&m, at);
    if (to && find) {
      lua_pushinteger(L, at - m.begin + 1);
      lua_pushinteger(L, to - m.begin);
      return push_captures(&m, at, to, false) + 2;
    }
    if (to) return push_captures(&m, at, to, true);
    if (anchored) break;
  }
  lua_pushnil(L);
  return 1;
}

/* find(text, pattern [, init [, plain]]) */
static int find(lua_State *L) {
  size_t size, length;
  luaL_checklstring(L, 1, &size);
  const char *pattern = luaL_checklstring(L, 2, &length);
  size_t start = start_arg(L, size);
  if (start > size) {
    lua_pushnil(L);
    return 1;
  }
  td_budget_charge(L, (int64_t)length / CHARGED_BYTES);
  if (lua_toboolean(L, 4) || is_plain(pattern, length)) {
    return find_text(L, start);
  }
  return find_pattern(L, start, true);
}

/* match(text, pattern [, init]) */
static int match(lua_State *L) {
  size_t size;
  luaL_checklstring(L, 1, &size);
  luaL_checkstring(L, 2);
  size_t start = start_arg(L, size);
  if (start <= size) return find_pattern(L, start, false);
  lua_pushnil(L);
  return 1;
}

/* --- gmatch --------------------------------------------------------------- */

/* What goes from call to call: where to go on, where the last match ended. */
typedef struct walk {
  size_t at, last;
  bool any;
} walk;

/* Upvalues: the text, the userdata of the items, the walk. */
static int next_match(lua_State *L) {
  size_t size;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &size);
  walk *w = lua_touserdata(L, lua_upvalueindex(3));
  td_matcher m = {.L = L, .begin = text, .end = text + size};
  m.items = lua_touserdata(L, lua_upvalueindex(2));
  for (; w->at <= size; w->at++) {
    const char *from = text + w->at, *to = td_pattern_match(&m, from);
    if (!to || (w->any && to == text + w->last)) continue;
    w->at = w->last = (size_t)(to - text);
    w->any = true;
    return push_captures(&m, from, to, true);
  }
  return 0;
}

/* gmatch(text, pattern [, init]) */
static int gmatch(lua_State *L) {
  size_t size;
  luaL_checklstring(L, 1, &size);
  luaL_checkstring(L, 2);
  size_t start = start_arg(L, size);
  lua_settop(L, 2);
  matcher_of(L, 0);  /* the items are on top */
  walk *w = lua_newuserdatauv(L, sizeof *w, 0);
  *w = (walk){start > size ? size + 1 : start, 0, false};
  lua_remove(L, 2);
  lua_pushcclosure(L, next_match, 3);
  return 1;
}

/* --- gsub ----------------------------------------------------------------- */

/* Adds the replacement text, %0 to %9 filled in. */
static void add_text(td_matcher *m, luaL_Buffer *out, const char *from,
                     const char *to) {
  size_t size;
  const char *text = lua_tolstring(m->L, 3, &size);
  for (size_t i = 0; i < size; i++) {
    if (text[i] != '%') {
      luaL_addchar(out, text[i]);
      continue;
    }
    unsigned char next = ++i < size ? (unsigned char)text[i] : 0;
    if (next == '%') {
      luaL_addchar(out, '%');
    } else if (next == '0') {
      luaL_addlstring(out, from, (size_t)(to - from));
    } else if (isdigit(next)) {
      push_capture(m, next - '1', from, to);
      luaL_tolstring(m->L, -1, NULL);
      lua_remove(m->L, -2);
      luaL_addvalue(out);
    } else {
      luaL_error(m->L, "invalid use of '%%' in replacement string");
    }
  }
}

/* Adds what the table or function at 3 gives for a match. */
static void add_value(td_matcher *m, luaL_Buffer *out, const char *from,
                      const char *to) {
  lua_State *L = m->L;
  if (lua_type(L, 3) == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(m, from, to, true), 1);
  } else {
    push_capture(m, 0, from, to);
    lua_gettable(L, 3);
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, from, (size_t)(to - from));
    return;
  }
  if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
  luaL_addvalue(out);
}

static void add_match(td_matcher *m, luaL_Buffer *out, const char *from,
                      const char *to) {
  td_budget_charge(m->L, 1);
  if (lua_isstring(m->L, 3)) add_text(m, out, from, to);
  else add_value(m, out, from, to);
}

/* gsub(text, pattern, replacement [, most]) */
static int gsub(lua_State *L) {
  size_t size;
  luaL_checklstring(L, 1, &size);
  bool anchored = luaL_checkstring(L, 2)[0] == '^';
  int type = lua_type(L, 3);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING ||
                   type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
                   "string/function/table");
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)size + 1);
  if (type == LUA_TNUMBER) {
    lua_tostring(L, 3);
  }
  lua_settop(L, 3);
  td_matcher m = matcher_of(L, anchored ? 1 : 0);
  const char *at = m.begin, *last = NULL;
  lua_Integer count = 0;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  while (count < most) {
    const char *to = td_pattern_match(&m, at);
    if (to && to != last) {
      count++;
      add_match(&m, &out, at, to);
      at = last = to;
    } else if (at < m.end) {
      luaL_addchar(&out, *at++);
    } else {
      break;
    }
    if (anchored) break;
  }
  luaL_addlstring(&out, at, (size_t)(m.end - at));
  luaL_pushresult(&out);
  lua_pushinteger(L, count);
  return 2;
}

void td_match_open(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"find", find}, {"match", match}, {"gmatch", gmatch}, {"gsub", gsub},
    {NULL, NULL},
  };
  td_pattern_open();
  luaL_setfuncs(L, functions, 0);
}
