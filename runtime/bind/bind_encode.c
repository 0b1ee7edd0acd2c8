/* tidal.wal, making batches: from a table, and with a builder whose bound
 * add() takes one event a call. */
#include "bind/bind_events.h"

static const char *const seal_keys[] = {
  "first_seq", "timestamp_ns", "shard", "region", "epoch", "lazy", NULL,
};
static const char *const batch_keys[] = {
  "first_seq", "timestamp_ns", "shard", "region", "epoch", "lazy", "kind",
  "events", "payload", "event_count", NULL,
};

/* The number of the first event; there is no default. */
static td_seqno check_first_seq(lua_State *L, int table) {
  lua_getfield(L, table, "first_seq");
  td_bind_at at = {.index = lua_gettop(L), .name = "first_seq"};
  td_seqno first_seq = {td_bind_u64(L, at)};
  if (first_seq.value == 0) td_bind_bad(L, at, "numbers start at 1, got 0");
  lua_pop(L, 1);
  return first_seq;
}

/* The header fields of a table of options; kind and counts stay 0. */
static td_batch check_head(lua_State *L, int table, const char *const *keys) {
  td_bind_at at = td_bind_arg(table, NULL);
  td_bind_table(L, at, "a table { first_seq =, timestamp_ns =, ... }");
  td_bind_known_keys(L, at, keys);
  td_batch head = {.version = TD_BATCH_VERSION};
  head.first_seq = check_first_seq(L, table);
  head.timestamp_ns = td_bind_field_u64(L, table, "timestamp_ns", 0);
  if (td_bind_field(L, table, "shard", &at)) {
    head.shard = td_bind_shard_id(L, at);
    lua_pop(L, 1);
  }
  if (td_bind_field(L, table, "region", &at)) {
    head.region = td_bind_region_id(L, at);
    lua_pop(L, 1);
  }
  head.layout_epoch = (uint32_t)td_bind_field_uint(L, table, "epoch", 0, 0,
                                                   UINT32_MAX);
  head.lazy = td_bind_field_bool(L, table, "lazy", false);
  return head;
}

/* Seals what stands behind the header in the buffer; pushes the bytes. */
static int push_sealed(lua_State *L, td_batch *head, luaL_Buffer *buffer,
                       uint8_t *out, size_t payload_len) {
  td_error err;
  td_span payload = {out + TD_BATCH_HEADER_BYTES, payload_len};
  if (td_batch_seal(head, payload, out, &err) != TD_OK) td_bind_raise(L, &err);
  luaL_pushresultsize(buffer, TD_BATCH_HEADER_BYTES + payload_len);
  return 1;
}

/* A payload in bytes: of signal events the count follows from the size, of
 * session events it must be given. */
static int encode_payload(lua_State *L, td_batch *head, td_bind_at at) {
  luaL_Buffer buffer;
  td_span payload = td_bind_bytes(L, at, "a string");
  if (payload.size > TD_BATCH_PAYLOAD_MAX) {
    td_bind_bad(L, at, lua_pushfstring(
      L, "%I bytes, at most %I fit into a batch", (LUAI_UACINT)payload.size,
      (LUAI_UACINT)TD_BATCH_PAYLOAD_MAX));
  }
  lua_getfield(L, 1, "event_count");
  at = (td_bind_at){.index = lua_gettop(L), .name = "event_count"};
  if (head->kind == TD_BATCH_SIGNALS && lua_isnil(L, at.index)) {
    head->event_count = (uint32_t)(payload.size / TD_RECORD_BYTES);
  } else {
    head->event_count = (uint32_t)td_bind_uint(L, at, 1, UINT32_MAX);
  }
  uint8_t *out = (uint8_t *)luaL_buffinitsize(
    L, &buffer, TD_BATCH_HEADER_BYTES + payload.size);
  memcpy(out + TD_BATCH_HEADER_BYTES, payload.data, payload.size);
  return push_sealed(L, head, &buffer, out, payload.size);
}

/* Refuses a field that goes with another form of the batch. */
static void must_be_nil(lua_State *L, const char *name, const char *what) {
  td_bind_at at;
  if (td_bind_field(L, 1, name, &at)) td_bind_bad(L, at, what);
}

/* wal.encode_batch{ first_seq =, timestamp_ns = 0, shard = 0, region = 0,
 *   epoch = 0, lazy = false, events = { {entity =, signal_type =, weight =,
 *   timestamp_ns =}, ... } } -> bytes. Instead of events: payload = (bytes),
 *   kind = 0, event_count =. Raises for what no reader would take. */
