/* home:migration: a directory on its way to the next layout, step by step
 * (flow/migrate.h). What the steps are for is told in lua/tidal/migrate. */
#include <string.h>

#include "bind/bind_writer.h"

struct td_bound_migration {
  td_migrate m;
  td_bound_home *home;
  bool open;
};

bool td_bind_migration_holds(const td_bound_migration *self) {
  return self->open && self->m.held;
}

td_status td_bind_migration_shut(td_bound_migration *self, td_error *err) {
  if (!self->open) return TD_OK;
  self->open = false;
  self->home->migration = NULL;
  return td_migrate_close(&self->m, err);
}

static td_bound_migration *check(lua_State *L) {
  td_bound_migration *self = td_bind_check(L, 1, &td_bind_migration);
  if (!self->open) luaL_error(L, "the migration is closed");
  return self;
}

/* home:migration(layout [, { region = 0, flush_bytes =, resume = false }])
 * -> migration | nil, err. Prepares the home for the layout. */
int td_bind_home_migration(lua_State *L) {
  static const char *const keys[] = {"region", "flush_bytes", "resume", NULL};
  td_error err;
  td_bind_check_home(L, 1);
  if (lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_newtable(L);
  }
  lua_settop(L, 3);
  td_bind_table(L, td_bind_arg(3, NULL),
                "a table { region =, flush_bytes =, resume = }");
  td_bind_known_keys(L, td_bind_arg(3, NULL), keys);
  td_migrate_options options = {
    .flush_bytes = (uint32_t)td_bind_field_uint(
      L, 3, "flush_bytes", TD_MIGRATE_FLUSH_BYTES, 1, TD_SEGMENT_BYTES / 2),
    .resume = td_bind_field_bool(L, 3, "resume", false),
  };
  td_bind_at at;
  if (td_bind_field(L, 3, "region", &at)) {
    options.region = td_bind_region_id(L, at);
    lua_pop(L, 1);
  }
  td_span text = td_bind_layout_text(L, td_bind_arg(2, "layout"));
  td_bound_migration *self = td_bind_new(L, &td_bind_migration, sizeof *self,
                                         1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  /* Fields, text() and finalizers may have run scripts. */
  td_bound_home *home = self->home = td_bind_check_home(L, 1);
  if (home->migration) luaL_error(L, "a migration is open in this directory");
  if (td_migrate_open(&self->m, &home->home, text, &options, &err)
      != TD_OK) {
    return td_bind_fail(L, &err);
  }
  self->open = true;
  home->migration = self;
  return 1;
}

/* --- values --------------------------------------------------------------- */

static void set_u64(lua_State *L, const char *name, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void set_sum(lua_State *L, const td_migrate_sum *sum) {
  set_u64(L, "count", sum->count);
  set_u64(L, "low", sum->hash.low);
  set_u64(L, "high", sum->hash.high);
}

static int answer(lua_State *L, td_status status, const td_error *err) {
  if (status != TD_OK) return td_bind_fail(L, err);
  lua_pushboolean(L, true);
  return 1;
}

/* Of a call that is made again until it is done: true, then false. */
static int answer_step(lua_State *L, td_status status, const td_error *err) {
  if (status != TD_OK && status != TD_END) return td_bind_fail(L, err);
  lua_pushboolean(L, status == TD_OK);
  return 1;
}

/* Pushes a block with the logs as they are now: whenever Lua allocates, a
 * finalizer may close the migration. */
static const td_migrate_log *push_copy(lua_State *L, uint32_t *count) {
  size_t size = check(L)->m.count * sizeof(td_migrate_log);
  void *copy = lua_newuserdatauv(L, size, 0);
  const td_migrate *m = &check(L)->m;
  memcpy(copy, m->logs, size);
  *count = m->count;
  return copy;
}

/* migration:logs() -> list of { log =, there =, first =, last = } | nil, err:
 * every log of the directory and of both layouts, where it begins (0 =
 * nowhere) and how far it is on disk. */
static int logs(lua_State *L) {
  td_error err;
  td_bound_migration *self = check(L);
  if (td_migrate_look(&self->m, &err) != TD_OK) return td_bind_fail(L, &err);
  uint32_t count;
  const td_migrate_log *all = push_copy(L, &count);
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    const td_migrate_log *log = &all[i];
    lua_createtable(L, 0, 4);
    td_bind_push_log(L, log->id);
    lua_setfield(L, -2, "log");
    set_boolean(L, "there", log->there);
    set_u64(L, "first", log->first.value);
    set_u64(L, "last", log->last.value);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* --- laps ----------------------------------------------------------------- */

static td_shard_id entry_shard(lua_State *L, lua_Integer i) {
  td_bind_at at = td_bind_entry(L, "logs", i, "shard");
  lua_getfield(L, -1, "shard");
  at.index = lua_gettop(L);
  td_shard_id shard = td_bind_shard_id(L, at);
  lua_pop(L, 1);
  return shard;
}

static td_seqno field(lua_State *L, const char *name) {
  return (td_seqno){td_bind_field_u64(L, lua_gettop(L), name, 0)};
}

/* All of them, or an error and none. */
static void set_known(lua_State *L, td_migrate *m,
                      const td_migrate_log *known, uint32_t count) {
  static const td_migrate_log none = {.skip = 0};
  for (uint32_t i = 0; i < count; i++) {
    if (td_migrate_find(m, known[i].id.shard)) continue;
    luaL_error(L, "logs[%d]: s%d is no log of this directory or layout",
               (int)i + 1, (int)known[i].id.shard.value);
  }
  for (uint32_t i = 0; i < m->count + count; i++) {
    bool given = i >= m->count;
    const td_migrate_log *from = given ? &known[i - m->count] : &none;
    td_migrate_log *log = given ? td_migrate_find(m, from->id.shard)
                                : &m->logs[i];
    log->start = from->start;
    log->after = from->after;
    log->upto = log->next = from->upto;
    log->skip = from->skip;
    log->left = from->left;
  }
}

/* migration:set{ { shard =, start = 0, left = 0, after = 0, upto = 0,
 * skip = 0 }, ... }: what the journal knows of the logs (td_migrate_log), for
 * the next lap and for the cuts. Logs that are not in the list are not copied
 * from nor cut. Raises, and changes nothing, for a shard that is none. */
static int set(lua_State *L) {
  check(L);
  lua_settop(L, 2);
  uint32_t count = td_bind_list(L, td_bind_arg(2, "logs"), "a list of logs",
                                TD_SHARDS_MAX);
  td_migrate_log *known = lua_newuserdatauv(L, count * sizeof *known, 0);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    lua_rawgeti(L, 2, i);
    td_bind_table(L, td_bind_entry(L, "logs", i, NULL), "a table");
    td_migrate_log *log = &known[i - 1];
    log->id.shard = entry_shard(L, i);
    log->start = field(L, "start");
    log->after = field(L, "after");
    log->upto = field(L, "upto");
    log->skip = field(L, "skip").value;
    log->left = field(L, "left").value;
    lua_pop(L, 1);
  }
  set_known(L, &check(L)->m, known, count);  /* a field may run a script */
  return 0;
}

/* migration:lap() -> true | nil, err. Over the borders that were set. */
static int lap(lua_State *L) {
  td_error err;
  td_bound_migration *self = check(L);
  return answer(L, td_migrate_lap(&self->m, &err), &err);
}

static uint64_t check_bytes(lua_State *L) {
  return td_bind_uint(L, td_bind_arg(2, "bytes"), 1, INT64_MAX);
}

/* migration:step(bytes) -> true: call again | false: the lap is over, all of
 * it on disk | nil, err */
static int step(lua_State *L) {
  td_error err;
  td_bound_migration *self = check(L);
  uint64_t bytes = check_bytes(L);
  return answer_step(L, td_migrate_step(&self->m, bytes, &err), &err);
}

/* migration:moved() -> list of { log =, next =, left =, count =, low =, high
 * = } of the logs that the lap read, that lost events in any lap, or that get
 * some in this one; next: where its next lap begins. */
static int moved(lua_State *L) {
  uint32_t all_count;
  const td_migrate_log *all = push_copy(L, &all_count);
  lua_Integer count = 0;
  lua_newtable(L);
  for (uint32_t i = 0; i < all_count; i++) {
    const td_migrate_log *log = &all[i];
    if (log->left + log->moved.count + log->next.value == 0) continue;
    lua_createtable(L, 0, 6);
    td_bind_push_log(L, log->id);
    lua_setfield(L, -2, "log");
    set_u64(L, "next", log->next.value);
    set_u64(L, "left", log->left);
    set_sum(L, &log->moved);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* migration:bytes() -> bytes of events read (by checks, too), written */
static int bytes(lua_State *L) {
  const td_migrate *m = &check(L)->m;
  td_bind_push_u64(L, m->read);
  td_bind_push_u64(L, m->written + m->waiting);
  return 2;
}

/* migration:check(shard, after) -> true | nil, err */
static int begin_check(lua_State *L) {
  td_error err;
  td_bound_migration *self = check(L);
  td_shard_id shard = td_bind_shard_id(L, td_bind_arg(2, "shard"));
  td_seqno after = {td_bind_u64(L, td_bind_arg(3, "after"))};
  return answer(L, td_migrate_check(&self->m, shard, after, &err), &err);
}

/* migration:check_step(bytes) -> true | false | nil, err; as step */
static int check_step(lua_State *L) {
  td_error err;
  td_bound_migration *self = check(L);
  uint64_t most = check_bytes(L);
  return answer_step(L, td_migrate_check_step(&self->m, most, &err), &err);
}

/* migration:found() -> { count =, low =, high =, last = } of the check */
static int found(lua_State *L) {
  const td_migrate *m = &check(L)->m;
  td_migrate_sum sum = m->found;
  uint64_t last = m->found_last.value;
  lua_createtable(L, 0, 4);
  set_sum(L, &sum);
  set_u64(L, "last", last);
  return 1;
}

/* --- the end -------------------------------------------------------------- */

/* migration:hold() -> true | nil, err */
static int hold(lua_State *L) {
  td_error err;
  td_bound_migration *self = check(L);
  if (self->m.held) luaL_error(L, "it is held already");
  return answer(L, td_migrate_hold(&self->m, &err), &err);
}

/* migration:let_go() */
static int let_go(lua_State *L) {
  td_migrate_let_go(&check(L)->m);
  return 0;
}

/* migration:publish(layout) -> true | nil, err */
static int publish(lua_State *L) {
  td_error err;
  check(L);
  td_span text = td_bind_layout_text(L, td_bind_arg(2, "layout"));
  td_bound_migration *self = check(L);  /* text() may run a script */
  if (!self->m.held) luaL_error(L, "hold() comes before publish()");
  return answer(L, td_migrate_publish(&self->m, text, &err), &err);
}

/* migration:close() -> true | nil, err. Idempotent. */
static int close_migration(lua_State *L) {
  td_error err;
  td_bound_migration *self = td_bind_check(L, 1, &td_bind_migration);
  return answer(L, td_bind_migration_shut(self, &err), &err);
}

static int migration_gc(lua_State *L) {
  (void)td_bind_migration_shut(td_bind_check(L, 1, &td_bind_migration), NULL);
  return 0;
}

static const luaL_Reg methods[] = {
  {"logs", logs}, {"set", set}, {"lap", lap}, {"step", step}, {"moved", moved},
  {"bytes", bytes}, {"check", begin_check}, {"check_step", check_step},
  {"found", found}, {"hold", hold}, {"let_go", let_go},
  {"publish", publish}, {"close", close_migration}, {NULL, NULL},
};
static const luaL_Reg metas[] = {
  {"__gc", migration_gc}, {"__close", migration_gc}, {NULL, NULL},
};

const td_bind_type td_bind_migration = {"tidal.WalMigration", methods,
                                        metas};

void td_bind_open_migrate(lua_State *L) {
  td_bind_type_new(L, &td_bind_migration);
  td_bind_type_new(L, &td_bind_clone);
}
