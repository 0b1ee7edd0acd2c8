/* Logs as they lie there, in another directory.
 * Covers flow/clone. */
#include <string.h>

#include "flow/clone.h"
#include "test/home_world.h"

#define EVENTS 60u
#define TARGET "there"

static uint64_t id_of(uint32_t i) {
  return world_id(i % LOGS, UINT64_MAX - 1000u * i);
}

static void fill(void) {
  world_begin();
  CHECK(world_open(world_layout(7, "hash", NULL)) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) CHECK(world_open_log(s) == TD_OK);
  for (uint32_t i = 0; i < EVENTS; i++) {
    CHECK(world_append(i % LOGS, id_of(i)) == TD_OK);
  }
  td_wal_dir dir = {.env = at.env, .dir = at.home.dir, .borrowed = true};
  CHECK(td_wal_cut_log(&dir, (td_log_id){{2}, {1}}, (td_cut){{3}, 9}, NULL)
        == TD_OK);
  world_close();
}

static td_status copy(uint64_t *bytes) {
  td_clone clone;
  td_status status = world_open(world_layout(7, "hash", NULL));
  if (status != TD_OK) return status;
  status = td_clone_open(&clone, &at.home, "", TARGET, false,
                                   &at.err);
  if (status == TD_OK) {
    while (status == TD_OK) status = td_clone_step(&clone, 100, &at.err);
    *bytes = clone.bytes;
    td_clone_close(&clone);
    td_clone_close(&clone);
  }
  td_wal_home_close(&at.home);
  return status == TD_END ? TD_OK : status;
}

/* Every segment, cut and layout of the copy is the beginning of the file it
 * was made of, which has only zeros behind it. Returns how many there are. */
static uint32_t compare(bool all) {
  td_wal_dir dir;
  td_env env = td_disk_env(&at.disk, world_plain());
  uint32_t files = 0;
  CHECK(td_wal_dir_open(&dir, &env, "", NULL) == TD_OK);
  for (uint32_t i = 0; i < dir.segment_count + 2; i++) {
    char name[64], path[80];
    if (i < dir.segment_count) td_segname_format(dir.segments[i].name, name);
    else strcpy(name, i == dir.segment_count ? "cuts-s00001"
                                             : "layout-0000000007.json");
    snprintf(path, sizeof path, TARGET "/%s", name);
    const td_disk_bytes *from = td_disk_find(&at.disk, name);
    const td_disk_bytes *to = td_disk_find(&at.disk, path);
    CHECK(!all || to);
    if (!to) continue;
    files++;
    CHECK(to->size > 0 && to->size <= from->size);
    CHECK(memcmp(from->data, to->data, to->size) == 0);
    for (size_t k = to->size; k < from->size; k++) CHECK(from->data[k] == 0);
  }
  td_wal_dir_close(&dir);
  return files;
}

static void case_copy(void) {
  uint64_t bytes = 0, again = 0;
  fill();
  CHECK(copy(&bytes) == TD_OK);
  CHECK(compare(true) > LOGS + 2);
  CHECK_U64(bytes, EVENTS * (TD_BATCH_HEADER_BYTES + TD_RECORD_BYTES));
  /* Again: only the last segments. */
  CHECK(copy(&again) == TD_OK);
  CHECK(again > 0 && again < bytes / 2);
  CHECK(compare(true) > LOGS + 2);
  CHECK(!td_disk_find(&at.disk, TARGET "/clone.tmp"));
  world_end();
}

/* A copy that begins does not mix with an earlier one; one that goes on
 * writes anew what has another size. */
static void case_earlier(void) {
  td_clone clone;
  uint64_t bytes;
  fill();
  CHECK(copy(&bytes) == TD_OK);
  CHECK(world_open(world_layout(7, "hash", NULL)) == TD_OK);
  CHECK(td_clone_open(&clone, &at.home, "", TARGET, true, &at.err)
        == TD_OCCUPIED);
  CHECK_TEXT(at.err.file, TARGET);
  td_wal_home_close(&at.home);
  const td_disk_bytes *file = td_disk_find(
    &at.disk, TARGET "/wal-00000000000000000001.seg");
  td_span half = {file->data, file->size / 2};
  uint8_t kept[1024];
  CHECK(half.size < sizeof kept);
  memcpy(kept, half.data, half.size);
  CHECK(td_disk_put(&at.disk, TARGET "/wal-00000000000000000001.seg",
                    (td_span){kept, half.size}));
  uint64_t again = 0;
  CHECK(copy(&again) == TD_OK);
  CHECK(again > bytes / LOGS);
  file = td_disk_find(&at.disk, TARGET "/wal-00000000000000000001.seg");
  CHECK(file->size > half.size);
  compare(true);
  world_end();
}

