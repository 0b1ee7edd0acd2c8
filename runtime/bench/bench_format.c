/* G9: the batch checksum against libxxhash's plain function, whose vector
 * unit was chosen when the library was built. G10: a header against copying
 * as many bytes. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "format/batch.h"

/* From libxxhash; its XXH128_hash_t is td_hash128 under another name. */
extern td_hash128 XXH3_128bits(const void *input, size_t size);

static volatile uint64_t taken;

static void our_hash(void *ctx, uint64_t times) {
  const td_span *bytes = ctx;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < times; i++) sum += td_hash128_of(*bytes).low;
  taken = sum;
}

static void peer_hash(void *ctx, uint64_t times) {
  const td_span *bytes = ctx;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < times; i++) {
    sum += XXH3_128bits(bytes->data, bytes->size).low;
  }
  taken = sum;
}

static bool has_avx2(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

static void measure_hash(bench *b) {
  static const size_t sizes[] = {2100, 65536};
  uint8_t *bytes = bench_alloc(65536);
  td_span spans[2];
  bench_pair pairs[2] = {0};
  for (size_t i = 0; i < 65536; i++) bytes[i] = (uint8_t)(i * 131);
  for (uint32_t i = 0; i < 2; i++) {
    spans[i] = (td_span){bytes, sizes[i]};
    pairs[i] = (bench_pair){
      .result = {.id = "G9", .gate = 2, .rule = BENCH_AT_LEAST},
      .ours = our_hash, .peer = peer_hash,
      .ours_ctx = &spans[i], .peer_ctx = &spans[i]};
    snprintf(pairs[i].result.name, BENCH_NAME_MAX,
             "batch checksum vs plain XXH3-128, %zu B", sizes[i]);
  }
  bench_measure(b, "G9", pairs, 2);
  free(bytes);
}

/* Several headers in turn, made before: a copy that reads what was only just
 * stored, in other pieces, would stall and flatter us. */
#define HEADERS 16u

typedef struct headers {
  td_batch batches[HEADERS];
  uint8_t sources[HEADERS][TD_BATCH_HEADER_BYTES];
  uint8_t target[TD_BATCH_HEADER_BYTES];
} headers;

/* Copying is a call too, as encoding is. */
typedef void *copy_fn(void *target, const void *source, size_t size);
static copy_fn *volatile copy = memcpy;

static void our_header(void *ctx, uint64_t times) {
  headers *h = ctx;
  for (uint64_t i = 0; i < times; i++) {
    td_batch_encode(&h->batches[i % HEADERS], h->target);
  }
  taken = h->target[8];
}

static void peer_header(void *ctx, uint64_t times) {
  headers *h = ctx;
  copy_fn *now = copy;
  for (uint64_t i = 0; i < times; i++) {
    now(h->target, h->sources[i % HEADERS], TD_BATCH_HEADER_BYTES);
  }
  taken = h->target[8];
}

/* What any writer of the format pays: the copy, and the hash over it. */
static void peer_hashed(void *ctx, uint64_t times) {
  headers *h = ctx;
  copy_fn *now = copy;
  for (uint64_t i = 0; i < times; i++) {
    now(h->target, h->sources[i % HEADERS], TD_BATCH_HEADER_BYTES);
    td_put_u32(h->target + 48, (uint32_t)td_hash64(
      (td_span){h->target, TD_BATCH_HEADER_BYTES}));
  }
  taken = h->target[8];
}

static void measure_header(bench *b) {
  headers h;
  for (uint32_t i = 0; i < HEADERS; i++) {
    h.batches[i] = (td_batch){
      .version = TD_BATCH_VERSION, .event_count = 100, .payload_len = 2100,
      .first_seq = {i + 1}};
    td_batch_encode(&h.batches[i], h.sources[i]);
  }
  bench_pair pairs[] = {
    {.result = {.id = "G10", .name = "encode a header vs memcpy 64 B and hash",
                .gate = 2.5, .rule = BENCH_AT_MOST},
     .ours = our_header, .peer = peer_hashed,
     .ours_ctx = &h, .peer_ctx = &h},
    {.result = {.id = "G10", .name = "encode a header vs memcpy 64 B alone",
                .rule = BENCH_AT_MOST},
     .ours = our_header, .peer = peer_header,
     .ours_ctx = &h, .peer_ctx = &h},
  };
  bench_measure(b, "G10", pairs, 2);
}

void bench_format(bench *b) {
  if (bench_wanted(b, "format", "G9")) {
    if (has_avx2()) {
      measure_hash(b);
    } else {
      bench_skip(b, "G9", "batch checksum: no AVX2 here");
    }
  }
  if (bench_wanted(b, "format", "G10")) measure_header(b);
}
