/* One log (region, shard), open for writing.
 *
 * One group of events = one batch = one write = one sync, and at most one is
 * in flight: so a torn tail can be told from damage. Under TD_SYNC_ALWAYS an
 * append that returned TD_OK is on disk, through kill -9 and power failure,
 * on disks that honour a flush.
 *
 * Opening recovers: a tail that a crash tore is copied to quarantine/ and cut
 * off; anything that was once whole and no longer is, is refused, and nothing
 * is changed. The last segment of a log that was not closed cleanly is
 * written anew and synced before any of it is shown, because after a failed
 * sync the page cache shows what is not on disk.
 *
 * States: OPEN; FULL (no space: the batch is certainly not there, the next
 * append tries again); POISONED (a sync, a write or a rename failed: every
 * call says so, only a new opening helps).
 *
 * Files beside the segments (FORMAT.md 3 and 4): LOCK, checkpoint-s00003.0
 * and .1, their .tmp, rewrite-s00003.tmp, quarantine/. A checkpoint carries,
 * besides the caller's marks, one for its own log: all through there was on
 * disk when it was written, so a log that ends before it is damaged.
 *
 * Memory: three groups of events; to open it two buffers of 256 KiB, or one
 * batch.
 *
 * Thread: append, sync, checkpoint, truncate and durable: any, at the same
 * time; open and close: owner. */
#ifndef TD_IO_WAL_LOG_H
#define TD_IO_WAL_LOG_H

#include <stdatomic.h>

#include "base/env.h"
#include "base/policy.h"
#include "format/checkpoint.h"
#include "format/record.h"
#include "io/lock.h"
#include "io/wal.h"
#include "io/wal_home.h"
#include "io/wal_window.h"

#define TD_WAL_AHEAD_BYTES 262144u
/* Under TD_SYNC_UNSAFE_INTERVAL the first batch behind the interval is synced,
 * under TD_SYNC_UNSAFE_NEVER only the end of a segment. */
typedef struct td_wal_options {
  td_log_id log;
  td_sync_policy sync;
  uint64_t sync_interval_ns;
  uint64_t segment_bytes;     /* a new segment starts before this */
  uint32_t ahead_bytes;       /* zeros are written ahead in such steps */
  uint32_t group_events_max;  /* a group waits for no more than these ... */
  uint64_t group_delay_ns;    /* ... and no longer than this */
  uint32_t window_events;     /* so many are remembered, to recognise one that
                                 comes again (io/wal_window.h), and as many of
                                 each log that lost some to it; 0 = none */
} td_wal_options;

/* Always, 16 MiB, 256 KiB, 100 events or 10 ms, no window. */
TD_API td_wal_options td_wal_options_init(td_log_id log);
/* What opening found and did. */
typedef struct td_wal_recovery {
  bool torn;             /* a tail was cut off and is in quarantine/ */
  bool suspect;          /* ... that may have been whole once: compare it */
  bool clean;            /* the last writer closed it cleanly */
  bool checkpoint_bad;   /* a slot is damaged, the other one was used */
  bool rewritten;        /* the last segment was written anew */
  uint64_t offset;       /* of the cut, in the segment `name` */
  uint64_t cut_bytes;
  uint64_t lost_events;  /* in the cut tail: of lazy batches only */
  td_segname name;
} td_wal_recovery;

typedef enum td_wal_state {
  TD_WAL_CLOSED, TD_WAL_OPENING, TD_WAL_OPEN, TD_WAL_FULL, TD_WAL_POISONED,
} td_wal_state;

/* Events that go to disk as one batch. Private. */
typedef struct td_wal_group {
  uint8_t *bytes;    /* header and payload */
  size_t room, size; /* ... of the payload */
  uint32_t events;   /* put in, and then less those that are known */
  uint32_t waiting;  /* threads that want the result */
  uint32_t *places;  /* with a window: where each event put in went to ... */
  size_t places_room;  /* bytes */
  enum { TD_GROUP_FREE, TD_GROUP_FILLING, TD_GROUP_TAKEN, TD_GROUP_DONE } stage;
  td_batch_kind kind;
  bool hurry;        /* somebody cannot join: do not wait for more */
  bool moved;        /* from another log, under the home's next epoch */
  uint32_t epoch;    /* the home's when it began to fill */
  td_seqno first_seq;
  td_error err;
} td_wal_group;

