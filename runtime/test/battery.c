#include "test/battery.h"

#include <stdlib.h>
#include <string.h>

#include "format/cuts.h"
#include "format/segment.h"
#include "test/layout_text.h"
#include "test/test.h"
#include "test/verify_run.h"

#define LARGE_BYTES 65536u
#define SMALL_BYTES 1500u
#define AHEAD_BYTES 512u
#define LARGE_EVENTS 40u
#define LAST_EVENTS 3u   /* of the last batch: few bits to be flipped */
#define ZEROS_BYTES 100u

/* --- how it is made ------------------------------------------------------ */

static void append(scene *work, uint32_t events) {
  CHECK(scene_append(work, events) == TD_OK);
}

/* Opening wrote one slot; this is the other. */
static void mark(battery *at) {
  scene *work = &at->work;
  td_wal_progress progress = {.seqno = {work->model.list[0].events}};
  CHECK(td_wal_log_sync(&work->log, NULL) == TD_OK);
  CHECK(td_wal_log_checkpoint(&work->log, &progress, NULL) == TD_OK);
  at->marked = work->model.count;
}

static void end_log(battery *at) {
  scene *work = &at->work;
  append(work, LAST_EVENTS);
  scene_close(work, at->clean);
  CHECK(work->status == TD_OK);
}

static void make_large(battery *at) {
  scene *work = &at->work;
  work->options.segment_bytes = LARGE_BYTES;
  CHECK(scene_open(work) == TD_OK);
  size_t last = TD_BATCH_HEADER_BYTES + LAST_EVENTS * TD_RECORD_BYTES;
  size_t each = TD_BATCH_HEADER_BYTES + LARGE_EVENTS * TD_RECORD_BYTES;
  append(work, LARGE_EVENTS);
  mark(at);
  while (work->log.end + each + last <= LARGE_BYTES) {
    append(work, LARGE_EVENTS);
  }
  end_log(at);
}

static void put_v1(battery *at, uint32_t batches, uint32_t events,
                   size_t zeros) {
  char name[TD_SEGNAME_TEXT_MAX];
  log_maker maker = make_segment(0, 1);
  maker.version = 1;
  for (uint32_t i = 0; i + 1 < batches; i++) make_batch(&maker, events);
  make_batch(&maker, LAST_EVENTS);
  make_zeros(&maker, zeros);
  td_segname_format(maker.name, name);
  td_disk_put(&at->work.disk, "LOCK", (td_span){NULL, 0});
  td_disk_put(&at->work.disk, name, (td_span){maker.bytes, maker.size});
  free(maker.bytes);
  at->work.options.log = (td_log_id){{0}, {0}};
  CHECK(scene_read(&at->work, &at->work.model, NULL) == TD_END);
  CHECK_U64(at->work.model.count, batches);
}

static void make_small(battery *at, bool early) {
  scene *work = &at->work;
  uint8_t bytes[256];
  put_v1(at, 3, 7, 0);
  size_t size = layout_text(at->layout, sizeof at->layout, 1, "single", 1,
                            NULL);
  work->layout = (td_span){(uint8_t *)at->layout, size};
  work->options.segment_bytes = SMALL_BYTES;
  CHECK(scene_open(work) == TD_OK);
  for (uint32_t i = 0; i < 9; i++) {
    append(work, 5 + 4 * (i % 6));
    if (i == (early ? 0 : 8)) mark(at);
  }
  end_log(at);
  td_cuts cuts = {.generation = 1, .count = 1};
  td_cut cut = {{5}, 1};
  CHECK(td_cuts_encode(&cuts, &cut, bytes, sizeof bytes, NULL) == TD_OK);
  td_disk_put(&work->disk, "cuts-s00000",
              (td_span){bytes, td_cuts_size(cuts.count)});
}

/* Where the batches of one segment stand. */
static void note_segment(battery *at, const char *name, uint32_t *batches) {
  battery_segment *to = &at->segments[at->segment_count++];
  const td_disk_bytes *bytes = td_disk_find(&at->work.disk, name);
  td_segment walk = td_segment_init((td_span){bytes->data, bytes->size});
  td_batch head;
  td_span payload;
  td_assert(at->segment_count <= BATTERY_SEGMENTS_MAX);
  *to = (battery_segment){.size = bytes->size, .first = *batches};
  memcpy(to->name, name, strlen(name) + 1);
  while (td_segment_next(&walk, &head, &payload, NULL) == TD_OK) {
    to->starts[++to->count] = walk.at;
  }
  *batches += to->count;
}

