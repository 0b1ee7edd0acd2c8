/* tidal.wal.writer and tidal.wal.recover: how a log is opened and shut. */
#include "bind/bind_writer.h"

static const char *const policies[] = {
  "always", "unsafe_interval", "unsafe_never", NULL,
};

const char *const td_bind_writer_keys[] = {
  "dir", "layout", "create", "shard", "region", "sync", "sync_interval_ns",
  "segment_bytes", "group_events_max", "group_delay_ns", "window_events",
  NULL,
};

static td_log_id check_log(lua_State *L, int table) {
  td_log_id log = {{0}, {0}};
  td_bind_at at;
  if (td_bind_field(L, table, "shard", &at)) {
    log.shard = td_bind_shard_id(L, at);
    lua_pop(L, 1);
  }
  if (td_bind_field(L, table, "region", &at)) {
    log.region = td_bind_region_id(L, at);
    lua_pop(L, 1);
  }
  return log;
}

/* A state is one thread, so nobody could join a group: it does not wait. */
static td_wal_options check_options(lua_State *L, int table) {
  td_bind_at at;
  td_wal_options options = td_wal_options_init(check_log(L, table));
  if (td_bind_field(L, table, "sync", &at)) {
    options.sync = (td_sync_policy)td_bind_word(L, at, policies);
    lua_pop(L, 1);
  }
  options.sync_interval_ns = td_bind_field_u64(L, table, "sync_interval_ns",
                                               0);
  if (options.sync == TD_SYNC_UNSAFE_INTERVAL
      && options.sync_interval_ns == 0) {
    luaL_error(L, "sync_interval_ns: goes with sync = \"unsafe_interval\" "
                  "and says how long, 1 or more");
  }
  options.segment_bytes = td_bind_field_uint(
    L, table, "segment_bytes", options.segment_bytes, TD_SEGMENT_BYTES_MIN,
    TD_SEGMENT_BYTES);
  options.group_events_max = (uint32_t)td_bind_field_uint(
    L, table, "group_events_max", options.group_events_max, 1,
    TD_RECORDS_MAX);
  options.group_delay_ns = td_bind_field_uint(
    L, table, "group_delay_ns", 0, 0, TD_GROUP_DELAY_NS_MAX);
  options.window_events = (uint32_t)td_bind_field_uint(
    L, table, "window_events", 0, 0, TD_WAL_WINDOW_MAX);
  return options;
}

/* The place in the home's list, which is in order of the logs. */
static td_bound_writer **place_of(td_bound_home *home, td_log_id log) {
  td_bound_writer **at = &home->first;
  while (*at && td_log_id_cmp((*at)->log.options.log, log) < 0) {
    at = &(*at)->next;
  }
  return at;
}

/* A directory holds one log per shard number, whatever its region. */
static void refuse_second(lua_State *L, const td_bound_home *home,
                          td_shard_id shard) {
  for (const td_bound_writer *one = home->first; one; one = one->next) {
    if (!td_shard_id_eq(one->log.options.log.shard, shard)) continue;
    luaL_error(L, "s%d has an open writer in this directory; close it first",
               (int)shard.value);
  }
}

static void link_writer(td_bound_writer *writer) {
  td_bound_writer **at = place_of(writer->home, writer->log.options.log);
  writer->next = *at;
  *at = writer;
  writer->open = true;
}

static void unlink_writer(td_bound_writer *writer) {
  td_bound_writer **at = &writer->home->first;
  while (*at != writer) at = &(*at)->next;
  *at = writer->next;
  writer->next = NULL;
}

td_status td_bind_writer_shut(td_bound_writer *writer, bool clean,
                              td_error *err) {
  if (!writer->open) return TD_OK;
  writer->open = false;
  writer->pending.count = 0;
  if (writer->retiring) td_retire_close(&writer->retire);
  writer->retiring = false;
  unlink_writer(writer);
  td_status status = td_wal_log_close(&writer->log, clean, err);
  if (writer->owns_home) td_bind_home_shut(writer->home);
  return status;
}

