/* Events that wait in a Lua value: a list that grows, and how an event comes
 * from a script. What builders and writers share.
 *
 * The events lie in a block of their own, which is a user value of their
 * owner: the collector knows its size and frees it. */
#ifndef TD_BIND_EVENTS_H
#define TD_BIND_EVENTS_H

#include <float.h>
#include <math.h>

#include "bind/bind.h"

typedef struct td_bind_events {
  td_record *records;
  uint32_t count;
  uint32_t room;
} td_bind_events;

/* Room for `more` events behind those that are there; raises when a batch
 * cannot hold them, or for want of memory, and changes nothing then. The
 * block becomes user value `slot` of the owner at stack index `owner`. */
void td_bind_events_reserve(lua_State *L, td_bind_events *events, int owner,
                            int slot, uint32_t more);

/* The event at arguments arg..arg+3; raises for what is none. */
td_record td_bind_check_event(lua_State *L, int arg);

/* Entry i of a list `events`, on top of the stack: a table { entity =,
 * signal_type =, weight =, timestamp_ns = }. */
td_record td_bind_entry_event(lua_State *L, lua_Integer i);

/* The builder's events at argument `arg`; raises for another value. */
td_bind_events *td_bind_check_builder(lua_State *L, int arg);

/* Adds to the builder at argument `arg`: room for `more` events. */
void td_bind_builder_reserve(lua_State *L, int arg, uint32_t more);

/* The arguments as they are when everything fits; false when one is not of
 * the plain type, or out of range: then the slow way names it. */
static inline bool td_bind_plain_event(lua_State *L, int arg,
                                       td_record *out) {
  if (!lua_isinteger(L, arg) || !lua_isinteger(L, arg + 1)
      || !lua_isinteger(L, arg + 3) || lua_type(L, arg + 2) != LUA_TNUMBER) {
    return false;
  }
  lua_Integer signal = lua_tointegerx(L, arg + 1, NULL);
  lua_Number weight = lua_tonumberx(L, arg + 2, NULL);
  if ((lua_Unsigned)signal > UINT8_MAX || !(fabs(weight) <= FLT_MAX)) {
    return false;
  }
  out->entity.value = (uint64_t)lua_tointegerx(L, arg, NULL);
  out->timestamp_ns = (uint64_t)lua_tointegerx(L, arg + 3, NULL);
  out->weight = (float)weight;
  out->signal_type = (uint8_t)signal;
  return true;
}

/* An event counts once it is written: a raise leaves the list as it was. */
static inline void td_bind_events_put(lua_State *L, td_bind_events *events,
                                      int owner, int slot, int arg) {
  if (events->count == events->room) {
    td_bind_events_reserve(L, events, owner, slot, 1);
  }
  td_record *out = &events->records[events->count];
  if (!td_bind_plain_event(L, arg, out)) *out = td_bind_check_event(L, arg);
  events->count++;
}

#endif
