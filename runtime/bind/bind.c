#include "bind/bind.h"

#include <stdio.h>
#include <string.h>

#include "bind/bind_sim.h"

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

/* What stands before a complaint: "shard: ", "events[3].weight: ", "". */
static const char *place_of(lua_State *L, td_bind_at at) {
  if (at.list) {
    return lua_pushfstring(L, "%s[%I]%s%s: ", at.list, (LUAI_UACINT)at.entry,
                           at.name ? "." : "", at.name ? at.name : "");
  }
  return at.name ? lua_pushfstring(L, "%s: ", at.name) : "";
}

/* False behind a tail call, pcall and the like: Lua would say '?' then. */
static bool function_has_name(lua_State *L) {
  lua_Debug about;
  return lua_getstack(L, 0, &about) && lua_getinfo(L, "n", &about)
      && about.name && strcmp(about.name, "?") != 0;
}

void td_bind_bad(lua_State *L, td_bind_at at, const char *what) {
  luaL_checkstack(L, 8, NULL);
  const char *text = lua_pushfstring(L, "%s%s", place_of(L, at), what);
  if (at.arg && function_has_name(L)) luaL_argerror(L, at.arg, text);
  if (at.arg) luaL_error(L, "bad argument #%d (%s)", at.arg, text);
  luaL_error(L, "%s", text);
  td_panic(__FILE__, __LINE__, "luaL_error returned");
}

static const char *shown_text(lua_State *L, int index) {
  size_t size;
  const char *text = lua_tolstring(L, index, &size);
  bool plain = size <= 40;
  for (size_t i = 0; plain && i < size; i++) {
    plain = (unsigned char)text[i] >= ' ' && text[i] != 0x7f;
  }
  return plain ? lua_pushfstring(L, "\"%s\"", text)
               : lua_pushfstring(L, "a string of %I bytes",
                                 (LUAI_UACINT)size);
}

const char *td_bind_shown(lua_State *L, int index) {
  switch (lua_type(L, index)) {
  case LUA_TSTRING: return shown_text(L, index);
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
                                     td_bind_shown(L, at.index)));
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
  char what[96];
  lua_Integer value = lua_tointeger(L, at.index);
  bool integer = lua_isinteger(L, at.index);
  if (integer && value >= 0 && (uint64_t)value >= min
      && (uint64_t)value <= max) {
    return (uint64_t)value;
  }
  if (integer) {
    snprintf(what, sizeof what, "%lld is outside %llu..%llu",
             (long long)value, (unsigned long long)min,
             (unsigned long long)max);
    td_bind_bad(L, at, what);
  }
  snprintf(what, sizeof what, "an integer in %llu..%llu",
           (unsigned long long)min, (unsigned long long)max);
  td_bind_expected(L, at, what);
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

/* --- texts and tables -------------------------------------------------- */

td_span td_bind_bytes(lua_State *L, td_bind_at at, const char *expected) {
  size_t size;
  if (lua_type(L, at.index) != LUA_TSTRING) td_bind_expected(L, at, expected);
  const char *bytes = lua_tolstring(L, at.index, &size);
  return (td_span){(const uint8_t *)bytes, size};
}

const char *td_bind_path(lua_State *L, td_bind_at at) {
  td_span bytes = td_bind_bytes(L, at, "a string");
  const char *path = (const char *)bytes.data;
  if (strlen(path) == bytes.size) return path;
  td_bind_bad(L, at, "a path holds no zero byte");
}

const char *td_bind_file_name(lua_State *L, td_bind_at at) {
  const char *name = td_bind_path(L, at);
  size_t size = strlen(name);
  bool plain = size > 0 && size < TD_FILE_NAME_MAX && !strchr(name, '/')
            && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
  if (plain) return name;
  td_bind_bad(L, at, "is not the name of a file in the directory");
}

void td_bind_table(lua_State *L, td_bind_at at, const char *expected) {
  if (lua_type(L, at.index) != LUA_TTABLE) td_bind_expected(L, at, expected);
}

uint32_t td_bind_list(lua_State *L, td_bind_at at, const char *expected,
                      uint32_t most) {
  td_bind_table(L, at, expected);
  lua_Unsigned count = lua_rawlen(L, at.index);
  if (count <= most) return (uint32_t)count;
  td_bind_bad(L, at, lua_pushfstring(L, "%I entries, at most %I are possible",
                                     (LUAI_UACINT)count,
                                     (LUAI_UACINT)most));
}

bool td_bind_text_is(lua_State *L, int index, const char *text) {
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING) return false;
  const char *have = lua_tolstring(L, index, &size);
  return size == strlen(text) && memcmp(have, text, size) == 0;
}

/* Pushes "a, b, c". */
static const char *joined(lua_State *L, const char *const *words) {
  luaL_Buffer list;
  luaL_buffinit(L, &list);
  for (int i = 0; words[i]; i++) {
    if (i > 0) luaL_addstring(&list, ", ");
    luaL_addstring(&list, words[i]);
  }
  luaL_pushresult(&list);
  return lua_tostring(L, -1);
}

int td_bind_word(lua_State *L, td_bind_at at, const char *const *words) {
  for (int i = 0; words[i]; i++) {
    if (td_bind_text_is(L, at.index, words[i])) return i;
  }
  td_bind_expected(L, at, lua_pushfstring(L, "one of %s", joined(L, words)));
}

void td_bind_known_keys(lua_State *L, td_bind_at at,
                        const char *const *keys) {
  lua_pushnil(L);
  while (lua_next(L, at.index)) {
    bool known = false;
    lua_pop(L, 1);
    for (int i = 0; keys[i] && !known; i++) {
      known = td_bind_text_is(L, -1, keys[i]);
    }
    if (known) continue;
    const char *key = td_bind_shown(L, lua_gettop(L));
    td_bind_bad(L, at, lua_pushfstring(L, "unknown key %s; known are %s", key,
                                       joined(L, keys)));
  }
}

/* --- fields of a table of options -------------------------------------- */

bool td_bind_field(lua_State *L, int table, const char *name,
                   td_bind_at *at) {
  *at = (td_bind_at){.name = name};
  if (lua_getfield(L, table, name) == LUA_TNIL) {
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

td_env td_bind_env(lua_State *L) {
  td_alloc alloc;
  alloc.fn = lua_getallocf(L, &alloc.ctx);
  return td_env_posix_with(alloc);
}

const char *td_bind_place(lua_State *L, td_bind_at at, td_env *env) {
  td_bound_place *place = td_bind_test(L, at.index, &td_bind_sim_dir);
  *env = td_bind_env(L);
  if (!place) return td_bind_path(L, at);
  if (!place->on->open) td_bind_bad(L, at, "the simulated disk is closed");
  *env = td_disk_env(&place->on->disk, env->alloc);
  return place->path;
}