int td_bind_writer_new(lua_State *L, int home_index, int table) {
  td_error err;
  td_wal_options options = check_options(L, table);
  td_bound_home *home = lua_touserdata(L, home_index);
  refuse_second(L, home, options.log.shard);
  td_bound_writer *writer = td_bind_new(L, &td_bind_writer, sizeof *writer,
                                        2);
  writer->home = home;
  lua_pushvalue(L, home_index);
  lua_setiuservalue(L, -2, TD_BIND_WRITER_HOME);
  lua_getiuservalue(L, home_index, 1);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, writer);
  lua_pop(L, 1);
  td_bind_check_home(L, home_index);  /* a field may run a script */
  if (td_wal_log_open(&writer->log, &home->home, &options, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  writer->last_seq = td_wal_log_durable(&writer->log);
  link_writer(writer);
  return 1;
}

/* Checks the options of a directory with one log; pushes its home, or nil,
 * err (false). Leaves the options at index 1. */
static bool open_alone(lua_State *L, const char *expected) {
  td_bind_at at = td_bind_arg(1, NULL);
  lua_settop(L, 1);
  td_bind_table(L, at, expected);
  td_bind_known_keys(L, at, td_bind_writer_keys);
  (void)check_options(L, 1);
  if (!td_bind_field(L, 1, "dir", &at)) {
    luaL_error(L, "dir: is missing: the directory of the log");
  }
  return td_bind_home_new(L, at, 1);
}

/* wal.writer{ dir =, layout =, create = false, shard = 0, region = 0,
 *   sync = "always", sync_interval_ns =, segment_bytes = 16777216,
 *   group_events_max = 100, group_delay_ns = 0, window_events = 0 }
 *   -> writer | nil, err
 * A directory and one log in it; home:writer{...} takes those from shard on.
 * Of so many events a window recognises those that come again; of as many that
 * another log took before a migration gave their ids to this one, too. */
static int new_writer(lua_State *L) {
  if (!open_alone(L, "a table { dir =, shard =, ... }")) return 2;
  int home = lua_gettop(L);
  int count = td_bind_writer_new(L, home, 1);
  if (count == 1) {
    td_bound_writer *writer = lua_touserdata(L, -1);
    writer->owns_home = true;
  } else {
    td_bind_home_shut(lua_touserdata(L, home));
  }
  return count;
}

static void set_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void set_u64(lua_State *L, const char *name, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, name);
}

void td_bind_push_recovery(lua_State *L, const td_bound_writer *writer) {
  const td_wal_recovery *found = &writer->log.recovery;
  char name[TD_SEGNAME_TEXT_MAX];
  lua_createtable(L, 0, 10);
  set_boolean(L, "clean", found->clean);
  set_boolean(L, "torn", found->torn);
  set_boolean(L, "suspect", found->suspect);
  set_boolean(L, "checkpoint_bad", found->checkpoint_bad);
  set_boolean(L, "rewritten", found->rewritten);
  set_u64(L, "last_seq", writer->last_seq.value);
  if (!found->torn) return;
  lua_pushlstring(L, name, td_segname_format(found->name, name));
  lua_setfield(L, -2, "file");
  set_u64(L, "offset", found->offset);
  set_u64(L, "cut_bytes", found->cut_bytes);
  set_u64(L, "lost_events", found->lost_events);
}

/* wal.recover{ dir =, shard = 0, region = 0, layout = the published one }
 *   -> what writer:recovery() tells | nil, err
 * Opens the log as a writer does, which mends what a crash left, and closes
 * it cleanly. */
static int recover(lua_State *L) {
  td_error err;
  if (!open_alone(L, "a table { dir =, shard =, region = }")) return 2;
  int home = lua_gettop(L);
  td_bound_home *self = lua_touserdata(L, home);
  if (td_bind_home_adopt_published(self, &err) != TD_OK) {
    td_bind_home_shut(self);
    return td_bind_fail(L, &err);
  }
  int count = td_bind_writer_new(L, home, 1);
  if (count != 1) {
    td_bind_home_shut(self);
    return count;
  }
  td_bound_writer *writer = lua_touserdata(L, -1);
  writer->owns_home = true;
  td_bind_push_recovery(L, writer);
  if (td_bind_writer_shut(writer, true, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  return 1;
}

void td_bind_open_opening(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"writer", new_writer}, {"recover", recover}, {NULL, NULL},
  };
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
