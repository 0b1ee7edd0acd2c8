/* Files below a folder, for the host to read on behalf of a layout:
 *
 *   host.read_below(folder, name, most) -> text | nil, why
 *
 * The file that was opened, not its name, must lie below the folder, so a
 * link that leads out is refused; it must be a regular file of at most
 * `most` bytes. why is "absent", "outside", "too large" or the system's.
 *
 * Thread: any. */
#ifndef TD_HOST_BELOW_H
#define TD_HOST_BELOW_H

#include <lua.h>

/* Sets the function `read_below` into the table on top. */
void td_below_open(lua_State *L);

#endif
