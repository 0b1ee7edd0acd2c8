/* The tail rule on one damaged place: torn, or corrupt? Used by the verdicts
 * of io/wal_verify.h, which tells the rule, and by whoever cuts tails.
 *
 * Reads the file behind the place once; changes nothing.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_JUDGE_H
#define TD_IO_WAL_JUDGE_H

#include "io/wal_verify.h"

/* Where a segment stopped to be valid, and what is known of its log. */
typedef struct td_wal_tail {
  const td_env *env;
  td_file *file;
  uint8_t *buffer;      /* TD_WAL_BUFFER_BYTES of scratch */
  uint64_t offset;      /* of the invalid batch */
  td_seqno last_seq;    /* of the last good event before it */
  td_seqno named;       /* the highest number that checkpoints name */
  bool last_lazy;       /* the last good batch is lazy */
  bool clean;           /* the last shutdown was clean */
  bool newest;          /* the log has no later segment */
} td_wal_tail;

/* Judges what td_wal_cursor_next said of that place (report->err) and fills
 * in verdict, evidence, proof, suspect, lost_events. Statuses: TD_OK,
 * TD_IO. */
TD_API td_status td_wal_report_judge(const td_wal_tail *tail,
                                     td_wal_report *report, td_error *err);

#endif
