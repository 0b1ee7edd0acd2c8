/* The tail rule: is a batch that is not whole torn, or damaged? RELIABILITY
 * calls the evidence C1 to C5 and T1 to T3; recovery and the verdicts of
 * io/wal_verify.h both ask here.
 *
 * At most one batch is in flight, and the one before it was synced before it
 * was written. So an invalid batch at the end of a log is a torn write, which
 * nobody was told to be safe, unless something says that it was once on
 * disk. Then it is corruption, and nothing may be cut:
 *   C1 a later segment of the log exists
 *   C2 a header of this log with a right hash and a later number stands
 *      behind it in the file, found by trying every byte; one that this build
 *      cannot read counts too, because nobody cuts what he does not know
 *   C3 a checkpoint of the log, or a mark in it, names a later number; this
 *      also finds a log cut between two batches, or gone altogether
 *   C4 the log's last checkpoint says that the shutdown was clean
 *   C5 the batch is whole, but of another shard, region or number
 * Without such evidence:
 *   T2 the header is invalid, the payload is cut, or a 512-byte sector of it
 *      was never written: torn
 *   T3 all bytes are there, only the payload's hash is wrong: torn, suspect;
 *      under v1, whose writer is not known, corrupt
 *
 * A lazy batch proves nothing about a lazy batch before it in its segment:
 * such a run is torn where it breaks, and the report counts the events that
 * go. A batch whose header is gone does not say whether it was lazy. It was
 * if the batches behind it are and all were written by one opening; that is
 * known where a checkpoint, as every opening leaves one, has marked the end
 * of what was there before (lazy_run), and otherwise supposed only behind a
 * lazy batch.
 *
 * A payload may hold what looks like a header, of anything. Where the damaged
 * batch's own header is sound, its payload is not searched; where it is not,
 * a lookalike in it passes for evidence: an alarm, never a loss.
 *
 * Reads the file behind the place once, through the buffer; changes nothing.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_TAIL_H
#define TD_IO_WAL_TAIL_H

#include "base/env.h"
#include "io/wal_verdict.h"

/* Where a segment stopped to be valid, and what is known of its log. */
typedef struct td_wal_tail {
  const td_env *env;
  td_file *file;
  uint8_t *buffer;        /* TD_WAL_BUFFER_BYTES of scratch */
  uint64_t offset;        /* of the invalid batch */
  td_shard_id shard;
  td_region_id region;
  bool region_known;
  td_seqno last_seq;      /* of the last good event before it */
  td_seqno named;         /* the highest number that checkpoints name */
  td_seqno next_segment;  /* first_seq of the one behind; 0 = it is the last */
  bool lazy_run;          /* see above */
  bool clean;             /* the last shutdown was clean */
} td_wal_tail;

/* Judges what td_wal_cursor_next said of that place (report->err) and fills
 * in verdict, evidence, proof, reached, suspect, lost_events. Statuses: TD_OK,
 * TD_IO. */
TD_API td_status td_wal_tail_judge(const td_wal_tail *tail,
                                   td_wal_report *report, td_error *err);

#endif
