/* Lost files, and what checkpoints and quarantine are there for: the log
 * either opens with all that can be there, or says what is wrong. Flips and
 * cuts are in flips_test.c and cuts_test.c. */
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

/* One rotten slot is told and kept; with both of them nobody knows how far
 * the log reached, and it does not open. */
static void case_rotten_slots(void) {
  for (uint32_t bad = 1; bad < 4; bad++) {
    td_status status;
    make_log(false);
    start_hurt();
    for (uint32_t slot = 0; slot < 2; slot++) {
      char name[TD_CHECKPOINT_NAME_MAX];
      td_checkpoint_name(hurt.options.log.shard, slot, name);
      if (bad >> slot & 1) td_disk_find(&hurt.disk, name)->data[30] ^= 1;
    }
    outcome what = try_open(&status);
    CHECK(what == (bad == 3 ? REFUSED : WHOLE));
    CHECK(status == (bad == 3 ? TD_CORRUPT : TD_OK));
    scene_deinit(&hurt);
    scene_deinit(&work);
  }
}

static const td_disk_name *last_segment(const td_disk *disk) {
  const td_disk_name *name = NULL;
  for (uint32_t f = 0; f < disk->cached.count; f++) {
    const td_disk_name *one = &disk->cached.list[f];
    if (one->dir != 0 || !is_segment(one->text)) continue;
    if (!name || strcmp(one->text, name->text) > 0) name = one;
  }
  return name;
}

/* The same place is torn and cut again and again: every copy stays. */
static void case_quarantine_again(void) {
  make_log(false);
  start_hurt();
  for (uint32_t round = 0; round < 3; round++) {
    uint64_t kept = 0;
    const td_disk_name *name = last_segment(&hurt.disk);
    td_disk_bytes *bytes = &hurt.disk.inodes[name->inode].cached;
    bytes->data[bytes->size - 1] ^= (uint8_t)(1 + round);
    hurt.model.list[hurt.model.count - 1].acked = false;
    CHECK(scene_open(&hurt) == TD_OK && hurt.log.recovery.torn);
    for (uint32_t f = 0; f < hurt.disk.durable.count; f++) {
      kept += hurt.disk.durable.list[f].dir == 1;
    }
    CHECK_U64(kept, round + 1);
    CHECK(scene_append(&hurt, 3) == TD_OK);
    scene_close(&hurt, false);
  }
  scene_deinit(&hurt);
  scene_deinit(&work);
}

/* The bytes that were cut off are in quarantine. */
static void case_quarantine(void) {
  make_log(false);
  start_hurt();
  scene_batch *batch = &hurt.model.list[hurt.model.count - 1];
  batch->acked = false;
  const td_disk_name *name = last_segment(&hurt.disk);
  td_disk_bytes *bytes = &hurt.disk.inodes[name->inode].cached;
  bytes->data[bytes->size - 1] ^= 1;
  CHECK(scene_open(&hurt) == TD_OK);
  CHECK(hurt.log.recovery.torn && hurt.log.recovery.suspect);
  CHECK_U64(hurt.log.recovery.cut_bytes, 64 + 3 * 21);
  CHECK_U64(hurt.disk.dir_count, 1);
  CHECK_TEXT(hurt.disk.dirs[0].name, "quarantine");
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
  test_case("log", "a lost file is missed", case_lost_files);
  test_case("log", "checkpoints are evidence", case_evidence);
  test_case("log", "rotten checkpoints", case_rotten_slots);
  test_case("log", "what is cut off is kept", case_quarantine);
  test_case("log", "earlier copies stay", case_quarantine_again);
}
