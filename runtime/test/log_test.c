/* The writing half of a log: what it promises on a disk that works.
 * Covers io/wal_log io/wal_calls io/wal_writer io/wal_group io/wal_recover
 * io/wal_checkpoint io/wal_tail. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "test/log_scene.h"

static scene work;  /* large: not on the stack */

static const td_record one = {{UINT64_MAX}, UINT64_MAX, -0.0f, 255};

/* Puts a file into the disk that holds one v1 or v2 batch of n events. */
static void put_batch(scene *at, uint16_t version, uint64_t first,
                      uint32_t events, td_segname name) {
  static uint8_t bytes[64 + 100 * TD_RECORD_BYTES];
  char text[TD_SEGNAME_TEXT_MAX];
  td_log_id log = at->options.log;
  td_batch head = {
    .first_seq = {first}, .event_count = events, .version = version,
    .shard = log.shard, .region = log.region,
  };
  size_t size = (size_t)events * TD_RECORD_BYTES;
  memset(bytes + 64, 0x5a, size);
  CHECK(td_batch_seal(&head, (td_span){bytes + 64, size}, bytes, NULL)
        == TD_OK);
  td_segname_format(name, text);
  td_disk_put(&at->disk, text, (td_span){bytes, 64 + size});
}

static void init_log(scene *at, uint16_t region, uint16_t shard) {
  scene_init(at, test_seed());
  at->options.log = (td_log_id){{region}, {shard}};
}

/* Opens without the model of scene_open. */
static td_status open_log(scene *at) {
  td_status status = td_wal_home_open(&at->home, &at->env, "", &at->err);
  if (status != TD_OK) return status;
  status = td_wal_log_open(&at->log, &at->home, &at->options, &at->err);
  at->open = status == TD_OK;
  if (status != TD_OK) td_wal_home_close(&at->home);
  return status;
}

static void case_numbers(void) {
  init_log(&work, 65535, 65535);
  td_seqno first = {0};
  for (uint32_t round = 0; round < 4; round++) {
    CHECK(open_log(&work) == TD_OK);
    CHECK_U64(td_wal_log_durable(&work.log).value, round * 3);
    CHECK(td_wal_log_append(&work.log, &one, 1, &first, NULL) == TD_OK);
    CHECK_U64(first.value, round * 3 + 1);
    CHECK(td_wal_log_append_sessions(&work.log, (td_span){NULL, 0}, 2, &first,
                                     NULL) == TD_OK);
    CHECK_U64(first.value, round * 3 + 2);
    CHECK_U64(td_wal_log_durable(&work.log).value, round * 3 + 3);
    scene_close(&work, round % 2);
    CHECK(td_wal_log_close(&work.log, true, NULL) == TD_OK);
  }
  scene_deinit(&work);
}

/* Up to 2^64-1 and no further. */
static void case_last_number(void) {
  td_seqno first = {0};
  init_log(&work, 1, 3);
  put_batch(&work, 2, UINT64_MAX - 4, 3,
            (td_segname){{3}, {UINT64_MAX - 4}});
  CHECK(open_log(&work) == TD_OK);
  td_record two[2] = {one, one};
  CHECK(td_wal_log_append(&work.log, two, 2, &first, NULL) == TD_OK);
  CHECK_U64(first.value, UINT64_MAX - 1);
  CHECK_U64(td_wal_log_durable(&work.log).value, UINT64_MAX);
  CHECK(td_wal_log_append(&work.log, two, 1, &first, &work.err)
        == TD_SEQUENCE);
  CHECK_U64(td_wal_log_durable(&work.log).value, UINT64_MAX);
  scene_close(&work, true);
  CHECK(open_log(&work) == TD_OK);
  CHECK_U64(td_wal_log_durable(&work.log).value, UINT64_MAX);
  scene_close(&work, true);
  scene_deinit(&work);
  init_log(&work, 1, 3);
  put_batch(&work, 2, UINT64_MAX - 4, 3,
            (td_segname){{3}, {UINT64_MAX - 4}});
  CHECK(open_log(&work) == TD_OK);
  td_record three[3] = {one, one, one};
  CHECK(td_wal_log_append(&work.log, three, 3, NULL, NULL) == TD_SEQUENCE);
  CHECK(td_wal_log_append(&work.log, two, 2, &first, NULL) == TD_OK);
  scene_close(&work, true);
  scene_deinit(&work);
}

