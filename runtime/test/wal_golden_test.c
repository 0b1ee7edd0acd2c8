/* Covers io/env_posix io/panic_posix.
 * Logs on a real disk: the golden directories, and what is not a plain file.
 * And where a broken promise ends. */
#include "test/test.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "io/env_posix.h"
#include "test/log_maker.h"

#define PATH_TEXT_MAX 512u

static void golden_path(char *out, const char *name) {
  const char *root = getenv("TIDAL_GOLDEN");
  snprintf(out, PATH_TEXT_MAX, "%s/%s", root ? root : "spec/golden", name);
}

static bool open_golden(td_wal_dir *dir, const char *name) {
  char path[PATH_TEXT_MAX];
  td_env env = td_env_posix();
  td_error err;
  golden_path(path, name);
  bool opened = td_wal_dir_open(dir, &env, path, &err) == TD_OK;
  if (!opened) {
    char text[TD_ERROR_TEXT_MAX];
    td_error_format(&err, text, sizeof text);
    test_failed(__FILE__, __LINE__, "cannot open %s: %s", path, text);
  }
  return opened;
}

/* Batches, events and a hash over all headers of every healthy golden log;
 * numbers of the independent reference implementation. */
static const struct {
  const char *dir;
  uint16_t shard, region;
  uint32_t segments, batches;
  uint64_t events, digest;
} healthy[] = {
  {"v1-single", 0, 0, 4, 442, 40000, UINT64_C(0x119f44379a372758)},
  {"v2-five-shards", 0, 0, 2, 37, 3000, UINT64_C(0x93185fa0525d76b8)},
  {"v2-five-shards", 1, 1, 3, 40, 3500, UINT64_C(0x767014ca87fd2497)},
  {"v2-five-shards", 2, 1, 3, 47, 4000, UINT64_C(0xc770731100a3a1ed)},
  {"v2-five-shards", 3, 1, 4, 51, 4500, UINT64_C(0xdc863d93ec415e75)},
  {"v2-five-shards", 4, 1, 4, 56, 5000, UINT64_C(0x07023c3086194833)},
  {"damaged/zero-tail", 0, 0, 2, 8, 600, UINT64_C(0xc6205008a465c362)},
};

static void case_golden(void) {
  for (size_t i = 0; i < sizeof healthy / sizeof *healthy; i++) {
    td_wal_dir dir;
    log_walk walk;
    uint32_t first;
    if (!open_golden(&dir, healthy[i].dir)) continue;
    CHECK_U64(td_wal_dir_log(&dir, (td_shard_id){healthy[i].shard}, &first),
              healthy[i].segments);
    CHECK(dir.segments[first].name.shard.value == healthy[i].shard);
    walk_log(&walk, &dir, healthy[i].shard, 0);
    CHECK(walk.err.status == TD_END);
    CHECK_U64(walk.batches, healthy[i].batches);
    CHECK_U64(walk.events, healthy[i].events);
    CHECK_U64(walk.first, 1);
    CHECK_U64(walk.last, healthy[i].events);
    CHECK_U64(walk.digests[walk.batches], healthy[i].digest);
    td_wal_dir_close(&dir);
  }
}

static void case_golden_regions(void) {
  for (size_t i = 0; i < sizeof healthy / sizeof *healthy; i++) {
    td_wal_dir dir;
    td_wal_cursor cursor;
    td_wal_batch batch;
    uint32_t v1 = 0, v2 = 0;
    if (!open_golden(&dir, healthy[i].dir)) continue;
    td_shard_id shard = {healthy[i].shard};
    CHECK(td_wal_cursor_open(&cursor, &dir, shard, (td_seqno){1}, NULL)
          == TD_OK);
    while (td_wal_cursor_next(&cursor, &batch, NULL) == TD_OK) {
      CHECK(batch.head.region.value == healthy[i].region);
      CHECK(batch.head.shard.value == healthy[i].shard);
      CHECK(batch.segment < dir.segment_count);
      if (batch.head.version == 1) v1++; else v2++;
    }
    /* Shard 0 of the five goes from v1 to v2 in the middle of a segment. */
    bool mixed = healthy[i].events == 3000;
    CHECK(mixed ? v1 > 0 && v2 > 0 : v1 == 0 || v2 == 0);
    td_wal_cursor_close(&cursor);
    td_wal_dir_close(&dir);
  }
}

/* Statuses by FORMAT.md; file and offset stand in damaged/expect.json. A cut
 * batch is TD_SHORT whether a segment follows or not: the verdict "torn" or
 * "corrupt" is for the one who knows what else there is. */
static const struct {
  const char *dir;
  td_status status;
  uint64_t got, bound;  /* UINT64_MAX = not pinned */
  uint32_t batches;     /* of all logs, before the fault */
} damaged[] = {
  {"torn-header", TD_SHORT, 30, 64, 6},
  {"torn-payload", TD_SHORT, 5, 2100, 5},
  {"flip-in-middle", TD_PAYLOAD_HASH, UINT64_MAX, UINT64_MAX, 4},
  {"flip-in-sealed", TD_HEADER_HASH, UINT64_C(0xc02b51e8), UINT64_MAX, 2},
  {"cut-sealed", TD_SHORT, 10, 64, 3},
  {"missing-segment", TD_MISSING, 592, 305, 4},
  {"wrong-name", TD_MISMATCH, 2, 4, 3},
  {"version-3", TD_UNSUPPORTED, 3, 2, 6},
  {"v1-with-tags", TD_RESERVED, UINT64_MAX, 0, 7},
};

