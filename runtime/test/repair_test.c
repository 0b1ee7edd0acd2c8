/* Repair: random damage to logs of a random past. Whatever was done to the
 * directory, afterwards it is sound, the whole part is still there, and no
 * byte is gone. Covers io/wal_repair. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/wal_repair.h"
#include "test/layout_text.h"
#include "test/log_scene.h"
#include "test/test.h"

#define WORLDS 300u
#define TOP 0u
#define QUARANTINE 1u

static scene work;
static scene_model before;   /* what a reader finds up to the damage */
static bool leftovers;       /* ... which is what a truncation left behind */
static uint32_t cuts, moves;

/* --- a directory, and damage to it ---------------------------------------- */

static td_disk_bytes *content(td_disk *disk, const td_disk_name *name) {
  return &disk->inodes[name->inode].cached;
}

static bool is_segment(const td_disk_name *name) {
  td_segname parsed;
  return name->dir == TOP
      && td_segname_parse(name->text, strlen(name->text), &parsed, NULL)
           == TD_OK;
}

static bool is_slot(const td_disk_name *name) {
  return name->dir == TOP && strncmp(name->text, "checkpoint-", 11) == 0
      && !strstr(name->text, ".tmp");
}

/* A file of the wanted kind by chance, or NULL. */
static td_disk_name *pick(td_disk *disk, td_prng *prng,
                          bool wanted(const td_disk_name *)) {
  td_disk_name *found = NULL;
  uint32_t seen = 0;
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    td_disk_name *name = &disk->cached.list[i];
    if (wanted(name) && td_prng_below(prng, ++seen) == 0) found = name;
  }
  return found;
}

static void remove_name(td_disk *disk, td_disk_name *name) {
  td_env env = td_disk_env(disk, work.env.alloc);
  td_dir *dir;
  char text[TD_DISK_NAME_MAX];
  memcpy(text, name->text, sizeof text);
  CHECK(env.store->dir_open(env.store_ctx, "", &dir) == 0);
  CHECK(env.store->dir_unlink(env.store_ctx, dir, text) == 0);
  CHECK(env.store->dir_sync(env.store_ctx, dir) == 0);
  env.store->dir_close(env.store_ctx, dir);
}

static void spoil(td_disk *disk, td_disk_name *name, td_prng *prng) {
  td_disk_inode *inode = &disk->inodes[name->inode];
  td_disk_bytes *bytes = &inode->cached;
  if (bytes->size == 0) return;
  size_t at = (size_t)td_prng_below(prng, bytes->size);
  uint64_t kind = td_prng_below(prng, 4);
  if (kind == 0) {
    bytes->data[at] ^= (uint8_t)(1u << td_prng_below(prng, 8));
  } else if (kind == 1) {
    bytes->size = at;
  } else if (kind == 2) {
    size_t end = at + 1 + (size_t)td_prng_below(prng, 600);
    if (end > bytes->size) end = bytes->size;
    memset(bytes->data + at, 0, end - at);
  } else {
    remove_name(disk, name);
  }
}

static void damage(td_disk *disk, td_prng *prng) {
  uint32_t times = 1 + (uint32_t)td_prng_below(prng, 3);
  for (uint32_t i = 0; i < times; i++) {
    bool slot = td_prng_below(prng, 4) == 0;
    td_disk_name *name = pick(disk, prng, slot ? is_slot : is_segment);
    if (name) spoil(disk, name, prng);
  }
}

/* All that is cached becomes durable; earlier quarantine is left out. */
static void settle(td_disk *disk) {
  td_disk old = *disk;
  td_disk_init(disk, old.alloc, old.prng.state);
  for (uint32_t i = 0; i < old.cached.count; i++) {
    const td_disk_name *name = &old.cached.list[i];
    const td_disk_bytes *bytes = content(&old, name);
    if (name->dir != TOP) continue;
    td_disk_put(disk, name->text, (td_span){bytes->data, bytes->size});
  }
  td_disk_deinit(&old);
}

static void make(uint64_t seed) {
  scene_init(&work, seed);
  scene_run(&work, 30);
  scene_close(&work, td_prng_below(&work.prng, 2));
  damage(&work.disk, &work.prng);
  settle(&work.disk);
}

/* --- what must hold ------------------------------------------------------- */

/* The bytes of `name` from `offset` on stand somewhere in quarantine. */
static bool is_kept(td_disk *disk, const char *name, uint64_t offset,
                    td_span bytes) {
  char start[TD_DISK_NAME_MAX];
  int size = snprintf(start, sizeof start, "%s.%llu.", name,
                      (unsigned long long)offset);
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    const td_disk_name *other = &disk->cached.list[i];
    const td_disk_bytes *copy = content(disk, other);
    if (other->dir == QUARANTINE
        && strncmp(other->text, start, (size_t)size) == 0
        && copy->size == bytes.size
        && (bytes.size == 0
            || memcmp(copy->data, bytes.data, bytes.size) == 0)) {
      return true;
    }
  }
  return false;
}

