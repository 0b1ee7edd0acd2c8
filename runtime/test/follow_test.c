/* The follower behind a writer: random workloads on the simulated disk, with
 * garbage put above what is durable while it reads; truncation, crashes,
 * segments written anew under it. Covers io/wal_follow. */
#include "test/test.h"

#include <errno.h>
#include <string.h>

#include "format/record.h"
#include "format/segment.h"
#include "io/wal_follow.h"
#include "test/follow_stage.h"
#include "test/log_scene.h"

static scene work, after;         /* large: not on the stack */
static scene_model history;       /* of all that was written, removed or not */
static struct { uint32_t batches, missing, rewritten, inside; } count;

/* A follower and how far it came. */
typedef struct tail {
  td_wal_follow follow;
  uint64_t last;
} tail;

static uint64_t last_of(const scene_batch *batch) {
  return batch->first + batch->events - 1;
}

static void note_history(const scene *at) {
  for (uint32_t i = 0; i < at->model.count; i++) {
    const scene_batch *batch = &at->model.list[i];
    uint32_t known = history.count;
    if (known > 0 && batch->first <= last_of(&history.list[known - 1])) {
      continue;
    }
    td_assert(known < SCENE_BATCHES_MAX);
    history.list[history.count++] = *batch;
  }
}

static void open_tail(tail *at, const scene *over, uint64_t from) {
  CHECK(td_wal_follow_open(&at->follow, &over->env, "", over->options.log,
                           (td_seqno){from}, NULL) == TD_OK);
  at->last = from > 0 ? from - 1 : 0;
}

/* The batch that history has at a number, NULL = none. */
static const scene_batch *batch_at(uint64_t first) {
  for (uint32_t i = 0; i < history.count; i++) {
    if (history.list[i].first == first) return &history.list[i];
  }
  return NULL;
}

/* --- garbage above what is durable -------------------------------------- */

/* Where a segment's durable bytes end. */
static size_t durable_end(td_span bytes, td_segname name, uint64_t durable) {
  td_segment walk = td_segment_init(bytes);
  uint64_t last = name.first_seq.value - 1;
  while (last < durable) {
    td_batch head;
    td_span payload;
    if (td_segment_next(&walk, &head, &payload, NULL) != TD_OK) {
      return bytes.size;  /* it ends before, so all of it is durable */
    }
    last = td_batch_last_seq(&head).value;
  }
  return walk.at;
}

/* Turns every byte above `durable` over; once more turns it back. */
static void turn_over(scene *at, uint64_t durable) {
  for (uint32_t i = 0; i < at->disk.cached.count; i++) {
    td_disk_name *file = &at->disk.cached.list[i];
    td_segname name;
    if (file->dir != 0 || td_segname_parse(file->text, strlen(file->text),
                                           &name, NULL) != TD_OK) continue;
    td_disk_bytes *bytes = &at->disk.inodes[file->inode].cached;
    td_span all = {bytes->data, bytes->size};
    for (size_t b = durable_end(all, name, durable); b < all.size; b++) {
      bytes->data[b] ^= 0xa5;
    }
  }
}

/* --- following ---------------------------------------------------------- */

static void check_batch(tail *at, const td_wal_batch *batch,
                        uint64_t durable) {
  uint64_t first = batch->head.first_seq.value;
  const scene_batch *want = batch_at(first);
  count.batches++;
  CHECK_U64(first, at->last + 1);
  CHECK(want != NULL);
  if (want) {
    CHECK_U64(batch->head.event_count, want->events);
    CHECK_U64(td_hash64(batch->payload), want->digest);
  }
  at->last = td_batch_last_seq(&batch->head).value;
  CHECK(at->last <= durable);
}

/* Follows through `durable`; returns how it ended. */
static td_status follow_to(tail *at, uint64_t durable, td_error *err) {
  td_wal_batch batch;
  td_status status;
  while ((status = td_wal_follow_next(&at->follow, (td_seqno){durable},
                                      &batch, err)) == TD_OK) {
    check_batch(at, &batch, durable);
  }
  return status;
}

