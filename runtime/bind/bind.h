/* The binding kit: how C values become Lua values.
 *
 * A type is a td_bind_type; its address is the key of its metatable in the
 * registry, so opening the module again finds the same types and the same
 * interned ids. Methods stand behind __index, metamethods beside it, the
 * metatable is locked. Every function of a type has that type's metatable
 * as its first upvalue: td_bind_self compares one pointer.
 *
 * Order inside a bound function: check all arguments, make the userdata
 * (closed), call C, fill in. The script's mistake raises, at its line; the
 * world's failure is nil, err.
 *
 * Thread: the owner of the lua_State. */
#ifndef TD_BIND_BIND_H
#define TD_BIND_BIND_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "tidal.h"

typedef struct td_bind_type {
  const char *name;           /* "tidal.ShardId": also the __name */
  const luaL_Reg *methods;    /* NULL-terminated, or NULL */
  const luaL_Reg *metas;
} td_bind_type;

extern const td_bind_type td_bind_shard, td_bind_region, td_bind_log,
  td_bind_segment, td_bind_router, td_bind_batch, td_bind_scan,
  td_bind_builder, td_bind_reader, td_bind_cursor, td_bind_profile,
  td_bind_state, td_bind_node, td_bind_verifier, td_bind_layouts,
  td_bind_live, td_bind_lines, td_bind_home, td_bind_writer,
  td_bind_repair, td_bind_follower, td_bind_traffic, td_bind_sim_disk,
  td_bind_sim_dir, td_bind_migration, td_bind_journal, td_bind_clone;

/* Makes the metatable unless it is there; pushes nothing. */
void td_bind_type_new(lua_State *L, const td_bind_type *type);

/* Sets functions into the table on top, each with the metatable of `type`
 * as upvalue 1. */
void td_bind_functions(lua_State *L, const luaL_Reg *functions,
                       const td_bind_type *type);

/* A new userdata of the type, zeroed, with so many user values. */
void *td_bind_new(lua_State *L, const td_bind_type *type, size_t, int values);

/* The receiver of a method: argument 1, checked against upvalue 1. */
void *td_bind_self(lua_State *L, const td_bind_type *type);

/* A value of that type at index, or NULL. */
void *td_bind_test(lua_State *L, int index, const td_bind_type *type);
/* The same for argument `arg`; raises "shard expected, got ...". */
void *td_bind_check(lua_State *L, int arg, const td_bind_type *type);

/* Where a value stands, for messages: "shard", "logs[3]" (no name) or
 * "events[3].weight". */
typedef struct td_bind_at {
  int index;          /* on the stack */
  int arg;            /* number of the argument, 0 = a field */
  const char *name;
  const char *list;   /* NULL unless the value lies in a list, at entry */
  lua_Integer entry;
} td_bind_at;

static inline td_bind_at td_bind_arg(int arg, const char *name) {
  return (td_bind_at){.index = arg, .arg = arg, .name = name};
}

/* The list's entry at the stack's top, or that field of the entry. */
static inline td_bind_at td_bind_entry(lua_State *L, const char *list,
                                       lua_Integer entry, const char *name) {
  return (td_bind_at){lua_gettop(L), 0, name, list, entry};
}

/* A value that does not fit, short enough for a message; may push. */
const char *td_bind_shown(lua_State *L, int index);
/* Raises `what` for that value. */
_Noreturn void td_bind_bad(lua_State *L, td_bind_at at, const char *what);
/* Raises "<expected> expected, got <what is there>". */
_Noreturn void td_bind_expected(lua_State *L, td_bind_at at,
                                const char *expected);

/* A u64: an integer is a bit pattern; also "0x..." and decimal text.
 * Floats and other text raise, saying how to write it. */
uint64_t td_bind_u64(lua_State *L, td_bind_at at);
/* An integer in min..max. */
uint64_t td_bind_uint(lua_State *L, td_bind_at at, uint64_t min, uint64_t max);
/* An id: its object, an integer 0..65535, or its text form. */
td_shard_id td_bind_shard_id(lua_State *L, td_bind_at at);
td_region_id td_bind_region_id(lua_State *L, td_bind_at at);
/* A log: its object or "r0:s3". */
td_log_id td_bind_log_id(lua_State *L, td_bind_at at);
/* The bytes of a string; a number is none. */
td_span td_bind_bytes(lua_State *L, td_bind_at at, const char *expected);
/* The path of a file or directory: a string without a zero byte. */
const char *td_bind_path(lua_State *L, td_bind_at at);
/* The name of a file in a directory, no path. */
const char *td_bind_file_name(lua_State *L, td_bind_at at);
/* A table. */
void td_bind_table(lua_State *L, td_bind_at at, const char *expected);
/* A list of at most `most` entries; returns how many. */
uint32_t td_bind_list(lua_State *L, td_bind_at at, const char *expected,
                      uint32_t most);