/* A v1 log goes on as v2, in the very file; its checkpoint counts. */
static void case_v1(void) {
  uint8_t meta[TD_CHECKPOINT_V1_BYTES];
  td_checkpoint point = {.seqno = {5}, .timestamp_ns = 9};
  scene_model found;
  init_log(&work, 0, 0);
  put_batch(&work, 1, 1, 4, (td_segname){{0}, {1}});
  put_batch(&work, 1, 5, 3, (td_segname){{0}, {5}});
  td_checkpoint_encode_v1(&point, meta);
  td_disk_put(&work.disk, "checkpoint.meta", (td_span){meta, sizeof meta});
  CHECK(open_log(&work) == TD_OK);
  CHECK_U64(work.log.checkpoint.seqno.value, 5);
  CHECK(!work.log.recovery.rewritten);
  CHECK(td_wal_log_append(&work.log, &one, 1, NULL, NULL) == TD_OK);
  CHECK(td_disk_find(&work.disk, "wal-00000000000000000005.seg")->size
        >= 64 + 3 * 21 + 64 + 21);
  scene_close(&work, false);
  CHECK(scene_read(&work, &found, NULL) == TD_END);
  CHECK_U64(found.count, 3);
  CHECK_U64(found.list[2].first, 8);
  CHECK(open_log(&work) == TD_OK);
  CHECK(work.log.recovery.rewritten);
  CHECK_U64(work.log.checkpoint.seqno.value, 5);
  scene_close(&work, true);
  scene_deinit(&work);
  /* v1 says it had more than there is. */
  init_log(&work, 0, 0);
  put_batch(&work, 1, 1, 4, (td_segname){{0}, {1}});
  td_disk_put(&work.disk, "checkpoint.meta", (td_span){meta, sizeof meta});
  CHECK(open_log(&work) == TD_CORRUPT);
  scene_deinit(&work);
}

/* A torn v1 tail is cut in the file itself, and kept in quarantine. */
static void case_v1_torn(void) {
  static const char *name = "wal-00000000000000000001.seg";
  scene_model found;
  uint8_t bytes[64 + 4 * TD_RECORD_BYTES + 30];
  init_log(&work, 0, 0);
  put_batch(&work, 1, 1, 4, (td_segname){{0}, {1}});
  const td_disk_bytes *file = td_disk_find(&work.disk, name);
  memcpy(bytes, file->data, file->size);
  memcpy(bytes + file->size, file->data, 30);
  td_disk_put(&work.disk, name, (td_span){bytes, sizeof bytes});
  CHECK(open_log(&work) == TD_OK);
  CHECK(work.log.recovery.torn && !work.log.recovery.rewritten);
  CHECK_U64(work.log.recovery.cut_bytes, 30);
  CHECK_U64(td_disk_find(&work.disk, name)->size, sizeof bytes - 30);
  scene_close(&work, false);
  CHECK(scene_read(&work, &found, NULL) == TD_END);
  CHECK_U64(found.count, 1);
  scene_deinit(&work);
  /* All there but wrong: nobody knows how v1 wrote it, so it is refused. */
  init_log(&work, 0, 0);
  put_batch(&work, 1, 1, 4, (td_segname){{0}, {1}});
  file = td_disk_find(&work.disk, name);
  file->data[file->size - 1] ^= 1;
  CHECK(open_log(&work) == TD_CORRUPT);
  if (work.open) scene_close(&work, false);
  scene_deinit(&work);
}

/* v1 is (r0, s0) and nothing else; regions and shards are not mixed. */
static void case_wrong_log(void) {
  init_log(&work, 7, 0);
  put_batch(&work, 2, 1, 4, (td_segname){{0}, {1}});
  work.options.log.region.value = 6;
  CHECK(open_log(&work) == TD_MISMATCH);
  CHECK_TEXT(work.err.file, "wal-00000000000000000001.seg");
  CHECK_U64(work.err.got, 7);
  CHECK_U64(work.err.bound, 6);
  work.options.log.region.value = 7;
  CHECK(open_log(&work) == TD_OK);
  scene_close(&work, true);
  work.options.log.region.value = 6;
  CHECK(open_log(&work) == TD_MISMATCH);
  CHECK(work.err.file[0] == 'c');
  scene_deinit(&work);
}

