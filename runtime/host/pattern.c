#include "host/pattern.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "host/budget.h"

#define STEPS_AT_ONCE 1024u

/* --- sets of bytes -------------------------------------------------------- */

static uint32_t classes[26][8];  /* of %a to %z; empty where there is none */

static void add(uint32_t *set, int byte) {
  set[byte >> 5] |= UINT32_C(1) << (byte & 31);
}

static bool has(const uint32_t *set, unsigned char byte) {
  return (set[byte >> 5] >> (byte & 31) & 1) != 0;
}

static void invert(uint32_t *set) {
  for (int i = 0; i < 8; i++) set[i] = ~set[i];
}

void td_pattern_open(void) {
  static const struct { char letter; int (*test)(int); } tests[] = {
    {'a', isalpha}, {'c', iscntrl}, {'d', isdigit}, {'g', isgraph},
    {'l', islower}, {'p', ispunct}, {'s', isspace}, {'u', isupper},
    {'w', isalnum}, {'x', isxdigit},
  };
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    for (int byte = 0; byte < 256; byte++) {
      if (tests[i].test(byte)) add(classes[tests[i].letter - 'a'], byte);
    }
  }
}

/* Adds what %letter stands for: a class, its complement, or itself. */
static void add_escaped(uint32_t *set, unsigned char letter) {
  int lower = tolower(letter);
  const uint32_t *class = islower(lower) ? classes[lower - 'a'] : NULL;
  bool known = class && strchr("acdglpsuwx", lower);
  if (!known) {
    add(set, letter);
    return;
  }
  for (int i = 0; i < 8; i++) {
    set[i] |= islower(letter) ? class[i] : ~class[i];
  }
}

/* --- compiling ------------------------------------------------------------ */

typedef struct compiler {
  lua_State *L;
  const char *at, *end;
  td_item *items;
  size_t count;
  int captures, open;
  uint8_t stack[TD_PATTERN_CAPTURES_MAX];  /* the open ones, innermost last */
  bool closed[TD_PATTERN_CAPTURES_MAX];
} compiler;

static unsigned char next_byte(compiler *c, const char *or_else) {
  if (c->at == c->end) luaL_error(c->L, "malformed pattern (%s)", or_else);
  return (unsigned char)*c->at++;
}

#define NO_BRACKET "missing ']'"

/* From behind "[" to behind "]". */
static void read_set(compiler *c, uint32_t *set) {
  bool complement = c->at < c->end && *c->at == '^';
  if (complement) c->at++;
  bool first = true;
  for (;; first = false) {
    unsigned char byte = next_byte(c, NO_BRACKET);
    if (byte == ']' && !first) break;
    if (byte == '%') {
      add_escaped(set, next_byte(c, NO_BRACKET));
    } else if (c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] != ']') {
      unsigned char last = (unsigned char)c->at[1];
      c->at += 2;
      for (int b = byte; b <= last; b++) add(set, b);
    } else {
      add(set, byte);
    }
  }
  if (complement) invert(set);
}

static td_item *new_item(compiler *c, td_item_kind kind) {
  td_item *item = &c->items[c->count++];
  memset(item, 0, sizeof *item);
  item->kind = kind;
  return item;
}

static void open_capture(compiler *c) {
  bool position = c->at < c->end && *c->at == ')';
  if (c->captures == TD_PATTERN_CAPTURES_MAX) {
    luaL_error(c->L, "too many captures");
  }
  new_item(c, position ? TD_ITEM_POSITION : TD_ITEM_OPEN);
  if (position) {
    c->at++;
    c->closed[c->captures++] = true;
    return;
  }
  c->stack[c->open++] = (uint8_t)c->captures++;
}

static void close_capture(compiler *c) {
  if (c->open == 0) luaL_error(c->L, "invalid pattern capture");
  uint8_t which = c->stack[--c->open];
  c->closed[which] = true;
  new_item(c, TD_ITEM_CLOSE)->first = which;
}

