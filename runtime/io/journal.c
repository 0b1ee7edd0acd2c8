#include "io/journal.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "io/wal_seams.h"

#define HASH_DIGITS 16u
#define LINE_EXTRA (HASH_DIGITS + 2u)  /* a blank, a line feed */

static td_wal_dir dir_of(const td_journal *journal) {
  return (td_wal_dir){.env = journal->env, .dir = journal->dir,
                      .borrowed = true};
}

static td_status fail(td_journal *journal, const char *subject,
                      int64_t result, td_error *err) {
  td_status status = td_wal_fail_io(&journal->failed, subject, result,
                                    journal->name, journal->end);
  if (err) *err = journal->failed;
  return status;
}

/* --- lines ---------------------------------------------------------------- */

/* The hash of a text at its place: `scratch` has room for 8 bytes more. */
static uint64_t hash_at(uint64_t offset, td_span text, uint8_t *scratch) {
  td_put_u64(scratch, offset);
  memcpy(scratch + 8, text.data, text.size);
  return td_hash64((td_span){scratch, 8 + text.size});
}

static bool read_hash(const uint8_t *digits, uint64_t *out) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < HASH_DIGITS; i++) {
    uint8_t c = digits[i];
    bool decimal = c >= '0' && c <= '9';
    if (!decimal && !(c >= 'a' && c <= 'f')) return false;
    value = value << 4 | (uint64_t)(decimal ? c - '0' : c - 'a' + 10);
  }
  *out = value;
  return true;
}

/* The whole line at an offset; false where there is none. */
typedef struct line {
  td_span text;
  size_t end;     /* behind its line feed */
} line;

static bool read_line(td_span bytes, size_t at, uint8_t *scratch, line *out) {
  const uint8_t *start = bytes.data + at, *stop;
  uint64_t hash;
  if (bytes.size - at <= HASH_DIGITS || start[HASH_DIGITS] != ' '
      || !read_hash(start, &hash)) return false;
  stop = memchr(start + HASH_DIGITS, '\n', bytes.size - at - HASH_DIGITS);
  if (!stop) return false;
  size_t size = (size_t)(stop - start) - HASH_DIGITS - 1;
  out->text = (td_span){start + HASH_DIGITS + 1, size};
  out->end = (size_t)(stop - bytes.data) + 1;
  return hash_at(at, out->text, scratch) == hash;
}

/* Anywhere, for what is damaged may be a line feed. */
static bool whole_behind(td_span bytes, size_t at, uint8_t *scratch) {
  line next;
  while (++at < bytes.size) {
    if (read_line(bytes, at, scratch, &next)) return true;
  }
  return false;
}

static td_status fail_line(const td_journal *journal, td_span bytes,
                           uint8_t *scratch, td_error *err) {
  size_t at = (size_t)journal->end;
  const uint8_t *start = bytes.data + at;
  const uint8_t *stop = memchr(start, '\n', bytes.size - at);
  size_t size = stop ? (size_t)(stop - start) : bytes.size - at;
  bool formed = size > HASH_DIGITS && start[HASH_DIGITS] == ' ';
  size_t skip = formed ? HASH_DIGITS + 1 : 0;
  uint64_t stored = 0;
  if (formed) (void)read_hash(start, &stored);
  uint64_t hash = hash_at(at, (td_span){start + skip, size - skip}, scratch);
  td_fail(err, TD_PAYLOAD_HASH, "line of a journal", stored, hash);
  td_error_at(err, journal->name, at);
  return TD_PAYLOAD_HASH;
}

static td_status read_lines(td_journal *journal, td_span bytes,
                            uint8_t *scratch, td_journal_fn *each,
                            void *each_ctx, td_error *err) {
  size_t at = 0;
  bool wanted = true;
  line next;
  while (at < bytes.size && read_line(bytes, at, scratch, &next)) {
    if (wanted && each) wanted = each(each_ctx, next.text);
    at = next.end;
  }
  journal->end = at;
  if (at == bytes.size || !whole_behind(bytes, at, scratch)) return TD_OK;
  return fail_line(journal, bytes, scratch, err);
}

