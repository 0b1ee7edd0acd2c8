/* One log, batch by batch, through one buffer of unread bytes: whatever fails
 * is kept in cursor->failed with its place, and said again. */
#include <string.h>

#include "format/segment.h"
#include "io/wal_step.h"

#define AHEAD_BYTES 16384u  /* the first read; twice as much each time */

static td_span unread(const td_wal_cursor *cursor) {
  return (td_span){cursor->buffer + cursor->start,
                   cursor->end - cursor->start};
}

static void consume(td_wal_cursor *cursor, size_t size) {
  cursor->start += size;
  cursor->offset += size;
}

/* Unread bytes to the front of the buffer. */
static void compact(td_wal_cursor *cursor) {
  size_t size = cursor->end - cursor->start;
  if (cursor->start == 0) return;
  memmove(cursor->buffer, cursor->buffer + cursor->start, size);
  cursor->start = 0;
  cursor->end = size;
}

static td_status fail_io(td_error *err, const char *subject, int64_t result,
                         uint64_t offset) {
  td_fail(err, TD_IO, subject, 0, 0);
  err->sys = (int32_t)-result;
  err->offset = offset;
  return TD_IO;
}

/* Room for `want` bytes: grows the buffer for a large batch, shrinks it again
 * behind the last one. A refused shrink costs nothing but memory. */
static td_status fit(td_wal_cursor *cursor, size_t want, td_error *err) {
  bool large = want > TD_WAL_BUFFER_BYTES;
  size_t room = large ? want : TD_WAL_BUFFER_BYTES;
  if (room == cursor->room || (large && room < cursor->room)) return TD_OK;
  compact(cursor);
  td_assert(cursor->end <= room);
  void *buffer = td_alloc_resize(&cursor->dir->env.alloc, cursor->buffer,
                                 cursor->room, room);
  if (buffer) {
    cursor->buffer = buffer;
    cursor->room = room;
    return TD_OK;
  }
  if (!large) return TD_OK;
  return td_fail(err, TD_NO_MEMORY, "read buffer", room, 0);
}

/* At least `want` unread bytes, fewer only at the end of the file. Never
 * holds more than a small buffer can, unless `want` is more: fit counts on
 * it. */
static td_status fill(td_wal_cursor *cursor, size_t want, td_error *err) {
  const td_env *env = &cursor->dir->env;
  size_t hold = want > cursor->ahead ? want : cursor->ahead;
  if (cursor->end - cursor->start >= want) return TD_OK;
  compact(cursor);
  if (cursor->ahead < TD_WAL_BUFFER_BYTES) cursor->ahead *= 2;
  while (cursor->end < want) {
    uint64_t at = cursor->offset + cursor->end;
    size_t size = hold - cursor->end;
    int64_t result = env->store->file_read(env->store_ctx, cursor->file,
                                           cursor->buffer + cursor->end, size,
                                           at);
    if (result < 0) return fail_io(err, "reading", result, at);
    if (result == 0) return TD_OK;
    td_assert((uint64_t)result <= size);
    cursor->end += (size_t)result;
  }
  return TD_OK;
}

static const td_wal_segment *segment_of(const td_wal_cursor *cursor) {
  return &cursor->dir->segments[cursor->segment];
}

/* last_seq 2^64-1 is followed by nothing, and no first_seq is 0. */
static bool follows(td_seqno last_seq, td_seqno first_seq) {
  return first_seq.value - 1 == last_seq.value;
}

void td_wal_cursor_seek(td_wal_cursor *cursor, td_file *file,
                        uint64_t offset) {
  const td_env *env = &cursor->dir->env;
  if (cursor->file && cursor->file != file) {
    env->store->file_close(env->store_ctx, cursor->file);
  }
  cursor->file = file;
  cursor->start = cursor->end = 0;
  cursor->offset = offset;
  cursor->ahead = AHEAD_BYTES;
}

