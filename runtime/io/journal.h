/* A journal: what somebody is about to do, line by line, each on disk before
 * it is done.
 *
 *   a1b2c3d4e5f60718 {"step":"begin", ...}
 *
 * 16 hex digits: XXH3-64 over the line's offset in the file, 8 bytes, little
 * endian, and the text; so each line is known to be whole and in its place.
 * No line is changed or removed, but for a last one that a crash tore: it was
 * never answered for, and goes. A damaged one with a whole one behind it is
 * refused.
 *
 * One writes at a time, whatever process it is in: who opens it to write has
 * it alone, but for readers, who see whole lines.
 *
 * Damage to the last line looks like a torn one. Who reads a journal must be
 * right when the last line is missing.
 *
 * Memory: the file's size while it is opened.
 *
 * Thread: owner. */
#ifndef TD_IO_JOURNAL_H
#define TD_IO_JOURNAL_H

#include "io/wal_file.h"

#define TD_JOURNAL_BYTES_MAX 268435456u
#define TD_JOURNAL_LINE_MAX 16777216u
#define TD_JOURNAL_NAME_MAX 29u  /* migration-0000000002.journal and zero */

typedef struct td_journal {  /* private */
  td_env env;
  td_dir *dir;
  td_file *file;   /* NULL = read only */
  uint64_t end;    /* behind its last whole line */
  td_error failed; /* sticky; TD_OK = none */
  char name[TD_FILE_NAME_MAX];
} td_journal;

/* Called for each line in order, with its text; false ends. */
typedef bool td_journal_fn(void *ctx, td_span text);

typedef enum td_journal_mode {
  TD_JOURNAL_READ,    /* changes nothing; a torn last line is passed over */
  TD_JOURNAL_WRITE,   /* it is there; a torn last line is cut off, durably */
  TD_JOURNAL_CREATE,  /* the same, and made when it is not there */
} td_journal_mode;

/* `name` has no '/'. Statuses: TD_OK; TD_IO (also: not there), TD_NO_MEMORY,
 * TD_LOCKED (open to write elsewhere), TD_LENGTH (larger than
 * TD_JOURNAL_BYTES_MAX), TD_PAYLOAD_HASH (with offset: a damaged line before
 * whole ones). After anything but TD_OK there is nothing to close. */
TD_API td_status td_journal_open(td_journal *journal, const td_env *env,
                                 const char *path, const char *name,
                                 td_journal_mode mode, td_journal_fn *each,
                                 void *each_ctx, td_error *err);
/* The lines of one in a directory that is open, as TD_JOURNAL_READ. */
TD_API td_status td_journal_read(const td_env *env, td_dir *dir,
                                 const char *name, td_journal_fn *each,
                                 void *each_ctx, td_error *err);
/* One line, on disk when this returns TD_OK. The text has no line feed.
 * Statuses: TD_OK; TD_LENGTH (above TD_JOURNAL_LINE_MAX, or the journal would
 * be), TD_TEXT (a line feed), TD_NO_MEMORY, TD_FULL: nothing of it is there;
 * TD_IO: unknown, and every later call says so. */
TD_API td_status td_journal_append(td_journal *journal, td_span text,
                                   td_error *err);
/* Idempotent. */
TD_API void td_journal_close(td_journal *journal);

/* The name of the journal of a migration to that epoch, with a closing zero.
 * Returns the length. */
TD_API size_t td_journal_name(uint32_t epoch, char out[TD_JOURNAL_NAME_MAX]);
/* True for a name in exactly that form. */
TD_API bool td_journal_name_parse(const char *name, uint32_t *epoch);

#endif