static void back_reference(compiler *c, unsigned char digit) {
  int which = digit - '1';
  if (which < 0 || which >= c->captures || !c->closed[which]) {
    luaL_error(c->L, "invalid capture index %%%d", which + 1);
  }
  new_item(c, TD_ITEM_BACK)->first = (uint8_t)which;
}

static void read_repeat(compiler *c, td_item *item) {
  if (c->at < c->end && *c->at != '\0' && strchr("*+-?", *c->at)) {
    item->repeat = *c->at++;
  }
}

/* Behind "%", with the letter behind that. */
static void read_escape(compiler *c, unsigned char letter) {
  if (letter == 'b') {
    td_item *item = new_item(c, TD_ITEM_BALANCE);
    item->first = next_byte(c, "missing arguments to '%b'");
    item->last = next_byte(c, "missing arguments to '%b'");
  } else if (letter == 'f') {
    if (next_byte(c, "missing '[' after '%f'") != '[') {
      luaL_error(c->L, "missing '[' after '%%f' in pattern");
    }
    read_set(c, new_item(c, TD_ITEM_FRONTIER)->set);
  } else if (isdigit(letter)) {
    back_reference(c, letter);
  } else {
    td_item *item = new_item(c, TD_ITEM_BYTE);
    add_escaped(item->set, letter);
    read_repeat(c, item);
  }
}

static void read_item(compiler *c) {
  unsigned char byte = (unsigned char)*c->at++;
  td_item *item;
  switch (byte) {
    case '(': open_capture(c); return;
    case ')': close_capture(c); return;
    case '%': read_escape(c, next_byte(c, "ends with '%'")); return;
    case '$':
      if (c->at == c->end) {
        new_item(c, TD_ITEM_LAST);
        return;
      }
      break;
    default: break;
  }
  item = new_item(c, TD_ITEM_BYTE);
  if (byte == '[') read_set(c, item->set);
  else if (byte == '.') invert(item->set);
  else add(item->set, byte);
  read_repeat(c, item);
}

const td_item *td_pattern_compile(lua_State *L, const char *text,
                                  size_t size) {
  compiler c = {.L = L, .at = text, .end = text + size};
  td_budget_charge(L, (int64_t)size);
  c.items = lua_newuserdatauv(L, (size + 1) * sizeof *c.items, 0);
  while (c.at < c.end) read_item(&c);
  if (c.open > 0) luaL_error(L, "unfinished capture");
  new_item(&c, TD_ITEM_END);
  return c.items;
}

/* --- matching ------------------------------------------------------------- */

static void step(td_matcher *m) {
  if (++m->steps < STEPS_AT_ONCE) return;
  uint32_t steps = m->steps;
  m->steps = 0;
  td_budget_charge(m->L, steps);
}

static bool takes(td_matcher *m, const td_item *item, const char *at) {
  step(m);
  return at < m->end && has(item->set, (unsigned char)*at);
}

static const char *run(td_matcher *m, const td_item *item, const char *at);

/* As often as possible, then ever less often. */
static const char *greedy(td_matcher *m, const td_item *item,
                          const char *at) {
  const char *far = at;
  while (takes(m, item, far)) far++;
  for (;; far--) {
    const char *found = run(m, item + 1, far);
    if (found || far == at) return found;
  }
}

static const char *lazy(td_matcher *m, const td_item *item, const char *at) {
  for (;; at++) {
    const char *found = run(m, item + 1, at);
    if (found || !takes(m, item, at)) return found;
  }
}

static const char *capture(td_matcher *m, const td_item *item,
                           const char *at) {
  bool position = item->kind == TD_ITEM_POSITION;
  m->captures[m->count++] = (td_capture){
    at, position ? TD_CAPTURE_POSITION : TD_CAPTURE_OPEN,
  };
  const char *found = run(m, item + 1, at);
  if (!found) m->count--;
  return found;
}