/* A log that is open is copied as far as it is on disk. */
static void case_open(void) {
  td_wal_options options = td_wal_options_init((td_log_id){{2}, {0}});
  td_record record = {{id_of(0)}, 1, 1.0f, 7};
  td_clone clone;
  world_begin();
  options.sync = TD_SYNC_UNSAFE_NEVER;
  options.group_delay_ns = 0;
  CHECK(world_open(world_layout(7, "hash", NULL)) == TD_OK);
  CHECK(td_wal_log_open(&at.logs[0], &at.home, &options, NULL) == TD_OK);
  for (uint32_t i = 0; i < 3; i++) {
    CHECK(td_wal_log_append(&at.logs[0], &record, 1, NULL, NULL) == TD_OK);
    if (i == 0) CHECK(td_wal_log_sync(&at.logs[0], NULL) == TD_OK);
  }
  CHECK(td_clone_open(&clone, &at.home, "", TARGET, true, NULL) == TD_OK);
  CHECK(td_clone_step(&clone, 1000, NULL) == TD_END);
  CHECK_U64(clone.bytes, TD_BATCH_HEADER_BYTES + TD_RECORD_BYTES);
  td_clone_close(&clone);
  CHECK(td_clone_open(&clone, &at.home, "nowhere", TARGET, false,
                      NULL) == TD_IO);
  world_close();
  world_end();
}

static void case_crash(void) {
  td_prng prng = {test_seed()};
  bool reached = true;
  for (uint64_t call = 1; reached; call++) {
    uint64_t bytes;
    fill();
    uint64_t last = at.disk.counts.calls + call;
    at.disk.faults.last_call = last;
    (void)copy(&bytes);
    reached = at.disk.counts.calls >= last;
    at.disk.faults = (td_disk_faults){.last_call = 0};
    td_disk after, whole = at.disk;
    td_disk_crash(&whole, 0, &prng, &after);
    at.disk = after;
    world_attach();
    compare(false);
    CHECK(copy(&bytes) == TD_OK);
    compare(true);
    td_disk_deinit(&at.disk);
    at.disk = whole;
    world_attach();
    world_end();
  }
}

static void case_errors(void) {
  static const int32_t errors[] = {TD_SYS_IO, TD_SYS_NOSPC};
  for (uint32_t e = 0; e < 2; e++) {
    bool reached = true;
    for (uint64_t call = 1; reached; call++) {
      uint64_t bytes;
      fill();
      uint64_t last = at.disk.counts.calls + call;
      at.disk.faults = (td_disk_faults){.fail_call = last,
                                        .fail_sys = errors[e]};
      td_status status = copy(&bytes);
      reached = at.disk.counts.calls >= last;
      at.disk.faults = (td_disk_faults){.fail_call = 0};
      compare(status == TD_OK);
      CHECK(copy(&bytes) == TD_OK);
      compare(true);
      world_end();
    }
  }
}

static void case_memory(void) {
  bool reached = true;
  for (uint64_t request = 1; reached; request++) {
    uint64_t bytes;
    fill();
    at.requests = 0;
    at.fail_request = request;
    td_status status = copy(&bytes);
    reached = at.requests >= request;
    at.fail_request = 0;
    CHECK(status == TD_OK || status == TD_NO_MEMORY);
    compare(status == TD_OK);
    world_end();
  }
}

void test_clone(void) {
  test_case("clone", "segments, cuts and layouts, byte for byte", case_copy);
  test_case("clone", "a log that is open", case_open);
  test_case("clone", "an earlier copy is there", case_earlier);
  test_case("clone", "a power failure behind every call", case_crash);
  test_case("clone", "every call fails", case_errors);
  test_case("clone", "every request for memory fails", case_memory);
}
