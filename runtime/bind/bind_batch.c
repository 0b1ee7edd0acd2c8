/* A batch as a Lua value: fields, events, its bytes again. */
#include "bind/bind_batch.h"

static td_bound_batch *push_batch(lua_State *L, const td_batch *head,
                                  td_span payload, uint64_t offset,
                                  size_t room) {
  td_bound_batch *batch = td_bind_new(L, &td_bind_batch,
                                      sizeof *batch + room, 1);
  batch->head = *head;
  batch->payload = payload;
  batch->offset = offset;
  return batch;
}

void td_bind_push_batch(lua_State *L, const td_batch *head, td_span payload,
                        uint64_t offset) {
  td_bound_batch *batch = push_batch(L, head, payload, offset, payload.size);
  uint8_t *copy = (uint8_t *)(batch + 1);
  memcpy(copy, payload.data, payload.size);
  batch->payload.data = copy;
}

void td_bind_push_batch_in(lua_State *L, int string, const td_batch *head,
                           td_span payload, uint64_t offset) {
  push_batch(L, head, payload, offset, 0);
  lua_pushvalue(L, string);
  lua_setiuservalue(L, -2, 1);
}

static const td_bound_batch *self(lua_State *L) {
  return td_bind_check(L, 1, &td_bind_batch);
}

typedef enum field {
  FIELD_VERSION = 1, FIELD_KIND, FIELD_LAZY, FIELD_FIRST_SEQ, FIELD_LAST_SEQ,
  FIELD_TIMESTAMP, FIELD_EVENT_COUNT, FIELD_PAYLOAD_LEN, FIELD_PAYLOAD_HASH,
  FIELD_LAYOUT_EPOCH, FIELD_SHARD, FIELD_REGION, FIELD_PAYLOAD, FIELD_OFFSET,
  FIELD_SIZE, FIELD_LOG,
} field;

static void push_hash(lua_State *L, td_hash128 hash) {
  char text[33];
  td_text out = td_text_init(text, sizeof text);
  td_text_hex(&out, hash.high, 16);
  td_text_hex(&out, hash.low, 16);
  lua_pushlstring(L, text, out.size);
}

static void push_field(lua_State *L, const td_bound_batch *batch,
                       field which) {
  const td_batch *head = &batch->head;
  switch (which) {
  case FIELD_VERSION: lua_pushinteger(L, head->version); break;
  case FIELD_KIND: lua_pushinteger(L, head->kind); break;
  case FIELD_LAZY: lua_pushboolean(L, head->lazy); break;
  case FIELD_FIRST_SEQ: td_bind_push_u64(L, head->first_seq.value); break;
  case FIELD_LAST_SEQ:
    td_bind_push_u64(L, td_batch_last_seq(head).value);
    break;
  case FIELD_TIMESTAMP: td_bind_push_u64(L, head->timestamp_ns); break;
  case FIELD_EVENT_COUNT: lua_pushinteger(L, head->event_count); break;
  case FIELD_PAYLOAD_LEN: lua_pushinteger(L, head->payload_len); break;
  case FIELD_PAYLOAD_HASH: push_hash(L, head->payload_hash); break;
  case FIELD_LAYOUT_EPOCH: lua_pushinteger(L, head->layout_epoch); break;
  case FIELD_SHARD: td_bind_push_shard(L, head->shard); break;
  case FIELD_REGION: td_bind_push_region(L, head->region); break;
  case FIELD_PAYLOAD:
    lua_pushlstring(L, (const char *)batch->payload.data,
                    batch->payload.size);
    break;
  case FIELD_OFFSET: td_bind_push_u64(L, batch->offset); break;
  case FIELD_SIZE:
    lua_pushinteger(L, (lua_Integer)td_batch_size(head));
    break;
  case FIELD_LOG:
    td_bind_push_log(L, (td_log_id){head->region, head->shard});
    break;
  }
}

