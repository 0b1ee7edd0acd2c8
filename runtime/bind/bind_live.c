/* tidal.wal.layouts: what says which events of a reader's directory count;
 * and walks over the events of its logs, counted or as text. User value 1 of
 * layouts is the reader, of a walk the layouts. */
#include "bind/bind_batch.h"

#define BYTES_DEFAULT (UINT64_C(8) << 20)
#define LINE_BYTES_MAX 256u

typedef struct bound_layouts {
  td_wal_layouts layouts;
  bool open;
} bound_layouts;

typedef struct walk {
  td_wal_live live;
  bool open;
  bool started;
  td_region_id region;
  uint64_t batches, events, alive, sessions;
  uint64_t first_seq, last_seq;
  uint64_t first_ns, last_ns;  /* of live events; first > last: none */
} walk;

/* --- layouts -------------------------------------------------------------- */

/* wal.layouts(reader) -> layouts | nil, err. Reads every published layout. */
static int new_layouts(lua_State *L) {
  td_error err;
  const td_wal_dir *dir = td_bind_check_reader(L, 1);
  bound_layouts *self = td_bind_new(L, &td_bind_layouts, sizeof *self, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (td_wal_layouts_open(&self->layouts, dir, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  self->open = true;
  return 1;
}

/* Also __gc and __close. */
static int layouts_close(lua_State *L) {
  bound_layouts *self = td_bind_check(L, 1, &td_bind_layouts);
  if (self->open) {
    self->open = false;
    td_wal_layouts_close(&self->layouts);
  }
  return 0;
}

/* The open layouts at `index`, their reader open too; else raises. */
static td_wal_layouts *open_layouts(lua_State *L, int index) {
  bound_layouts *self = td_bind_check(L, index, &td_bind_layouts);
  if (!self->open) luaL_error(L, "the layouts are closed");
  lua_getiuservalue(L, index, 1);
  td_bind_check_reader(L, lua_gettop(L));
  lua_pop(L, 1);
  return &self->layouts;
}

/* layouts:epochs() -> list of published epochs, rising */
static int layouts_epochs(lua_State *L) {
  const td_wal_layouts *layouts = open_layouts(L, 1);
  lua_createtable(L, (int)layouts->count, 0);
  for (uint32_t i = 0; i < layouts->count; i++) {
    lua_pushinteger(L, layouts->epochs[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* layouts:live(shard [, from_seq]) -> walk | nil, err */
static int layouts_live(lua_State *L) {
  td_error err;
  td_seqno from = {0};
  const td_wal_layouts *layouts = open_layouts(L, 1);
  td_shard_id shard = td_bind_shard_id(L, td_bind_arg(2, "shard"));
  if (!lua_isnoneornil(L, 3)) {
    from.value = td_bind_u64(L, td_bind_arg(3, "from_seq"));
  }
  /* The collector does not see the buffer, so it is told of it. */
  lua_gc(L, LUA_GCSTEP, (int)(TD_WAL_BUFFER_BYTES / 1024));
  walk *self = td_bind_new(L, &td_bind_live, sizeof *self, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (td_wal_live_open(&self->live, layouts, shard, from, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  self->open = true;
  self->first_ns = UINT64_MAX;
  return 1;
}

/* --- walks ---------------------------------------------------------------- */

static int walk_close(lua_State *L) {
  walk *self = td_bind_check(L, 1, &td_bind_live);
  if (self->open) {
    self->open = false;
    td_wal_live_close(&self->live);
  }
  return 0;
}

static walk *open_walk(lua_State *L) {
  walk *self = td_bind_check(L, 1, &td_bind_live);
  if (!self->open) luaL_error(L, "the walk is closed");
  lua_getiuservalue(L, 1, 1);
  open_layouts(L, lua_gettop(L));
  lua_pop(L, 1);
  return self;
}

/* Bytes of the batch that a run begins; later runs of it have none. */
static uint64_t run_bytes(const td_wal_run *run) {
  bool begins = td_seqno_cmp(run->first_seq, run->head.first_seq) == 0;
  return begins ? td_batch_size(&run->head) : 0;
}

static void count_times(walk *self, td_span records) {
  for (size_t at = 0; at < records.size; at += TD_RECORD_BYTES) {
    uint64_t stamp = td_record_decode(records.data + at).timestamp_ns;
    if (stamp < self->first_ns) self->first_ns = stamp;
    if (stamp > self->last_ns) self->last_ns = stamp;
  }
}

static void count_run(walk *self, const td_wal_run *run) {
  if (!self->started) self->first_seq = run->first_seq.value;
  self->started = true;
  self->region = run->head.region;
  self->last_seq = run->first_seq.value + run->count - 1;
  self->events += run->count;
  if (run_bytes(run) > 0) self->batches++;
  if (run->head.kind != TD_BATCH_SIGNALS) self->sessions += run->count;
  if (!run->live) return;
  self->alive += run->count;
  count_times(self, run->records);
}

static uint64_t bytes_arg(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) return BYTES_DEFAULT;
  return td_bind_uint(L, td_bind_arg(arg, "bytes_max"), 1, UINT32_MAX);
}

/* walk:read([counter [, bytes_max = 8 MiB]]) -> bytes read, 0 at the end |
 * nil, err. Counts what it passes; in the counter, a profile or a traffic,
 * live events only. Bounded work: call it again. */
static int walk_read(lua_State *L) {
  td_error err;
  td_wal_run run;
  walk *self = open_walk(L);
  bool profiled = !lua_isnoneornil(L, 2);
  uint64_t most = bytes_arg(L, 3), read = 0;
  if (profiled && !td_bind_test(L, 2, &td_bind_traffic)) {
    td_bind_check(L, 2, &td_bind_profile);
  }
  while (read < most) {
    td_status status = td_wal_live_run(&self->live, &run, &err);
    if (status == TD_END) break;
    if (status != TD_OK) return td_bind_fail(L, &err);
    count_run(self, &run);
    if (profiled && run.live
        && !td_bind_traffic_records(L, 2, run.records)) {
      td_bind_profile_records(L, 2, run.records);
    }
    read += run_bytes(&run);
  }
  td_bind_push_u64(L, read);
  return 1;
}

static void set_u64(lua_State *L, const char *name, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, name);
}

/* walk:counts() -> { region =, batches =, events =, live =, sessions =,
 * first_seq =, last_seq =, first_ns =, last_ns = } of what was read; the
 * fields that need an event are missing while there is none */
static int walk_counts(lua_State *L) {
  const walk *self = open_walk(L);
  lua_createtable(L, 0, 9);
  set_u64(L, "batches", self->batches);
  set_u64(L, "events", self->events);
  set_u64(L, "live", self->alive);
  set_u64(L, "sessions", self->sessions);
  if (self->started) {
    td_bind_push_region(L, self->region);
    lua_setfield(L, -2, "region");
    set_u64(L, "first_seq", self->first_seq);
    set_u64(L, "last_seq", self->last_seq);
  }
  if (self->alive > 0) {
    set_u64(L, "first_ns", self->first_ns);
    set_u64(L, "last_ns", self->last_ns);
  }
  return 1;
}

/* --- text ----------------------------------------------------------------- */

/* What is no number in JSON is written as text. */
static void format_weight(td_text *text, float weight, bool json) {
  char digits[TD_FLOAT_TEXT_MAX];
  size_t size = td_float_format(weight, digits);
  bool quotes = json && weight - weight != 0;
  if (quotes) td_text_char(text, '"');
  td_text_bytes(text, digits, size);
  if (quotes) td_text_char(text, '"');
}

static void format_csv(td_text *text, const td_wal_run *run, uint64_t seqno,
                       td_record record) {
  td_text_decimal(text, run->head.region.value);
  td_text_char(text, ',');
  td_text_decimal(text, run->head.shard.value);
  td_text_char(text, ',');
  td_text_decimal(text, seqno);
  td_text_string(text, ",0x");
  td_text_hex(text, record.entity.value, 16);
  td_text_char(text, ',');
  td_text_decimal(text, record.signal_type);
  td_text_char(text, ',');
  format_weight(text, record.weight, false);
  td_text_char(text, ',');
  td_text_decimal(text, record.timestamp_ns);
  td_text_char(text, '\n');
}

static void format_json(td_text *text, const td_wal_run *run, uint64_t seqno,
                        td_record record, bool all) {
  td_text_string(text, "{\"region\":");
  td_text_decimal(text, run->head.region.value);
  td_text_string(text, ",\"shard\":");
  td_text_decimal(text, run->head.shard.value);
  td_text_string(text, ",\"seqno\":\"");
  td_text_decimal(text, seqno);
  td_text_string(text, "\",\"entity\":\"0x");
  td_text_hex(text, record.entity.value, 16);
  td_text_string(text, "\",\"signal_type\":");
  td_text_decimal(text, record.signal_type);
  td_text_string(text, ",\"weight\":");
  format_weight(text, record.weight, true);
  td_text_string(text, ",\"timestamp_ns\":\"");
  td_text_decimal(text, record.timestamp_ns);
  td_text_char(text, '"');
  if (all) {
    td_text_string(text, ",\"live\":");
    td_text_string(text, run->live ? "true" : "false");
  }
  td_text_string(text, "}\n");
}

static void add_lines(luaL_Buffer *out, const td_wal_run *run, bool json,
                      bool all) {
  for (size_t i = 0; i < run->records.size / TD_RECORD_BYTES; i++) {
    td_record record = td_record_decode(run->records.data
                                        + i * TD_RECORD_BYTES);
    uint64_t seqno = run->first_seq.value + i;
    td_text text = td_text_init(luaL_prepbuffsize(out, LINE_BYTES_MAX),
                                LINE_BYTES_MAX);
    if (json) format_json(&text, run, seqno, record, all);
    else format_csv(&text, run, seqno, record);
    td_assert(text.size < LINE_BYTES_MAX);
    luaL_addsize(out, text.size);
  }
}

/* walk:text(form [, all [, bytes_max = 1]]) -> lines of the next live events
 * (with `all` also dead ones), bytes read; nil at the end | nil, err
 * form: "csv" region,shard,seqno,entity,signal_type,weight,timestamp_ns, or
 * "json", an object a line. At least one batch's part at a time. */
static int walk_text(lua_State *L) {
  static const char *const forms[] = {"csv", "json", NULL};
  td_error err;
  td_wal_run run;
  luaL_Buffer out;
  walk *self = open_walk(L);
  bool json = td_bind_word(L, td_bind_arg(2, "form"), forms) == 1;
  bool all = lua_toboolean(L, 3);
  uint64_t most = lua_isnoneornil(L, 4) ? 1 : bytes_arg(L, 4), read = 0;
  td_status status = TD_OK;
  lua_settop(L, 1);
  luaL_buffinit(L, &out);
  while (read < most) {
    status = td_wal_live_run(&self->live, &run, &err);
    if (status != TD_OK) break;
    read += run_bytes(&run);
    if (run.live || all) add_lines(&out, &run, json, all);
  }
  luaL_pushresult(&out);
  if (status == TD_OK || read > 0) {
    td_bind_push_u64(L, read);
    return 2;
  }
  if (status != TD_END && lua_rawlen(L, -1) == 0) {
    return td_bind_fail(L, &err);
  }
  if (lua_rawlen(L, -1) > 0) {
    td_bind_push_u64(L, read);
    return 2;
  }
  lua_pushnil(L);
  return 1;
}

static const luaL_Reg layouts_methods[] = {
  {"epochs", layouts_epochs}, {"live", layouts_live},
  {"close", layouts_close}, {NULL, NULL},
};
static const luaL_Reg layouts_metas[] = {
  {"__gc", layouts_close}, {"__close", layouts_close}, {NULL, NULL},
};
static const luaL_Reg walk_methods[] = {
  {"read", walk_read}, {"counts", walk_counts}, {"text", walk_text},
  {"close", walk_close}, {NULL, NULL},
};
static const luaL_Reg walk_metas[] = {
  {"__gc", walk_close}, {"__close", walk_close}, {NULL, NULL},
};

const td_bind_type td_bind_layouts = {"tidal.WalLayouts", layouts_methods,
                                      layouts_metas};
const td_bind_type td_bind_live = {"tidal.WalLive", walk_methods,
                                   walk_metas};

void td_bind_open_live(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"layouts", new_layouts}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_layouts);
  td_bind_type_new(L, &td_bind_live);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
