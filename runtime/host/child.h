/* The parent's end of a cell (host/cell.h), for Lua:
 *
 *   host.child{ lpeg = opener, memory = bytes, filter = boolean,
 *               seconds = of processor time for one answer } -> child
 *   host.fenced                    false in builds with sanitizers
 *   child:ask(list of strings) -> list of strings | nil, why
 *   child:tell(list of strings) -> true | nil, why
 *   child:hear() -> list of strings | nil, why
 *   child:close()                  also __gc and __close; ends the process
 *   child:pid() -> integer, nil once it is closed
 *
 * ask() sends one parcel and waits for one: tell(), then hear(), between
 * which both processes work. A child that dies, stays silent or answers with
 * anything but a parcel is ended, and why says how.
 *
 * Thread: owner of the lua_State. */
#ifndef TD_HOST_CHILD_H
#define TD_HOST_CHILD_H

#include <lua.h>

/* Sets the function `child` into the table on top. */
void td_child_open(lua_State *L);

#endif
