/* Lines that are on disk before they are answered for.
 * Covers io/journal. */
#include "flow/migrate.h"
#include "io/journal.h"

#include <stdlib.h>
#include <string.h>

#include "sim/disk.h"
#include "test/home_world.h"

#define NAME "migration-0000000009.journal"
#define LINES 4u

static struct {
  char text[LINES + 2][32];
  uint32_t count;
} seen;

static bool note(void *ctx, td_span text) {
  (void)ctx;
  CHECK(seen.count < LINES + 2 && text.size < 32);
  if (seen.count >= LINES + 2 || text.size >= 32) return false;
  memcpy(seen.text[seen.count], text.data, text.size);
  seen.text[seen.count++][text.size] = 0;
  return true;
}

static td_status open_journal(td_journal *journal, td_journal_mode mode) {
  seen.count = 0;
  return td_journal_open(journal, &at.env, "", NAME, mode, note, NULL,
                         &at.err);
}

static td_status add(td_journal *journal, const char *text) {
  td_span bytes = {(const uint8_t *)text, strlen(text)};
  return td_journal_append(journal, bytes, &at.err);
}

static const char *const texts[LINES] = {
  "{\"step\":\"begin\"}", "", "third", "{\"step\":\"end\"}",
};

/* How many lines were answered for. */
static uint32_t write_all(void) {
  td_journal journal;
  uint32_t done = 0;
  if (open_journal(&journal, TD_JOURNAL_CREATE) != TD_OK) return 0;
  while (done < LINES && add(&journal, texts[done]) == TD_OK) done++;
  td_journal_close(&journal);
  return done;
}

static void check_lines(uint32_t least, uint32_t most) {
  CHECK(seen.count >= least && seen.count <= most);
  for (uint32_t i = 0; i < seen.count && i < LINES; i++) {
    CHECK_TEXT(seen.text[i], texts[i]);
  }
}

static void case_lines(void) {
  td_journal journal;
  world_begin();
  CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_IO);
  CHECK_TEXT(at.err.file, NAME);
  CHECK(open_journal(&journal, TD_JOURNAL_WRITE) == TD_IO);
  CHECK(write_all() == LINES);
  CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_OK);
  td_journal_close(&journal);
  check_lines(LINES, LINES);
  CHECK(open_journal(&journal, TD_JOURNAL_WRITE) == TD_OK);
  CHECK(add(&journal, "two\nlines") == TD_TEXT);
  CHECK(add(&journal, "fifth") == TD_OK);
  td_journal_close(&journal);
  CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_OK);
  td_journal_close(&journal);
  CHECK(seen.count == LINES + 1);
  CHECK_TEXT(seen.text[LINES], "fifth");
  world_end();
}

/* Cut anywhere, it is a prefix, and goes on from there. */
static void case_cut(void) {
  td_journal journal;
  world_begin();
  CHECK(write_all() == LINES);
  const td_disk_bytes *file = td_disk_find(&at.disk, NAME);
  uint8_t whole[256];
  size_t size = file->size;
  CHECK(size < sizeof whole);
  memcpy(whole, file->data, size);
  for (size_t cut = 0; cut < size; cut++) {
    CHECK(td_disk_put(&at.disk, NAME, (td_span){whole, cut}));
    CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_OK);
    td_journal_close(&journal);
    check_lines(0, LINES - 1);
    uint32_t kept = seen.count;
    CHECK(open_journal(&journal, TD_JOURNAL_WRITE) == TD_OK);
    CHECK(seen.count == kept);
    CHECK_U64(td_disk_find(&at.disk, NAME)->size, journal.end);
    CHECK(add(&journal, texts[kept]) == TD_OK);
    td_journal_close(&journal);
    CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_OK);
    td_journal_close(&journal);
    check_lines(kept + 1, kept + 1);
  }
  world_end();
}

/* A whole line in another place is none. */
static void case_places(void) {
  td_journal journal;
  uint8_t bytes[256];
  world_begin();
  CHECK(open_journal(&journal, TD_JOURNAL_CREATE) == TD_OK);
  CHECK(add(&journal, "first") == TD_OK);
  size_t size = (size_t)journal.end;
  CHECK(add(&journal, "other") == TD_OK);
  td_journal_close(&journal);
  memcpy(bytes, td_disk_find(&at.disk, NAME)->data, 2 * size);
  CHECK(td_disk_put(&at.disk, NAME, (td_span){bytes + size, size}));
  CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_OK);
  td_journal_close(&journal);
  CHECK(seen.count == 0);
  memcpy(bytes + size, bytes, size);
  CHECK(td_disk_put(&at.disk, NAME, (td_span){bytes, 2 * size}));
  CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_OK);
  td_journal_close(&journal);
  CHECK(seen.count == 1);
  world_end();
}

