/* tidal.router: a userdata that is the router's one block, methods, and the
 * bound closure that scripts call per id. */
#include "bind/bind.h"

#define CHUNK 512u  /* ids converted at once in the bulk forms */

static const td_router *self(lua_State *L) {
  return td_bind_self(L, &td_bind_router);
}

static uint64_t entity_arg(lua_State *L, int arg) {
  if (lua_isinteger(L, arg)) return (uint64_t)lua_tointeger(L, arg);
  return td_bind_u64(L, td_bind_arg(arg, "entity id"));
}

/* router:route(id) -> ShardId */
static int route(lua_State *L) {
  const td_router *router = self(L);
  td_entity_id id = {entity_arg(L, 2)};
  td_bind_push_shard(L, td_router_route(router, id));
  return 1;
}

/* The closure of router:bind(): upvalue 1 the block, 2 what keeps it. */
static int route_bound(lua_State *L) {
  const td_router *router = lua_touserdata(L, lua_upvalueindex(1));
  td_entity_id id = {entity_arg(L, 1)};
  lua_pushinteger(L, td_router_route(router, id).value);
  return 1;
}

/* router:bind() -> function(id) -> shard number */
static int bind(lua_State *L) {
  const td_router *router = self(L);
  /* A light userdata holds no const; route_bound only reads. */
  lua_pushlightuserdata(L, (void *)(uintptr_t)router);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, route_bound, 2);
  return 1;
}

/* Up to CHUNK ids from entries `from`+1... of the list at `index`. */
static size_t take_ids(lua_State *L, int index, lua_Integer from,
                       lua_Integer count, uint64_t *out) {
  size_t taken = 0;
  for (; taken < CHUNK && from < count; taken++) {
    if (lua_rawgeti(L, index, ++from) == LUA_TNUMBER
        && lua_isinteger(L, -1)) {
      out[taken] = (uint64_t)lua_tointeger(L, -1);
    } else {
      out[taken] = td_bind_u64(L, td_bind_entry(L, "ids", from, NULL));
    }
    lua_pop(L, 1);
  }
  return taken;
}

static lua_Integer check_list(lua_State *L, int arg) {
  return td_bind_list(L, td_bind_arg(arg, "ids"), "a list of ids", INT32_MAX);
}

/* router:route_many(ids) -> list of shard numbers */
static int route_many(lua_State *L) {
  const td_router *router = self(L);
  lua_Integer count = check_list(L, 2);
  uint64_t ids[CHUNK];
  uint16_t shards[CHUNK];
  lua_createtable(L, (int)count, 0);
  for (lua_Integer at = 0; at < count;) {
    size_t taken = take_ids(L, 2, at, count, ids);
    td_router_route_many(router, ids, shards, taken);
    for (size_t i = 0; i < taken; i++) {
      lua_pushinteger(L, shards[i]);
      lua_rawseti(L, -2, ++at);
    }
  }
  return 1;
}

static td_span packed_arg(lua_State *L, int arg) {
  td_bind_at at = td_bind_arg(arg, "ids");
  td_span bytes = td_bind_bytes(L, at, "a string of packed ids");
  if (bytes.size % 8 == 0) return bytes;
  td_bind_bad(L, at, lua_pushfstring(
    L, "%I bytes are no whole number of ids, 8 bytes each",
    (LUAI_UACINT)bytes.size));
}

/* Up to CHUNK ids of 8 little-endian bytes each from `at` on. */
static size_t unpack_ids(td_span bytes, size_t at, uint64_t *out) {
  size_t count = (bytes.size - at) / 8;
  if (count > CHUNK) count = CHUNK;
  for (size_t i = 0; i < count; i++) {
    out[i] = td_get_u64(bytes.data + at + 8 * i);
  }
  return count;
}

/* router:route_packed(ids) -> shards
 * ids: 8 little-endian bytes each ("<I8"); shards: 2 ("<I2"). */
static int route_packed(lua_State *L) {
  const td_router *router = self(L);
  td_span bytes = packed_arg(L, 2);
  uint64_t ids[CHUNK];
  uint16_t shards[CHUNK];
  luaL_Buffer buffer;
  uint8_t *out = (uint8_t *)luaL_buffinitsize(L, &buffer, bytes.size / 4);
  for (size_t at = 0; at < bytes.size;) {
    size_t count = unpack_ids(bytes, at, ids);
    td_router_route_many(router, ids, shards, count);
    for (size_t i = 0; i < count; i++) {
      td_put_u16(out + at / 4 + 2 * i, shards[i]);
    }
    at += 8 * count;
  }
  luaL_pushresultsize(&buffer, bytes.size / 4);
  return 1;
}

/* router:histogram(ids | packed ids) -> { [shard number] = count }
 * every shard up to the highest one, 0 where none. */
