/* home:clone: the logs of a directory, as they lie there, below another one
 * (flow/clone.h). */
#include "bind/bind_writer.h"

typedef struct bound_clone {
  td_clone clone;
  td_bound_home *home;
  bool open;
} bound_clone;

/* home:clone(directory, name [, fresh = false]) -> clone | nil, err. Into the
 * directory `name` below another one; layouts and cuts are there when this
 * returns. fresh: it was never begun, so there are no logs. */
int td_bind_home_clone(lua_State *L) {
  td_error err;
  td_env env;
  td_bound_home *home = td_bind_check_home(L, 1);
  const char *path = td_bind_place(L, td_bind_arg(2, "directory"), &env);
  const char *name = td_bind_file_name(L, td_bind_arg(3, "name"));
  if (!lua_isnoneornil(L, 4) && !lua_isboolean(L, 4)) {
    td_bind_expected(L, td_bind_arg(4, "fresh"), "a boolean");
  }
  bool fresh = lua_toboolean(L, 4);
  if (env.store_ctx != home->home.env.store_ctx) {
    luaL_error(L, "both directories must lie on one disk");
  }
  bound_clone *self = td_bind_new(L, &td_bind_clone, sizeof *self, 2);
  for (int i = 1; i <= 2; i++) {
    lua_pushvalue(L, i);
    lua_setiuservalue(L, -2, i);
  }
  self->home = td_bind_check_home(L, 1);  /* a finalizer may close it */
  if (td_clone_open(&self->clone, &home->home, path, name, fresh,
                    &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  self->open = true;
  return 1;
}

/* clone:step(bytes) -> true: call again | false: all of it is there | nil,
 * err; and how many bytes were copied so far */
static int step(lua_State *L) {
  td_error err;
  bound_clone *self = td_bind_check(L, 1, &td_bind_clone);
  uint64_t bytes = td_bind_uint(L, td_bind_arg(2, "bytes"), 1, INT64_MAX);
  if (!self->open || !self->home->open) {
    luaL_error(L, "the copy, or its directory, is closed");
  }
  td_status status = td_clone_step(&self->clone, bytes, &err);
  if (status != TD_OK && status != TD_END) return td_bind_fail(L, &err);
  lua_pushboolean(L, status == TD_OK);
  td_bind_push_u64(L, self->clone.bytes);
  return 2;
}

/* Also __gc and __close. Idempotent. */
static int clone_close(lua_State *L) {
  bound_clone *self = td_bind_check(L, 1, &td_bind_clone);
  if (self->open) td_clone_close(&self->clone);
  self->open = false;
  return 0;
}

static const luaL_Reg methods[] = {
  {"step", step}, {"close", clone_close}, {NULL, NULL},
};
static const luaL_Reg metas[] = {
  {"__gc", clone_close}, {"__close", clone_close}, {NULL, NULL},
};

const td_bind_type td_bind_clone = {"tidal.WalClone", methods, metas};
