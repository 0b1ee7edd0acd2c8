#include "test/memory_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

/* A block each, so that a sanitizer sees a use after close. */
struct td_dir {
  memory_store *store;
};

struct td_file {
  memory_store *store;
  char name[MEMORY_NAME_MAX];
};

/* Stands in front of every block: callers must give back the right size. */
typedef union block {
  size_t size;
  max_align_t align;
} block;

static int fault(memory_store *store) {
  return ++store->calls == store->fail_call ? -store->fail_errno : 0;
}

static int open_dir(void *ctx, const char *path, td_dir **out) {
  memory_store *store = ctx;
  int failed = fault(store);
  (void)path;
  *out = (td_dir *)UINTPTR_MAX;
  if (failed) return failed;
  *out = malloc(sizeof **out);
  td_assert(*out);
  (*out)->store = store;
  store->dirs_open++;
  return 0;
}

static int list_dir(void *ctx, td_dir *dir, td_name_fn *each,
                    void *each_ctx) {
  memory_store *store = ctx;
  uint32_t order[MEMORY_FILES_MAX];
  int failed = fault(store);
  td_assert(dir->store == store);
  for (uint32_t i = 0; i < store->file_count; i++) {
    uint32_t at = (uint32_t)td_prng_below(&store->prng, i + 1);
    order[i] = i;
    order[i] = order[at];
    order[at] = i;
  }
  /* A failing list gives half of its names first. */
  uint32_t count = failed ? store->file_count / 2 : store->file_count;
  for (uint32_t i = 0; i < count; i++) {
    if (!each(each_ctx, store->files[order[i]].name)) return 0;
  }
  return failed;
}

static void close_dir(void *ctx, td_dir *dir) {
  memory_store *store = ctx;
  td_assert(dir->store == store && store->dirs_open > 0);
  store->dirs_open--;
  free(dir);
}

static int open_file(void *ctx, td_dir *dir, const char *name,
                     td_file **out) {
  memory_store *store = ctx;
  int failed = fault(store);
  td_assert(dir->store == store);
  *out = (td_file *)UINTPTR_MAX;
  if (failed) return failed;
  if (!memory_store_find(store, name)) return -ENOENT;
  *out = malloc(sizeof **out);
  td_assert(*out);
  (*out)->store = store;
  memcpy((*out)->name, name, strlen(name) + 1);
  store->files_open++;
  return 0;
}

static int file_size(void *ctx, td_file *file, uint64_t *out) {
  memory_store *store = ctx;
  int failed = fault(store);
  const memory_file *found = memory_store_find(store, file->name);
  if (failed) return failed;
  *out = found ? found->size : 0;
  return 0;
}

static int64_t read_file(void *ctx, td_file *file, void *out, size_t size,
                         uint64_t offset) {
  memory_store *store = ctx;
  int failed = fault(store);
  const memory_file *found = memory_store_find(store, file->name);
  td_assert(size > 0);
  if (failed) return failed;
  if (!found || offset >= found->size) return 0;
  size_t left = found->size - (size_t)offset;
  if (size > left) size = left;
  if (store->read_max > 0 && size > 1) {
    size_t most = size < store->read_max ? size : store->read_max;
    size = 1 + (size_t)td_prng_below(&store->prng, most);
  }
  memcpy(out, found->bytes + offset, size);
  return (int64_t)size;
}

static void close_file(void *ctx, td_file *file) {
  memory_store *store = ctx;
  td_assert(file->store == store && store->files_open > 0);
  store->files_open--;
  free(file);
}

static const td_store_class memory_class = {
  .dir_open = open_dir,
  .dir_list = list_dir,
  .dir_close = close_dir,
  .file_open = open_file,
  .file_size = file_size,
  .file_read = read_file,
  .file_close = close_file,
};

static bool out_of_memory(memory_store *store) {
  uint64_t request = ++store->requests;
  if (store->fail_request == 0) return false;
  return request == store->fail_request
      || (store->fail_on && request > store->fail_request);
}

/* Always moves, so that a sanitizer sees the use of an old address. */
static void *resize(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  memory_store *store = ctx;
  block *old = ptr ? (block *)ptr - 1 : NULL;
  block *fresh = NULL;
  td_assert(old ? old->size == old_size : old_size == 0);
  if (new_size > 0) {
    if (out_of_memory(store)) return NULL;
    fresh = malloc(sizeof *fresh + new_size);
    td_assert(fresh);
    fresh->size = new_size;
    if (old) memcpy(fresh + 1, ptr, old_size < new_size ? old_size : new_size);
    store->blocks_held++;
  }
  if (old) {
    store->blocks_held--;
    free(old);
  }
  return fresh ? fresh + 1 : NULL;
}

void memory_store_init(memory_store *store, uint64_t seed) {
  *store = (memory_store){.prng = {seed}, .fail_errno = EIO};
}

void memory_store_deinit(memory_store *store) {
  for (uint32_t i = 0; i < store->file_count; i++) {
    free(store->files[i].bytes);
  }
  store->file_count = 0;
}

void memory_store_put(memory_store *store, const char *name, td_span bytes) {
  memory_file *file = memory_store_find(store, name);
  if (!file) {
    td_assert(store->file_count < MEMORY_FILES_MAX);
    td_assert(strlen(name) < MEMORY_NAME_MAX);
    file = &store->files[store->file_count++];
    *file = (memory_file){.bytes = NULL};
    memcpy(file->name, name, strlen(name) + 1);
  }
  uint8_t *copy = malloc(bytes.size + 1);
  td_assert(copy);
  if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
  free(file->bytes);
  file->bytes = copy;
  file->size = bytes.size;
}

memory_file *memory_store_find(memory_store *store, const char *name) {
  for (uint32_t i = 0; i < store->file_count; i++) {
    if (strcmp(store->files[i].name, name) == 0) return &store->files[i];
  }
  return NULL;
}

void memory_store_reset(memory_store *store) {
  store->calls = store->fail_call = 0;
  store->requests = store->fail_request = 0;
  store->fail_on = false;
}

td_env memory_store_env(memory_store *store) {
  return (td_env){
    .store = &memory_class, .store_ctx = store, .alloc = {resize, store},
  };
}
