/* Calls into Lua as the host makes them: protected, with a traceback, and
 * ended by Ctrl-C.
 *
 * Thread: the main thread only; one such call runs at a time, because the
 * signal handler knows one lua_State. */
#ifndef TD_HOST_CALL_H
#define TD_HOST_CALL_H

#include <lua.h>

#define TD_PROGRAM "tidal-lua"

/* As lua_pcall. A failure leaves one value: the message with its traceback,
 * or the text of an error object that has __tostring. SIGINT raises
 * "interrupted!" inside the call; a second one ends the process. */
int td_call_protected(lua_State *L, int nargs, int nresults);

/* Prints the value on top as an error of `program` (NULL = no name, as at
 * the prompt) and pops it. Never raises. */
void td_call_report(lua_State *L, const char *program);

/* One line on standard error: "program: text". */
void td_call_complain(const char *program, const char *text);

#endif