/* The next segment, if none is open. Its name must continue the log. */
static td_status enter(td_wal_cursor *cursor, td_error *err) {
  const td_env *env = &cursor->dir->env;
  if (cursor->file) return TD_OK;
  if (cursor->segment == cursor->segment_end) {
    return td_fail(err, TD_END, NULL, 0, 0);
  }
  td_wal_cursor_seek(cursor, NULL, 0);
  td_segname name = segment_of(cursor)->name;
  if (!follows(cursor->last_seq, name.first_seq)) {
    bool gap = td_seqno_cmp(name.first_seq, cursor->last_seq) > 0;
    return td_fail(err, gap ? TD_MISSING : TD_SEQUENCE,
                   gap ? "segment" : "first_seq", name.first_seq.value,
                   cursor->last_seq.value);
  }
  char text[TD_SEGNAME_TEXT_MAX];
  td_segname_format(name, text);
  td_file *file;
  int result = env->store->file_open(env->store_ctx, cursor->dir->dir, text,
                                     &file);
  if (result < 0) return fail_io(err, "opening", result, 0);
  td_wal_cursor_seek(cursor, file, 0);
  return TD_OK;
}

/* The file is read to its end, at cursor->offset. */
static td_status end_segment(const td_wal_cursor *cursor, td_error *err) {
  uint64_t listed = segment_of(cursor)->size;
  if (cursor->offset >= listed) return TD_END;
  td_fail(err, TD_SHORT, "segment", cursor->offset, listed);
  return TD_SHORT;
}

/* Behind the last batch: zeros to the end of the file, or damage here. */
static td_status read_tail(td_wal_cursor *cursor, td_error *err) {
  td_batch none;
  td_error damage;
  uint64_t at = cursor->offset;
  td_status status = td_batch_decode(unread(cursor), &none, &damage);
  td_assert(status != TD_OK);
  damage.offset = at;
  while (td_segment_only_zeros(unread(cursor))) {
    consume(cursor, cursor->end - cursor->start);
    td_status filled = fill(cursor, 1, err);
    if (filled != TD_OK) return filled;
    if (cursor->start == cursor->end) return end_segment(cursor, err);
  }
  *err = damage;
  return status;
}

/* Of a batch that is whole: does it belong here? */
static td_status check_place(const td_wal_cursor *cursor,
                             const td_batch *head, td_error *err) {
  td_segname name = segment_of(cursor)->name;
  if (!td_shard_id_eq(head->shard, name.shard)) {
    return td_fail(err, TD_MISMATCH, "shard id", head->shard.value,
                   name.shard.value);
  }
  if (cursor->region_known && !td_region_id_eq(head->region, cursor->region)) {
    return td_fail(err, TD_MISMATCH, "region id", head->region.value,
                   cursor->region.value);
  }
  if (follows(cursor->last_seq, head->first_seq)) return TD_OK;
  if (cursor->offset == 0) {
    return td_fail(err, TD_MISMATCH, "first_seq", head->first_seq.value,
                   name.first_seq.value);
  }
  return td_fail(err, TD_SEQUENCE, "first_seq", head->first_seq.value,
                 cursor->last_seq.value);
}

/* The batch at cursor->offset; TD_END behind the segment's last. */
static td_status read_batch(td_wal_cursor *cursor, td_seqno upto,
                            td_wal_batch *out, td_error *err) {
  td_batch head;
  td_status status = fill(cursor, TD_BATCH_HEADER_BYTES, err);
  if (status != TD_OK) return status;
  if (cursor->start == cursor->end) return end_segment(cursor, err);
  if (cursor->buffer[cursor->start] == 0) return read_tail(cursor, err);
  status = td_batch_decode(unread(cursor), &head, err);
  if (status != TD_OK) return status;
  if (td_seqno_cmp(td_batch_last_seq(&head), upto) > 0) {
    status = check_place(cursor, &head, err);
    return status == TD_OK ? TD_AHEAD : status;
  }
  size_t size = td_batch_size(&head);
  status = fit(cursor, size, err);
  if (status == TD_OK) status = fill(cursor, size, err);
  if (status != TD_OK) return status;
  td_span payload = unread(cursor);
  payload.data += TD_BATCH_HEADER_BYTES;
  payload.size -= TD_BATCH_HEADER_BYTES;
  status = td_batch_verify(&head, payload, err);
  if (status == TD_OK) status = check_place(cursor, &head, err);
  if (status != TD_OK) return status;
  payload.size = head.payload_len;
  *out = (td_wal_batch){head, payload, cursor->offset, cursor->segment};
  cursor->region = head.region;
  cursor->region_known = true;
  cursor->last_seq = td_batch_last_seq(&head);
  consume(cursor, size);
  return TD_OK;
}

