/* Covers model/config.
 * Defaults, limits, grids of nodes. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "tidal.h"

static struct { td_error list[32]; uint32_t count; } seen;

static void note(void *ctx, const td_error *fault) {
  (void)ctx;
  if (seen.count < 32) seen.list[seen.count++] = *fault;
}

static uint32_t check(const td_config *config) {
  seen.count = 0;
  uint32_t count = td_config_check(config, note, NULL);
  CHECK(count == seen.count && count == td_config_check(config, NULL, NULL));
  return count;
}

static bool has(td_status status) {
  for (uint32_t i = 0; i < seen.count; i++) {
    if (seen.list[i].status == status) return true;
  }
  return false;
}

static void defaults(void) {
  td_config config = td_config_default();
  CHECK_U64(check(&config), 0);
  CHECK(td_config_is_single_node(&config));
  CHECK(td_config_accepts_writes(&config));
  CHECK(config.role == TD_ROLE_SINGLE && config.peer_count == 0);
  CHECK(config.region.value == 0 && config.shard.value == 0);
  CHECK(config.sync == TD_SYNC_ALWAYS && !config.router);
  CHECK_U64(config.segment_bytes, 16777216);
  CHECK_U64(config.group_events_max, 100);
  CHECK_U64(config.group_delay_ns, 10000000);
}

static void limits(void) {
  td_config config = td_config_default();
  config.segment_bytes = TD_SEGMENT_BYTES_MIN;
  config.group_events_max = TD_RECORDS_MAX;
  config.group_delay_ns = TD_GROUP_DELAY_NS_MAX;
  CHECK_U64(check(&config), 0);
  config.segment_bytes--;
  config.group_events_max++;
  config.group_delay_ns++;
  config.data_dir = "";
  config.sync = (td_sync_policy)9;
  CHECK_U64(check(&config), 5);
  CHECK(has(TD_OUT_OF_RANGE) && has(TD_TEXT));
  config = td_config_default();
  config.segment_bytes = TD_SEGMENT_BYTES + 1;
  config.group_events_max = 0;
  config.data_dir = NULL;
  CHECK_U64(check(&config), 3);
}

static void roles(void) {
  void *block = malloc(td_router_size(2));
  td_router *router = block;
  td_shard_id peers[] = {{0}, {1}, {0}};
  CHECK(td_router_init_even(router, TD_STRATEGY_RANGES, 2, NULL) == TD_OK);
  td_config config = td_config_default();
  config.role = TD_ROLE_FOLLOWER;
  CHECK_U64(check(&config), 1);
  CHECK(has(TD_ROLE));
  config.peers = peers;
  config.peer_count = 2;
  CHECK_U64(check(&config), 1);
  CHECK(has(TD_NO_ROUTER));
  config.router = router;
  CHECK_U64(check(&config), 0);
  CHECK(!td_config_accepts_writes(&config));
  CHECK(!td_config_is_single_node(&config));
  config.role = TD_ROLE_LEADER;
  CHECK(check(&config) == 0 && td_config_accepts_writes(&config));
  config.shard.value = 2;
  CHECK(check(&config) == 1 && has(TD_PEERS));
  config.shard.value = 1;
  config.peer_count = 3;
  CHECK(check(&config) == 1 && has(TD_DUPLICATE));
  CHECK(seen.list[0].index == 0 && seen.list[0].other == 2);
  config.peer_count = 1;
  config.shard.value = 0;
  CHECK(check(&config) == 1 && has(TD_MISMATCH));  /* router knows s1 */
  config.peer_count = 2;
  config.role = TD_ROLE_SINGLE;
  CHECK(check(&config) == 1 && has(TD_ROLE));
  config.role = (td_role)7;
  CHECK(check(&config) == 1 && has(TD_OUT_OF_RANGE));
  free(block);
}

