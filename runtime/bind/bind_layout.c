/* tidal.layout: a published layout's text (FORMAT.md 5), read and checked in
 * C, as Lua values. What a layout names (itself, its regions) stays text for
 * whoever has the names; what routes is a router. */
#include "bind/bind.h"

/* Pushes the router that a layout describes. */
static void push_router(lua_State *L, td_span text, const td_layout *layout) {
  td_error err;
  td_env env = td_bind_env(L);
  uint32_t count = layout->range_count;
  td_layout_range *ranges =
    lua_newuserdatauv(L, (count + 1u) * sizeof *ranges, 0);
  td_router *router = td_bind_new(L, &td_bind_router, td_router_size(count),
                                  0);
  td_layout_ranges(text, layout, ranges);
  if (td_router_init_layout(router, layout, ranges, &env.alloc, &err)
      != TD_OK) {
    td_bind_raise(L, &err);
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