/* --- opening -------------------------------------------------------------- */

static td_status open_file(td_journal *journal, td_journal_mode mode,
                           td_error *err) {
  const td_env *env = &journal->env;
  int result = 0;
  if (mode == TD_JOURNAL_WRITE) {  /* locking would make it */
    td_file *there;
    result = env->store->file_edit(env->store_ctx, journal->dir,
                                   journal->name, &there);
    if (result == 0) env->store->file_close(env->store_ctx, there);
  }
  if (result == 0) {
    result = env->store->dir_lock(env->store_ctx, journal->dir, journal->name,
                                  &journal->file);
  }
  if (result < 0) journal->file = NULL;
  if (result == -TD_SYS_AGAIN) {
    td_fail(err, TD_LOCKED, "journal", 0, 0);
    td_error_at(err, journal->name, TD_NO_OFFSET);
    return TD_LOCKED;
  }
  if (result < 0) return fail(journal, "opening", result, err);
  result = env->store->dir_sync(env->store_ctx, journal->dir);
  if (result == 0) return TD_OK;
  return fail(journal, "syncing the directory", result, err);
}

/* What was read may be in the page cache only: it is made sure before anybody
 * acts on it. */
static td_status cut_tail(td_journal *journal, td_error *err) {
  const td_env *env = &journal->env;
  int result = env->store->file_truncate(env->store_ctx, journal->file,
                                         journal->end);
  if (result == 0) result = td_wal_sync_file(env, journal->file, true);
  if (result == 0) return TD_OK;
  return fail(journal, "cutting a torn line", result, err);
}

static td_status load(td_journal *journal, td_journal_fn *each,
                      void *each_ctx, td_error *err) {
  const td_alloc *alloc = &journal->env.alloc;
  td_wal_dir dir = dir_of(journal);
  td_wal_file file;
  td_status status = td_wal_file_read(&dir, journal->name,
                                      TD_JOURNAL_BYTES_MAX, &file, err);
  if (status != TD_OK) return status;
  size_t size = file.size + 8;
  uint8_t *scratch = td_alloc_resize(alloc, NULL, 0, size);
  if (scratch) {
    status = read_lines(journal, (td_span){file.data, file.size}, scratch,
                        each, each_ctx, err);
  } else {
    status = td_fail(err, TD_NO_MEMORY, "journal", size, 0);
  }
  td_alloc_free(alloc, scratch, size);
  td_wal_file_free(&dir, &file);
  return status;
}

static td_journal named(const td_env *env, td_dir *dir, const char *name) {
  td_journal journal = {.env = *env, .dir = dir};
  td_text text = td_text_init(journal.name, sizeof journal.name);
  td_text_string(&text, name);
  return journal;
}

td_status td_journal_read(const td_env *env, td_dir *dir, const char *name,
                          td_journal_fn *each, void *each_ctx,
                          td_error *err) {
  td_journal journal = named(env, dir, name);
  return load(&journal, each, each_ctx, err);
}

td_status td_journal_open(td_journal *journal, const td_env *env,
                          const char *path, const char *name,
                          td_journal_mode mode, td_journal_fn *each,
                          void *each_ctx, td_error *err) {
  *journal = named(env, NULL, name);
  int result = env->store->dir_open(env->store_ctx, path, &journal->dir);
  if (result < 0) {
    journal->dir = NULL;
    return fail(journal, "opening the directory", result, err);
  }
  td_status status = TD_OK;
  if (mode != TD_JOURNAL_READ) status = open_file(journal, mode, err);
  if (status == TD_OK) status = load(journal, each, each_ctx, err);
  if (status == TD_OK && journal->file) status = cut_tail(journal, err);
  if (status != TD_OK) td_journal_close(journal);
  return status;
}

void td_journal_close(td_journal *journal) {
  const td_env *env = &journal->env;
  if (journal->file) env->store->file_close(env->store_ctx, journal->file);
  if (journal->dir) env->store->dir_close(env->store_ctx, journal->dir);
  journal->file = NULL;
  journal->dir = NULL;
}

