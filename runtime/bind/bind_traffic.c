/* tidal.traffic: how many events change their shard between two routers.
 * User values 1 and 2 are the routers. */
#include "bind/bind_batch.h"

static td_traffic *self(lua_State *L) {
  return td_bind_check(L, 1, &td_bind_traffic);
}

/* tidal.traffic(from, to) -> traffic */
static int new_traffic(lua_State *L) {
  const td_router *from = td_bind_check(L, 1, &td_bind_router);
  const td_router *to = td_bind_check(L, 2, &td_bind_router);
  td_traffic *made = td_bind_new(L, &td_bind_traffic,
                                 td_traffic_size(from, to), 2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, 2);
  td_traffic_init(made, from, to);
  return 1;
}

bool td_bind_traffic_records(lua_State *L, int arg, td_span records) {
  td_traffic *to = td_bind_test(L, arg, &td_bind_traffic);
  if (to) td_traffic_add(to, records);
  return to != NULL;
}

/* traffic:add(batch) */
static int traffic_add(lua_State *L) {
  td_traffic *to = self(L);
  const td_bound_batch *batch = td_bind_check(L, 2, &td_bind_batch);
  if (batch->head.kind == TD_BATCH_SIGNALS) td_traffic_add(to, batch->payload);
  return 0;
}

/* traffic:paired() -> whether each pair of shards has a count */
static int traffic_paired(lua_State *L) {
  lua_pushboolean(L, self(L)->paired);
  return 1;
}

/* A target below 0 is left out. */
static void push_pair(lua_State *L, uint32_t source, lua_Integer target,
                      uint64_t events) {
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, source);
  lua_setfield(L, -2, "source");
  if (target >= 0) {
    lua_pushinteger(L, target);
    lua_setfield(L, -2, "target");
  }
  td_bind_push_u64(L, events);
  lua_setfield(L, -2, "events");
}

/* traffic:counts() -> list of { source =, target =, events = } that are not
 * 0, by source and target. Without pairs there are two a source: its own, and
 * one without target. */
static int traffic_counts(lua_State *L) {
  const td_traffic *from = self(L);
  uint32_t wide = from->paired ? from->targets : 2;
  lua_Integer n = 0;
  lua_newtable(L);
  for (uint32_t s = 0; s < from->sources; s++) {
    for (uint32_t t = 0; t < wide; t++) {
      uint64_t events = td_traffic_count(from, s, t);
      if (events == 0) continue;
      lua_Integer target = from->paired ? (lua_Integer)t
                         : t == 0 ? (lua_Integer)s : -1;
      push_pair(L, s, target, events);
      lua_rawseti(L, -2, ++n);
    }
  }
  return 1;
}

/* traffic:arrived() -> { [shard number] = events in the end } */
static int traffic_arrived(lua_State *L) {
  const td_traffic *from = self(L);
  lua_createtable(L, (int)from->targets - 1, 1);
  for (uint32_t s = 0; s < from->targets; s++) {
    td_bind_push_u64(L, td_traffic_arrived(from, s));
    lua_rawseti(L, -2, s);
  }
  return 1;
}

static const luaL_Reg methods[] = {
  {"add", traffic_add}, {"paired", traffic_paired},
  {"counts", traffic_counts}, {"arrived", traffic_arrived}, {NULL, NULL},
};

const td_bind_type td_bind_traffic = {"tidal.Traffic", methods, NULL};

void td_bind_open_traffic(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"traffic", new_traffic}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_traffic);
  luaL_setfuncs(L, functions, 0);
}