static void grid_of(uint32_t regions, uint32_t shards,
                    const td_region_id *leaders, bool all) {
  td_router *router = malloc(td_router_size(shards));
  td_shard_id *peers = malloc(shards * sizeof *peers);
  td_config *nodes = malloc((size_t)regions * shards * sizeof *nodes);
  td_config base = td_config_default();
  CHECK(td_router_init_even(router, TD_STRATEGY_RANGES, shards, NULL)
        == TD_OK);
  td_grid grid = {regions, shards, leaders, all, router};
  CHECK(td_config_grid(&base, &grid, peers, nodes, NULL) == TD_OK);
  for (uint32_t i = 0; i < regions * shards; i++) {
    uint32_t r = i / shards, s = i % shards;
    bool lead = all || r == (leaders ? leaders[s].value : 0);
    CHECK_U64(td_config_check(&nodes[i], NULL, NULL), 0);
    CHECK(nodes[i].region.value == r && nodes[i].shard.value == s);
    CHECK(td_config_accepts_writes(&nodes[i]) == lead);
    CHECK_U64(nodes[i].peer_count, regions * shards == 1 ? 0 : shards);
  }
  free(nodes);
  free(peers);
  free(router);
}

static void grids(void) {
  td_region_id leaders[] = {{2}, {1}, {0}, {2}, {1}};
  grid_of(3, 5, NULL, false);
  grid_of(3, 5, leaders, false);
  grid_of(3, 5, NULL, true);
  grid_of(1, 1, NULL, false);
  grid_of(1, 4, NULL, false);
  grid_of(4, 1, NULL, false);
}

static void grid_refuses(void) {
  td_error err;
  td_config base = td_config_default(), nodes[4];
  td_shard_id peers[2];
  td_region_id leaders[] = {{0}, {2}};
  td_grid grid = {2, 2, NULL, false, NULL};
  CHECK(td_config_grid(&base, &grid, peers, nodes, &err) == TD_NO_ROUTER);
  grid.leaders = leaders;
  CHECK(td_config_grid(&base, &grid, peers, nodes, &err)
        == TD_OUT_OF_RANGE);
  CHECK(err.index == 1);
  grid.shards = 0;
  CHECK(td_config_grid(&base, &grid, peers, nodes, &err) == TD_NO_SHARDS);
  grid.shards = TD_SHARDS_MAX + 1;
  CHECK(td_config_grid(&base, &grid, peers, nodes, &err) == TD_TOO_MANY);
  grid.shards = 1;
  grid.regions = TD_REGIONS_MAX + 1;
  CHECK(td_config_grid(&base, &grid, peers, nodes, &err) == TD_TOO_MANY);
  grid.regions = 0;
  CHECK(td_config_grid(&base, &grid, peers, nodes, &err) == TD_NO_SHARDS);
}

static void names(void) {
  CHECK_TEXT(td_role_name(TD_ROLE_SINGLE), "single");
  CHECK_TEXT(td_role_name(TD_ROLE_LEADER), "leader");
  CHECK_TEXT(td_role_name(TD_ROLE_FOLLOWER), "follower");
  CHECK_TEXT(td_role_name((td_role)9), "unknown");
  CHECK_TEXT(td_sync_policy_name(TD_SYNC_ALWAYS), "always");
  CHECK_TEXT(td_sync_policy_name(TD_SYNC_UNSAFE_INTERVAL),
             "unsafe_interval");
  CHECK_TEXT(td_sync_policy_name(TD_SYNC_UNSAFE_NEVER), "unsafe_never");
  td_config config = td_config_default();
  config.region.value = 2;
  config.shard.value = 65535;
  td_log_id log = td_config_log(&config);
  CHECK(log.region.value == 2 && log.shard.value == 65535);
}

void test_config(void) {
  test_case("config", "roles and policies have names", names);
  test_case("config", "the default is a single node r0:s0", defaults);
  test_case("config", "limits, and one past each", limits);
  test_case("config", "roles, peers and router fit together", roles);
  test_case("config", "grids of R x S nodes", grids);
  test_case("config", "a grid refuses what it cannot be", grid_refuses);
}
