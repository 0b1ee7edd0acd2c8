/* A directory under a layout. Covers io/wal_home. */
#include <string.h>

#include "io/wal_live.h"
#include "test/home_world.h"

static const char HALVES[] =
  "[{\"shard\":0,\"first\":\"0x0000000000000000\","
  "\"last\":\"0x7fffffffffffffff\"},"
  "{\"shard\":1,\"first\":\"0x8000000000000000\","
  "\"last\":\"0xffffffffffffffff\"}]";

/* One event in r2:s0, written under a layout or none. */
static void write_one(td_span layout) {
  CHECK(world_open(layout) == TD_OK);
  CHECK(world_open_log(0) == TD_OK);
  CHECK(world_append(0, world_id(0, UINT64_MAX)) == TD_OK);
  world_close();
}

static td_status append_ninth(void) {
  return world_append(0, world_id(0, UINT64_MAX - 9));
}

/* Live events of r2:s0, read as anybody would. */
static uint64_t count_live(void) {
  td_env env = td_disk_env(&at.disk, world_plain());
  td_wal_dir dir;
  td_wal_layouts layouts;
  td_wal_live live;
  td_wal_event event;
  uint64_t count = 0;
  CHECK(td_wal_dir_open(&dir, &env, "", NULL) == TD_OK);
  CHECK(td_wal_layouts_open(&layouts, &dir, NULL) == TD_OK);
  CHECK(td_wal_live_open(&live, &layouts, (td_shard_id){0}, (td_seqno){0},
                         NULL) == TD_OK);
  while (td_wal_live_next(&live, &event, NULL) == TD_OK) count++;
  td_wal_live_close(&live);
  td_wal_layouts_close(&layouts);
  td_wal_dir_close(&dir);
  return count;
}

/* --- the layout ----------------------------------------------------------- */

static void case_publish(void) {
  world_begin();
  td_span first = world_layout(7, "hash", NULL);
  write_one(first);
  const td_disk_bytes *file = td_disk_find(&at.disk,
                                           "layout-0000000007.json");
  CHECK(file && file->size == first.size
        && memcmp(file->data, first.data, first.size) == 0);
  CHECK(!td_disk_find(&at.disk, "layout.tmp"));
  write_one(first);
  CHECK_U64(count_live(), 2);
  CHECK(world_open(world_layout(8, "hash", NULL)) == TD_EPOCH);
  CHECK_U64(at.err.got, 8);
  CHECK_U64(at.err.bound, 7);
  CHECK_TEXT(at.err.file, "layout-0000000007.json");
  CHECK(world_open(world_layout(6, "hash", NULL)) == TD_EPOCH);
  CHECK(world_open(world_layout(7, "ranges", HALVES)) == TD_LAYOUT);
  CHECK_TEXT(at.err.file, "layout-0000000007.json");
  CHECK(world_open((td_span){first.data, first.size - 1}) != TD_OK);
  CHECK(world_open((td_span){NULL, 0}) == TD_OK);
  CHECK(world_open_log(0) == TD_EPOCH);
  CHECK_U64(at.err.got, 0);
  CHECK_U64(at.err.bound, 7);
  td_wal_home_close(&at.home);
  CHECK(world_open(world_layout(7, "hash", NULL)) == TD_OK);
  td_wal_options beyond = td_wal_options_init((td_log_id){{2}, {LOGS}});
  CHECK(td_wal_log_open(&at.logs[0], &at.home, &beyond, &at.err)
        == TD_OUT_OF_RANGE);
  CHECK_U64(at.err.got, LOGS);
  CHECK_U64(at.err.bound, LOGS - 1);
  td_wal_home_close(&at.home);
  world_end();
}

