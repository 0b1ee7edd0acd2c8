/* A directory under a layout, and several logs in it. Covers io/wal_home and
 * td_wal_append_all. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "io/wal_live.h"
#include "io/wal_log.h"
#include "sim/disk.h"
#include "test/layout_text.h"

#define LOGS 3u

static const char HALVES[] =
  "[{\"shard\":0,\"first\":\"0x0000000000000000\","
  "\"last\":\"0x7fffffffffffffff\"},"
  "{\"shard\":1,\"first\":\"0x8000000000000000\","
  "\"last\":\"0xffffffffffffffff\"}]";

/* A world: a disk, a home on it, and its logs r2:s0 .. r2:s2. */
typedef struct world {
  td_disk disk;
  td_env env;
  td_wal_home home;
  td_wal_log logs[LOGS];
  uint32_t held;
  uint64_t requests, fail_request;
  td_error err;
} world;

static world at;

static void *resize(void *ctx, void *ptr, size_t old_size, size_t size) {
  (void)ctx;
  (void)old_size;
  if (size == 0) {
    at.held -= ptr != NULL;
    free(ptr);
    return NULL;
  }
  if (++at.requests == at.fail_request) return NULL;
  at.held += ptr == NULL;
  return realloc(ptr, size);
}

static void *plain(void *ctx, void *ptr, size_t old_size, size_t size) {
  (void)ctx;
  (void)old_size;
  if (size > 0) return realloc(ptr, size);
  free(ptr);
  return NULL;
}

static void attach(void) {
  at.env = td_disk_env(&at.disk, (td_alloc){resize, NULL});
}

static void begin(void) {
  memset(&at, 0, sizeof at);
  td_disk_init(&at.disk, (td_alloc){plain, NULL}, test_seed());
  attach();
}

static void end(void) {
  td_disk_deinit(&at.disk);
  CHECK_U64(at.held, 0);
}

/* Good until the fourth call from now. */
static td_span text(uint32_t epoch, const char *strategy,
                    const char *ranges) {
  static char out[4][1024];
  static uint32_t next;
  char *room = out[next++ % 4];
  size_t size = layout_text(room, sizeof out[0], epoch, strategy,
                            ranges ? 2 : LOGS, ranges);
  return (td_span){(const uint8_t *)room, size};
}

/* Opens the directory and puts it under a layout (empty = none). */
static td_status open_home(td_span layout) {
  td_status status = td_wal_home_open(&at.home, &at.env, "", &at.err);
  if (status == TD_OK && layout.size > 0) {
    status = td_wal_home_adopt(&at.home, layout, &at.err);
    if (status != TD_OK) td_wal_home_close(&at.home);
  }
  return status;
}

static td_status open_log(uint32_t shard) {
  td_wal_options options = td_wal_options_init((td_log_id){
    {2}, {(uint16_t)shard}});
  options.group_delay_ns = 0;
  options.ahead_bytes = 512;
  options.segment_bytes = 700;
  return td_wal_log_open(&at.logs[shard], &at.home, &options, &at.err);
}

static td_status append(uint32_t shard, uint64_t entity) {
  td_record record = {{entity}, 1, 1.0f, 7};
  return td_wal_log_append(&at.logs[shard], &record, 1, NULL, &at.err);
}

static void close_logs(void) {
  for (uint32_t s = 0; s < LOGS; s++) {
    td_wal_log_close(&at.logs[s], false, NULL);
  }
}

/* One event in r2:s0, written under a layout or none. */
static void write_one(td_span layout) {
  CHECK(open_home(layout) == TD_OK);
  CHECK(open_log(0) == TD_OK);
  CHECK(append(0, UINT64_MAX) == TD_OK);
  close_logs();
  td_wal_home_close(&at.home);
}

