#include "io/wal_follow.h"

#include <string.h>

#include "io/wal_step.h"

#define LOOKS_MAX 3u  /* at a directory whose segments go while one looks */

static td_status fail_at(td_error *err, const char *subject, int result,
                         td_segname segment) {
  char name[TD_SEGNAME_TEXT_MAX];
  td_fail(err, TD_IO, subject, 0, 0);
  err->sys = -result;
  td_segname_format(segment, name);
  td_error_at(err, name, 0);
  return TD_IO;
}

static td_segname name_of(const td_wal_follow *follow, uint64_t first_seq) {
  return (td_segname){follow->segment.name.shard, {first_seq}};
}

/* TD_END: there is no such segment. */
static td_status open_segment(const td_wal_follow *follow, uint64_t first_seq,
                              td_file **out, td_error *err) {
  const td_env *env = &follow->dir.env;
  char text[TD_SEGNAME_TEXT_MAX];
  td_segname name = name_of(follow, first_seq);
  td_segname_format(name, text);
  int result = env->store->file_open(env->store_ctx, follow->dir.dir, text,
                                     out);
  if (result == 0) return TD_OK;
  if (result == -TD_SYS_NOENT) return TD_END;
  return fail_at(err, "opening", result, name);
}

/* To the beginning of a segment. */
static void start(td_wal_follow *follow, uint64_t first_seq, td_file *file) {
  follow->segment.name = name_of(follow, first_seq);
  follow->found = true;
  follow->cursor.last_seq.value = first_seq - 1;
  td_wal_cursor_seek(&follow->cursor, file, 0);
}

/* --- the directory ------------------------------------------------------ */

/* The log's segments around a number; 0 = none. */
typedef struct around {
  td_shard_id shard;
  uint64_t wanted;
  uint64_t holds;  /* starts last of those at or below it */
  uint64_t above;  /* starts first of those behind it */
} around;

static int look_at(void *ctx, const char *text) {
  around *seen = ctx;
  td_segname name;
  if (td_segname_parse(text, strlen(text), &name, NULL) != TD_OK
      || !td_shard_id_eq(name.shard, seen->shard)) return 1;
  uint64_t first = name.first_seq.value;
  if (first > seen->wanted) {
    if (seen->above == 0 || first < seen->above) seen->above = first;
  } else if (first > seen->holds) {
    seen->holds = first;
  }
  return 1;
}

static td_status look_around(const td_wal_follow *follow, uint64_t wanted,
                             around *out, td_error *err) {
  const td_env *env = &follow->dir.env;
  *out = (around){.shard = follow->segment.name.shard, .wanted = wanted};
  int result = env->store->dir_list(env->store_ctx, follow->dir.dir, look_at,
                                    out);
  if (result == 0) return TD_OK;
  td_fail(err, TD_IO, "listing the directory", 0, 0);
  err->sys = -result;
  return TD_IO;
}

/* No file has the number behind last_seq, though it is durable. `read` is the
 * segment that was read to its end, 0 = none. */
static td_status lost(const td_wal_follow *follow, uint64_t read,
                      td_seqno durable, td_error *err) {
  around seen;
  char name[TD_SEGNAME_TEXT_MAX];
  uint64_t last = follow->cursor.last_seq.value;
  td_status status = look_around(follow, last + 1, &seen, err);
  if (status != TD_OK) return status;
  if (seen.holds > read) {
    return fail_at(err, "opening", -TD_SYS_NOENT,
                   name_of(follow, seen.holds));
  }
  if (seen.above > 0) {
    td_fail(err, TD_MISSING, "segment", seen.above, last);
    td_segname_format(name_of(follow, seen.above), name);
    td_error_at(err, name, 0);
    return TD_MISSING;
  }
  if (!follow->found) {
    uint64_t most = durable.value;
    return td_fail(err, TD_MISSING, "log", most + (most < UINT64_MAX), last);
  }
  td_fail(err, TD_CORRUPT, "the end of the log", last, durable.value);
  td_segname_format(follow->segment.name, name);
  td_error_at(err, name, follow->cursor.offset);
  return TD_CORRUPT;
}

/* --- from file to file -------------------------------------------------- */

/* To the segment that holds `from`, or to the first; TD_END: no log yet. */
static td_status find(td_wal_follow *follow, td_seqno durable,
                      td_error *err) {
  for (uint32_t look = 1;; look++) {
    around seen;
    td_file *file;
    td_status status = look_around(follow, follow->from.value, &seen, err);
    if (status != TD_OK) return status;
    bool any = follow->from.value == 0;
    uint64_t first = any ? seen.above : seen.holds;
    if (first == 0) return any ? TD_END : lost(follow, 0, durable, err);
    status = open_segment(follow, first, &file, err);
    if (status == TD_OK) start(follow, first, file);
    if (status != TD_END) return status;
    if (look == LOOKS_MAX) {
      return fail_at(err, "opening", -TD_SYS_NOENT, name_of(follow, first));
    }
  }
}

/* To the segment behind this one. TD_END: there is none. */
static td_status advance(td_wal_follow *follow, td_error *err) {
  td_file *file;
  uint64_t next = follow->cursor.last_seq.value + 1;
  /* A segment without a batch is not followed by itself. */
  if (next == follow->segment.name.first_seq.value) return TD_END;
  td_status status = open_segment(follow, next, &file, err);
  if (status == TD_OK) start(follow, next, file);
  return status;
}

