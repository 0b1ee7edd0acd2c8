/* An oracle for JSON: reads as simply as can be what tidal.json must accept,
 * and compares it with the value that was made of it.
 *
 * Thread: owner of the lua_State. */
#ifndef TD_FUZZ_JSON_ORACLE_H
#define TD_FUZZ_JSON_ORACLE_H

#include <lua.h>

#include "base/bytes.h"
#include "fuzz/fuzz.h"

/* Where the state of the target has its functions, and json.null. */
enum { JSON_DECODE = 1, JSON_ENCODE, JSON_NULL };

/* The offset of the first byte that is no UTF-8; the size if there is none. */
size_t fuzz_json_utf8(td_span text);

/* Whether it is one value, nested 100 deep at most, no key twice in an object,
 * no number beyond every float. */
bool fuzz_json_valid(td_span text);

/* Asserts that the value at the top of the stack is what the text, which is
 * valid, means: also which numbers are integers, and which tables lists. */
void fuzz_json_match(lua_State *L, td_span text);

/* Text of JSON, or nearly so, as the bytes say; returns its size, at most
 * room. */
size_t fuzz_json_spell(td_span bytes, uint8_t *out, size_t room);

#endif
