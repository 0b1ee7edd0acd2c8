/* Which events of a log count, against a plain reading of the rules.
 * Covers io/wal_live io/wal_layouts. */
#include "test/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/wal_live.h"
#include "test/layout_text.h"
#include "test/log_maker.h"

#define SHARDS 5u
#define SHARD 3u
#define REGION 7u
#define EVENTS_MAX 400u
#define NAME "wal-s00003-00000000000000000001.seg"

/* What was written, as the test knows it. */
typedef struct world {
  uint32_t events;                  /* numbers 1..events */
  uint64_t entities[EVENTS_MAX + 1];
  uint32_t epochs[EVENTS_MAX + 1];
  bool sessions[EVENTS_MAX + 1];
  uint32_t published;               /* a bit per epoch 1..5 */
  uint32_t cut_count;
  td_cut cuts[4];
} world;

static void put_layout(memory_store *store, uint32_t epoch) {
  char text[1024], name[TD_LAYOUT_NAME_MAX];
  size_t size = layout_text(text, sizeof text, epoch, "hash", epoch + 1,
                            NULL);
  td_layout_name(epoch, name);
  memory_store_put(store, name, (td_span){(uint8_t *)text, size});
}

static void put_cuts(memory_store *store, const world *made,
                     uint16_t region) {
  uint8_t bytes[200];
  td_cuts cuts = {.generation = 1, .count = made->cut_count,
                  .shard = {SHARD}, .region = {region}};
  char name[TD_CUTS_NAME_MAX];
  CHECK(td_cuts_encode(&cuts, made->cuts, bytes, sizeof bytes, NULL)
        == TD_OK);
  td_cuts_name(cuts.shard, name);
  memory_store_put(store, name,
                   (td_span){bytes, td_cuts_size(made->cut_count)});
}

static void note_events(world *made, uint32_t count, uint32_t epoch,
                        bool session) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t seq = ++made->events;
    made->entities[seq] = ~(uint64_t)seq;  /* as log_maker makes them */
    made->epochs[seq] = epoch;
    made->sessions[seq] = session;
  }
}

/* Batches under epochs 0..5, some of them published; up to four cuts. */
static void make_world(memory_store *store, world *made, td_prng *prng) {
  log_maker maker = make_segment(SHARD, 1);
  *made = (world){.published = (uint32_t)td_prng_below(prng, 64) & ~1u};
  if (td_prng_below(prng, 4) == 0) made->published = 0;
  maker.region.value = REGION;
  for (uint32_t i = 0; i < 12; i++) {
    uint32_t count = 1 + (uint32_t)td_prng_below(prng, 30);
    bool session = td_prng_below(prng, 8) == 0;
    maker.epoch = (uint32_t)td_prng_below(prng, 6);
    if (session) count = 1;
    note_events(made, count, maker.epoch, session);
    if (session) make_session(&maker, 50);
    else make_batch(&maker, count);
    if (i == 6) make_stored(&maker, store);
  }
  make_stored(&maker, store);
  for (uint32_t epoch = 1; epoch <= 5; epoch++) {
    if (made->published >> epoch & 1) put_layout(store, epoch);
  }
  uint32_t epoch = 0;
  while (made->cut_count < td_prng_below(prng, 5)) {
    epoch += 1 + (uint32_t)td_prng_below(prng, 2);
    uint64_t upto = td_prng_below(prng, made->events + 2);
    made->cuts[made->cut_count++] = (td_cut){{upto}, epoch};
  }
  if (td_prng_below(prng, 6) > 0) put_cuts(store, made, REGION);
  else made->cut_count = 0;
}

/* FORMAT.md 5, word by word. */
static bool is_live(const world *made, uint32_t seq) {
  uint32_t epoch = made->epochs[seq];
  if (made->sessions[seq]) return false;
  if (epoch != 0 && made->published != 0
      && !(made->published >> epoch & 1)) return false;
  for (uint32_t i = 0; i < made->cut_count; i++) {
    uint32_t c = made->cuts[i].epoch;
    bool published = c < 6 && (made->published >> c & 1);
    if (seq > made->cuts[i].upto.value || !published) continue;
    td_entity_id id = {made->entities[seq]};
    if (td_hash_entity(id) % (c + 1) != SHARD) return false;
  }
  return true;
}

static void check_runs(const world *made, td_wal_live *live, uint32_t from) {
  td_wal_run run;
  td_error err;
  uint32_t seq = from;
  while (td_wal_live_run(live, &run, &err) == TD_OK) {
    CHECK_U64(run.first_seq.value, seq);
    CHECK(run.count > 0);
    for (uint32_t i = 0; i < run.count && seq <= made->events; i++, seq++) {
      CHECK(run.live == is_live(made, seq));
      if (run.records.size == 0) continue;
      CHECK_U64(td_get_u64(run.records.data + i * 21), made->entities[seq]);
    }
    CHECK(run.records.size == 0 || run.records.size == run.count * 21);
  }
  CHECK(err.status == TD_END);
  CHECK_U64(seq, made->events + 1);
}

