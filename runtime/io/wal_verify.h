/* Is a directory of logs sound? A verdict for every segment, read-only.
 *
 * What is wrong is judged by the tail rule (io/wal_tail.h).
 *
 * Checkpoints, cuts and published layouts are replaced by rename: what is
 * wrong in one is never torn.
 *
 * After a finding the log goes on with its next segment, and what only
 * follows from the finding is not reported again. Segments missing below
 * both checkpoints of a log may have been retired: no gap. Of a log that is
 * written meanwhile the last batch may look torn.
 *
 * Memory: one td_wal_cursor, one small file at a time (a checkpoint has at
 * most 64 MiB), 4 bytes per layout, and 32 KiB here.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_VERIFY_H
#define TD_IO_WAL_VERIFY_H

#include "format/checkpoint.h"
#include "io/wal.h"
#include "io/wal_layouts.h"
#include "io/wal_verdict.h"

/* What the checkpoints of one log say. */
typedef struct td_wal_notes {
  td_seqno top[2];      /* the highest number that a slot names */
  td_seqno named;       /* ... that any names */
  td_seqno retired;     /* segments through here may have been removed */
  td_checkpoint slots[2];
  bool good[2];
  bool bad[2];
  bool own[2];          /* the slot carries a mark of its own log */
  bool clean;
  bool marked;          /* ... and so does the newest, and none is bad */
} td_wal_notes;

#define TD_WAL_SLOT_BYTES (TD_SHARDS_MAX / 8)

typedef struct td_wal_verifier {  /* private to wal_verify*.c */
  const td_wal_dir *dir;
  td_wal_cursor cursor;
  td_wal_notes notes;      /* of the log in work */
  td_error failed;         /* sticky; status TD_OK = none */
  uint32_t shard;          /* of the log in work; TD_SHARDS_MAX = all done */
  uint32_t segment;        /* next segment to be judged */
  uint32_t segment_end;
  int stage;
  bool chained;            /* last_seq is the end of the segment before */
  bool region_known;
  bool last_lazy;          /* of the last good batch */
  td_region_id region;
  td_seqno last_seq;
  bool meta;               /* checkpoint.meta is there */
  uint8_t slots[2][TD_WAL_SLOT_BYTES];  /* a bit per shard */
  td_wal_layouts layouts;
  uint32_t layout;         /* next one to be read */
} td_wal_verifier;

/* Lists the small files. Statuses: TD_OK, TD_IO, TD_NO_MEMORY, TD_TOO_MANY
 * (layouts); after anything
 * but TD_OK there is nothing to close. The directory stays the caller's. */
TD_API td_status td_wal_verify_open(td_wal_verifier *verifier,
                                    const td_wal_dir *dir, td_error *err);
/* Idempotent. The directory must still be open. */
TD_API void td_wal_verify_close(td_wal_verifier *verifier);

/* The next report, logs in order of their shard: what is wrong with its
 * checkpoints and cuts, then every segment with its verdict; gaps and
 * overlaps are reports of their own before their segment's. Layouts come
 * last. Work is bounded by one
 * segment. Statuses: TD_OK; TD_END; TD_IO and TD_NO_MEMORY with file and
 * offset, again when asked again: a failed read is no verdict. Writes *out
 * only on TD_OK. */
TD_API td_status td_wal_verify_next(td_wal_verifier *verifier,
                                    td_wal_report *out, td_error *err);

#endif
