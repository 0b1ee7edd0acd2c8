/* The events of a log that count: FORMAT.md 5.
 *
 * An event is live if its batch's epoch is 0 or published (or nothing is
 * published at all), and every published cut at or above it leaves it in this
 * shard. Everything is verified on the way as by td_wal_cursor, and a damaged
 * layout or cut ends the walk: nothing is guessed.
 *
 * The unit is a run: events that follow one another in one batch and share
 * their fate. Where no cut reaches, that is the batch, without looking at its
 * events. Dead runs and batches of sessions come too, marked: who counts
 * what, decides.
 *
 * Memory: a cursor; of this log's cuts the ranges of their layouts (at most
 * 1 MiB each).
 *
 * Thread: owner. Several may share one td_wal_layouts. */
#ifndef TD_IO_WAL_LIVE_H
#define TD_IO_WAL_LIVE_H

#include "format/record.h"
#include "io/wal_layouts.h"
#include "io/wal_routes.h"

/* A published cut of this log. */
typedef struct td_wal_cut {
  td_seqno upto;
  td_wal_routes routes;
} td_wal_cut;

typedef struct td_wal_run {
  td_batch head;       /* of the batch that holds it */
  td_span records;     /* 21 bytes each, until the next call */
  td_seqno first_seq;
  uint32_t count;      /* events, also of sessions */
  uint32_t segment;    /* index into dir->segments */
  uint64_t offset;     /* of the batch */
  bool live;           /* never of sessions: they are opaque here */
} td_wal_run;

typedef struct td_wal_live {  /* private to wal_live.c */
  const td_wal_dir *dir;
  const td_wal_layouts *layouts;
  td_wal_cursor cursor;
  td_wal_cut *cuts;
  uint32_t cut_count;
  uint32_t cut_room;
  td_seqno upto;         /* the highest of all cuts; 0 = none */
  td_shard_id shard;
  td_region_id region;   /* of the cuts' file, if there is one */
  bool cut_file;
  td_seqno from;
  td_wal_batch batch;    /* in work, from event `next` on */
  uint32_t next;
  uint32_t left;         /* events before `next` of a run given one by one */
  td_error failed;       /* sticky; status TD_OK = none */
} td_wal_live;

typedef struct td_wal_event {
  td_record record;
  td_seqno seqno;
  td_log_id log;
} td_wal_event;

/* Starts at event `from` (0 or 1 = the beginning), as td_wal_cursor_open.
 * Statuses: TD_OK; TD_IO, TD_NO_MEMORY, those of td_wal_cuts_read and
 * td_wal_layout_read. After anything but TD_OK there is nothing to close. */
TD_API td_status td_wal_live_open(td_wal_live *live,
                                  const td_wal_layouts *layouts,
                                  td_shard_id shard, td_seqno from,
                                  td_error *err);
/* Idempotent. Does not need the layouts any more. */
TD_API void td_wal_live_close(td_wal_live *live);

/* The next run. Statuses: TD_OK, TD_END, those of td_wal_cursor_next, and
 * TD_MISMATCH when the cuts are those of another region; the same again when
 * asked again. Writes *out only on TD_OK. */
TD_API td_status td_wal_live_run(td_wal_live *live, td_wal_run *out,
                                 td_error *err);

/* The next live event: the same, one at a time. */
TD_API td_status td_wal_live_next(td_wal_live *live, td_wal_event *out,
                                  td_error *err);

#endif