static void note_segments(battery *at) {
  td_wal_dir dir;
  uint32_t batches = 0;
  CHECK(td_wal_dir_open(&dir, &at->work.env, "", NULL) == TD_OK);
  for (uint32_t i = 0; i < dir.segment_count; i++) {
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(dir.segments[i].name, name);
    note_segment(at, name, &batches);
  }
  td_wal_dir_close(&dir);
  CHECK_U64(batches, at->work.model.count);
}

void battery_init(battery *at, battery_kind kind, bool clean, uint64_t seed) {
  at->kind = kind;
  at->clean = clean;
  at->segment_count = at->marked = 0;
  scene_init(&at->work, seed);
  at->work.options.ahead_bytes = AHEAD_BYTES;
  switch (kind) {
  case BATTERY_LARGE: make_large(at); break;
  case BATTERY_V1:
    put_v1(at, (LARGE_BYTES - ZEROS_BYTES)
                 / (TD_BATCH_HEADER_BYTES + LARGE_EVENTS * TD_RECORD_BYTES),
           LARGE_EVENTS, ZEROS_BYTES);
    break;
  case BATTERY_LAZY:
    at->work.options.sync = TD_SYNC_UNSAFE_NEVER;
    make_small(at, true);
    break;
  case BATTERY_SMALL: make_small(at, seed % 2); break;
  }
  note_segments(at);
  td_disk_copy(&at->work.disk, &at->hurt.disk);
  scene_init_over(&at->hurt, &at->work);
}

void battery_deinit(battery *at) {
  scene_deinit(&at->hurt);
  scene_deinit(&at->work);
}

td_disk_bytes *battery_file(battery *at, const char *name) {
  td_disk *disk = &at->hurt.disk;
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    const td_disk_name *found = &disk->cached.list[i];
    if (strcmp(found->text, name) == 0) {
      return &disk->inodes[found->inode].cached;
    }
  }
  return NULL;
}

void battery_reset(battery *at) {
  scene_deinit(&at->hurt);
  td_disk_copy(&at->work.disk, &at->hurt.disk);
  scene_init_over(&at->hurt, &at->work);
}

/* --- what must be said --------------------------------------------------- */

uint32_t battery_batch_at(const battery_segment *segment, size_t byte) {
  uint32_t batch = 0;
  while (batch < segment->count && segment->starts[batch + 1] <= byte) {
    batch++;
  }
  return batch;
}

static void say(battery_answer *out, td_status status, const char *file,
                uint64_t offset) {
  out->status = status;
  out->offset = offset;
  memcpy(out->file, file, strlen(file) + 1);
}

battery_answer battery_expect(const battery *at, uint32_t segment,
                              uint32_t batch, bool header, bool later) {
  const battery_segment *in = &at->segments[segment];
  bool newest = segment + 1 == at->segment_count;
  bool known = at->clean || in->first + batch < at->marked;
  battery_answer want = {.what = BATTERY_TORN, .batches = in->first + batch};
  want.suspect = batch < in->count && !header;
  bool old = want.suspect && at->kind == BATTERY_V1;
  if (at->kind == BATTERY_LAZY) later = false;  /* it proves nothing */
  if (!newest || later || known || old) {
    want.what = BATTERY_REFUSED;
    want.suspect = false;
  }
  say(&want, TD_CORRUPT, in->name, in->starts[batch]);
  return want;
}

battery_answer battery_expect_nothing(const battery *at, uint32_t segment,
                                      uint32_t batch) {
  const battery_segment *in = &at->segments[segment];
  bool newest = segment + 1 == at->segment_count;
  bool known = at->clean || in->first + batch < at->marked;
  battery_answer want = {.what = BATTERY_REFUSED,
                         .batches = in->first + batch};
  if (newest && known) {
    say(&want, TD_CORRUPT, in->name, in->starts[batch]);
  } else if (newest) {
    want.what = BATTERY_WHOLE;
  } else {
    say(&want, TD_MISSING, at->segments[segment + 1].name, 0);
  }
  return want;
}