/* The log was truncated above the follower: no false alarm, said again, and
 * a new follower starts where the log begins. */
static void check_missing(tail *at, scene *over, const td_error *err) {
  scene_model found;
  td_error again;
  char name[TD_SEGNAME_TEXT_MAX];
  CHECK(scene_read(over, &found, NULL) == TD_END && found.count > 0);
  td_segname first = {over->options.log.shard, {found.list[0].first}};
  td_segname_format(first, name);
  CHECK(found.list[0].first > at->last + 1);
  CHECK_TEXT(err->file, name);
  CHECK_U64(err->offset, 0);
  CHECK_U64(err->got, found.list[0].first);
  CHECK_U64(err->bound, at->last);
  CHECK(follow_to(at, td_wal_log_durable(&over->log).value, &again)
        == TD_MISSING);
  CHECK_TEXT(again.file, name);
  count.missing++;
  td_wal_follow_close(&at->follow);
  open_tail(at, over, found.list[0].first);
}

/* All through `durable`, and nothing above: half of it first. */
static void drain(tail *at, scene *over) {
  td_error err;
  uint64_t durable = td_wal_log_durable(&over->log).value;
  uint64_t half = durable;
  if (durable > at->last) {
    half -= td_prng_below(&over->prng, durable - at->last + 1);
  }
  turn_over(over, durable);
  td_status status = follow_to(at, half, &err);
  const scene_batch *next = batch_at(at->last + 1);
  if (status == TD_END && next && next->first <= half) {
    count.inside++;
    CHECK(last_of(next) > half);
  }
  if (status == TD_END) status = follow_to(at, durable, &err);
  turn_over(over, durable);
  if (status == TD_MISSING) check_missing(at, over, &err);
  else if (status != TD_END) {
    char text[TD_ERROR_TEXT_MAX];
    td_error_format(&err, text, sizeof text);
    test_failed(__FILE__, __LINE__, "%s", text);
  } else {
    CHECK_U64(at->last, durable);
  }
}

/* Steps of a random log, with the follower at its heels or, now and then,
 * behind by some of them. */
static void run_steps(scene *over, tail *at, uint32_t steps, bool lag) {
  for (uint32_t i = 0; i < steps && over->open; i++) {
    if (!scene_step(over)) break;
    if (over->model.lazy && td_prng_below(&over->prng, 4) == 0) {
      CHECK(td_wal_log_sync(&over->log, NULL) == TD_OK);
    }
    note_history(over);
    if (!lag || td_prng_below(&over->prng, 9) == 0) drain(at, over);
  }
  CHECK(over->open && over->status == TD_OK);
  if (over->rewritten) count.rewritten++;
}

static void start_scene(scene *at, uint64_t seed) {
  static const td_sync_policy policies[] = {
    TD_SYNC_ALWAYS, TD_SYNC_ALWAYS, TD_SYNC_UNSAFE_INTERVAL,
    TD_SYNC_UNSAFE_NEVER,
  };
  scene_init(at, seed);
  at->options.sync = policies[seed % 4];
  at->options.sync_interval_ns = 40000;
  at->model.lazy = at->options.sync != TD_SYNC_ALWAYS;
  history.count = 0;
  memset(&count, 0, sizeof count);
  CHECK(scene_open(at) == TD_OK);
}

static void end_scene(scene *at, tail *by) {
  td_wal_follow_close(&by->follow);
  td_wal_follow_close(&by->follow);
  scene_deinit(at);
  CHECK_U64(at->memory.held, 0);
}