static void case_lengths(void) {
  static td_record many[TD_RECORDS_MAX + 1];
  init_log(&work, 0, 1);
  CHECK(open_log(&work) == TD_OK);
  CHECK(td_wal_log_append(&work.log, many, 0, NULL, NULL) == TD_LENGTH);
  CHECK(td_wal_log_append(&work.log, many, TD_RECORDS_MAX + 1, NULL, NULL)
        == TD_LENGTH);
  work.options.segment_bytes = TD_SEGMENT_BYTES;
  CHECK(td_wal_log_append(&work.log, many, TD_RECORDS_MAX, NULL, NULL)
        == TD_OK);
  CHECK_U64(td_wal_log_durable(&work.log).value, TD_RECORDS_MAX);
  scene_close(&work, true);
  scene_deinit(&work);
}

/* A segment is closed before the batch that would pass its bound, and the
 * zeros written ahead are cut. */
static void case_rotation(void) {
  td_record records[9];
  init_log(&work, 0, 0);
  work.options.segment_bytes = 2 * (64 + 9 * 21);
  work.options.ahead_bytes = 512;
  for (uint32_t i = 0; i < 9; i++) records[i] = one;
  CHECK(open_log(&work) == TD_OK);
  for (uint32_t i = 0; i < 3; i++) {
    CHECK(td_wal_log_append(&work.log, records, 9, NULL, NULL) == TD_OK);
  }
  CHECK_U64(td_disk_find(&work.disk, "wal-00000000000000000001.seg")->size,
            2 * (64 + 9 * 21));
  CHECK_U64(td_disk_find(&work.disk, "wal-00000000000000000019.seg")->size,
            512);
  scene_close(&work, false);
  CHECK_U64(td_disk_find(&work.disk, "wal-00000000000000000019.seg")->size,
            64 + 9 * 21);
  scene_deinit(&work);
}

/* Never past the older checkpoint, the caller's number, the last segment. */
static void case_truncate(void) {
  uint32_t removed = 9;
  init_log(&work, 0, 0);
  work.options.segment_bytes = 1;
  CHECK(open_log(&work) == TD_OK);
  for (uint32_t i = 0; i < 8; i++) {
    CHECK(td_wal_log_append(&work.log, &one, 1, NULL, NULL) == TD_OK);
  }
  td_wal_progress to = {.seqno = {9}};
  CHECK(td_wal_log_checkpoint(&work.log, &to, NULL) == TD_AHEAD);
  to.seqno.value = 4;
  CHECK(td_wal_log_checkpoint(&work.log, &to, NULL) == TD_OK);
  td_seqno all = {UINT64_MAX};
  CHECK(td_wal_log_truncate(&work.log, all, &removed, NULL) == TD_OK);
  CHECK_U64(removed, 0);
  to.seqno.value = 3;
  CHECK(td_wal_log_checkpoint(&work.log, &to, NULL) == TD_BACKWARD);
  to.seqno.value = 8;
  CHECK(td_wal_log_checkpoint(&work.log, &to, NULL) == TD_OK);
  td_seqno follower = {2};
  CHECK(td_wal_log_truncate(&work.log, follower, &removed, NULL) == TD_OK);
  CHECK_U64(removed, 2);
  CHECK(td_wal_log_truncate(&work.log, all, &removed, NULL) == TD_OK);
  CHECK_U64(removed, 2);
  CHECK(td_wal_log_checkpoint(&work.log, &to, NULL) == TD_OK);
  CHECK(td_wal_log_truncate(&work.log, all, &removed, NULL) == TD_OK);
  CHECK_U64(removed, 3);
  scene_close(&work, true);
  CHECK(open_log(&work) == TD_OK);
  CHECK_U64(td_wal_log_durable(&work.log).value, 8);
  scene_close(&work, true);
  scene_deinit(&work);
}