static void check_events(const world *made, td_wal_live *live,
                         uint32_t from) {
  td_wal_event event;
  td_error err;
  for (uint32_t seq = from; seq <= made->events; seq++) {
    if (!is_live(made, seq)) continue;
    CHECK(td_wal_live_next(live, &event, &err) == TD_OK);
    CHECK_U64(event.seqno.value, seq);
    CHECK_U64(event.record.entity.value, made->entities[seq]);
    CHECK(event.log.region.value == REGION && event.log.shard.value == SHARD);
  }
  CHECK(td_wal_live_next(live, &event, &err) == TD_END);
  CHECK(td_wal_live_next(live, &event, &err) == TD_END);
}

/* One by one, then the rest of the same run at once. */
static void check_mixed(const world *made, td_wal_live *live, uint32_t seq) {
  for (;;) {
    td_wal_event event;
    td_wal_run run;
    if (td_wal_live_next(live, &event, NULL) != TD_OK) break;
    seq = (uint32_t)event.seqno.value + 1;
    if (td_wal_live_run(live, &run, NULL) != TD_OK) break;
    CHECK_U64(run.first_seq.value, seq);
    CHECK(run.live == is_live(made, seq));
    seq += run.count;
  }
  for (; seq <= made->events; seq++) CHECK(!is_live(made, seq));
}

typedef void live_check(const world *made, td_wal_live *live, uint32_t from);

static td_status walk_to_end(td_wal_live *live, td_error *err) {
  td_status status;
  td_wal_run run;
  do status = td_wal_live_run(live, &run, err);
  while (status == TD_OK);
  return status;
}

/* Opens all, runs the check over a world, closes all. */
static td_status with_live(memory_store *store, const world *made,
                           live_check *check, uint32_t from, td_error *err) {
  td_env env = memory_store_env(store);
  td_wal_dir dir;
  static td_wal_layouts layouts;
  td_wal_live live;
  td_status status = td_wal_dir_open(&dir, &env, "memory", err);
  if (status == TD_OK) {
    status = td_wal_layouts_open(&layouts, &dir, err);
    if (status == TD_OK) {
      status = td_wal_live_open(&live, &layouts, (td_shard_id){SHARD},
                                (td_seqno){from}, err);
      if (status == TD_OK) {
        if (check) check(made, &live, from);
        else status = walk_to_end(&live, err);
        td_wal_live_close(&live);
        td_wal_live_close(&live);
      }
      td_wal_layouts_close(&layouts);
      td_wal_layouts_close(&layouts);
    }
    td_wal_dir_close(&dir);
  }
  CHECK(store->dirs_open == 0 && store->files_open == 0);
  CHECK(store->blocks_held == 0);
  return status;
}

static void case_worlds(void) {
  td_prng prng = {test_seed()};
  uint32_t dead = 0, alive = 0, rounds = test_soak() ? 50000 : 600;
  for (uint32_t round = 0; round < rounds; round++) {
    memory_store store;
    world made;
    memory_store_init(&store, round);
    make_world(&store, &made, &prng);
    uint32_t from = 1 + (uint32_t)td_prng_below(&prng, made.events);
    CHECK(with_live(&store, &made, check_runs, 1, NULL) == TD_OK);
    CHECK(with_live(&store, &made, check_events, 1, NULL) == TD_OK);
    CHECK(with_live(&store, &made, check_runs, from, NULL) == TD_OK);
    CHECK(with_live(&store, &made, check_events, from, NULL) == TD_OK);
    CHECK(with_live(&store, &made, check_mixed, from, NULL) == TD_OK);
    for (uint32_t seq = 1; seq <= made.events; seq++) {
      if (is_live(&made, seq)) alive++; else dead++;
    }
    memory_store_deinit(&store);
  }
  CHECK(dead > rounds && alive > rounds);
}

/* --- what is refused ------------------------------------------------------ */

static void make_plain(memory_store *store, world *made) {
  log_maker maker = make_segment(SHARD, 1);
  memory_store_init(store, 1);
  maker.region.value = REGION;
  maker.epoch = 2;
  make_batch(&maker, 20);
  make_stored(&maker, store);
  put_layout(store, 2);
  put_layout(store, 3);
  *made = (world){.cut_count = 2, .cuts = {{{9}, 2}, {{5}, 3}}};
  put_cuts(store, made, REGION);
}

static void check_refused(memory_store *store, td_status status,
                          const char *file) {
  td_error err = {.status = TD_OK};
  CHECK_TEXT(td_status_code(with_live(store, NULL, NULL, 1, &err)),
             td_status_code(status));
  CHECK_TEXT(err.file, file);
  CHECK(err.offset != TD_NO_OFFSET);
}

