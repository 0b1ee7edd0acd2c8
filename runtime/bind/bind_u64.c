/* tidal.u64: arithmetic and text for the 64-bit patterns that Lua integers
 * are. Everything is unsigned; add, sub and mul wrap only when asked to. */
#include "bind/bind.h"

static uint64_t operand(lua_State *L, int arg) {
  return td_bind_u64(L, td_bind_arg(arg, NULL));
}

/* Both, read in order: the message is about the first that is wrong. */
typedef struct pair { uint64_t a, b; } pair;

static pair operands(lua_State *L) {
  pair both;
  both.a = operand(L, 1);
  both.b = operand(L, 2);
  return both;
}

/* u64.parse(text | integer) -> integer; raises for anything else */
static int parse(lua_State *L) {
  td_bind_push_u64(L, operand(L, 1));
  return 1;
}

/* u64.hex(a) -> "0x" and 16 digits */
static int hex(lua_State *L) {
  char text[TD_ENTITY_ID_TEXT_MAX];
  td_entity_id id = {operand(L, 1)};
  lua_pushlstring(L, text, td_entity_id_format(id, text));
  return 1;
}

/* u64.str(a) -> decimal text */
static int str(lua_State *L) {
  char text[TD_U64_DIGITS_MAX + 1];
  td_text out = td_text_init(text, sizeof text);
  td_text_decimal(&out, operand(L, 1));
  lua_pushlstring(L, text, out.size);
  return 1;
}

/* u64.cmp(a, b) -> -1, 0, 1 */
static int cmp(lua_State *L) {
  pair of = operands(L);
  lua_pushinteger(L, td_u64_cmp(of.a, of.b));
  return 1;
}

static int lt(lua_State *L) {
  pair of = operands(L);
  lua_pushboolean(L, of.a < of.b);
  return 1;
}

static int le(lua_State *L) {
  pair of = operands(L);
  lua_pushboolean(L, of.a <= of.b);
  return 1;
}

/* Refuses the second operand unless it fits. */
static void must(lua_State *L, bool fits, const char *what) {
  if (!fits) td_bind_bad(L, td_bind_arg(2, NULL), what);
}

static int div_(lua_State *L) {
  pair of = operands(L);
  must(L, of.b != 0, "division by zero");
  td_bind_push_u64(L, of.a / of.b);
  return 1;
}

static int mod(lua_State *L) {
  pair of = operands(L);
  must(L, of.b != 0, "division by zero");
  td_bind_push_u64(L, of.a % of.b);
  return 1;
}

static int add(lua_State *L) {
  pair of = operands(L);
  must(L, of.b <= UINT64_MAX - of.a, "the sum is above 2^64-1");
  td_bind_push_u64(L, of.a + of.b);
  return 1;
}

static int sub(lua_State *L) {
  pair of = operands(L);
  must(L, of.b <= of.a, "the difference is below 0");
  td_bind_push_u64(L, of.a - of.b);
  return 1;
}

static int mul(lua_State *L) {
  pair of = operands(L);
  must(L, of.b == 0 || of.a <= UINT64_MAX / of.b,
       "the product is above 2^64-1");
  td_bind_push_u64(L, of.a * of.b);
  return 1;
}

/* u64.tonumber(a) -> float, rounded: for shares and pictures only */
static int tonumber(lua_State *L) {
  lua_pushnumber(L, (lua_Number)operand(L, 1));
  return 1;
}

void td_bind_open_u64(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"parse", parse}, {"hex", hex}, {"str", str}, {"cmp", cmp}, {"lt", lt},
    {"le", le}, {"div", div_}, {"mod", mod}, {"add", add}, {"sub", sub},
    {"mul", mul}, {"tonumber", tonumber}, {NULL, NULL},
  };
  td_bind_subtable(L, "u64");
  luaL_setfuncs(L, functions, 0);
  td_bind_push_u64(L, UINT64_MAX);
  lua_setfield(L, -2, "max");
  lua_pop(L, 1);
}
