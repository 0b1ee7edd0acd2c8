/* How scripts get at tidal: from the executable itself.
 *
 * - "tidal.core" and "tidal.host" are preloaded, so no search path can
 *   replace them.
 * - A searcher right after the preload one serves the embedded modules; their
 *   chunks are named as the files they came from, "@lua/tidal/check.lua".
 * - The global `tidal` is required when it is first read: a script that does
 *   not use it pays nothing and finds _G with the keys lua5.4 gives it. A
 *   script that gives _G another metatable takes this away and has require.
 *
 * Thread: owner of the lua_State. */
#ifndef TD_HOST_LOADER_H
#define TD_HOST_LOADER_H

#include <lua.h>

/* Needs the standard libraries open; raises when memory runs out. */
void td_loader_install(lua_State *L);

/* Sets the global `require` for a state without the package library: it
 * serves what is loaded and the embedded modules, whose chunks are named
 * "=tidal.check", so that no file can pass for one. */
void td_loader_install_embedded(lua_State *L);

#endif
