#include "model/profile.h"

#include "base/hash.h"
#include "base/sort.h"
#include "format/record.h"

#define TD_PROFILE_CHUNK 256u  /* events decoded and hashed at a time */

/* An id and its events, or a run of neighbours under the last one's name. */
typedef struct cell {
  uint64_t key;
  td_entity_id entity;
  uint64_t events;  /* >= 1 */
  bool run;
} cell;

/* The cells lie close together, in any order. Behind them an open-addressed
 * index of `slots` entries, at most half full, leads from an entity to the
 * number of its cell plus one; 0 is empty. Runs are not in it: an id that
 * comes again after it was merged gets a new cell. */
struct td_profile {
  uint64_t events;
  uint64_t slack;
  uint32_t slots;
  uint32_t used;  /* cells */
  bool merged;
  cell cells[];
};

static bool valid_slots(uint32_t slots) {
  return slots >= TD_PROFILE_SLOTS_MIN && slots <= TD_PROFILE_SLOTS_MAX
      && (slots & (slots - 1)) == 0;
}

static uint32_t room(const td_profile *profile) {
  return profile->slots / 2;
}

static uint32_t *index_of(td_profile *profile) {
  return (uint32_t *)(profile->cells + room(profile));
}

size_t td_profile_size(uint32_t slots) {
  td_assert(valid_slots(slots));
  return sizeof(td_profile) + (size_t)slots / 2 * sizeof(cell)
       + (size_t)slots * sizeof(uint32_t);
}

void td_profile_init(td_profile *profile, uint32_t slots) {
  td_assert(valid_slots(slots));
  *profile = (td_profile){.slots = slots};
  memset(index_of(profile), 0, (size_t)slots * sizeof(uint32_t));
}

/* --- counting ------------------------------------------------------------- */

/* The index entry of an entity, or the empty one where it belongs. */
static uint32_t *find(td_profile *profile, td_entity_id entity,
                      uint64_t hash) {
  uint32_t *index = index_of(profile);
  uint32_t mask = profile->slots - 1, at = (uint32_t)hash & mask;
  while (index[at] > 0) {
    if (td_entity_id_cmp(profile->cells[index[at] - 1].entity, entity) == 0) {
      break;
    }
    at = (at + 1) & mask;
  }
  return &index[at];
}

static void reindex(td_profile *profile) {
  memset(index_of(profile), 0, (size_t)profile->slots * sizeof(uint32_t));
  for (uint32_t i = 0; i < profile->used; i++) {
    const cell *c = &profile->cells[i];
    if (c->run) continue;
    *find(profile, c->entity, td_hash_entity(c->entity)) = i + 1;
  }
}

/* A run and a later single may have the same key. */
static bool cell_less(const void *a, const void *b) {
  const cell *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key;
  return x->run > y->run;
}

static bool sort_cells(td_profile *profile) {
  return td_sort(profile->cells, profile->used, sizeof(cell), cell_less);
}

/* Merges neighbours while a run has at most `limit` events and at most
 * `moved` of them change their key for that of the heaviest member. Of the
 * new runs at most one lies across any key, so the one that moves most bounds
 * what this adds to the error. */
static void merge_cells(td_profile *profile, uint64_t limit, uint64_t moved) {
  cell *cells = profile->cells;
  uint64_t most = 0, heaviest = cells[0].events;
  uint32_t kept = 1;
  for (uint32_t i = 1; i < profile->used; i++) {
    cell *run = &cells[kept - 1];
    uint64_t here = cells[i].events, sum = run->events + here;
    uint64_t top = here > heaviest ? here : heaviest;
    if (sum > limit || sum - top > moved) {
      cells[kept++] = cells[i];
      heaviest = here;
      continue;
    }
    if (here > heaviest) *run = cells[i];
    run->events = sum;
    run->run = true;
    heaviest = top;
    if (sum - top > most) most = sum - top;
  }
  profile->used = kept;
  profile->slack += most;
  profile->merged = true;
}

/* Frees half the room, moving as little as will do. It will do: once `moved`
 * is no bar, two neighbours that stay apart have more than 8/slots of all
 * events together, so at most slots/4 + 1 cells are left. */
static void merge(td_profile *profile) {
  uint64_t limit = profile->events * 8 / profile->slots;
  uint64_t moved = 1;
  sort_cells(profile);
  for (; profile->used > room(profile) / 2 + 1; moved *= 2) {
    td_assert(moved / 2 < limit);
    merge_cells(profile, limit, moved);
  }
  reindex(profile);
}

static void count_one(td_profile *profile, const td_router *router,
                      td_entity_id entity, uint64_t hash) {
  uint32_t *at = find(profile, entity, hash);
  if (*at == 0 && profile->used == room(profile)) {
    merge(profile);
    at = find(profile, entity, hash);
  }
  if (*at == 0) {
    profile->cells[profile->used++] =
      (cell){.key = td_router_key(router, entity), .entity = entity};
    *at = profile->used;
  }
  profile->cells[*at - 1].events++;
  profile->events++;
}

void td_profile_add(td_profile *profile, const td_router *router,
                    td_span payload, uint64_t *counts) {
  uint64_t ids[TD_PROFILE_CHUNK], hashes[TD_PROFILE_CHUNK];
  const uint8_t *record = payload.data;
  size_t left = payload.size / TD_RECORD_BYTES;
  for (size_t now; left > 0; left -= now) {
    now = left < TD_PROFILE_CHUNK ? left : TD_PROFILE_CHUNK;
    for (size_t i = 0; i < now; i++, record += TD_RECORD_BYTES) {
      ids[i] = td_record_entity(record).value;
    }
    td_hash_entities(ids, hashes, now);
    if (counts) td_router_histogram(router, ids, now, counts);
    for (size_t i = 0; i < now; i++) {
      count_one(profile, router, (td_entity_id){ids[i]}, hashes[i]);
    }
  }
}