/* A disk that is full takes it back; one that failed once is not believed. */
static void case_after_errors(void) {
  static const char longer[] = "a line for which there is no room any more";
  td_journal journal;
  world_begin();
  CHECK(open_journal(&journal, TD_JOURNAL_CREATE) == TD_OK);
  CHECK(add(&journal, "first") == TD_OK);
  uint64_t end = journal.end;
  for (uint32_t i = 0; i < 2; i++) {
    at.disk.faults = (td_disk_faults){.capacity = end + 20};
    CHECK(add(&journal, longer) == TD_FULL);
    CHECK_U64(td_disk_find(&at.disk, NAME)->size, end);
  }
  at.disk.faults = (td_disk_faults){
    .fail_call = at.disk.counts.calls + 1, .fail_sys = TD_SYS_IO,
  };
  CHECK(add(&journal, "second") == TD_IO);
  at.disk.faults = (td_disk_faults){.fail_call = 0};
  CHECK(add(&journal, "third") == TD_IO);
  td_journal_close(&journal);
  CHECK(open_journal(&journal, TD_JOURNAL_READ) == TD_OK);
  td_journal_close(&journal);
  CHECK(seen.count == 1);
  world_end();
}

/* Two that write would write over each other. */
static void case_locked(void) {
  td_journal journal, other;
  world_begin();
  CHECK(open_journal(&journal, TD_JOURNAL_CREATE) == TD_OK);
  CHECK(add(&journal, "first") == TD_OK);
  for (uint32_t mode = TD_JOURNAL_WRITE; mode <= TD_JOURNAL_CREATE; mode++) {
    CHECK(open_journal(&other, (td_journal_mode)mode) == TD_LOCKED);
    CHECK_TEXT(at.err.file, NAME);
  }
  CHECK(open_journal(&other, TD_JOURNAL_READ) == TD_OK);
  td_journal_close(&other);
  CHECK(add(&journal, "second") == TD_OK);
  td_journal_close(&journal);
  CHECK(open_journal(&other, TD_JOURNAL_WRITE) == TD_OK);
  CHECK(seen.count == 2);
  td_journal_close(&other);
  world_end();
}

static void case_names(void) {
  static const char *const wrong[] = {
    "migration-4294967296.journal", "migration-000000001.journal",
    "Migration-0000000001.journal", "migration-0000000001_journal",
    "migration_0000000001.journal", "migration-0000000001.journal2", "",
  };
  char name[TD_JOURNAL_NAME_MAX];
  uint32_t epoch;
  CHECK(td_journal_name(UINT32_MAX, name) == TD_JOURNAL_NAME_MAX - 1);
  CHECK_TEXT(name, "migration-4294967295.journal");
  CHECK(td_journal_name_parse(name, &epoch) && epoch == UINT32_MAX);
  CHECK(td_journal_name_parse(NAME, &epoch) && epoch == 9);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CHECK(!td_journal_name_parse(wrong[i], &epoch));
  }
}

