/* The process in which a foreign layout is evaluated: a fresh Lua state with
 * a budget (host/budget.h) behind a fence (host/fence.h), which runs the
 * embedded module tidal.hermetic.cell and talks in parcels.
 *
 * Trusted modules get base, string, table, math, utf8, coroutine, debug,
 * lpeg, tidal.core, a require of embedded modules, and "tidal.cell":
 *
 *   receive() -> list of strings          ends the process at the end
 *   send(list)
 *   call(budget, handler, f, ...) -> how, why, results
 *     how is "ok", "raised" (then why is what handler answered) or "spent"
 *   charge(work)                          raises once the budget is used up
 *   left() -> what the last call left of its budget
 *   aside(f, ...) -> results              f is ours: it is not charged
 *   enter(coroutine)                      its lines count from here on
 *   memory                                bytes that a script may hold
 *
 * Scripts see only what tidal.hermetic.sandbox makes of these. */
#ifndef TD_HOST_CELL_H
#define TD_HOST_CELL_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct td_cell {
  int socket;
  size_t memory;           /* bytes that a script may hold */
  bool filter;             /* ask for the system-call filter */
  lua_CFunction open_lpeg; /* loaded before the fork: nothing can be later */
} td_cell;

/* In a process that was just forked. */
_Noreturn void td_cell_run(const td_cell *cell);

#endif