static void case_refused(void) {
  static const char *const names[] = {"layout-0000000002.json",
                                      "layout-0000000003.json",
                                      "cuts-s00003"};
  memory_store store;
  world made;
  make_plain(&store, &made);
  CHECK(with_live(&store, NULL, NULL, 1, NULL) == TD_END);
  for (uint32_t i = 0; i < 3; i++) {
    memory_file *file = memory_store_find(&store, names[i]);
    file->bytes[50] ^= 1;
    check_refused(&store, i < 2 ? TD_PAYLOAD_HASH : TD_HEADER_HASH, names[i]);
    file->bytes[50] ^= 1;
  }
  put_cuts(&store, &made, REGION + 1);
  check_refused(&store, TD_MISMATCH, "cuts-s00003");
  put_cuts(&store, &made, REGION);
  memory_file *file = memory_store_find(&store, "cuts-s00003");
  memory_store_put(&store, "cuts-s00004", (td_span){file->bytes, file->size});
  CHECK(with_live(&store, NULL, NULL, 1, NULL) == TD_END);
  memory_store_put(&store, "cuts-s00003", (td_span){file->bytes, 0});
  check_refused(&store, TD_SHORT, "cuts-s00003");
  put_cuts(&store, &made, REGION);
  file = memory_store_find(&store, names[0]);
  memory_store_put(&store, "layout-0000000004.json",
                   (td_span){file->bytes, file->size});
  check_refused(&store, TD_MISMATCH, "layout-0000000004.json");
  memory_store_find(&store, NAME)->bytes[70] ^= 1;
  put_layout(&store, 4);
  check_refused(&store, TD_PAYLOAD_HASH, NAME);
  memory_store_deinit(&store);
}

static void case_other_shard_cuts(void) {
  memory_store store;
  world made;
  make_plain(&store, &made);
  memory_file *file = memory_store_find(&store, "cuts-s00003");
  td_cuts cuts = {.generation = 1, .count = 2, .shard = {SHARD + 1},
                  .region = {REGION}};
  CHECK(td_cuts_encode(&cuts, made.cuts, file->bytes, file->size, NULL)
        == TD_OK);
  check_refused(&store, TD_MISMATCH, "cuts-s00003");
  memory_store_deinit(&store);
}

static void case_faults(void) {
  memory_store store;
  world made;
  make_plain(&store, &made);
  for (uint32_t round = 0; round < 3; round++) {
    bool failed = true;
    uint64_t k = 1;
    for (; failed; k++) {
      td_error err = {.status = TD_OK};
      memory_store_reset(&store);
      if (round == 0) store.fail_call = k;
      else store.fail_request = k;
      store.fail_on = round == 2;
      td_status status = with_live(&store, NULL, NULL, 1, &err);
      failed = (round == 0 ? store.calls : store.requests) >= k;
      td_status want = round == 0 ? TD_IO : TD_NO_MEMORY;
      CHECK(status == (failed ? want : TD_END));
    }
    CHECK(k > 6);
  }
  memory_store_deinit(&store);
}

/* TD_WAL_LAYOUTS_MAX epochs and one more, from a store that only lists. */
static int list_so_many(void *ctx, td_dir *dir, td_name_fn *each,
                        void *each_ctx) {
  const uint32_t *count = ctx;
  char name[TD_LAYOUT_NAME_MAX];
  (void)dir;
  for (uint32_t i = 1; i <= *count; i++) {
    td_layout_name(i, name);
    if (!each(each_ctx, name)) break;
  }
  return 0;
}

static void case_many(void) {
  static const td_store_class lists = {.dir_list = list_so_many};
  memory_store store;
  static td_wal_layouts layouts;
  td_error err;
  memory_store_init(&store, 1);
  uint32_t count = TD_WAL_LAYOUTS_MAX;
  td_wal_dir dir = {.env = memory_store_env(&store)};
  dir.env.store = &lists;
  dir.env.store_ctx = &count;
  CHECK(td_wal_layouts_list(&layouts, &dir, &err) == TD_OK);
  CHECK(td_wal_layouts_has(&layouts, 1));
  CHECK(td_wal_layouts_has(&layouts, count));
  CHECK(!td_wal_layouts_has(&layouts, 0));
  CHECK(!td_wal_layouts_has(&layouts, count + 1));
  td_wal_layouts_close(&layouts);
  count++;
  CHECK(td_wal_layouts_list(&layouts, &dir, &err) == TD_TOO_MANY);
  CHECK_U64(err.got, TD_WAL_LAYOUTS_MAX + 1);
  CHECK_U64(store.blocks_held, 0);
}

void test_live(void) {
  test_case("live", "worlds at random, run by run and one by one",
            case_worlds);
  test_case("live", "damaged layouts and cuts are refused", case_refused);
  test_case("live", "cuts of another shard", case_other_shard_cuts);
  test_case("live", "every call and request fails", case_faults);
  test_case("live", "as many layouts as possible", case_many);
}