static void run_many(uint32_t seeds, bool lag) {
  uint32_t batches = 0, missing = 0, rewritten = 0, inside = 0;
  for (uint32_t i = 0; i < seeds; i++) {
    tail by;
    start_scene(&work, test_seed() + i);
    open_tail(&by, &work, 1);
    run_steps(&work, &by, 70, lag);
    end_scene(&work, &by);
    batches += count.batches;
    missing += count.missing;
    rewritten += count.rewritten;
    inside += count.inside;
  }
  printf("# %u batches, %u numbers inside one, %u fallen behind, "
         "%u segments written anew\n", batches, inside, missing, rewritten);
  CHECK(batches > seeds * 10 && inside > seeds && rewritten > seeds / 2);
  CHECK(lag ? missing > seeds / 20 : missing == 0);
}

static void case_at_its_heels(void) {
  run_many((test_soak() ? 20000 : 1600) / SCENE_SHARE, false);
}

static void case_falls_behind(void) {
  run_many((test_soak() ? 20000 : 1600) / SCENE_SHARE, true);
}

/* --- crashes ------------------------------------------------------------ */

/* From the mark on in what a crash left; the process alone may have died. */
static void go_on(scene *from, uint64_t mark, uint32_t way) {
  tail by;
  uint64_t before = mark;
  if (way == 0) td_disk_copy(&from->disk, &after.disk);
  else td_disk_crash(&from->disk, 0, &from->prng, &after.disk);
  scene_init_over(&after, from);
  CHECK(scene_open(&after) == TD_OK);
  if (!after.open) return;
  CHECK(td_wal_log_durable(&after.log).value >= before);
  history = after.model;
  open_tail(&by, &after, mark + 1);
  drain(&by, &after);
  run_steps(&after, &by, 12, false);
  CHECK(count.missing == 0);
  CHECK(by.last > before);
  end_scene(&after, &by);
}

static void case_crashes(void) {
  uint32_t seeds = (test_soak() ? 8000 : 800) / SCENE_SHARE;
  uint32_t torn = 0;
  for (uint32_t i = 0; i < seeds; i++) {
    tail by;
    start_scene(&work, test_seed() + 7919u * i);
    open_tail(&by, &work, 1);
    run_steps(&work, &by, 20, false);
    work.disk.faults.last_call = work.disk.counts.calls
                               + td_prng_below(&work.prng, 40);
    while (work.open && scene_step(&work)) {}
    note_history(&work);
    work.disk.faults.last_call = 0;
    for (uint32_t way = 0; way < 3; way++) {
      go_on(&work, by.last, way);
      torn += after.torn;
    }
    if (work.open) scene_close(&work, false);
    end_scene(&work, &by);
  }
  printf("# %u crashes, %u tails cut off\n", 3 * seeds, torn);
  CHECK(torn > seeds / 40);
}

/* --- a file that recovery replaced -------------------------------------- */

/* The first 200 bytes of what the writer wrote when it died: garbage, or a
 * right header that ends above the batch that will come there instead. */
static void make_half(uint8_t half[200], uint32_t variant) {
  memset(half, variant & 1 ? 0x5a : 0, 200);
  memcpy(half, "TIDL", variant & 2 ? 4 : 1);
  if (variant < 4) return;
  td_span payload = {half + 8, 9 * TD_RECORD_BYTES};
  td_batch head = {
    .first_seq = {work.log.last_seq.value + 1}, .event_count = 9,
    .version = 2, .shard = work.options.log.shard,
    .region = work.options.log.region,
  };
  CHECK(td_batch_seal(&head, payload, half, NULL) == TD_OK);
}

/* The writer dies in the middle of a batch; its tail is cut off and another
 * batch comes there. The follower has the old file open all the time. */
