/* tidal.rows: a long list of records as text, each in the same form. Plans
 * have such lists, one record a shard or a move: written in Lua they would
 * take longer than all else that a plan needs. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "bind/bind.h"

#define FIELDS_MAX 8
#define ROW_BYTES_MAX 512
#define FLOAT_BYTES_MAX 32

/* The fields of a row: their names lie on the stack from `names` on. */
typedef struct row_form {
  uint32_t count;
  int names;
  td_span before[FIELDS_MAX];  /* the text in front of each */
  char kinds[FIELDS_MAX];      /* how it is written: d x g s */
  td_span behind;
} row_form;

static _Noreturn void refuse_form(lua_State *L, const char *why) {
  luaL_argerror(L, 2, why);
  td_panic(__FILE__, __LINE__, "luaL_argerror returned");
}

static bool is_kind(char c) {
  return c == 'd' || c == 'x' || c == 'g' || c == 's';
}

/* "%d(source)": pushes the name; returns what is behind it. */
static const char *take_field(lua_State *L, row_form *form, const char *at,
                              const char *end) {
  if (end - at < 3 || !is_kind(at[1]) || at[2] != '(') {
    refuse_form(L, "%d(name), %x(name), %g(name) or %s(name) expected");
  }
  const char *close = memchr(at, ')', (size_t)(end - at));
  if (close == NULL) refuse_form(L, "a field has no ')'");
  if (form->count == FIELDS_MAX) refuse_form(L, "at most 8 fields expected");
  form->kinds[form->count++] = at[1];
  lua_pushlstring(L, at + 3, (size_t)(close - at - 3));
  return close + 1;
}

static row_form read_form(lua_State *L, td_span text) {
  row_form form = {.names = lua_gettop(L) + 1};
  const char *at = (const char *)text.data, *end = at + text.size;
  const char *from = at;
  luaL_checkstack(L, FIELDS_MAX + LUA_MINSTACK, NULL);
  while ((at = memchr(from, '%', (size_t)(end - from))) != NULL) {
    td_span before = {(const uint8_t *)from, (size_t)(at - from)};
    from = take_field(L, &form, at, end);
    form.before[form.count - 1] = before;
  }
  form.behind = (td_span){(const uint8_t *)from, (size_t)(end - from)};
  return form;
}

static void put_span(td_text *text, td_span span) {
  td_text_bytes(text, (const char *)span.data, span.size);
}

/* With a point, whatever the locale writes for it. */
static void put_float(td_text *text, double value) {
  char out[FLOAT_BYTES_MAX];
  snprintf(out, sizeof out, "%.17g", value);
  size_t whole = strspn(out, "-0123456789einfa");
  td_text_bytes(text, out, whole);
  if (out[whole] == '\0') return;
  td_text_char(text, '.');
  td_text_string(text, out + whole + strcspn(out + whole, "0123456789"));
}

/* The value at the stack's top, which is a field of entry i. */
static void put_value(lua_State *L, td_text *text, char kind, lua_Integer i,
                      const char *name) {
  td_bind_at at = td_bind_entry(L, "list", i, name);
  switch (kind) {
    case 'd': td_text_decimal(text, td_bind_uint(L, at, 0, INT64_MAX)); return;
    case 'x': td_text_hex(text, td_bind_u64(L, at), TD_U64_HEX_MAX); return;
    case 's': put_span(text, td_bind_bytes(L, at, "a string")); return;
    default: break;
  }
  if (lua_type(L, -1) != LUA_TNUMBER) td_bind_expected(L, at, "a number");
  put_float(text, lua_tonumber(L, -1));
}

/* The record at the stack's top. */
static void put_row(lua_State *L, const row_form *form, td_text *text,
                    lua_Integer i) {
  td_bind_table(L, td_bind_entry(L, "list", i, NULL), "a table");
  for (uint32_t n = 0; n < form->count; n++) {
    int name = form->names + (int)n;
    put_span(text, form->before[n]);
    lua_pushvalue(L, name);
    lua_gettable(L, -2);
    put_value(L, text, form->kinds[n], i, lua_tostring(L, name));
    lua_pop(L, 1);
  }
  put_span(text, form->behind);
}

static lua_Integer place_arg(lua_State *L, int arg, const char *name,
                             lua_Integer otherwise) {
  if (lua_isnoneornil(L, arg)) return otherwise;
  return (lua_Integer)td_bind_uint(L, td_bind_arg(arg, name), 0, UINT32_MAX);
}

/* tidal.rows(list, form [, first [, last]]) -> its records first..last (all),
 * those that are there, each written by the form, with commas between
 *   %d(name) the field as a decimal number, %x(name) a u64 as 16 hex digits,
 *   %g(name) a number as %.17g, %s(name) a string as it is
 * Views of tables will do. */
static int rows(lua_State *L) {
  char bytes[ROW_BYTES_MAX];
  td_bind_table(L, td_bind_arg(1, "list"), "a list");
  td_span text = td_bind_bytes(L, td_bind_arg(2, "form"), "a string");
  lua_Integer count = luaL_len(L, 1);
  lua_Integer first = place_arg(L, 3, "first", 1);
  lua_Integer last = place_arg(L, 4, "last", count);
  if (first < 1) first = 1;
  if (last > count) last = count;
  row_form form = read_form(L, text);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (lua_Integer i = first; i <= last; i++) {
    td_text row = td_text_init(bytes, sizeof bytes);
    lua_geti(L, 1, i);
    put_row(L, &form, &row, i);
    lua_pop(L, 1);
    if (row.size >= sizeof bytes) {
      return luaL_error(L, "list[%I] has more than %d bytes", (LUAI_UACINT)i,
                        ROW_BYTES_MAX - 1);
    }
    if (i > first) luaL_addchar(&out, ',');
    luaL_addlstring(&out, bytes, row.size);
  }
  luaL_pushresult(&out);
  return 1;
}

void td_bind_open_rows(lua_State *L) {
  lua_pushcfunction(L, rows);
  lua_setfield(L, -2, "rows");
}
