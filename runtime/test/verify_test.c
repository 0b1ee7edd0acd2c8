/* Verdicts over damaged logs: the golden directories, every flipped bit,
 * every cut, damage at random.
 * Covers io/wal_verify io/wal_tail io/wal_verdict. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "io/env_posix.h"
#include "test/verify_run.h"

#define PATH_TEXT_MAX 512u

/* --- golden directories -------------------------------------------------- */

static void golden_path(char *out, const char *name) {
  const char *root = getenv("TIDAL_GOLDEN");
  snprintf(out, PATH_TEXT_MAX, "%s/%s", root ? root : "spec/golden", name);
}

static bool verify_golden(verify_run *run, const char *name) {
  char path[PATH_TEXT_MAX];
  td_env env = td_env_posix();
  td_wal_dir dir;
  golden_path(path, name);
  if (td_wal_dir_open(&dir, &env, path, NULL) != TD_OK) {
    test_failed(__FILE__, __LINE__, "cannot open %s", path);
    return false;
  }
  verify_dir(run, &dir);
  td_wal_dir_close(&dir);
  return true;
}

static void case_golden_clean(void) {
  static const struct {
    const char *dir;
    uint32_t segments, batches;
    uint64_t events;
  } healthy[] = {
    {"v1-single", 4, 442, 40000}, {"v2-five-shards", 16, 231, 20000},
    {"damaged/zero-tail", 2, 8, 600},
  };
  for (size_t i = 0; i < sizeof healthy / sizeof *healthy; i++) {
    verify_run run;
    if (!verify_golden(&run, healthy[i].dir)) continue;
    check_clean(&run);
    CHECK_U64(run.segments, healthy[i].segments);
    CHECK_U64(run.batches, healthy[i].batches);
    CHECK_U64(run.events, healthy[i].events);
  }
}

/* Copies the text value of a key of one directory's entry. */
static void expected(const char *json, const char *dir, const char *key,
                     char *out, size_t size) {
  char text[64];
  snprintf(text, sizeof text, "\"%s\": {", dir);
  const char *at = strstr(json, text);
  snprintf(text, sizeof text, "\"%s\": ", key);
  at = at ? strstr(at, text) : NULL;
  out[0] = '\0';
  if (!at) return;
  at += strlen(text);
  if (*at == '"') at++;
  size_t length = strcspn(at, "\",\n");
  if (length < size) snprintf(out, size, "%.*s", (int)length, at);
}

static void case_golden_damaged(void) {
  static const struct { const char *dir; td_evidence evidence; } damaged[] = {
    {"torn-header", TD_EVIDENCE_HEADER}, {"torn-payload", TD_EVIDENCE_CUT},
    {"flip-in-middle", TD_EVIDENCE_BATCH},
    {"flip-in-sealed", TD_EVIDENCE_SEGMENT},
    {"cut-sealed", TD_EVIDENCE_SEGMENT},
    {"missing-segment", TD_EVIDENCE_NONE}, {"wrong-name", TD_EVIDENCE_NONE},
    {"version-3", TD_EVIDENCE_NONE}, {"v1-with-tags", TD_EVIDENCE_NONE},
  };
  char json[8192], path[PATH_TEXT_MAX];
  golden_path(path, "damaged/expect.json");
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  if (!file) return;
  json[fread(json, 1, sizeof json - 1, file)] = '\0';
  fclose(file);
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
    char verdict[32], name[64], offset[32];
    verify_run run;
    snprintf(path, sizeof path, "damaged/%s", damaged[i].dir);
    if (!verify_golden(&run, path)) continue;
    expected(json, damaged[i].dir, "verdict", verdict, sizeof verdict);
    expected(json, damaged[i].dir, "file", name, sizeof name);
    expected(json, damaged[i].dir, "offset", offset, sizeof offset);
    CHECK(offset[0] != '\0');
    CHECK_TEXT(td_verdict_code(run.findings[0].verdict), verdict);
    check_only(&run, run.findings[0].verdict, damaged[i].evidence, name,
               strtoull(offset, NULL, 10));
  }
}

/* --- a small log, and what must be said of it ---------------------------- */

#define SMALL_SHARD 3u
#define SMALL_FIRST (UINT64_MAX / 2 - 3)
#define SMALL_SEGMENTS 2u

typedef struct small_log {
  uint16_t version;
  uint32_t segments;
  char names[SMALL_SEGMENTS][TD_SEGNAME_TEXT_MAX];
  uint32_t counts[SMALL_SEGMENTS];
  size_t starts[SMALL_SEGMENTS][5];  /* of the batches; the last, their end */
  size_t sizes[SMALL_SEGMENTS];
  uint64_t events;
  uint64_t last;
} small_log;

