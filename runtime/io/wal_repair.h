/* What it takes to make a damaged directory of logs whole again.
 *
 * A log is a prefix without holes. So of a log that is damaged the whole part
 * stays, from its beginning; the damaged batch and all behind it goes to
 * quarantine/, byte for byte, and so do checkpoints that name events which are
 * not there any more. Nothing is deleted. What a newer version wrote is left
 * alone, and so are layouts and cuts: without them dead events would count
 * again. Then the log cannot be repaired here.
 *
 * This gives acknowledged events up, so nothing does it unasked: a follower's
 * copy or a backup of the damaged file comes first. Readable events behind the
 * damage are counted; they can be read from quarantine/. New events get the
 * numbers of those given up: whoever applied them must start anew.
 *
 * Actions come in the order in which they are safe: the last segments first,
 * then the cut, then checkpoints. A crash in between leaves a directory that
 * is still damaged, and a second try does the rest.
 *
 * Memory: 136 bytes for each segment, and what td_wal_verifier takes.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_REPAIR_H
#define TD_IO_WAL_REPAIR_H

#include "io/wal_home.h"
#include "io/wal_verify.h"

typedef enum td_wal_mend {
  TD_WAL_MEND_CUT,    /* the bytes from `offset` on go to quarantine/ */
  TD_WAL_MEND_MOVE,   /* the file does */
  TD_WAL_MEND_LEAVE,  /* cannot be repaired here: nothing is done */
} td_wal_mend;

typedef struct td_wal_action {
  td_wal_mend mend;
  td_verdict verdict;     /* TD_VERDICT_CLEAN: for what stands before it */
  td_shard_id shard;
  bool suspect;
  char file[TD_FILE_NAME_MAX];
  uint64_t offset;
  uint64_t bytes;         /* that go */
  uint64_t events;        /* readable ones among them */
  td_seqno first_seq;     /* of those; 0 = there are none */
  td_seqno last_seq;
} td_wal_action;

typedef struct td_wal_repair {
  const td_wal_dir *dir;
  td_wal_action *actions;  /* in order */
  uint32_t count;
  uint32_t room;
} td_wal_repair;

/* Judges the directory and plans; changes nothing. Statuses: TD_OK, those of
 * td_wal_verify_open and td_wal_verify_next. After anything but TD_OK there is
 * nothing to close. The directory must stay open. */
TD_API td_status td_wal_repair_open(td_wal_repair *repair,
                                    const td_wal_dir *dir, td_error *err);
/* Idempotent. */
TD_API void td_wal_repair_close(td_wal_repair *repair);

/* Does action number i < count, durably. The directory must be locked, by the
 * home that `dir` was listed from. Statuses: TD_OK (also for what is left
 * alone), TD_IO, TD_NO_MEMORY. */
TD_API td_status td_wal_repair_do(const td_wal_repair *repair, uint32_t i,
                                  td_error *err);

/* "cut", "move" or "leave". */
TD_API const char *td_wal_mend_name(td_wal_mend mend);

#endif
