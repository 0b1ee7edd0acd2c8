/* A journal, raw and with right lines: what is read is what an oracle finds;
 * a damaged one is refused and left alone; who opens it to write sees the same
 * lines, and what he appends stands behind them. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "io/journal.h"
#include "sim/disk.h"

#define NAME "a.journal"
#define HEAD 17u            /* 16 digits and a blank */
#define BYTES_MAX 2048u     /* the oracle looks at every byte, often */
#define APPENDED "{\"step\":\"fuzz\"}"

static void *resize(void *ctx, void *ptr, size_t old_size, size_t size) {
  (void)ctx;
  (void)old_size;
  if (size > 0) return realloc(ptr, size);
  free(ptr);
  return NULL;
}

/* What a reading gave: how many lines, and a hash over their texts. */
typedef struct reading {
  uint32_t lines;
  uint64_t hash;
  size_t end;     /* the oracle's: behind the last one */
} reading;

static bool note(void *ctx, td_span text) {
  reading *seen = ctx;
  uint64_t both[2] = {seen->hash, td_hash64(text)};
  seen->lines++;
  seen->hash = td_hash64((td_span){(const uint8_t *)both, sizeof both});
  return true;
}

/* The digits that a line at this place must begin with. */
static void digits_of(size_t at, td_span text, char out[HEAD]) {
  uint8_t *bytes = malloc(8 + text.size);
  td_assert(bytes);
  for (unsigned i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)at >> 8 * i);
  memcpy(bytes + 8, text.data, text.size);
  uint64_t hash = td_hash64((td_span){bytes, 8 + text.size});
  snprintf(out, HEAD, "%016llx", (unsigned long long)hash);
  free(bytes);
}

/* The text of the whole line at a place; NULL data = there is none. */
static td_span line_at(td_span bytes, size_t at) {
  const td_span none = {NULL, 0};
  char digits[HEAD];
  size_t end = at + HEAD;
  if (end > bytes.size || bytes.data[end - 1] != ' ') return none;
  while (end < bytes.size && bytes.data[end] != '\n') end++;
  if (end == bytes.size) return none;
  td_span text = {bytes.data + at + HEAD, end - at - HEAD};
  digits_of(at, text, digits);
  return memcmp(bytes.data + at, digits, HEAD - 1) == 0 ? text : none;
}

static td_status oracle(td_span bytes, reading *out) {
  td_span text;
  *out = (reading){.lines = 0};
  while ((text = line_at(bytes, out->end)).data) {
    note(out, text);
    out->end += HEAD + text.size + 1;
  }
  for (size_t at = out->end + 1; at < bytes.size; at++) {
    if (line_at(bytes, at).data) return TD_PAYLOAD_HASH;
  }
  return TD_OK;
}

static td_status read_as(const td_env *env, td_journal_mode mode,
                         td_journal *journal, reading *out) {
  td_error err;
  *out = (reading){.lines = 0};
  td_status status = td_journal_open(journal, env, "", NAME, mode, note, out,
                                     &err);
  if (status != TD_OK) fuzz_check_error(status, &err);
  return status;
}

static void check_same(const reading *a, const reading *b) {
  td_assert(a->lines == b->lines && a->hash == b->hash);
}

static void check(td_span bytes) {
  td_disk disk;
  td_journal journal;
  reading want, seen;
  td_alloc alloc = {resize, NULL};
  td_disk_init(&disk, alloc, 1);
  td_env env = td_disk_env(&disk, alloc);
  td_assert(td_disk_put(&disk, NAME, bytes));
  td_hash128 before = td_disk_hash(&disk);
  td_status status = oracle(bytes, &want);
  td_assert(read_as(&env, TD_JOURNAL_READ, &journal, &seen) == status);
  if (status == TD_OK) {
    check_same(&seen, &want);
    td_journal_close(&journal);
  }
  td_assert(td_hash128_eq(td_disk_hash(&disk), before));
  td_assert(read_as(&env, TD_JOURNAL_WRITE, &journal, &seen) == status);
  if (status == TD_OK) {
    check_same(&seen, &want);
    td_span text = {(const uint8_t *)APPENDED, sizeof APPENDED - 1};
    td_assert(td_journal_append(&journal, text, NULL) == TD_OK);
    td_journal_close(&journal);
    note(&want, text);
    const td_disk_bytes *file = td_disk_find(&disk, NAME);
    td_assert(file->size == want.end + HEAD + text.size + 1);
    td_assert(memcmp(file->data, bytes.data, want.end) == 0);
    td_assert(read_as(&env, TD_JOURNAL_READ, &journal, &seen) == TD_OK);
    check_same(&seen, &want);
    td_journal_close(&journal);
  } else {
    td_assert(td_hash128_eq(td_disk_hash(&disk), before));
  }
  td_disk_deinit(&disk);
}

/* Lines of the input get a right head, but for those that begin with '!'. */
static size_t fix(td_span lines, uint8_t *out, size_t room) {
  size_t at = 0;
  while (lines.size > 0) {
    const uint8_t *stop = memchr(lines.data, '\n', lines.size);
    size_t size = stop ? (size_t)(stop - lines.data) : lines.size;
    if (at + HEAD + size + 1 > room) break;
    char digits[HEAD] = "0123456789abcdef";
    td_span text = {lines.data, size};
    if (size == 0 || text.data[0] != '!') digits_of(at, text, digits);
    memcpy(out + at, digits, HEAD - 1);
    out[at + HEAD - 1] = ' ';
    memcpy(out + at + HEAD, text.data, size);
    at += HEAD + size;
    if (stop) out[at++] = '\n';
    lines.data += size + (stop != NULL);
    lines.size -= size + (stop != NULL);
  }
  return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t fixed[BYTES_MAX];
  static const uint8_t none[1];
  if (size > BYTES_MAX) size = BYTES_MAX;
  if (size == 0) data = none;
  check((td_span){data, size});
  check((td_span){fixed, fix((td_span){data, size}, fixed, sizeof fixed)});
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const char *const texts[] = {
    "{\"step\":\"begin\"}\n{\"step\":\"lap\"}\n", "{\"step\":\"begin\"}\n!",
    "!\n{\"step\":\"lap\"}\n", "\n\n\n", "{\"step\":\"copied\"}",
  };
  if (index >= 2 * (sizeof texts / sizeof *texts)) return 0;
  const char *text = texts[index / 2];
  td_span lines = {(const uint8_t *)text, strlen(text)};
  if (index % 2) return fix(lines, out, room);
  memcpy(out, text, lines.size);
  return lines.size;
}
