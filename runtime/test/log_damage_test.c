/* Damage to the files of a log: every bit, every cut, every lost file. Each
 * time the log either opens with all that can be there, or says what is
 * wrong; nothing is ever quietly less. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "test/log_scene.h"

static scene work, hurt;  /* large: not on the stack */

/* A log of two segments whose last batch has 3 events; unclean if asked. */
static void make_log(bool clean) {
  scene_init(&work, 4);
  work.options.segment_bytes = 700;
  work.options.ahead_bytes = 512;
  CHECK(scene_open(&work) == TD_OK);
  for (uint32_t i = 0; i < 5; i++) CHECK(scene_append(&work, 7) == TD_OK);
  td_wal_progress progress = {.seqno = {7}};
  CHECK(td_wal_log_checkpoint(&work.log, &progress, NULL) == TD_OK);
  CHECK(scene_append(&work, 3) == TD_OK);
  scene_close(&work, clean);
  CHECK(work.status == TD_OK);
  CHECK(work.disk.cached.count == 5);  /* LOCK, two slots, two segments */
}

typedef enum outcome { WHOLE, REFUSED, TORN, READER, SILENT } outcome;

/* Opens a damaged copy. A sealed segment below the checkpoint is not read at
 * the opening: then a reader must find it. */
static outcome try_open(td_status *status) {
  scene_model before = hurt.model, found;
  hurt.status = td_wal_home_open(&hurt.home, &hurt.env, "", NULL);
  CHECK(hurt.status == TD_OK);
  *status = td_wal_log_open(&hurt.log, &hurt.home, &hurt.options, &hurt.err);
  if (*status != TD_OK) {
    td_wal_home_close(&hurt.home);
    return REFUSED;
  }
  td_wal_recovery recovery = hurt.log.recovery;
  td_status read = scene_read(&hurt, &found, NULL);
  CHECK(td_wal_log_close(&hurt.log, false, NULL) == TD_OK);
  td_wal_home_close(&hurt.home);
  if (read != TD_END) return READER;
  if (!scene_compare(&before, &found)) return WHOLE;
  before.count -= recovery.torn;
  return recovery.torn && !scene_compare(&before, &found) ? TORN : SILENT;
}

static void start_hurt(void) {
  td_disk_copy(&work.disk, &hurt.disk);
  scene_init_over(&hurt, &work);
}

static bool is_segment(const char *name) {
  return strncmp(name, "wal-", 4) == 0;
}

static void flip(bool clean) {
  uint32_t counts[5] = {0};
  make_log(clean);
  for (uint32_t f = 0; f < work.disk.cached.count; f++) {
    const td_disk_name *name = &work.disk.cached.list[f];
    size_t size = work.disk.inodes[name->inode].cached.size;
    for (size_t bit = 0; bit < size * 8; bit++) {
      td_status status;
      start_hurt();
      td_disk_inode *inode = &hurt.disk.inodes[name->inode];
      inode->cached.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
      outcome what = try_open(&status);
      counts[what]++;
      bool fine = what != SILENT && !(clean && what == TORN);
      if (is_segment(name->text) && what == WHOLE) fine = false;
      if (!is_segment(name->text) && what == TORN) fine = false;
      if (!fine) {
        test_failed(__FILE__, __LINE__, "bit %zu of %s: outcome %d, %s", bit,
                    name->text, (int)what, td_status_code(status));
      }
      scene_deinit(&hurt);
    }
  }
  printf("# %s: whole %u, refused %u, torn %u, by a reader %u, silent %u\n",
         clean ? "clean" : "unclean", counts[WHOLE], counts[REFUSED],
         counts[TORN], counts[READER], counts[SILENT]);
  CHECK(counts[REFUSED] > 1000 && counts[SILENT] == 0);
  CHECK(clean == (counts[TORN] == 0));
  scene_deinit(&work);
}

static void case_flips(void) { flip(false); }
static void case_flips_clean(void) { flip(true); }

/* Of a sealed segment, and of a log closed cleanly, nothing may be missing. */
static void case_cuts_clean(void) {
  make_log(true);
  uint32_t refused = 0;
  for (uint32_t f = 0; f < work.disk.cached.count; f++) {
    const td_disk_name *name = &work.disk.cached.list[f];
    if (!is_segment(name->text)) continue;
    size_t size = work.disk.inodes[name->inode].cached.size;
    for (size_t at = 0; at < size; at++) {
      td_status status;
      start_hurt();
      hurt.disk.inodes[name->inode].cached.size = at;
      outcome what = try_open(&status);
      refused += what == REFUSED || what == READER;
      if (what == SILENT || what == WHOLE || what == TORN) {
        test_failed(__FILE__, __LINE__, "cut of %s at %zu: outcome %d, %s",
                    name->text, at, (int)what, td_status_code(status));
      }
      scene_deinit(&hurt);
    }
  }
  CHECK(refused > 500);
  scene_deinit(&work);
}

/* Cut anywhere, an active segment gives exactly what is whole before it. */
static void case_cuts_active(void) {
  scene_model found;
  scene_init(&work, 5);
  work.options.segment_bytes = 5000;
  CHECK(scene_open(&work) == TD_OK);
  for (uint32_t i = 1; i <= 6; i++) CHECK(scene_append(&work, i) == TD_OK);
  scene_close(&work, false);
  const td_disk_name *name = &work.disk.cached.list[2];
  CHECK(is_segment(name->text));
  size_t size = work.disk.inodes[name->inode].cached.size, end = 0;
  CHECK_U64(size, 6 * 64 + 21 * 21);
  for (size_t at = 0, whole = 0; at <= size; at++) {
    if (whole < 6 && at == end + 64 + 21 * (whole + 1)) {
      end = at;
      whole++;
    }
    start_hurt();
    hurt.disk.inodes[name->inode].cached.size = at;
    for (uint32_t i = 0; i < 6; i++) hurt.model.list[i].acked = i < whole;
    CHECK(scene_open(&hurt) == TD_OK);
    CHECK(hurt.log.recovery.torn == (at > end));
    CHECK(scene_read(&hurt, &found, NULL) == TD_END);
    CHECK_U64(found.count, whole);
    scene_close(&hurt, false);
    scene_deinit(&hurt);
  }
  scene_deinit(&work);
}

