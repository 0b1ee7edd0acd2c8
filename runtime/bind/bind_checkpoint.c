/* tidal.wal.encode_checkpoint, decode_checkpoint: both versions; and the
 * newest checkpoint of a log. */
#include "bind/bind.h"
#include "io/wal_notes.h"

td_mark td_bind_check_mark(lua_State *L, int index, lua_Integer i) {
  static const char *const mark_keys[] = {"log", "epoch", "seqno", NULL};
  td_mark mark;
  lua_rawgeti(L, index, i);
  int record = lua_gettop(L);
  td_bind_at at = td_bind_entry(L, "marks", i, NULL);
  td_bind_table(L, at, "a table { log =, epoch =, seqno = }");
  td_bind_known_keys(L, at, mark_keys);
  lua_getfield(L, record, "log");
  mark.log = td_bind_log_id(L, td_bind_entry(L, "marks", i, "log"));
  lua_getfield(L, record, "epoch");
  mark.epoch = (uint32_t)td_bind_uint(
    L, td_bind_entry(L, "marks", i, "epoch"), 0, UINT32_MAX);
  lua_getfield(L, record, "seqno");
  mark.seqno.value = td_bind_u64(L, td_bind_entry(L, "marks", i, "seqno"));
  lua_settop(L, record - 1);
  return mark;
}

static const char *const keys[] = {
  "version", "seqno", "timestamp_ns", "generation", "hlc_wall_ns", "epoch",
  "shard", "region", "clean", "marks", NULL,
};

/* The fields of a table of options; the count of marks stays 0. */
static td_checkpoint check_fields(lua_State *L) {
  td_bind_at at = td_bind_arg(1, NULL);
  td_checkpoint checkpoint = {0};
  td_bind_table(L, at, "a table { seqno =, timestamp_ns =, ... }");
  td_bind_known_keys(L, at, keys);
  td_bind_field_uint(L, 1, "version", TD_CHECKPOINT_VERSION,
                     TD_CHECKPOINT_VERSION, TD_CHECKPOINT_VERSION);
  checkpoint.seqno.value = td_bind_field_u64(L, 1, "seqno", 0);
  checkpoint.timestamp_ns = td_bind_field_u64(L, 1, "timestamp_ns", 0);
  checkpoint.generation = td_bind_field_u64(L, 1, "generation", 1);
  checkpoint.hlc_wall_ns = td_bind_field_u64(L, 1, "hlc_wall_ns", 0);
  checkpoint.layout_epoch = (uint32_t)td_bind_field_uint(L, 1, "epoch", 0, 0,
                                                         UINT32_MAX);
  checkpoint.clean = td_bind_field_bool(L, 1, "clean", false);
  if (td_bind_field(L, 1, "shard", &at)) {
    checkpoint.shard = td_bind_shard_id(L, at);
  }
  if (td_bind_field(L, 1, "region", &at)) {
    checkpoint.region = td_bind_region_id(L, at);
  }
  if (checkpoint.generation == 0) {
    at = (td_bind_at){.name = "generation"};
    td_bind_bad(L, at, "numbers start at 1, got 0");
  }
  return checkpoint;
}

/* wal.encode_checkpoint{ seqno =, timestamp_ns =, generation = 1,
 *   hlc_wall_ns = 0, epoch = 0, shard = 0, region = 0, clean = false,
 *   marks = { {log =, epoch =, seqno =}, ... } } -> bytes
 * Marks in rising order of log: what state:marks() gives. What
 * decode_checkpoint gives for a v2 one can be encoded again. */
static int encode_checkpoint(lua_State *L) {
  td_error err;
  luaL_Buffer buffer;
  lua_settop(L, 1);
  td_checkpoint checkpoint = check_fields(L);
  lua_settop(L, 1);
  if (lua_getfield(L, 1, "marks") == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
  }
  td_bind_at at = {.index = 2, .name = "marks"};
  uint32_t count = td_bind_list(L, at, "a list", TD_CHECKPOINT_MARKS_MAX);
  checkpoint.mark_count = count;
  td_mark *marks = lua_newuserdatauv(L, (count + 1u) * sizeof *marks, 0);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    marks[i - 1] = td_bind_check_mark(L, 2, i);
  }
  size_t size = td_checkpoint_size(checkpoint.mark_count);
  uint8_t *out = (uint8_t *)luaL_buffinitsize(L, &buffer, size);
  if (td_checkpoint_encode(&checkpoint, marks, out, size, &err) != TD_OK) {
    td_bind_raise(L, &err);
  }
  luaL_pushresultsize(&buffer, size);
  return 1;
}

void td_bind_push_mark(lua_State *L, td_mark mark) {
  lua_createtable(L, 0, 3);
  td_bind_push_log(L, mark.log);
  lua_setfield(L, -2, "log");
  lua_pushinteger(L, mark.epoch);
  lua_setfield(L, -2, "epoch");
  td_bind_push_u64(L, mark.seqno.value);
  lua_setfield(L, -2, "seqno");
}

