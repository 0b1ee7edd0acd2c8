#include "host/budget.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"

#define STEP 100         /* instructions between two looks */
#define BYTES_A_STEP 32  /* memory traffic that costs one instruction */
#define RESERVE ((size_t)48 << 20)  /* for telling how a script ended */

td_budget *td_budget_of(lua_State *L) {
  void *budget;
  lua_Alloc alloc = lua_getallocf(L, &budget);
  td_assert(alloc == td_budget_alloc);
  return budget;
}

/* " at layout.lua:17": the innermost line of a script; "" where there is
 * none. Asks for nothing that allocates. */
static void find_place(lua_State *L, char *out, size_t size) {
  lua_Debug at;
  out[0] = '\0';
  for (int level = 0; lua_getstack(L, level, &at); level++) {
    lua_getinfo(L, "Sl", &at);
    if (at.source[0] != '@' || at.currentline < 1) continue;
    snprintf(out, size, " at %s:%d", at.source + 1, at.currentline);
    return;
  }
}

static void count(lua_State *L, lua_Debug *where);

static void set_why(td_budget *budget, const char *what, const char *place) {
  if (!budget->spent) {
    snprintf(budget->why, sizeof budget->why, "%s budget used up%s", what,
             place);
  }
  budget->spent = true;
}

static void spend(td_budget *budget, lua_State *L, const char *what) {
  char place[sizeof budget->place];
  find_place(L, place, sizeof place);
  set_why(budget, what, place);
  lua_sethook(L, count, LUA_MASKCOUNT, 1);
}

static _Noreturn void raise_why(lua_State *L, const td_budget *budget) {
  lua_pushstring(L, budget->why);
  lua_error(L);
  abort();
}

/* The hook of every coroutine: a new one inherits it from its maker. */
static void count(lua_State *L, lua_Debug *where) {
  td_budget *budget = td_budget_of(L);
  (void)where;
  if (!budget->counting) return;
  budget->running = L;
  budget->left -= STEP;
  if (budget->left <= 0) spend(budget, L, "instruction");
  if (!budget->spent) return;
  lua_sethook(L, count, LUA_MASKCOUNT, 1);
  raise_why(L, budget);
}

void td_budget_charge(lua_State *L, int64_t work) {
  td_budget *budget = td_budget_of(L);
  if (!budget->counting) return;
  bool enough = work < budget->left;
  budget->left = enough ? budget->left - work : 0;
  if (!enough) spend(budget, L, "instruction");
  if (budget->spent) raise_why(L, budget);
}

/* Lua asks twice, with a full collection between; the second no is final,
 * and the first where no collection could help. */
static void *refuse(td_budget *budget, size_t size) {
  bool again = budget->refused == size || size > budget->cap;
  budget->refused = size;
  if (!budget->counting) return NULL;
  find_place(budget->running, budget->place, sizeof budget->place);
  if (again) spend(budget, budget->running, "memory");
  return NULL;
}

static void charge_bytes(td_budget *budget, size_t bytes) {
  if (!budget->counting) return;
  budget->left -= (int64_t)(bytes / BYTES_A_STEP);
  if (budget->left <= 0) spend(budget, budget->running, "instruction");
}

void *td_budget_alloc(void *ud, void *block, size_t old_size,
                      size_t new_size) {
  td_budget *budget = ud;
  if (block == NULL) old_size = 0;  /* it is a type otherwise */
  if (new_size == 0) {
    budget->used -= old_size;
    free(block);
    return NULL;
  }
  size_t cap = budget->cap + (budget->counting ? 0 : RESERVE);
  size_t others = budget->used - old_size;
  bool grows = new_size > old_size;
  if (grows && (others > cap || new_size > cap - others)) {
    return refuse(budget, new_size);
  }
  void *moved = realloc(block, new_size);
  if (moved == NULL) return grows ? refuse(budget, new_size) : block;
  budget->used = others + new_size;
  if (grows) {
    budget->refused = 0;
    charge_bytes(budget, new_size - old_size);
  }
  return moved;
}

int td_budget_call(lua_State *L, int nargs, int handler, int64_t left,
                   const char **why) {
  td_budget *budget = td_budget_of(L);
  budget->left = left;
  budget->running = L;
  budget->refused = 0;
  budget->place[0] = '\0';
  budget->spent = false;
  budget->counting = true;
  lua_sethook(L, count, LUA_MASKCOUNT, STEP);
  int status = lua_pcall(L, nargs, LUA_MULTRET, handler);
  lua_sethook(L, NULL, 0, 0);
  budget->counting = false;
  if (status == LUA_ERRMEM) set_why(budget, "memory", budget->place);
  *why = budget->spent ? budget->why : NULL;
  return status;
}
