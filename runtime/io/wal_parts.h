/* What the files of the log share; contracts of its inner seams.
 *
 * Functions that use the file are called by the one thread that is `busy`.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_PARTS_H
#define TD_IO_WAL_PARTS_H

#include "io/wal_log.h"

#define TD_WAL_FILE_NAME_MAX TD_FILE_NAME_MAX

/* wal_home.c: calls with their retries. */

/* All of it, or a negative errno; *written says how much came first. */
int32_t td_wal_write_all(const td_env *env, td_file *file, td_span bytes,
                         uint64_t offset, uint64_t *written);
/* Repeats an interrupted sync, and only that. */
int32_t td_wal_sync_file(const td_env *env, td_file *file, bool full);
/* TD_IO with what the system said. */
td_status td_wal_fail_io(td_error *err, const char *subject, int64_t result,
                         const char *file, uint64_t offset);
/* The log is over: TD_POISONED, or TD_IO while it is being opened. */
td_status td_wal_poison(td_wal_log *log, const char *subject, int64_t result,
                        td_error *err);
/* No space, and nothing is left of the try. */
td_status td_wal_fail_full(td_wal_log *log, const char *subject,
                           int64_t result, td_error *err);
static inline bool td_wal_is_full(int64_t result) {
  return result == -TD_SYS_NOSPC || result == -TD_SYS_DQUOT;
}
/* "rewrite-s00003.tmp" and the like. */
void td_wal_tmp_name(const td_wal_log *log, const char *what,
                     char out[TD_WAL_FILE_NAME_MAX]);
/* Copies bytes of a file into quarantine/, durable, under a new name. */
td_status td_wal_quarantine(td_wal_log *log, const char *name,
                            uint64_t offset, td_span bytes, td_error *err);

/* wal_checkpoint.c */

/* Reads both slots, or v1's file. Changes nothing on disk. */
td_status td_wal_checkpoint_load(td_wal_log *log, td_error *err);
/* Writes the next generation with the log's own mark. */
td_status td_wal_checkpoint_store(td_wal_log *log,
                                  const td_wal_progress *progress, bool clean,
                                  td_error *err);
void td_wal_checkpoint_free(td_wal_log *log);

/* wal_tail.c */

/* A batch that is not whole, and all that is known around it. */
typedef struct td_wal_damage {
  td_error err;        /* of the cursor, with file and offset */
  bool last_segment;
  bool clean;          /* how the last writer closed the log */
  td_seqno last_seq;   /* of the good batches before it */
  td_seqno reached;    /* what a checkpoint says was on disk */
  uint64_t next_segment;  /* first_seq of the next segment; 0 = none */
  uint16_t version;    /* of the last good batch; 0 = none */
  td_log_id log;
  td_span tail;        /* from the damage to the end of the file */
} td_wal_damage;

/* Torn (TD_OK: *out tells suspect and lost_events), or the refusal.
 * RELIABILITY.md 4.4 is the authority. */
td_status td_wal_judge(const td_wal_damage *damage, td_wal_recovery *out,
                       td_error *err);

/* wal_recover.c: sets file, name, end, ahead, last_seq. */
td_status td_wal_recover(td_wal_log *log, td_error *err);

/* wal_writer.c */

/* One batch: written, and synced as the policy says. Sets group->first_seq. */
td_status td_wal_write_group(td_wal_log *log, td_wal_group *group,
                             td_error *err);
/* All that was written becomes durable and is published. */
td_status td_wal_make_durable(td_wal_log *log, td_error *err);
/* Cuts the zeros and syncs all of it. */
td_status td_wal_seal(td_wal_log *log, td_error *err);

/* wal_group.c: the right to use the file, among threads. */
void td_wal_enter(td_wal_log *log);
void td_wal_leave(td_wal_log *log);

#endif
