/* tidal.wal.lines: events out of lines of text, into a builder. */
#include "bind/bind_events.h"

#define FAULTS_SHOWN 20u       /* the texts of so many are kept */
#define EVENTS_AT_ONCE 4096u

typedef struct bound_lines {
  td_lines lines;
  bool done;
  uint32_t fault_count;        /* texts */
  char faults[FAULTS_SHOWN][TD_LINE_FAULT_TEXT_MAX];
} bound_lines;

static void keep_fault(void *ctx, const td_line_fault *fault) {
  bound_lines *self = ctx;
  if (self->fault_count == FAULTS_SHOWN) return;
  td_line_fault_format(fault, self->faults[self->fault_count++]);
}

static bound_lines *check_lines(lua_State *L) {
  return td_bind_check(L, 1, &td_bind_lines);
}

/* wal.lines() -> reads CSV or JSON lines, in pieces: format/lines.h */
static int new_lines(lua_State *L) {
  bound_lines *self = td_bind_new(L, &td_bind_lines, sizeof *self, 0);
  td_lines_init(&self->lines, keep_fault, self);
  return 1;
}

static bound_lines *unfinished(lua_State *L) {
  bound_lines *self = check_lines(L);
  if (self->done) luaL_error(L, "the lines are finished");
  return self;
}

/* lines:read(bytes, at, builder [, most = 4096]) -> where to go on
 * Adds events of the lines in `bytes` from offset `at` on (0 = the first
 * byte), at most so many. At #bytes there is nothing left; a line without
 * its end is kept for the next piece. */
static int lines_read(lua_State *L) {
  bound_lines *self = unfinished(L);
  td_span bytes = td_bind_bytes(L, td_bind_arg(2, "bytes"), "a string");
  size_t at = (size_t)td_bind_uint(L, td_bind_arg(3, "at"), 0, bytes.size);
  td_bind_events *to = td_bind_check_builder(L, 4);
  uint32_t most = EVENTS_AT_ONCE;
  if (!lua_isnoneornil(L, 5)) {
    most = (uint32_t)td_bind_uint(L, td_bind_arg(5, "most"), 1,
                                  TD_RECORDS_MAX);
  }
  td_bind_builder_reserve(L, 4, most);
  to->count += td_lines_read(&self->lines, bytes, &at,
                             to->records + to->count, most);
  lua_pushinteger(L, (lua_Integer)at);
  return 1;
}

/* lines:finish(builder): there are no more bytes; adds the event of a last
 * line that has no end */
static int lines_finish(lua_State *L) {
  bound_lines *self = unfinished(L);
  td_bind_events *to = td_bind_check_builder(L, 2);
  td_bind_builder_reserve(L, 2, 1);
  to->count += td_lines_end(&self->lines, to->records + to->count);
  self->done = true;
  return 0;
}

/* lines:faults() -> list of texts "line 3, column 7: ...", of the first 20
 * bad lines */
static int lines_faults(lua_State *L) {
  const bound_lines *self = check_lines(L);
  lua_createtable(L, (int)self->fault_count, 0);
  for (uint32_t i = 0; i < self->fault_count; i++) {
    lua_pushstring(L, self->faults[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* lines:counts() -> { lines =, events =, bad =, form = "csv"|"json" or nil
 * when there was nothing yet, foreign = true where the columns are others:
 * then nothing behind them was read } */
static int lines_counts(lua_State *L) {
  static const char *const forms[] = {NULL, "csv", "json", "csv"};
  const td_lines *lines = &check_lines(L)->lines;
  lua_createtable(L, 0, 5);
  td_bind_push_u64(L, lines->line);
  lua_setfield(L, -2, "lines");
  td_bind_push_u64(L, lines->events);
  lua_setfield(L, -2, "events");
  td_bind_push_u64(L, lines->bad);
  lua_setfield(L, -2, "bad");
  lua_pushstring(L, forms[lines->form]);
  lua_setfield(L, -2, "form");
  lua_pushboolean(L, lines->form == TD_LINES_FOREIGN);
  lua_setfield(L, -2, "foreign");
  return 1;
}

static const luaL_Reg lines_methods[] = {
  {"read", lines_read}, {"finish", lines_finish}, {"faults", lines_faults},
  {"counts", lines_counts}, {NULL, NULL},
};

const td_bind_type td_bind_lines = {"tidal.EventLines", lines_methods, NULL};

void td_bind_open_lines(lua_State *L) {
  static const luaL_Reg functions[] = {{"lines", new_lines}, {NULL, NULL}};
  td_bind_type_new(L, &td_bind_lines);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