static int histogram(lua_State *L) {
  const td_router *router = self(L);
  uint64_t ids[CHUNK];
  td_span bytes = {NULL, 0};
  bool packed = lua_type(L, 2) == LUA_TSTRING;
  lua_Integer count = packed ? 0 : check_list(L, 2);
  if (packed) bytes = packed_arg(L, 2);
  uint32_t shards = td_router_shard_max(router).value + UINT32_C(1);
  uint64_t *counts = lua_newuserdatauv(L, shards * sizeof *counts, 0);
  memset(counts, 0, shards * sizeof *counts);
  for (size_t at = 0; at < bytes.size;) {
    size_t taken = unpack_ids(bytes, at, ids);
    td_router_histogram(router, ids, taken, counts);
    at += 8 * taken;
  }
  for (lua_Integer at = 0; at < count;) {
    size_t taken = take_ids(L, 2, at, count, ids);
    td_router_histogram(router, ids, taken, counts);
    at += (lua_Integer)taken;
  }
  lua_createtable(L, (int)shards - 1, 1);
  for (uint32_t s = 0; s < shards; s++) {
    td_bind_push_u64(L, counts[s]);
    lua_rawseti(L, -2, s);
  }
  return 1;
}

/* router:ranges() -> list of { shard = ShardId, first =, last = }, rising;
 * bounds of hash_ranges are hashes. Empty for single and hash. */
static int ranges(lua_State *L) {
  const td_router *router = self(L);
  uint32_t count = td_router_range_count(router);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    td_range range = td_router_range(router, i);
    lua_createtable(L, 0, 3);
    td_bind_push_shard(L, range.shard);
    lua_setfield(L, -2, "shard");
    td_bind_push_u64(L, range.first);
    lua_setfield(L, -2, "first");
    td_bind_push_u64(L, range.last);
    lua_setfield(L, -2, "last");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* router:key(id) -> what is looked up in the ranges: the id, or its hash */
static int key(lua_State *L) {
  const td_router *router = self(L);
  td_entity_id id = {entity_arg(L, 2)};
  td_bind_push_u64(L, td_router_key(router, id));
  return 1;
}

/* router:strategy() -> "single" | "hash" | "ranges" | "hash_ranges" */
static int strategy(lua_State *L) {
  lua_pushstring(L, td_strategy_name(td_router_strategy(self(L))));
  return 1;
}

/* router:num_shards() -> number of different shards */
static int num_shards(lua_State *L) {
  lua_pushinteger(L, td_router_shard_count(self(L)));
  return 1;
}

/* router:shard_max() -> ShardId, the highest in use */
static int shard_max(lua_State *L) {
  td_bind_push_shard(L, td_router_shard_max(self(L)));
  return 1;
}

/* router:kernel() -> how ranges are found, router:bytes() -> memory */
static int kernel(lua_State *L) {
  lua_pushstring(L, td_router_kernel(self(L)));
  return 1;
}

static int bytes(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)td_router_bytes(self(L)));
  return 1;
}

static int tostring(lua_State *L) {
  const td_router *router = self(L);
  lua_pushfstring(L, "tidal.Router(%s, %d shards)",
                  td_strategy_name(td_router_strategy(router)),
                  (int)td_router_shard_count(router));
  return 1;
}

/* --- making ------------------------------------------------------------ */

static td_router *new_router(lua_State *L, uint32_t range_count) {
  return td_bind_new(L, &td_bind_router, td_router_size(range_count), 0);
}

/* router.single([shard]) */
static int new_single(lua_State *L) {
  td_shard_id shard = {0};
  if (!lua_isnoneornil(L, 1)) {
    shard = td_bind_shard_id(L, td_bind_arg(1, "shard"));
  }
  td_router_init_single(new_router(L, 0), shard);
  return 1;
}

static uint32_t count_arg(lua_State *L) {
  return (uint32_t)td_bind_uint(L, td_bind_arg(1, "number of shards"), 1,
                                TD_SHARDS_MAX);
}

/* router.hash(n) */
static int new_hash(lua_State *L) {
  td_error err;
  uint32_t n = count_arg(L);
  if (td_router_init_hash(new_router(L, 0), n, &err) != TD_OK) {
    td_bind_raise(L, &err);
  }
  return 1;
}

static int new_even_of(lua_State *L, td_strategy kind) {
  td_error err;
  uint32_t n = count_arg(L);
  if (td_router_init_even(new_router(L, n), kind, n, &err) != TD_OK) {
    td_bind_raise(L, &err);
  }
  return 1;
}

/* router.even(n): shard = floor(id * n / 2^64) */
static int new_even(lua_State *L) {
  return new_even_of(L, TD_STRATEGY_RANGES);
}

static uint64_t range_field(lua_State *L, int record, lua_Integer i,
                            const char *field) {
  lua_getfield(L, record, field);
  td_bind_at at = td_bind_entry(L, "ranges", i, field);
  uint64_t value = field[0] == 's' ? td_bind_shard_id(L, at).value
                                   : td_bind_u64(L, at);
  lua_pop(L, 1);
  return value;
}

