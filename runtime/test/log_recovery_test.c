/* A recovery that has something to put away, cut at every one of its calls.
 *
 * What it cuts off or replaces goes to quarantine/ first. So after a crash
 * anywhere in it, in every way in which that may end, the bytes are still
 * where they were or are in quarantine/, whole; and what was acknowledged is
 * there as after any other crash. */
#include "test/test.h"

#include <string.h>

#include "test/log_scene.h"

#define STEPS 14u
#define FOUND_LEAST 400u  /* torn tails, and as many bad checkpoints */
#define WAYS_MOST 64u     /* of one crash; more are sampled */
#define KEPT_MAX 4096u

static scene work, torn, cut, left;  /* large: not on the stack */

/* The bytes that must be kept, and where they were. */
static struct {
  char file[TD_FILE_NAME_MAX];
  uint64_t offset;
  uint8_t bytes[KEPT_MAX];
  size_t size;
} kept;

static uint64_t states, moved;

static bool has_bytes(const td_disk_bytes *file, uint64_t offset) {
  return file->size >= offset + kept.size
      && memcmp(file->data + offset, kept.bytes, kept.size) == 0;
}

/* In their place, or as one file of quarantine/. */
static bool are_kept(const td_disk *disk) {
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    const td_disk_name *name = &disk->cached.list[i];
    const td_disk_bytes *file = &disk->inodes[name->inode].cached;
    bool top = name->dir == 0;
    if (top && strcmp(name->text, kept.file) == 0
        && has_bytes(file, kept.offset)) {
      return true;
    }
    if (top) continue;
    if (strcmp(disk->dirs[name->dir - 1].name, "quarantine") != 0) continue;
    if (file->size == kept.size && has_bytes(file, 0)) {
      moved++;
      return true;
    }
  }
  return false;
}

static void report(uint64_t seed, uint64_t call, uint64_t way,
                   const char *wrong) {
  char text[TD_ERROR_TEXT_MAX];
  td_error_format(&left.err, text, sizeof text);
  test_failed(__FILE__, __LINE__, "seed %llu, call %llu, way %llu, %s: %s "
              "(%s)", (unsigned long long)seed, (unsigned long long)call,
              (unsigned long long)way, kept.file, wrong, text);
}

static void check_left(uint64_t seed, uint64_t call, uint64_t way,
                       td_prng *prng) {
  td_disk_crash(&cut.disk, way, prng, &left.disk);
  scene_init_over(&left, &cut);
  states++;
  if (!are_kept(&left.disk)) report(seed, call, way, "bytes are gone");
  const char *wrong = scene_survive(&left);
  if (wrong) report(seed, call, way, wrong);
  if (!are_kept(&left.disk)) report(seed, call, way, "gone in the end");
  scene_deinit(&left);
}

/* The process ends at each call of the recovery of `torn`, and the power
 * fails; behind the last call it has ended by itself. */
static void cut_everywhere(uint64_t seed) {
  td_prng chance = {seed};
  uint64_t calls = UINT64_MAX;
  for (uint64_t call = 1; call <= calls; call++) {
    td_disk_copy(&torn.disk, &cut.disk);
    scene_init_over(&cut, &torn);
    cut.disk.faults.last_call = call;
    td_status status = scene_open(&cut);
    if (cut.disk.counts.calls <= call) calls = call;
    if (calls == call) CHECK(status == TD_OK);
    scene_close(&cut, false);
    if (!are_kept(&cut.disk)) report(seed, call, 0, "gone from the cache");
    uint64_t ways = td_disk_combinations(&cut.disk);
    uint64_t count = ways < WAYS_MOST ? ways : WAYS_MOST;
    for (uint64_t i = 0; i < count; i++) {
      td_prng way_prng = {td_prng_next(&chance)};
      check_left(seed, call, i, ways > WAYS_MOST ? &way_prng : NULL);
    }
    scene_deinit(&cut);
  }
}

/* What a recovery of `torn` will put away. */
static bool note_tail(void) {
  td_disk_copy(&torn.disk, &left.disk);
  scene_init_over(&left, &torn);
  bool found = scene_open(&left) == TD_OK && left.log.recovery.torn;
  td_wal_recovery recovery = left.log.recovery;
  scene_close(&left, false);
  scene_deinit(&left);
  if (!found) return false;
  td_segname_format(recovery.name, kept.file);
  kept.offset = recovery.offset;
  kept.size = (size_t)recovery.cut_bytes;
  const td_disk_bytes *file = td_disk_find(&torn.disk, kept.file);
  td_assert(kept.size <= KEPT_MAX && file->size == kept.offset + kept.size);
  memcpy(kept.bytes, file->data + kept.offset, kept.size);
  return true;
}

/* A bit of one slot, when there are two. The other one may be out of date,
 * also in how the log was closed. */
static bool rot_slot(uint64_t seed) {
  td_prng chance = {seed};
  uint32_t slot = (uint32_t)(seed % 2);
  td_checkpoint_name(torn.options.log.shard, !slot, kept.file);
  if (!td_disk_find(&torn.disk, kept.file)) return false;
  td_checkpoint_name(torn.options.log.shard, slot, kept.file);
  const td_disk_bytes *file = td_disk_find(&torn.disk, kept.file);
  if (!file) return false;
  uint64_t bit = td_prng_below(&chance, file->size * 8);
  file->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
  kept.offset = 0;
  kept.size = file->size;
  memcpy(kept.bytes, file->data, file->size);
  for (uint32_t i = 0; i < torn.disk.inode_count; i++) {
    td_disk_inode *inode = &torn.disk.inodes[i];
    if (&inode->cached != file) continue;
    inode->durable.data[bit / 8] = file->data[bit / 8];
  }
  return true;
}

/* Some crash of some workload, into `torn`. */
static void make_crashed(uint64_t seed) {
  td_prng chance = {~seed};
  scene_init(&work, seed);
  work.disk.faults.last_call = 20 + td_prng_below(&chance, 120);
  scene_run(&work, STEPS);
  scene_close(&work, false);
  td_disk_crash(&work.disk, 0, &chance, &torn.disk);
  scene_init_over(&torn, &work);
}

static void run(bool slots) {
  uint64_t seed = test_seed();
  uint32_t found = 0;
  states = moved = 0;
  while (found < FOUND_LEAST / SCENE_SHARE || test_again()) {
    make_crashed(seed);
    if (slots ? rot_slot(seed) : note_tail()) {
      found++;
      cut_everywhere(seed);
    }
    scene_deinit(&torn);
    scene_deinit(&work);
    seed += 6700417u;
  }
  printf("# %u recoveries, %llu crash states, kept by quarantine %llu\n",
         found, (unsigned long long)states, (unsigned long long)moved);
  CHECK(states > 20000 / SCENE_SHARE && moved > states / 10);
}

static void case_tails(void) { run(false); }
static void case_slots(void) { run(true); }

void test_recovery(void) {
  test_case("recovery", "a torn tail, cut off: a crash at every call",
            case_tails);
  test_case("recovery", "a rotten checkpoint: a crash at every call",
            case_slots);
}
