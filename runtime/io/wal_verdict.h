/* What can be said of a place in a log, and what makes it so.
 *
 * Thread: any. */
#ifndef TD_IO_WAL_VERDICT_H
#define TD_IO_WAL_VERDICT_H

#include <stdbool.h>

#include "base/id.h"
#include "base/status.h"

typedef enum td_verdict {
  TD_VERDICT_CLEAN,
  TD_VERDICT_TORN,         /* recovery cuts it; nothing acknowledged is lost */
  TD_VERDICT_CORRUPT,
  TD_VERDICT_GAP,          /* segments are missing before this one */
  TD_VERDICT_MISMATCH,     /* name, header and neighbours disagree */
  TD_VERDICT_UNSUPPORTED,  /* of a newer format: never touched */
  TD_VERDICT_RESERVED,     /* bytes that must be zero are not */
} td_verdict;

/* X(NAME, "sentence", "subject"): what made a verdict what it is; {} is
 * report.proof. The subject is that of a refusal. */
#define TD_EVIDENCE_MAP(X) \
  X(NONE, "", "a file") \
  X(SEGMENT, "a later segment of this log follows", \
    "a batch with a later segment behind it") \
  X(BATCH, "a later batch stands at byte {}", \
    "a batch with a later one behind it") \
  X(NEWER, "a header that this build cannot read stands at byte {}", \
    "a batch with one behind it that this build cannot read") \
  X(CHECKPOINT, "a checkpoint of this log names event {}", \
    "a place that a checkpoint saw") \
  X(CLEAN, "the last shutdown was clean", \
    "the end of a log that was closed cleanly") \
  X(FOREIGN, "the batch is whole, but does not belong here", \
    "a batch that does not belong here") \
  X(HASHED, "the header's own hash is right, so this is no torn write", \
    "a batch whose header is right") \
  X(OLD, "a v1 batch with all its bytes is not torn", \
    "a v1 batch that is not torn") \
  X(HEADER, "the last header was not written whole", "a header") \
  X(CUT, "the last batch is cut", "a cut batch") \
  X(SECTOR, "the sector at byte {} of the last batch was never written", \
    "a batch with a hole") \
  X(SUSPECT, "all its bytes are there: a torn write, or a rotten one", \
    "a batch with all its bytes")

typedef enum td_evidence {
#define TD_EVIDENCE_ENUM(name, sentence, subject) TD_EVIDENCE_##name,
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
  uint64_t lost_events;  /* of lazy batches: the torn one, where its header
                            tells, and those behind it */
  td_seqno reached;      /* what the evidence says was there; 0 = unknown */
  td_error err;          /* file always, offset and status where not clean */
  uint64_t size;         /* of the segment, bytes */
  uint64_t end;          /* behind its last good batch */
  uint64_t events;       /* in its good batches */
  uint32_t batches;
  td_seqno first_seq;    /* of the good batches; 0 = there are none */
  td_seqno last_seq;
  uint32_t epoch_low;    /* of its good batches, not counting 0; 0 = none */
  uint32_t epoch_high;
} td_wal_report;

/* The stable lower-case word, e.g. "torn". */
TD_API const char *td_verdict_code(td_verdict verdict);

/* What is wrong and what makes it so, in one sentence, with a closing zero
 * and cut to fit. Returns the length of the whole, as snprintf does. */
TD_API size_t td_wal_report_why(const td_wal_report *report, char *out,
                                size_t size);

/* A report that is neither clean nor torn, as the error of a caller who
 * cannot go on: TD_CORRUPT with how far the log is whole and how far it went,
 * or the status of the place itself, always with file and offset. `last_seq`
 * is the log's last good event. Returns that status. */
TD_API td_status td_wal_report_refuse(const td_wal_report *report,
                                      td_seqno last_seq, td_error *err);

#endif
