/* The simulated disk loses what it should and keeps what it must.
 * Covers sim/disk sim/disk_file sim/disk_crash. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "sim/disk.h"

static void *resize(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  (void)ctx;
  (void)old_size;
  if (new_size > 0) return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

static const td_alloc heap = {resize, NULL};

typedef struct scene {
  td_disk disk;
  td_env env;
  td_dir *dir;
  td_file *file;
} scene;

static void open_scene(scene *at) {
  td_disk_init(&at->disk, heap, test_seed());
  at->env = td_disk_env(&at->disk, heap);
  CHECK(at->env.store->dir_open(&at->disk, "", &at->dir) == 0);
  CHECK(at->env.store->file_create(&at->disk, at->dir, "a", &at->file) == 0);
}

static void close_scene(scene *at) {
  at->env.store->file_close(&at->disk, at->file);
  at->env.store->dir_close(&at->disk, at->dir);
  td_disk_deinit(&at->disk);
}

static int write_text(scene *at, const char *text, uint64_t offset) {
  return (int)at->env.store->file_write(&at->disk, at->file, text,
                                        strlen(text), offset);
}

/* What one way to crash leaves under a name: NULL = no such file. */
static bool leaves(const scene *at, uint64_t way, const char *name,
                   const char *want) {
  td_disk left;
  td_disk_crash(&at->disk, way, NULL, &left);
  const td_disk_bytes *found = td_disk_find(&left, name);
  size_t size = want ? strlen(want) : 0;
  bool same = want ? found && found->size == size
                       && (size == 0 || memcmp(found->data, want, size) == 0)
                   : !found;
  td_disk_deinit(&left);
  return same;
}

static uint32_t ways_to(const scene *at, const char *name, const char *want) {
  uint32_t count = 0;
  for (uint64_t way = 0; way < td_disk_combinations(&at->disk); way++) {
    if (leaves(at, way, name, want)) count++;
  }
  return count;
}

static void case_unsynced(void) {
  scene at;
  open_scene(&at);
  CHECK(write_text(&at, "tidal", 0) == 5);
  CHECK_U64(td_disk_combinations(&at.disk), 8);  /* name x piece */
  CHECK_U64(ways_to(&at, "a", NULL), 4);
  CHECK_U64(ways_to(&at, "a", ""), 1);
  CHECK_U64(ways_to(&at, "a", "tidal"), 1);
  CHECK(at.env.store->file_sync(&at.disk, at.file, false) == 0);
  CHECK_U64(ways_to(&at, "a", "tidal"), 1);
  CHECK_U64(ways_to(&at, "a", NULL), 1);
  CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
  CHECK_U64(td_disk_combinations(&at.disk), 1);
  CHECK(leaves(&at, 0, "a", "tidal"));
  close_scene(&at);
}

static void case_pieces(void) {
  static char text[1100];
  scene at;
  open_scene(&at);
  memset(text, 'x', sizeof text - 1);
  CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
  CHECK(write_text(&at, text, 100) == 1099);  /* sectors 0, 1, 2 */
  CHECK_U64(td_disk_combinations(&at.disk), 64);
  CHECK(at.env.store->file_sync(&at.disk, at.file, false) == 0);
  CHECK(at.env.store->file_truncate(&at.disk, at.file, 0) == 0);
  CHECK_U64(td_disk_combinations(&at.disk), 2);
  CHECK_U64(ways_to(&at, "a", ""), 1);
  close_scene(&at);
}

static void case_names(void) {
  scene at;
  td_dir *inner = NULL;
  open_scene(&at);
  CHECK(write_text(&at, "new", 0) == 3);
  CHECK(at.env.store->file_sync(&at.disk, at.file, true) == 0);
  td_disk_put(&at.disk, "b", (td_span){(const uint8_t *)"old", 3});
  CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
  CHECK(at.env.store->dir_rename(&at.disk, at.dir, "a", at.dir, "b") == 0);
  CHECK_U64(ways_to(&at, "b", "old"), 1);
  CHECK_U64(ways_to(&at, "b", "new"), 1);
  CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
  CHECK(leaves(&at, 0, "b", "new") && leaves(&at, 0, "a", NULL));
  CHECK(at.env.store->dir_unlink(&at.disk, at.dir, "b") == 0);
  CHECK_U64(ways_to(&at, "b", NULL), 1);
  CHECK(at.env.store->dir_make(&at.disk, at.dir, "inner", &inner) == 0);
  CHECK_U64(td_disk_combinations(&at.disk), 4);
  CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
  CHECK_U64(td_disk_combinations(&at.disk), 1);
  at.env.store->dir_close(&at.disk, inner);
  close_scene(&at);
}