/* Batches carry the epoch they were written under, checkpoints too. */
static void case_epoch(void) {
  world_begin();
  CHECK(world_open(world_layout(UINT32_MAX, "hash", NULL)) == TD_OK);
  CHECK(world_open_log(1) == TD_OK);
  CHECK(world_append(1, world_id(1, UINT64_MAX)) == TD_OK);
  CHECK_U64(at.logs[1].checkpoint.layout_epoch, UINT32_MAX);
  world_close();
  const td_disk_bytes *file = td_disk_find(
    &at.disk, "wal-s00001-00000000000000000001.seg");
  td_batch head;
  CHECK(file && td_batch_decode((td_span){file->data, file->size}, &head, NULL)
        == TD_OK);
  CHECK_U64(head.layout_epoch, UINT32_MAX);
  world_end();
}

/* Puts a segment r2:s0 with one batch under an epoch onto the disk. */
static void put_batch(uint32_t epoch, size_t size, size_t flip) {
  uint8_t bytes[64 + 2 * TD_RECORD_BYTES] = {0};
  td_batch head = {.first_seq = {1}, .event_count = 2, .version = 2,
                   .layout_epoch = epoch, .region = {2}};
  td_span payload = {bytes + 64, 2 * TD_RECORD_BYTES};
  CHECK(td_batch_seal(&head, payload, bytes, NULL) == TD_OK);
  if (flip > 0) bytes[flip] ^= 1;
  td_disk_put(&at.disk, "wal-00000000000000000001.seg",
              (td_span){bytes, size});
}

static void check_first(uint32_t epoch, size_t size, size_t flip,
                        td_status want) {
  world_begin();
  put_batch(epoch, size, flip);
  CHECK(world_open(world_layout(7, "hash", NULL)) == want);
  bool there = td_disk_find(&at.disk, "layout-0000000007.json") != NULL;
  CHECK(there == (want == TD_OK));
  if (want == TD_OK) td_wal_home_close(&at.home);
  world_end();
}

/* The first layout must not end the life of what is there. */
static void case_life(void) {
  check_first(0, 106, 0, TD_OK);
  check_first(7, 106, 0, TD_OK);
  check_first(6, 106, 0, TD_DEAD);
  CHECK_U64(at.err.got, 6);
  CHECK_U64(at.err.bound, 7);
  CHECK_TEXT(at.err.file, "wal-00000000000000000001.seg");
  check_first(8, 106, 0, TD_DEAD);
  check_first(8, 80, 0, TD_OK);  /* torn: never acknowledged */
  check_first(7, 106, 57, TD_OK);
}

/* ... nor be published over a log that nobody can read to its end. */
static void case_unreadable(void) {
  static const char *const later = "wal-00000000000000000003.seg";
  world_begin();
  put_batch(7, 106, 70);
  uint8_t none = 0;
  td_disk_put(&at.disk, later, (td_span){&none, 1});
  CHECK(world_open(world_layout(7, "hash", NULL)) == TD_CORRUPT);
  CHECK_TEXT(at.err.file, "wal-00000000000000000001.seg");
  CHECK_U64(at.err.offset, 0);
  CHECK_U64(at.err.bound, 2);
  CHECK(!td_disk_find(&at.disk, "layout-0000000007.json"));
  world_end();
}

static void case_cuts(void) {
  for (uint32_t epoch = 6; epoch <= 8; epoch++) {
    uint8_t bytes[128];
    td_cuts cuts = {.generation = 1, .count = 1, .shard = {1}, .region = {2}};
    td_cut cut = {{9}, epoch};
    world_begin();
    CHECK(td_cuts_encode(&cuts, &cut, bytes, sizeof bytes, NULL) == TD_OK);
    td_disk_put(&at.disk, "cuts-s00001", (td_span){bytes, td_cuts_size(1)});
    td_status status = world_open(world_layout(7, "hash", NULL));
    CHECK(status == (epoch == 7 ? TD_DEAD : TD_OK));
    if (status == TD_OK) td_wal_home_close(&at.home);
    else CHECK_TEXT(at.err.file, "cuts-s00001");
    world_end();
  }
}

/* --- faults --------------------------------------------------------------- */

/* Publishing, then opening and appending, with one call or request that
 * fails; afterwards the directory opens under the same layout or, if nothing
 * was published, under another. */
