/* What the files of the log share; contracts of its inner seams.
 *
 * Functions that use the file are called by the one thread that is `busy`.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_SEAMS_H
#define TD_IO_WAL_SEAMS_H

#include "io/wal_log.h"

#define TD_WAL_FILE_NAME_MAX TD_FILE_NAME_MAX
#define TD_WAL_KNOWN UINT32_MAX  /* the place of an event not written */

/* wal_calls.c: calls with their retries. */

/* All of it, or a negative errno; *written says how much came first. */
int32_t td_wal_write_all(const td_env *env, td_file *file, td_span bytes,
                         uint64_t offset, uint64_t *written);
/* Repeats an interrupted sync, and only that. */
int32_t td_wal_sync_file(const td_env *env, td_file *file, bool full);
/* The bytes [first, end) to the beginning of another file, synced. The buffer
 * has TD_WAL_BUFFER_BYTES. */
int32_t td_wal_copy(const td_env *env, td_file *source, uint64_t first,
                    uint64_t end, td_file *target, uint8_t *buffer);
/* Written beside as `tmp`, synced, moved over `name`, the directory synced:
 * old or new, never half. *full: there was no space and nothing of it is
 * left. */
int32_t td_wal_replace(const td_env *env, td_dir *dir, const char *tmp,
                       const char *name, td_span bytes, bool *full);
/* Copies the bytes from `offset` to the end of a file into quarantine/,
 * durable, under a new name. Statuses: TD_OK, TD_IO. */
td_status td_wal_quarantine(const td_env *env, td_dir *dir, const char *name,
                            uint64_t offset, uint8_t *buffer, td_error *err);
/* Moves a file there, durable, under a new name. Statuses: TD_OK, TD_IO. */
td_status td_wal_quarantine_move(const td_env *env, td_dir *dir,
                                 const char *name, td_error *err);
/* TD_IO with what the system said. */
td_status td_wal_fail_io(td_error *err, const char *subject, int64_t result,
                         const char *file, uint64_t offset);
static inline bool td_wal_is_full(int64_t result) {
  return result == -TD_SYS_NOSPC || result == -TD_SYS_DQUOT;
}

/* wal_log.c: how a log ends. */

/* The log is over: TD_POISONED, or TD_IO while it is being opened. */
td_status td_wal_poison(td_wal_log *log, const char *subject, int64_t result,
                        td_error *err);
/* No space, and nothing is left of the try. */
td_status td_wal_fail_full(td_wal_log *log, const char *subject,
                           int64_t result, td_error *err);
/* "rewrite-s00003.tmp" and the like. */
void td_wal_tmp_name(const td_wal_log *log, const char *what,
                     char out[TD_WAL_FILE_NAME_MAX]);

/* wal_checkpoint.c */

/* Reads both slots, or v1's file. Changes nothing on disk. */
td_status td_wal_checkpoint_load(td_wal_log *log, td_error *err);
/* Writes the next generation with the log's own mark. */
td_status td_wal_checkpoint_store(td_wal_log *log,
                                  const td_wal_progress *progress, bool clean,
                                  td_error *err);
void td_wal_checkpoint_free(td_wal_log *log);

/* wal_recover.c: sets file, name, end, ahead, last_seq. */
td_status td_wal_recover(td_wal_log *log, td_error *err);

/* wal_recall.c: what the window knows. */

/* When a log is opened. Statuses: TD_OK; those of td_wal_window_init,
 * td_wal_dir_list, td_wal_sent_open, td_wal_sent_log and td_wal_sent_last. */
td_status td_wal_recall(td_wal_log *log, td_error *err);
/* Before the next layout is published, with its cuts written: makes ready, for
 * every open log. Statuses: the same; after anything but TD_OK there is
 * nothing to end. */
td_status td_wal_recall_next(td_wal_home *home, td_error *err);
void td_wal_recall_end(td_wal_home *home, bool published);

/* wal_writer.c */

/* One batch: written, nothing more. Sets group->first_seq. */
td_status td_wal_write_group(td_wal_log *log, td_wal_group *group,
                             td_error *err);
/* Whether the policy wants a sync behind what was just written. */
bool td_wal_sync_due(const td_wal_log *log);
/* All that was written becomes durable and is published. */
td_status td_wal_make_durable(td_wal_log *log, td_error *err);
/* Cuts the zeros and syncs all of it. */
td_status td_wal_seal(td_wal_log *log, td_error *err);

/* wal_group.c: the right to use the file, among threads. */

/* Whether the log's region is one of its layout's. Statuses: TD_OK,
 * TD_REGION. Asked as td_wal_check_owner. */
td_status td_wal_check_region(const td_wal_log *log, td_error *err);
/* Whether the log's layout gives an id to its shard. Statuses: TD_OK,
 * TD_MOVED (with the index given). Asked under the log's lock, or by who has
 * the file. */
td_status td_wal_check_owner(const td_wal_log *log, td_entity_id entity,
                             uint32_t index, td_error *err);

void td_wal_enter(td_wal_log *log);
void td_wal_leave(td_wal_log *log);
/* Number of the first of those events, as they were put in, that was not
 * known; 0 = all were. Of a group that was written. */
td_seqno td_wal_group_first(const td_wal_log *log, const td_wal_group *group,
                            uint32_t first, uint32_t count);
/* Events into the group `direct` of who has the file. Statuses: TD_OK,
 * TD_LENGTH, TD_NO_MEMORY. */
td_status td_wal_put_direct(td_wal_log *log, const td_record *records,
                            uint32_t count, td_error *err);
/* The same of encoded events that moved here, for the next epoch. */
td_status td_wal_put_moved(td_wal_log *log, td_span payload, uint32_t count,
                           td_error *err);

#endif
