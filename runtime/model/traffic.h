/* How many events change their shard between two routers, pair by pair: the
 * price of a change of strategy, where no range says what moves.
 *
 * One count for each pair of shards, if those are at most TD_TRAFFIC_PAIRS_MAX
 * (8 MiB); else for each shard what stays and what goes elsewhere. Beside it,
 * what each shard has in the end.
 *
 * One block; the routers must outlive it.
 *
 * Thread: owner. */
#ifndef TD_MODEL_TRAFFIC_H
#define TD_MODEL_TRAFFIC_H

#include <stdbool.h>

#include "base/bytes.h"
#include "model/router.h"

#define TD_TRAFFIC_PAIRS_MAX 1048576u

typedef struct td_traffic {
  const td_router *from;
  const td_router *to;
  uint32_t sources;  /* shards of from: 0..highest */
  uint32_t targets;
  bool paired;       /* one count a pair */
  uint64_t counts[]; /* private: by source, then of what arrives */
} td_traffic;

/* Bytes for two routers. Aligned as malloc aligns. */
TD_API size_t td_traffic_size(const td_router *from, const td_router *to);

/* Nothing counted. The block has td_traffic_size bytes. */
TD_API void td_traffic_init(td_traffic *traffic, const td_router *from,
                            const td_router *to);

/* Counts the records of one kind-0 payload (a multiple of 21 bytes). */
TD_API void td_traffic_add(td_traffic *traffic, td_span payload);

/* Events of source that go to target; without pairs, target 0 is source
 * itself and target 1 all others. */
TD_API uint64_t td_traffic_count(const td_traffic *traffic, uint32_t source,
                                 uint32_t target);

/* Events that a shard has in the end. */
TD_API uint64_t td_traffic_arrived(const td_traffic *traffic,
                                   uint32_t target);

#endif