/* Upvalue 2: names -> field numbers or methods. */
static int batch_index(lua_State *L) {
  const td_bound_batch *batch = td_bind_self(L, &td_bind_batch);
  lua_settop(L, 2);
  lua_rawget(L, lua_upvalueindex(2));
  if (lua_type(L, -1) == LUA_TNUMBER) {
    push_field(L, batch, (field)lua_tointeger(L, -1));
  }
  return 1;
}

static int batch_tostring(lua_State *L) {
  const td_bound_batch *batch = self(L);
  char id[TD_LOG_ID_TEXT_MAX], first[24], last[24];
  td_log_id_format((td_log_id){batch->head.region, batch->head.shard}, id);
  td_text text = td_text_init(first, sizeof first);
  td_text_decimal(&text, batch->head.first_seq.value);
  text = td_text_init(last, sizeof last);
  td_text_decimal(&text, td_batch_last_seq(&batch->head).value);
  lua_pushfstring(L, "tidal.Batch(%s:%s..%s)", id, first, last);
  return 1;
}

/* --- events ------------------------------------------------------------ */

static uint32_t record_count(const td_bound_batch *batch) {
  return batch->head.kind == TD_BATCH_SIGNALS ? batch->head.event_count : 0;
}

static td_record record_at(const td_bound_batch *batch, uint32_t i) {
  return td_record_decode(batch->payload.data + (size_t)i * TD_RECORD_BYTES);
}

static void push_record(lua_State *L, td_record record) {
  lua_createtable(L, 0, 4);
  td_bind_push_u64(L, record.entity.value);
  lua_setfield(L, -2, "entity");
  lua_pushinteger(L, record.signal_type);
  lua_setfield(L, -2, "signal_type");
  lua_pushnumber(L, (lua_Number)record.weight);
  lua_setfield(L, -2, "weight");
  td_bind_push_u64(L, record.timestamp_ns);
  lua_setfield(L, -2, "timestamp_ns");
}

static int push_values(lua_State *L, td_record record) {
  td_bind_push_u64(L, record.entity.value);
  lua_pushinteger(L, record.signal_type);
  lua_pushnumber(L, (lua_Number)record.weight);
  td_bind_push_u64(L, record.timestamp_ns);
  return 4;
}

/* True if entry `at` of the list in argument 1 is argument 3. */
static bool entry_is_last(lua_State *L, lua_Integer at) {
  lua_rawgeti(L, 1, at);
  bool same = lua_rawequal(L, -1, 3);
  lua_pop(L, 1);
  return same;
}

/* Calling the list of batch:events(): the next event. A `for` also passes
 * the event before (nil at its start), so that every loop over the list is
 * whole; upvalue 1, the number of that event, saves the search. */
static int events_next(lua_State *L) {
  td_bind_table(L, td_bind_arg(1, NULL), "a list of events");
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(1));
  if (lua_gettop(L) >= 3 && lua_isnil(L, 3)) {
    at = 0;
  } else if (lua_gettop(L) >= 3 && !entry_is_last(L, at)) {
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    for (at = 1; at < count && !entry_is_last(L, at);) at++;
  }
  lua_pushinteger(L, ++at);
  lua_replace(L, lua_upvalueindex(1));
  lua_rawgeti(L, 1, at);
  return 1;
}

/* batch:events() -> list of { entity =, signal_type =, weight =,
 * timestamp_ns = }; `for event in batch:events()` works too. Empty for a
 * batch of session events. */
