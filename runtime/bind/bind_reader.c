/* tidal.wal.reader: a directory of logs, read-only; and its cursors. */
#include "bind/bind_batch.h"

typedef struct reader {
  td_wal_dir dir;
  bool open;
} reader;

static reader *open_self(lua_State *L) {
  reader *self = td_bind_check(L, 1, &td_bind_reader);
  if (!self->open) luaL_error(L, "the reader is closed");
  return self;
}

const td_wal_dir *td_bind_check_reader(lua_State *L, int arg) {
  const reader *self = td_bind_check(L, arg, &td_bind_reader);
  if (!self->open) luaL_error(L, "the reader is closed");
  return &self->dir;
}

/* wal.reader(path) -> reader | nil, err. Changes nothing in the directory. */
static int new_reader(lua_State *L) {
  td_error err;
  td_env env;
  const char *path = td_bind_place(L, td_bind_arg(1, "directory"), &env);
  reader *self = td_bind_new(L, &td_bind_reader, sizeof *self, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (td_wal_dir_open(&self->dir, &env, path, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  self->open = true;
  return 1;
}

/* reader:close(); also __gc and __close */
static int reader_close(lua_State *L) {
  reader *self = td_bind_check(L, 1, &td_bind_reader);
  if (self->open) {
    self->open = false;
    td_wal_dir_close(&self->dir);
  }
  return 0;
}

static void push_segment(lua_State *L, const td_wal_segment *segment) {
  char name[TD_SEGNAME_TEXT_MAX];
  lua_createtable(L, 0, 4);
  lua_pushlstring(L, name, td_segname_format(segment->name, name));
  lua_setfield(L, -2, "name");
  td_bind_push_shard(L, segment->name.shard);
  lua_setfield(L, -2, "shard");
  td_bind_push_u64(L, segment->name.first_seq.value);
  lua_setfield(L, -2, "first_seq");
  td_bind_push_u64(L, segment->size);
  lua_setfield(L, -2, "size");
}

/* reader:segments([shard]) -> list of { name =, shard =, first_seq =,
 * size = }, sorted by shard and first_seq */
static int reader_segments(lua_State *L) {
  const td_wal_dir *dir = &open_self(L)->dir;
  uint32_t first = 0, count = dir->segment_count;
  if (!lua_isnoneornil(L, 2)) {
    td_shard_id shard = td_bind_shard_id(L, td_bind_arg(2, "shard"));
    count = td_wal_dir_log(dir, shard, &first);
  }
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    push_segment(L, &dir->segments[first + i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* reader:shards() -> list of ShardIds that have a log here, rising */
static int reader_shards(lua_State *L) {
  const td_wal_dir *dir = &open_self(L)->dir;
  lua_newtable(L);
  for (uint32_t i = 0; i < dir->segment_count; i++) {
    td_shard_id shard = dir->segments[i].name.shard;
    if (i > 0 && td_shard_id_eq(shard, dir->segments[i - 1].name.shard)) {
      continue;
    }
    td_bind_push_shard(L, shard);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

/* reader:bytes() -> size of all segments together */
static int reader_bytes(lua_State *L) {
  const td_wal_dir *dir = &open_self(L)->dir;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < dir->segment_count; i++) {
    sum += dir->segments[i].size;
  }
  td_bind_push_u64(L, sum);
  return 1;
}

/* --- cursors: user value 1 is the reader ------------------------------- */

td_wal_cursor *td_bind_check_cursor(lua_State *L, int arg) {
  td_bound_cursor *self = td_bind_check(L, arg, &td_bind_cursor);
  if (!self->open) luaL_error(L, "the cursor is closed");
  lua_getiuservalue(L, arg, 1);
  const reader *from = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (!from->open) luaL_error(L, "the reader of this cursor is closed");
  return &self->cursor;
}

/* reader:cursor(shard [, from_seq]) -> cursor at the batch with that event */
static int reader_cursor(lua_State *L) {
  td_error err;
  const reader *from = open_self(L);
  td_seqno seq = {0};
  td_shard_id shard = td_bind_shard_id(L, td_bind_arg(2, "shard"));
  if (!lua_isnoneornil(L, 3)) {
    seq.value = td_bind_u64(L, td_bind_arg(3, "from_seq"));
  }
  /* The collector does not see the buffer, so it is told of it. */
  lua_gc(L, LUA_GCSTEP, (int)(TD_WAL_BUFFER_BYTES / 1024));
  td_bound_cursor *self = td_bind_new(L, &td_bind_cursor, sizeof *self, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (td_wal_cursor_open(&self->cursor, &from->dir, shard, seq, &err)
      != TD_OK) {
    return td_bind_fail(L, &err);
  }
  self->open = true;
  return 1;
}

/* cursor:close(); also __gc and __close */
static int cursor_close(lua_State *L) {
  td_bound_cursor *self = td_bind_check(L, 1, &td_bind_cursor);
  if (self->open) {
    self->open = false;
    td_wal_cursor_close(&self->cursor);
  }
  return 0;
}

/* cursor:next() -> batch, segment name | nil at the end | nil, err */
static int cursor_next(lua_State *L) {
  td_error err;
  td_wal_batch batch;
  char name[TD_SEGNAME_TEXT_MAX];
  td_wal_cursor *cursor = td_bind_check_cursor(L, 1);
  td_status status = td_wal_cursor_next(cursor, &batch, &err);
  if (status == TD_END) {
    lua_pushnil(L);
    return 1;
  }
  if (status != TD_OK) return td_bind_fail(L, &err);
  td_bind_push_batch(L, &batch.head, batch.payload, batch.offset);
  const td_wal_segment *segment = &cursor->dir->segments[batch.segment];
  lua_pushlstring(L, name, td_segname_format(segment->name, name));
  return 2;
}

static int cursor_step(lua_State *L) {
  lua_settop(L, 1);
  int results = cursor_next(L);
  if (results == 2 && lua_isnil(L, -2)) return lua_error(L);
  return results;
}

/* for batch, segment_name in cursor:batches(): raises where the log is
 * damaged, so that a loop never ends early by itself */
static int cursor_batches(lua_State *L) {
  td_bind_check_cursor(L, 1);
  lua_pushcfunction(L, cursor_step);
  lua_pushvalue(L, 1);
  return 2;
}

/* reader:batches(shard [, from_seq]): the same, over a new cursor, which the
 * loop closes however it ends */
static int reader_batches(lua_State *L) {
  int results = reader_cursor(L);
  if (results == 2) return lua_error(L);
  lua_pushcfunction(L, cursor_step);
  lua_insert(L, -2);
  lua_pushnil(L);
  lua_pushvalue(L, -2);
  return 4;
}

static const luaL_Reg reader_methods[] = {
  {"close", reader_close}, {"segments", reader_segments},
  {"shards", reader_shards}, {"bytes", reader_bytes},
  {"cursor", reader_cursor}, {"batches", reader_batches}, {NULL, NULL},
};
static const luaL_Reg reader_metas[] = {
  {"__gc", reader_close}, {"__close", reader_close}, {NULL, NULL},
};
static const luaL_Reg cursor_methods[] = {
  {"next", cursor_next}, {"batches", cursor_batches},
  {"close", cursor_close}, {NULL, NULL},
};
static const luaL_Reg cursor_metas[] = {
  {"__gc", cursor_close}, {"__close", cursor_close}, {NULL, NULL},
};

const td_bind_type td_bind_reader = {"tidal.WalReader", reader_methods,
                                     reader_metas};
const td_bind_type td_bind_cursor = {"tidal.WalCursor", cursor_methods,
                                     cursor_metas};

void td_bind_open_reader(lua_State *L) {
  static const luaL_Reg functions[] = {{"reader", new_reader}, {NULL, NULL}};
  td_bind_type_new(L, &td_bind_reader);
  td_bind_type_new(L, &td_bind_cursor);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
