/* tidal.layout: a published layout's text (FORMAT.md 5), read and checked in
 * C, as Lua values. What a layout names (itself, its regions) stays text for
 * whoever has the names; what routes is a router. */
#include "bind/bind.h"

static const td_strategy strategies[] = {
  [TD_LAYOUT_SINGLE] = TD_STRATEGY_SINGLE,
  [TD_LAYOUT_HASH] = TD_STRATEGY_HASH,
  [TD_LAYOUT_RANGES] = TD_STRATEGY_RANGES,
  [TD_LAYOUT_HASH_RANGES] = TD_STRATEGY_HASH_RANGES,
};

static void init_router(lua_State *L, td_span text, const td_layout *layout) {
  uint32_t count = layout->range_count;
  td_layout_range *starts =
    lua_newuserdatauv(L, (count + 1u) * sizeof *starts, 0);
  td_range *ranges = lua_newuserdatauv(L, (count + 1u) * sizeof *ranges, 0);
  td_layout_ranges(text, layout, starts);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t last = i + 1 < count ? starts[i + 1].first - 1 : UINT64_MAX;
    ranges[i] = (td_range){starts[i].first, last, starts[i].shard, i};
  }
  td_router *router = td_bind_new(L, &td_bind_router, td_router_size(count),
                                  0);
  td_error err;
  if (td_router_init_ranges(router, strategies[layout->strategy], ranges,
                            count, &err) != TD_OK) {
    td_bind_raise(L, &err);
  }
}

/* Pushes the router that a layout describes. */
static void push_router(lua_State *L, td_span text, const td_layout *layout) {
  td_router *router;
  td_error err;
  switch (strategies[layout->strategy]) {
    case TD_STRATEGY_SINGLE:
      router = td_bind_new(L, &td_bind_router, td_router_size(0), 0);
      td_router_init_single(router, (td_shard_id){0});
      return;
    case TD_STRATEGY_HASH:
      router = td_bind_new(L, &td_bind_router, td_router_size(0), 0);
      if (td_router_init_hash(router, layout->num_shards, &err) != TD_OK) {
        td_bind_raise(L, &err);
      }
      return;
    case TD_STRATEGY_RANGES:
    case TD_STRATEGY_HASH_RANGES: init_router(L, text, layout); return;
    default: td_panic(__FILE__, __LINE__, "a strategy");
  }
}

static void set_number(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* tidal.layout(text) -> { epoch =, shards =, regions = how many, router = }
 * | nil, err */
static int read_layout(lua_State *L) {
  td_error err;
  td_layout layout;
  td_span text = td_bind_bytes(L, td_bind_arg(1, "text"), "a string");
  lua_settop(L, 1);
  if (td_layout_decode(text, &layout, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  push_router(L, text, &layout);
  lua_createtable(L, 0, 4);
  set_number(L, "epoch", layout.epoch);
  set_number(L, "shards", layout.num_shards);
  set_number(L, "regions", layout.region_count);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "router");
  return 1;
}

void td_bind_open_layout(lua_State *L) {
  lua_pushcfunction(L, read_layout);
  lua_setfield(L, -2, "layout");
}
