/* tidal.wal.open: a directory of logs, opened for writing; several logs that
 * commit together. */
#include "bind/bind_writer.h"

#include <string.h>

/* --- opening -------------------------------------------------------------- */

td_bound_home *td_bind_check_home(lua_State *L, int arg) {
  td_bound_home *home = td_bind_check(L, arg, &td_bind_home);
  if (!home->open) luaL_error(L, "the directory is closed");
  return home;
}

void td_bind_refuse_held(lua_State *L, const td_bound_home *home) {
  if (!home->migration || !td_bind_migration_holds(home->migration)) return;
  luaL_error(L, "a migration holds the logs until let_go()");
}

void td_bind_home_shut(td_bound_home *home) {
  if (!home->open) return;
  td_assert(!home->first);
  if (home->migration) (void)td_bind_migration_shut(home->migration, NULL);
  home->open = false;
  td_wal_home_close(&home->home);
}

td_span td_bind_layout_text(lua_State *L, td_bind_at at) {
  static const char expected[] = "a layout or the text of a layout file";
  if (lua_type(L, at.index) == LUA_TTABLE
      && luaL_getmetafield(L, at.index, "__name") != LUA_TNIL) {
    bool layout = td_bind_text_is(L, -1, "tidal.Layout");
    lua_pop(L, 1);
    if (!layout) td_bind_expected(L, at, expected);
    lua_getfield(L, at.index, "text");
    lua_pushvalue(L, at.index);
    lua_call(L, 1, 1);
    at.index = lua_gettop(L);
  } else {
    lua_pushvalue(L, at.index);
  }
  return td_bind_bytes(L, at, expected);
}

static td_status open_home(td_bound_home *home, const td_env *env,
                           const char *path, bool create, td_span layout,
                           td_error *err) {
  td_status status = create ? td_dir_make(env, path, err) : TD_OK;
  if (status != TD_OK) return status;
  status = td_wal_home_open(&home->home, env, path, err);
  if (status != TD_OK || !layout.data) return status;
  status = td_wal_home_adopt(&home->home, layout, err);
  if (status != TD_OK) td_wal_home_close(&home->home);
  return status;
}

/* Sets user value 1 of the home on top: a table with weak values. */
static void set_weak_list(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setiuservalue(L, -2, 1);
}

bool td_bind_home_new(lua_State *L, td_bind_at place, int table) {
  td_error err;
  td_env env;
  const char *path = td_bind_place(L, place, &env);
  td_bind_at at;
  td_span layout = {NULL, 0};
  bool create = td_bind_field_bool(L, table, "create", false);
  int base = lua_gettop(L);
  if (td_bind_field(L, table, "layout", &at)) {
    layout = td_bind_layout_text(L, at);
  }
  td_bound_home *home = td_bind_new(L, &td_bind_home, sizeof *home, 2);
  set_weak_list(L);
  lua_pushvalue(L, place.index);
  lua_setiuservalue(L, -2, 2);
  td_status status = open_home(home, &env, path, create, layout, &err);
  home->open = status == TD_OK;
  lua_rotate(L, base + 1, 1);
  lua_settop(L, base + 1);
  if (status == TD_OK) return true;
  td_bind_fail(L, &err);
  return false;
}

/* wal.open(dir [, { layout =, create = false }]) -> home | nil, err
 * layout: what the logs are written under; the first one given is published,
 * another one than the published is refused. create: makes the directory. */
static int new_home(lua_State *L) {
  static const char *const keys[] = {"layout", "create", NULL};
  td_bind_at place = td_bind_arg(1, "directory");
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_newtable(L);
  }
  lua_settop(L, 2);
  td_bind_table(L, td_bind_arg(2, NULL), "a table { layout =, create = }");
  td_bind_known_keys(L, td_bind_arg(2, NULL), keys);
  return td_bind_home_new(L, place, 2) ? 1 : 2;
}

td_status td_bind_home_adopt_published(td_bound_home *home, td_error *err) {
  td_wal_home *inner = &home->home;
  td_wal_dir dir = {.env = inner->env, .dir = inner->dir, .borrowed = true};
  td_wal_file file;
  td_layout layout;
  if (inner->published == 0 || inner->epoch != 0) return TD_OK;
  td_status status = td_wal_layout_read(&dir, inner->published, &file,
                                        &layout, err);
  if (status != TD_OK) return status;
  status = td_wal_home_adopt(inner, (td_span){file.data, file.size}, err);
  td_wal_file_free(&dir, &file);
  return status;
}

/* --- many writers --------------------------------------------------------- */

/* home:writer{ shard = 0, region = 0, ... } -> writer | nil, err */
static int home_writer(lua_State *L) {
  td_bind_check_home(L, 1);
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_newtable(L);
  }
  lua_settop(L, 2);
  td_bind_table(L, td_bind_arg(2, NULL), "a table { shard =, region =, ... }");
  td_bind_known_keys(L, td_bind_arg(2, NULL),
                     td_bind_writer_keys + TD_BIND_HOME_KEYS);
  return td_bind_writer_new(L, 1, 2);
}

