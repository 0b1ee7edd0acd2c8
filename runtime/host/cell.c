#define _POSIX_C_SOURCE 200809L  /* _exit */

#include "host/cell.h"

#include <lauxlib.h>
#include <lualib.h>
#include <unistd.h>

#include "host/budget.h"
#include "host/channel.h"
#include "host/fence.h"
#include "host/loader.h"
#include "host/match.h"
#include "tidal_lua.h"

#define SOCKET 0
#define SLACK ((size_t)64 << 20)  /* address space beside the budget */
#define EXIT_NO_MEMORY 70

static int receive(lua_State *L) {
  uint8_t header[TD_PARCEL_HEADER_BYTES];
  td_parcel parcel;
  if (!td_channel_read_all(SOCKET, header, sizeof header)) _exit(0);
  if (td_parcel_head(header, &parcel, NULL) != TD_OK) _exit(1);
  uint8_t *body = lua_newuserdatauv(L, parcel.size, 0);
  if (!td_channel_read_all(SOCKET, body, parcel.size)) _exit(0);
  if (!td_channel_unpack(L, &parcel, (td_span){body, parcel.size})) _exit(1);
  return 1;
}

static int send(lua_State *L) {
  if (!td_channel_write_all(SOCKET, td_channel_pack(L, 1))) _exit(0);
  return 0;
}

/* call(budget, handler, f, ...) */
static int call(lua_State *L) {
  const char *why;
  lua_Integer left = luaL_checkinteger(L, 1);
  int status = td_budget_call(L, lua_gettop(L) - 3, 2, left, &why);
  lua_pushstring(L, why ? "spent" : status == LUA_OK ? "ok" : "raised");
  lua_replace(L, 1);
  if (why) {
    lua_settop(L, 1);
    lua_pushstring(L, why);
    return 2;
  }
  if (status == LUA_OK) lua_pushnil(L);
  else lua_pushvalue(L, -1);
  lua_replace(L, 2);
  return status == LUA_OK ? lua_gettop(L) : 2;
}

static int charge(lua_State *L) {
  td_budget_charge(L, luaL_checkinteger(L, 1));
  return 0;
}

static int left(lua_State *L) {
  int64_t rest = td_budget_of(L)->left;
  lua_pushinteger(L, rest > 0 ? rest : 0);
  return 1;
}

/* aside(f, ...) */
static int aside(lua_State *L) {
  td_budget *budget = td_budget_of(L);
  bool counting = budget->counting;
  budget->counting = false;
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  budget->counting = counting;
  return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

static int enter(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  td_budget_of(L)->running = co;
  return 0;
}

static int open_cell(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"receive", receive}, {"send", send}, {"call", call},
    {"charge", charge}, {"left", left}, {"aside", aside}, {"enter", enter},
    {NULL, NULL},
  };
  luaL_newlib(L, functions);
  lua_pushinteger(L, (lua_Integer)td_budget_of(L)->cap);
  lua_setfield(L, -2, "memory");
  td_match_open(L);
  return 1;
}

static int enter_state(lua_State *L) {
  const td_cell *cell = lua_touserdata(L, 1);
  static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base}, {LUA_COLIBNAME, luaopen_coroutine},
    {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
    {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8},
    {LUA_DBLIBNAME, luaopen_debug}, {NULL, NULL},
  };
  for (const luaL_Reg *library = libraries; library->name; library++) {
    luaL_requiref(L, library->name, library->func, 1);
  }
  /* Nothing that is loaded now is garbage. */
  lua_gc(L, LUA_GCGEN, 0, 0);
  lua_gc(L, LUA_GCSTOP);
  luaL_requiref(L, "tidal.core", luaopen_tidal_core, 0);
  luaL_requiref(L, "tidal.cell", open_cell, 0);
  luaL_requiref(L, "lpeg", cell->open_lpeg, 0);
  lua_settop(L, 0);
  td_loader_install_embedded(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "tidal.hermetic.cell");
  lua_call(L, 1, 1);
  lua_gc(L, LUA_GCRESTART);
  lua_getfield(L, -1, "main");
  lua_call(L, 0, 0);
  return 0;
}

/* The last words of a cell that is broken itself. */
static void tell(lua_State *L) {
  lua_createtable(L, 2, 0);
  lua_pushliteral(L, "broken");
  lua_rawseti(L, -2, 1);
  luaL_tolstring(L, -2, NULL);
  lua_rawseti(L, -2, 2);
  td_channel_write_all(SOCKET, td_channel_pack(L, -1));
}

static int die(lua_State *L) {
  (void)L;
  _exit(EXIT_NO_MEMORY);
}

void td_cell_run(const td_cell *cell) {
  static td_budget budget;
  budget.cap = cell->memory;
  td_fence_close(cell->socket, cell->memory + SLACK, cell->filter);
  lua_State *L = lua_newstate(td_budget_alloc, &budget);
  if (L == NULL) _exit(EXIT_NO_MEMORY);
  lua_atpanic(L, die);
  lua_pushcfunction(L, enter_state);
  lua_pushlightuserdata(L, (void *)(uintptr_t)cell);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) tell(L);
  _exit(0);
}