/* The file of the place where reading goes on. */
static td_status enter(td_wal_follow *follow, td_seqno durable,
                       td_error *err) {
  td_wal_cursor *cursor = &follow->cursor;
  td_file *file;
  if (!follow->found) return find(follow, durable, err);
  uint64_t first = follow->segment.name.first_seq.value;
  td_status status = open_segment(follow, first, &file, err);
  if (status == TD_OK) td_wal_cursor_seek(cursor, file, cursor->offset);
  if (status == TD_END) {
    status = advance(follow, err);
    if (status == TD_END) status = lost(follow, first - 1, durable, err);
  }
  return status;
}

/* --- batches ------------------------------------------------------------ */

static bool nothing_more(const td_wal_follow *follow, td_seqno durable) {
  return td_seqno_cmp(follow->cursor.last_seq, durable) >= 0
      || td_seqno_cmp(follow->from, durable) > 0;
}

/* The next batch of the file that is open, or of the one behind it. What was
 * read ahead is forgotten where it may be older than `durable`. */
static td_status step(td_wal_follow *follow, td_seqno durable,
                      td_wal_batch *out, td_error *err) {
  td_wal_cursor *cursor = &follow->cursor;
  if (td_seqno_cmp(cursor->last_seq, follow->trusted) >= 0) {
    td_wal_cursor_seek(cursor, cursor->file, cursor->offset);
    follow->trusted = durable;
  }
  uint64_t offset = cursor->offset;
  td_status status = td_wal_cursor_step(cursor, durable, out, err);
  if (status == TD_OK || status == TD_AHEAD) return status;
  cursor->offset = offset;
  return status;
}

static td_status next_batch(td_wal_follow *follow, td_seqno durable,
                            td_wal_batch *out, td_error *err) {
  td_wal_cursor *cursor = &follow->cursor;
  bool fresh = false;  /* opened by its name in this call */
  while (!nothing_more(follow, durable)) {
    td_wal_batch batch;
    if (!cursor->file) {
      td_status entered = enter(follow, durable, err);
      if (entered != TD_OK) return entered;
      fresh = true;
      continue;
    }
    td_status status = step(follow, durable, &batch, err);
    if (status == TD_AHEAD && fresh) return TD_END;
    if (status == TD_OK) {
      if (td_seqno_cmp(cursor->last_seq, follow->from) < 0) continue;
      *out = batch;
      return TD_OK;
    }
    if (status == TD_END) {
      status = advance(follow, err);
      if (status == TD_OK) {
        fresh = true;
        continue;
      }
    }
    td_wal_cursor_seek(cursor, NULL, cursor->offset);
    if (status == TD_IO || status == TD_NO_MEMORY) return status;
    if (!fresh) continue;
    if (status != TD_END) return status;
    return lost(follow, follow->segment.name.first_seq.value, durable, err);
  }
  return TD_END;
}

td_status td_wal_follow_next(td_wal_follow *follow, td_seqno durable,
                             td_wal_batch *out, td_error *err) {
  td_error failed;
  td_status status = next_batch(follow, durable, out, &failed);
  if (status == TD_END) return td_fail(err, TD_END, NULL, 0, 0);
  if (status != TD_OK && err) *err = failed;
  return status;
}

td_segname td_wal_follow_segment(const td_wal_follow *follow) {
  return follow->segment.name;
}

/* --- life --------------------------------------------------------------- */

/* Everything but the directory. */
static td_status begin(td_wal_follow *follow, td_log_id log, td_seqno from,
                       td_error *err) {
  td_wal_dir *dir = &follow->dir;
  follow->segment.name.shard = log.shard;
  follow->from = from;
  td_status status = td_wal_cursor_open(&follow->cursor, dir, log.shard,
                                        from, err);
  if (status != TD_OK) {
    td_wal_dir_close(dir);
    return status;
  }
  dir->segments = &follow->segment;
  dir->segment_count = 1;
  follow->cursor.region = log.region;
  follow->cursor.region_known = true;
  if (from.value > 0) follow->cursor.last_seq.value = from.value - 1;
  return TD_OK;
}

td_status td_wal_follow_open(td_wal_follow *follow, const td_env *env,
                             const char *path, td_log_id log, td_seqno from,
                             td_error *err) {
  *follow = (td_wal_follow){.found = false};
  td_status status = td_wal_dir_attach(&follow->dir, env, path, err);
  return status == TD_OK ? begin(follow, log, from, err) : status;
}

td_status td_wal_follow_open_in(td_wal_follow *follow, const td_env *env,
                                td_dir *open_dir, td_log_id log,
                                td_seqno from, td_error *err) {
  *follow = (td_wal_follow){
    .dir = {.env = *env, .dir = open_dir, .borrowed = true},
  };
  return begin(follow, log, from, err);
}

void td_wal_follow_close(td_wal_follow *follow) {
  td_wal_dir *dir = &follow->dir;
  if (!dir->dir) return;
  td_wal_cursor_close(&follow->cursor);
  dir->segments = NULL;
  td_wal_dir_close(dir);
}
