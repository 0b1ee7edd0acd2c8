/* JSON, raw and spelled from bytes: what tidal.json reads is what an oracle
 * accepts, value by value; what it writes of that means the same; and memory
 * that ends anywhere is said, and spoils nothing.
 *
 * Runs at the top of the repository: lua/tidal/json.lua is read there. */
#include "fuzz/json_oracle.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bind/bind.h"

#define BYTES_MAX 2048u        /* the oracle looks at keys again and again */
#define SPELLED_MAX 16384u
#define RUNS_A_COLLECTION 256u

/* --- the state ------------------------------------------------------------ */

/* Requests for memory while tidal.json runs: the one number `fails` and all
 * behind it are refused; 0 = none is. */
static struct { uint32_t count, fails; } requests;

static void *resize(void *ctx, void *ptr, size_t old_size, size_t size) {
  (void)ctx;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  bool grows = !ptr || size > old_size;
  if (grows && ++requests.count >= requests.fails && requests.fails) {
    return NULL;
  }
  return realloc(ptr, size);
}

static int open_core(lua_State *L) {
  lua_newtable(L);
  td_bind_open_json(L);
  return 1;
}

/* With tidal.json's decode and encode at indices 1 and 2. */
static lua_State *new_state(void) {
  static const char load[] =
    "package.path = 'lua/?.lua;lua/?/init.lua'\n"
    "local json = require 'tidal.json'\n"
    "return json.decode, json.encode, json.null";
  lua_State *L = lua_newstate(resize, NULL);
  td_assert(L);
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open_core);
  lua_setfield(L, -2, "tidal.core");
  lua_settop(L, 0);
  if (luaL_dostring(L, load)) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(2);
  }
  td_assert(lua_gettop(L) == JSON_NULL);
  return L;
}

/* --- reading -------------------------------------------------------------- */

/* Pushes what decode returns or raises, memory ending at request `fails`;
 * returns the status. */
static int decode(lua_State *L, td_span text, uint32_t fails) {
  int top = lua_gettop(L);
  lua_pushvalue(L, JSON_DECODE);
  lua_pushlstring(L, (const char *)text.data, text.size);
  requests.count = 0;
  requests.fails = fails;
  int status = lua_pcall(L, 1, 1, 0);
  requests.fails = 0;
  td_assert(lua_gettop(L) == top + 1);
  return status;
}

/* "json: WHAT at offset N", N in the text; that of the first byte that is no
 * UTF-8 where there is one. */
static void check_refusal(lua_State *L, td_span text) {
  static const char utf8[] = "json: a byte that is no UTF-8 at offset ";
  td_assert(lua_type(L, -1) == LUA_TSTRING);
  const char *said = lua_tostring(L, -1), *at = strstr(said, " at offset ");
  td_assert(strncmp(said, "json: ", 6) == 0 && at);
  char *end;
  size_t offset = strtoul(at + 11, &end, 10);
  td_assert(*end == '\0' && end != at + 11 && offset <= text.size);
  size_t bad = fuzz_json_utf8(text);
  td_assert((bad < text.size) == (strncmp(said, utf8, sizeof utf8 - 1) == 0));
  if (bad < text.size) td_assert(offset == bad);
}

/* Memory ends at one of so many requests that reading makes. */
static void check_memory(lua_State *L, td_span text, uint32_t made,
                         bool valid) {
  if (made == 0) return;
  uint32_t fails = 1 + (uint32_t)(td_hash64(text) % made);
  int status = decode(L, text, fails);
  if (status == LUA_OK) {
    td_assert(valid);
    fuzz_json_match(L, text);
  } else if (status != LUA_ERRMEM) {
    td_assert(status == LUA_ERRRUN && !valid);
    check_refusal(L, text);
  }
  lua_pop(L, 1);
}

/* What was read, written and read again: the value at the top. */
static void check_written(lua_State *L, bool lines) {
  lua_pushvalue(L, JSON_ENCODE);
  lua_pushvalue(L, -2);
  if (lines) {
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, 1);
    lua_setfield(L, -2, "indent");
  }
  td_assert(lua_pcall(L, lines ? 2 : 1, 1, 0) == LUA_OK);
  td_span text = {NULL, 0};
  text.data = (const uint8_t *)lua_tolstring(L, -1, &text.size);
  td_assert(fuzz_json_valid(text));
  lua_pushvalue(L, -2);
  fuzz_json_match(L, text);
  lua_pop(L, 1);
  td_assert(decode(L, text, 0) == LUA_OK);
  fuzz_json_match(L, text);
  lua_pop(L, 2);
}

static void check(td_span text) {
  static lua_State *L;
  static uint32_t runs;
  if (!L) L = new_state();
  bool valid = fuzz_json_valid(text);
  int status = decode(L, text, 0);
  uint32_t made = requests.count;
  td_assert(status == (valid ? LUA_OK : LUA_ERRRUN));
  if (valid) {
    fuzz_json_match(L, text);
    check_written(L, text.size % 2);
  } else {
    check_refusal(L, text);
  }
  lua_pop(L, 1);
  check_memory(L, text, made, valid);
  td_assert(lua_gettop(L) == JSON_NULL);
  if (++runs % RUNS_A_COLLECTION == 0) lua_gc(L, LUA_GCCOLLECT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t none[1];
  static uint8_t spelled[SPELLED_MAX];
  if (size > BYTES_MAX) size = BYTES_MAX;
  if (size == 0) data = none;
  check((td_span){data, size});
  size = fuzz_json_spell((td_span){data, size}, spelled, sizeof spelled);
  uint8_t *copy = fuzz_copy(spelled, size);
  check((td_span){copy, size});
  free(copy);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const char *const texts[] = {
    "{\"a\":[1,-2.5e3,\"x\\u00e4\\n\",true,null,{}],\"b\":\"\xc3\xa4\"}",
    "[9223372036854775807,9223372036854775808,-9223372036854775808,"
    "-9223372036854775809,-0,-0.0,1e308,5e-324,0.1,1E+2]",
    "\"\\ud800\\udc00\\udbff\\udfff\\ud7ff\\ue000\\u0000\\/\\\"\"",
    "{\"\":{\"a\":null,\"b\":false},\"\\u0061\":[[],[{}]]}", " \t\r\n0 ",
    "{\"a\":1,\"\\u0061\":2}", "[1e999]", "\"\xed\xa0\x80\"",
    "\"\\ud800\\ud800\"", "[[[[[[[[1]]]]]]]]",
  };
  const unsigned count = sizeof texts / sizeof *texts;
  if (index >= count + 2) return 0;
  if (index >= count) {  /* spelled as 100 and 101 lists in each other */
    memset(out, 4, 100 + index - count);
    return 100 + index - count;
  }
  size_t size = strlen(texts[index]);
  td_assert(size <= room);
  memcpy(out, texts[index], size);
  return size;
}