uint64_t td_profile_events(const td_profile *profile) {
  return profile->events;
}

uint32_t td_profile_distinct(const td_profile *profile) {
  return profile->used;
}

bool td_profile_exact(const td_profile *profile) {
  return !profile->merged;
}

uint64_t td_profile_slack(const td_profile *profile) {
  return profile->slack < profile->events ? profile->slack : profile->events;
}

/* --- asking --------------------------------------------------------------- */

static bool hotter(const void *a, const void *b) {
  const td_heat *x = a, *y = b;
  if (x->events != y->events) return x->events > y->events;
  return td_entity_id_cmp(x->entity, y->entity) < 0;
}

/* `out` is kept as a heap with the coolest of the chosen on top. */
uint32_t td_profile_hottest(const td_profile *profile, td_heat *out,
                            uint32_t count) {
  uint32_t have = 0;
  if (count == 0) return 0;
  for (uint32_t i = 0; i < profile->used; i++) {
    const cell *c = &profile->cells[i];
    td_heat heat = {c->entity, c->events};
    if (c->run) continue;
    if (have < count) {
      out[have++] = heat;
      if (have < count) continue;
      for (uint32_t top = have / 2; top-- > 0;) {
        td_sort_sink((uint8_t *)out, top, have, sizeof *out, hotter);
      }
    } else if (hotter(&heat, out)) {
      out[0] = heat;
      td_sort_sink((uint8_t *)out, 0, have, sizeof *out, hotter);
    }
  }
  td_sort(out, have, sizeof *out, hotter);
  return have;
}

/* The cells from `at` on that share a key; returns the one behind them. */
static uint32_t next_key(const td_profile *profile, uint32_t at,
                         uint64_t *events) {
  uint64_t key = profile->cells[at].key;
  *events = 0;
  while (at < profile->used && profile->cells[at].key == key) {
    *events += profile->cells[at++].events;
  }
  return at;
}

/* Keys seen, and the events of the heaviest. */
static uint32_t count_keys(const td_profile *profile, uint64_t *heaviest) {
  uint32_t keys = 0;
  uint64_t events;
  *heaviest = 0;
  for (uint32_t at = 0; at < profile->used; keys++) {
    at = next_key(profile, at, &events);
    if (events > *heaviest) *heaviest = events;
  }
  return keys;
}

/* Whether `parts` pieces of at most `limit` events hold everything. */
static bool fits(const td_profile *profile, uint32_t parts, uint64_t limit) {
  uint64_t piece = 0, events;
  for (uint32_t at = 0; at < profile->used;) {
    at = next_key(profile, at, &events);
    if (piece + events > limit) {
      if (--parts == 0) return false;
      piece = 0;
    }
    piece += events;
  }
  return true;
}

/* The lightest that the heaviest of `parts` pieces can be. */
static uint64_t lightest(const td_profile *profile, uint32_t parts,
                         uint64_t heaviest) {
  uint64_t low = heaviest, high = profile->events / parts + heaviest;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (fits(profile, parts, middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

uint32_t td_profile_split(td_profile *profile, uint32_t parts,
                          uint64_t *last, uint64_t *events) {
  uint64_t heaviest, here;
  if (sort_cells(profile)) reindex(profile);
  uint32_t left = count_keys(profile, &heaviest), at = 0;
  if (parts > left) parts = left;
  if (parts == 0) return 0;
  uint64_t limit = lightest(profile, parts, heaviest);
  for (uint32_t i = 0; i < parts; i++) {
    uint32_t later = parts - 1 - i;  /* pieces that need a key each */
    events[i] = 0;
    while (left > later) {
      uint32_t next = next_key(profile, at, &here);
      if (events[i] + here > limit) break;
      events[i] += here;
      last[i] = profile->cells[next - 1].key;
      at = next;
      left--;
    }
  }
  last[parts - 1] = UINT64_MAX;
  return parts;
}

/* The first cell with a key of at least `key`; the cells are sorted. */
static uint32_t lower_bound(const td_profile *profile, uint64_t key) {
  uint32_t low = 0, high = profile->used;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (profile->cells[middle].key < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* The cells below `at` that share a key; returns the first of them. */
static uint32_t previous_key(const td_profile *profile, uint32_t at,
                             uint64_t *events) {
  uint64_t key = profile->cells[at - 1].key;
  *events = 0;
  while (at > 0 && profile->cells[at - 1].key == key) {
    *events += profile->cells[--at].events;
  }
  return at;
}

bool td_profile_cut(td_profile *profile, td_profile_part *part, bool upper) {
  uint64_t most = part->events, sum = 0, here;
  if (sort_cells(profile)) reindex(profile);
  uint32_t from = lower_bound(profile, part->first);
  uint32_t upto = part->last == UINT64_MAX ? profile->used
                : lower_bound(profile, part->last + 1);
  uint32_t at = upper ? upto : from, stop = upper ? from : upto, next;
  for (; at != stop; at = next) {
    next = upper ? previous_key(profile, at, &here)
                 : next_key(profile, at, &here);
    if (here > most - sum) break;
    sum += here;
  }
  if (at != stop && at == (upper ? upto : from)) {
    uint64_t key = profile->cells[upper ? at - 1 : at].key;
    *part = (td_profile_part){key, key, here};
    return false;
  }
  if (at != stop && upper) part->first = profile->cells[at].key;
  if (at != stop && !upper) part->last = profile->cells[at - 1].key;
  part->events = sum;
  return true;
}
