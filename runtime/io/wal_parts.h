/* One batch in each of several logs: all are written, then all are synced, so
 * that the disk works on all of them at once. Fifteen logs cost less than half
 * of fifteen appends.
 *
 * Every log keeps its own promise: one batch, one write, one sync, and what
 * is acknowledged is on disk. There is no promise over logs: a crash may keep
 * some parts and not others.
 *
 * Thread: any; parts rise by log, so two threads never wait for each other. */
#ifndef TD_IO_WAL_PARTS_H
#define TD_IO_WAL_PARTS_H

#include "io/wal_log.h"

/* What goes into one of the logs. */
typedef struct td_wal_part {
  td_wal_log *log;
  const td_record *records;
  uint32_t count;    /* 1..TD_RECORDS_MAX */
  td_seqno first;    /* out: number of the first event */
  td_status status;  /* out: as td_wal_log_append */
} td_wal_part;

/* Appends every part. Parts rise by log id; each is acknowledged or refused
 * by itself. Returns the first status that is not TD_OK, and its error.
 * Statuses: as td_wal_log_append; TD_BACKWARD and TD_DUPLICATE (index and
 * other: parts do not rise, nothing is written). */
TD_API td_status td_wal_append_all(td_wal_part *parts, uint32_t count,
                                   td_error *err);

/* Events that come from other logs of the home, as encoded records, to be
 * written under the epoch of its next layout (td_wal_home_prepare): they do
 * not count until that is published. */
typedef struct td_wal_moved {
  td_wal_log *log;
  td_span records;   /* TD_RECORD_BYTES each */
  td_seqno first;    /* out: number of the first of them */
} td_wal_moved;

/* Writes them, one batch in each log, which no window looks at or keeps. They
 * are on disk behind td_wal_sync_all, or before the log's next batch. `held`:
 * the caller holds every log (td_wal_hold); otherwise they rise by log. All
 * parts are tried. Statuses: those of td_wal_log_append but TD_MOVED, of the
 * first part that was not written or may not be; some others may be there, and
 * how many events lie under that epoch tells which. */
TD_API td_status td_wal_append_moved(td_wal_moved *parts, uint32_t count,
                                     bool held, td_error *err);
/* All that was written to any open log of the home is on disk; the disk works
 * on all of them at once. Statuses: TD_OK, TD_POISONED. Thread: the owner of
 * the home. */
TD_API td_status td_wal_sync_all(td_wal_home *home, bool held,
                                 td_error *err);

/* Keeps other threads from writing to any open log of the home, until let go.
 * Thread: the owner of the home. */
TD_API void td_wal_hold(td_wal_home *home);
TD_API void td_wal_let_go(td_wal_home *home);

#endif
