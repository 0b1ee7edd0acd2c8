/* Inside one segment: what the walk over a listed directory (wal_cursor.c)
 * and the one behind a writer (wal_follow.c) share.
 *
 * Private to the io floor.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_STEP_H
#define TD_IO_WAL_STEP_H

#include "io/wal.h"

/* Goes to an offset of `file`, which the cursor closes from now on (NULL =
 * none). A file that it has is closed unless it is this one, and what was
 * read ahead is forgotten. */
void td_wal_cursor_seek(td_wal_cursor *cursor, td_file *file,
                        uint64_t offset);

/* The next batch of the open file, verified whole; it must continue last_seq.
 * Statuses: those of td_wal_cursor_next but for TD_MISSING. TD_END: behind
 * the segment's last batch, whose zeros are passed (offset is their end).
 * TD_AHEAD: the next batch ends above `upto` and stays unread; only its
 * header and its place were looked at. Writes *out only on TD_OK. */
td_status td_wal_cursor_step(td_wal_cursor *cursor, td_seqno upto,
                             td_wal_batch *out, td_error *err);

/* Opens a directory without listing it; td_wal_dir_close ends it. Statuses:
 * TD_OK, TD_IO (nothing to close). */
td_status td_wal_dir_attach(td_wal_dir *dir, const td_env *env,
                            const char *path, td_error *err);

#endif
