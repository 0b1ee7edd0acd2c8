#include "host/match.h"

#include <lauxlib.h>

/* For now the library's own. */
void td_match_open(lua_State *L) {
  static const char *const names[] = {"find", "match", "gmatch", "gsub", NULL};
  lua_getglobal(L, "string");
  for (int i = 0; names[i]; i++) {
    lua_getfield(L, -1, names[i]);
    lua_setfield(L, -3, names[i]);
  }
  lua_pop(L, 1);
}
