/* Sorting in place, in n log n steps at worst, without memory of its own.
 *
 * Heap sort: not stable, so an order needs no ties to be defined. A list
 * that is in order already, the usual case here, costs one look. Not libc's
 * qsort, which may allocate behind our back.
 *
 * Private to the library. Inlined, so that `size` and `less` are
 * constants where it is used.
 *
 * Thread: any. */
#ifndef TD_BASE_SORT_H
#define TD_BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

#define TD_SORT_BYTES 64u  /* of one item, at most */

typedef bool td_less_fn(const void *a, const void *b);

/* Moves the item at `top` of the heap list[0..count) down to its place; the
 * heap's top is the item that sorts last. */
static inline void td_sort_sink(uint8_t *list, size_t top, size_t count,
                                size_t size, td_less_fn *less) {
  uint8_t item[TD_SORT_BYTES];
  td_assert(size <= sizeof item);
  memcpy(item, list + top * size, size);
  for (size_t child; (child = 2 * top + 1) < count; top = child) {
    const uint8_t *at = list + child * size;
    if (child + 1 < count && less(at, at + size)) {
      at += size;
      child++;
    }
    if (!less(item, at)) break;
    memcpy(list + top * size, at, size);
  }
  memcpy(list + top * size, item, size);
}

static inline bool td_sort_done(const uint8_t *list, size_t count,
                                size_t size, td_less_fn *less) {
  for (size_t i = 1; i < count; i++) {
    if (less(list + i * size, list + (i - 1) * size)) return false;
  }
  return true;
}

/* Sorts count items of `size` bytes; false: they were in order already. */
static inline bool td_sort(void *items, size_t count, size_t size,
                           td_less_fn *less) {
  uint8_t *list = items;
  uint8_t item[TD_SORT_BYTES];
  if (td_sort_done(list, count, size, less)) return false;
  for (size_t i = count / 2; i-- > 0;) {
    td_sort_sink(list, i, count, size, less);
  }
  for (size_t last = count - 1; last > 0; last--) {
    memcpy(item, list + last * size, size);
    memcpy(list + last * size, list, size);
    memcpy(list, item, size);
    td_sort_sink(list, 0, last, size, less);
  }
  return true;
}

#endif
