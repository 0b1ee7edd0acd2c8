/* tidal.wal, cuts as bytes: FORMAT.md 5. */
#include "bind/bind.h"

static td_cut check_cut(lua_State *L, int list, lua_Integer i) {
  td_bind_at at;
  lua_rawgeti(L, list, i);
  td_bind_table(L, td_bind_entry(L, "cuts", i, NULL),
                "a table { upto =, epoch = }");
  int entry = lua_gettop(L);
  td_cut cut = {.epoch = 0};
  if (!td_bind_field(L, entry, "upto", &at)) {
    luaL_error(L, "cuts[%I].upto is missing", (LUAI_UACINT)i);
  }
  cut.upto.value = td_bind_u64(L, at);
  cut.epoch = (uint32_t)td_bind_field_uint(L, entry, "epoch", 0, 0,
                                           UINT32_MAX);
  lua_settop(L, entry - 1);
  return cut;
}

/* wal.encode_cuts{ shard =, region =, generation =, cuts = { { upto =,
 * epoch = }, ... } } -> bytes. Raises where epochs do not rise from 1. */
static int encode_cuts(lua_State *L) {
  static const char *const keys[] = {"shard", "region", "generation", "cuts",
                                     NULL};
  td_error err;
  td_bind_at at, self = td_bind_arg(1, NULL);
  td_bind_table(L, self, "a table of fields");
  td_bind_known_keys(L, self, keys);
  td_cuts cuts = {.generation = td_bind_field_u64(L, 1, "generation", 1)};
  cuts.shard.value = (uint16_t)td_bind_field_uint(L, 1, "shard", 0, 0,
                                                  UINT16_MAX);
  cuts.region.value = (uint16_t)td_bind_field_uint(L, 1, "region", 0, 0,
                                                   UINT16_MAX);
  if (!td_bind_field(L, 1, "cuts", &at)) luaL_error(L, "cuts is missing");
  int list = lua_gettop(L);
  cuts.count = td_bind_list(L, at, "a list of cuts", TD_CUTS_MAX);
  td_cut *entries = lua_newuserdatauv(L, (cuts.count + 1) * sizeof *entries,
                                      0);
  for (uint32_t i = 0; i < cuts.count; i++) {
    entries[i] = check_cut(L, list, (lua_Integer)i + 1);
  }
  size_t size = td_cuts_size(cuts.count);
  uint8_t *bytes = lua_newuserdatauv(L, size, 0);
  if (td_cuts_encode(&cuts, entries, bytes, size, &err) != TD_OK) {
    td_bind_raise(L, &err);
  }
  lua_pushlstring(L, (const char *)bytes, size);
  return 1;
}

/* wal.decode_cuts(bytes) -> the same table, shard and region as objects |
 * nil, err */
static int decode_cuts(lua_State *L) {
  td_error err;
  td_cuts cuts;
  td_span bytes = td_bind_bytes(L, td_bind_arg(1, "bytes"), "a string");
  if (td_cuts_decode(bytes, &cuts, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  lua_createtable(L, 0, 4);
  td_bind_push_shard(L, cuts.shard);
  lua_setfield(L, -2, "shard");
  td_bind_push_region(L, cuts.region);
  lua_setfield(L, -2, "region");
  td_bind_push_u64(L, cuts.generation);
  lua_setfield(L, -2, "generation");
  lua_createtable(L, (int)cuts.count, 0);
  for (uint32_t i = 0; i < cuts.count; i++) {
    td_cut cut = td_cuts_get(bytes, i);
    lua_createtable(L, 0, 2);
    td_bind_push_u64(L, cut.upto.value);
    lua_setfield(L, -2, "upto");
    lua_pushinteger(L, cut.epoch);
    lua_setfield(L, -2, "epoch");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "cuts");
  return 1;
}

void td_bind_open_cuts(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"encode_cuts", encode_cuts}, {"decode_cuts", decode_cuts},
    {NULL, NULL},
  };
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
