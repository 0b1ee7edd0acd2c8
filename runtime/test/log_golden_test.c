/* The golden directories opened for writing, on a simulated disk: damaged
 * ones are refused with the verdict of the reference and left as they are,
 * healthy ones and torn ones go on. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "test/log_scene.h"

#define PATH_TEXT_MAX 512u

static scene work;  /* large: not on the stack */

static const struct {
  const char *dir;
  uint16_t region, shard;
  td_status status;
  const char *file;    /* "" = the log opens */
  uint64_t offset;
  bool torn;
} logs[] = {
  {"v1-single", 0, 0, TD_OK, "", 0, false},
  {"v2-five-shards", 0, 0, TD_OK, "", 0, false},
  {"v2-five-shards", 1, 1, TD_OK, "", 0, false},
  {"v2-five-shards", 1, 2, TD_OK, "", 0, false},
  {"v2-five-shards", 1, 3, TD_OK, "", 0, false},
  {"v2-five-shards", 1, 4, TD_OK, "", 0, false},
  {"damaged/zero-tail", 0, 0, TD_OK, "", 0, false},
  {"damaged/torn-header", 0, 0, TD_OK, "wal-00000000000000000374.seg", 3320,
   true},
  {"damaged/torn-payload", 0, 0, TD_OK, "wal-00000000000000000301.seg", 4328,
   true},
  {"damaged/flip-in-middle", 0, 0, TD_CORRUPT,
   "wal-00000000000000000332.seg", 0, false},
  {"damaged/flip-in-sealed", 0, 0, TD_CORRUPT,
   "wal-00000000000000000001.seg", 4328, false},
  {"damaged/cut-sealed", 1, 2, TD_CORRUPT,
   "wal-s00002-00000000000000000001.seg", 5295, false},
  {"damaged/missing-segment", 0, 3, TD_MISSING,
   "wal-s00003-00000000000000000592.seg", 0, false},
  {"damaged/wrong-name", 1, 4, TD_MISMATCH,
   "wal-s00004-00000000000000000001.seg", 0, false},
  {"damaged/version-3", 0, 0, TD_UNSUPPORTED,
   "wal-00000000000000000301.seg", 5400, false},
  {"damaged/v1-with-tags", 0, 0, TD_RESERVED,
   "wal-00000000000000000344.seg", 4959, false},
};

static void load_file(const char *path, const char *name) {
  static uint8_t bytes[1u << 21];
  FILE *file = fopen(path, "rb");
  CHECK(file);
  if (!file) return;
  size_t size = fread(bytes, 1, sizeof bytes, file);
  CHECK(size < sizeof bytes);
  fclose(file);
  td_disk_put(&work.disk, name, (td_span){bytes, size});
}

static void load_dir(const char *name) {
  char path[PATH_TEXT_MAX];
  const char *root = getenv("TIDAL_GOLDEN");
  if (!root) root = "spec/golden";
  snprintf(path, sizeof path, "%s/%s", root, name);
  DIR *dir = opendir(path);
  CHECK(dir);
  const struct dirent *entry;
  while (dir && (entry = readdir(dir))) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s/%.64s", root, name, entry->d_name);
    load_file(path, entry->d_name);
  }
  if (dir) closedir(dir);
}

/* All names and bytes in one number. */
static uint64_t fingerprint(void) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < work.disk.cached.count; i++) {
    const td_disk_name *name = &work.disk.cached.list[i];
    const td_disk_bytes *bytes = &work.disk.inodes[name->inode].cached;
    if (strcmp(name->text, "LOCK") == 0) continue;
    td_span text = {(const uint8_t *)name->text, strlen(name->text)};
    sum += td_hash64(text) ^ td_hash64((td_span){bytes->data, bytes->size});
  }
  return sum;
}

static void check_opens(size_t i) {
  td_seqno first = {0};
  td_record record = {{1}, 2, 3.0f, 4};
  td_wal_recovery found = work.log.recovery;
  CHECK(found.torn == logs[i].torn);
  if (logs[i].torn) CHECK_U64(found.offset, logs[i].offset);
  uint64_t last = td_wal_log_durable(&work.log).value;
  CHECK(td_wal_log_append(&work.log, &record, 1, &first, NULL) == TD_OK);
  CHECK_U64(first.value, last + 1);
  CHECK(td_wal_log_close(&work.log, true, NULL) == TD_OK);
  CHECK(td_wal_log_open(&work.log, &work.home, &work.options, NULL) == TD_OK);
  CHECK(work.log.recovery.clean && !work.log.recovery.torn);
  CHECK_U64(td_wal_log_durable(&work.log).value, last + 1);
  CHECK(td_wal_log_close(&work.log, true, NULL) == TD_OK);
}

static void case_golden(void) {
  for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
    scene_init(&work, 1);
    work.options = td_wal_options_init((td_log_id){{logs[i].region},
                                                   {logs[i].shard}});
    work.options.group_delay_ns = 0;
    load_dir(logs[i].dir);
    uint64_t before = fingerprint();
    CHECK(td_wal_home_open(&work.home, &work.env, "", NULL) == TD_OK);
    td_status status = td_wal_log_open(&work.log, &work.home, &work.options,
                                       &work.err);
    if (status != logs[i].status) {
      test_failed(__FILE__, __LINE__, "%s s%u: %s", logs[i].dir,
                  logs[i].shard, td_status_code(status));
    }
    if (status == TD_OK) {
      check_opens(i);
    } else {
      CHECK_TEXT(work.err.file, logs[i].file);
      CHECK_U64(work.err.offset, logs[i].offset);
      CHECK_U64(fingerprint(), before);
    }
    td_wal_home_close(&work.home);
    CHECK(work.memory.held == 0);
    scene_deinit(&work);
  }
}

void test_log_golden(void) {
  test_case("log", "golden directories get their verdicts", case_golden);
}