static int batch_events(lua_State *L) {
  const td_bound_batch *batch = self(L);
  uint32_t count = record_count(batch);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    push_record(L, record_at(batch, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_createtable(L, 0, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, events_next, 1);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, -2);
  return 1;
}

/* batch:event(i) -> entity, signal_type, weight, timestamp_ns; 1-based */
static int batch_event(lua_State *L) {
  const td_bound_batch *batch = self(L);
  td_bind_at at = td_bind_arg(2, "event");
  if (record_count(batch) == 0) {
    td_bind_bad(L, at, "a batch of session events has no records");
  }
  uint64_t i = td_bind_uint(L, at, 1, record_count(batch));
  return push_values(L, record_at(batch, (uint32_t)i - 1));
}

static int each_next(lua_State *L) {
  const td_bound_batch *batch = td_bind_check(L, 1, &td_bind_batch);
  uint64_t i = 0;
  if (!lua_isnoneornil(L, 2)) {
    i = td_bind_uint(L, td_bind_arg(2, "event"), 0, record_count(batch));
  }
  if (i == record_count(batch)) return 0;
  lua_pushinteger(L, (lua_Integer)i + 1);
  return 1 + push_values(L, record_at(batch, (uint32_t)i));
}

/* for i, entity, signal_type, weight, timestamp_ns in batch:each() */
static int batch_each(lua_State *L) {
  self(L);
  lua_pushcfunction(L, each_next);
  lua_pushvalue(L, 1);
  return 2;
}

/* batch:encode() -> header (made again from the fields) and payload */
static int batch_encode(lua_State *L) {
  const td_bound_batch *batch = self(L);
  luaL_Buffer buffer;
  size_t size = td_batch_size(&batch->head);
  uint8_t *out = (uint8_t *)luaL_buffinitsize(L, &buffer, size);
  td_batch_encode(&batch->head, out);
  memcpy(out + TD_BATCH_HEADER_BYTES, batch->payload.data,
         batch->payload.size);
  luaL_pushresultsize(&buffer, size);
  return 1;
}

/* --- registration ------------------------------------------------------ */

static const luaL_Reg batch_methods[] = {
  {"events", batch_events}, {"event", batch_event}, {"each", batch_each},
  {"encode", batch_encode}, {NULL, NULL},
};
static const luaL_Reg batch_metas[] = {
  {"__tostring", batch_tostring}, {NULL, NULL},
};

const td_bind_type td_bind_batch = {"tidal.Batch", NULL, batch_metas};

static const struct { const char *name; field which; } fields[] = {
  {"version", FIELD_VERSION}, {"kind", FIELD_KIND}, {"lazy", FIELD_LAZY},
  {"first_seq", FIELD_FIRST_SEQ}, {"last_seq", FIELD_LAST_SEQ},
  {"timestamp_ns", FIELD_TIMESTAMP}, {"event_count", FIELD_EVENT_COUNT},
  {"payload_len", FIELD_PAYLOAD_LEN}, {"payload_hash", FIELD_PAYLOAD_HASH},
  {"layout_epoch", FIELD_LAYOUT_EPOCH}, {"epoch", FIELD_LAYOUT_EPOCH},
  {"shard", FIELD_SHARD}, {"region", FIELD_REGION}, {"log", FIELD_LOG},
  {"payload", FIELD_PAYLOAD}, {"offset", FIELD_OFFSET}, {"size", FIELD_SIZE},
};

/* Fields and methods of a batch are one table: upvalue 2 of __index. */
void td_bind_push_header(lua_State *L, const td_batch *head) {
  td_bound_batch shown = {*head, {NULL, 0}, 0};
  lua_createtable(L, 0, 16);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (fields[i].which == FIELD_PAYLOAD) continue;
    if (fields[i].which == FIELD_OFFSET) continue;
    push_field(L, &shown, fields[i].which);
    lua_setfield(L, -2, fields[i].name);
  }
}

void td_bind_open_batch(lua_State *L) {
  td_bind_type_new(L, &td_bind_batch);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &td_bind_batch);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &td_bind_batch);
  lua_newtable(L);
  td_bind_functions(L, batch_methods, &td_bind_batch);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_pushinteger(L, fields[i].which);
    lua_setfield(L, -2, fields[i].name);
  }
  lua_pushcclosure(L, batch_index, 2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

