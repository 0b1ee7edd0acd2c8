/* Segments that nobody needs any more go: to nothing, or to retired/. */
#include <string.h>

#include "io/journal.h"
#include "io/wal_seams.h"

/* --- a migration may need them -------------------------------------------- */

typedef struct search {
  uint32_t above, least;  /* the least epoch of a journal above that one */
} search;

static int note_journal(void *ctx, const char *name) {
  search *in = ctx;
  uint32_t epoch;
  if (td_journal_name_parse(name, &epoch) && epoch > in->above
      && (in->least == 0 || epoch < in->least)) in->least = epoch;
  return 1;
}

typedef struct state {
  bool begun, aborted;
} state;

/* As lua/tidal/migrate/record.lua writes it. */
static bool note_line(void *ctx, td_span text) {
  static const char aborted[] = "{\"step\":\"aborted\"}";
  state *seen = ctx;
  seen->begun = true;
  seen->aborted = text.size == sizeof aborted - 1
               && memcmp(text.data, aborted, text.size) == 0;
  return true;
}

static td_status find_journal(const td_wal_home *home, search *in,
                              td_error *err) {
  const td_env *env = &home->env;
  in->least = 0;
  int result = env->store->dir_list(env->store_ctx, home->dir, note_journal,
                                    in);
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "listing the directory", result, NULL, 0);
}

/* A next layout is prepared, or a migration to one was begun here and can go
 * on: its journal is there, and does not say that it was given up. */
static td_status is_moving(const td_wal_home *home, bool *moving,
                           td_error *err) {
  search in = {.above = home->published};
  *moving = home->next != 0;
  td_status status = TD_OK;
  while (!*moving && status == TD_OK) {
    char name[TD_JOURNAL_NAME_MAX];
    state seen = {.begun = false};
    status = find_journal(home, &in, err);
    if (status != TD_OK || in.least == 0) break;
    td_journal_name(in.least, name);
    status = td_journal_read(&home->env, home->dir, name, note_line, &seen,
                             err);
    *moving = seen.begun && !seen.aborted;
    in.above = in.least;
  }
  return status;
}

/* --- going ---------------------------------------------------------------- */

/* One at a time, each durable before the next: so a crash never leaves a gap
 * that looks like a lost segment. */
static td_status remove_segment(td_wal_log *log, td_segname segment,
                                td_dir *retired, td_error *err) {
  const td_env *env = &log->home->env;
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname_format(segment, name);
  int result = retired
    ? env->store->dir_rename(env->store_ctx, log->home->dir, name, retired,
                             name)
    : env->store->dir_unlink(env->store_ctx, log->home->dir, name);
  if (result == 0 && retired) {
    result = env->store->dir_sync(env->store_ctx, retired);
  }
  if (result < 0) return td_wal_fail_io(err, "removing", result, name, 0);
  result = env->store->dir_sync(env->store_ctx, log->home->dir);
  if (result == 0) return TD_OK;
  return td_wal_poison(log, "syncing the directory", result, err);
}

static td_status truncate_to(td_wal_log *log, const td_wal_dir *dir,
                             td_seqno line, td_dir *retired,
                             uint32_t *removed, td_error *err) {
  uint32_t first;
  uint32_t count = td_wal_dir_log(dir, log->options.log.shard, &first);
  const td_wal_segment *list = dir->segments + first;
  for (uint32_t i = 0; i + 1 < count; i++) {
    uint64_t last = list[i + 1].name.first_seq.value - 1;
    if (last > line.value) break;
    td_status status = remove_segment(log, list[i].name, retired, err);
    if (status != TD_OK) return status;
    (*removed)++;
  }
  return TD_OK;
}

static td_status truncate(td_wal_log *log, td_seqno line, td_dir *retired,
                          uint32_t *removed, td_error *err) {
  td_wal_dir dir;
  if (log->state == TD_WAL_POISONED) {
    if (err) *err = log->failed;
    return log->failed.status;
  }
  bool waits;
  td_status status = is_moving(log->home, &waits, err);
  if (status != TD_OK || waits) return status;
  if (td_seqno_cmp(log->older_seqno, line) < 0) line = log->older_seqno;
  status = td_wal_dir_list(&dir, &log->home->env, log->home->dir,
                                     err);
  if (status != TD_OK) return status;
  status = truncate_to(log, &dir, line, retired, removed, err);
  td_wal_dir_close(&dir);
  return status;
}

td_status td_wal_log_truncate(td_wal_log *log, td_seqno keep_after,
                              uint32_t *removed, td_error *err) {
  uint32_t none = 0;
  if (!removed) removed = &none;
  *removed = 0;
  td_wal_enter(log);
  td_status status = truncate(log, keep_after, NULL, removed, err);
  td_wal_leave(log);
  return status;
}

td_status td_wal_log_retire(td_wal_log *log, td_seqno upto,
                            uint32_t *retired, td_error *err) {
  const td_env *env = &log->home->env;
  uint32_t none = 0;
  td_dir *below;
  if (!retired) retired = &none;
  *retired = 0;
  int result = env->store->dir_make(env->store_ctx, log->home->dir, "retired",
                                    &below);
  if (result < 0) {
    return td_wal_fail_io(err, "making retired/", result, NULL, 0);
  }
  td_wal_enter(log);
  td_status status = truncate(log, upto, below, retired, err);
  td_wal_leave(log);
  env->store->dir_close(env->store_ctx, below);
  return status;
}
