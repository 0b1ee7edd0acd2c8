#define _POSIX_C_SOURCE 200809L  /* sigaction */

#include "host/call.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

/* What the signal handler interrupts. */
static lua_State *_Atomic running;

static void interrupt(lua_State *L, lua_Debug *where) {
  (void)where;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* lua_sethook is the one call of Lua's API that a handler may make. The
 * default action is back at once: code that never reaches a hook, inside a
 * C function or a coroutine, falls to the second signal. */
static void on_interrupt(int number) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  sigaction(number, &standard, NULL);
  lua_sethook(running, interrupt,
              LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static int describe(lua_State *L) {
  const char *text = lua_tostring(L, 1);
  if (text == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") &&
        lua_type(L, -1) == LUA_TSTRING) {
      return 1;  /* an object that speaks for itself needs no traceback */
    }
    text = lua_pushfstring(L, "(error object is a %s value)",
                           luaL_typename(L, 1));
  }
  luaL_traceback(L, L, text, 1);
  return 1;
}

int td_call_protected(lua_State *L, int nargs, int nresults) {
  struct sigaction ours = {.sa_handler = on_interrupt}, before;
  int handler = lua_gettop(L) - nargs;  /* goes below the function */
  lua_pushcfunction(L, describe);
  lua_insert(L, handler);
  running = L;
  sigaction(SIGINT, &ours, &before);
  int status = lua_pcall(L, nargs, nresults, handler);
  sigaction(SIGINT, &before, NULL);
  /* a signal in the last instant must not end the next call */
  if (lua_gethook(L) == interrupt) lua_sethook(L, NULL, 0, 0);
  lua_remove(L, handler);
  return status;
}

void td_call_report(lua_State *L, const char *program) {
  /* only a string: turning a number into one may raise out of memory */
  bool text = lua_type(L, -1) == LUA_TSTRING;
  td_call_complain(program, text ? lua_tostring(L, -1)
                                 : "(error object is not a string)");
  lua_pop(L, 1);
}

void td_call_complain(const char *program, const char *text) {
  if (program != NULL) fprintf(stderr, "%s: ", program);
  fprintf(stderr, "%s\n", text);
  fflush(stderr);
}
