/* A main() for fuzz targets where there is no libFuzzer: replays files, then
 * changes them and the built-in seeds at random for some seconds.
 *
 *   fuzz_x [--seconds N] [--seed N] [--keep FILE] [files...]
 *
 * Nothing guides it, unlike libFuzzer. A crash leaves its input in FILE, if
 * the sanitizer ends in abort(): ASAN_OPTIONS=abort_on_error=1. */
#include "fuzz/fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/prng.h"

#define INPUT_BYTES_MAX 65536u
#define POOL_MAX 1024u
#define RUNS_PER_LOOK 64u  /* at the clock */
#define CHANGES_MAX 8u

typedef struct pool {
  uint8_t *inputs[POOL_MAX];
  size_t sizes[POOL_MAX];
  uint32_t count;
} pool;

typedef struct options {
  uint64_t seconds;
  uint64_t seed;
  const char *keep;
} options;

static void add(pool *all, const uint8_t *data, size_t size) {
  if (all->count == POOL_MAX) return;
  all->inputs[all->count] = fuzz_copy(data, size);
  all->sizes[all->count++] = size;
}

/* The input that runs, for the moment of a crash. */
static struct {
  FILE *out;  /* opened beforehand, without a buffer */
  const uint8_t *data;
  size_t size;
} crash;

static void keep_input(int number) {
  (void)signal(number, SIG_DFL);
  (void)fwrite(crash.data, 1, crash.size, crash.out);
  (void)raise(number);
}

static void prepare_crash(const char *path) {
  crash.out = fopen(path, "wb");
  if (!crash.out || setvbuf(crash.out, NULL, _IONBF, 0) != 0
      || signal(SIGABRT, keep_input) == SIG_ERR) {
    fprintf(stderr, "cannot write %s\n", path);
    exit(2);
  }
}

/* A block of its own size, so that a sanitizer sees reads past it. */
static void run_one(const uint8_t *data, size_t size) {
  uint8_t *input = fuzz_copy(data, size);
  crash.data = data;
  crash.size = size;
  LLVMFuzzerTestOneInput(input, size);
  free(input);
}

static void add_file(pool *all, const char *path) {
  static uint8_t data[INPUT_BYTES_MAX];
  FILE *in = fopen(path, "rb");
  if (!in) {
    fprintf(stderr, "cannot open %s\n", path);
    exit(2);
  }
  add(all, data, fread(data, 1, sizeof data, in));
  fclose(in);
}

static void add_seeds(pool *all) {
  static uint8_t data[INPUT_BYTES_MAX];
  size_t size;
  for (unsigned i = 0; (size = fuzz_seed(i, data, sizeof data)) > 0; i++) {
    add(all, data, size);
  }
  add(all, data, 0);
}

static uint8_t interesting(td_prng *prng) {
  static const uint8_t bytes[] = {0, 1, 2, 127, 128, 254, 255, '0', '9', ':'};
  return bytes[td_prng_below(prng, sizeof bytes)];
}

/* One change in place; returns the new size. */
static size_t change(uint8_t *data, size_t size, const pool *all,
                     td_prng *prng) {
  size_t at = (size_t)td_prng_below(prng, size);
  size_t count = 1 + (size_t)td_prng_below(prng, size - at);
  uint32_t other = (uint32_t)td_prng_below(prng, all->count);
  switch (td_prng_below(prng, 7)) {
  case 0: data[at] ^= (uint8_t)(1u << td_prng_below(prng, 8)); break;
  case 1: data[at] = (uint8_t)td_prng_next(prng); break;
  case 2: data[at] = interesting(prng); break;
  case 3: memset(data + at, interesting(prng), count % 9); break;
  case 4: return at;
  case 5:
    if (count > INPUT_BYTES_MAX - size) count = INPUT_BYTES_MAX - size;
    memmove(data + at + count, data + at, size - at);
    return size + count;
  default:
    if (count > all->sizes[other]) count = all->sizes[other];
    if (count > 0) memcpy(data + at, all->inputs[other], count);
    break;
  }
  return size;
}

static void run_changed(const pool *all, td_prng *prng) {
  static uint8_t data[INPUT_BYTES_MAX];
  uint32_t index = (uint32_t)td_prng_below(prng, all->count);
  size_t size = all->sizes[index];
  memcpy(data, all->inputs[index], size);
  uint64_t changes = 1 + td_prng_below(prng, CHANGES_MAX);
  for (uint64_t i = 0; i < changes && size > 0; i++) {
    size = change(data, size, all, prng);
  }
  run_one(data, size);
}

static uint64_t number(const char *text) {
  char *end;
  uint64_t value = strtoull(text, &end, 0);
  if (*text && !*end) return value;
  fprintf(stderr, "not a number: %s\n", text);
  exit(2);
}

static void read_arguments(int argc, char **argv, options *chosen,
                           pool *all) {
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--seconds") == 0) chosen->seconds = number(value);
    else if (strcmp(argv[i], "--seed") == 0) chosen->seed = number(value);
    else if (strcmp(argv[i], "--keep") == 0) chosen->keep = value;
    else {
      add_file(all, argv[i]);
      continue;
    }
    i++;
  }
}

int main(int argc, char **argv) {
  static pool all;
  options chosen = {.seed = 1};
  uint64_t runs = 0;
  read_arguments(argc, argv, &chosen, &all);
  add_seeds(&all);
  if (chosen.keep) prepare_crash(chosen.keep);
  for (; runs < all.count; runs++) {
    run_one(all.inputs[runs], all.sizes[runs]);
  }
  td_prng prng = {chosen.seed};
  time_t start = time(NULL);
  while ((uint64_t)(time(NULL) - start) < chosen.seconds) {
    for (uint32_t i = 0; i < RUNS_PER_LOOK; i++, runs++) {
      run_changed(&all, &prng);
    }
  }
  for (uint32_t i = 0; i < all.count; i++) free(all.inputs[i]);
  if (chosen.keep && (fclose(crash.out) != 0 || remove(chosen.keep) != 0)) {
    return 2;
  }
  printf("Done %llu runs\n", (unsigned long long)runs);
  return 0;
}