static uint32_t count_open(const td_bound_home *home) {
  uint32_t count = 0;
  for (td_bound_writer *one = home->first; one; one = one->next) count++;
  return count;
}

uint32_t td_bind_home_hold(lua_State *L, int home) {
  const td_bound_home *self = lua_touserdata(L, home);
  uint32_t count = 0;
  lua_createtable(L, (int)count_open(self), 0);
  lua_getiuservalue(L, home, 1);
  /* Nothing allocates from here on, so the list stays as it is. */
  for (td_bound_writer *one = self->first; one; one = one->next) {
    if (lua_rawgetp(L, -1, one) == LUA_TNIL) lua_pop(L, 1);
    else lua_rawseti(L, -3, (lua_Integer)++count);
  }
  lua_pop(L, 1);
  return count;
}

static td_bound_writer *held(lua_State *L, int list, uint32_t i) {
  lua_rawgeti(L, list, (lua_Integer)i + 1);
  td_bound_writer *writer = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return writer;
}

/* Pushes { log =, events =, first_seq = 0 }, so that nothing has to be
 * allocated once the events are on disk. */
static void push_part(lua_State *L, const td_bound_writer *writer) {
  lua_createtable(L, 0, 3);
  td_bind_push_log(L, writer->log.options.log);
  lua_setfield(L, -2, "log");
  lua_pushinteger(L, writer->pending.count);
  lua_setfield(L, -2, "events");
  lua_pushinteger(L, 0);
  lua_setfield(L, -2, "first_seq");
}

/* Pushes the list of what the writers at `list` will commit. */
static void push_list(lua_State *L, int list, uint32_t writers) {
  lua_Integer count = 0;
  lua_newtable(L);
  for (uint32_t i = 0; i < writers; i++) {
    td_bound_writer *one = held(L, list, i);
    if (one->pending.count == 0) continue;
    push_part(L, one);
    lua_rawseti(L, -2, ++count);
  }
}

/* Fills the parts once nothing allocates any more: a finalizer may have
 * closed a writer, or added to one. Returns how many. */
static uint32_t fill_parts(lua_State *L, int list, uint32_t writers,
                           int told, td_wal_part *parts) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < writers; i++) {
    td_bound_writer *one = held(L, list, i);
    if (one->pending.count > 0) {
      parts[count++] = (td_wal_part){.log = &one->log,
                                     .records = one->pending.records,
                                     .count = one->pending.count};
    }
  }
  if (count != lua_rawlen(L, told)) {
    luaL_error(L, "writers changed while they were committed");
  }
  return count;
}

/* home:commit() -> list of { log =, events =, first_seq = } in order of the
 * logs | nil, err. What was added to the writers of this home, one batch in
 * each log: all are written, then all are synced. After an error the events
 * that are not certainly on disk still wait in their writers. */
