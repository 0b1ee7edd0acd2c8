/* The module "tidal.host": what Lua code inside this executable may ask of
 * the system. Only the host has it, so `package.loaded["tidal.host"]` also
 * tells where one runs.
 *
 *   isatty(fd) -> boolean   is that descriptor (0, 1, 2) a terminal?
 *   clock() -> seconds      monotonic, for rates and progress
 *   path                    of the executable, nil where it is unknown
 *   child, read_below       host/child.h, host/below.h
 *
 * Thread: owner of the lua_State. */
#ifndef TD_HOST_SYSTEM_H
#define TD_HOST_SYSTEM_H

#include <lua.h>

int td_host_open(lua_State *L);

#endif
