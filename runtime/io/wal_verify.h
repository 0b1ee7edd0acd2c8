/* Is a directory of logs sound? A verdict for every segment, read-only.
 *
 * What is wrong is judged by the tail rule: an invalid batch at the end of a
 * log is a torn write, which recovery cuts, unless something says that the
 * batch was once on disk. Then it is corruption, and nothing may be cut:
 *   C1 a later segment of the log exists
 *   C2 a header with a right hash and a later number stands behind it in the
 *      file, found by trying every byte; one of a newer format counts too
 *   C3 a checkpoint of the log, or a mark in it, names a later number; this
 *      also finds a log cut between two batches, or gone altogether
 *   C4 the log's last checkpoint says that the shutdown was clean
 *   C5 the batch is whole, but of another shard, region or number
 * Without such evidence:
 *   T2 the header is invalid, the payload is cut, or a 512-byte sector of it
 *      was never written: torn
 *   T3 all bytes are there, only the payload's hash is wrong: torn, suspect;
 *      under v1, whose writer is not known, corrupt
 * A lazy batch proves nothing about a lazy batch before it in its segment:
 * such a run is torn where it breaks, and the report counts what is lost.
 *
 * Checkpoints, cuts and published layouts are replaced by rename: what is
 * wrong in one is never torn.
 *
 * After a finding the log goes on with its next segment, and what only
 * follows from the finding is not reported again. Segments missing below
 * both checkpoints of a log may have been retired: no gap. Of a log that is
 * written meanwhile the last batch may look torn.
 *
 * Memory: one td_wal_cursor, one small file at a time (a checkpoint has at
 * most 64 MiB), 4 bytes per layout, and 32 KiB here.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_VERIFY_H
#define TD_IO_WAL_VERIFY_H

#include "format/checkpoint.h"
#include "io/wal.h"
#include "io/wal_layouts.h"

typedef enum td_verdict {
  TD_VERDICT_CLEAN,
  TD_VERDICT_TORN,         /* recovery cuts it; nothing acknowledged is lost */
  TD_VERDICT_CORRUPT,
  TD_VERDICT_GAP,          /* segments are missing before this one */
  TD_VERDICT_MISMATCH,     /* name, header and neighbours disagree */
  TD_VERDICT_UNSUPPORTED,  /* of a newer format: never touched */
  TD_VERDICT_RESERVED,     /* bytes that must be zero are not */
} td_verdict;

/* X(NAME, "sentence"): what made a verdict what it is; {} is report.proof. */
#define TD_EVIDENCE_MAP(X) \
  X(NONE, "") \
  X(SEGMENT, "a later segment of this log follows") \
  X(BATCH, "a later batch stands at byte {}") \
  X(NEWER, "a header that this build cannot read stands at byte {}") \
  X(CHECKPOINT, "a checkpoint of this log names event {}") \
  X(CLEAN, "the last shutdown was clean") \
  X(FOREIGN, "the batch is whole, but does not belong here") \
  X(HASHED, "the header's own hash is right, so this is no torn write") \
  X(OLD, "a v1 batch with all its bytes is not torn") \
  X(HEADER, "the last header was not written whole") \
  X(CUT, "the last batch is cut") \
  X(SECTOR, "the sector at byte {} of the last batch was never written") \
  X(SUSPECT, "all its bytes are there: a torn write, or a rotten one")

typedef enum td_evidence {
#define TD_EVIDENCE_ENUM(name, sentence) TD_EVIDENCE_##name,
  TD_EVIDENCE_MAP(TD_EVIDENCE_ENUM)
#undef TD_EVIDENCE_ENUM
} td_evidence;

typedef struct td_wal_report {
  td_verdict verdict;
  td_evidence evidence;
  bool suspect;          /* torn by rule T3 */
  bool whole;            /* a segment's own; else no batches are counted */
  bool region_known;     /* log.region is only then meant */
  td_log_id log;
  uint64_t proof;        /* byte or event number of the evidence */
  uint64_t lost_events;  /* in lazy batches behind a torn one */
  td_error err;          /* file always, offset and status where not clean */
  uint64_t size;         /* of the segment, bytes */
  uint64_t end;          /* behind its last good batch */
  uint64_t events;       /* in its good batches */
  uint32_t batches;
  td_seqno first_seq;    /* of the good batches; 0 = there are none */
  td_seqno last_seq;
} td_wal_report;

/* What the checkpoints of one log say. */
typedef struct td_wal_notes {
  td_seqno named;       /* the highest number they name */
  td_seqno retired;     /* segments through here may have been removed */
  td_checkpoint slots[2];
  bool good[2];
  bool bad[2];
  bool clean;
} td_wal_notes;

#define TD_WAL_SLOT_BYTES (TD_SHARDS_MAX / 8)

typedef struct td_wal_verifier {  /* private to wal_verify*.c */
  const td_wal_dir *dir;
  td_wal_cursor cursor;
  td_wal_notes notes;      /* of the log in work */
  td_error failed;         /* sticky; status TD_OK = none */
  uint32_t shard;          /* of the log in work; TD_SHARDS_MAX = all done */
  uint32_t segment;        /* next segment to be judged */
  uint32_t segment_end;
  int stage;
  bool chained;            /* last_seq is the end of the segment before */
  bool region_known;
  bool last_lazy;          /* of the last good batch */
  td_region_id region;
  td_seqno last_seq;
  bool meta;               /* checkpoint.meta is there */
  uint8_t slots[2][TD_WAL_SLOT_BYTES];  /* a bit per shard */
  td_wal_layouts layouts;
  uint32_t layout;         /* next one to be read */
} td_wal_verifier;

/* Lists the small files. Statuses: TD_OK, TD_IO, TD_NO_MEMORY, TD_TOO_MANY
 * (layouts); after anything
 * but TD_OK there is nothing to close. The directory stays the caller's. */
TD_API td_status td_wal_verify_open(td_wal_verifier *verifier,
                                    const td_wal_dir *dir, td_error *err);
/* Idempotent. The directory must still be open. */
TD_API void td_wal_verify_close(td_wal_verifier *verifier);

/* The next report, logs in order of their shard: what is wrong with its
 * checkpoints and cuts, then every segment with its verdict; gaps and
 * overlaps are reports of their own before their segment's. Layouts come
 * last. Work is bounded by one
 * segment. Statuses: TD_OK; TD_END; TD_IO and TD_NO_MEMORY with file and
 * offset, again when asked again: a failed read is no verdict. Writes *out
 * only on TD_OK. */
TD_API td_status td_wal_verify_next(td_wal_verifier *verifier,
                                    td_wal_report *out, td_error *err);

/* The stable lower-case word, e.g. "torn". */
TD_API const char *td_verdict_code(td_verdict verdict);

/* What is wrong and what makes it so, in one sentence, with a closing zero
 * and cut to fit. Returns the length of the whole, as snprintf does. */
TD_API size_t td_wal_report_why(const td_wal_report *report, char *out,
                                size_t size);

#endif
