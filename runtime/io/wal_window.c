#include "io/wal_window.h"

#include <string.h>

static uint32_t place_of(const td_wal_window *window, uint64_t event) {
  return (uint32_t)(event % (2 * (uint64_t)window->size));
}

static td_hash128 *hash_at(const td_wal_window *window, uint32_t slot) {
  return &window->ring[window->table[slot] - 1];
}

/* Where a hash stands in the table, or the free place where it would. */
static uint32_t find(const td_wal_window *window, td_hash128 hash) {
  uint32_t slot = (uint32_t)hash.low & window->mask;
  while (window->table[slot] > 0
         && !td_hash128_eq(*hash_at(window, slot), hash)) {
    slot = (slot + 1) & window->mask;
  }
  return slot;
}

/* Frees a place; what was pushed past it moves up, so that no search ends too
 * early. */
static void remove_at(td_wal_window *window, uint32_t slot) {
  uint32_t hole = slot;
  for (;;) {
    slot = (slot + 1) & window->mask;
    if (window->table[slot] == 0) break;
    uint32_t home = (uint32_t)hash_at(window, slot)->low & window->mask;
    uint32_t from_home = (slot - home) & window->mask;
    uint32_t from_hole = (slot - hole) & window->mask;
    if (from_home < from_hole) continue;
    window->table[hole] = window->table[slot];
    hole = slot;
  }
  window->table[hole] = 0;
}

static void forget(td_wal_window *window, uint64_t event) {
  td_hash128 hash = window->ring[place_of(window, event)];
  uint32_t slot = find(window, hash);
  td_assert(window->table[slot] == place_of(window, event) + 1);
  remove_at(window, slot);
}

/* At most half of the table is ever in use. */
static uint32_t table_size(uint32_t size) {
  uint32_t slots = 4;
  while (slots < size) slots *= 2;
  return slots * 4;
}

td_status td_wal_window_init(td_wal_window *window, const td_alloc *alloc,
                             uint32_t size, td_error *err) {
  *window = (td_wal_window){.alloc = *alloc};
  if (size == 0) return TD_OK;
  if (size > TD_WAL_WINDOW_MAX) {
    return td_fail(err, TD_TOO_MANY, "events of a window", size,
                   TD_WAL_WINDOW_MAX);
  }
  size_t ring = 2 * (size_t)size * sizeof *window->ring;
  size_t table = (size_t)table_size(size) * sizeof *window->table;
  window->size = size;
  window->mask = table_size(size) - 1;
  window->ring = td_alloc_resize(alloc, NULL, 0, ring);
  if (window->ring) window->table = td_alloc_resize(alloc, NULL, 0, table);
  if (window->table) {
    memset(window->table, 0, table);
    return TD_OK;
  }
  td_wal_window_deinit(window);
  return td_fail(err, TD_NO_MEMORY, "window of events", ring + table, 0);
}

void td_wal_window_deinit(td_wal_window *window) {
  size_t ring = 2 * (size_t)window->size * sizeof *window->ring;
  size_t table = ((size_t)window->mask + 1) * sizeof *window->table;
  if (window->ring) td_alloc_free(&window->alloc, window->ring, ring);
  if (window->table) td_alloc_free(&window->alloc, window->table, table);
  *window = (td_wal_window){.size = 0};
}

bool td_wal_window_put(td_wal_window *window, td_hash128 hash) {
  uint32_t slot = find(window, hash);
  if (window->table[slot] > 0) return false;
  td_assert(window->end - window->start < 2 * (uint64_t)window->size);
  uint32_t place = place_of(window, window->end++);
  window->ring[place] = hash;
  window->table[slot] = place + 1;
  return true;
}

bool td_wal_window_add(td_wal_window *window, td_span record) {
  if (window->size == 0) return true;
  return td_wal_window_put(window, td_hash128_of(record));
}

void td_wal_window_put_all(td_wal_window *window,
                           const td_wal_window *other) {
  for (uint64_t event = other->start; event < other->end; event++) {
    td_wal_window_put(window, other->ring[place_of(other, event)]);
  }
}

bool td_wal_window_has(const td_wal_window *window, td_hash128 hash) {
  return window->table[find(window, hash)] > 0;
}

uint32_t td_wal_window_count(const td_wal_window *window) {
  return (uint32_t)(window->end - window->start);
}

void td_wal_window_undo(td_wal_window *window, uint32_t count) {
  if (window->size == 0) return;
  td_assert(count <= window->end - window->start);
  for (uint32_t i = 0; i < count; i++) forget(window, --window->end);
}

void td_wal_window_settle(td_wal_window *window) {
  while (window->end - window->start > window->size) {
    forget(window, window->start++);
  }
}