/* --- writing -------------------------------------------------------------- */

/* No space: what got there of the line goes again. */
static td_status cut_back(td_journal *journal, int32_t why, td_error *err) {
  if (cut_tail(journal, err) != TD_OK) return TD_IO;
  td_fail(err, TD_FULL, "journal", 0, 0);
  td_error_at(err, journal->name, journal->end);
  if (err) err->sys = -why;
  return TD_FULL;
}

static td_status write_line(td_journal *journal, td_span bytes,
                            td_error *err) {
  const td_env *env = &journal->env;
  uint64_t written;
  int32_t result = td_wal_write_all(env, journal->file, bytes, journal->end,
                                    &written);
  if (td_wal_is_full(result)) return cut_back(journal, result, err);
  if (result == 0) result = td_wal_sync_file(env, journal->file, false);
  if (result < 0) return fail(journal, "writing", result, err);
  journal->end += bytes.size;
  return TD_OK;
}

static td_status check_text(const td_journal *journal, td_span text,
                            td_error *err) {
  td_assert(journal->file);
  if (journal->failed.status != TD_OK) {
    if (err) *err = journal->failed;
    return journal->failed.status;
  }
  if (text.size > TD_JOURNAL_LINE_MAX) {
    return td_fail(err, TD_LENGTH, "line of a journal", text.size,
                   TD_JOURNAL_LINE_MAX);
  }
  if (journal->end + text.size + LINE_EXTRA > TD_JOURNAL_BYTES_MAX) {
    return td_fail(err, TD_LENGTH, "journal", journal->end + text.size,
                   TD_JOURNAL_BYTES_MAX);
  }
  if (text.size == 0 || !memchr(text.data, '\n', text.size)) return TD_OK;
  return td_fail(err, TD_TEXT, "line of a journal", 0, 0);
}

static void put_line(uint8_t *out, uint64_t hash, td_span text) {
  static const char digits[] = "0123456789abcdef";
  for (uint32_t i = 0; i < HASH_DIGITS; i++) {
    out[i] = (uint8_t)digits[hash >> (60 - 4 * i) & 15];
  }
  out[HASH_DIGITS] = ' ';
  memcpy(out + HASH_DIGITS + 1, text.data, text.size);
  out[HASH_DIGITS + 1 + text.size] = '\n';
}

td_status td_journal_append(td_journal *journal, td_span text,
                            td_error *err) {
  const td_alloc *alloc = &journal->env.alloc;
  size_t size = text.size + LINE_EXTRA;
  td_status status = check_text(journal, text, err);
  if (status != TD_OK) return status;
  uint8_t *bytes = td_alloc_resize(alloc, NULL, 0, size);
  if (!bytes) return td_fail(err, TD_NO_MEMORY, "line", size, 0);
  put_line(bytes, hash_at(journal->end, text, bytes), text);
  status = write_line(journal, (td_span){bytes, size}, err);
  td_alloc_free(alloc, bytes, size);
  return status;
}

/* --- names ---------------------------------------------------------------- */

size_t td_journal_name(uint32_t epoch, char out[TD_JOURNAL_NAME_MAX]) {
  td_text text = td_text_init(out, TD_JOURNAL_NAME_MAX);
  td_text_string(&text, "migration-");
  td_text_padded(&text, epoch, 10);
  td_text_string(&text, ".journal");
  td_assert(text.size < TD_JOURNAL_NAME_MAX);
  return text.size;
}

bool td_journal_name_parse(const char *name, uint32_t *epoch) {
  char canonical[TD_JOURNAL_NAME_MAX];
  uint64_t number;
  if (strlen(name) != TD_JOURNAL_NAME_MAX - 1) return false;
  if (!td_text_read_decimal(name + strlen("migration-"), 10, UINT32_MAX,
                            false, &number)) return false;
  td_journal_name((uint32_t)number, canonical);
  if (strcmp(name, canonical) != 0) return false;
  *epoch = (uint32_t)number;
  return true;
}
