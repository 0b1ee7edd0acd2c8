#define _POSIX_C_SOURCE 200809L

#include "host/system.h"

#include <lauxlib.h>
#include <time.h>
#include <unistd.h>

#include "host/below.h"
#include "host/child.h"

static int is_terminal(lua_State *L) {
  lua_Integer fd = luaL_checkinteger(L, 1);
  luaL_argcheck(L, fd >= 0 && fd <= 2, 1, "0, 1 or 2 expected");
  lua_pushboolean(L, isatty((int)fd));
  return 1;
}

static int monotonic(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

/* host.sleep(seconds): at most one second, and less when a signal comes. */
static int sleep_for(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  if (!(seconds > 0)) return 0;
  if (seconds > 1) seconds = 1;
  struct timespec span = {.tv_sec = (time_t)seconds};
  span.tv_nsec = (long)((seconds - (lua_Number)span.tv_sec) * 1e9);
  nanosleep(&span, NULL);
  return 0;
}

int td_host_open(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"isatty", is_terminal}, {"clock", monotonic},
    {"sleep", sleep_for}, {NULL, NULL},
  };
  char path[4096];
  luaL_newlib(L, functions);
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size > 0 && (size_t)size < sizeof path) {
    lua_pushlstring(L, path, (size_t)size);
    lua_setfield(L, -2, "path");
  }
  td_child_open(L);
  td_below_open(L);
  return 1;
}
