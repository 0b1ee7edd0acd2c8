/* A directory in memory behind a td_env, for tests of what real disks seldom
 * do: any order of names, short reads, an error at the k-th call, memory that
 * runs out at the k-th request. It counts what is open and what is held.
 *
 * Calls that can fail are numbered from 1 over all files: dir_open, dir_list,
 * file_open, file_size, file_read. A failed open leaves a wild handle. */
#ifndef TD_TEST_MEMORY_STORE_H
#define TD_TEST_MEMORY_STORE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/prng.h"

#define MEMORY_FILES_MAX 160u
#define MEMORY_NAME_MAX 64u

typedef struct memory_file {
  char name[MEMORY_NAME_MAX];
  uint8_t *bytes;
  size_t size;
} memory_file;

typedef struct memory_store {
  memory_file files[MEMORY_FILES_MAX];
  uint32_t file_count;
  td_prng prng;           /* order of names, length of short reads */
  size_t read_max;        /* a read gives 1..read_max bytes; 0 = all */

  uint64_t calls;         /* so far */
  uint64_t fail_call;     /* this one fails, once; 0 = none */
  int fail_errno;         /* ... with this, e.g. EIO */
  uint64_t requests;      /* of memory, so far */
  uint64_t fail_request;  /* this one gets none; 0 = none */
  bool fail_on;           /* ... nor do those behind it */

  uint32_t dirs_open;
  uint32_t files_open;
  uint32_t blocks_held;
} memory_store;

/* Empty, without faults. */
void memory_store_init(memory_store *store, uint64_t seed);
/* Frees the files. What a test left open or held stays counted. */
void memory_store_deinit(memory_store *store);

/* Adds a file with a copy of the bytes, or replaces it. */
void memory_store_put(memory_store *store, const char *name, td_span bytes);
/* NULL = no such file. */
memory_file *memory_store_find(memory_store *store, const char *name);
/* Counts calls and requests anew and takes the faults out. */
void memory_store_reset(memory_store *store);

/* Any path opens the one directory. */
td_env memory_store_env(memory_store *store);

#endif