static void try_faulty(td_disk_faults faults, uint64_t fail_request,
                       bool *reached) {
  td_span layout = world_layout(7, "hash", NULL);
  world_begin();
  put_batch(0, 106, 0);
  at.disk.faults = faults;
  at.fail_request = fail_request;
  td_status status = world_open(layout);
  bool acked = false;
  if (status == TD_OK) {
    if (world_open_log(0) == TD_OK) acked = append_ninth() == TD_OK;
    world_close();
  }
  *reached = fail_request > 0 ? at.requests >= fail_request
                              : at.disk.counts.calls >= faults.fail_call;
  CHECK_U64(at.disk.counts.files_open + at.disk.counts.dirs_open, 0);
  CHECK_U64(at.held, 0);
  CHECK_U64(at.disk.counts.syncs_after_failed, 0);
  at.disk.faults = (td_disk_faults){.fail_call = 0};
  at.fail_request = 0;
  bool there = td_disk_find(&at.disk, "layout-0000000007.json") != NULL;
  if (acked) CHECK(there);
  if (!there) layout = world_layout(8, "hash", NULL);
  CHECK(world_open(layout) == TD_OK);
  CHECK(world_open_log(0) == TD_OK);
  CHECK(append_ninth() == TD_OK);
  world_close();
  uint64_t live = count_live();
  CHECK(live >= 3u + acked && live <= 4);
  world_end();
}

static void case_errors(void) {
  static const int32_t errors[] = {-TD_SYS_IO, -TD_SYS_NOSPC};
  bool reached = true;
  for (uint32_t e = 0; e < 2; e++) {
    for (uint64_t call = 1; call == 1 || reached; call++) {
      try_faulty((td_disk_faults){.fail_call = call, .fail_sys = -errors[e]},
                 0, &reached);
    }
  }
  for (uint64_t request = 1; request == 1 || reached; request++) {
    try_faulty((td_disk_faults){.fail_call = 0}, request, &reached);
  }
}

/* A power failure after every call: the layout is there whole or not at all,
 * and it is there where an event was acknowledged. */
static void case_crashes(void) {
  for (uint64_t call = 1;; call++) {
    world_begin();
    at.disk.faults.last_call = call;
    td_status status = world_open(world_layout(7, "hash", NULL));
    bool acked = false;
    if (status == TD_OK) {
      if (world_open_log(0) == TD_OK) acked = append_ninth() == TD_OK;
      world_close();
    }
    acked = acked && at.disk.counts.calls <= call;
    bool all = at.disk.counts.calls <= call;
    uint64_t ways = td_disk_combinations(&at.disk);
    td_disk before = at.disk;
    for (uint64_t way = 0; way < ways && way < TD_DISK_COMBINATIONS_MAX;
         way++) {
      td_disk_crash(&before, way, NULL, &at.disk);
      world_attach();
      bool there = td_disk_find(&at.disk, "layout-0000000007.json") != NULL;
      if (acked) CHECK(there);
      CHECK(world_open(world_layout(there ? 7 : 8, "hash", NULL)) == TD_OK);
      CHECK(world_open_log(0) == TD_OK);
      uint64_t durable = td_wal_log_durable(&at.logs[0]).value;
      CHECK(durable <= 1 && (!acked || durable == 1));
      world_close();
      CHECK_U64(count_live(), durable);
      td_disk_deinit(&at.disk);
    }
    at.disk = before;
    world_end();
    if (all) break;
  }
}

void test_home(void) {
  test_case("home", "the first layout is published, others refused",
            case_publish);
  test_case("home", "batches and checkpoints carry the epoch", case_epoch);
  test_case("home", "no event dies by publishing", case_life);
  test_case("home", "nothing is published over damage", case_unreadable);
  test_case("home", "cuts of the epoch", case_cuts);
  test_case("home", "every call and request fails", case_errors);
  test_case("home", "a power failure after every call", case_crashes);
}