/* Makes the router at the stack's top from ranges, or raises all faults. */
static void init_ranges(lua_State *L, td_strategy kind, td_range *list,
                        uint32_t count) {
  td_router *router = new_router(L, count);
  if (td_router_init_ranges(router, kind, list, count, NULL) == TD_OK) return;
  td_bind_faults_begin(L);
  td_ranges_check(list, count, td_bind_fault, L);
  td_bind_faults_raise(L, "ranges");
}

static int new_ranges_of(lua_State *L, td_strategy kind,
                         const char *expected) {
  uint32_t count = td_bind_list(L, td_bind_arg(1, "ranges"), expected,
                                TD_RANGES_MAX);
  lua_settop(L, 1);
  td_range *list = lua_newuserdatauv(L, (count + 1u) * sizeof *list, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_Integer n = (lua_Integer)i + 1;
    lua_rawgeti(L, 1, n);
    td_bind_table(L, td_bind_entry(L, "ranges", n, NULL),
                  "a table { shard =, first =, last = }");
    list[i] = (td_range){
      .first = range_field(L, 3, n, "first"),
      .last = range_field(L, 3, n, "last"),
      .shard = {(uint16_t)range_field(L, 3, n, "shard")},
      .index = i,
    };
    lua_pop(L, 1);
  }
  init_ranges(L, kind, list, count);
  return 1;
}

/* router.ranges{ {shard=, first=, last=}, ... } in any order */
static int new_ranges(lua_State *L) {
  return new_ranges_of(L, TD_STRATEGY_RANGES, "a list of ranges");
}

/* router.hash_ranges(list), or (n) for an even split of the hashes */
static int new_hash_ranges(lua_State *L) {
  if (lua_isinteger(L, 1)) return new_even_of(L, TD_STRATEGY_HASH_RANGES);
  return new_ranges_of(L, TD_STRATEGY_HASH_RANGES,
                       "a list of ranges or a number of shards");
}

static void check_owners(lua_State *L, uint32_t starts) {
  td_bind_at at = td_bind_arg(2, "shards");
  uint32_t count = td_bind_list(L, at, "a list of shards", TD_RANGES_MAX);
  if (count == starts) return;
  td_bind_bad(L, at, lua_pushfstring(L, "%d shards for %d starts", (int)count,
                                     (int)starts));
}

static uint64_t start_at(lua_State *L, lua_Integer i) {
  lua_rawgeti(L, 1, i);
  uint64_t first = td_bind_u64(L, td_bind_entry(L, "starts", i, NULL));
  lua_pop(L, 1);
  return first;
}

static td_shard_id owner_at(lua_State *L, lua_Integer i) {
  lua_rawgeti(L, 2, i);
  td_shard_id owner = td_bind_shard_id(L, td_bind_entry(L, "shards", i,
                                                        NULL));
  lua_pop(L, 1);
  return owner;
}

/* router.starts({first, ...} [, {shard, ...} [, "hash_ranges"]]): the flat
 * form, for big tables. Firsts rise from 0; range i belongs to shards[i], or
 * to shard i - 1. */
static int new_starts(lua_State *L) {
  static const char *const kinds[] = {"ranges", "hash_ranges", NULL};
  uint32_t count = td_bind_list(L, td_bind_arg(1, "starts"),
                                "a list of first ids", TD_RANGES_MAX);
  bool named = !lua_isnoneornil(L, 2);
  if (named) check_owners(L, count);
  td_strategy kind = TD_STRATEGY_RANGES;
  if (!lua_isnoneornil(L, 3)
      && td_bind_word(L, td_bind_arg(3, "strategy"), kinds) == 1) {
    kind = TD_STRATEGY_HASH_RANGES;
  }
  lua_settop(L, 2);
  td_range *list = lua_newuserdatauv(L, (count + 1u) * sizeof *list, 0);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t first = start_at(L, (lua_Integer)i + 1);
    if (i > 0 && first <= list[i - 1].first) {
      luaL_error(L, "starts[%d]: does not lie above starts[%d]", (int)i + 1,
                 (int)i);
    }
    if (i > 0) list[i - 1].last = first - 1;
    list[i] = (td_range){first, UINT64_MAX, {(uint16_t)i}, i};
    if (named) list[i].shard = owner_at(L, (lua_Integer)i + 1);
  }
  init_ranges(L, kind, list, count);
  return 1;
}

static const luaL_Reg methods[] = {
  {"route", route}, {"bind", bind}, {"route_many", route_many},
  {"route_packed", route_packed}, {"histogram", histogram},
  {"ranges", ranges}, {"key", key}, {"strategy", strategy},
  {"num_shards", num_shards}, {"shard_max", shard_max}, {"kernel", kernel},
  {"bytes", bytes}, {NULL, NULL},
};
static const luaL_Reg metas[] = {{"__tostring", tostring}, {NULL, NULL}};

const td_bind_type td_bind_router = {"tidal.Router", methods, metas};

void td_bind_open_router(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"single", new_single}, {"hash", new_hash}, {"even", new_even},
    {"ranges", new_ranges}, {"hash_ranges", new_hash_ranges},
    {"starts", new_starts}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_router);
  td_bind_subtable(L, "router");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