bool battery_check(const battery_answer *got, const battery_answer *want,
                   const char *who, const char *done, size_t where) {
  static const char *const words[] = {"whole", "refused", "torn"};
  bool same = got->what == want->what && got->suspect == want->suspect
           && got->offset == want->offset && !got->harmed
           && strcmp(got->file, want->file) == 0;
  if (got->what == BATTERY_REFUSED) same &= got->status == want->status;
  if (same) return true;
  test_failed(__FILE__, __LINE__,
              "%s at %zu: %s says %s %s (%s @%llu)%s%s, want %s (%s @%llu)%s",
              done, where, who, words[got->what], td_status_code(got->status),
              got->file, (unsigned long long)got->offset,
              got->suspect ? " suspect" : "", got->harmed ? " HARMED" : "",
              words[want->what], want->file, (unsigned long long)want->offset,
              want->suspect ? " suspect" : "");
  return false;
}

/* --- the two who are asked ----------------------------------------------- */

battery_answer battery_verify(battery *at) {
  static verify_run run;
  battery_answer out = {.what = BATTERY_WHOLE};
  td_wal_dir dir;
  CHECK(td_wal_dir_open(&dir, &at->hurt.env, "", NULL) == TD_OK);
  verify_dir(&run, &dir);
  td_wal_dir_close(&dir);
  CHECK(run.err.status == TD_END && run.count <= 1);
  if (run.count == 0) return out;
  const td_wal_report *said = &run.findings[0];
  static const td_status statuses[] = {
    [TD_VERDICT_CORRUPT] = TD_CORRUPT, [TD_VERDICT_GAP] = TD_MISSING,
    [TD_VERDICT_MISMATCH] = TD_MISMATCH,
    [TD_VERDICT_UNSUPPORTED] = TD_UNSUPPORTED,
    [TD_VERDICT_RESERVED] = TD_RESERVED,
  };
  bool torn = said->verdict == TD_VERDICT_TORN;
  out.what = torn ? BATTERY_TORN : BATTERY_REFUSED;
  out.suspect = said->suspect;
  say(&out, torn ? TD_OK : statuses[said->verdict], said->err.file,
      said->err.offset);
  return out;
}

/* Nothing waits to be synced, and nothing was. */
static bool unchanged(const td_disk *disk) {
  uint32_t pieces = 0;
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    pieces += disk->inodes[i].piece_count;
  }
  return pieces == 0 && disk->change_count == 0 && disk->counts.syncs == 0
      && disk->dir_count == 0;
}

/* Is what can be read now the beginning of what was written? */
static void note_left(battery *at, battery_answer *out) {
  scene_model found;
  const scene_model *want = &at->work.model;
  out->harmed = scene_read(&at->hurt, &found, NULL) != TD_END
             || found.count > want->count;
  out->batches = found.count;
  for (uint32_t i = 0; i < found.count && !out->harmed; i++) {
    const scene_batch *a = &found.list[i], *b = &want->list[i];
    out->harmed = a->first != b->first || a->events != b->events
               || a->digest != b->digest;
  }
  if (out->what == BATTERY_WHOLE) out->harmed |= found.count < want->count;
}

battery_answer battery_recover(battery *at) {
  scene *hurt = &at->hurt;
  battery_answer out = {.what = BATTERY_WHOLE};
  td_error err = {.status = TD_OK};
  hurt->disk.counts.syncs = 0;
  td_status status = scene_enter(hurt, &err);
  if (status != TD_OK) {
    out.what = BATTERY_REFUSED;
    say(&out, status, err.file, err.offset);
    CHECK(err.status == status && unchanged(&hurt->disk));
    CHECK_U64(hurt->memory.held, 0);
    return out;
  }
  td_wal_recovery found = hurt->log.recovery;
  if (found.torn) {
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(found.name, name);
    out.what = BATTERY_TORN;
    out.suspect = found.suspect;
    say(&out, TD_OK, name, found.offset);
  }
  note_left(at, &out);
  CHECK(td_wal_log_close(&hurt->log, false, NULL) == TD_OK);
  td_wal_home_close(&hurt->home);
  CHECK_U64(hurt->memory.held, 0);
  battery_reset(at);
  return out;
}