/* Live events of r2:s0, read as anybody would. */
static uint64_t count_live(void) {
  td_env env = td_disk_env(&at.disk, (td_alloc){plain, NULL});
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

/* --- the layout ------------------------------------------------------------ */

static void case_publish(void) {
  begin();
  td_span first = text(7, "hash", NULL);
  write_one(first);
  const td_disk_bytes *file = td_disk_find(&at.disk,
                                           "layout-0000000007.json");
  CHECK(file && file->size == first.size
        && memcmp(file->data, first.data, first.size) == 0);
  CHECK(!td_disk_find(&at.disk, "layout.tmp"));
  write_one(first);
  CHECK_U64(count_live(), 2);
  CHECK(open_home(text(8, "hash", NULL)) == TD_EPOCH);
  CHECK_U64(at.err.got, 8);
  CHECK_U64(at.err.bound, 7);
  CHECK_TEXT(at.err.file, "layout-0000000007.json");
  CHECK(open_home(text(6, "hash", NULL)) == TD_EPOCH);
  CHECK(open_home(text(7, "ranges", HALVES)) == TD_LAYOUT);
  CHECK_TEXT(at.err.file, "layout-0000000007.json");
  CHECK(open_home((td_span){first.data, first.size - 1}) != TD_OK);
  CHECK(open_home((td_span){NULL, 0}) == TD_OK);
  CHECK(open_log(0) == TD_EPOCH);
  CHECK_U64(at.err.got, 0);
  CHECK_U64(at.err.bound, 7);
  td_wal_home_close(&at.home);
  CHECK(open_home(text(7, "hash", NULL)) == TD_OK);
  td_wal_options beyond = td_wal_options_init((td_log_id){{2}, {LOGS}});
  CHECK(td_wal_log_open(&at.logs[0], &at.home, &beyond, &at.err)
        == TD_OUT_OF_RANGE);
  CHECK_U64(at.err.got, LOGS);
  CHECK_U64(at.err.bound, LOGS - 1);
  td_wal_home_close(&at.home);
  end();
}

/* Batches carry the epoch they were written under, checkpoints too. */
static void case_epoch(void) {
  begin();
  CHECK(open_home(text(UINT32_MAX, "hash", NULL)) == TD_OK);
  CHECK(open_log(1) == TD_OK);
  CHECK(append(1, 5) == TD_OK);
  CHECK_U64(at.logs[1].checkpoint.layout_epoch, UINT32_MAX);
  close_logs();
  td_wal_home_close(&at.home);
  const td_disk_bytes *file = td_disk_find(
    &at.disk, "wal-s00001-00000000000000000001.seg");
  td_batch head;
  CHECK(file && td_batch_decode((td_span){file->data, file->size}, &head, NULL)
        == TD_OK);
  CHECK_U64(head.layout_epoch, UINT32_MAX);
  end();
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
  begin();
  put_batch(epoch, size, flip);
  CHECK(open_home(text(7, "hash", NULL)) == want);
  bool there = td_disk_find(&at.disk, "layout-0000000007.json") != NULL;
  CHECK(there == (want == TD_OK));
  if (want == TD_OK) td_wal_home_close(&at.home);
  end();
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
  begin();
  put_batch(7, 106, 70);
  uint8_t none = 0;
  td_disk_put(&at.disk, later, (td_span){&none, 1});
  CHECK(open_home(text(7, "hash", NULL)) == TD_CORRUPT);
  CHECK_TEXT(at.err.file, "wal-00000000000000000001.seg");
  CHECK_U64(at.err.offset, 0);
  CHECK_U64(at.err.bound, 2);
  CHECK(!td_disk_find(&at.disk, "layout-0000000007.json"));
  end();
}

static void case_cuts(void) {
  for (uint32_t epoch = 6; epoch <= 8; epoch++) {
    uint8_t bytes[128];
    td_cuts cuts = {.generation = 1, .count = 1, .shard = {1}, .region = {2}};
    td_cut cut = {{9}, epoch};
    begin();
    CHECK(td_cuts_encode(&cuts, &cut, bytes, sizeof bytes, NULL) == TD_OK);
    td_disk_put(&at.disk, "cuts-s00001", (td_span){bytes, td_cuts_size(1)});
    td_status status = open_home(text(7, "hash", NULL));
    CHECK(status == (epoch == 7 ? TD_DEAD : TD_OK));
    if (status == TD_OK) td_wal_home_close(&at.home);
    else CHECK_TEXT(at.err.file, "cuts-s00001");
    end();
  }
}

/* --- faults ---------------------------------------------------------------- */

/* Publishing, then opening and appending, with one call or request that
 * fails; afterwards the directory opens under the same layout or, if nothing
 * was published, under another. */
static void try_faulty(td_disk_faults faults, uint64_t fail_request,
                       bool *reached) {
  td_span layout = text(7, "hash", NULL);
  begin();
  put_batch(0, 106, 0);
  at.disk.faults = faults;
  at.fail_request = fail_request;
  td_status status = open_home(layout);
  bool acked = false;
  if (status == TD_OK) {
    if (open_log(0) == TD_OK) acked = append(0, 9) == TD_OK;
    close_logs();
    td_wal_home_close(&at.home);
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
  if (!there) layout = text(8, "hash", NULL);
  CHECK(open_home(layout) == TD_OK);
  CHECK(open_log(0) == TD_OK);
  CHECK(append(0, 10) == TD_OK);
  close_logs();
  td_wal_home_close(&at.home);
  uint64_t live = count_live();
  CHECK(live >= 3u + acked && live <= 4);
  end();
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
    begin();
    at.disk.faults.last_call = call;
    td_status status = open_home(text(7, "hash", NULL));
    bool acked = false;
    if (status == TD_OK) {
      if (open_log(0) == TD_OK) acked = append(0, 9) == TD_OK;
      close_logs();
      td_wal_home_close(&at.home);
    }
    acked = acked && at.disk.counts.calls <= call;
    bool all = at.disk.counts.calls <= call;
    uint64_t ways = td_disk_combinations(&at.disk);
    td_disk before = at.disk;
    for (uint64_t way = 0; way < ways && way < TD_DISK_COMBINATIONS_MAX;
         way++) {
      td_disk_crash(&before, way, NULL, &at.disk);
      attach();
      bool there = td_disk_find(&at.disk, "layout-0000000007.json") != NULL;
      if (acked) CHECK(there);
      CHECK(open_home(text(there ? 7 : 8, "hash", NULL)) == TD_OK);
      CHECK(open_log(0) == TD_OK);
      uint64_t durable = td_wal_log_durable(&at.logs[0]).value;
      CHECK(durable <= 1 && (!acked || durable == 1));
      close_logs();
      td_wal_home_close(&at.home);
      CHECK_U64(count_live(), durable);
      td_disk_deinit(&at.disk);
    }
    at.disk = before;
    end();
    if (all) break;
  }
}

/* --- several logs ----------------------------------------------------------- */

static td_record records[LOGS];
static td_wal_part parts[LOGS];

static void make_parts(uint64_t entity) {
  for (uint32_t s = 0; s < LOGS; s++) {
    records[s] = (td_record){{entity + s}, 1, 1.0f, 7};
    parts[s] = (td_wal_part){
      .log = &at.logs[s], .records = &records[s], .count = 1,
    };
  }
}

static void open_all(td_sync_policy sync) {
  CHECK(open_home(text(7, "hash", NULL)) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    CHECK(open_log(s) == TD_OK);
    at.logs[s].options.sync = sync;
  }
}

static void case_together(void) {
  begin();
  open_all(TD_SYNC_ALWAYS);
  for (uint64_t i = 1; i <= 20; i++) {
    uint64_t syncs = at.disk.counts.syncs;
    make_parts(UINT64_MAX - LOGS * i);
    CHECK(td_wal_append_all(parts, LOGS, &at.err) == TD_OK);
    for (uint32_t s = 0; s < LOGS; s++) {
      CHECK(parts[s].status == TD_OK);
      CHECK_U64(parts[s].first.value, i);
      CHECK_U64(td_wal_log_durable(&at.logs[s]).value, i);
    }
    CHECK(at.disk.counts.syncs >= syncs + LOGS);
  }
  make_parts(1);
  parts[1].log = &at.logs[0];
  CHECK(td_wal_append_all(parts, 2, &at.err) == TD_DUPLICATE);
  CHECK(parts[0].status == TD_DUPLICATE && parts[1].status == TD_DUPLICATE);
  CHECK(at.err.index == 0 && at.err.other == 1);
  parts[0].log = &at.logs[2];
  CHECK(td_wal_append_all(parts, 2, &at.err) == TD_BACKWARD);
  make_parts(1);
  parts[2].count = 0;
  CHECK(td_wal_append_all(parts, LOGS, &at.err) == TD_LENGTH);
  parts[2].count = TD_RECORDS_MAX + 1;
  CHECK(td_wal_append_all(parts, LOGS, &at.err) == TD_LENGTH);
  CHECK(td_wal_append_all(parts, 0, &at.err) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    CHECK_U64(td_wal_log_durable(&at.logs[s]).value, 20);
  }
  close_logs();
  td_wal_home_close(&at.home);
  end();
}

static void case_lazily(void) {
  begin();
  open_all(TD_SYNC_UNSAFE_NEVER);
  make_parts(3);
  uint64_t syncs = at.disk.counts.syncs;
  CHECK(td_wal_append_all(parts, LOGS, &at.err) == TD_OK);
  CHECK_U64(at.disk.counts.syncs, syncs);
  CHECK_U64(td_wal_log_durable(&at.logs[1]).value, 0);
  CHECK(td_wal_log_sync(&at.logs[1], NULL) == TD_OK);
  CHECK_U64(td_wal_log_durable(&at.logs[1]).value, 1);
  close_logs();
  td_wal_home_close(&at.home);
  end();
}

/* What each part was told, a power failure keeps: with every call failing
 * once, and with the process ending at every call. */
static void check_parts_kept(td_disk_faults faults, bool *reached) {
  begin();
  open_all(TD_SYNC_ALWAYS);
  uint64_t acked[LOGS] = {0}, unknown[LOGS] = {0};
  uint64_t base = at.disk.counts.calls;
  at.disk.faults = faults;
  if (faults.fail_call) at.disk.faults.fail_call += base;
  if (faults.last_call) at.disk.faults.last_call += base;
  for (uint64_t i = 1; i <= 4; i++) {
    make_parts(i);
    td_status status = td_wal_append_all(parts, LOGS, &at.err);
    bool dead = at.disk.faults.last_call
             && at.disk.counts.calls > at.disk.faults.last_call;
    bool good = true;
    for (uint32_t s = 0; s < LOGS; s++) {
      good &= parts[s].status == TD_OK;
      if (dead) unknown[s] = 1;
      else if (parts[s].status == TD_OK) acked[s] = parts[s].first.value;
      else if (parts[s].status == TD_POISONED) unknown[s] = 1;
    }
    CHECK(good == (status == TD_OK));
    if (dead) break;
  }
  uint64_t limit = faults.fail_call ? at.disk.faults.fail_call
                                    : at.disk.faults.last_call;
  *reached = at.disk.counts.calls >= limit;
  td_disk_faults last = at.disk.faults;
  at.disk.faults = (td_disk_faults){.last_call = last.last_call};
  close_logs();
  td_wal_home_close(&at.home);
  CHECK_U64(at.disk.counts.syncs_after_failed, 0);
  CHECK_U64(at.disk.counts.writes_after_failed, 0);
  td_disk before = at.disk;
  td_prng prng = {test_seed()};
  for (uint32_t i = 0; i < 8; i++) {
    td_disk_crash(&before, 0, &prng, &at.disk);
    attach();
    CHECK(open_home(text(7, "hash", NULL)) == TD_OK);
    for (uint32_t s = 0; s < LOGS; s++) {
      CHECK(open_log(s) == TD_OK);
      uint64_t durable = td_wal_log_durable(&at.logs[s]).value;
      CHECK(durable >= acked[s] && durable <= acked[s] + unknown[s]);
    }
    close_logs();
    td_wal_home_close(&at.home);
    td_disk_deinit(&at.disk);
  }
  at.disk = before;
  end();
}

static void case_kept(void) {
  bool reached = true;
  for (uint64_t call = 1; call == 1 || reached; call++) {
    check_parts_kept((td_disk_faults){.fail_call = call,
                                      .fail_sys = TD_SYS_IO}, &reached);
  }
  reached = true;
  for (uint64_t call = 1; call == 1 || reached; call++) {
    check_parts_kept((td_disk_faults){.fail_call = call,
                                      .fail_sys = TD_SYS_NOSPC}, &reached);
  }
  reached = true;
  for (uint64_t call = 1; call == 1 || reached; call++) {
    check_parts_kept((td_disk_faults){.last_call = call}, &reached);
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
  test_case("home", "a batch in each of several logs", case_together);
  test_case("home", "... under a lazy policy", case_lazily);
  test_case("home", "what each part was told is kept", case_kept);
}