static const char *end_capture(td_matcher *m, const td_item *item,
                               const char *at) {
  td_capture *capture = &m->captures[item->first];
  capture->size = at - capture->at;
  const char *found = run(m, item + 1, at);
  if (!found) capture->size = TD_CAPTURE_OPEN;
  return found;
}

static const char *balance(td_matcher *m, const td_item *item,
                           const char *at) {
  int64_t depth = 1;
  if (at >= m->end || (uint8_t)*at != item->first) return NULL;
  while (++at < m->end) {
    step(m);
    if ((uint8_t)*at == item->last) {
      if (--depth == 0) return at + 1;
    } else if ((uint8_t)*at == item->first) {
      depth++;
    }
  }
  return NULL;
}

static bool is_frontier(const td_matcher *m, const td_item *item,
                        const char *at) {
  unsigned char before = at > m->begin ? (unsigned char)at[-1] : 0;
  unsigned char behind = at < m->end ? (unsigned char)*at : 0;
  return !has(item->set, before) && has(item->set, behind);
}

static const char *back(td_matcher *m, const td_item *item, const char *at) {
  const td_capture *capture = &m->captures[item->first];
  if (capture->size < 0) return NULL;  /* a position is no text */
  size_t size = (size_t)capture->size;
  if ((size_t)(m->end - at) < size) return NULL;
  td_budget_charge(m->L, (int64_t)(size / 16));
  return memcmp(capture->at, at, size) == 0 ? at + size : NULL;
}

/* Items that need no way back: where the next one begins, or NULL. */
static const char *advance(td_matcher *m, const td_item *item,
                           const char *at) {
  switch (item->kind) {
    case TD_ITEM_BALANCE: return balance(m, item, at);
    case TD_ITEM_FRONTIER: return is_frontier(m, item, at) ? at : NULL;
    case TD_ITEM_BACK: return back(m, item, at);
    case TD_ITEM_LAST: return at == m->end ? at : NULL;
    case TD_ITEM_BYTE: return takes(m, item, at) ? at + 1 : NULL;
    case TD_ITEM_OPEN: case TD_ITEM_POSITION: case TD_ITEM_CLOSE:
    case TD_ITEM_END: default: return NULL;
  }
}

/* Items that may have to be matched again in another way. */
static const char *branch(td_matcher *m, const td_item *item,
                          const char *at) {
  switch (item->kind) {
    case TD_ITEM_OPEN: case TD_ITEM_POSITION: return capture(m, item, at);
    case TD_ITEM_CLOSE: return end_capture(m, item, at);
    case TD_ITEM_BYTE: case TD_ITEM_LAST: case TD_ITEM_BALANCE:
    case TD_ITEM_FRONTIER: case TD_ITEM_BACK: case TD_ITEM_END:
    default: break;
  }
  if (item->repeat == '-') return lazy(m, item, at);
  if (item->repeat == '?') {
    const char *found = takes(m, item, at) ? run(m, item + 1, at + 1) : NULL;
    return found ? found : run(m, item + 1, at);
  }
  if (item->repeat == '*') return greedy(m, item, at);
  return takes(m, item, at) ? greedy(m, item, at + 1) : NULL;
}

static bool branches(const td_item *item) {
  return item->repeat != 0 || item->kind == TD_ITEM_OPEN ||
         item->kind == TD_ITEM_POSITION || item->kind == TD_ITEM_CLOSE;
}

static const char *run(td_matcher *m, const td_item *item, const char *at) {
  step(m);
  while (at && item->kind != TD_ITEM_END && !branches(item)) {
    at = advance(m, item++, at);
  }
  if (!at || item->kind == TD_ITEM_END) return at;
  if (++m->deep > TD_PATTERN_DEEP_MAX) luaL_error(m->L, "pattern too complex");
  at = branch(m, item, at);
  m->deep--;
  return at;
}

const char *td_pattern_match(td_matcher *m, const char *at) {
  m->count = m->deep = 0;
  return run(m, m->items, at);
}
