/* Lua's patterns for scripts that are not trusted. */
#ifndef TD_HOST_MATCH_H
#define TD_HOST_MATCH_H

#include <lua.h>

/* Sets its functions into the table on top. */
void td_match_open(lua_State *L);

#endif