/* Every byte that was there is there: in its place, or in quarantine. */
static bool nothing_gone(td_disk *was, td_disk *is) {
  for (uint32_t i = 0; i < was->cached.count; i++) {
    const td_disk_name *name = &was->cached.list[i];
    const td_disk_bytes *old = content(was, name);
    if (name->dir != TOP) continue;
    const td_disk_bytes *now = td_disk_find(is, name->text);
    size_t same = now ? now->size : 0;
    if (same > old->size || (same > 0 && memcmp(old->data, now->data, same))) {
      return false;
    }
    td_span rest = {NULL, old->size - same};
    if (rest.size > 0) rest.data = old->data + same;
    if ((rest.size > 0 || !now) && !is_kept(is, name->text, same, rest)) {
      return false;
    }
  }
  return true;
}

static td_status plan(td_wal_dir *dir, td_wal_repair *repair) {
  td_status status = td_wal_dir_list(dir, &work.env, work.home.dir,
                                     &work.err);
  if (status != TD_OK) return status;
  status = td_wal_repair_open(repair, dir, &work.err);
  if (status != TD_OK) td_wal_dir_close(dir);
  return status;
}

/* What a reader finds before the repair. Where he misses a segment and the
 * verifier does not, a checkpoint says that it may have been removed. */
static void read_before(void) {
  td_wal_dir dir;
  td_wal_verifier verifier;
  td_wal_report report;
  td_env env = work.env;
  leftovers = scene_read(&work, &before, &work.err) == TD_MISSING;
  CHECK(td_wal_dir_open(&dir, &env, "", NULL) == TD_OK);
  CHECK(td_wal_verify_open(&verifier, &dir, NULL) == TD_OK);
  while (td_wal_verify_next(&verifier, &report, NULL) == TD_OK) {
    bool same = strcmp(report.err.file, work.err.file) == 0;
    if (same && report.verdict == TD_VERDICT_GAP) leftovers = false;
  }
  td_wal_verify_close(&verifier);
  td_wal_dir_close(&dir);
}

/* Plans, and does all of it unless something fails. */
static td_status mend(void) {
  td_wal_dir dir;
  td_wal_repair repair;
  td_status status = td_wal_home_open(&work.home, &work.env, "", &work.err);
  if (status != TD_OK) return status;
  status = plan(&dir, &repair);
  if (status == TD_OK) {
    for (uint32_t i = 0; i < repair.count && status == TD_OK; i++) {
      cuts += repair.actions[i].mend == TD_WAL_MEND_CUT;
      moves += repair.actions[i].mend == TD_WAL_MEND_MOVE;
      status = td_wal_repair_do(&repair, i, &work.err);
    }
    td_wal_repair_close(&repair);
    td_wal_dir_close(&dir);
  }
  td_wal_home_close(&work.home);
  return status;
}

/* Nothing is left to do, the log opens with the same events, and goes on. */
static const char *check_sound(void) {
  td_wal_dir dir;
  td_wal_repair repair;
  scene_model found;
  CHECK(td_wal_home_open(&work.home, &work.env, "", NULL) == TD_OK);
  CHECK(plan(&dir, &repair) == TD_OK);
  uint32_t left = repair.count;
  td_wal_repair_close(&repair);
  td_wal_dir_close(&dir);
  td_wal_home_close(&work.home);
  if (left > 0) return "something is left to repair";
  if (scene_read(&work, &found, &work.err) != TD_END) return "no reading";
  if (leftovers) before.count = 0;
  if (found.count < before.count) return "a whole batch went";
  for (uint32_t i = 0; i < before.count; i++) {
    if (found.list[i].digest != before.list[i].digest) {
      return "another batch in its place";
    }
  }
  work.model = found;
  return scene_survive(&work);
}

static void lose_power(uint64_t seed) {
  td_disk full = work.disk;
  td_prng prng = {seed};
  td_disk_crash(&full, 0, &prng, &work.disk);
  td_disk_deinit(&full);
}

/* What was done stays done, whatever becomes of the page cache. */
static void case_random(void) {
  cuts = moves = 0;
  for (uint64_t i = 0; i < WORLDS; i++) {
    td_disk was;
    make(test_seed() + i);
    td_disk_copy(&work.disk, &was);
    read_before();
    CHECK(mend() == TD_OK);
    lose_power(test_seed() + i);
    CHECK(nothing_gone(&was, &work.disk));
    const char *wrong = check_sound();
    if (wrong) {
      test_failed(__FILE__, __LINE__, "seed %llu: %s",
                  (unsigned long long)(test_seed() + i), wrong);
    }
    td_disk_deinit(&was);
    scene_deinit(&work);
  }
  printf("# %u worlds, %u cuts, %u files moved\n", WORLDS, cuts, moves);
  CHECK(cuts > 20 && moves > 20);
}

/* A call that fails, or after which the power does: a second try does the
 * rest, and still no byte is gone. */
