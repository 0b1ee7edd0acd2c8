/* tidal.profile: which ids a log's events touch. User value 1 is the router;
 * the counts per shard stand behind the profile in the same block. */
#include "bind/bind_batch.h"

typedef struct bound_profile {
  const td_router *router;
  td_profile *profile;
  uint64_t *counts;
  uint32_t shards;
} bound_profile;

static bound_profile *self(lua_State *L) {
  return td_bind_check(L, 1, &td_bind_profile);
}

/* tidal.profile(router [, slots = 131072]) -> profile
 * slots: a power of two, 64..16777216; exact for half as many ids. */
static int new_profile(lua_State *L) {
  const td_router *router = td_bind_check(L, 1, &td_bind_router);
  uint64_t slots = TD_PROFILE_SLOTS_DEFAULT;
  if (!lua_isnoneornil(L, 2)) {
    slots = td_bind_uint(L, td_bind_arg(2, "slots"), TD_PROFILE_SLOTS_MIN,
                         TD_PROFILE_SLOTS_MAX);
    if (slots & (slots - 1)) {
      td_bind_bad(L, td_bind_arg(2, "slots"), lua_pushfstring(
        L, "%I is not a power of two", (LUAI_UACINT)slots));
    }
  }
  uint32_t shards = td_router_shard_max(router).value + UINT32_C(1);
  size_t counts_at = sizeof(bound_profile);
  size_t profile_at = counts_at + shards * sizeof(uint64_t);
  profile_at = (profile_at + 15) / 16 * 16;
  size_t size = profile_at + td_profile_size((uint32_t)slots);
  bound_profile *made = td_bind_new(L, &td_bind_profile, size, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  made->router = router;
  made->shards = shards;
  made->counts = (uint64_t *)(void *)((uint8_t *)made + counts_at);
  made->profile = (td_profile *)(void *)((uint8_t *)made + profile_at);
  td_profile_init(made->profile, (uint32_t)slots);
  return 1;
}

static void add(bound_profile *to, const td_batch *head, td_span payload) {
  if (head->kind != TD_BATCH_SIGNALS) return;
  td_profile_add(to->profile, to->router, payload, to->counts);
}

void td_bind_profile_records(lua_State *L, int arg, td_span records) {
  bound_profile *to = td_bind_check(L, arg, &td_bind_profile);
  td_profile_add(to->profile, to->router, records, to->counts);
}

/* profile:add(batch) */
static int profile_add(lua_State *L) {
  bound_profile *to = self(L);
  const td_bound_batch *batch = td_bind_check(L, 2, &td_bind_batch);
  add(to, &batch->head, batch->payload);
  return 0;
}

/* profile:read(cursor [, bytes_max = 8 MiB]) -> bytes read, 0 at the end of
 * the log | nil, err where it is damaged. Bounded work: call it again. */
static int profile_read(lua_State *L) {
  td_error err;
  td_wal_batch batch;
  bound_profile *to = self(L);
  td_wal_cursor *cursor = td_bind_check_cursor(L, 2);
  uint64_t most = UINT64_C(8) << 20, read = 0;
  if (!lua_isnoneornil(L, 3)) {
    most = td_bind_uint(L, td_bind_arg(3, "bytes_max"), 1, UINT32_MAX);
  }
  while (read < most) {
    td_status status = td_wal_cursor_next(cursor, &batch, &err);
    if (status == TD_END) break;
    if (status != TD_OK) return td_bind_fail(L, &err);
    add(to, &batch.head, batch.payload);
    read += td_batch_size(&batch.head);
  }
  td_bind_push_u64(L, read);
  return 1;
}

/* profile:events() -> number of events counted */
static int profile_events(lua_State *L) {
  td_bind_push_u64(L, td_profile_events(self(L)->profile));
  return 1;
}

/* profile:distinct() -> different ids (runs of ids when not exact) */
static int profile_distinct(lua_State *L) {
  lua_pushinteger(L, td_profile_distinct(self(L)->profile));
  return 1;
}

/* profile:exact() -> boolean */
static int profile_exact(lua_State *L) {
  lua_pushboolean(L, td_profile_exact(self(L)->profile));
  return 1;
}

/* profile:counts() -> { [shard number] = events }, 0..highest shard */
static int profile_counts(lua_State *L) {
  const bound_profile *from = self(L);
  lua_createtable(L, (int)from->shards - 1, 1);
  for (uint32_t s = 0; s < from->shards; s++) {
    td_bind_push_u64(L, from->counts[s]);
    lua_rawseti(L, -2, s);
  }
  return 1;
}

/* profile:hottest(n) -> list of { entity =, events = }, hottest first;
 * n in 1..65536 */
static int profile_hottest(lua_State *L) {
  const bound_profile *from = self(L);
  uint32_t most = (uint32_t)td_bind_uint(L, td_bind_arg(2, "n"), 1, 65536);
  td_heat *heats = lua_newuserdatauv(L, most * sizeof *heats, 0);
  uint32_t count = td_profile_hottest(from->profile, heats, most);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 2);
    td_bind_push_u64(L, heats[i].entity.value);
    lua_setfield(L, -2, "entity");
    td_bind_push_u64(L, heats[i].events);
    lua_setfield(L, -2, "events");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* profile:split(n) -> list of { first =, last =, events = }: at most n
 * pieces that cover all keys, the heaviest as light as can be; n 1..65536 */
static int profile_split(lua_State *L) {
  const bound_profile *from = self(L);
  uint32_t parts = (uint32_t)td_bind_uint(L, td_bind_arg(2, "n"), 1,
                                          TD_RANGES_MAX);
  uint64_t *last = lua_newuserdatauv(L, 2 * parts * sizeof *last, 0);
  uint64_t *events = last + parts;
  uint32_t count = td_profile_split(from->profile, parts, last, events);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    td_bind_push_u64(L, i ? last[i - 1] + 1 : 0);
    lua_setfield(L, -2, "first");
    td_bind_push_u64(L, last[i]);
    lua_setfield(L, -2, "last");
    td_bind_push_u64(L, events[i]);
    lua_setfield(L, -2, "events");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* profile:cut(first, last, most [, "upper"]) -> key, events | nil, key, events
 * The lower part of first..last, up to that key, or the upper one, from that
 * key on, that has at most so many events; nil where not one key does, and
 * the key at that end. */
static int profile_cut(lua_State *L) {
  static const char *const ends[] = {"lower", "upper", NULL};
  const bound_profile *from = self(L);
  td_profile_part part;
  part.first = td_bind_u64(L, td_bind_arg(2, "first"));
  part.last = td_bind_u64(L, td_bind_arg(3, "last"));
  part.events = td_bind_u64(L, td_bind_arg(4, "most"));
  if (part.last < part.first) {
    td_bind_bad(L, td_bind_arg(3, "last"), "lies below first");
  }
  bool upper = !lua_isnoneornil(L, 5)
            && td_bind_word(L, td_bind_arg(5, "end"), ends) == 1;
  bool fits = td_profile_cut(from->profile, &part, upper);
  if (!fits) lua_pushnil(L);
  td_bind_push_u64(L, upper ? part.first : part.last);
  td_bind_push_u64(L, part.events);
  return fits ? 2 : 3;
}

static const luaL_Reg methods[] = {
  {"add", profile_add}, {"read", profile_read}, {"events", profile_events},
  {"distinct", profile_distinct}, {"exact", profile_exact},
  {"counts", profile_counts}, {"hottest", profile_hottest},
  {"split", profile_split}, {"cut", profile_cut}, {NULL, NULL},
};

const td_bind_type td_bind_profile = {"tidal.Profile", methods, NULL};

void td_bind_open_profile(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"profile", new_profile}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_profile);
  luaL_setfuncs(L, functions, 0);
}
