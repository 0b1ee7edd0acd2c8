#include "bind/bind_events.h"

#define ROOM_FIRST 100u

static float weight_of(lua_State *L, td_bind_at at) {
  if (lua_type(L, at.index) != LUA_TNUMBER) td_bind_expected(L, at, "a number");
  lua_Number weight = lua_tonumber(L, at.index);
  if (isfinite(weight) && fabs(weight) > (lua_Number)FLT_MAX) {
    td_bind_bad(L, at, "does not fit into 32 bits");
  }
  return (float)weight;
}

td_record td_bind_check_event(lua_State *L, int arg) {
  td_record record;
  record.entity.value = td_bind_u64(L, td_bind_arg(arg, "entity"));
  record.signal_type = (uint8_t)td_bind_uint(
    L, td_bind_arg(arg + 1, "signal_type"), 0, UINT8_MAX);
  record.weight = weight_of(L, td_bind_arg(arg + 2, "weight"));
  record.timestamp_ns = td_bind_u64(L, td_bind_arg(arg + 3, "timestamp_ns"));
  return record;
}

/* Pushes field `name` of events[i], which is on top of the stack. */
static td_bind_at event_field(lua_State *L, lua_Integer i, const char *name) {
  lua_getfield(L, -1, name);
  return td_bind_entry(L, "events", i, name);
}

td_record td_bind_entry_event(lua_State *L, lua_Integer i) {
  td_record record;
  td_bind_table(L, td_bind_entry(L, "events", i, NULL), "a table { entity =, "
                "signal_type =, weight =, timestamp_ns = }");
  record.entity.value = td_bind_u64(L, event_field(L, i, "entity"));
  lua_pop(L, 1);
  record.signal_type = (uint8_t)td_bind_uint(
    L, event_field(L, i, "signal_type"), 0, UINT8_MAX);
  lua_pop(L, 1);
  record.weight = weight_of(L, event_field(L, i, "weight"));
  lua_pop(L, 1);
  record.timestamp_ns = td_bind_u64(L, event_field(L, i, "timestamp_ns"));
  lua_pop(L, 1);
  return record;
}

/* To allocate may collect, and finalizers may add to this list. */
void td_bind_events_reserve(lua_State *L, td_bind_events *events, int owner,
                            int slot, uint32_t more) {
  owner = lua_absindex(L, owner);
  while (events->room - events->count < more) {
    if (more > TD_RECORDS_MAX - events->count) {
      luaL_error(L, "a batch holds at most %d events", (int)TD_RECORDS_MAX);
    }
    uint32_t room = events->room ? events->room * 2 : ROOM_FIRST;
    if (room < events->count + more) room = events->count + more;
    if (room > TD_RECORDS_MAX) room = TD_RECORDS_MAX;
    td_record *records = lua_newuserdatauv(L, room * sizeof *records, 0);
    if (room < events->room) continue;  /* it has grown further */
    if (events->count > 0) {
      memcpy(records, events->records, events->count * sizeof *records);
    }
    lua_setiuservalue(L, owner, slot);
    events->records = records;
    events->room = room;
  }
}