static int home_commit(lua_State *L) {
  enum { HOME = 1, HELD, BLOCK, KEY, PARTS };
  td_error err;
  td_bind_refuse_held(L, td_bind_check_home(L, HOME));
  lua_settop(L, HOME);
  uint32_t writers = td_bind_home_hold(L, HOME);
  td_wal_part *parts = lua_newuserdatauv(L, (writers + 1u) * sizeof *parts,
                                         0);
  lua_pushliteral(L, "first_seq");
  push_list(L, HELD, writers);
  uint32_t count = fill_parts(L, HELD, writers, PARTS, parts);
  if (count == 0) return 1;
  td_status status = td_wal_append_all(parts, count, &err);
  for (uint32_t i = 0, part = 0; i < writers; i++) {
    td_bound_writer *one = held(L, HELD, i);
    if (one->pending.count == 0) continue;
    if (parts[part].status == TD_OK) one->pending.count = 0;
    if (parts[part].status != TD_OK) parts[part].first.value = 0;
    lua_rawgeti(L, PARTS, (lua_Integer)part + 1);
    lua_pushvalue(L, KEY);
    td_bind_push_u64(L, parts[part++].first.value);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
  if (status != TD_OK) return td_bind_fail(L, &err);
  lua_settop(L, PARTS);
  return 1;
}

/* A shard's writer, its place in the list of held ones, and how many events
 * it gets. */
typedef struct place {
  td_bound_writer *writer;
  uint32_t index;
  uint32_t events;
} place;

/* Pushes a block of them by shard number. */
static place *push_places(lua_State *L, int list, uint32_t writers,
                          uint32_t shards) {
  place *places = lua_newuserdatauv(L, shards * sizeof *places, 0);
  memset(places, 0, shards * sizeof *places);
  for (uint32_t i = 0; i < writers; i++) {
    td_bound_writer *one = held(L, list, i);
    uint32_t shard = one->log.options.log.shard.value;
    if (shard < shards) places[shard] = (place){one, i, 0};
  }
  return places;
}

/* How many of the builder's events go where; raises where nobody is. */
static void count_events(lua_State *L, place *places, uint32_t shards,
                         const td_bind_events *from,
                         const td_router *router) {
  for (uint32_t i = 0; i < shards; i++) places[i].events = 0;
  for (uint32_t i = 0; i < from->count; i++) {
    places[td_router_route(router, from->records[i].entity).value].events++;
  }
  for (uint32_t i = 0; i < shards; i++) {
    if (places[i].events == 0) continue;
    if (!places[i].writer || !places[i].writer->open) {
      luaL_error(L, "s%d has no open writer", (int)i);
    }
  }
}

/* Room in every writer; false when there was enough, so that nothing had to
 * be allocated. */
static bool reserve_all(lua_State *L, int list, const place *places,
                        uint32_t shards) {
  bool changed = false;
  for (uint32_t i = 0; i < shards; i++) {
    const place *at = &places[i];
    if (at->events == 0) continue;
    td_bind_events *to = &at->writer->pending;
    if (to->room - to->count >= at->events) continue;
    changed = true;
    lua_rawgeti(L, list, (lua_Integer)at->index + 1);
    td_bind_events_reserve(L, to, lua_gettop(L), TD_BIND_WRITER_BLOCK,
                           at->events);
    lua_pop(L, 1);
  }
  return changed;
}

/* home:spread(builder, router): moves the builder's events to the writers
 * of their shards, in order; commit() writes them. Raises, and moves nothing,
 * when a shard has no open writer: builder:shards(router) tells them. */
static int home_spread(lua_State *L) {
  enum { HOME = 1, BUILDER, ROUTER, HELD };
  td_bind_check_home(L, HOME);
  td_bind_events *from = td_bind_check_builder(L, BUILDER);
  const td_router *router = td_bind_check(L, ROUTER, &td_bind_router);
  uint32_t shards = td_router_shard_max(router).value + 1u;
  lua_settop(L, ROUTER);
  uint32_t writers = td_bind_home_hold(L, HOME);
  place *places = push_places(L, HELD, writers, shards);
  do {  /* again, because finalizers may have changed anything */
    count_events(L, places, shards, from, router);
  } while (reserve_all(L, HELD, places, shards));
  for (uint32_t i = 0; i < from->count; i++) {
    td_shard_id shard = td_router_route(router, from->records[i].entity);
    td_bind_events *to = &places[shard.value].writer->pending;
    to->records[to->count++] = from->records[i];
  }
  from->count = 0;
  return 0;
}

/* --- closing -------------------------------------------------------------- */

/* Every writer, then the home; the first error. */
static td_status shut_all(td_bound_home *home, bool clean, td_error *err) {
  td_status status = TD_OK;
  while (home->first) {
    td_error later;
    td_bound_writer *one = home->first;
    td_status end = td_bind_writer_shut(one, clean,
                                        status == TD_OK ? err : &later);
    if (status == TD_OK) status = end;
  }
  td_bind_home_shut(home);
  return status;
}

/* home:close([{ clean = true }]) -> true | nil, err. Closes its writers, too.
 * Raises while events wait in one of them. Closed in any other case. */
static int home_close(lua_State *L) {
  td_error err;
  td_bound_home *home = td_bind_check(L, 1, &td_bind_home);
  bool clean = td_bind_clean(L, 2);
  for (td_bound_writer *one = home->first; one; one = one->next) {
    td_bind_writer_refuse_pending(L, one);
  }
  if (shut_all(home, clean, &err) != TD_OK) return td_bind_fail(L, &err);
  lua_pushboolean(L, true);
  return 1;
}

/* At the end of a scope: raises what went wrong, unless an error is what
 * ends it. */
static int home_end(lua_State *L) {
  td_error err;
  td_bound_home *home = td_bind_check(L, 1, &td_bind_home);
  bool well = lua_isnoneornil(L, 2);
  uint64_t dropped = 0;
  for (td_bound_writer *one = home->first; one; one = one->next) {
    dropped += one->pending.count;
  }
  td_status status = shut_all(home, true, &err);
  if (well && status != TD_OK) td_bind_raise(L, &err);
  if (well && dropped > 0) td_bind_raise_dropped(L, dropped);
  return 0;
}

static int home_gc(lua_State *L) {
  td_bound_home *home = td_bind_check(L, 1, &td_bind_home);
  (void)shut_all(home, false, NULL);
  return 0;
}

static const luaL_Reg home_methods[] = {
  {"writer", home_writer}, {"commit", home_commit}, {"spread", home_spread},
  {"close", home_close}, {"migration", td_bind_home_migration},
  {"clone", td_bind_home_clone}, {"router", td_bind_home_router},
  {NULL, NULL},
};
static const luaL_Reg home_metas[] = {
  {"__gc", home_gc}, {"__close", home_end}, {NULL, NULL},
};

const td_bind_type td_bind_home = {"tidal.WalHome", home_methods, home_metas};

void td_bind_open_home(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", new_home}, {NULL, NULL}};
  td_bind_type_new(L, &td_bind_home);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
