/* tidal.layout: a published layout's text (FORMAT.md 5), read and checked in
 * C, as Lua values. What a layout names (itself, its regions) stays text for
 * whoever has the names; what routes is a router, and of this the text is
 * written here too: it is all but a few bytes of a large layout. */
#include "base/text.h"
#include "bind/bind_writer.h"
#include "model/router_layout.h"

#define KEY_BYTES_MAX 16
#define RANGE_BYTES_MAX 96  /* of one range, with the longest key */

static td_router *new_router(lua_State *L, uint32_t range_count) {
  return td_bind_new(L, &td_bind_router, td_router_size(range_count), 0);
}

static void init_router(lua_State *L, td_router *router,
                        const td_layout *layout,
                        const td_layout_range *ranges) {
  td_error err;
  td_env env = td_bind_env(L);
  if (td_router_init_layout(router, layout, ranges, &env.alloc, &err)
      != TD_OK) {
    td_bind_raise(L, &err);
  }
}

/* Pushes the router that a layout describes. */
static void push_router(lua_State *L, td_span text, const td_layout *layout) {
  uint32_t count = layout->range_count;
  td_layout_range *ranges =
    lua_newuserdatauv(L, (count + 1u) * sizeof *ranges, 0);
  td_router *router = new_router(L, count);
  td_layout_ranges(text, layout, ranges);
  init_router(L, router, layout, ranges);
}

/* home:router() -> router, epoch | nil, err. What the home's logs are written
 * under now, and its epoch: who holds a router routes by it until the epoch
 * rises, and a writer refuses what has moved since, naming the new owner. */
int td_bind_home_router(lua_State *L) {
  td_error err;
  const td_wal_home *home = &td_bind_check_home(L, 1)->home;
  uint32_t count;
  td_router *router;
  do {  /* again, because finalizers may have changed the layout */
    count = home->routes.layout.range_count;
    router = new_router(L, count);
    td_bind_check_home(L, 1);
  } while (home->routes.layout.range_count != count);
  if (home->epoch == 0) {
    td_fail(&err, TD_EPOCH, "a directory opened without { layout = }", 0,
            home->published);
    return td_bind_fail(L, &err);
  }
  init_router(L, router, &home->routes.layout, home->routes.ranges);
  lua_pushinteger(L, home->epoch);
  return 2;
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

static void put_range(td_text *text, const char *key, td_range range) {
  td_text_string(text, "{\"");
  td_text_string(text, key);
  td_text_string(text, "\":");
  td_text_decimal(text, range.shard.value);
  td_text_string(text, ",\"first\":\"0x");
  td_text_hex(text, range.first, 16);
  td_text_string(text, "\",\"last\":\"0x");
  td_text_hex(text, range.last, 16);
  td_text_string(text, "\"}");
}

/* tidal.ranges_json(router, key) -> its ranges as a JSON list, each shard
 * under the name `key` ("shard", "id"); "[]" for single and hash */
static int ranges_json(lua_State *L) {
  const td_router *router = td_bind_check(L, 1, &td_bind_router);
  td_span key = td_bind_bytes(L, td_bind_arg(2, "key"), "a string");
  luaL_argcheck(L, key.size < KEY_BYTES_MAX, 2, "at most 15 bytes expected");
  uint32_t count = td_router_range_count(router);
  luaL_Buffer out;
  luaL_buffinitsize(L, &out, (size_t)count * RANGE_BYTES_MAX + 2);
  luaL_addchar(&out, '[');
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) luaL_addchar(&out, ',');
    td_text text = td_text_init(luaL_prepbuffsize(&out, RANGE_BYTES_MAX),
                                RANGE_BYTES_MAX);
    put_range(&text, (const char *)key.data, td_router_range(router, i));
    luaL_addsize(&out, text.size);
  }
  luaL_addchar(&out, ']');
  luaL_pushresult(&out);
  return 1;
}

void td_bind_open_layout(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"layout", read_layout}, {"ranges_json", ranges_json}, {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
