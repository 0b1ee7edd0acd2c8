/* Parcels (format/parcel.h) as lists of Lua strings, and over a socket.
 *
 * Thread: owner of the lua_State. */
#ifndef TD_HOST_CHANNEL_H
#define TD_HOST_CHANNEL_H

#include <lua.h>
#include <stdbool.h>

#include "format/parcel.h"

/* Pushes a userdata that holds the list of strings at `index` as a parcel;
 * raises for anything else and for what is too large. */
td_span td_channel_pack(lua_State *L, int index);

/* Pushes the texts of a body as a list, or nil and pushes why. */
bool td_channel_unpack(lua_State *L, const td_parcel *parcel, td_span body);

/* Reads or writes all of it; false at the end of the stream. Waits. */
bool td_channel_read_all(int fd, void *bytes, size_t size);
bool td_channel_write_all(int fd, td_span bytes);

#endif