/* Private but for `recovery`. */
typedef struct td_wal_log {
  td_wal_home *home;
  struct td_wal_log *next;  /* in the home's list */
  td_wal_options options;
  td_wal_recovery recovery;

  td_file *file;        /* of the last segment, NULL = none yet */
  td_segname name;
  uint64_t end;         /* behind its last batch */
  uint64_t ahead;       /* the file's size */
  bool name_unsynced, data_unsynced, moved_unsynced;
  uint64_t synced_ns;
  td_seqno last_seq;    /* written */
  _Atomic uint64_t durable_seq;
  td_wal_state state;
  td_error failed;      /* why it is poisoned */
  bool checkpoint_there;
  td_checkpoint checkpoint;  /* the newest */
  td_seqno older_seqno;      /* of the slot before it; 0 = none */
  td_mark *marks;
  uint32_t mark_count, mark_room;
  td_seqno own_mark;         /* as far as it was on disk at that time */
  bool own_marked;           /* there is such a mark */

  td_lock lock;         /* of all below */
  td_cond changed;
  td_wal_window window, wider;  /* the next one, before a publication */
  td_wal_group groups[2];
  uint32_t filling;
  td_wal_group direct;  /* of io/wal_parts; of who has the file */
  bool busy;            /* somebody has the file */
  bool lent;            /* of whoever opens it: it is closed for him then */
} td_wal_log;

/* Recovers and opens. The home stays in use until close. Statuses: TD_OK;
 * TD_LOCKED (a log of that shard is open in this home, and not lent, or held),
 * those of td_wal_log_close for a lent one; TD_EPOCH (a layout is published
 * that the home was not put under), TD_OUT_OF_RANGE (no such shard, no next
 * layout); TD_IO, TD_NO_MEMORY, TD_TOO_MANY; verdicts, each with file and
 * offset and nothing changed: TD_CORRUPT, TD_MISSING (gap), TD_MISMATCH,
 * TD_UNSUPPORTED, TD_RESERVED, and of a checkpoint those of
 * td_checkpoint_decode. After anything but TD_OK there is nothing to close. */
TD_API td_status td_wal_log_open(td_wal_log *log, td_wal_home *home,
                                 const td_wal_options *options,
                                 td_error *err);

/* Appends events, with those of other threads, and waits until they are on
 * disk (or, under an unsafe policy, written). *first (nullable) gets the
 * number of the first. count is 1..TD_RECORDS_MAX. Statuses: TD_OK;
 * TD_LENGTH, TD_NO_MEMORY, TD_SEQUENCE (no numbers left), TD_FULL, TD_MOVED
 * (an event is shard `bound`'s by the layout named; without an index it is of
 * another thread's call in the group), TD_REGION (the layout has no such
 * region): certainly not there; TD_POISONED:
 * unknown; TD_IO: publishing a layout failed (io/wal_home.h). */
TD_API td_status td_wal_log_append(td_wal_log *log, const td_record *records,
                                   uint32_t count, td_seqno *first,
                                   td_error *err);

/* The same; numbers[i] gets the number of event i, 0 where the window knows
 * it: it is on disk already, under the number it got then, and was not
 * appended again. With a window, td_wal_log_append gives the first number that
 * is not 0, or 0, and no append may have more events than the window. */
TD_API td_status td_wal_log_append_each(td_wal_log *log,
                                        const td_record *records,
                                        uint32_t count, td_seqno *numbers,
                                        td_error *err);

/* One batch of `count` session events, opaque. */
TD_API td_status td_wal_log_append_sessions(td_wal_log *log, td_span payload,
                                            uint32_t count, td_seqno *first,
                                            td_error *err);

/* Everything through here is on disk; readers may be shown it. */
TD_API td_seqno td_wal_log_durable(const td_wal_log *log);
/* Makes all appended durable. Statuses: TD_OK, TD_POISONED. */
TD_API td_status td_wal_log_sync(td_wal_log *log, td_error *err);
typedef struct td_wal_progress {
  td_seqno seqno;        /* all state through here is materialised */
  uint64_t hlc_wall_ns;
  const td_mark *marks;  /* of other logs, rising */
  uint32_t mark_count;
} td_wal_progress;

/* Writes a checkpoint into the older of the two slots. Statuses: TD_OK;
 * TD_AHEAD (seqno above what is durable), TD_BACKWARD, TD_DUPLICATE,
 * TD_TOO_MANY, TD_NO_MEMORY, TD_FULL: nothing changed; TD_POISONED. */
TD_API td_status td_wal_log_checkpoint(td_wal_log *log,
                                       const td_wal_progress *progress,
                                       td_error *err);

/* Removes segments wholly at or below both checkpoints and `keep_after`, the
 * least of the slowest follower's and what is to be retained; never the last
 * one; none while a next layout is prepared. *removed (nullable): how many.
 * Statuses: TD_OK, TD_IO, TD_NO_MEMORY, TD_TOO_MANY, TD_POISONED. */
TD_API td_status td_wal_log_truncate(td_wal_log *log, td_seqno keep_after,
                                     uint32_t *removed, td_error *err);

/* The same, but the segments go to retired/ below the directory. */
TD_API td_status td_wal_log_retire(td_wal_log *log, td_seqno upto,
                                   uint32_t *retired, td_error *err);
/* Syncs, cuts the zeros written ahead and, with `clean`, leaves a checkpoint
 * that says so. Closes in any case; idempotent. Statuses: TD_OK, TD_FULL,
 * TD_NO_MEMORY (not clean, nothing lost), TD_POISONED. */
TD_API td_status td_wal_log_close(td_wal_log *log, bool clean, td_error *err);

#endif