/* After a failed sync the next one succeeds, and what was lost stays so. */
static void case_failed_sync(void) {
  static const struct { td_disk_personality kind; bool keeps; int next; }
  kinds[] = {
    {TD_DISK_EXT4, true, 0}, {TD_DISK_XFS, true, -TD_SYS_IO},
    {TD_DISK_BTRFS, false, 0},
  };
  for (uint32_t i = 0; i < 3; i++) {
    uint32_t lost = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
      scene at;
      td_disk left;
      open_scene(&at);
      at.disk.prng.state = seed;
      CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
      CHECK(write_text(&at, "tidal", 0) == 5);
      at.disk.faults.personality = kinds[i].kind;
      at.disk.faults.fail_call = at.disk.counts.calls + 1;
      at.disk.faults.fail_sys = TD_SYS_IO;
      CHECK(at.env.store->file_sync(&at.disk, at.file, true) == -TD_SYS_IO);
      CHECK(at.env.store->file_sync(&at.disk, at.file, true)
            == kinds[i].next);
      CHECK_U64(at.disk.counts.syncs_after_failed, 1);
      CHECK(td_disk_find(&at.disk, "a")->size == 5 || !kinds[i].keeps);
      CHECK_U64(td_disk_combinations(&at.disk), 1);
      td_disk_crash(&at.disk, 0, NULL, &left);
      lost += td_disk_find(&left, "a")->size == 0;
      td_disk_deinit(&left);
      close_scene(&at);
    }
    CHECK(lost > 5 && lost < 35);
  }
}

static void case_faults(void) {
  scene at;
  open_scene(&at);
  at.disk.faults = (td_disk_faults){.capacity = 7};
  CHECK(write_text(&at, "tidal", 0) == 5);
  CHECK(write_text(&at, "tidal", 5) == 2);
  CHECK(write_text(&at, "tidal", 7) == -TD_SYS_NOSPC);
  CHECK(write_text(&at, "TIDAL", 0) == 5);
  CHECK(at.env.store->file_truncate(&at.disk, at.file, 0) == 0);
  static const struct { td_disk_short how; int want; } lengths[] = {
    {TD_DISK_ONE, 1}, {TD_DISK_HALF, 3}, {TD_DISK_BUT_ONE, 4},
    {TD_DISK_NOTHING, 0}, {TD_DISK_WHOLE, 5},
  };
  for (uint32_t i = 0; i < 5; i++) {
    at.disk.faults = (td_disk_faults){
      .fail_call = at.disk.counts.calls + 1, .fail_short = lengths[i].how,
    };
    CHECK(write_text(&at, "tidal", 0) == lengths[i].want);
    CHECK(write_text(&at, "tidal", 0) == 5);
  }
  at.disk.faults = (td_disk_faults){.last_call = at.disk.counts.calls};
  CHECK(write_text(&at, "xxxxx", 0) == -TD_SYS_IO);
  CHECK(memcmp(td_disk_find(&at.disk, "a")->data, "tidal", 5) == 0);
  at.disk.faults = (td_disk_faults){.fail_call = at.disk.counts.calls + 1,
                                    .fail_sys = TD_SYS_IO};
  CHECK(write_text(&at, "xxxxx", 0) == -TD_SYS_IO);
  CHECK_U64(at.disk.counts.writes_after_failed, 0);
  CHECK(write_text(&at, "xxxxx", 0) == 5);
  CHECK_U64(at.disk.counts.writes_after_failed, 1);
  close_scene(&at);
}

/* The process ends, the cache stays: what was not synced still waits. */
static void case_copy(void) {
  scene at;
  td_disk copy;
  td_file *held = NULL, *other = NULL;
  open_scene(&at);
  CHECK(write_text(&at, "tidal", 0) == 5);
  CHECK(at.env.store->dir_lock(&at.disk, at.dir, "LOCK", &held) == 0);
  CHECK(at.env.store->dir_lock(&at.disk, at.dir, "LOCK", &other)
        == -TD_SYS_AGAIN);
  td_disk_copy(&at.disk, &copy);
  CHECK_U64(td_disk_combinations(&copy), td_disk_combinations(&at.disk));
  CHECK(td_disk_find(&copy, "a")->size == 5);
  CHECK(!copy.inodes[1].locked && copy.counts.files_open == 0);
  td_disk_deinit(&copy);
  at.env.store->file_close(&at.disk, held);
  close_scene(&at);
}

void test_sim(void) {
  test_case("sim", "what is not synced may be gone", case_unsynced);
  test_case("sim", "writes wait sector by sector", case_pieces);
  test_case("sim", "names wait on their own", case_names);
  test_case("sim", "a failed sync, three personalities", case_failed_sync);
  test_case("sim", "full, short, dead", case_faults);
  test_case("sim", "the end of a process keeps the cache", case_copy);
}
