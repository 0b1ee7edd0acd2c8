/* The simulated disk loses what it should and keeps what it must.
 * Covers sim/disk sim/disk_file sim/disk_crash sim/disk_names. */
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/disk_calls.h"

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

static void write_in(scene *at, td_dir *dir, const char *name) {
  td_file *file = NULL;
  const td_store_class *store = at->env.store;
  CHECK(store->file_create(&at->disk, dir, name, &file) == 0);
  CHECK(store->file_write(&at->disk, file, name, strlen(name), 0) > 0);
  CHECK(store->file_sync(&at->disk, file, true) == 0);
  store->file_close(&at->disk, file);
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
  write_in(&at, at.dir, "c");
  CHECK(at.env.store->dir_unlink(&at.disk, at.dir, "c") == 0);
  write_in(&at, at.dir, "d");
  CHECK_U64(ways_to(&at, "c", "c"), 2);  /* not the bytes of "d" */
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

/* --- the tree ------------------------------------------------------------- */

static td_dir *make_dir(scene *at, td_dir *above, const char *name) {
  td_dir *made = NULL;
  CHECK(at->env.store->dir_make(&at->disk, above, name, &made) == 0);
  return made;
}

static int open_path(scene *at, const char *path) {
  td_dir *dir;
  int result = at->env.store->dir_open(&at->disk, path, &dir);
  if (result == 0) at->env.store->dir_close(&at->disk, dir);
  return result;
}

static void case_paths(void) {
  scene at;
  open_scene(&at);
  td_dir *region = make_dir(&at, at.dir, "r0");
  td_dir *inner = make_dir(&at, region, "quarantine");
  td_dir *other = make_dir(&at, at.dir, "quarantine");
  write_in(&at, inner, "b");
  static const char *const good[] = {
    "", ".", "/", "r0", "r0/", "./r0//quarantine/.", "quarantine",
  };
  static const char *const bad[] = {"r", "r00", "a", "r0/r0", "r0/b", ".."};
  for (uint32_t i = 0; i < 7; i++) CHECK(open_path(&at, good[i]) == 0);
  for (uint32_t i = 0; i < 6; i++) {
    CHECK(open_path(&at, bad[i]) == -TD_SYS_NOENT);
  }
  CHECK(td_disk_find(&at.disk, "r0/quarantine/b")->size == 1);
  CHECK(!td_disk_find(&at.disk, "r0/b"));
  CHECK(!td_disk_find(&at.disk, "quarantine/b"));
  CHECK(!td_disk_find(&at.disk, "r1/b"));
  td_dir *again = make_dir(&at, at.dir, "r0");
  CHECK_U64(again->dir, region->dir);
  CHECK_U64(at.disk.dir_count, 3);
  td_dir *none;
  td_file *file;
  CHECK(at.env.store->dir_make(&at.disk, at.dir, "a", &none)
        == -TD_SYS_NOTDIR);
  CHECK(at.env.store->file_create(&at.disk, at.dir, "r0", &file)
        == -TD_SYS_EXIST);
  td_dir *all[] = {region, inner, other, again};
  for (uint32_t i = 0; i < 4; i++) at.env.store->dir_close(&at.disk, all[i]);
  close_scene(&at);
}

static int count_name(void *ctx, const char *name) {
  uint32_t *seen = ctx;
  *seen += strcmp(name, "b") == 0 ? 1 : 100;
  if (strcmp(name, "retired") == 0) *seen += 900;
  return *seen < 5000;
}

/* Both directories below wait for a sync of the one above: what is in them
 * is there only when both are. */
static void case_tree_crash(void) {
  scene at;
  open_scene(&at);
  CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
  td_dir *first = make_dir(&at, at.dir, "first");
  td_dir *region = make_dir(&at, at.dir, "r0");
  td_dir *inner = make_dir(&at, region, "retired");
  write_in(&at, inner, "b");
  write_in(&at, region, "b");
  CHECK(at.env.store->dir_sync(&at.disk, inner) == 0);
  CHECK(at.env.store->dir_sync(&at.disk, region) == 0);
  CHECK_U64(td_disk_combinations(&at.disk), 4);  /* first, r0 */
  CHECK_U64(ways_to(&at, "r0/retired/b", "b"), 2);
  CHECK_U64(ways_to(&at, "r0/b", "b"), 2);
  for (uint64_t way = 0; way < 4; way++) {
    td_disk left;
    uint32_t dir;
    td_disk_crash(&at.disk, way, NULL, &left);
    CHECK(td_disk_find_dir(&left, "first", &dir) == (way % 2 == 1));
    CHECK(td_disk_find_dir(&left, "r0", &dir) == (way / 2 == 1));
    CHECK(td_disk_find_dir(&left, "r0/retired", &dir) == (way / 2 == 1));
    CHECK(!td_disk_find_dir(&left, "retired", &dir));
    CHECK_U64(left.cached.count, 1 + 2 * (way / 2));
    td_disk_deinit(&left);
  }
  uint32_t seen = 0;
  CHECK(at.env.store->dir_list(&at.disk, region, count_name, &seen) == 0);
  CHECK_U64(seen, 1001);
  CHECK(at.env.store->dir_sync(&at.disk, at.dir) == 0);
  CHECK_U64(td_disk_combinations(&at.disk), 1);
  td_dir *all[] = {first, region, inner};
  for (uint32_t i = 0; i < 3; i++) at.env.store->dir_close(&at.disk, all[i]);
  close_scene(&at);
}

static td_span text_of(const char *text) {
  return (td_span){(const uint8_t *)text, strlen(text)};
}

static bool hashes_equal(const td_disk *a, const td_disk *b) {
  return td_hash128_eq(td_disk_hash(a), td_disk_hash(b));
}

/* More of everything than a list has room for at first, in two orders. */
static void case_many(void) {
  td_disk up, down, copy;
  char path[TD_DISK_NAME_MAX];
  uint32_t dir;
  td_disk_init(&up, heap, 1);
  td_disk_init(&down, heap, 2);
  for (int i = 0; i < 600; i++) {
    snprintf(path, sizeof path, "r%d/retired/%d", i % 70, i);
    CHECK(td_disk_put(&up, path, text_of(path)));
    int back = 599 - i;
    snprintf(path, sizeof path, "r%d/retired/%d", back % 70, back);
    CHECK(td_disk_put(&down, path, text_of(path)));
  }
  CHECK_U64(up.dir_count, 140);
  CHECK_U64(td_disk_find(&up, "r9/retired/569")->size, 14);
  CHECK(hashes_equal(&up, &down));
  td_disk_copy(&up, &copy);
  CHECK(hashes_equal(&up, &copy));
  CHECK(td_disk_put(&copy, "r9/retired/569", text_of("r9/retired/56 ")));
  CHECK(!hashes_equal(&up, &copy));
  CHECK(td_disk_put(&copy, "r9/retired/569", text_of("r9/retired/569")));
  CHECK(hashes_equal(&up, &copy));
  CHECK(!td_disk_put(&copy, "r9/retired", text_of("x")));
  CHECK(!td_disk_put(&copy, "r9/retired/569/x/y", text_of("x")));
  CHECK(hashes_equal(&up, &copy));
  CHECK(td_disk_put(&down, "r9/569", text_of("")));
  CHECK(!hashes_equal(&up, &down));
  CHECK(td_disk_put(&up, "r8/569", text_of("")));
  CHECK(!hashes_equal(&up, &down));
  CHECK(!td_disk_find_dir(&up, "r70", &dir));
  CHECK(td_disk_memory(&up) > 600 * 20);
  td_disk_deinit(&copy);
  td_disk_deinit(&down);
  td_disk_deinit(&up);
}

/* What lies in which directory counts, and empty ones do. */
static void case_hash(void) {
  static const char *const paths[] = {"a", "b", "r0/a", "r0/r1/a", "r1/a"};
  td_disk disks[6];
  for (uint32_t i = 0; i < 6; i++) {
    td_disk_init(&disks[i], heap, i);
    if (i < 5) CHECK(td_disk_put(&disks[i], paths[i], text_of("x")));
    for (uint32_t j = 0; j < i; j++) {
      CHECK(!hashes_equal(&disks[i], &disks[j]));
    }
  }
  td_env env = td_disk_env(&disks[5], heap);
  td_dir *top, *made;
  td_hash128 empty = td_disk_hash(&disks[5]);
  CHECK(env.store->dir_open(&disks[5], "", &top) == 0);
  CHECK(env.store->dir_make(&disks[5], top, "r0", &made) == 0);
  CHECK(!td_hash128_eq(td_disk_hash(&disks[5]), empty));
  env.store->dir_close(&disks[5], made);
  env.store->dir_close(&disks[5], top);
  for (uint32_t i = 0; i < 6; i++) td_disk_deinit(&disks[i]);
}

/* What is put is durable although its name waited. */
static void case_put(void) {
  scene at;
  open_scene(&at);
  CHECK(write_text(&at, "tidal", 0) == 5);
  CHECK(td_disk_put(&at.disk, "a", text_of("put")));
  CHECK_U64(ways_to(&at, "a", "put"), td_disk_combinations(&at.disk));
  close_scene(&at);
}

void test_sim(void) {
  test_case("sim", "paths lead down a tree", case_paths);
  test_case("sim", "a directory waits for the one above", case_tree_crash);
  test_case("sim", "many files and directories", case_many);
  test_case("sim", "a hash of all there is", case_hash);
  test_case("sim", "what is put is safe", case_put);

  test_case("sim", "what is not synced may be gone", case_unsynced);
  test_case("sim", "writes wait sector by sector", case_pieces);
  test_case("sim", "names wait on their own", case_names);
  test_case("sim", "a failed sync, three personalities", case_failed_sync);
  test_case("sim", "full, short, dead", case_faults);
  test_case("sim", "the end of a process keeps the cache", case_copy);
}