static int encode_batch(lua_State *L) {
  td_bind_at at;
  luaL_Buffer buffer;
  td_batch head = check_head(L, 1, batch_keys);
  lua_settop(L, 1);
  head.kind = (uint8_t)td_bind_field_uint(L, 1, "kind", 0, 0,
                                          TD_BATCH_SESSIONS);
  if (td_bind_field(L, 1, "payload", &at)) {
    must_be_nil(L, "events", "either events or a payload, not both");
    return encode_payload(L, &head, at);
  }
  if (head.kind != TD_BATCH_SIGNALS) {
    luaL_error(L, "payload: batches of kind %d are made from their bytes",
               (int)head.kind);
  }
  must_be_nil(L, "event_count", "goes with a payload; events are counted");
  lua_getfield(L, 1, "events");
  at = (td_bind_at){.index = 2, .name = "events"};
  uint32_t count = td_bind_list(L, at, "a list of events", TD_RECORDS_MAX);
  if (count == 0) td_bind_bad(L, at, "a batch has at least one event");
  head.event_count = count;
  size_t payload_len = (size_t)count * TD_RECORD_BYTES;
  /* A userdata first: reading events may raise, and a buffer on the stack
   * would be in the way of it. */
  uint8_t *records = lua_newuserdatauv(L, payload_len, 0);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    lua_rawgeti(L, 2, i);
    td_record record = td_bind_entry_event(L, i);
    td_record_encode(&record, records + (size_t)(i - 1) * TD_RECORD_BYTES);
    lua_pop(L, 1);
  }
  uint8_t *out = (uint8_t *)luaL_buffinitsize(
    L, &buffer, TD_BATCH_HEADER_BYTES + payload_len);
  memcpy(out + TD_BATCH_HEADER_BYTES, records, payload_len);
  return push_sealed(L, &head, &buffer, out, payload_len);
}

/* --- builder ----------------------------------------------------------- */

/* User value 1 is the block of the events. */
#define BLOCK 1

td_bind_events *td_bind_check_builder(lua_State *L, int arg) {
  return td_bind_check(L, arg, &td_bind_builder);
}

void td_bind_builder_reserve(lua_State *L, int arg, uint32_t more) {
  td_bind_events_reserve(L, td_bind_check_builder(L, arg), arg, BLOCK, more);
}

/* builder:add(entity, signal_type, weight, timestamp_ns) */
static int builder_add(lua_State *L) {
  td_bind_events_put(L, td_bind_check_builder(L, 1), 1, BLOCK, 2);
  return 0;
}

static int builder_add_bound(lua_State *L) {
  td_bind_events *to = lua_touserdata(L, lua_upvalueindex(1));
  td_bind_events_put(L, to, lua_upvalueindex(1), BLOCK, 1);
  return 0;
}

/* builder:bind() -> add, the same as a function without the receiver */
static int builder_bind(lua_State *L) {
  td_bind_check(L, 1, &td_bind_builder);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, builder_add_bound, 1);
  return 1;
}

static int builder_len(lua_State *L) {
  lua_pushinteger(L, td_bind_check_builder(L, 1)->count);
  return 1;
}

/* builder:clear(): its events are gone, its memory stays */
static int builder_clear(lua_State *L) {
  td_bind_check_builder(L, 1)->count = 0;
  return 0;
}

/* builder:shards(router) -> list of the ShardIds its events belong to, each
 * once, rising */
static int builder_shards(lua_State *L) {
  const td_bind_events *from = td_bind_check_builder(L, 1);
  const td_router *router = td_bind_check(L, 2, &td_bind_router);
  uint32_t shards = td_router_shard_max(router).value + 1u;
  uint8_t *seen = lua_newuserdatauv(L, shards, 0);
  memset(seen, 0, shards);
  for (uint32_t i = 0; i < from->count; i++) {
    seen[td_router_route(router, from->records[i].entity).value] = 1;
  }
  lua_newtable(L);
  for (uint32_t i = 0; i < shards; i++) {
    if (!seen[i]) continue;
    td_bind_push_shard(L, (td_shard_id){(uint16_t)i});
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

/* builder:seal{ first_seq =, timestamp_ns =, shard =, ... } -> bytes; the
 * builder is empty again. Raises, and keeps its events, for bad fields. */
static int builder_seal(lua_State *L) {
  luaL_Buffer buffer;
  td_bind_events *from = td_bind_check_builder(L, 1);
  td_batch head = check_head(L, 2, seal_keys);
  if (from->count == 0) luaL_error(L, "the builder holds no events");
  head.event_count = from->count;
  size_t payload_len = (size_t)from->count * TD_RECORD_BYTES;
  uint8_t *out = (uint8_t *)luaL_buffinitsize(
    L, &buffer, TD_BATCH_HEADER_BYTES + payload_len);
  for (uint32_t i = 0; i < from->count; i++) {
    td_record_encode(&from->records[i], out + TD_BATCH_HEADER_BYTES
                                        + (size_t)i * TD_RECORD_BYTES);
  }
  push_sealed(L, &head, &buffer, out, payload_len);
  from->count = 0;
  return 1;
}

/* wal.builder() -> collects events for one batch after another */
static int new_builder(lua_State *L) {
  td_bind_new(L, &td_bind_builder, sizeof(td_bind_events), BLOCK);
  return 1;
}

/* --- registration ------------------------------------------------------ */

static const luaL_Reg builder_methods[] = {
  {"add", builder_add}, {"bind", builder_bind}, {"seal", builder_seal},
  {"clear", builder_clear}, {"shards", builder_shards}, {NULL, NULL},
};
static const luaL_Reg builder_metas[] = {
  {"__len", builder_len}, {NULL, NULL},
};

const td_bind_type td_bind_builder = {"tidal.BatchBuilder", builder_methods,
                                      builder_metas};

void td_bind_open_encode(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"encode_batch", encode_batch}, {"builder", new_builder}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_builder);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
