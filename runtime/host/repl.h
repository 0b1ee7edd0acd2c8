/* The prompt: reads statements from standard input until it ends.
 *
 * A line that is an expression, or `=` and an expression, prints its values;
 * an incomplete statement goes on in the next line; an error is reported and
 * the session continues. The globals _PROMPT and _PROMPT2 replace "> " and
 * ">> ".
 *
 * Thread: the main thread only. */
#ifndef TD_HOST_REPL_H
#define TD_HOST_REPL_H

#include <lua.h>

/* Clears the stack. Raises only for a failing prompt or out of memory. */
void td_repl_run(lua_State *L);

#endif