/* A flipped bit is told, but for one in the last line. */
static void case_flips(void) {
  td_journal journal;
  world_begin();
  CHECK(write_all() == LINES);
  const td_disk_bytes *file = td_disk_find(&at.disk, NAME);
  uint8_t bytes[256];
  size_t size = file->size, last = size - strlen(texts[LINES - 1]) - 18;
  CHECK(size < sizeof bytes);
  memcpy(bytes, file->data, size);
  for (size_t bit = 0; bit < size * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(td_disk_put(&at.disk, NAME, (td_span){bytes, size}));
    td_status status = open_journal(&journal, TD_JOURNAL_READ);
    if (status == TD_OK) td_journal_close(&journal);
    bool told = bit / 8 < last;
    CHECK(status == (told ? TD_PAYLOAD_HASH : TD_OK));
    CHECK(!told || at.err.got != at.err.bound);
    CHECK(told || seen.count == LINES - 1);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  world_end();
}

/* Both limits: at it, and one byte past it, where nothing is written. */
static void case_limits(void) {
  td_journal journal;
  uint8_t *bytes = calloc(1, TD_JOURNAL_LINE_MAX + 1);
  td_span line = {bytes, TD_JOURNAL_LINE_MAX};
  td_span longer = {bytes, TD_JOURNAL_LINE_MAX + 1};
  world_begin();
  CHECK(bytes && open_journal(&journal, TD_JOURNAL_CREATE) == TD_OK);
  CHECK(td_journal_append(&journal, longer, &at.err) == TD_LENGTH);
  CHECK_U64(at.err.bound, TD_JOURNAL_LINE_MAX);
  CHECK_U64(journal.end, 0);
  uint64_t whole = TD_JOURNAL_LINE_MAX + 18u;
  while (journal.end + whole <= TD_JOURNAL_BYTES_MAX) {
    uint64_t end = journal.end;
    CHECK(td_journal_append(&journal, line, &at.err) == TD_OK);
    if (journal.end != end + whole) break;
  }
  CHECK(td_journal_append(&journal, line, &at.err) == TD_LENGTH);
  CHECK_U64(at.err.bound, TD_JOURNAL_BYTES_MAX);
  line.size = TD_JOURNAL_BYTES_MAX - journal.end - 18;
  longer.size = line.size + 1;
  CHECK(td_journal_append(&journal, longer, &at.err) == TD_LENGTH);
  CHECK(td_journal_append(&journal, line, &at.err) == TD_OK);
  CHECK_U64(journal.end, TD_JOURNAL_BYTES_MAX);
  CHECK(add(&journal, "") == TD_LENGTH);
  td_journal_close(&journal);
  /* It is read at the limit, and refused past it. */
  CHECK(td_journal_open(&journal, &at.env, "", NAME, TD_JOURNAL_WRITE, NULL,
                        NULL, &at.err) == TD_OK);
  td_journal_close(&journal);
  const td_disk_bytes *file = td_disk_find(&at.disk, NAME);
  td_file *more;
  CHECK_U64(file->size, TD_JOURNAL_BYTES_MAX);
  td_dir *dir;
  CHECK(at.env.store->dir_open(at.env.store_ctx, "", &dir) == 0);
  CHECK(at.env.store->file_edit(at.env.store_ctx, dir, NAME, &more) == 0);
  CHECK(at.env.store->file_write(at.env.store_ctx, more, bytes, 1,
                                 TD_JOURNAL_BYTES_MAX) == 1);
  at.env.store->file_close(at.env.store_ctx, more);
  at.env.store->dir_close(at.env.store_ctx, dir);
  for (uint32_t mode = TD_JOURNAL_READ; mode <= TD_JOURNAL_CREATE; mode++) {
    CHECK(open_journal(&journal, (td_journal_mode)mode) == TD_LENGTH);
  }
  CHECK_U64(at.err.bound, TD_JOURNAL_BYTES_MAX);
  free(bytes);
  world_end();
}

static void case_crash(void) {
  td_prng prng = {test_seed()};
  bool reached = true;
  for (uint64_t call = 1; reached; call++) {
    world_begin();
    at.disk.faults.last_call = call;
    uint32_t done = write_all();
    reached = at.disk.counts.calls >= call;
    at.disk.faults = (td_disk_faults){.last_call = 0};
    for (uint32_t way = 0; way < 8; way++) {
      td_disk after, whole = at.disk;
      td_journal journal;
      td_disk_crash(&whole, 0, &prng, &after);
      at.disk = after;
      world_attach();
      CHECK(open_journal(&journal, TD_JOURNAL_CREATE) == TD_OK);
      check_lines(done, done + 1);
      td_journal_close(&journal);
      td_disk_deinit(&at.disk);
      at.disk = whole;
    }
    world_attach();
    world_end();
  }
}

/* Every call fails once: what was answered for is there. */
static void case_errors(void) {
  static const int32_t errors[] = {TD_SYS_IO, TD_SYS_NOSPC};
  for (uint32_t e = 0; e < 2; e++) {
    bool reached = true;
    for (uint64_t call = 1; reached; call++) {
      td_journal journal;
      world_begin();
      at.disk.faults = (td_disk_faults){.fail_call = call,
                                        .fail_sys = errors[e]};
      uint32_t done = write_all();
      reached = at.disk.counts.calls >= call;
      at.disk.faults = (td_disk_faults){.fail_call = 0};
      if (open_journal(&journal, TD_JOURNAL_CREATE) == TD_OK) {
        check_lines(done, done + 1);
        td_journal_close(&journal);
      } else {
        CHECK(false);
      }
      world_end();
    }
  }
}

static void case_memory(void) {
  bool reached = true;
  for (uint64_t request = 1; reached; request++) {
    td_journal journal;
    world_begin();
    at.fail_request = request;
    uint32_t done = write_all();
    reached = at.requests >= request;
    at.fail_request = 0;
    CHECK(open_journal(&journal, TD_JOURNAL_CREATE) == TD_OK);
    check_lines(done, done);
    td_journal_close(&journal);
    world_end();
  }
}

void test_journal(void) {
  test_case("journal", "lines come back", case_lines);
  test_case("journal", "cut anywhere", case_cut);
  test_case("journal", "names", case_names);
  test_case("journal", "one writes", case_locked);
  test_case("journal", "lines in other places", case_places);
  test_case("journal", "full, then failed", case_after_errors);
  test_case("journal", "every flipped bit", case_flips);
  test_case("journal", "both limits, and a byte past them", case_limits);
  test_case("journal", "a power failure behind every call", case_crash);
  test_case("journal", "every call fails", case_errors);
  test_case("journal", "every request for memory fails", case_memory);
}