static void interrupt(uint64_t seed, td_disk_faults faults, bool *reached) {
  td_disk was;
  make(seed);
  td_disk_copy(&work.disk, &was);
  read_before();
  uint64_t start = work.disk.counts.calls;
  work.disk.faults = faults;
  if (faults.fail_call) work.disk.faults.fail_call += start;
  if (faults.last_call) work.disk.faults.last_call += start;
  td_status status = mend();
  uint64_t made = work.disk.counts.calls - start;
  *reached = made >= (faults.fail_call ? faults.fail_call : faults.last_call);
  CHECK(status == TD_OK || *reached);
  CHECK_U64(work.disk.counts.files_open + work.disk.counts.dirs_open, 0);
  CHECK_U64(work.memory.held, 0);
  work.disk.faults = (td_disk_faults){.fail_call = 0};
  if (faults.last_call) lose_power(seed + faults.last_call);
  CHECK(mend() == TD_OK);
  CHECK(nothing_gone(&was, &work.disk));
  const char *wrong = check_sound();
  if (wrong) {
    test_failed(__FILE__, __LINE__, "seed %llu call %llu: %s",
                (unsigned long long)seed,
                (unsigned long long)(faults.fail_call + faults.last_call),
                wrong);
  }
  td_disk_deinit(&was);
  scene_deinit(&work);
}

static void case_interrupted(void) {
  for (uint64_t i = 0; i < 24; i++) {
    bool reached = true;
    for (uint64_t call = 1; reached; call++) {
      interrupt(test_seed() + i, (td_disk_faults){.fail_call = call,
                .fail_sys = TD_SYS_IO}, &reached);
    }
    reached = true;
    for (uint64_t call = 1; reached; call++) {
      interrupt(test_seed() + i, (td_disk_faults){.last_call = call},
                &reached);
    }
  }
}

/* --- what is left alone --------------------------------------------------- */

/* The only action of a world with one more file in it. */
static void check_left(const char *name, td_span bytes, td_verdict verdict) {
  td_wal_dir dir;
  td_wal_repair repair;
  scene_init(&work, test_seed());
  scene_run(&work, 6);
  scene_close(&work, true);
  td_disk_put(&work.disk, name, bytes);
  CHECK(td_wal_home_open(&work.home, &work.env, "", NULL) == TD_OK);
  CHECK(plan(&dir, &repair) == TD_OK);
  CHECK_U64(repair.count, 1);
  CHECK(repair.actions[0].mend == TD_WAL_MEND_LEAVE);
  CHECK(repair.actions[0].verdict == verdict);
  CHECK_TEXT(repair.actions[0].file, name);
  CHECK(td_wal_repair_do(&repair, 0, NULL) == TD_OK);
  CHECK(td_disk_find(&work.disk, name) != NULL);
  CHECK_U64(work.disk.counts.dirs_open, 1);
  td_wal_repair_close(&repair);
  td_wal_repair_close(&repair);
  td_wal_dir_close(&dir);
  td_wal_home_close(&work.home);
  scene_deinit(&work);
}

static void case_left(void) {
  char text[512];
  size_t size = layout_text(text, sizeof text, 7, "hash", 4, NULL);
  text[20] ^= 1;
  check_left("layout-0000000007.json", (td_span){(uint8_t *)text, size},
             TD_VERDICT_CORRUPT);
  check_left("cuts-s00009", (td_span){(uint8_t *)text, 9},
             TD_VERDICT_CORRUPT);
  uint8_t newer[64 + TD_RECORD_BYTES] = {0};
  td_batch head = {.first_seq = {1}, .event_count = 1, .version = 2,
                   .shard = {9}};
  td_span payload = {newer + 64, TD_RECORD_BYTES};
  CHECK(td_batch_seal(&head, payload, newer, NULL) == TD_OK);
  newer[4] = 3;
  memset(newer + 48, 0, 4);
  td_put_u32(newer + 48, (uint32_t)td_hash64((td_span){newer, 64}));
  check_left("wal-s00009-00000000000000000001.seg",
             (td_span){newer, sizeof newer}, TD_VERDICT_UNSUPPORTED);
}

static void case_memory(void) {
  for (uint64_t request = 1;; request++) {
    make(test_seed() + 3);
    read_before();
    work.memory.requests = 0;
    work.memory.fail_request = request;
    td_status status = mend();
    bool all = work.memory.requests < request;
    CHECK(status == TD_OK || status == TD_NO_MEMORY);
    CHECK(all == (status == TD_OK) || status == TD_OK);
    CHECK_U64(work.memory.held, 0);
    work.memory.fail_request = 0;
    CHECK(mend() == TD_OK);
    CHECK(check_sound() == NULL);
    scene_deinit(&work);
    if (all) break;
  }
}

void test_repair(void) {
  test_case("repair", "random damage", case_random);
  test_case("repair", "interrupted at every call", case_interrupted);
  test_case("repair", "what nobody here may touch", case_left);
  test_case("repair", "every request of memory fails", case_memory);
}
