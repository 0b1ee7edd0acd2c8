#include "host/loader.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "host/embedded.h"
#include "host/system.h"
#include "tidal_lua.h"

#define ROOT "tidal"

static const td_embedded *find(const char *name) {
  for (size_t i = 0; i < td_embedded_count; i++) {
    const td_embedded *module = &td_embedded_modules[i];
    if (strcmp(module->name, name) == 0) return module;
  }
  return NULL;
}

/* True when other modules live below this one: its file is an init.lua. */
static bool has_children(const char *name) {
  size_t size = strlen(name);
  for (size_t i = 0; i < td_embedded_count; i++) {
    const char *other = td_embedded_modules[i].name;
    if (strncmp(other, name, size) == 0 && other[size] == '.') return true;
  }
  return false;
}

/* Pushes "lua/tidal/check.lua" for "tidal.check". */
static const char *push_path(lua_State *L, const char *name) {
  bool directory = strcmp(name, ROOT) == 0 || has_children(name);
  const char *slashed = luaL_gsub(L, name, ".", "/");
  const char *path = lua_pushfstring(L, "lua/%s%s.lua", slashed,
                                     directory ? "/init" : "");
  lua_remove(L, -2);
  return path;
}

/* Pushes the module's chunk, or what is wrong with it. They are ours: only
 * here may a chunk be compiled code. Scripts are "@FILE", these "=FILE". */
static int load_chunk(lua_State *L, const td_embedded *module,
                      const char *path) {
  const char *chunk = lua_pushfstring(L, "=%s", path);
  int status = luaL_loadbufferx(L, module->bytes, module->size, chunk, "bt");
  lua_remove(L, -2);
  return status;
}

/* Package searcher: name -> loader, path. Silent about foreign names, so
 * that their "module not found" reads as it does under lua5.4. */
static int search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const td_embedded *module = find(name);
  if (module == NULL) {
    size_t root = strlen(ROOT);
    bool ours = strncmp(name, ROOT, root) == 0 &&
                (name[root] == '\0' || name[root] == '.');
    if (!ours) return 0;
    lua_pushfstring(L, "no embedded module '%s'", name);
    return 1;
  }
  const char *path = push_path(L, name);
  if (load_chunk(L, module, path) != LUA_OK) {
    return luaL_error(L, "error loading module '%s':\n\t%s", name,
                      lua_tostring(L, -1));
  }
  lua_pushvalue(L, -2);  /* stack: name path loader path */
  return 2;
}

/* package.searchers: the second place, the others move up by one. */
static void install_searcher(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {
    lua_geti(L, -1, i);
    lua_seti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search);
  lua_seti(L, -2, 2);
  lua_pop(L, 2);
}

static void preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_tidal_core);
  lua_setfield(L, -2, "tidal.core");
  lua_pushcfunction(L, td_host_open);
  lua_setfield(L, -2, "tidal.host");
  lua_pop(L, 1);
}

/* __index of _G; upvalue 1 is require. The field stays after the first use:
 * busted takes new globals away between files and must find it again. */
static int index_global(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING ||
      strcmp(lua_tostring(L, 2), ROOT) != 0) {
    return 0;
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

static void install_global(lua_State *L) {
  lua_pushglobaltable(L);
  lua_createtable(L, 0, 1);
  lua_getglobal(L, "require");
  lua_pushcclosure(L, index_global, 1);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

void td_loader_install(lua_State *L) {
  preload(L);
  install_searcher(L);
  install_global(L);
}

/* require(name) -> module */
static int require_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, 2, name) != LUA_TNIL) return 1;
  const td_embedded *module = find(name);
  if (module == NULL) return luaL_error(L, "no embedded module '%s'", name);
  if (load_chunk(L, module, push_path(L, name)) != LUA_OK) {
    return lua_error(L);
  }
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, name);
  return 1;
}

void td_loader_install_embedded(lua_State *L) {
  lua_pushcfunction(L, require_embedded);
  lua_setglobal(L, "require");
}
