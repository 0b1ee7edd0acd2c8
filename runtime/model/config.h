/* NodeConfig: what one node is. The defaults are exactly a single node r0:s0
 * that syncs every batch.
 *
 * A config owns nothing: texts, peers and router are the caller's and must
 * outlive it.
 *
 * Thread: owner. */
#ifndef TD_MODEL_CONFIG_H
#define TD_MODEL_CONFIG_H

#include <stdbool.h>

#include "base/id.h"
#include "base/policy.h"
#include "base/status.h"
#include "model/router.h"

typedef enum td_role {
  TD_ROLE_SINGLE,    /* the only node: no peers */
  TD_ROLE_LEADER,    /* accepts writes, ships its log */
  TD_ROLE_FOLLOWER,  /* applies a leader's log, refuses writes */
} td_role;

#define TD_SEGMENT_BYTES_MIN 4096u

typedef struct td_config {
  const char *data_dir;
  uint64_t group_delay_ns;   /* a group is closed after this, 0..1 minute */
  uint32_t segment_bytes;    /* 4096..16777216 */
  uint32_t group_events_max; /* ... or at so many events, 1..798,912 */
  td_sync_policy sync;
  td_role role;
  td_region_id region;
  td_shard_id shard;
  const td_shard_id *peers;  /* all shards of the region, this one included */
  uint32_t peer_count;       /* 0 when single */
  const td_router *router;   /* NULL only when single */
} td_config;

/* data_dir ".", 16 MiB segments, sync always, groups of 100 events or 10 ms,
 * role single, r0:s0, no peers, no router. */
TD_API td_config td_config_default(void);

TD_API const char *td_role_name(td_role role);
TD_API const char *td_sync_policy_name(td_sync_policy policy);

/* Reports every fault through `fault` (may be NULL), returns their number.
 * Statuses: TD_TEXT (data_dir missing or empty), TD_OUT_OF_RANGE,
 * TD_ROLE (single with peers, or leader/follower without), TD_DUPLICATE and
 * TD_PEERS, TD_NO_ROUTER, TD_MISMATCH (the router names a shard that is not
 * a peer). */
TD_API uint32_t td_config_check(const td_config *config, td_fault_fn *fault,
                                void *ctx);

/* By the role alone. */
TD_API bool td_config_is_single_node(const td_config *config);
TD_API bool td_config_accepts_writes(const td_config *config);

/* The log this node writes. */
TD_API td_log_id td_config_log(const td_config *config);

/* regions x shards nodes in order of (region, shard), from `base` (its
 * data_dir, sizes, limits and policy). leaders[s] leads shard s (NULL: region
 * 0 leads all; with all_lead every region does), the others follow; one node
 * in all is `single`. `peers` has room for
 * `shards` ids, `out` for regions * shards nodes. Statuses: TD_OK,
 * TD_NO_SHARDS, TD_TOO_MANY, TD_OUT_OF_RANGE (leaders[index]), TD_NO_ROUTER. */
typedef struct td_grid {
  uint32_t regions;  /* 1..65536 */
  uint32_t shards;   /* 1..65536, in every region */
  const td_region_id *leaders;  /* one per shard, or NULL */
  bool all_lead;
  const td_router *router;
} td_grid;
TD_API td_status td_config_grid(const td_config *base, const td_grid *grid,
                                td_shard_id *peers, td_config *out,
                                td_error *err);

#endif
