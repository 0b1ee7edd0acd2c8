/* A migration of one directory: its events move from the logs of the
 * published layout to those of the next one, while writers go on.
 *
 * Logs are append-only and nothing is renumbered (FORMAT.md 5): moved events
 * are copied into their new log under the next epoch, dead until it is
 * published; cuts, without effect until then, end their life in the old log;
 * and the rename of the layout's file makes all of it true at once. So a
 * crash at any moment leaves the old state or the new one, readers find every
 * event once at any moment, and to give up is not to publish.
 *
 * Of the five states Idle, Preparing, DualWrite, Finalizing and Complete the
 * third is left out: no event is ever written twice. Who writes goes on in
 * the old place; what he adds is copied in further laps, each shorter than
 * the one before, and the last one runs while he is held.
 *
 *   open                  the next layout is prepared, logs are recovered
 *   lap, step ...         events (after, upto] of every log; again and again
 *   check, check_step     what arrived, counted and summed
 *   hold                  nobody else writes from here on
 *   lap, step, check ...  the rest
 *   publish               cuts; then the rename: the one commit point
 *   let_go, close
 *
 * To go on after a crash nothing but the laps' borders need be known. Which
 * events go to a log, and in which order, is a function of the laps so far;
 * so the number of events that a log holds under the next epoch says which
 * ones are there, and the first `skip` of a lap are not written again. Their
 * sum is compared all the same.
 *
 * Nothing here waits or knows the time: who calls step decides when.
 *
 * Memory: what waits to be written (flush_bytes, and what each shard's log
 * needed most of it, twice), a reader, 400 KiB, and an open log for each.
 *
 * Logs that nobody has open are opened here; who opens one of them meanwhile
 * gets it, but not while they are held.
 *
 * Thread: the owner of the home; its logs may be appended to by others. */
#ifndef TD_FLOW_MIGRATE_H
#define TD_FLOW_MIGRATE_H

#include "io/wal_live.h"
#include "io/wal_log.h"
#include "model/router_layout.h"

#define TD_MIGRATE_FLUSH_BYTES 7340032u

typedef struct td_migrate_options {
  td_region_id region;  /* of logs that are not there yet */
  uint32_t flush_bytes; /* so much waits, over all logs, before it is
                           written; 0 = TD_MIGRATE_FLUSH_BYTES */
  bool resume;          /* events and cuts of the next epoch may be there */
} td_migrate_options;

/* How many events, and the sum mod 2^128 of XXH3-128 over their records: the
 * same for the same events in any order. */
typedef struct td_migrate_sum {
  uint64_t count;
  td_hash128 hash;
} td_migrate_sum;

/* A log of the directory, or of one of the two layouts. */
typedef struct td_migrate_log {
  td_log_id id;
  td_seqno first;       /* out: of its first segment; 0 = none */
  td_seqno last;        /* out: on disk through here, of td_migrate_look */
  td_seqno start;       /* that, when the migration began */
  td_seqno after, upto; /* of the lap */
  uint64_t skip;        /* of what this lap brings: there already */
  td_seqno next;        /* out: `upto` of the lap, and behind it what only the
                           lap itself wrote: the next one's `after` */
  uint64_t left;        /* out: events that left it, all laps */
  td_migrate_sum moved; /* out: what the lap brings, skipped ones too */
  bool there;           /* it has events */
  td_wal_log *log;      /* private from here on; NULL = not open */
  td_wal_log *own;      /* opened here */
  uint8_t *records;     /* that wait to be written */
  size_t size, room;
} td_migrate_log;

