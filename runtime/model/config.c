#include "model/config.h"

#include "format/record.h"

td_config td_config_default(void) {
  return (td_config){
    .data_dir = ".",
    .group_delay_ns = TD_GROUP_DELAY_NS_DEFAULT,
    .segment_bytes = TD_SEGMENT_BYTES,
    .group_events_max = TD_GROUP_EVENTS_DEFAULT,
    .sync = TD_SYNC_ALWAYS,
    .role = TD_ROLE_SINGLE,
  };
}

const char *td_role_name(td_role role) {
  switch (role) {
  case TD_ROLE_SINGLE: return "single";
  case TD_ROLE_LEADER: return "leader";
  case TD_ROLE_FOLLOWER: return "follower";
  }
  return "unknown";
}

const char *td_sync_policy_name(td_sync_policy policy) {
  switch (policy) {
  case TD_SYNC_ALWAYS: return "always";
  case TD_SYNC_UNSAFE_INTERVAL: return "unsafe_interval";
  case TD_SYNC_UNSAFE_NEVER: return "unsafe_never";
  }
  return "unknown";
}

/* Collects faults: counts them all, passes each on when asked to. */
typedef struct judge {
  td_fault_fn *fault;
  void *ctx;
  uint32_t count;
} judge;

static void report(judge *to, td_error *fault) {
  to->count++;
  if (to->fault) to->fault(to->ctx, fault);
}

static void object(judge *to, td_status status, const char *subject,
                   uint64_t got, uint64_t bound) {
  td_error fault;
  td_fail(&fault, status, subject, got, bound);
  report(to, &fault);
}

static void check_limits(judge *to, const td_config *config) {
  if (!config->data_dir || !config->data_dir[0]) {
    object(to, TD_TEXT, "data_dir", 0, 0);
  }
  if (config->segment_bytes < TD_SEGMENT_BYTES_MIN) {
    object(to, TD_OUT_OF_RANGE, "segment_bytes", config->segment_bytes,
           TD_SEGMENT_BYTES_MIN);
  }
  if (config->segment_bytes > TD_SEGMENT_BYTES) {
    object(to, TD_OUT_OF_RANGE, "segment_bytes", config->segment_bytes,
           TD_SEGMENT_BYTES);
  }
  if (config->group_events_max == 0
      || config->group_events_max > TD_RECORDS_MAX) {
    object(to, TD_OUT_OF_RANGE, "group_events_max", config->group_events_max,
           config->group_events_max ? TD_RECORDS_MAX : 1);
  }
  if (config->group_delay_ns > TD_GROUP_DELAY_NS_MAX) {
    object(to, TD_OUT_OF_RANGE, "group_delay_ns", config->group_delay_ns,
           TD_GROUP_DELAY_NS_MAX);
  }
  if (config->sync > TD_SYNC_UNSAFE_NEVER) {
    object(to, TD_OUT_OF_RANGE, "sync policy", config->sync,
           TD_SYNC_UNSAFE_NEVER);
  }
}

static bool is_peer(const td_config *config, td_shard_id shard) {
  for (uint32_t i = 0; i < config->peer_count; i++) {
    if (td_shard_id_eq(config->peers[i], shard)) return true;
  }
  return false;
}

/* A node's peers rise in every list this library makes: then a duplicate
 * stands beside its twin. Other orders are compared pair by pair. */
static void check_duplicates(judge *to, const td_config *config) {
  bool rising = true;
  for (uint32_t i = 1; i < config->peer_count && rising; i++) {
    rising = td_shard_id_cmp(config->peers[i - 1], config->peers[i]) < 0;
  }
  for (uint32_t i = 1; i < config->peer_count && !rising; i++) {
    for (uint32_t j = 0; j < i; j++) {
      if (!td_shard_id_eq(config->peers[j], config->peers[i])) continue;
      td_error fault;
      td_fail(&fault, TD_DUPLICATE, "peer", 0, 0);
      fault.index = j;
      fault.other = i;
      report(to, &fault);
      break;
    }
  }
}

