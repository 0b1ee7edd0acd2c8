/* What a layout may use up: instructions and memory, counted in the state
 * that runs it. A script that is over its budget ends with the file and line
 * at which that happened, whatever it does to catch the error; the walls
 * around the process (host/fence.h) stand behind this.
 *
 * - Instructions are counted by hundreds, in every coroutine; once the
 *   budget is used up each further instruction raises again.
 * - Work inside C functions is charged as instructions: what the allocator
 *   hands out (a copy of n bytes costs n / 32) and what td_budget_charge is
 *   told.
 * - A block that cannot be had after a full collection ends the script; a
 *   script cannot go on beside an empty memory. A block that grows may take
 *   up to 16 MiB more until the next instruction, which collects and judges:
 *   it may be the stack, and Lua must not be asked anything meanwhile.
 *
 * Thread: owner of the lua_State. */
#ifndef TD_HOST_BUDGET_H
#define TD_HOST_BUDGET_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct td_budget {
  size_t used, cap;     /* bytes */
  int64_t left;         /* instructions */
  lua_State *running;   /* the coroutine whose lines count */
  size_t refused;       /* size of the block that was refused last, or 0 */
  bool counting;        /* a script runs; else trusted code does, uncharged */
  bool owing;           /* a block was had on credit */
  bool spent;
  char place[400];      /* where that was */
  char why[512];        /* the first reason, once spent */
} td_budget;

/* For lua_newstate, with the budget as its ud. While no script runs there is
 * more room, so that its end can be told. */
void *td_budget_alloc(void *budget, void *block, size_t old_size,
                      size_t new_size);

/* The budget of a state that was made with td_budget_alloc. */
td_budget *td_budget_of(lua_State *L);

/* As lua_pcall with `left` instructions. *why becomes the reason if the
 * budget was used up, whatever the call answered; NULL otherwise. */
int td_budget_call(lua_State *L, int nargs, int handler, int64_t left,
                   const char **why);

/* Takes `work` instructions off the budget; raises when it is used up. */
void td_budget_charge(lua_State *L, int64_t work);

#endif