/* A file that is gone is told, whichever it is, but for one slot. */
static void case_lost_files(void) {
  make_log(true);
  for (uint32_t f = 0; f < work.disk.cached.count; f++) {
    td_status status;
    start_hurt();
    td_disk_name name = hurt.disk.cached.list[f];
    hurt.disk.cached.list[f] =
      hurt.disk.cached.list[--hurt.disk.cached.count];
    outcome what = try_open(&status);
    bool segment = is_segment(name.text);
    CHECK(what == (segment ? REFUSED : WHOLE) || what == READER);
    if (segment && what == REFUSED) {
      CHECK(status == TD_CORRUPT || status == TD_MISSING);
    }
    scene_deinit(&hurt);
  }
  scene_deinit(&work);
}

/* The bytes that were cut off are in quarantine. */
static void case_quarantine(void) {
  make_log(false);
  start_hurt();
  scene_batch *batch = &hurt.model.list[hurt.model.count - 1];
  batch->acked = false;
  const td_disk_name *name = NULL;
  for (uint32_t f = 0; f < hurt.disk.cached.count; f++) {
    const td_disk_name *one = &hurt.disk.cached.list[f];
    if (!is_segment(one->text)) continue;
    if (!name || strcmp(one->text, name->text) > 0) name = one;
  }
  td_disk_bytes *bytes = &hurt.disk.inodes[name->inode].cached;
  bytes->data[bytes->size - 1] ^= 1;
  CHECK(scene_open(&hurt) == TD_OK);
  CHECK(hurt.log.recovery.torn && hurt.log.recovery.suspect);
  CHECK_U64(hurt.log.recovery.cut_bytes, 64 + 3 * 21);
  CHECK_U64(hurt.disk.dir_count, 2);
  CHECK_TEXT(hurt.disk.dirs[1], "quarantine");
  uint32_t kept = 0;
  for (uint32_t f = 0; f < hurt.disk.durable.count; f++) {
    const td_disk_name *one = &hurt.disk.durable.list[f];
    if (one->dir == 1) {
      kept++;
      CHECK_U64(hurt.disk.inodes[one->inode].durable.size, 64 + 3 * 21);
    }
  }
  CHECK_U64(kept, 1);
  scene_close(&hurt, false);
  scene_deinit(&hurt);
  scene_deinit(&work);
}

/* Damages the end of one segment of two batches, under a checkpoint; what is
 * whole behind the damage is nothing, so only the checkpoint can tell. */
static td_status open_rotten(td_seqno seqno, td_seqno own_mark, bool clean) {
  uint8_t bytes[TD_CHECKPOINT_HEADER_BYTES + TD_MARK_BYTES
                + TD_CHECKPOINT_HASH_BYTES];
  static const char *name = "wal-00000000000000000001.seg";
  scene_init(&work, 6);
  work.options = td_wal_options_init((td_log_id){{0}, {0}});
  work.options.group_delay_ns = 0;
  work.options.ahead_bytes = 0;
  CHECK(scene_open(&work) == TD_OK);
  CHECK(scene_append(&work, 2) == TD_OK && scene_append(&work, 2) == TD_OK);
  scene_close(&work, false);
  td_mark mark = {work.options.log, 0, own_mark};
  td_checkpoint point = {.seqno = seqno, .generation = 9, .mark_count = 1,
                         .clean = clean};
  if (td_seqno_cmp(own_mark, (td_seqno){0}) == 0) point.mark_count = 0;
  CHECK(td_checkpoint_encode(&point, &mark, bytes, sizeof bytes, NULL)
        == TD_OK);
  td_span slot = {bytes, td_checkpoint_size(point.mark_count)};
  td_disk_put(&work.disk, "checkpoint-s00000.1", slot);
  const td_disk_bytes *file = td_disk_find(&work.disk, name);
  CHECK_U64(file->size, 2 * (64 + 42));
  file->data[file->size - 1] ^= 1;
  work.model.count--;
  td_status status = scene_open(&work);
  scene_close(&work, false);
  scene_deinit(&work);
  return status;
}

static void case_evidence(void) {
  td_seqno none = {0}, before = {2}, through = {4};
  CHECK(open_rotten(none, none, false) == TD_OK);
  CHECK(open_rotten(before, before, false) == TD_OK);
  CHECK(open_rotten(through, none, false) == TD_CORRUPT);
  CHECK(open_rotten(none, through, false) == TD_CORRUPT);
  CHECK(open_rotten(before, none, true) == TD_CORRUPT);
}

void test_log_damage(void) {
  test_case("log", "every bit flipped", case_flips);
  test_case("log", "every bit flipped, closed cleanly", case_flips_clean);
  test_case("log", "cut at every byte, closed cleanly", case_cuts_clean);
  test_case("log", "cut at every byte, in use", case_cuts_active);
  test_case("log", "a lost file is missed", case_lost_files);
  test_case("log", "checkpoints are evidence", case_evidence);
  test_case("log", "what is cut off is kept", case_quarantine);
}
