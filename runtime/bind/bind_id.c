/* ShardId, RegionId, LogId: interned, so that == is identity and ids work as
 * table keys. Numbers of 16 bits are kept for good, logs as long as a script
 * holds them. (WalSegmentId: bind_segment.c) */
#include "bind/bind.h"

/* Keys of the tables of interned objects in the registry. */
static const char shard_cache, region_cache, log_cache;

void td_bind_cache_new(lua_State *L, const char *key, bool weak) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
    lua_newtable(L);
    if (weak) {
      lua_newtable(L);
      lua_pushliteral(L, "v");
      lua_setfield(L, -2, "__mode");
      lua_setmetatable(L, -2);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  }
  lua_pop(L, 1);
}

/* Pushes number `value` of the cache at index `cache`; makes it if new. */
static void push_u16(lua_State *L, int cache, const td_bind_type *type,
                     uint16_t value) {
  if (lua_rawgeti(L, cache, (lua_Integer)value + 1) == LUA_TUSERDATA) return;
  lua_pop(L, 1);
  uint16_t *object = td_bind_new(L, type, sizeof *object, 0);
  *object = value;
  lua_pushvalue(L, -1);
  lua_rawseti(L, cache, (lua_Integer)value + 1);
}

static void push_cached(lua_State *L, const char *key,
                        const td_bind_type *type, uint16_t value) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  push_u16(L, lua_gettop(L), type, value);
  lua_remove(L, -2);
}

void td_bind_push_shard(lua_State *L, td_shard_id id) {
  push_cached(L, &shard_cache, &td_bind_shard, id.value);
}

void td_bind_push_region(lua_State *L, td_region_id id) {
  push_cached(L, &region_cache, &td_bind_region, id.value);
}

void td_bind_push_log(lua_State *L, td_log_id id) {
  lua_Integer key = (lua_Integer)id.region.value << 16 | id.shard.value;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &log_cache);
  if (lua_rawgeti(L, -1, key) == LUA_TNIL) {
    lua_pop(L, 1);
    td_log_id *object = td_bind_new(L, &td_bind_log, sizeof *object, 0);
    *object = id;
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, key);
  }
  lua_remove(L, -2);
}

/* --- metamethods, one set for all kinds --------------------------- */

static const char *shown_operand(lua_State *L, int arg) {
  return lua_type(L, arg) == LUA_TUSERDATA ? luaL_tolstring(L, arg, NULL)
                                           : td_bind_shown(L, arg);
}

void td_bind_check_pair(lua_State *L) {
  for (int arg = 1; arg <= 2; arg++) {
    bool same = lua_touserdata(L, arg) && lua_getmetatable(L, arg)
              && lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_settop(L, 2);
    if (same) continue;
    const char *left = shown_operand(L, 1);
    const char *right = shown_operand(L, 2);
    luaL_error(L, "cannot order %s and %s: different kinds of id", left,
               right);
  }
}

static int compare_u16(lua_State *L) {
  td_bind_check_pair(L);
  const uint16_t *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
  return td_u64_cmp(*a, *b);
}

static int compare_log(lua_State *L) {
  td_bind_check_pair(L);
  const td_log_id *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
  return td_log_id_cmp(*a, *b);
}

#define ORDER(kind) \
  static int lt_##kind(lua_State *L) { \
    lua_pushboolean(L, compare_##kind(L) < 0); \
    return 1; \
  } \
  static int le_##kind(lua_State *L) { \
    lua_pushboolean(L, compare_##kind(L) <= 0); \
    return 1; \
  }
ORDER(u16)
ORDER(log)

static int shard_tostring(lua_State *L) {
  char text[TD_SHARD_ID_TEXT_MAX];
  const td_shard_id *id = td_bind_self(L, &td_bind_shard);
  lua_pushlstring(L, text, td_shard_id_format(*id, text));
  return 1;
}

static int region_tostring(lua_State *L) {
  char text[TD_REGION_ID_TEXT_MAX];
  const td_region_id *id = td_bind_self(L, &td_bind_region);
  lua_pushlstring(L, text, td_region_id_format(*id, text));
  return 1;
}

static int log_tostring(lua_State *L) {
  char text[TD_LOG_ID_TEXT_MAX];
  const td_log_id *id = td_bind_self(L, &td_bind_log);
  lua_pushlstring(L, text, td_log_id_format(*id, text));
  return 1;
}

bool td_bind_key_is(lua_State *L, const char *name) {
  return td_bind_text_is(L, 2, name);
}

static int push_value(lua_State *L, uint16_t value) {
  if (!td_bind_key_is(L, "value")) return 0;
  lua_pushinteger(L, value);
  return 1;
}

/* shard.value */
static int shard_index(lua_State *L) {
  const td_shard_id *id = td_bind_self(L, &td_bind_shard);
  return push_value(L, id->value);
}

/* region.value */
static int region_index(lua_State *L) {
  const td_region_id *id = td_bind_self(L, &td_bind_region);
  return push_value(L, id->value);
}

/* log.region, log.shard */
static int log_index(lua_State *L) {
  const td_log_id *id = td_bind_self(L, &td_bind_log);
  if (td_bind_key_is(L, "region")) {
    td_bind_push_region(L, id->region);
  } else if (td_bind_key_is(L, "shard")) {
    td_bind_push_shard(L, id->shard);
  } else {
    return 0;
  }
  return 1;
}

