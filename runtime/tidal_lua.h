/* What a C host includes to open tidal in a lua_State. It links bind/ and
 * libtidal, or loads core.so, which exports the same function:
 *
 *   luaL_requiref(L, "tidal.core", luaopen_tidal_core, 0);
 *
 * The Lua modules under lua/tidal are found through package.path, unless
 * the host serves them itself, as bin/tidal-lua does.
 *
 * Thread: owner of the lua_State. */
#ifndef TD_TIDAL_LUA_H
#define TD_TIDAL_LUA_H

#include <lua.h>

#ifndef TD_API
#define TD_API __attribute__((visibility("default")))
#endif

/* Pushes the table of the module "tidal.core". May run more than once in
 * one state; raises only when memory runs out. */
TD_API int luaopen_tidal_core(lua_State *L);

#endif