static void push_marks(lua_State *L, td_span bytes, uint32_t count) {
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    td_bind_push_mark(L, td_checkpoint_mark(bytes, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void set_u64(lua_State *L, const char *name, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, name);
}

static void push_checkpoint(lua_State *L, const td_checkpoint *read,
                            td_span bytes, bool v1) {
  lua_createtable(L, 0, 10);
  set_u64(L, "version", v1 ? 1 : TD_CHECKPOINT_VERSION);
  set_u64(L, "seqno", read->seqno.value);
  set_u64(L, "timestamp_ns", read->timestamp_ns);
  set_u64(L, "generation", read->generation);
  set_u64(L, "hlc_wall_ns", read->hlc_wall_ns);
  set_u64(L, "epoch", read->layout_epoch);
  td_bind_push_shard(L, read->shard);
  lua_setfield(L, -2, "shard");
  td_bind_push_region(L, read->region);
  lua_setfield(L, -2, "region");
  lua_pushboolean(L, read->clean);
  lua_setfield(L, -2, "clean");
  push_marks(L, bytes, read->mark_count);
  lua_setfield(L, -2, "marks");
}

/* wal.decode_checkpoint(bytes) -> { version =, seqno =, timestamp_ns =,
 *   generation =, hlc_wall_ns =, epoch =, shard =, region =, clean =,
 *   marks = {} } | nil, err. 16 bytes are a v1 checkpoint.meta. */
static int decode_checkpoint(lua_State *L) {
  td_error err;
  td_checkpoint checkpoint;
  td_span bytes = td_bind_bytes(L, td_bind_arg(1, "bytes"), "a string");
  bool v1 = bytes.size == TD_CHECKPOINT_V1_BYTES;
  td_status status = v1 ? td_checkpoint_decode_v1(bytes, &checkpoint, &err)
                        : td_checkpoint_decode(bytes, &checkpoint, &err);
  if (status != TD_OK) return td_bind_fail(L, &err);
  push_checkpoint(L, &checkpoint, bytes, v1);
  return 1;
}

/* --- the newest of a log -------------------------------------------------- */

typedef struct found {
  td_wal_file file;
  td_checkpoint checkpoint;
  bool there;  /* in `file` */
  bool v1;
  td_error err;  /* of the last one that is damaged; TD_OK = none */
} found;

/* One file; takes the place of an older one. */
static void look_at(const td_wal_dir *dir, td_shard_id shard, uint32_t slot,
                    bool v1, found *best) {
  char name[TD_CHECKPOINT_NAME_MAX] = TD_WAL_META_NAME;
  td_wal_file file;
  td_error err;
  td_checkpoint read;
  if (!v1) td_checkpoint_name(shard, slot, name);
  td_status status = td_wal_file_read(
    dir, name, td_checkpoint_size(TD_CHECKPOINT_MARKS_MAX), &file, &err);
  if (status == TD_IO && err.sys == TD_SYS_NOENT) return;
  if (status == TD_OK) {
    td_span bytes = {file.data, file.size};
    status = v1 ? td_checkpoint_decode_v1(bytes, &read, &err)
                : td_wal_slot_decode(bytes, shard, slot, &read, &err);
    if (status != TD_OK) td_error_at(&err, name, 0);
    if (status != TD_OK || (best->there && best->checkpoint.generation
                                             > read.generation)) {
      td_wal_file_free(dir, &file);
    } else {
      td_wal_file_free(dir, &best->file);
      best->file = file;
      best->checkpoint = read;
      best->there = true;
      best->v1 = v1;
    }
  }
  if (status != TD_OK) best->err = err;
}

static int push_found(lua_State *L) {
  const found *best = lua_touserdata(L, 1);
  push_checkpoint(L, &best->checkpoint,
                  (td_span){best->file.data, best->file.size}, best->v1);
  return 1;
}

/* wal.checkpoint{ dir =, shard = 0 } -> the newest checkpoint of that log, as
 * decode_checkpoint gives it | nil when there is none | nil, err. Changes
 * nothing. Where one of the two slots is damaged, the other one counts. */
static int newest_checkpoint(lua_State *L) {
  static const char *const option_keys[] = {"dir", "shard", NULL};
  td_error err;
  td_env env;
  td_wal_dir dir;
  td_bind_at at = td_bind_arg(1, NULL);
  td_shard_id shard = {0};
  found best = {.err = {.status = TD_OK}};
  lua_settop(L, 1);
  td_bind_table(L, at, "a table { dir =, shard = }");
  td_bind_known_keys(L, at, option_keys);
  if (td_bind_field(L, 1, "shard", &at)) shard = td_bind_shard_id(L, at);
  lua_getfield(L, 1, "dir");
  at = (td_bind_at){.index = lua_gettop(L), .name = "dir"};
  const char *path = td_bind_place(L, at, &env);
  if (td_wal_dir_open(&dir, &env, path, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  look_at(&dir, shard, 0, false, &best);
  look_at(&dir, shard, 1, false, &best);
  if (!best.there && best.err.status == TD_OK && shard.value == 0) {
    look_at(&dir, shard, 0, true, &best);
  }
  lua_pushcfunction(L, push_found);
  lua_pushlightuserdata(L, &best);
  int failed = best.there ? lua_pcall(L, 1, 1, 0) : LUA_OK;
  td_wal_file_free(&dir, &best.file);
  td_wal_dir_close(&dir);
  if (failed != LUA_OK) lua_error(L);
  if (best.there) return 1;
  if (best.err.status != TD_OK) return td_bind_fail(L, &best.err);
  lua_pushnil(L);
  return 1;
}

/* wal.checkpoint_name(shard, generation) -> "checkpoint-s00003.1" */
static int checkpoint_name(lua_State *L) {
  char text[TD_CHECKPOINT_NAME_MAX];
  td_shard_id shard = td_bind_shard_id(L, td_bind_arg(1, "shard"));
  uint64_t generation = td_bind_u64(L, td_bind_arg(2, "generation"));
  lua_pushlstring(L, text, td_checkpoint_name(shard, generation, text));
  return 1;
}

void td_bind_open_checkpoint(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"encode_checkpoint", encode_checkpoint},
    {"decode_checkpoint", decode_checkpoint},
    {"checkpoint_name", checkpoint_name}, {"checkpoint", newest_checkpoint},
    {NULL, NULL},
  };
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
