/* A batch in each of several logs. Covers io/wal_parts. */
#include "io/wal_parts.h"

#include "test/home_world.h"

static td_record records[LOGS];
static td_wal_part parts[LOGS];

static void make_parts(uint64_t entity) {
  for (uint32_t s = 0; s < LOGS; s++) {
    records[s] = (td_record){{world_id(s, entity)}, 1, 1.0f, 7};
    parts[s] = (td_wal_part){
      .log = &at.logs[s], .records = &records[s], .count = 1,
    };
  }
}

static void open_all(td_sync_policy sync) {
  CHECK(world_open(world_layout(7, "hash", NULL)) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    CHECK(world_open_log(s) == TD_OK);
    at.logs[s].options.sync = sync;
  }
}

static void case_together(void) {
  world_begin();
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
  world_close();
  world_end();
}

static void case_lazily(void) {
  world_begin();
  open_all(TD_SYNC_UNSAFE_NEVER);
  make_parts(3);
  uint64_t syncs = at.disk.counts.syncs;
  CHECK(td_wal_append_all(parts, LOGS, &at.err) == TD_OK);
  CHECK_U64(at.disk.counts.syncs, syncs);
  CHECK_U64(td_wal_log_durable(&at.logs[1]).value, 0);
  CHECK(td_wal_log_sync(&at.logs[1], NULL) == TD_OK);
  CHECK_U64(td_wal_log_durable(&at.logs[1]).value, 1);
  world_close();
  world_end();
}

/* What each part was told, a power failure keeps: with every call failing
 * once, and with the process ending at every call. */
static void check_parts_kept(td_disk_faults faults, bool *reached) {
  world_begin();
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
  world_close();
  CHECK_U64(at.disk.counts.syncs_after_failed, 0);
  CHECK_U64(at.disk.counts.writes_after_failed, 0);
  td_disk before = at.disk;
  td_prng prng = {test_seed()};
  for (uint32_t i = 0; i < 8; i++) {
    td_disk_crash(&before, 0, &prng, &at.disk);
    world_attach();
    CHECK(world_open(world_layout(7, "hash", NULL)) == TD_OK);
    for (uint32_t s = 0; s < LOGS; s++) {
      CHECK(world_open_log(s) == TD_OK);
      uint64_t durable = td_wal_log_durable(&at.logs[s]).value;
      CHECK(durable >= acked[s] && durable <= acked[s] + unknown[s]);
    }
    world_close();
    td_disk_deinit(&at.disk);
  }
  at.disk = before;
  world_end();
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

void test_parts(void) {
  test_case("parts", "a batch in each of several logs", case_together);
  test_case("parts", "... under a lazy policy", case_lazily);
  test_case("parts", "what each part was told is kept", case_kept);
}