static const luaL_Reg shard_metas[] = {
  {"__index", shard_index}, {"__tostring", shard_tostring},
  {"__lt", lt_u16}, {"__le", le_u16}, {NULL, NULL},
};
static const luaL_Reg region_metas[] = {
  {"__index", region_index}, {"__tostring", region_tostring},
  {"__lt", lt_u16}, {"__le", le_u16}, {NULL, NULL},
};
static const luaL_Reg log_metas[] = {
  {"__index", log_index}, {"__tostring", log_tostring},
  {"__lt", lt_log}, {"__le", le_log}, {NULL, NULL},
};
const td_bind_type td_bind_shard = {"tidal.ShardId", NULL, shard_metas};
const td_bind_type td_bind_region = {"tidal.RegionId", NULL, region_metas};
const td_bind_type td_bind_log = {"tidal.LogId", NULL, log_metas};

/* --- functions --------------------------------------------------------- */

/* tidal.shard(3 | "s3" | ShardId) -> ShardId; upvalue 1 is the cache */
static int new_shard(lua_State *L) {
  td_shard_id id = td_bind_shard_id(L, td_bind_arg(1, "shard"));
  push_u16(L, lua_upvalueindex(1), &td_bind_shard, id.value);
  return 1;
}

/* tidal.region(0 | "r0" | RegionId) -> RegionId */
static int new_region(lua_State *L) {
  td_region_id id = td_bind_region_id(L, td_bind_arg(1, "region"));
  push_u16(L, lua_upvalueindex(1), &td_bind_region, id.value);
  return 1;
}

/* tidal.log(region, shard), tidal.log "r0:s3" -> LogId */
static int new_log(lua_State *L) {
  td_log_id id;
  if (lua_gettop(L) == 1) {
    id = td_bind_log_id(L, td_bind_arg(1, "log"));
  } else {
    id.region = td_bind_region_id(L, td_bind_arg(1, "region"));
    id.shard = td_bind_shard_id(L, td_bind_arg(2, "shard"));
  }
  td_bind_push_log(L, id);
  return 1;
}

/* tidal.parse(text) -> id of the kind the text has | nil, err
 * "r0" RegionId, "s3" ShardId, "r0:s3" LogId, "r0:s3:42" WalSegmentId */
static int parse(lua_State *L) {
  td_error err;
  td_region_id region;
  td_shard_id shard;
  td_log_id log;
  td_segment_id segment;
  td_span bytes = td_bind_bytes(L, td_bind_arg(1, "id"),
                                "text as \"s3\" or \"r0:s3:42\"");
  const char *text = (const char *)bytes.data;
  size_t size = bytes.size, colons = 0;
  for (size_t i = 0; i < size; i++) colons += text[i] == ':';
  if (colons > 1) {
    if (td_segment_id_parse(text, size, &segment, &err) != TD_OK) {
      return td_bind_fail(L, &err);
    }
    td_bind_push_segment(L, segment);
  } else if (colons == 1) {
    if (td_log_id_parse(text, size, &log, &err) != TD_OK) {
      return td_bind_fail(L, &err);
    }
    td_bind_push_log(L, log);
  } else if (size > 0 && text[0] == 's') {
    if (td_shard_id_parse(text, size, &shard, &err) != TD_OK) {
      return td_bind_fail(L, &err);
    }
    td_bind_push_shard(L, shard);
  } else {
    if (td_region_id_parse(text, size, &region, &err) != TD_OK) {
      return td_bind_fail(L, &err);
    }
    td_bind_push_region(L, region);
  }
  return 1;
}

/* tidal.hash(entity) -> the routing hash, a bit pattern */
static int hash(lua_State *L) {
  td_entity_id id = {td_bind_u64(L, td_bind_arg(1, "entity"))};
  td_bind_push_u64(L, td_hash_entity(id));
  return 1;
}

/* tidal.checksum(bytes) -> XXH3-128 as 32 hex digits, high half first */
static int checksum(lua_State *L) {
  char text[33];
  td_hash128 h = td_hash128_of(td_bind_bytes(L, td_bind_arg(1, "bytes"),
                                             "a string"));
  td_text out = td_text_init(text, sizeof text);
  td_text_hex(&out, h.high, 16);
  td_text_hex(&out, h.low, 16);
  lua_pushlstring(L, text, out.size);
  return 1;
}

void td_bind_open_id(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"log", new_log}, {"parse", parse}, {"hash", hash},
    {"checksum", checksum}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_shard);
  td_bind_type_new(L, &td_bind_region);
  td_bind_type_new(L, &td_bind_log);
  td_bind_cache_new(L, &shard_cache, false);
  td_bind_cache_new(L, &region_cache, false);
  td_bind_cache_new(L, &log_cache, true);
  luaL_setfuncs(L, functions, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shard_cache);
  lua_pushcclosure(L, new_shard, 1);
  lua_setfield(L, -2, "shard");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &region_cache);
  lua_pushcclosure(L, new_region, 1);
  lua_setfield(L, -2, "region");
}