static void say_where(const td_wal_cursor *cursor, td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  bool placed = err->offset != TD_NO_OFFSET;
  td_segname_format(segment_of(cursor)->name, name);
  td_error_at(err, name, placed ? err->offset : cursor->offset);
}

td_status td_wal_cursor_step(td_wal_cursor *cursor, td_seqno upto,
                             td_wal_batch *out, td_error *err) {
  td_error failed;
  td_status status = read_batch(cursor, upto, out, &failed);
  if (status == TD_OK || status == TD_END || status == TD_AHEAD) return status;
  say_where(cursor, &failed);
  if (err) *err = failed;
  return status;
}

static td_status next_batch(td_wal_cursor *cursor, td_wal_batch *out,
                            td_error *err) {
  for (;;) {
    td_status status = enter(cursor, err);
    if (status != TD_OK) {
      if (status != TD_END) say_where(cursor, err);
      return status;
    }
    td_wal_batch batch;
    status = td_wal_cursor_step(cursor, (td_seqno){UINT64_MAX}, &batch, err);
    if (status == TD_END) {
      td_wal_cursor_seek(cursor, NULL, cursor->offset);
      cursor->segment++;
    } else if (status != TD_OK) {
      return status;
    } else if (td_seqno_cmp(cursor->last_seq, cursor->from) >= 0) {
      *out = batch;
      return TD_OK;
    }
  }
}

td_status td_wal_cursor_next(td_wal_cursor *cursor, td_wal_batch *out,
                             td_error *err) {
  td_error *failed = &cursor->failed;
  if (failed->status == TD_OK) {
    if (next_batch(cursor, out, failed) == TD_OK) return TD_OK;
  }
  if (err) *err = *failed;
  return failed->status;
}

td_status td_wal_cursor_open(td_wal_cursor *cursor, const td_wal_dir *dir,
                             td_shard_id shard, td_seqno from,
                             td_error *err) {
  uint32_t at;
  uint32_t count = td_wal_dir_log(dir, shard, &at);
  uint32_t end = at + count;
  *cursor = (td_wal_cursor){.dir = dir, .from = from, .segment_end = end};
  cursor->buffer = td_alloc_resize(&dir->env.alloc, NULL, 0,
                                   TD_WAL_BUFFER_BYTES);
  if (!cursor->buffer) {
    return td_fail(err, TD_NO_MEMORY, "read buffer", TD_WAL_BUFFER_BYTES, 0);
  }
  cursor->room = TD_WAL_BUFFER_BYTES;
  const td_wal_segment *segments = dir->segments;
  while (at + 1 < end
         && td_seqno_cmp(segments[at + 1].name.first_seq, from) <= 0) {
    at++;
  }
  cursor->segment = at;
  if (count > 0) {
    uint64_t first = segments[at].name.first_seq.value;
    bool gone = from.value > 1 && from.value < first;
    cursor->last_seq.value = (gone ? from.value : first) - 1;
  }
  return TD_OK;
}

void td_wal_cursor_close(td_wal_cursor *cursor) {
  if (!cursor->dir) return;
  td_wal_cursor_seek(cursor, NULL, 0);
  td_alloc_free(&cursor->dir->env.alloc, cursor->buffer, cursor->room);
  *cursor = (td_wal_cursor){.failed = {.status = TD_END}};
}
