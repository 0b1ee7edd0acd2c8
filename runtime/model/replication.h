/* ReplicationState: how far each log has been applied here.
 *
 * A fixed, sorted set of logs (region, shard); per log a high-water mark
 * (epoch, seqno). The seqno is one atomic word, 64 bytes from the next, that
 * only grows, and never past the last contiguous number: a batch that would
 * leave a hole is refused. The epoch changes by its own call only, and only
 * upwards. 0 = nothing applied yet (sequence numbers start at 1).
 *
 * One block, no inner pointers.
 *
 * Thread: any for find, get, advance, raise_epoch, lag; init and restore
 * before the state is shared. */
#ifndef TD_MODEL_REPLICATION_H
#define TD_MODEL_REPLICATION_H

#include <stdbool.h>

#include "base/id.h"
#include "base/status.h"
#include "format/checkpoint.h"

#define TD_LOGS_MAX TD_CHECKPOINT_MARKS_MAX

typedef struct td_replication td_replication;

/* Bytes of a state over so many logs. */
TD_API size_t td_replication_size(uint32_t log_count);

/* Logs in any order. The block has td_replication_size(count) bytes.
 * Statuses: TD_OK, TD_TOO_MANY, TD_DUPLICATE (index and other: which two). */
TD_API td_status td_replication_init(td_replication *state,
                                     const td_log_id *logs, uint32_t count,
                                     td_error *err);

/* Number of logs. */
TD_API uint32_t td_replication_count(const td_replication *state);

/* Mark number index < count, in order of (region, shard). */
TD_API td_mark td_replication_at(const td_replication *state,
                                 uint32_t index);

/* False for a log that is not in the set; *out is then untouched. */
TD_API bool td_replication_get(const td_replication *state, td_log_id log,
                               td_mark *out);

/* Events first..last of `log` have been applied. Raises the mark to last;
 * events already covered are no error. Statuses: TD_OK, TD_UNKNOWN_LOG,
 * TD_AHEAD (first is above mark + 1), TD_INVERTED (last < first),
 * TD_SEQUENCE (first is 0). */
TD_API td_status td_replication_advance(td_replication *state, td_log_id log,
                                        td_seqno first, td_seqno last,
                                        td_error *err);

/* The log goes on under a new epoch. The same epoch is no error. Statuses:
 * TD_OK, TD_UNKNOWN_LOG, TD_BACKWARD. */
TD_API td_status td_replication_raise_epoch(td_replication *state,
                                            td_log_id log, uint32_t epoch,
                                            td_error *err);

/* Copies all marks to out[0..count), sorted: the marks of a checkpoint. */
TD_API void td_replication_snapshot(const td_replication *state,
                                    td_mark *out);

/* Raises marks to those of a checkpoint; lower ones change nothing. Checks
 * all before it changes any. Statuses: TD_OK, TD_UNKNOWN_LOG (index). */
TD_API td_status td_replication_restore(td_replication *state,
                                        const td_mark *marks, uint32_t count,
                                        td_error *err);

/* How many events of `log` `other` has and this state has not; 0 when level
 * or ahead. A log that one side does not know counts as mark 0. */
TD_API uint64_t td_replication_lag(const td_replication *state,
                                   const td_replication *other,
                                   td_log_id log);

#endif