static void check_router(judge *to, const td_config *config) {
  if (!config->router) {
    if (config->peer_count > 0) object(to, TD_NO_ROUTER, "router", 0, 0);
    return;
  }
  uint32_t highest = 0;
  for (uint32_t i = 0; i < config->peer_count; i++) {
    if (config->peers[i].value > highest) highest = config->peers[i].value;
  }
  td_shard_id most = td_router_shard_max(config->router);
  if (config->peer_count > 0 && most.value > highest) {
    object(to, TD_MISMATCH, "highest shard of the router", most.value,
           highest);
  }
}

uint32_t td_config_check(const td_config *config, td_fault_fn *fault,
                         void *ctx) {
  judge to = {fault, ctx, 0};
  check_limits(&to, config);
  if (config->role > TD_ROLE_FOLLOWER) {
    object(&to, TD_OUT_OF_RANGE, "role", config->role, TD_ROLE_FOLLOWER);
  } else if ((config->role == TD_ROLE_SINGLE) != (config->peer_count == 0)) {
    object(&to, TD_ROLE, config->role == TD_ROLE_SINGLE
                           ? "role single with peers"
                           : "role leader or follower without peers",
           config->peer_count, 0);
  }
  if (config->peer_count > TD_SHARDS_MAX) {
    object(&to, TD_TOO_MANY, "peers", config->peer_count, TD_SHARDS_MAX);
    return to.count;
  }
  if (config->peer_count > 0 && !is_peer(config, config->shard)) {
    object(&to, TD_PEERS, "peers", config->shard.value, 0);
  }
  check_duplicates(&to, config);
  check_router(&to, config);
  return to.count;
}

bool td_config_is_single_node(const td_config *config) {
  return config->role == TD_ROLE_SINGLE;
}

bool td_config_accepts_writes(const td_config *config) {
  return config->role != TD_ROLE_FOLLOWER;
}

td_log_id td_config_log(const td_config *config) {
  return (td_log_id){config->region, config->shard};
}

static td_status check_grid(const td_grid *grid, td_error *err) {
  if (grid->shards == 0 || grid->regions == 0) {
    return td_fail(err, TD_NO_SHARDS, grid->shards ? "regions" : "shards", 0,
                   1);
  }
  if (grid->shards > TD_SHARDS_MAX || grid->regions > TD_REGIONS_MAX) {
    bool shards = grid->shards > TD_SHARDS_MAX;
    return td_fail(err, TD_TOO_MANY, shards ? "shards" : "regions",
                   shards ? grid->shards : grid->regions, TD_SHARDS_MAX);
  }
  for (uint32_t s = 0; grid->leaders && s < grid->shards; s++) {
    if (grid->leaders[s].value < grid->regions) continue;
    td_fail(err, TD_OUT_OF_RANGE, "leader region", grid->leaders[s].value,
            grid->regions - 1);
    if (err) err->index = s;
    return TD_OUT_OF_RANGE;
  }
  if (!grid->router && grid->regions * (uint64_t)grid->shards > 1) {
    return td_fail(err, TD_NO_ROUTER, "router", 0, 0);
  }
  return TD_OK;
}

static td_role role_in(const td_grid *grid, uint32_t region, uint32_t shard) {
  if (grid->regions == 1 && grid->shards == 1) return TD_ROLE_SINGLE;
  uint32_t leader = grid->leaders ? grid->leaders[shard].value : 0;
  return grid->all_lead || region == leader ? TD_ROLE_LEADER
                                            : TD_ROLE_FOLLOWER;
}

td_status td_config_grid(const td_config *base, const td_grid *grid,
                         td_shard_id *peers, td_config *out, td_error *err) {
  td_status status = check_grid(grid, err);
  if (status != TD_OK) return status;
  for (uint32_t s = 0; s < grid->shards; s++) peers[s].value = (uint16_t)s;
  for (uint32_t r = 0; r < grid->regions; r++) {
    for (uint32_t s = 0; s < grid->shards; s++) {
      td_config *node = &out[(size_t)r * grid->shards + s];
      *node = *base;
      node->role = role_in(grid, r, s);
      node->region.value = (uint16_t)r;
      node->shard.value = (uint16_t)s;
      node->router = grid->router;
      node->peers = node->role == TD_ROLE_SINGLE ? NULL : peers;
      node->peer_count = node->peers ? grid->shards : 0;
    }
  }
  return TD_OK;
}
