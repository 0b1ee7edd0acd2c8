/* tidal.wal.verifier: the verdict for every segment of a reader's directory.
 * User value 1 of a verifier is the reader. */
#include "bind/bind_batch.h"

#define WHY_TEXT_MAX (TD_ERROR_TEXT_MAX + 256u)

typedef struct verifier {
  td_wal_verifier verify;
  bool open;
} verifier;

/* wal.verifier(reader) -> verifier | nil, err */
static int new_verifier(lua_State *L) {
  td_error err;
  const td_wal_dir *dir = td_bind_check_reader(L, 1);
  verifier *self = td_bind_new(L, &td_bind_verifier, sizeof *self, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (td_wal_verify_open(&self->verify, dir, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  self->open = true;
  return 1;
}

/* verifier:close(); also __gc and __close */
static int verifier_close(lua_State *L) {
  verifier *self = td_bind_check(L, 1, &td_bind_verifier);
  if (self->open) {
    self->open = false;
    td_wal_verify_close(&self->verify);
  }
  return 0;
}

static void set_u64(lua_State *L, const char *name, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void push_report(lua_State *L, const td_wal_report *report) {
  char why[WHY_TEXT_MAX];
  lua_createtable(L, 0, 16);
  lua_pushstring(L, td_verdict_code(report->verdict));
  lua_setfield(L, -2, "verdict");
  lua_pushstring(L, report->err.file);
  lua_setfield(L, -2, "file");
  td_bind_push_shard(L, report->log.shard);
  lua_setfield(L, -2, "shard");
  if (report->region_known) {
    td_bind_push_region(L, report->log.region);
    lua_setfield(L, -2, "region");
  }
  set_bool(L, "whole", report->whole);
  set_u64(L, "size", report->size);
  set_u64(L, "batches", report->batches);
  set_u64(L, "events", report->events);
  set_u64(L, "first_seq", report->first_seq.value);
  set_u64(L, "last_seq", report->last_seq.value);
  if (report->verdict == TD_VERDICT_CLEAN) return;
  set_u64(L, "offset", report->err.offset);
  set_u64(L, "lost_events", report->lost_events);
  set_bool(L, "suspect", report->suspect);
  td_wal_report_why(report, why, sizeof why);
  lua_pushstring(L, why);
  lua_setfield(L, -2, "why");
}

/* verifier:next() -> report | nil at the end | nil, err
 * report: verdict, file, shard, region (nil if unknown), whole (a segment's
 * own), size, batches, events, first_seq, last_seq (0 where there are none);
 * unless clean also offset, why, suspect, lost_events */
static int verifier_next(lua_State *L) {
  td_error err;
  td_wal_report report;
  verifier *self = td_bind_check(L, 1, &td_bind_verifier);
  if (!self->open) luaL_error(L, "the verifier is closed");
  lua_getiuservalue(L, 1, 1);
  td_bind_check_reader(L, lua_gettop(L));
  td_status status = td_wal_verify_next(&self->verify, &report, &err);
  if (status == TD_END) {
    lua_pushnil(L);
    return 1;
  }
  if (status != TD_OK) return td_bind_fail(L, &err);
  push_report(L, &report);
  return 1;
}

static const luaL_Reg methods[] = {
  {"next", verifier_next}, {"close", verifier_close}, {NULL, NULL},
};
static const luaL_Reg metas[] = {
  {"__gc", verifier_close}, {"__close", verifier_close}, {NULL, NULL},
};

const td_bind_type td_bind_verifier = {"tidal.WalVerifier", methods, metas};

void td_bind_open_verify(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"verifier", new_verifier}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_verifier);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
