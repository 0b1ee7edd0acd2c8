/* Memory is a parameter: one function of lua_Alloc's shape and its context.
 *
 * fn(ctx, ptr, old, new): new 0 frees (and returns NULL), ptr NULL
 * allocates, else resizes; NULL for new > 0 means out of memory, ptr stays.
 *
 * Thread: as the function given. */
#ifndef TD_BASE_ALLOC_H
#define TD_BASE_ALLOC_H

#include <stddef.h>

typedef struct td_alloc {
  void *(*fn)(void *ctx, void *ptr, size_t old_size, size_t new_size);
  void *ctx;
} td_alloc;

static inline void *td_alloc_resize(const td_alloc *alloc, void *ptr,
                                    size_t old_size, size_t new_size) {
  return alloc->fn(alloc->ctx, ptr, old_size, new_size);
}

static inline void td_alloc_free(const td_alloc *alloc, void *ptr,
                                 size_t size) {
  if (ptr) alloc->fn(alloc->ctx, ptr, size, 0);
}

#endif
