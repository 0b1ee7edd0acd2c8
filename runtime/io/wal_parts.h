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

#endif
