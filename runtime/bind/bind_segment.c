/* WalSegmentId: interned, so that == is identity and ids work as table keys;
 * kept as long as a script holds them. */
#include "bind/bind.h"

/* Keys of the tables of interned objects in the registry. */
static const char segment_cache, collision_cache;

/* Ids of segments that a script holds are found by an integer key, which
 * costs no string. Keys of two ids may meet; the later one is then kept in
 * the second cache, under its 12 bytes. */
static lua_Integer segment_key(td_segment_id id) {
  uint64_t tags = (uint64_t)id.region.value << 16 | id.shard.value;
  return (lua_Integer)(id.seqno.value
                       + tags * UINT64_C(0x9e3779b97f4a7c15));
}

static void push_new_segment(lua_State *L, td_segment_id id) {
  td_segment_id *object = td_bind_new(L, &td_bind_segment, sizeof *object, 0);
  *object = id;
}

/* An id whose place in the first cache another one has. */
static void push_collided_segment(lua_State *L, td_segment_id id) {
  uint8_t bytes[TD_SEGMENT_ID_BYTES];
  td_segment_id_encode(id, bytes);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &collision_cache);
  lua_pushlstring(L, (const char *)bytes, sizeof bytes);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    push_new_segment(L, id);
    lua_insert(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    lua_remove(L, -2);
  } else {
    lua_replace(L, -3);
    lua_pop(L, 1);
  }
}

/* True, with the object pushed, if the id collided before and still lives. */
static bool find_collided_segment(lua_State *L, td_segment_id id) {
  uint8_t bytes[TD_SEGMENT_ID_BYTES];
  lua_rawgetp(L, LUA_REGISTRYINDEX, &collision_cache);
  lua_pushnil(L);
  bool any = lua_next(L, -2) != 0;
  if (any) {
    lua_pop(L, 2);
    td_segment_id_encode(id, bytes);
    lua_pushlstring(L, (const char *)bytes, sizeof bytes);
    if (lua_rawget(L, -2) == LUA_TUSERDATA) {
      lua_remove(L, -2);
      return true;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

/* Pushes the one object of this id; the cache is at index `cache`. */
static void push_interned(lua_State *L, int cache, td_segment_id id) {
  lua_Integer key = segment_key(id);
  bool taken = lua_rawgeti(L, cache, key) == LUA_TUSERDATA;
  const td_segment_id *there = lua_touserdata(L, -1);
  if (taken && td_segment_id_eq(*there, id)) return;
  lua_pop(L, 1);
  if (taken) {
    push_collided_segment(L, id);
  } else if (!find_collided_segment(L, id)) {
    push_new_segment(L, id);
    lua_pushvalue(L, -1);
    lua_rawseti(L, cache, key);
  }
}

void td_bind_push_segment(lua_State *L, td_segment_id id) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &segment_cache);
  push_interned(L, lua_gettop(L), id);
  lua_remove(L, -2);
}

static int compare_segment(lua_State *L) {
  td_bind_check_pair(L);
  const td_segment_id *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
  return td_segment_id_cmp(*a, *b);
}

static int segment_lt(lua_State *L) {
  lua_pushboolean(L, compare_segment(L) < 0);
  return 1;
}

static int segment_le(lua_State *L) {
  lua_pushboolean(L, compare_segment(L) <= 0);
  return 1;
}

static int segment_tostring(lua_State *L) {
  char text[TD_SEGMENT_ID_TEXT_MAX];
  const td_segment_id *id = td_bind_self(L, &td_bind_segment);
  lua_pushlstring(L, text, td_segment_id_format(*id, text));
  return 1;
}

/* segment:pack() -> 12 bytes whose order is the order of the ids */
static int segment_pack(lua_State *L) {
  uint8_t raw[TD_SEGMENT_ID_BYTES];
  const td_segment_id *id = td_bind_check(L, 1, &td_bind_segment);
  td_segment_id_encode(*id, raw);
  lua_pushlstring(L, (const char *)raw, sizeof raw);
  return 1;
}

/* segment.region, .shard, .seqno, .log, :pack() */
static int segment_index(lua_State *L) {
  const td_segment_id *id = td_bind_self(L, &td_bind_segment);
  if (td_bind_key_is(L, "region")) {
    td_bind_push_region(L, id->region);
  } else if (td_bind_key_is(L, "shard")) {
    td_bind_push_shard(L, id->shard);
  } else if (td_bind_key_is(L, "seqno")) {
    td_bind_push_u64(L, id->seqno.value);
  } else if (td_bind_key_is(L, "log")) {
    td_bind_push_log(L, (td_log_id){id->region, id->shard});
  } else if (td_bind_key_is(L, "pack")) {
    lua_pushcfunction(L, segment_pack);
  } else {
    return 0;
  }
  return 1;
}

static const luaL_Reg segment_metas[] = {
  {"__index", segment_index}, {"__tostring", segment_tostring},
  {"__lt", segment_lt}, {"__le", segment_le}, {NULL, NULL},
};


const td_bind_type td_bind_segment = {"tidal.WalSegmentId", NULL,
                                      segment_metas};

/* tidal.segment(region, shard, seqno) -> WalSegmentId; upvalue 1 is the
 * cache */
static int new_segment(lua_State *L) {
  td_segment_id id;
  id.region = td_bind_region_id(L, td_bind_arg(1, "region"));
  id.shard = td_bind_shard_id(L, td_bind_arg(2, "shard"));
  id.seqno.value = td_bind_u64(L, td_bind_arg(3, "seqno"));
  push_interned(L, lua_upvalueindex(1), id);
  return 1;
}

/* tidal.unpack_segment(12 bytes) -> WalSegmentId | nil, err */
static int unpack_segment(lua_State *L) {
  td_segment_id id;
  td_error err;
  td_span bytes = td_bind_bytes(L, td_bind_arg(1, "bytes"),
                                "a string of 12 bytes");
  if (td_segment_id_decode(bytes, &id, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  td_bind_push_segment(L, id);
  return 1;
}

void td_bind_open_segment(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"unpack_segment", unpack_segment}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_segment);
  td_bind_cache_new(L, &segment_cache, true);
  td_bind_cache_new(L, &collision_cache, true);
  luaL_setfuncs(L, functions, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &segment_cache);
  lua_pushcclosure(L, new_segment, 1);
  lua_setfield(L, -2, "segment");
}
