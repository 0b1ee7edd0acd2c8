#include "host/budget.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"

#define STEP 100         /* instructions between two looks */
#define BYTES_A_STEP 32  /* memory traffic that costs one instruction */
#define RESERVE ((size_t)48 << 20)  /* for telling how a script ended */
#define STACK_MAX ((size_t)16 << 20)  /* bytes of one, and of the credit */

_Static_assert((LUAI_MAXSTACK + 1024) * 16 <= STACK_MAX,
               "a stack of Lua fits, with its room for errors");

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

/* Looks at the budget every so many instructions. Asks for nothing else of
 * the state, so the allocator may call this whatever Lua is about. */
static void set_pace(lua_State *L, int steps) {
  if (lua_gethookcount(L) == steps) return;
  lua_sethook(L, count, LUA_MASKCOUNT, steps);
}

/* Over, at the place that was found. */
static void spend(td_budget *budget, lua_State *L, const char *what) {
  if (!budget->spent) {
    snprintf(budget->why, sizeof budget->why, "%s budget used up%s", what,
             budget->place);
  }
  budget->spent = true;
  set_pace(L, 1);
}

/* Over, at the line that L is in. */
static void spend_here(td_budget *budget, lua_State *L, const char *what) {
  find_place(L, budget->place, sizeof budget->place);
  spend(budget, L, what);
}

static _Noreturn void raise_why(lua_State *L, const td_budget *budget) {
  lua_pushstring(L, budget->why);
  lua_error(L);
  abort();
}

/* Was more than there is taken on credit, it must be garbage. */
static void settle(td_budget *budget, lua_State *L) {
  budget->owing = false;
  lua_gc(L, LUA_GCCOLLECT);
  if (budget->used > budget->cap) spend_here(budget, L, "memory");
}

/* The hook of every coroutine: a new one inherits it from its maker. */
static void count(lua_State *L, lua_Debug *where) {
  td_budget *budget = td_budget_of(L);
  (void)where;
  if (!budget->counting) return;
  budget->running = L;
  budget->left -= lua_gethookcount(L);
  if (budget->owing) settle(budget, L);
  if (budget->left <= 0) spend_here(budget, L, "instruction");
  set_pace(L, budget->spent ? 1 : STEP);
  if (budget->spent) raise_why(L, budget);
}

void td_budget_charge(lua_State *L, int64_t work) {
  td_budget *budget = td_budget_of(L);
  if (!budget->counting) return;
  bool enough = work < budget->left;
  budget->left = enough ? budget->left - work : 0;
  if (!enough) spend_here(budget, L, "instruction");
  if (budget->spent) raise_why(L, budget);
}

/* Whether the block that grows may be the stack of a coroutine. Newer Lua
 * 5.4 (5.4.4 makes a new block) holds no pointers into it until it has the
 * answer: nobody may look at it then, and no garbage is collected for it. */
static bool may_be_stack(const void *block, size_t new_size) {
  return block != NULL && new_size <= STACK_MAX;
}

/* True also for what fits on credit: the next instruction looks whether a
 * collection pays for it. */
static bool fits(td_budget *budget, size_t others, size_t size, bool stack) {
  size_t cap = budget->cap + (budget->counting ? 0 : RESERVE);
  if (others <= cap && size <= cap - others) return true;
  if (!budget->counting || !stack) return false;
  if (others + size > cap + STACK_MAX) return false;
  budget->owing = true;
  set_pace(budget->running, 1);
  return true;
}

/* Lua asks twice, with a full collection between; the second no is final,
 * and the first where no collection could help. */
static void *refuse(td_budget *budget, size_t size, bool stack) {
  bool again = budget->refused == size || size > budget->cap;
  budget->refused = size;
  if (!budget->counting) return NULL;
  budget->place[0] = '\0';
  if (!stack) {
    find_place(budget->running, budget->place, sizeof budget->place);
  }
  if (again) spend(budget, budget->running, "memory");
  return NULL;
}

static void charge_bytes(td_budget *budget, size_t bytes, bool stack) {
  if (!budget->counting) return;
  budget->left -= (int64_t)(bytes / BYTES_A_STEP);
  if (budget->left > 0) return;
  if (stack) set_pace(budget->running, 1);
  else spend_here(budget, budget->running, "instruction");
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
  bool stack = may_be_stack(block, new_size);
  bool grows = new_size > old_size;
  size_t others = budget->used - old_size;
  if (grows && !fits(budget, others, new_size, stack)) {
    return refuse(budget, new_size, stack);
  }
  void *moved = realloc(block, new_size);
  if (moved == NULL) return grows ? refuse(budget, new_size, stack) : block;
  budget->used = others + new_size;
  if (grows) {
    budget->refused = 0;
    charge_bytes(budget, new_size - old_size, stack);
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
  budget->owing = false;
  budget->counting = true;
  lua_sethook(L, count, LUA_MASKCOUNT, STEP);
  int status = lua_pcall(L, nargs, LUA_MULTRET, handler);
  if (status == LUA_ERRMEM) spend(budget, L, "memory");
  lua_sethook(L, NULL, 0, 0);
  budget->counting = false;
  *why = budget->spent ? budget->why : NULL;
  return status;
}
