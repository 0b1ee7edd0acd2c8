#define _POSIX_C_SOURCE 200809L  /* stat */

#include "host/cli.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/call.h"

#define MODULE "tidal.cli"
#define STATUS_MAX 255  /* of a process */

static void push_module(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, MODULE);
  lua_call(L, 1, 1);
}

/* verb -> whether cli.verbs has it; called through lua_pcall. */
static int is_listed(lua_State *L) {
  push_module(L);
  bool listed = lua_getfield(L, -1, "verbs") == LUA_TTABLE;
  if (listed) {
    lua_pushvalue(L, 1);
    listed = lua_gettable(L, -2) != LUA_TNIL;
  }
  lua_pushboolean(L, listed);
  return 1;
}

/* False also when the module cannot be had: then a file of that name is
 * still a script. */
static bool is_verb(lua_State *L, const char *name) {
  lua_pushcfunction(L, is_listed);
  lua_pushstring(L, name);
  bool listed = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_toboolean(L, -1);
  lua_pop(L, 1);
  return listed;
}

static bool is_word(const char *name) {
  static const char suffix[] = ".lua";
  size_t size = strlen(name), length = sizeof suffix - 1;
  if (size == 0 || strchr(name, '/') != NULL) return false;
  return size < length || strcmp(name + size - length, suffix) != 0;
}

td_cli_kind td_cli_kind_of(lua_State *L, const char *name) {
  struct stat file;
  bool exists = stat(name, &file) == 0;
  bool directory = exists && S_ISDIR(file.st_mode);
  if (is_word(name) && (!exists || is_verb(L, name))) return TD_CLI_VERB;
  return directory ? TD_CLI_DIRECTORY : TD_CLI_SCRIPT;
}

/* The exit status on top, which `what` answered. */
static int check_status(lua_State *L, const char *what) {
  int exact = 0;
  lua_Integer status = lua_tointegerx(L, -1, &exact);
  if (!exact || status < 0 || status > STATUS_MAX) {
    return luaL_error(L, MODULE ".%s answered %s, which is not 0..%d", what,
                      luaL_tolstring(L, -1, NULL), STATUS_MAX);
  }
  return (int)status;
}

/* Calls a function of this file with nargs arguments; what it answers is
 * the exit status, an error is reported and is a failure. */
static int call_status(lua_State *L, int nargs) {
  if (td_call_protected(L, nargs, 1) != LUA_OK) {
    td_call_report(L, TD_PROGRAM);
    return EXIT_FAILURE;
  }
  int status = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return status;
}

/* verb, list -> status */
static int run(lua_State *L) {
  const char **args = lua_touserdata(L, 2);
  push_module(L);
  lua_getfield(L, -1, "main");
  lua_pushvalue(L, 1);
  lua_newtable(L);
  for (int i = 0; args[i] != NULL; i++) {
    lua_pushstring(L, args[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_call(L, 2, 1);
  lua_pushinteger(L, check_status(L, "main"));
  return 1;
}

int td_cli_run(lua_State *L, const char *verb, char **args) {
  lua_pushcfunction(L, run);
  lua_pushstring(L, verb);
  lua_pushlightuserdata(L, args);
  return call_status(L, 2);
}

/* True when the script has used tidal, so that it may return a layout. */
static bool uses_tidal(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  bool uses = lua_getfield(L, -1, "tidal") != LUA_TNIL ||
              lua_getfield(L, -2, "tidal.core") != LUA_TNIL;
  lua_settop(L, 2);
  return uses;
}

/* value, script -> status, or nothing for 0 */
static int show(lua_State *L) {
  bool matters = uses_tidal(L);  /* asked first: the module uses it too */
  lua_getglobal(L, "require");
  lua_pushliteral(L, MODULE);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    return matters ? lua_error(L) : 0;
  }
  if (lua_getfield(L, 3, "show") == LUA_TNIL) return 0;
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 2);
  if (lua_isnil(L, -1)) return 0;
  lua_pushinteger(L, check_status(L, "show"));
  return 1;
}

int td_cli_show(lua_State *L, const char *script) {
  if (!lua_istable(L, -1) && !lua_isuserdata(L, -1)) {
    lua_pop(L, 1);
    return EXIT_SUCCESS;
  }
  lua_pushcfunction(L, show);
  lua_insert(L, -2);
  lua_pushstring(L, script);
  return call_status(L, 2);
}

/* The verb that follows `last` (NULL = the first one) in the alphabet, or
 * NULL. The string belongs to the table at `verbs`. */
static const char *next_verb(lua_State *L, int verbs, const char *last) {
  const char *next = NULL;
  for (lua_pushnil(L); lua_next(L, verbs); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    const char *verb = lua_tostring(L, -2);
    if (last != NULL && strcmp(verb, last) <= 0) continue;
    if (next == NULL || strcmp(verb, next) < 0) next = verb;
  }
  return next;
}

static int print_verbs(lua_State *L) {
  push_module(L);
  lua_getfield(L, -1, "verbs");
  int verbs = lua_gettop(L);
  luaL_checktype(L, verbs, LUA_TTABLE);
  for (const char *verb = next_verb(L, verbs, NULL); verb != NULL;
       verb = next_verb(L, verbs, verb)) {
    lua_getfield(L, verbs, verb);
    printf("  %-10s %s\n", verb, luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
  }
  return 0;
}

int td_cli_print_verbs(lua_State *L) {
  puts("verbs:");
  lua_pushcfunction(L, print_verbs);
  int status = lua_pcall(L, 0, 0, 0);
  if (status != LUA_OK) td_call_report(L, TD_PROGRAM);
  puts("");
  return status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
