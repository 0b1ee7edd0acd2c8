#include "host/repl.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/call.h"

#define CHUNK ((size_t)512)  /* of a line; lines have any length */
#define CHUNK_NAME "=stdin"

static void print_prompt(lua_State *L, bool first) {
  const char *prompt = first ? "> " : ">> ";
  if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") != LUA_TNIL) {
    prompt = luaL_tolstring(L, -1, NULL);
  }
  fputs(prompt, stdout);
  fflush(stdout);
}

/* Pushes the next line without its end; false and nothing at the end of
 * the input. */
static bool read_line(lua_State *L, bool first) {
  int top = lua_gettop(L);
  print_prompt(L, first);
  lua_settop(L, top);
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  bool any = false, whole = false;
  while (!whole) {
    char *chunk = luaL_prepbuffsize(&line, CHUNK);
    if (fgets(chunk, (int)CHUNK, stdin) == NULL) break;
    size_t size = strlen(chunk);
    whole = size > 0 && chunk[size - 1] == '\n';
    luaL_addsize(&line, whole ? size - 1 : size);
    any = true;
  }
  luaL_pushresult(&line);
  if (!any) lua_pop(L, 1);
  return any;
}

/* Compiles the text at `index`, pushes the function or the message. */
static int load(lua_State *L, int index) {
  size_t size = 0;
  const char *text = lua_tolstring(L, index, &size);
  return luaL_loadbufferx(L, text, size, CHUNK_NAME, "t");
}

/* True when the error on top says that the text stops too early. */
static bool is_incomplete(lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t size = 0, length = sizeof mark - 1;
  if (status != LUA_ERRSYNTAX) return false;
  const char *message = lua_tolstring(L, -1, &size);
  return size >= length && strcmp(message + size - length, mark) == 0;
}

/* The text at index 1, with as many lines more as it needs. */
static int load_statement(lua_State *L) {
  for (;;) {
    lua_settop(L, 1);
    int status = load(L, 1);
    if (!is_incomplete(L, status) || !read_line(L, false)) return status;
    lua_pushvalue(L, 1);
    lua_pushliteral(L, "\n");
    lua_pushvalue(L, 3);
    lua_concat(L, 3);
    lua_replace(L, 1);
  }
}

/* The line at index 1, an expression first, then a statement. */
static int load_line(lua_State *L) {
  const char *text = lua_tostring(L, 1);
  bool asked = *text == '=';
  lua_pushliteral(L, "return ");
  lua_pushstring(L, asked ? text + 1 : text);
  lua_concat(L, 2);
  if (asked) lua_replace(L, 1);
  else if (load(L, 2) == LUA_OK) return LUA_OK;
  return load_statement(L);
}

static void print_results(lua_State *L, int count) {
  if (count == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, -count - 1);
  if (lua_pcall(L, count, 0, 0) != LUA_OK) {
    const char *why = luaL_tolstring(L, -1, NULL);
    lua_pushfstring(L, "error calling 'print' (%s)", why);
    td_call_report(L, NULL);
  }
}

void td_repl_run(lua_State *L) {
  lua_settop(L, 0);
  while (read_line(L, true)) {
    int status = load_line(L);
    lua_replace(L, 1);
    lua_settop(L, 1);
    if (status == LUA_OK) status = td_call_protected(L, 0, LUA_MULTRET);
    if (status == LUA_OK) print_results(L, lua_gettop(L));
    else td_call_report(L, NULL);
    lua_settop(L, 0);
  }
  fputs("\n", stdout);
}
