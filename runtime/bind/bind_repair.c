/* tidal.wal.repair: what it takes to make a directory of logs whole, and
 * doing it. */
#include "bind/bind_batch.h"

/* All that must be closed, whatever Lua raises meanwhile. */
typedef struct repair {
  td_wal_home home;    /* open only to do it */
  td_wal_dir dir;
  td_wal_repair plan;
  bool home_open, dir_open;
} repair;

static void close_all(repair *self) {
  td_wal_repair_close(&self->plan);
  if (self->dir_open) td_wal_dir_close(&self->dir);
  if (self->home_open) td_wal_home_close(&self->home);
  self->dir_open = self->home_open = false;
}

/* also __gc: an error in between leaves it to the collector */
static int repair_close(lua_State *L) {
  close_all(td_bind_check(L, 1, &td_bind_repair));
  return 0;
}

static td_status open_plan(repair *self, const td_env *env, const char *path,
                           bool apply, td_error *err) {
  td_status status;
  if (apply) {
    status = td_wal_home_open(&self->home, env, path, err);
    if (status != TD_OK) return status;
    self->home_open = true;
    status = td_wal_dir_list(&self->dir, env, self->home.dir, err);
  } else {
    status = td_wal_dir_open(&self->dir, env, path, err);
  }
  if (status != TD_OK) return status;
  self->dir_open = true;
  return td_wal_repair_open(&self->plan, &self->dir, err);
}

static void set_u64(lua_State *L, const char *name, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, name);
}

static void push_action(lua_State *L, const td_wal_action *action) {
  lua_createtable(L, 0, 10);
  lua_pushstring(L, td_wal_mend_name(action->mend));
  lua_setfield(L, -2, "action");
  lua_pushstring(L, td_verdict_code(action->verdict));
  lua_setfield(L, -2, "verdict");
  lua_pushstring(L, action->file);
  lua_setfield(L, -2, "file");
  td_bind_push_shard(L, action->shard);
  lua_setfield(L, -2, "shard");
  lua_pushboolean(L, action->suspect);
  lua_setfield(L, -2, "suspect");
  set_u64(L, "offset", action->offset);
  set_u64(L, "bytes", action->bytes);
  set_u64(L, "events", action->events);
  set_u64(L, "first_seq", action->first_seq.value);
  set_u64(L, "last_seq", action->last_seq.value);
}

/* wal.repair(path [, apply = false]) -> list of actions | nil, err
 * An action: action ("cut", "move", "leave"), verdict, file, shard, suspect,
 * offset, bytes that go, events readable in them, first_seq, last_seq. With
 * apply they are done, in this order; after an error the rest is not. */
static int plan_or_do(lua_State *L) {
  td_error err;
  td_env env;
  const char *path = td_bind_place(L, td_bind_arg(1, "directory"), &env);
  if (!lua_isnoneornil(L, 2) && !lua_isboolean(L, 2)) {
    td_bind_expected(L, td_bind_arg(2, "apply"), "a boolean");
  }
  bool apply = lua_toboolean(L, 2);
  repair *self = td_bind_new(L, &td_bind_repair, sizeof *self, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  td_status status = open_plan(self, &env, path, apply, &err);
  if (status == TD_OK) {
    lua_createtable(L, (int)self->plan.count, 0);
    for (uint32_t i = 0; i < self->plan.count; i++) {
      push_action(L, &self->plan.actions[i]);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
  }
  for (uint32_t i = 0; apply && status == TD_OK && i < self->plan.count; i++) {
    status = td_wal_repair_do(&self->plan, i, &err);
  }
  close_all(self);
  return status == TD_OK ? 1 : td_bind_fail(L, &err);
}

static const luaL_Reg metas[] = {{"__gc", repair_close}, {NULL, NULL}};

const td_bind_type td_bind_repair = {"tidal.WalRepair", NULL, metas};

void td_bind_open_repair(lua_State *L) {
  static const luaL_Reg functions[] = {{"repair", plan_or_do}, {NULL, NULL}};
  td_bind_type_new(L, &td_bind_repair);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
