/* find, match, gmatch and gsub of the string library over host/pattern.h,
 * for scripts that are not trusted: what they cost is charged.
 *
 * Thread: owner of the lua_State, which was made with td_budget_alloc. */
#ifndef TD_HOST_MATCH_H
#define TD_HOST_MATCH_H

#include <lua.h>

/* Sets the functions into the table on top. */
void td_match_open(lua_State *L);

#endif