/* The file and offset that expect.json gives for one directory. */
static bool read_expected(const char *json, const char *name, char *file,
                          uint64_t *offset) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\": {", name);
  const char *at = strstr(json, key);
  const char *number = at ? strstr(at, "\"offset\": ") : NULL;
  at = at ? strstr(at, "\"file\": \"") : NULL;
  if (!at || !number) return false;
  at += strlen("\"file\": \"");
  snprintf(file, TD_FILE_NAME_MAX, "%.*s", (int)strcspn(at, "\""), at);
  *offset = strtoull(number + strlen("\"offset\": "), NULL, 10);
  return true;
}

static void read_expect_json(char *out, size_t size) {
  char path[PATH_TEXT_MAX];
  golden_path(path, "damaged/expect.json");
  FILE *in = fopen(path, "rb");
  size_t count = in ? fread(out, 1, size - 1, in) : 0;
  CHECK(count > 0);
  out[count] = '\0';
  if (in) fclose(in);
}

/* Walks every log of a directory; keeps the last one that did not end well.
 * Returns how many did not. */
static uint32_t walk_all(log_walk *bad, uint32_t *batches,
                         const td_wal_dir *dir) {
  uint32_t faults = 0;
  *batches = 0;
  for (uint32_t i = 0; i < dir->segment_count;) {
    log_walk walk;
    uint32_t first;
    td_shard_id shard = dir->segments[i].name.shard;
    walk_log(&walk, dir, shard.value, 0);
    *batches += walk.batches;
    if (walk.err.status != TD_END) {
      faults++;
      *bad = walk;
    }
    i += td_wal_dir_log(dir, shard, &first);
  }
  return faults;
}

static void case_damaged(void) {
  char json[8192];
  read_expect_json(json, sizeof json);
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    char path[64], file[TD_FILE_NAME_MAX];
    uint64_t offset = 0;
    uint32_t batches;
    log_walk walk = {.batches = 0};
    td_wal_dir dir;
    snprintf(path, sizeof path, "damaged/%s", damaged[i].dir);
    if (!open_golden(&dir, path)) continue;
    CHECK(read_expected(json, damaged[i].dir, file, &offset));
    CHECK_U64(walk_all(&walk, &batches, &dir), 1);
    check_fault(&walk, damaged[i].status, file, offset, walk.batches);
    CHECK_U64(batches, damaged[i].batches);
    if (damaged[i].got != UINT64_MAX) {
      CHECK_U64(walk.err.got, damaged[i].got);
    }
    if (damaged[i].bound != UINT64_MAX) {
      CHECK_U64(walk.err.bound, damaged[i].bound);
    }
    td_wal_dir_close(&dir);
  }
}


/* The shell makes what C's own library cannot. */
static void case_not_plain(void) {
  static const struct { const char *make; int sys; } things[] = {
    {"mkdir", EISDIR}, {"mkfifo", EINVAL}, {"ln -s ../wal-target", ELOOP},
    {"ln -s nothing", ELOOP}, {"touch", 0},
  };
  td_env env = td_env_posix();
  for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
    char command[PATH_TEXT_MAX];
    td_wal_dir dir;
    td_error err = {.status = TD_OK};
    snprintf(command, sizeof command,
             "rm -rf build/wal-test && mkdir -p build/wal-test"
             " && : > build/wal-target && %s "
             "build/wal-test/wal-00000000000000000001.seg", things[i].make);
    CHECK(system(command) == 0);
    td_status status = td_wal_dir_open(&dir, &env, "build/wal-test/", &err);
    CHECK(status == (things[i].sys ? TD_IO : TD_OK));
    CHECK(err.sys == things[i].sys);
    if (things[i].sys) {
      CHECK_TEXT(err.file, "wal-00000000000000000001.seg");
      CHECK_U64(err.offset, 0);
    }
    td_wal_dir_close(&dir);
  }
  CHECK(system("rm -rf build/wal-test build/wal-target") == 0);
}

static void case_no_directory(void) {
  td_env env = td_env_posix();
  td_wal_dir dir;
  td_error err;
  CHECK(td_wal_dir_open(&dir, &env, "build/wal-none/", &err) == TD_IO);
  CHECK(err.sys == ENOENT);
  CHECK_TEXT(err.file, "wal-none");
  CHECK_U64(err.offset, TD_NO_OFFSET);
  td_wal_dir_close(&dir);
  char path[PATH_TEXT_MAX];
  golden_path(path, "vectors.json");
  CHECK(td_wal_dir_open(&dir, &env, path, &err) == TD_IO);
  CHECK(err.sys == ENOTDIR);
  CHECK_TEXT(err.file, "vectors.json");
}

static jmp_buf behind_abort;

static void leave_abort(int number) {
  (void)number;
  longjmp(behind_abort, 1);
}

/* td_panic calls abort(), in every build; its line goes to stderr. */
static void case_panic(void) {
  volatile bool came_back = false;
  void (*before)(int) = signal(SIGABRT, leave_abort);
  CHECK(before != SIG_ERR);
  if (setjmp(behind_abort) == 0) {
    td_panic("wal_golden_test.c", 1, "planned: a test breaks this one");
  } else {
    came_back = true;
  }
  CHECK(came_back);
  (void)signal(SIGABRT, before);
}

void test_wal_golden(void) {
  test_case("wal", "golden logs: counts, order, every header", case_golden);
  test_case("wal", "golden logs: regions and versions", case_golden_regions);
  test_case("wal", "damaged logs: file, offset, status", case_damaged);
  test_case("wal", "links, fifos, directories are no segments",
            case_not_plain);
  test_case("wal", "a directory that is none", case_no_directory);
  test_case("wal", "a broken promise ends in abort", case_panic);
}
