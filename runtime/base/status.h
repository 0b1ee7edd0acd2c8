/* How every function of this library says what happened.
 *
 * A function either cannot fail, or returns a td_status and takes a
 * nullable `td_error *err` last. A td_error is a plain value: static texts,
 * numbers and one short file name; it owns nothing and may be copied.
 * The list below is append-only: a status keeps its number and its code.
 *
 * Thread: any. */
#ifndef TD_BASE_STATUS_H
#define TD_BASE_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifndef TD_API
#define TD_API __attribute__((visibility("default")))
#endif

/* X(NAME, "code", "sentence"): in a sentence {got} and {bound} are decimal,
 * {xgot} and {xbound} 16 hex digits, {index} and {other} entries counted
 * from 1. The subject stands before the sentence. */
#define TD_STATUS_MAP(X) \
  X(OK, "ok", "done") \
  X(END, "end", "nothing is left to read") \
  X(SHORT, "short", "has {got} bytes where {bound} are needed") \
  X(MAGIC, "magic", "starts with {xgot} instead of {xbound}") \
  X(HEADER_HASH, "header_hash", \
    "is damaged: the stored hash is {xgot}, its bytes give {xbound}") \
  X(UNSUPPORTED, "unsupported", \
    "is {got}, this build knows up to {bound}: left untouched") \
  X(RESERVED, "reserved", "must be zero and is {xgot}") \
  X(LENGTH, "length", "is {got} where {bound} is the rule") \
  X(SEQUENCE, "sequence", "is {got}, out of sequence (bound {bound})") \
  X(PAYLOAD_HASH, "payload_hash", \
    "is damaged: the stored hash ends in {xgot}, its bytes give {xbound}") \
  X(NAME, "name", "is not the name of a segment") \
  X(MISSING, "missing", \
    "starts at {got} but the log before it ends at {bound}: " \
    "a segment is gone") \
  X(MISMATCH, "mismatch", "is {got} where {bound} was expected") \
  X(NO_RANGES, "no_ranges", "has no ranges") \
  X(NO_SHARDS, "no_shards", "needs at least one shard, got {got}") \
  X(TOO_MANY, "too_many", "are {got}, at most {bound} are possible") \
  X(GAP, "gap", \
    "leave the ids {xbound}..{xgot} without a shard") \
  X(OVERLAP, "overlap", \
    "claim the ids {xbound}..{xgot} twice: entries {index} and {other}") \
  X(NOT_FROM_ZERO, "not_from_zero", \
    "start at {xgot}: the ids below it have no shard") \
  X(NOT_TO_LAST, "not_to_last", \
    "end at {xgot}: the ids above it have no shard") \
  X(INVERTED, "inverted", \
    "entry {index} ends at {xgot}, before its first id {xbound}") \
  X(TEXT, "text", "is not written in the one accepted form") \
  X(OUT_OF_RANGE, "out_of_range", "is {got}, beyond {bound}") \
  X(DUPLICATE, "duplicate", "is listed twice: entries {index} and {other}") \
  X(UNKNOWN_LOG, "unknown_log", "is not one of the logs of this state") \
  X(AHEAD, "ahead", \
    "starts at {got}, above the last contiguous number {bound}") \
  X(BACKWARD, "backward", "would go back from {bound} to {got}") \
  X(ROLE, "role", "does not fit the rest of the configuration") \
  X(PEERS, "peers", "do not name the node's own shard {got}") \
  X(NO_ROUTER, "no_router", "is missing: a node with peers needs one") \
  X(IO, "io", "failed") \
  X(NO_MEMORY, "no_memory", "could not get {got} bytes of memory") \
  X(CORRUPT, "corrupt", \
    "is damaged: whole up to event {got}, but the log reached {bound}; " \
    "nothing was changed") \
  X(LOCKED, "locked", "is held by another writer") \
  X(FULL, "full", "found no space: nothing of it was kept") \
  X(POISONED, "poisoned", \
    "failed: what is on disk behind event {got} is unknown until the log " \
    "is opened anew") \
  X(EPOCH, "epoch", \
    "is of epoch {got}, the layout published here is of epoch {bound}") \
  X(LAYOUT, "layout", \
    "is not the one published under its epoch: its hash ends in {xgot}, " \
    "that one's in {xbound}") \
  X(DEAD, "dead", \
    "would no longer count: its epoch is {got}, the layout to be published " \
    "has {bound}") \
  X(MOVED, "moved", \
    "has the id {xgot}, which the layout gives to s{bound}: send it there") \
  X(REGION, "region", \
    "r{got} is none of the {bound} regions of the layout: nothing more is " \
    "written to its logs") \
  X(OCCUPIED, "occupied", \
    "holds the logs of an earlier copy: move it away first")

typedef enum td_status {
#define TD_STATUS_ENUM(name, code, sentence) TD_##name,
  TD_STATUS_MAP(TD_STATUS_ENUM)
#undef TD_STATUS_ENUM
  TD_STATUS_COUNT
} td_status;

#define TD_FILE_NAME_MAX 64u  /* with the closing zero; longer ones are cut */
#define TD_NO_INDEX UINT32_MAX
#define TD_NO_OFFSET UINT64_MAX
#define TD_ERROR_TEXT_MAX 512u

typedef struct td_error {
  td_status status;
  int32_t sys;          /* errno of the failed call, 0 = none */
  const char *subject;  /* what is wrong; static text */
  uint64_t got;         /* the value found ... */
  uint64_t bound;       /* ... and what it should have been, or its limit */
  uint64_t offset;      /* bytes into the file or buffer, or TD_NO_OFFSET */
  uint32_t index;       /* entry of a list from 0, or TD_NO_INDEX */
  uint32_t other;       /* the second entry concerned, or TD_NO_INDEX */
  char file[TD_FILE_NAME_MAX];  /* base name, "" = none */
} td_error;

/* Fills *err (when not NULL) with no offset, entries or file, and returns
 * `status`: `return td_fail(err, TD_SHORT, "header", got, 64);` */
TD_API td_status td_fail(td_error *err, td_status status,
                         const char *subject, uint64_t got, uint64_t bound);

/* Says where: base name of a file (NULL = none) and offset in it. */
TD_API void td_error_at(td_error *err, const char *file, uint64_t offset);

/* The stable lower-case word of a status, e.g. "header_hash". */
TD_API const char *td_status_code(td_status status);

/* Writes "file: code: subject sentence at offset N" as text with a closing
 * zero; cuts it to fit. Returns the length of the whole text, as snprintf
 * does. TD_ERROR_TEXT_MAX bytes hold every message. */
TD_API size_t td_error_format(const td_error *err, char *out, size_t size);

/* A promise of this library itself, checked in every build; never used on
 * bytes or arguments from outside. */
#define td_assert(what) \
  ((what) ? (void)0 : td_panic(__FILE__, __LINE__, #what))

/* Ends the process after naming the broken promise. Defined on the io floor
 * (io/panic_posix.c): the floors below it know no operating system. */
_Noreturn void td_panic(const char *file, int line, const char *what);

#endif
