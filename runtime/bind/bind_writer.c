/* tidal.wal.writer: what a writer of one log does. Opened in bind_opening.c. */
#include "bind/bind_writer.h"

#define RETIRE_BYTES 8388608u

static td_bound_writer *check_writer(lua_State *L, int arg) {
  td_bound_writer *writer = td_bind_check(L, arg, &td_bind_writer);
  if (!writer->open) luaL_error(L, "the writer is closed");
  td_bind_refuse_held(L, writer->home);
  return writer;
}

/* --- events --------------------------------------------------------------- */

/* The list of events at argument 2; leaves a block at index 3. */
static td_record *check_events(lua_State *L, uint32_t *count) {
  td_bind_at at = td_bind_arg(2, "events");
  *count = td_bind_list(L, at, "a list of events", TD_RECORDS_MAX);
  if (*count == 0) td_bind_bad(L, at, "a batch has at least one event");
  lua_settop(L, 2);
  td_record *records = lua_newuserdatauv(L, *count * sizeof *records, 0);
  for (lua_Integer i = 1; i <= (lua_Integer)*count; i++) {
    lua_rawgeti(L, 2, i);
    records[i - 1] = td_bind_entry_event(L, i);
    lua_pop(L, 1);
  }
  return records;
}

/* writer:append(events) -> first_seq | nil, err. A list of { entity =,
 * signal_type =, weight =, timestamp_ns = }: one batch. With a window 0 when
 * all of them are known. */
