/* Segments in which no event counts any more, because a migration took the
 * last one: they are moved to retired/ below the directory, never deleted.
 *
 * Only from the front of a log, so that it stays without holes, and never the
 * last one. No state can come of dead events, so the log's checkpoint may go
 * over them: it does, twice, because both slots must (io/wal_log.h). Who
 * follows the log from a mark below that must begin anew, so it is done when
 * it is asked for. Batches of sessions count here.
 *
 * Memory: a reader.
 *
 * Thread: the owner of the log's home. */
#ifndef TD_FLOW_RETIRE_H
#define TD_FLOW_RETIRE_H

#include "io/wal_live.h"
#include "io/wal_log.h"

typedef struct td_retire {  /* private but for `segments` */
  td_wal_log *log;
  td_wal_dir dir;
  td_wal_layouts layouts;
  td_wal_live live;
  uint32_t first;     /* of the log's segments, in the list */
  uint32_t segments;  /* that are dead, once it is known */
} td_retire;

/* Begins to read an open log from its front. Statuses: TD_OK; those of
 * td_wal_dir_list, td_wal_layouts_open and td_wal_live_open. After anything
 * but TD_OK there is nothing to close. */
TD_API td_status td_retire_open(td_retire *retire, td_wal_log *log,
                                td_error *err);
/* Reads about so many bytes. Statuses: TD_OK (call again); TD_END
 * (retire->segments is known); those of td_wal_live_run. */
TD_API td_status td_retire_step(td_retire *retire, uint64_t bytes,
                                td_error *err);
/* Moves them. Statuses: as td_wal_log_checkpoint and td_wal_log_retire; some
 * may have moved. */
TD_API td_status td_retire_apply(td_retire *retire, td_error *err);
/* Idempotent. */
TD_API void td_retire_close(td_retire *retire);

#endif
