/* tidal.wal.follow: one log while it is written, through what is durable. */
#include "bind/bind_batch.h"

typedef struct follower {
  td_wal_follow follow;
  bool open;
} follower;

static td_log_id log_fields(lua_State *L) {
  td_bind_at at;
  td_log_id log = {{0}, {0}};
  if (td_bind_field(L, 1, "region", &at)) {
    log.region = td_bind_region_id(L, at);
  }
  if (td_bind_field(L, 1, "shard", &at)) {
    log.shard = td_bind_shard_id(L, at);
  }
  return log;
}

/* wal.follow{ dir =, shard = 0, region = 0, from = 1 } -> follower | nil, err
 * `from` is the first number wanted; 0 = from where the log begins. */
static int new_follow(lua_State *L) {
  static const char *const keys[] = {"dir", "shard", "region", "from", NULL};
  td_error err;
  td_env env;
  td_bind_at at, self = td_bind_arg(1, NULL);
  td_bind_table(L, self, "a table { dir =, shard =, region =, from = }");
  td_bind_known_keys(L, self, keys);
  if (!td_bind_field(L, 1, "dir", &at)) luaL_error(L, "dir is missing");
  const char *path = td_bind_place(L, at, &env);
  td_log_id log = log_fields(L);
  td_seqno from = {td_bind_field_u64(L, 1, "from", 1)};
  /* The collector does not see the buffer, so it is told of it. */
  lua_gc(L, LUA_GCSTEP, (int)(TD_WAL_BUFFER_BYTES / 1024));
  follower *made = td_bind_new(L, &td_bind_follower, sizeof *made, 1);
  lua_pushvalue(L, at.index);
  lua_setiuservalue(L, -2, 1);
  if (td_wal_follow_open(&made->follow, &env, path, log, from, &err)
      != TD_OK) {
    return td_bind_fail(L, &err);
  }
  made->open = true;
  return 1;
}

/* follower:close(); also __gc and __close */
static int follower_close(lua_State *L) {
  follower *self = td_bind_check(L, 1, &td_bind_follower);
  if (self->open) {
    self->open = false;
    td_wal_follow_close(&self->follow);
  }
  return 0;
}

/* follower:next(durable) -> batch, segment name | nil: nothing more yet |
 * nil, err. The next batch that ends at or below `durable`; an error leaves
 * the place as it was: ask again. */
static int follower_next(lua_State *L) {
  td_error err;
  td_wal_batch batch;
  char name[TD_SEGNAME_TEXT_MAX];
  follower *self = td_bind_check(L, 1, &td_bind_follower);
  td_seqno durable = {td_bind_u64(L, td_bind_arg(2, "durable"))};
  if (!self->open) luaL_error(L, "the follower is closed");
  td_status status = td_wal_follow_next(&self->follow, durable, &batch, &err);
  if (status == TD_END) {
    lua_pushnil(L);
    return 1;
  }
  if (status != TD_OK) return td_bind_fail(L, &err);
  td_segname segment = td_wal_follow_segment(&self->follow);
  td_bind_push_batch(L, &batch.head, batch.payload, batch.offset);
  lua_pushlstring(L, name, td_segname_format(segment, name));
  return 2;
}

static const luaL_Reg methods[] = {
  {"next", follower_next}, {"close", follower_close}, {NULL, NULL},
};
static const luaL_Reg metas[] = {
  {"__gc", follower_close}, {"__close", follower_close}, {NULL, NULL},
};

const td_bind_type td_bind_follower = {"tidal.WalFollower", methods, metas};

void td_bind_open_follow(lua_State *L) {
  static const luaL_Reg functions[] = {{"follow", new_follow}, {NULL, NULL}};
  td_bind_type_new(L, &td_bind_follower);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