static small_log make_small(memory_store *store, uint16_t version,
                            uint32_t segments) {
  small_log log = {.version = version, .segments = segments};
  log_maker maker = make_segment(version == 1 ? 0 : SMALL_SHARD, SMALL_FIRST);
  maker.version = version;
  if (version == 2) maker.region.value = 2;
  for (uint32_t s = 0; s < segments; s++) {
    make_batch(&maker, 1);
    if (version == 2) make_session(&maker, 70 + 10 * s);
    make_batch(&maker, 3);
    log.counts[s] = maker.batch_count;
    memcpy(log.starts[s], maker.starts, sizeof log.starts[s]);
    make_zeros(&maker, 40);
    log.sizes[s] = maker.size;
    td_segname_format(maker.name, log.names[s]);
    make_stored(&maker, store);
  }
  log.events = maker.next_seq - SMALL_FIRST;
  log.last = maker.next_seq - 1;
  return log;
}

static void put_checkpoint(memory_store *store, const small_log *log,
                           uint64_t seqno, bool clean) {
  uint8_t bytes[TD_CHECKPOINT_HEADER_BYTES + TD_CHECKPOINT_HASH_BYTES];
  char name[TD_CHECKPOINT_NAME_MAX];
  td_checkpoint checkpoint = {
    .seqno = {seqno}, .generation = 2, .clean = clean,
    .shard = {log->version == 1 ? 0 : SMALL_SHARD},
    .region = {log->version == 1 ? 0 : 2},
  };
  CHECK(td_checkpoint_encode(&checkpoint, NULL, bytes, sizeof bytes, NULL)
        == TD_OK);
  td_checkpoint_name(checkpoint.shard, 2, name);
  memory_store_put(store, name, (td_span){bytes, sizeof bytes});
}

/* What is known of the log beside its segments: nothing, a checkpoint at its
 * last event, or one at its first event after a clean shutdown. */
typedef enum known { KNOWN_NOTHING, KNOWN_LAST, KNOWN_CLEAN, KNOWN_COUNT }
  known;

static void make_known(memory_store *store, const small_log *log,
                       known what) {
  if (what == KNOWN_LAST) put_checkpoint(store, log, log->last, false);
  if (what == KNOWN_CLEAN) put_checkpoint(store, log, SMALL_FIRST, true);
}

typedef struct verdict {
  td_verdict verdict;
  td_evidence evidence;
  uint32_t segment;
  uint64_t offset;
} verdict;

/* Which batch of the segment holds this byte; counts[s] = behind them. */
static uint32_t batch_of(const small_log *log, uint32_t s, size_t at) {
  uint32_t b = 0;
  while (b < log->counts[s] && log->starts[s][b + 1] <= at) b++;
  return b;
}

/* What the rule says of a damaged place, from what the test knows itself:
 * where it lies, and whether all the batch's bytes are there. */
static verdict rule(const small_log *log, uint32_t s, uint32_t batch,
                    td_evidence torn, known what) {
  verdict out = {TD_VERDICT_CORRUPT, TD_EVIDENCE_SEGMENT, s,
                 log->starts[s][batch]};
  bool behind = batch == log->counts[s];
  if (s + 1 < log->segments) return out;
  bool first = what == KNOWN_CLEAN && s == 0 && batch == 0;
  if ((what == KNOWN_LAST && !behind) || first) {
    out.evidence = TD_EVIDENCE_CHECKPOINT;
  } else if (what == KNOWN_CLEAN) {
    out.evidence = TD_EVIDENCE_CLEAN;
  } else if (torn != TD_EVIDENCE_CUT && batch + 1 < log->counts[s]) {
    out.evidence = TD_EVIDENCE_BATCH;
  } else if (torn == TD_EVIDENCE_SUSPECT && log->version == 1) {
    out.evidence = TD_EVIDENCE_OLD;
  } else {
    out.verdict = TD_VERDICT_TORN;
    out.evidence = torn;
  }
  return out;
}

static verdict expect_flip(const small_log *log, uint32_t s, size_t at,
                           known what) {
  uint32_t batch = batch_of(log, s, at);
  bool header = batch == log->counts[s]
             || at < log->starts[s][batch] + TD_BATCH_HEADER_BYTES;
  return rule(log, s, batch, header ? TD_EVIDENCE_HEADER
                                    : TD_EVIDENCE_SUSPECT, what);
}

static void case_flips(void) {
  uint64_t flips = 0;
  for (uint32_t round = 0; round < 2 * 2 * KNOWN_COUNT; round++) {
    memory_store store;
    known what = (known)(round % KNOWN_COUNT);
    memory_store_init(&store, round);
    small_log log = make_small(&store, round % 2 ? 1 : 2,
                               1 + round / (2 * KNOWN_COUNT));
    make_known(&store, &log, what);
    for (uint32_t s = 0; s < log.segments; s++) {
      memory_file *file = memory_store_find(&store, log.names[s]);
      for (size_t bit = 0; bit < file->size * 8; bit++) {
        verify_run run;
        verdict want = expect_flip(&log, s, bit / 8, what);
        file->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        verify_store(&run, &store);
        file->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        check_only(&run, want.verdict, want.evidence,
                   log.names[want.segment], want.offset);
        CHECK(run.segments == log.segments && run.events <= log.events);
        flips++;
      }
    }
    memory_store_deinit(&store);
  }
  CHECK(flips > 30000);
}

