/* What homes and writers know of each other.
 *
 * A writer keeps its home alive (user value 1). A home knows its open
 * writers, in order of their logs, and closes them before itself; user value 1
 * finds their userdata by their address, weakly, so that an abandoned writer
 * is collected. Finalizers run before any memory is freed, so the list never
 * points to what is gone; but whenever Lua allocates, a writer that nobody
 * holds may leave it: td_bind_home_hold first. */
#ifndef TD_BIND_WRITER_H
#define TD_BIND_WRITER_H

#include "bind/bind_events.h"

typedef struct td_bound_writer td_bound_writer;
typedef struct td_bound_migration td_bound_migration;

typedef struct td_bound_home {
  td_wal_home home;
  bool open;
  td_bound_writer *first;  /* of the open writers */
  td_bound_migration *migration;  /* open in it, or NULL */
} td_bound_home;

#define TD_BIND_WRITER_HOME 1    /* user values of a writer */
#define TD_BIND_WRITER_BLOCK 2

struct td_bound_writer {
  td_wal_log log;
  td_bind_events pending;  /* added, not committed */
  td_seqno last_seq;       /* of the log when it was opened */
  td_bound_home *home;
  td_bound_writer *next;
  bool open;
  bool owns_home;          /* closes it, too */
  bool retiring;
  td_retire retire;        /* while it is under way */
};

/* The open home at argument `arg`; else raises. */
td_bound_home *td_bind_check_home(lua_State *L, int arg);

/* Pushes a list of the open writers that somebody holds, in order of their
 * logs; while it is there they stay open. Returns how many. */
uint32_t td_bind_home_hold(lua_State *L, int home);

/* Pushes a home over the directory that the table of options at `table` and
 * the place describe; false: nil, err are pushed. User value 2 of the home is
 * the place. */
bool td_bind_home_new(lua_State *L, td_bind_at place, int table);

/* Puts a home without a layout under the one that is published, if any. */
td_status td_bind_home_adopt_published(td_bound_home *home, td_error *err);

/* Closes a home whose writers are closed, and its migration. */
void td_bind_home_shut(td_bound_home *home);

/* Pushes the text of a layout file: a string, or what has a method text() as
 * a tidal.cluster has. */
td_span td_bind_layout_text(lua_State *L, td_bind_at at);

/* home:migration(layout, options) */
int td_bind_home_migration(lua_State *L);
/* home:router() */
int td_bind_home_router(lua_State *L);
/* home:clone(directory, name) */
int td_bind_home_clone(lua_State *L);
/* Whether nobody else may write now. */
bool td_bind_migration_holds(const td_bound_migration *self);
td_status td_bind_migration_shut(td_bound_migration *self, td_error *err);
/* Raises while a migration holds the logs of the home: the state is one
 * thread, so waiting for it would never end. */
void td_bind_refuse_held(lua_State *L, const td_bound_home *home);

/* Opens a writer in the home at stack index `home` from the options at
 * `table`. Pushes the writer, or nil, err; returns how many. */
int td_bind_writer_new(lua_State *L, int home, int table);

/* Closes; what is pending is dropped. TD_OK when it is closed already. */
td_status td_bind_writer_shut(td_bound_writer *writer, bool clean,
                              td_error *err);

/* Pushes the table of writer:recovery(). */
void td_bind_push_recovery(lua_State *L, const td_bound_writer *writer);

/* Raises when events of this writer wait to be committed. */
void td_bind_writer_refuse_pending(lua_State *L,
                                   const td_bound_writer *writer);
/* Raises: a scope ended with that many events not committed. */
_Noreturn void td_bind_raise_dropped(lua_State *L, uint64_t count);
/* { clean = true } at argument `arg` of a close. */
bool td_bind_clean(lua_State *L, int arg);

/* The keys of a writer's options, behind those of a home: "dir", "layout"
 * and "create" are the first three. */
extern const char *const td_bind_writer_keys[];
#define TD_BIND_HOME_KEYS 3

/* tidal.wal.writer and .recover */
void td_bind_open_opening(lua_State *L);

#endif