static uint64_t sync_count(td_sync_policy sync, uint64_t interval_ns) {
  init_log(&work, 0, 0);
  work.options.sync = sync;
  work.options.sync_interval_ns = interval_ns;
  CHECK(open_log(&work) == TD_OK);
  uint64_t before = work.disk.counts.syncs;
  for (uint32_t i = 0; i < 6; i++) {
    CHECK(td_wal_log_append(&work.log, &one, 1, NULL, NULL) == TD_OK);
  }
  uint64_t syncs = work.disk.counts.syncs - before;
  CHECK_U64(td_wal_log_durable(&work.log).value,
            sync == TD_SYNC_UNSAFE_NEVER ? 0 : 6);
  CHECK(td_wal_log_sync(&work.log, NULL) == TD_OK);
  CHECK_U64(td_wal_log_durable(&work.log).value, 6);
  scene_close(&work, false);
  return syncs;
}

static void case_policies(void) {
  static const uint64_t syncs[3] = {6, 6, 0};
  for (uint32_t sync = 0; sync < 3; sync++) {
    td_batch head;
    CHECK_U64(sync_count((td_sync_policy)sync, 0), syncs[sync]);
    const td_disk_bytes *file =
      td_disk_find(&work.disk, "wal-00000000000000000001.seg");
    CHECK(td_batch_decode((td_span){file->data, file->size}, &head, NULL)
          == TD_OK);
    CHECK(head.lazy == (sync != TD_SYNC_ALWAYS));
    scene_deinit(&work);
  }
}

/* Flips a bit of the log's only segment. */
static void damage_segment(size_t at) {
  td_disk_inode *inode = NULL;
  for (uint32_t i = 0; i < work.disk.cached.count; i++) {
    const td_disk_name *name = &work.disk.cached.list[i];
    if (name->text[0] == 'w') inode = &work.disk.inodes[name->inode];
  }
  CHECK(inode && inode->cached.size > at);
  if (inode && inode->cached.size > at) inode->cached.data[at] ^= 1;
}

/* A batch that was synced before the next one was written is damaged, not
 * torn, if anything whole stands behind it: a lazy batch too. */
static void case_lazy_behind_synced(void) {
  init_log(&work, 0, 0);
  CHECK(open_log(&work) == TD_OK);
  CHECK(td_wal_log_append(&work.log, &one, 1, NULL, NULL) == TD_OK);
  CHECK(td_wal_log_append(&work.log, &one, 1, NULL, NULL) == TD_OK);
  work.log.options.sync = TD_SYNC_UNSAFE_NEVER;
  CHECK(td_wal_log_append(&work.log, &one, 1, NULL, NULL) == TD_OK);
  scene_close(&work, false);
  damage_segment(85 + 70);
  CHECK(open_log(&work) == TD_CORRUPT);
  scene_close(&work, false);
  scene_deinit(&work);
}

/* Behind a lazy batch lazy ones prove nothing: the log is cut at the first
 * damaged one, and says how many events went. */
static void case_lazy_tail(void) {
  init_log(&work, 0, 0);
  work.options.sync = TD_SYNC_UNSAFE_NEVER;
  CHECK(open_log(&work) == TD_OK);
  for (uint32_t i = 0; i < 5; i++) {
    CHECK(td_wal_log_append(&work.log, &one, 1, NULL, NULL) == TD_OK);
  }
  scene_close(&work, false);
  damage_segment(2 * 85 + 70);
  CHECK(open_log(&work) == TD_OK);
  CHECK(work.log.recovery.torn);
  CHECK_U64(td_wal_log_durable(&work.log).value, 2);
  CHECK_U64(work.log.recovery.lost_events, 3);
  CHECK_U64(work.log.recovery.cut_bytes, 3 * 85);
  scene_close(&work, true);
  scene_deinit(&work);
}

void test_log(void) {
  test_case("log", "numbers survive closing", case_numbers);
  test_case("log", "the last number is 2^64-1", case_last_number);
  test_case("log", "v1 goes on as v2 in place", case_v1);
  test_case("log", "a torn tail of v1", case_v1_torn);
  test_case("log", "another log's files are refused", case_wrong_log);
  test_case("log", "1 to TD_RECORDS_MAX events", case_lengths);
  test_case("log", "segments end at their bound", case_rotation);
  test_case("log", "truncation keeps what anybody needs", case_truncate);
  test_case("log", "policies sync as they say", case_policies);
  test_case("log", "a torn tail of lazy batches", case_lazy_tail);
  test_case("log", "lazy batches behind a synced one",
            case_lazy_behind_synced);
  test_log_golden();
  test_log_damage();
}