/* A cut between two batches shows only against a neighbour or a checkpoint;
 * TD_VERDICT_CLEAN else. */
static verdict expect_cut(const small_log *log, uint32_t s, size_t size,
                          known what) {
  uint32_t batch = batch_of(log, s, size);
  size_t start = log->starts[s][batch];
  if (batch < log->counts[s] && size > start) {
    bool header = size < start + TD_BATCH_HEADER_BYTES;
    verdict out = rule(log, s, batch, TD_EVIDENCE_CUT, what);
    if (header && out.evidence == TD_EVIDENCE_CUT) {
      out.evidence = TD_EVIDENCE_HEADER;
    }
    return out;
  }
  if (batch == log->counts[s]) {
    return (verdict){TD_VERDICT_CLEAN, TD_EVIDENCE_NONE, s, 0};
  }
  if (s + 1 < log->segments) {
    return (verdict){TD_VERDICT_GAP, TD_EVIDENCE_NONE, s + 1, 0};
  }
  bool known_more = what == KNOWN_LAST
                 || (what == KNOWN_CLEAN && s == 0 && size == 0);
  return (verdict){known_more ? TD_VERDICT_CORRUPT : TD_VERDICT_CLEAN,
                   TD_EVIDENCE_CHECKPOINT, s, start};
}

static void case_cuts(void) {
  for (uint32_t round = 0; round < 2 * 2 * KNOWN_COUNT; round++) {
    memory_store store;
    known what = (known)(round % KNOWN_COUNT);
    memory_store_init(&store, round);
    small_log log = make_small(&store, round % 2 ? 1 : 2,
                               1 + round / (2 * KNOWN_COUNT));
    /* What was removed below a checkpoint is no gap: none names so much. */
    if (what != KNOWN_LAST || log.segments == 1) {
      make_known(&store, &log, what);
    }
    if (log.segments == 2 && what == KNOWN_LAST) what = KNOWN_NOTHING;
    for (uint32_t s = 0; s < log.segments; s++) {
      memory_file *file = memory_store_find(&store, log.names[s]);
      for (size_t size = 0; size <= log.sizes[s]; size++) {
        verify_run run;
        verdict want = expect_cut(&log, s, size, what);
        file->size = size;
        verify_store(&run, &store);
        file->size = log.sizes[s];
        if (want.verdict == TD_VERDICT_CLEAN) {
          check_clean(&run);
        } else {
          check_only(&run, want.verdict, want.evidence,
                     log.names[want.segment], want.offset);
        }
      }
    }
    memory_store_deinit(&store);
  }
}

/* --- damage at random ------------------------------------------------ */

/* Bytes set, zeroed, moved from elsewhere; up to three pieces of it. */
static void damage(memory_file *file, td_prng *prng) {
  for (uint64_t i = 1 + td_prng_below(prng, 3); i > 0; i--) {
    size_t at = (size_t)td_prng_below(prng, file->size);
    size_t from = (size_t)td_prng_below(prng, file->size);
    size_t longest = file->size - (at > from ? at : from);
    size_t count = 1 + (size_t)td_prng_below(prng, longest);
    switch (td_prng_below(prng, 4)) {
    case 0: file->bytes[at] ^= (uint8_t)(1 + td_prng_below(prng, 255)); break;
    case 1: memset(file->bytes + at, 0, count); break;
    case 2: memmove(file->bytes + at, file->bytes + from, count); break;
    default: file->size = at + 1; break;
    }
  }
}

/* A log whose last event is named by a checkpoint is never quietly shorter:
 * either every event is there, or something is found, and it is no torn
 * tail. */
static void case_never_less(void) {
  td_prng prng = {test_seed()};
  uint32_t found = 0, rounds = test_soak() ? 1000000 : 20000;
  for (uint32_t round = 0; round < rounds; round++) {
    memory_store store;
    verify_run run;
    memory_store_init(&store, round);
    small_log log = make_small(&store, 2 - round % 2, 1 + round / 2 % 2);
    put_checkpoint(&store, &log, log.last, false);
    uint32_t s = log.segments - 1;
    damage(memory_store_find(&store, log.names[s]), &prng);
    store.read_max = round % 200;
    verify_store(&run, &store);
    CHECK(run.err.status == TD_END);
    CHECK(run.events <= log.events);
    if (run.events < log.events) {
      found++;
      CHECK(run.count == 1 && run.findings[0].verdict != TD_VERDICT_TORN);
    }
    memory_store_deinit(&store);
  }
  CHECK(found > rounds / 2);
}

void test_verify(void) {
  test_case("verify", "healthy golden directories", case_golden_clean);
  test_case("verify", "damaged golden directories", case_golden_damaged);
  test_case("verify", "every bit flipped", case_flips);
  test_case("verify", "every cut", case_cuts);
  test_case("verify", "never quietly less", case_never_less);
  test_verify_rules();
  test_verify_places();
}
