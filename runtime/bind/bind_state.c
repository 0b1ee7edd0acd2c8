/* tidal.state: ReplicationState as a userdata that is its one block. */
#include "bind/bind.h"

static td_replication *self(lua_State *L) {
  return td_bind_check(L, 1, &td_bind_state);
}

/* tidal.state{ log, ... } -> state; logs are LogIds or "r0:s3" */
static int new_state(lua_State *L) {
  td_error err;
  uint32_t count = td_bind_list(L, td_bind_arg(1, "logs"), "a list of logs",
                                TD_LOGS_MAX);
  lua_settop(L, 1);
  td_log_id *logs = lua_newuserdatauv(L, (count + 1u) * sizeof *logs, 0);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    lua_rawgeti(L, 1, i);
    logs[i - 1] = td_bind_log_id(L, td_bind_entry(L, "logs", i, NULL));
    lua_pop(L, 1);
  }
  td_replication *state = td_bind_new(
    L, &td_bind_state, td_replication_size(count), 0);
  if (td_replication_init(state, logs, count, &err) != TD_OK) {
    td_bind_raise(L, &err);
  }
  return 1;
}

static td_log_id log_arg(lua_State *L, int arg) {
  return td_bind_log_id(L, td_bind_arg(arg, "log"));
}

/* state:get(log) -> seqno, epoch | nil for a log that is not in the set */
static int state_get(lua_State *L) {
  td_mark mark;
  if (!td_replication_get(self(L), log_arg(L, 2), &mark)) {
    lua_pushnil(L);
    return 1;
  }
  td_bind_push_u64(L, mark.seqno.value);
  lua_pushinteger(L, mark.epoch);
  return 2;
}

/* true, or nil and an error with the field `log`, which its message names. */
static int done(lua_State *L, td_log_id log, const td_error *err) {
  char text[TD_LOG_ID_TEXT_MAX];
  if (err->status == TD_OK) {
    lua_pushboolean(L, true);
    return 1;
  }
  td_bind_fail(L, err);
  td_bind_push_log(L, log);
  lua_setfield(L, -2, "log");
  td_log_id_format(log, text);
  lua_getfield(L, -1, "message");
  lua_pushfstring(L, "%s: %s", text, lua_tostring(L, -1));
  lua_setfield(L, -3, "message");
  lua_pop(L, 1);
  return 2;
}

/* state:advance(log, first, last) -> true | nil, err */
static int state_advance(lua_State *L) {
  td_error err = {.status = TD_OK};
  td_replication *state = self(L);
  td_log_id log = log_arg(L, 2);
  td_seqno first = {td_bind_u64(L, td_bind_arg(3, "first"))};
  td_seqno last = {td_bind_u64(L, td_bind_arg(4, "last"))};
  td_replication_advance(state, log, first, last, &err);
  return done(L, log, &err);
}

/* state:raise_epoch(log, epoch) -> true | nil, err */
static int state_raise_epoch(lua_State *L) {
  td_error err = {.status = TD_OK};
  td_replication *state = self(L);
  td_log_id log = log_arg(L, 2);
  uint32_t epoch = (uint32_t)td_bind_uint(L, td_bind_arg(3, "epoch"), 0,
                                          UINT32_MAX);
  td_replication_raise_epoch(state, log, epoch, &err);
  return done(L, log, &err);
}

/* state:marks() -> list of { log =, epoch =, seqno = } in order of log: the
 * marks of a checkpoint */
static int state_marks(lua_State *L) {
  const td_replication *state = self(L);
  uint32_t count = td_replication_count(state);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    td_bind_push_mark(L, td_replication_at(state, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* state:restore(marks) -> true | nil, err; marks as state:marks() or the
 * `marks` of a decoded checkpoint. Lower marks change nothing. */
static int state_restore(lua_State *L) {
  td_error err = {.status = TD_OK};
  td_replication *state = self(L);
  uint32_t count = td_bind_list(L, td_bind_arg(2, "marks"), "a list of marks",
                                TD_LOGS_MAX);
  lua_settop(L, 2);
  td_mark *marks = lua_newuserdatauv(L, (count + 1u) * sizeof *marks, 0);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    marks[i - 1] = td_bind_check_mark(L, 2, i);
  }
  td_replication_restore(state, marks, count, &err);
  return done(L, err.status == TD_OK ? (td_log_id){0} : marks[err.index].log,
              &err);
}

/* state:lag(other, log) -> events that other has and this state has not
 * state:lag(other) -> list of { log =, lag = } for the logs of other that
 * are ahead, in order */
static int state_lag(lua_State *L) {
  const td_replication *state = self(L);
  const td_replication *other = td_bind_check(L, 2, &td_bind_state);
  if (!lua_isnoneornil(L, 3)) {
    td_bind_push_u64(L, td_replication_lag(state, other, log_arg(L, 3)));
    return 1;
  }
  lua_newtable(L);
  for (uint32_t i = 0; i < td_replication_count(other); i++) {
    td_log_id log = td_replication_at(other, i).log;
    uint64_t lag = td_replication_lag(state, other, log);
    if (lag == 0) continue;
    lua_createtable(L, 0, 2);
    td_bind_push_log(L, log);
    lua_setfield(L, -2, "log");
    td_bind_push_u64(L, lag);
    lua_setfield(L, -2, "lag");
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

static int pairs_next(lua_State *L) {
  const td_replication *state = td_bind_check(L, 1, &td_bind_state);
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(1));
  if (i >= (lua_Integer)td_replication_count(state)) return 0;
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(1));
  td_mark mark = td_replication_at(state, (uint32_t)i);
  td_bind_push_log(L, mark.log);
  td_bind_push_u64(L, mark.seqno.value);
  return 2;
}

/* for log, seqno in pairs(state): in order of (region, shard) */
static int state_pairs(lua_State *L) {
  self(L);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, pairs_next, 1);
  lua_pushvalue(L, 1);
  return 2;
}

static int state_len(lua_State *L) {
  lua_pushinteger(L, td_replication_count(self(L)));
  return 1;
}

static const luaL_Reg methods[] = {
  {"get", state_get}, {"advance", state_advance},
  {"raise_epoch", state_raise_epoch}, {"marks", state_marks},
  {"restore", state_restore}, {"lag", state_lag}, {NULL, NULL},
};
static const luaL_Reg metas[] = {
  {"__pairs", state_pairs}, {"__len", state_len}, {NULL, NULL},
};

const td_bind_type td_bind_state = {"tidal.ReplicationState", methods, metas};

void td_bind_open_state(lua_State *L) {
  static const luaL_Reg functions[] = {{"state", new_state}, {NULL, NULL}};
  td_bind_type_new(L, &td_bind_state);
  luaL_setfuncs(L, functions, 0);
}
