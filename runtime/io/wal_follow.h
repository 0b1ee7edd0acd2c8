/* Following one log while it is written: what is durable, and only that, in
 * order, exactly once; for shipping it elsewhere.
 *
 * The one thing that crosses from the writer is a number: everything through
 * `durable` (td_wal_log_durable) is on disk and never changes again. So a
 * batch that ends at or below it must be found whole, and a fault there is
 * damage; what lies behind it (zeros written ahead, a batch in flight, a tail
 * that is cut off and written anew) is nobody's business yet. It may be read
 * along into the buffer, but is never looked at: before the first batch that
 * was not durable when the buffer was read, the buffer is read again. Only
 * where `durable` falls inside a batch, its header tells that it ends above.
 *
 * Nothing is asked of the directory but names: the segment behind one that
 * ends at n is called n + 1, and while that one is not there the log goes on
 * in this one. Recovery may put a new file in the place of the last segment,
 * so whatever an open file says against the log, were it only the header of a
 * batch that ends too high, counts only after the file was opened by its name
 * once more. Batches lie at the same offsets in both. A segment that was
 * removed while it was open is read to its end.
 *
 * Nothing is kept of a failure but the place: the next call looks again. So
 * an error of the world (TD_IO, TD_NO_MEMORY) is over when its cause is, and
 * damage is said again until somebody has repaired the file. No batch is
 * passed over for it.
 *
 * Every batch is verified by the cursor's own step (io/wal.h), and the region
 * is the log's. Memory: one buffer of 256 KiB, larger only while a larger
 * batch is in it (at most 16 MiB).
 *
 * Thread: owner; the writer may be another thread, or another process. */
#ifndef TD_IO_WAL_FOLLOW_H
#define TD_IO_WAL_FOLLOW_H

#include "io/wal.h"

/* Private. Must stay where it was opened. */
typedef struct td_wal_follow {
  td_wal_dir dir;          /* its list is `segment` */
  td_wal_segment segment;  /* the one being read, once found */
  td_wal_cursor cursor;
  td_seqno from;           /* batches wholly below it are passed over */
  td_seqno trusted;        /* durable when the buffer was read, or before */
  bool found;
} td_wal_follow;

/* Follows `log` from the batch that holds number `from`: the mark + 1. With 0
 * from wherever the log begins, which may be above 1 (a cursor takes 1 like
 * that, too; for a follower what is gone below it is TD_MISSING). The log may
 * be empty. Nothing of it is read yet. Whether the mark is of this log's
 * history is for those to ask who exchange marks. Statuses: TD_OK, TD_IO,
 * TD_NO_MEMORY (nothing to close). */
TD_API td_status td_wal_follow_open(td_wal_follow *follow, const td_env *env,
                                    const char *path, td_log_id log,
                                    td_seqno from, td_error *err);
/* The same in a directory that is open already and stays so. */
TD_API td_status td_wal_follow_open_in(td_wal_follow *follow,
                                       const td_env *env, td_dir *open_dir,
                                       td_log_id log, td_seqno from,
                                       td_error *err);
/* Idempotent. */
TD_API void td_wal_follow_close(td_wal_follow *follow);

/* The next batch whose last number is at most `durable`; its payload is good
 * until the next call, its `segment` is 0. Statuses: TD_OK; TD_END: nothing
 * more through `durable`, ask again with a larger one; TD_MISSING (offset 0
 * of the segment behind the gap): truncation removed what comes next;
 * TD_CORRUPT: the log ends below `durable`; TD_IO, TD_NO_MEMORY; those of
 * td_segment_next; TD_MISMATCH, TD_SEQUENCE. All but TD_OK leave the place as
 * it was and *out alone. Every error but TD_END names the file, where there
 * is one. */
TD_API td_status td_wal_follow_next(td_wal_follow *follow, td_seqno durable,
                                    td_wal_batch *out, td_error *err);

/* The segment of the batch given last. Only behind a TD_OK. */
TD_API td_segname td_wal_follow_segment(const td_wal_follow *follow);

#endif
