/* tidal.wal.journal: lines that are on disk before what they say is done. */
#include <string.h>

#include "bind/bind.h"

/* What is read waits here until nothing of C is open that an error of Lua
 * could leave so. */
typedef struct bound_journal {
  td_journal journal;
  bool open;
  td_alloc alloc;
  uint8_t *text;    /* lines or names, each with a line feed */
  size_t size, room;
  bool failed;      /* no memory for them */
} bound_journal;

static const char *const modes[] = {"read", "write", "create", NULL};

static bool keep(bound_journal *self, const void *text, size_t size) {
  size_t want = self->size + size + 1;
  if (want > self->room) {
    void *more = td_alloc_resize(&self->alloc, self->text, self->room,
                                 want * 2);
    self->failed = !more;
    if (!more) return false;
    self->text = more;
    self->room = want * 2;
  }
  if (size > 0) memcpy(self->text + self->size, text, size);
  self->size = want;
  self->text[want - 1] = '\n';
  return true;
}

static bool keep_line(void *ctx, td_span text) {
  return keep(ctx, text.data, text.size);
}

static void forget(bound_journal *self) {
  td_alloc_free(&self->alloc, self->text, self->room);
  self->text = NULL;
  self->size = self->room = 0;
}

/* Pushes the list of what was kept. */
static void push_kept(lua_State *L, bound_journal *self) {
  lua_Integer count = 0;
  lua_newtable(L);
  for (size_t at = 0; at < self->size;) {
    const char *start = (const char *)self->text + at;
    const char *feed = memchr(start, '\n', self->size - at);
    td_assert(feed);
    lua_pushlstring(L, start, (size_t)(feed - start));
    lua_rawseti(L, -2, ++count);
    at += (size_t)(feed - start) + 1;
  }
  forget(self);
}

static bound_journal *new_journal(lua_State *L, const td_env *env) {
  bound_journal *self = td_bind_new(L, &td_bind_journal, sizeof *self, 1);
  self->alloc = env->alloc;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return self;
}

static int no_memory(lua_State *L) {
  td_error err;
  td_fail(&err, TD_NO_MEMORY, "lines of a journal", 0, 0);
  return td_bind_fail(L, &err);
}

/* wal.journal(dir, name [, mode = "read"]) -> journal, lines | nil, err
 * mode: "read" changes nothing; "write" cuts a torn last line off; "create"
 * makes the file, too. */
static int open_journal(lua_State *L) {
  td_error err;
  td_env env;
  const char *path = td_bind_place(L, td_bind_arg(1, "directory"), &env);
  const char *name = td_bind_file_name(L, td_bind_arg(2, "name"));
  int mode = lua_isnoneornil(L, 3)
               ? TD_JOURNAL_READ
               : td_bind_word(L, td_bind_arg(3, "mode"), modes);
  bound_journal *self = new_journal(L, &env);
  td_status status = td_journal_open(&self->journal, &env, path, name,
                                     (td_journal_mode)mode, keep_line, self,
                                     &err);
  self->open = status == TD_OK;
  if (status != TD_OK) return td_bind_fail(L, &err);
  if (self->failed) return no_memory(L);
  push_kept(L, self);
  return 2;
}

/* Also __gc and __close. Idempotent. */
static int journal_close(lua_State *L) {
  bound_journal *self = td_bind_check(L, 1, &td_bind_journal);
  if (self->open) td_journal_close(&self->journal);
  self->open = false;
  forget(self);
  return 0;
}

/* journal:append(text) -> true | nil, err: the line is on disk */
static int journal_append(lua_State *L) {
  td_error err;
  bound_journal *self = td_bind_check(L, 1, &td_bind_journal);
  td_span text = td_bind_bytes(L, td_bind_arg(2, "text"), "a line of text");
  if (!self->open) luaL_error(L, "the journal is closed");
  if (!self->journal.file) luaL_error(L, "the journal is open to read");
  if (td_journal_append(&self->journal, text, &err) != TD_OK) {
    return td_bind_fail(L, &err);
  }
  lua_pushboolean(L, true);
  return 1;
}

/* --- names ---------------------------------------------------------------- */

static int keep_name(void *ctx, const char *name) {
  uint32_t epoch;
  return !td_journal_name_parse(name, &epoch)
      || keep(ctx, name, strlen(name));
}

/* wal.migrations(dir) -> list of the names of journals of migrations, in no
 * order | nil, err */
static int list_migrations(lua_State *L) {
  td_error err;
  td_env env;
  td_dir *dir;
  const char *path = td_bind_place(L, td_bind_arg(1, "directory"), &env);
  bound_journal *self = new_journal(L, &env);
  int result = env.store->dir_open(env.store_ctx, path, &dir);
  if (result == 0) {
    result = env.store->dir_list(env.store_ctx, dir, keep_name, self);
    env.store->dir_close(env.store_ctx, dir);
  }
  if (self->failed) return no_memory(L);
  if (result == 0) {
    push_kept(L, self);
    return 1;
  }
  td_fail(&err, TD_IO, "listing the directory", 0, 0);
  err.sys = -result;
  return td_bind_fail(L, &err);
}

static const luaL_Reg methods[] = {
  {"append", journal_append}, {"close", journal_close}, {NULL, NULL},
};
static const luaL_Reg metas[] = {
  {"__gc", journal_close}, {"__close", journal_close}, {NULL, NULL},
};

const td_bind_type td_bind_journal = {"tidal.WalJournal", methods, metas};

void td_bind_open_journal(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"journal", open_journal}, {"migrations", list_migrations}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_journal);
  td_bind_subtable(L, "wal");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