static int writer_append(lua_State *L) {
  td_error err;
  td_seqno first;
  uint32_t count;
  check_writer(L, 1);
  const td_record *records = check_events(L, &count);
  td_bound_writer *writer = check_writer(L, 1);  /* a field may run a script */
  if (td_wal_log_append(&writer->log, records, count, &first, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  td_bind_push_u64(L, first.value);
  return 1;
}

/* writer:append_each(events) -> list of their numbers, 0 for one that the
 * window knows: it is on disk already | nil, err */
static int writer_append_each(lua_State *L) {
  td_error err;
  uint32_t count;
  check_writer(L, 1);
  const td_record *records = check_events(L, &count);
  td_seqno *numbers = lua_newuserdatauv(L, count * sizeof *numbers, 0);
  lua_createtable(L, (int)count, 0);
  td_bound_writer *writer = check_writer(L, 1);
  if (td_wal_log_append_each(&writer->log, records, count, numbers, &err)
      != TD_OK) {
    return td_bind_fail(L, &err);
  }
  for (uint32_t i = 0; i < count; i++) {
    td_bind_push_u64(L, numbers[i].value);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* writer:add(entity, signal_type, weight, timestamp_ns): waits for commit */
static int writer_add(lua_State *L) {
  td_bind_events_put(L, &check_writer(L, 1)->pending, 1, TD_BIND_WRITER_BLOCK,
                     2);
  return 0;
}

static int writer_add_bound(lua_State *L) {
  td_bound_writer *writer = lua_touserdata(L, lua_upvalueindex(1));
  if (!writer->open) luaL_error(L, "the writer is closed");
  td_bind_refuse_held(L, writer->home);
  td_bind_events_put(L, &writer->pending, lua_upvalueindex(1),
                     TD_BIND_WRITER_BLOCK, 1);
  return 0;
}

/* writer:bind() -> add, the same as a function without the receiver */
static int writer_bind(lua_State *L) {
  check_writer(L, 1);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, writer_add_bound, 1);
  return 1;
}

/* writer:commit() -> number of the first event that was added, 0 = there was
 * none | nil, err; then the events still wait */
static int writer_commit(lua_State *L) {
  td_error err;
  td_seqno first = {0};
  td_bound_writer *writer = check_writer(L, 1);
  td_bind_events *pending = &writer->pending;
  if (pending->count > 0
      && td_wal_log_append(&writer->log, pending->records, pending->count,
                           &first, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  pending->count = 0;
  td_bind_push_u64(L, first.value);
  return 1;
}

/* writer:discard() -> how many events were added and are gone */
static int writer_discard(lua_State *L) {
  td_bound_writer *writer = check_writer(L, 1);
  lua_pushinteger(L, writer->pending.count);
  writer->pending.count = 0;
  return 1;
}

/* #writer: events that wait for commit */
static int writer_len(lua_State *L) {
  const td_bound_writer *writer = td_bind_check(L, 1, &td_bind_writer);
  lua_pushinteger(L, writer->pending.count);
  return 1;
}

/* --- the log -------------------------------------------------------------- */

/* writer:durable() -> everything through this number is on disk */
static int writer_durable(lua_State *L) {
  td_bind_push_u64(L, td_wal_log_durable(&check_writer(L, 1)->log).value);
  return 1;
}

/* writer:sync() -> true | nil, err. All that was written becomes durable. */
static int writer_sync(lua_State *L) {
  td_error err;
  if (td_wal_log_sync(&check_writer(L, 1)->log, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  lua_pushboolean(L, true);
  return 1;
}

/* writer:checkpoint{ seqno =, marks = {}, hlc_wall_ns = 0 } -> true | nil,
 * err. All state through seqno is materialised; marks of other logs are what
 * state:marks() gives. */
static int writer_checkpoint(lua_State *L) {
  static const char *const keys[] = {"seqno", "marks", "hlc_wall_ns", NULL};
  td_error err;
  td_bind_at at;
  td_wal_progress progress = {.seqno = {0}};
  check_writer(L, 1);
  lua_settop(L, 2);
  td_bind_table(L, td_bind_arg(2, NULL), "a table { seqno =, marks = }");
  td_bind_known_keys(L, td_bind_arg(2, NULL), keys);
  lua_getfield(L, 2, "seqno");
  at = (td_bind_at){.index = 3, .name = "seqno"};
  progress.seqno.value = td_bind_u64(L, at);
  progress.hlc_wall_ns = td_bind_field_u64(L, 2, "hlc_wall_ns", 0);
  if (td_bind_field(L, 2, "marks", &at)) {
    progress.mark_count = td_bind_list(L, at, "a list of marks",
                                       TD_CHECKPOINT_MARKS_MAX);
    td_mark *marks = lua_newuserdatauv(
      L, (progress.mark_count + 1u) * sizeof *marks, 0);
    for (lua_Integer i = 1; i <= (lua_Integer)progress.mark_count; i++) {
      marks[i - 1] = td_bind_check_mark(L, at.index, i);
    }
    progress.marks = marks;
  }
  td_bound_writer *writer = check_writer(L, 1);
  if (td_wal_log_checkpoint(&writer->log, &progress, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  lua_pushboolean(L, true);
  return 1;
}

/* writer:truncate(keep_after) -> number of segments removed | nil, err. All
 * events behind keep_after stay, and all that a checkpoint needs. */
static int writer_truncate(lua_State *L) {
  td_error err;
  uint32_t removed;
  td_bound_writer *writer = check_writer(L, 1);
  td_seqno keep_after = {td_bind_u64(L, td_bind_arg(2, "keep_after"))};
  if (td_wal_log_truncate(&writer->log, keep_after, &removed, &err)
      != TD_OK) {
    return td_bind_fail(L, &err);
  }
  lua_pushinteger(L, removed);
  return 1;
}

/* What a call of retire does: begins, reads on, and moves what is dead. */
static td_status retire_some(td_bound_writer *writer, uint64_t bytes,
                             td_error *err) {
  td_status status = TD_OK;
  if (!writer->retiring) {
    status = td_retire_open(&writer->retire, &writer->log, err);
    writer->retiring = status == TD_OK;
  }
  if (status == TD_OK) status = td_retire_step(&writer->retire, bytes, err);
  if (status != TD_END) return status;
  status = td_retire_apply(&writer->retire, err);
  return status == TD_OK ? TD_END : status;
}

/* writer:retire([bytes = 8 MiB]) -> true: call again | false, segments moved |
 * nil, err. Segments at the front in which no event counts go to retired/. */
static int writer_retire(lua_State *L) {
  td_error err;
  td_bound_writer *writer = check_writer(L, 1);
  uint64_t bytes = lua_isnoneornil(L, 2)
    ? RETIRE_BYTES : td_bind_uint(L, td_bind_arg(2, "bytes"), 1, INT64_MAX);
  td_status status = retire_some(writer, bytes, &err);
  lua_pushboolean(L, status == TD_OK);
  if (status == TD_OK) return 1;
  lua_pushinteger(L, writer->retiring ? writer->retire.segments : 0);
  if (writer->retiring) td_retire_close(&writer->retire);
  writer->retiring = false;
  return status == TD_END ? 2 : td_bind_fail(L, &err);
}

/* writer:recovery() -> { clean =, torn =, suspect =, checkpoint_bad =,
 * rewritten =, last_seq = }, what opening found and did; with torn also file,
 * offset, cut_bytes and lost_events */
static int writer_recovery(lua_State *L) {
  td_bind_push_recovery(L, check_writer(L, 1));
  return 1;
}

/* writer:log() -> LogId */
static int writer_log(lua_State *L) {
  td_bind_push_log(L, check_writer(L, 1)->log.options.log);
  return 1;
}

/* --- the end -------------------------------------------------------------- */

void td_bind_writer_refuse_pending(lua_State *L,
                                   const td_bound_writer *writer) {
  char text[TD_LOG_ID_TEXT_MAX];
  if (!writer->open || writer->pending.count == 0) return;
  td_log_id_format(writer->log.options.log, text);
  luaL_error(L, "%s: %d events wait: commit() or discard() them first", text,
             (int)writer->pending.count);
}

void td_bind_raise_dropped(lua_State *L, uint64_t count) {
  luaL_error(L, "the scope ended with %I events that nobody committed: they "
                "are gone", (LUAI_UACINT)count);
  td_panic(__FILE__, __LINE__, "luaL_error returned");
}

bool td_bind_clean(lua_State *L, int arg) {
  static const char *const keys[] = {"clean", NULL};
  if (lua_isnoneornil(L, arg)) return true;
  td_bind_table(L, td_bind_arg(arg, NULL), "a table { clean = }");
  td_bind_known_keys(L, td_bind_arg(arg, NULL), keys);
  return td_bind_field_bool(L, arg, "clean", true);
}

/* writer:close([{ clean = true }]) -> true | nil, err. Raises while events
 * wait; closed in any other case. With clean = false the next opening takes
 * it for a crash. */
static int writer_close(lua_State *L) {
  td_error err;
  td_bound_writer *writer = td_bind_check(L, 1, &td_bind_writer);
  bool clean = td_bind_clean(L, 2);
  td_bind_writer_refuse_pending(L, writer);
  if (td_bind_writer_shut(writer, clean, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  lua_pushboolean(L, true);
  return 1;
}

/* At the end of a scope: raises what went wrong, unless an error is what
 * ends it. */
static int writer_end(lua_State *L) {
  td_error err;
  td_bound_writer *writer = td_bind_check(L, 1, &td_bind_writer);
  bool well = lua_isnoneornil(L, 2);
  uint64_t dropped = writer->pending.count;
  td_status status = td_bind_writer_shut(writer, true, &err);
  if (well && status != TD_OK) td_bind_raise(L, &err);
  if (well && dropped > 0) td_bind_raise_dropped(L, dropped);
  return 0;
}

static int writer_gc(lua_State *L) {
  td_bound_writer *writer = td_bind_check(L, 1, &td_bind_writer);
  (void)td_bind_writer_shut(writer, false, NULL);
  return 0;
}

static const luaL_Reg writer_methods[] = {
  {"append", writer_append}, {"append_each", writer_append_each},
  {"add", writer_add}, {"bind", writer_bind},
  {"commit", writer_commit}, {"discard", writer_discard},
  {"durable", writer_durable}, {"sync", writer_sync},
  {"checkpoint", writer_checkpoint}, {"truncate", writer_truncate},
  {"retire", writer_retire}, {"recovery", writer_recovery},
  {"log", writer_log},
  {"close", writer_close}, {NULL, NULL},
};
static const luaL_Reg writer_metas[] = {
  {"__gc", writer_gc}, {"__close", writer_end}, {"__len", writer_len},
  {NULL, NULL},
};

const td_bind_type td_bind_writer = {"tidal.WalWriter", writer_methods,
                                     writer_metas};

void td_bind_open_writer(lua_State *L) {
  td_bind_type_new(L, &td_bind_writer);
  td_bind_open_opening(L);
}
