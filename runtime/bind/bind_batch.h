/* What the files that make or take batches share: a batch as a Lua value.
 *
 * The payload lies in a Lua string (user value 1), or behind the struct when
 * the batch was read from a file. */
#ifndef TD_BIND_BATCH_H
#define TD_BIND_BATCH_H

#include "bind/bind.h"

typedef struct td_bound_batch {
  td_batch head;
  td_span payload;
  uint64_t offset;
} td_bound_batch;

/* Pushes a batch that keeps its own copy of the payload. */
void td_bind_push_batch(lua_State *L, const td_batch *head, td_span payload,
                        uint64_t offset);

/* Pushes a batch whose payload lies in the string at index `string`. */
void td_bind_push_batch_in(lua_State *L, int string, const td_batch *head,
                           td_span payload, uint64_t offset);

/* Pushes a table with the fields of a header. */
void td_bind_push_header(lua_State *L, const td_batch *head);

void td_bind_open_batch(lua_State *L);

typedef struct td_bound_cursor {
  td_wal_cursor cursor;
  bool open;
} td_bound_cursor;

/* The open cursor at argument `arg`, its reader open too; else raises. */
td_wal_cursor *td_bind_check_cursor(lua_State *L, int arg);

/* The directory of the open reader at argument `arg`; else raises. */
const td_wal_dir *td_bind_check_reader(lua_State *L, int arg);

/* Counts records in the profile at argument `arg`. */
void td_bind_profile_records(lua_State *L, int arg, td_span records);
/* The same if it is a traffic; false if it is none. */
bool td_bind_traffic_records(lua_State *L, int arg, td_span records);

#endif
