/* The last events of a log that were sent to it, for those who ask what may
 * come again: not those that a migration brought, which may be most of a log.
 *
 * What was brought lies under an epoch that is not published, or through the
 * cut of its epoch: a migration cuts every log that it writes to. So the
 * headers tell, from the end backwards; payloads are read of those only that
 * are wanted, and checked. What was truncated or retired is not known any
 * more.
 *
 * Memory: a list of layouts, the cuts of one log, 16 KiB, and one batch.
 *
 * Thread: owner; the logs may be appended to by others. */
#ifndef TD_IO_WAL_SENT_H
#define TD_IO_WAL_SENT_H

#include "io/wal_layouts.h"

typedef struct td_wal_sent {  /* private but for layouts */
  const td_wal_dir *dir;
  td_wal_layouts layouts;  /* their names */
  td_shard_id shard;       /* the log in work */
  td_wal_file file;        /* its cuts */
  uint32_t cut_count;
  uint8_t *block;          /* of the segment in work, headers */
  uint8_t *payload;        /* of one batch */
  size_t room;
} td_wal_sent;

/* Statuses: TD_OK, TD_NO_MEMORY, those of td_wal_layouts_list. After anything
 * but TD_OK there is nothing to close. */
TD_API td_status td_wal_sent_open(td_wal_sent *sent, const td_wal_dir *dir,
                                  td_error *err);
/* Idempotent. The directory stays the caller's and must still be open. */
TD_API void td_wal_sent_close(td_wal_sent *sent);

/* Puts a log in work. Statuses: TD_OK, those of td_wal_cuts_read. */
TD_API td_status td_wal_sent_log(td_wal_sent *sent, td_shard_id shard,
                                 td_error *err);
/* Its last cut for a layout up to that epoch; all 0 = there is none. */
TD_API td_cut td_wal_sent_cut(const td_wal_sent *sent, uint32_t epoch);

/* Gets `count` events that follow one another, as records; the first has the
 * number `first`, and of all that are told there are `left` from it on. */
typedef td_status td_wal_sent_take(void *ctx, const uint8_t *records,
                                   uint32_t count, td_seqno first,
                                   uint64_t left, td_error *err);

/* Tells the last `depth` events that were sent to the log in work through
 * number `upto`, oldest first. Statuses: TD_OK, TD_IO, TD_NO_MEMORY, those of
 * td_batch_decode and td_batch_verify, with file and offset; whatever `take`
 * says. */
TD_API td_status td_wal_sent_last(td_wal_sent *sent, td_seqno upto,
                                  uint32_t depth, td_wal_sent_take *take,
                                  void *ctx, td_error *err);

#endif
