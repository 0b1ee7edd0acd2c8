/* Which events came before: the content hashes of the last so many events of
 * a log, so that a retried append is not stored twice.
 *
 * A ring of XXH3-128 over the 21 bytes of each event, and a table of places
 * in it. Two events are the same if all their bytes are: id, signal, weight,
 * time. Different ones are taken for the same with a chance of about
 * size / 2^128. A batch is added event by event and, when it could not be
 * written, taken back; what is older than `size` events is forgotten only
 * when the batch is settled, so taking back restores the window exactly.
 *
 * Cost: some 20 ns an event. Memory: 48 bytes for each event of the window.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_WINDOW_H
#define TD_IO_WAL_WINDOW_H

#include <stdbool.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/status.h"

#define TD_WAL_WINDOW_MAX 16777216u  /* events; 768 MiB */

typedef struct td_wal_window {  /* private to wal_window.c */
  td_alloc alloc;
  td_hash128 *ring;   /* of 2 * size: the window and a batch */
  uint32_t *table;    /* place in the ring plus 1; 0 = free */
  uint32_t size;      /* events remembered; 0 = there is no window */
  uint32_t mask;      /* places of the table less one */
  uint64_t start;     /* events [start, end) are known, counted from 0 */
  uint64_t end;
} td_wal_window;

/* A window over `size` events; 0 = one that knows nothing. Statuses: TD_OK,
 * TD_TOO_MANY, TD_NO_MEMORY. After anything but TD_OK there is nothing to
 * free. */
TD_API td_status td_wal_window_init(td_wal_window *window,
                                    const td_alloc *alloc, uint32_t size,
                                    td_error *err);
/* Idempotent. */
TD_API void td_wal_window_deinit(td_wal_window *window);

/* Adds an event; false = it is in the window already and was not added. At
 * most `size` may be added before td_wal_window_settle. */
TD_API bool td_wal_window_add(td_wal_window *window, td_span record);
/* Takes the newest `count` back, which were added since the last settle. */
TD_API void td_wal_window_undo(td_wal_window *window, uint32_t count);
/* What was added stays; all but the newest `size` are forgotten. */
TD_API void td_wal_window_settle(td_wal_window *window);

/* The same by its hash, td_hash128_of its bytes, in a window that is one. There
 * must be room: for twice `size` since the last settle. */
TD_API bool td_wal_window_put(td_wal_window *window, td_hash128 hash);
/* Those of another window, oldest first. */
TD_API void td_wal_window_put_all(td_wal_window *window,
                                  const td_wal_window *other);
TD_API bool td_wal_window_has(const td_wal_window *window, td_hash128 hash);
/* Of how many events it knows. */
TD_API uint32_t td_wal_window_count(const td_wal_window *window);

#endif