static void case_old_file(void) {
  static uint8_t half[200];
  for (uint32_t variant = 0; variant < 5; variant++) {
    tail by;
    start_scene(&work, 4 * (test_seed() / 4) + 4 * variant);
    open_tail(&by, &work, 1);
    for (uint32_t i = 0; i < 3; i++) {
      CHECK(scene_append(&work, 2) == TD_OK);
      note_history(&work);
      drain(&by, &work);
    }
    CHECK(by.follow.cursor.file != NULL);
    make_half(half, variant);
    const td_store_class *store = work.env.store;
    CHECK(store->file_write(work.env.store_ctx, work.log.file, half,
                            sizeof half, work.log.end) == sizeof half);
    work.disk.faults.last_call = work.disk.counts.calls;
    scene_close(&work, false);
    work.disk.faults.last_call = 0;
    CHECK(scene_open(&work) == TD_OK && work.torn && work.rewritten);
    for (uint32_t i = 0; i < 9; i++) {
      drain(&by, &work);
      CHECK(scene_append(&work, 3) == TD_OK);
      note_history(&work);
    }
    end_scene(&work, &by);
  }
}

/* --- a writer whose disk fails ------------------------------------------ */

/* What is above the follower and not in the log was never acknowledged. */
static void forget_lost(const scene *at, const tail *by) {
  while (history.count > 0
         && last_of(&history.list[history.count - 1]) > by->last) {
    history.count--;
  }
  note_history(at);
}

static void next_fault(scene *at) {
  static const int32_t codes[] = {EIO, ENOSPC, 0};
  td_disk_faults *faults = &at->disk.faults;
  if (at->disk.counts.calls < faults->fail_call) return;
  faults->fail_call = at->disk.counts.calls + 1
                    + td_prng_below(&at->prng, 40);
  faults->fail_sys = codes[td_prng_below(&at->prng, 3)];
  faults->fail_short = TD_DISK_ONE
                     + (td_disk_short)td_prng_below(&at->prng, 4);
  faults->personality = td_prng_below(&at->prng, 2) ? TD_DISK_EXT4
                                                    : TD_DISK_BTRFS;
}

/* After a failure: a poisoned log is opened anew, over the same cache; the
 * follower keeps its file. */
static void mend(scene *at, const tail *by) {
  at->disk.faults.fail_call = 0;
  if (at->open && at->status == TD_POISONED) scene_close(at, false);
  if (!at->open) CHECK(scene_open(at) == TD_OK);
  forget_lost(at, by);
}

static void case_failing_disk(void) {
  uint32_t seeds = (test_soak() ? 20000 : 1600) / SCENE_SHARE;
  uint32_t mended = 0, unread = 0;
  for (uint32_t i = 0; i < seeds; i++) {
    tail by;
    td_error err;
    start_scene(&work, test_seed() + 31u * i);
    open_tail(&by, &work, 1);
    for (uint32_t step = 0; step < 40; step++) {
      next_fault(&work);
      if (scene_step(&work)) {
        note_history(&work);
      } else {
        mend(&work, &by);
        mended++;
      }
      if (!work.open) break;
      uint64_t durable = td_wal_log_durable(&work.log).value;
      if (follow_to(&by, durable, &err) == TD_END) {
        CHECK_U64(by.last, durable);
        continue;
      }
      CHECK(err.status == TD_IO);
      unread++;
      work.disk.faults.fail_call = 0;
      drain(&by, &work);
    }
    CHECK(work.open);
    CHECK_U64(work.disk.counts.syncs_after_failed, 0);
    work.disk.faults.fail_call = 0;
    end_scene(&work, &by);
  }
  printf("# %u failures of the writer, %u of the follower\n", mended, unread);
  CHECK(mended > seeds && unread > seeds / 10);
}

void test_follow(void) {
  test_case("follow", "at a writer's heels, garbage above", case_at_its_heels);
  test_case("follow", "behind, and fallen behind", case_falls_behind);
  test_case("follow", "a mark goes on behind a crash", case_crashes);
  test_case("follow", "a tail that was cut off and written anew",
            case_old_file);
  test_case("follow", "a writer whose disk fails", case_failing_disk);
  test_follow_places();
  test_follow_faults();
}
