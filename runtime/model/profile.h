/* Which ids the events of a log touch: a count per id in bounded memory, and
 * from it the hottest ids and the boundaries that would balance them.
 *
 * Exact up to half as many different ids as there are slots. Past that, the
 * lightest neighbours (in key order) are merged into runs, each of at most
 * 8/slots of all events, and `exact` turns false. Hot ids stay single. A run
 * counts at the key of its heaviest member; td_profile_slack says how far
 * that can shift a boundary. Deterministic: the same events in the same
 * order give the same profile.
 *
 * One block, no inner pointers.
 *
 * Thread: owner. */
#ifndef TD_MODEL_PROFILE_H
#define TD_MODEL_PROFILE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/id.h"
#include "base/status.h"
#include "model/router.h"

#define TD_PROFILE_SLOTS_MIN 64u
#define TD_PROFILE_SLOTS_MAX 16777216u
#define TD_PROFILE_SLOTS_DEFAULT 131072u

typedef struct td_profile td_profile;

typedef struct td_heat {
  td_entity_id entity;
  uint64_t events;
} td_heat;

/* Bytes for so many slots, a power of two in SLOTS_MIN..SLOTS_MAX. Aligned as
 * malloc aligns. */
TD_API size_t td_profile_size(uint32_t slots);

/* Empty; the block has td_profile_size(slots) bytes. */
TD_API void td_profile_init(td_profile *profile, uint32_t slots);

/* Counts the records of one kind-0 payload (a multiple of 21 bytes): adds
 * each to its shard's entry of counts (may be NULL; as td_router_histogram)
 * and to the profile under td_router_key. One profile sees routers of one
 * strategy. */
TD_API void td_profile_add(td_profile *profile, const td_router *router,
                           td_span payload, uint64_t *counts);

/* Events counted so far. */
TD_API uint64_t td_profile_events(const td_profile *profile);
/* Different ids seen, or runs kept when not exact. */
TD_API uint32_t td_profile_distinct(const td_profile *profile);
TD_API bool td_profile_exact(const td_profile *profile);
/* How many events the count up to any key may be off by; 0 when exact. So a
 * piece of td_profile_split is off by at most twice that. */
TD_API uint64_t td_profile_slack(const td_profile *profile);

/* The up to `count` ids with most events, hottest first (ties: lower id
 * first). Returns how many. Ids, also where keys are hashes. When not exact,
 * runs are left out, and an id may have had more events than are given: those
 * from before it was merged into a run. */
TD_API uint32_t td_profile_hottest(const td_profile *profile, td_heat *out,
                                   uint32_t count);

/* Splits the keys seen into `parts` contiguous pieces so that the heaviest is
 * as light as possible. last[i] is the last key of piece i (the final one
 * 2^64-1), events[i] its count. Sorts the profile in place. Returns the
 * number of pieces, <= parts: fewer only when there are fewer keys. */
TD_API uint32_t td_profile_split(td_profile *profile, uint32_t parts,
                                 uint64_t *last, uint64_t *events);

/* The keys first..last, and how many events they may have. */
typedef struct td_profile_part {
  uint64_t first;
  uint64_t last;
  uint64_t events;
} td_profile_part;

/* Shortens a part, from above or (upper) from below, until its keys have at
 * most part->events events; sets events to what they have. All of it when
 * that fits; false when not even one key does: then the part is the key at
 * that end. Sorts the profile in place. */
TD_API bool td_profile_cut(td_profile *profile, td_profile_part *part,
                           bool upper);

#endif
