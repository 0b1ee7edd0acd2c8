#include "bind/bind.h"

#include <stdio.h>
#include <string.h>

/* --- types ------------------------------------------------------------- */

void td_bind_functions(lua_State *L, const luaL_Reg *functions,
                       const td_bind_type *type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, type);
  luaL_setfuncs(L, functions, 1);
}

void td_bind_type_new(lua_State *L, const td_bind_type *type) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, type) == LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, type);
  lua_pushstring(L, type->name);
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "locked");
  lua_setfield(L, -2, "__metatable");
  if (type->methods) {
    lua_newtable(L);
    td_bind_functions(L, type->methods, type);
    lua_setfield(L, -2, "__index");
  }
  if (type->metas) td_bind_functions(L, type->metas, type);
  lua_pop(L, 1);
}

void *td_bind_new(lua_State *L, const td_bind_type *type, size_t size,
                  int values) {
  void *block = lua_newuserdatauv(L, size, values);
  memset(block, 0, size);
  lua_rawgetp(L, LUA_REGISTRYINDEX, type);
  lua_setmetatable(L, -2);
  return block;
}

void *td_bind_self(lua_State *L, const td_bind_type *type) {
  void *self = lua_touserdata(L, 1);
  if (self && lua_getmetatable(L, 1)) {
    bool same = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
    if (same) return self;
  }
  td_bind_expected(L, td_bind_arg(1, NULL), type->name);
}

void *td_bind_test(lua_State *L, int index, const td_bind_type *type) {
  void *block = lua_touserdata(L, index);
  if (!block || !lua_getmetatable(L, index)) return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, type);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? block : NULL;
}

void *td_bind_check(lua_State *L, int arg, const td_bind_type *type) {
  void *block = td_bind_test(L, arg, type);
  if (block) return block;
  td_bind_expected(L, td_bind_arg(arg, NULL), type->name);
}

void td_bind_subtable(lua_State *L, const char *name) {
  if (lua_getfield(L, -1, name) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, name);
}

/* --- complaints -------------------------------------------------------- */

void td_bind_bad(lua_State *L, td_bind_at at, const char *what) {
  const char *text = what;
  if (at.name) {
    text = lua_pushfstring(L, "%s: %s", at.name, what);
  }
  if (at.arg) luaL_argerror(L, at.arg, text);
  luaL_error(L, "%s", text);
  td_panic(__FILE__, __LINE__, "luaL_error returned");
}

/* How a value that does not fit is shown. */
static const char *shown(lua_State *L, int index) {
  switch (lua_type(L, index)) {
  case LUA_TSTRING: {
    size_t size;
    const char *text = lua_tolstring(L, index, &size);
    if (size > 40 || strlen(text) != size) return "a string";
    return lua_pushfstring(L, "\"%s\"", text);
  }
  case LUA_TNUMBER: {
    char digits[64];
    if (lua_isinteger(L, index)) {
      return lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tointeger(L, index));
    }
    snprintf(digits, sizeof digits, "the float %.17g",
             lua_tonumber(L, index));
    return lua_pushstring(L, digits);
  }
  case LUA_TBOOLEAN: return lua_toboolean(L, index) ? "true" : "false";
  case LUA_TUSERDATA:
    return luaL_getmetafield(L, index, "__name") == LUA_TSTRING
         ? lua_tostring(L, -1) : "a userdata";
  case LUA_TNONE: return "nothing";
  default: return luaL_typename(L, index);
  }
}

void td_bind_expected(lua_State *L, td_bind_at at, const char *expected) {
  luaL_checkstack(L, 8, NULL);
  td_bind_bad(L, at, lua_pushfstring(L, "%s expected, got %s", expected,
                                     shown(L, at.index)));
}

/* --- numbers and ids --------------------------------------------------- */

uint64_t td_bind_u64(lua_State *L, td_bind_at at) {
  if (lua_isinteger(L, at.index)) {
    return (uint64_t)lua_tointeger(L, at.index);
  }
  if (lua_type(L, at.index) == LUA_TSTRING) {
    size_t size;
    td_entity_id id;
    const char *text = lua_tolstring(L, at.index, &size);
    if (td_entity_id_parse(text, size, &id, NULL) == TD_OK) return id.value;
  }
  td_bind_expected(L, at,
                   "an integer, \"0x\" and 1-16 hex digits, or decimal text "
                   "up to \"18446744073709551615\"");
}