/* True for exactly this string. */
bool td_bind_text_is(lua_State *L, int index, const char *text);
/* Which of the words a string is; words end with NULL. */
int td_bind_word(lua_State *L, td_bind_at at, const char *const *words);

/* Pushes a field of the table at `table`, inherited ones too; false (nothing
 * pushed) when it is nil. *at says where it stands. */
bool td_bind_field(lua_State *L, int table, const char *name,
                   td_bind_at *at);
/* Fields of a table of options, with a default; pop what they push. */
uint64_t td_bind_field_u64(lua_State *L, int table, const char *name,
                           uint64_t fallback);
uint64_t td_bind_field_uint(lua_State *L, int table, const char *name,
                            uint64_t fallback, uint64_t min, uint64_t max);
bool td_bind_field_bool(lua_State *L, int table, const char *name,
                        bool fallback);
/* Raises for a key of the table at `at` that is not in the list. */
void td_bind_known_keys(lua_State *L, td_bind_at at, const char *const *keys);

/* Ids as Lua values: one object per value and state. */
void td_bind_push_shard(lua_State *L, td_shard_id id);
void td_bind_push_region(lua_State *L, td_region_id id);
void td_bind_push_log(lua_State *L, td_log_id id);
void td_bind_push_segment(lua_State *L, td_segment_id id);

/* A table of interned objects in the registry, made if missing. */
void td_bind_cache_new(lua_State *L, const char *key, bool weak);
/* Arguments 1 and 2 are of the type whose metatable is upvalue 1; else an
 * error that names both. */
void td_bind_check_pair(lua_State *L);
/* Argument 2, the key of an __index, is that text. */
bool td_bind_key_is(lua_State *L, const char *name);

/* Pushes { log =, epoch =, seqno = }. */
void td_bind_push_mark(lua_State *L, td_mark mark);
/* Entry i of the list of such tables at `list`. */
td_mark td_bind_check_mark(lua_State *L, int list, lua_Integer i);

/* The system, with the memory of the state: one budget for Lua and C. */
td_env td_bind_env(lua_State *L);
/* A directory: a path of the system, or a tidal.SimDir of its disk: *env. What
 * is opened there keeps the value at `at` as a user value. */
const char *td_bind_place(lua_State *L, td_bind_at at, td_env *env);

/* Pushes a bit pattern. */
static inline void td_bind_push_u64(lua_State *L, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
}

/* Pushes an error object: code, message, and those of subject, got, bound,
 * file, offset, index, other, sys that apply; prints as its message. */
void td_bind_push_error(lua_State *L, const td_error *err);
/* nil, err; returns 2. */
int td_bind_fail(lua_State *L, const td_error *err);
/* Raises it, the caller's position before its message. */
_Noreturn void td_bind_raise(lua_State *L, const td_error *err);

/* A list of faults being collected, at the top of the stack. */
void td_bind_faults_begin(lua_State *L);
td_fault_fn td_bind_fault;  /* ctx: the lua_State */
/* Raises one error object for all of them: code of the first, `faults`, and a
 * message with one line each, below the caller's position. */
_Noreturn void td_bind_faults_raise(lua_State *L, const char *what);

/* Each file's functions into the module table on top of the stack. */
void td_bind_open_errors(lua_State *L);
void td_bind_open_id(lua_State *L);
void td_bind_open_segment(lua_State *L);
void td_bind_open_u64(lua_State *L);
void td_bind_open_router(lua_State *L);
void td_bind_open_profile(lua_State *L);
void td_bind_open_traffic(lua_State *L);
void td_bind_open_wal(lua_State *L);
void td_bind_open_encode(lua_State *L);
void td_bind_open_checkpoint(lua_State *L);
void td_bind_open_reader(lua_State *L);
void td_bind_open_follow(lua_State *L);
void td_bind_open_verify(lua_State *L);
void td_bind_open_repair(lua_State *L);
void td_bind_open_live(lua_State *L);
void td_bind_open_cuts(lua_State *L);
void td_bind_open_lines(lua_State *L);
void td_bind_open_home(lua_State *L);
void td_bind_open_writer(lua_State *L);
void td_bind_open_state(lua_State *L);
void td_bind_open_node(lua_State *L);
void td_bind_open_layout(lua_State *L);
void td_bind_open_rows(lua_State *L);
void td_bind_open_json(lua_State *L);
void td_bind_open_sim(lua_State *L);
void td_bind_open_migrate(lua_State *L);
void td_bind_open_journal(lua_State *L);
/* Pushes the table `name` of the module table on top, made if missing. */
void td_bind_subtable(lua_State *L, const char *name);

#endif
