/* tidal.u64: arithmetic and text for the 64-bit patterns that Lua integers
 * are. Everything is unsigned; add, sub and mul wrap only when asked to. */
#include "bind/bind.h"

static uint64_t operand(lua_State *L, int arg) {
  return td_bind_u64(L, td_bind_arg(arg, NULL));
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
  lua_pushinteger(L, td_u64_cmp(operand(L, 1), operand(L, 2)));
  return 1;
}

static int lt(lua_State *L) {
  lua_pushboolean(L, operand(L, 1) < operand(L, 2));
  return 1;
}

static int le(lua_State *L) {
  lua_pushboolean(L, operand(L, 1) <= operand(L, 2));
  return 1;
}

static uint64_t divisor(lua_State *L) {
  uint64_t b = operand(L, 2);
  luaL_argcheck(L, b != 0, 2, "division by zero");
  return b;
}

static int div_(lua_State *L) {
  td_bind_push_u64(L, operand(L, 1) / divisor(L));
  return 1;
}

static int mod(lua_State *L) {
  td_bind_push_u64(L, operand(L, 1) % divisor(L));
  return 1;
}

static int add(lua_State *L) {
  uint64_t a = operand(L, 1), b = operand(L, 2);
  luaL_argcheck(L, b <= UINT64_MAX - a, 2, "the sum is above 2^64-1");
  td_bind_push_u64(L, a + b);
  return 1;
}

static int sub(lua_State *L) {
  uint64_t a = operand(L, 1), b = operand(L, 2);
  luaL_argcheck(L, b <= a, 2, "the difference is below 0");
  td_bind_push_u64(L, a - b);
  return 1;
}

static int mul(lua_State *L) {
  uint64_t a = operand(L, 1), b = operand(L, 2);
  luaL_argcheck(L, b == 0 || a <= UINT64_MAX / b, 2,
                "the product is above 2^64-1");
  td_bind_push_u64(L, a * b);
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