uint64_t td_bind_uint(lua_State *L, td_bind_at at, uint64_t min,
                      uint64_t max) {
  if (!lua_isinteger(L, at.index)) td_bind_expected(L, at, "an integer");
  lua_Integer value = lua_tointeger(L, at.index);
  if (value >= 0 && (uint64_t)value >= min && (uint64_t)value <= max) {
    return (uint64_t)value;
  }
  char what[96];
  snprintf(what, sizeof what, "%lld is outside %llu..%llu", (long long)value,
           (unsigned long long)min, (unsigned long long)max);
  td_bind_bad(L, at, what);
}

td_shard_id td_bind_shard_id(lua_State *L, td_bind_at at) {
  td_shard_id id;
  if (lua_isinteger(L, at.index)) {
    return (td_shard_id){(uint16_t)td_bind_uint(L, at, 0, UINT16_MAX)};
  }
  const td_shard_id *object = td_bind_test(L, at.index, &td_bind_shard);
  if (object) return *object;
  if (lua_type(L, at.index) == LUA_TSTRING) {
    size_t size;
    const char *text = lua_tolstring(L, at.index, &size);
    if (td_shard_id_parse(text, size, &id, NULL) == TD_OK) return id;
  }
  td_bind_expected(L, at, "a shard (tidal.shard(3), 3 or \"s3\")");
}

td_region_id td_bind_region_id(lua_State *L, td_bind_at at) {
  td_region_id id;
  if (lua_isinteger(L, at.index)) {
    return (td_region_id){(uint16_t)td_bind_uint(L, at, 0, UINT16_MAX)};
  }
  const td_region_id *object = td_bind_test(L, at.index, &td_bind_region);
  if (object) return *object;
  if (lua_type(L, at.index) == LUA_TSTRING) {
    size_t size;
    const char *text = lua_tolstring(L, at.index, &size);
    if (td_region_id_parse(text, size, &id, NULL) == TD_OK) return id;
  }
  td_bind_expected(L, at, "a region (tidal.region(2), 2 or \"r2\")");
}

td_log_id td_bind_log_id(lua_State *L, td_bind_at at) {
  td_log_id id;
  const td_log_id *object = td_bind_test(L, at.index, &td_bind_log);
  if (object) return *object;
  if (lua_type(L, at.index) == LUA_TSTRING) {
    size_t size;
    const char *text = lua_tolstring(L, at.index, &size);
    if (td_log_id_parse(text, size, &id, NULL) == TD_OK) return id;
  }
  td_bind_expected(L, at, "a log (tidal.log(0, 3) or \"r0:s3\")");
}

/* --- fields of a table of options -------------------------------------- */

bool td_bind_field(lua_State *L, int table, const char *name,
                   td_bind_at *at) {
  *at = (td_bind_at){0, 0, name};
  lua_pushstring(L, name);
  if (lua_rawget(L, table) == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  at->index = lua_gettop(L);
  return true;
}

uint64_t td_bind_field_u64(lua_State *L, int table, const char *name,
                           uint64_t fallback) {
  td_bind_at at;
  if (!td_bind_field(L, table, name, &at)) return fallback;
  uint64_t value = td_bind_u64(L, at);
  lua_pop(L, 1);
  return value;
}

uint64_t td_bind_field_uint(lua_State *L, int table, const char *name,
                            uint64_t fallback, uint64_t min, uint64_t max) {
  td_bind_at at;
  if (!td_bind_field(L, table, name, &at)) return fallback;
  uint64_t value = td_bind_uint(L, at, min, max);
  lua_pop(L, 1);
  return value;
}

bool td_bind_field_bool(lua_State *L, int table, const char *name,
                        bool fallback) {
  td_bind_at at;
  if (!td_bind_field(L, table, name, &at)) return fallback;
  if (!lua_isboolean(L, at.index)) td_bind_expected(L, at, "a boolean");
  bool value = lua_toboolean(L, at.index);
  lua_pop(L, 1);
  return value;
}

void td_bind_known_keys(lua_State *L, int table, const char *const *keys) {
  lua_pushnil(L);
  while (lua_next(L, table)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING
                    ? lua_tostring(L, -2) : NULL;
    bool known = false;
    for (int i = 0; keys[i] && key && !known; i++) {
      known = strcmp(keys[i], key) == 0;
    }
    if (!known) {
      lua_pop(L, 1);
      luaL_error(L, "unknown key %s", shown(L, lua_gettop(L)));
    }
    lua_pop(L, 1);
  }
}