typedef struct td_migrate {  /* private but for logs and the counts */
  td_wal_home *home;
  td_migrate_options options;
  td_router *router;         /* of the next layout */
  size_t router_size;
  td_migrate_log *logs;      /* rising */
  uint32_t count;
  uint32_t *places;          /* of a shard in logs */
  uint64_t read, written;    /* bytes of events, in all laps and checks */
  uint64_t opened;           /* logs of the home, at the last look */
  td_wal_dir dir;            /* as the lap or the check found it */
  td_wal_layouts layouts;
  bool listed;
  uint32_t at;               /* log in work; count = the lap is over */
  td_wal_live live;
  bool reading;
  size_t waiting;            /* bytes, over all logs */
  td_wal_cursor cursor;      /* of a check */
  bool checking;
  td_seqno check_after, check_upto;
  td_migrate_sum found;
  td_seqno found_last;
  bool held, published;
} td_migrate;

/* Prepares the home for the layout (both lines of its file) and opens every
 * log of the directory that is not open. The home has adopted the published
 * one. Nothing moves yet. Statuses: TD_OK; those of td_wal_home_prepare,
 * td_wal_dir_list and td_wal_log_open; TD_DEAD (a cut of that epoch is there:
 * it was used before), those of td_wal_cuts_read. After anything but TD_OK
 * there is nothing to close. */
TD_API td_status td_migrate_open(td_migrate *m, td_wal_home *home,
                                 td_span layout,
                                 const td_migrate_options *options,
                                 td_error *err);

/* The log of a shard, or NULL. The caller sets start, left, after, upto and
 * skip: all start as for a migration that begins, and a lap of nothing. */
TD_API td_migrate_log *td_migrate_find(td_migrate *m, td_shard_id shard);
/* Looks how far each log is now: `last`. One that somebody closed is opened.
 * Statuses: those of td_wal_log_open; TD_IO where moved events did not get to
 * the disk before their log was closed: only a new opening goes on. */
TD_API td_status td_migrate_look(td_migrate *m, td_error *err);

/* Begins a lap over the borders that were set. Statuses: TD_OK; TD_AHEAD
 * (`upto` is above what is on disk); those of td_migrate_look,
 * td_wal_dir_list and td_wal_layouts_open. */
TD_API td_status td_migrate_lap(td_migrate *m, td_error *err);
/* Copies about so many bytes of events, or the rest of the lap. Statuses:
 * TD_OK (call again), TD_END (the lap is over, all of it is on disk); TD_DEAD
 * (a batch of the next epoch is older than this migration: the epoch was used
 * before); those of td_wal_live_run, td_wal_log_open and td_wal_append_moved:
 * the lap may be begun anew, with what is there skipped. */
TD_API td_status td_migrate_step(td_migrate *m, uint64_t bytes,
                                 td_error *err);

/* Begins to count what a log holds under the next epoch behind `after`, all
 * of it on disk. Statuses: TD_OK; TD_OUT_OF_RANGE (no such log); those of
 * td_wal_sync_all, td_migrate_look, td_wal_dir_list and td_wal_cursor_open. */
TD_API td_status td_migrate_check(td_migrate *m, td_shard_id shard,
                                  td_seqno after, td_error *err);
/* Statuses: TD_OK (call again), TD_END (m->found is the sum, m->found_last
 * the number of the last of them); TD_MOVED (an event is another shard's by
 * the next layout); those of td_wal_cursor_next. */
TD_API td_status td_migrate_check_step(td_migrate *m, uint64_t bytes,
                                       td_error *err);

/* Nobody else writes from now on, and all that was written is on disk.
 * Statuses: TD_OK; TD_POISONED and those of td_migrate_look: nobody is held. */
TD_API td_status td_migrate_hold(td_migrate *m, td_error *err);
/* Cuts every log that events have left or come to, through its last number,
 * then publishes: so a log knows what came before (io/wal_recall). Must be
 * held. Statuses: as td_wal_cut_log and
 * td_wal_home_publish. */
TD_API td_status td_migrate_publish(td_migrate *m, td_span layout,
                                    td_error *err);
/* Idempotent. */
TD_API void td_migrate_let_go(td_migrate *m);

/* Closes what was opened here; what was prepared and not published is given
 * up. Idempotent. Statuses: TD_OK, and the first failure of
 * td_wal_log_close. */
TD_API td_status td_migrate_close(td_migrate *m, td_error *err);

#endif
