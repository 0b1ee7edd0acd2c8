/* Reading the write-ahead logs of one directory, without changing it.
 *
 * td_wal_dir is the list of segment files, parsed and sorted by (shard,
 * first_seq); the order of the directory is never trusted. td_wal_cursor
 * walks one shard's log batch by batch, in order, over all its segments, v1
 * and v2 mixed, and verifies everything on the way:
 *   header and payload hashes, fields (format/batch.h)
 *   the header's shard is the name's, the region the same in all of the log
 *   a segment's first batch starts at the sequence number of its name
 *   each batch starts where the one before it ended: no gap, no overlap
 *   behind the last batch of a segment only zeros
 * It stops at the first thing that is wrong, with file and offset, and says
 * the same again when asked again: a log is never quietly shorter.
 *
 * Memory: the list, and one buffer of 256 KiB per cursor, larger only while
 * a larger batch is in it (at most 16 MiB).
 *
 * Thread: owner. Several cursors may share one directory. */
#ifndef TD_IO_WAL_H
#define TD_IO_WAL_H

#include <stdbool.h>

#include "base/env.h"
#include "base/status.h"
#include "format/batch.h"
#include "format/segname.h"

#define TD_WAL_SEGMENTS_MAX 16777216u
#define TD_WAL_BUFFER_BYTES 262144u

typedef struct td_wal_segment {
  td_segname name;
  uint64_t size;  /* bytes when the directory was opened */
} td_wal_segment;

typedef struct td_wal_dir {
  td_env env;
  td_dir *dir;
  td_wal_segment *segments;  /* sorted */
  uint32_t segment_count;
  uint32_t segment_room;
  bool borrowed;  /* dir is closed by whoever opened it */
} td_wal_dir;

/* Lists a directory. Statuses: TD_OK, TD_IO (sys), TD_NO_MEMORY,
 * TD_TOO_MANY. After anything but TD_OK there is nothing to close. Entries
 * that are not named as segments are passed over. */
TD_API td_status td_wal_dir_open(td_wal_dir *dir, const td_env *env,
                                 const char *path, td_error *err);
/* The same over a directory that is open already and stays so. */
TD_API td_status td_wal_dir_list(td_wal_dir *dir, const td_env *env,
                                 td_dir *open_dir, td_error *err);
/* Idempotent. */
TD_API void td_wal_dir_close(td_wal_dir *dir);

/* First segment of the shard and the number of its segments; 0 = none. */
TD_API uint32_t td_wal_dir_log(const td_wal_dir *dir, td_shard_id shard,
                               uint32_t *first);

typedef struct td_wal_batch {
  td_batch head;
  td_span payload;    /* in the cursor's buffer, until the next call */
  uint64_t offset;    /* of the header, in its segment */
  uint32_t segment;   /* index into dir->segments */
} td_wal_batch;

typedef struct td_wal_cursor {
  const td_wal_dir *dir;
  td_file *file;           /* of `segment`, NULL between segments */
  uint8_t *buffer;
  size_t room;             /* bytes of buffer */
  size_t start;            /* unread bytes are buffer[start..end) */
  size_t end;
  size_t ahead;            /* bytes that the next read may hold */
  uint64_t offset;         /* in the file, of buffer[start] */
  uint32_t segment;        /* index of the current segment */
  uint32_t segment_end;    /* behind the log's last segment */
  td_seqno from;           /* batches wholly below it are passed over */
  td_seqno last_seq;       /* what comes next must follow it */
  td_region_id region;     /* of the log, once region_known */
  bool region_known;
  td_error failed;         /* sticky; status TD_OK = none */
} td_wal_cursor;

/* Starts at the batch that holds sequence number `from` (0 or 1 = the
 * beginning): whole segments below it are not read, batches below it are
 * verified and passed over. A shard without segments gives an empty log; a
 * log that starts above a `from` of 2 or more is TD_MISSING at the first
 * step. Statuses: TD_OK, TD_NO_MEMORY (nothing to close). */
TD_API td_status td_wal_cursor_open(td_wal_cursor *cursor,
                                    const td_wal_dir *dir, td_shard_id shard,
                                    td_seqno from, td_error *err);
/* Idempotent. The directory must still be open. */
TD_API void td_wal_cursor_close(td_wal_cursor *cursor);

/* The next batch. Segments are read to their end of now; one that is shorter
 * than when the directory was listed ends in TD_SHORT. Statuses: TD_OK;
 * TD_END; TD_IO (offset of the read), TD_NO_MEMORY; those of td_segment_next;
 * TD_MISMATCH (header against name, region against region), TD_MISSING (at
 * offset 0 of the segment behind the gap), TD_SEQUENCE. Every error names
 * file and offset. Writes *out only on TD_OK. */
TD_API td_status td_wal_cursor_next(td_wal_cursor *cursor, td_wal_batch *out,
                                    td_error *err);

#endif
