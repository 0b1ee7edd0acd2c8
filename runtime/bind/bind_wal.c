/* tidal.wal, reading bytes: batches, scans of a segment in a string, names of
 * segments. Files are read by bind_reader.c. */
#include "bind/bind_batch.h"

static td_span bytes_arg(lua_State *L, int arg) {
  return td_bind_bytes(L, td_bind_arg(arg, "bytes"), "a string");
}

/* Arguments (bytes [, offset = 0]): the offset counts bytes from 0. */
static td_span bytes_from(lua_State *L, uint64_t *offset) {
  td_span bytes = bytes_arg(L, 1);
  *offset = 0;
  if (!lua_isnoneornil(L, 2)) {
    *offset = td_bind_uint(L, td_bind_arg(2, "offset"), 0, bytes.size);
  }
  return (td_span){bytes.data + *offset, bytes.size - *offset};
}

/* wal.decode_batch(bytes [, offset = 0]) -> batch | nil, err
 * Header and payload are both verified. */
static int decode_batch(lua_State *L) {
  td_error err;
  td_batch head;
  uint64_t offset;
  td_span at = bytes_from(L, &offset);
  td_status status = td_batch_decode(at, &head, &err);
  if (status == TD_OK) {
    at.data += TD_BATCH_HEADER_BYTES;
    at.size -= TD_BATCH_HEADER_BYTES;
    status = td_batch_verify(&head, at, &err);
  }
  if (status != TD_OK) {
    td_error_at(&err, NULL, offset);
    return td_bind_fail(L, &err);
  }
  at.size = head.payload_len;
  td_bind_push_batch_in(L, 1, &head, at, offset);
  return 1;
}

/* wal.decode_header(bytes [, offset = 0]) -> table of fields | nil, err
 * Only the 64 bytes are looked at. */
static int decode_header(lua_State *L) {
  td_error err;
  td_batch head;
  uint64_t offset;
  td_span at = bytes_from(L, &offset);
  if (td_batch_decode(at, &head, &err) != TD_OK) {
    td_error_at(&err, NULL, offset);
    return td_bind_fail(L, &err);
  }
  td_bind_push_header(L, &head);
  return 1;
}

/* scan:next() -> batch | nil at the end | nil, err */
static int scan_next(lua_State *L) {
  td_segment *scan = td_bind_check(L, 1, &td_bind_scan);
  td_batch head;
  td_span payload;
  td_error err;
  size_t at = scan->at;
  td_status status = td_segment_next(scan, &head, &payload, &err);
  if (status == TD_END) {
    lua_pushnil(L);
    return 1;
  }
  if (status != TD_OK) return td_bind_fail(L, &err);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  td_bind_push_batch_in(L, 2, &head, payload, at);
  return 1;
}

/* scan:offset() -> bytes from 0 of what comes next */
static int scan_offset(lua_State *L) {
  const td_segment *scan = td_bind_check(L, 1, &td_bind_scan);
  lua_pushinteger(L, (lua_Integer)scan->at);
  return 1;
}

static int scan_step(lua_State *L) {
  lua_settop(L, 1);
  if (scan_next(L) == 1) return 1;
  return lua_error(L);
}

/* for batch in scan:batches(): raises the error where bytes are damaged */
static int scan_batches(lua_State *L) {
  td_bind_check(L, 1, &td_bind_scan);
  lua_pushcfunction(L, scan_step);
  lua_pushvalue(L, 1);
  return 2;
}

/* wal.scan(bytes) -> a walk over the batches of a segment in a string */
static int new_scan(lua_State *L) {
  td_span bytes = bytes_arg(L, 1);
  td_segment *scan = td_bind_new(L, &td_bind_scan, sizeof *scan, 1);
  *scan = td_segment_init(bytes);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* wal.segment_name(shard, first_seq) -> name */
static int segment_name(lua_State *L) {
  char text[TD_SEGNAME_TEXT_MAX];
  td_segname name;
  name.shard = td_bind_shard_id(L, td_bind_arg(1, "shard"));
  name.first_seq.value = td_bind_u64(L, td_bind_arg(2, "first_seq"));
  if (name.first_seq.value == 0) {
    td_bind_bad(L, td_bind_arg(2, "first_seq"), "numbers start at 1, got 0");
  }
  lua_pushlstring(L, text, td_segname_format(name, text));
  return 1;
}

/* wal.parse_segment_name(name) -> ShardId, first_seq | nil, err */
static int parse_segment_name(lua_State *L) {
  td_segname name;
  td_error err;
  td_span bytes = td_bind_bytes(L, td_bind_arg(1, "name"), "a string");
  const char *text = (const char *)bytes.data;
  if (td_segname_parse(text, bytes.size, &name, &err) != TD_OK) {
    td_error_at(&err, text, TD_NO_OFFSET);
    return td_bind_fail(L, &err);
  }
  td_bind_push_shard(L, name.shard);
  td_bind_push_u64(L, name.first_seq.value);
  return 2;
}

static const luaL_Reg scan_methods[] = {
  {"next", scan_next}, {"offset", scan_offset}, {"batches", scan_batches},
  {NULL, NULL},
};

const td_bind_type td_bind_scan = {"tidal.Scan", scan_methods, NULL};

void td_bind_open_wal(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"decode_batch", decode_batch}, {"decode_header", decode_header},
    {"scan", new_scan}, {"segment_name", segment_name},
    {"parse_segment_name", parse_segment_name}, {NULL, NULL},
  };
  td_bind_open_batch(L);
  td_bind_type_new(L, &td_bind_scan);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
