/* Lua's patterns, matched so that every step can be counted: the library's
 * own matcher may take longer than the age of the universe over 200
 * characters, and nothing interrupts it.
 *
 * A pattern becomes a list of items first; one byte of a subject is tested
 * with one bit. Items of single bytes carry their repetition. Matching is
 * backtracking, TD_PATTERN_DEEP_MAX deep at most.
 *
 * A pattern that is malformed anywhere is refused, also where matching would
 * not get that far.
 *
 * Thread: owner of the lua_State. */
#ifndef TD_HOST_PATTERN_H
#define TD_HOST_PATTERN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TD_PATTERN_CAPTURES_MAX 32
#define TD_PATTERN_DEEP_MAX 200

typedef enum td_item_kind {
  TD_ITEM_BYTE,      /* one byte out of a set, repeated */
  TD_ITEM_OPEN,      /* ( */
  TD_ITEM_POSITION,  /* () */
  TD_ITEM_CLOSE,     /* ) */
  TD_ITEM_LAST,      /* $ */
  TD_ITEM_BALANCE,   /* %bxy */
  TD_ITEM_FRONTIER,  /* %f[set] */
  TD_ITEM_BACK,      /* %1 */
  TD_ITEM_END
} td_item_kind;

typedef struct td_item {
  uint32_t set[8];      /* the bytes it takes */
  td_item_kind kind;
  char repeat;          /* 0 * + - ? */
  uint8_t first, last;  /* x and y of %bxy; the number of a capture */
} td_item;

typedef struct td_capture {
  const char *at;
  ptrdiff_t size;  /* or one of the two below */
} td_capture;

#define TD_CAPTURE_POSITION (-1)
#define TD_CAPTURE_OPEN (-2)

typedef struct td_matcher {
  lua_State *L;        /* for raising, and whose budget is charged */
  const td_item *items;
  const char *begin, *end;
  uint32_t steps;      /* not charged yet */
  int deep;
  int count;           /* captures so far */
  td_capture captures[TD_PATTERN_CAPTURES_MAX];
} td_matcher;

/* Fills the sets of %a and its like; once for a process. */
void td_pattern_open(void);

/* Pushes a userdata with the items of a pattern; raises for a malformed
 * one. */
const td_item *td_pattern_compile(lua_State *L, const char *text,
                                  size_t size);

/* Matches at `at`; the end of the match, or NULL. Charges its steps. */
const char *td_pattern_match(td_matcher *matcher, const char *at);

#endif
