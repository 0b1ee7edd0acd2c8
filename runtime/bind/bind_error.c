/* Failures as Lua values: one class of error objects for C's td_error, for
 * lists of faults, and for Lua code (core.error, core.faults). */
#include "bind/bind.h"

#include <string.h>

#define FAULTS_SHOWN 100  /* in a message; all are in its `faults` */

static const td_bind_type error_type = {"tidal.Error", NULL, NULL};

static int error_tostring(lua_State *L) {
  td_bind_table(L, td_bind_arg(1, NULL), error_type.name);
  lua_pushliteral(L, "message");
  if (lua_rawget(L, 1) == LUA_TSTRING) return 1;
  lua_pushliteral(L, "an error without a message");
  return 1;
}

static void set_class(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_type);
  lua_setmetatable(L, -2);
}

static void set_text(lua_State *L, const char *field, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void set_u64(lua_State *L, const char *field, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, field);
}

void td_bind_push_error(lua_State *L, const td_error *err) {
  char text[TD_ERROR_TEXT_MAX];
  luaL_checkstack(L, 4, NULL);
  lua_createtable(L, 0, 10);
  td_error named = *err;
  named.sys = 0;  /* its text instead of its number */
  td_error_format(&named, text, sizeof text);
  if (err->sys) {
    lua_pushfstring(L, "%s: %s", text, strerror(err->sys));
    lua_setfield(L, -2, "message");
  } else {
    set_text(L, "message", text);
  }
  set_text(L, "code", td_status_code(err->status));
  if (err->subject) set_text(L, "subject", err->subject);
  set_u64(L, "got", err->got);
  set_u64(L, "bound", err->bound);
  if (err->file[0]) set_text(L, "file", err->file);
  if (err->offset != TD_NO_OFFSET) set_u64(L, "offset", err->offset);
  if (err->index != TD_NO_INDEX) set_u64(L, "index", (uint64_t)err->index + 1);
  if (err->other != TD_NO_INDEX) set_u64(L, "other", (uint64_t)err->other + 1);
  if (err->sys) set_u64(L, "sys", (uint64_t)err->sys);
  set_class(L);
}

int td_bind_fail(lua_State *L, const td_error *err) {
  lua_pushnil(L);
  td_bind_push_error(L, err);
  return 2;
}

void td_bind_raise(lua_State *L, const td_error *err) {
  td_bind_push_error(L, err);
  luaL_where(L, 1);
  lua_getfield(L, -2, "message");
  lua_concat(L, 2);
  lua_setfield(L, -2, "message");
  lua_error(L);
  td_panic(__FILE__, __LINE__, "lua_error returned");
}

void td_bind_faults_begin(lua_State *L) {
  luaL_checkstack(L, 8, NULL);
  lua_newtable(L);
}

void td_bind_fault(void *ctx, const td_error *fault) {
  lua_State *L = ctx;
  td_bind_push_error(L, fault);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

void td_bind_faults_raise(lua_State *L, const char *what) {
  int list = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  luaL_Buffer text;
  lua_createtable(L, 0, 3);
  lua_rawgeti(L, list, 1);
  lua_getfield(L, -1, "code");
  lua_setfield(L, -3, "code");
  lua_pop(L, 1);
  lua_pushvalue(L, list);
  lua_setfield(L, -2, "faults");
  luaL_buffinit(L, &text);
  luaL_where(L, 1);
  luaL_addvalue(&text);
  lua_pushfstring(L, "%s: %I fault%s", what, (LUAI_UACINT)count,
                  count == 1 ? "" : "s");
  luaL_addvalue(&text);
  for (lua_Integer i = 1; i <= count && i <= FAULTS_SHOWN; i++) {
    luaL_addstring(&text, "\n  ");
    lua_rawgeti(L, list, i);
    lua_getfield(L, -1, "message");
    lua_remove(L, -2);
    luaL_addvalue(&text);
  }
  if (count > FAULTS_SHOWN) {
    lua_pushfstring(L, "\n  ... and %I more",
                    (LUAI_UACINT)(count - FAULTS_SHOWN));
    luaL_addvalue(&text);
  }
  luaL_pushresult(&text);
  lua_setfield(L, -2, "message");
  set_class(L);
  lua_error(L);
  td_panic(__FILE__, __LINE__, "lua_error returned");
}

static bool has_class(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_type);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/* core.error{ code=, message=, ... } -> the same table as an error object */
static int new_error(lua_State *L) {
  td_bind_at at = td_bind_arg(1, NULL);
  td_bind_table(L, at, "a table { code =, message = }");
  if (lua_getmetatable(L, 1) && !has_class(L, 1)) {
    td_bind_bad(L, at, "the table has a metatable already");
  }
  lua_settop(L, 1);
  set_class(L);
  return 1;
}

/* core.is_error(value) -> boolean */
static int is_error(lua_State *L) {
  lua_pushboolean(L, lua_type(L, 1) == LUA_TTABLE && has_class(L, 1));
  return 1;
}

void td_bind_open_errors(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"error", new_error}, {"is_error", is_error}, {NULL, NULL},
  };
  td_bind_type_new(L, &error_type);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_type);
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}
