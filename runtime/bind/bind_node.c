/* tidal.node and tidal.nodes: NodeConfig. User values: 1 data_dir, 2 router,
 * 3 the block of peers (shared by the nodes of one grid). */
#include "bind/bind.h"

enum { VALUE_DATA_DIR = 1, VALUE_ROUTER, VALUE_PEERS };

#define NODES_MAX 4194304u  /* of one grid */

static const td_config *self(lua_State *L) {
  return td_bind_check(L, 1, &td_bind_node);
}

static const char *const keys[] = {
  "data_dir", "segment_bytes", "group_events_max", "group_delay_ns", "sync",
  "role", "region", "shard", "peers", "router", NULL,
};

/* Which of the words a field holds. */
static int find_word(lua_State *L, const char *field,
                     const char *const *words, int fallback) {
  td_bind_at at;
  if (!td_bind_field(L, 1, field, &at)) return fallback;
  int found = td_bind_word(L, at, words);
  lua_pop(L, 1);
  return found;
}

/* The peers of the options into a block at the stack's top (or nil). */
static void check_peers(lua_State *L, td_config *config) {
  if (lua_getfield(L, 1, "peers") == LUA_TNIL) return;
  int list = lua_gettop(L);
  td_bind_at at = {.index = list, .name = "peers"};
  uint32_t count = td_bind_list(L, at, "a list of shards", TD_SHARDS_MAX);
  td_shard_id *peers = lua_newuserdatauv(L, (count + 1u) * sizeof *peers, 0);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    lua_rawgeti(L, list, i);
    peers[i - 1] = td_bind_shard_id(L, td_bind_entry(L, "peers", i, NULL));
    lua_pop(L, 1);
  }
  lua_remove(L, list);
  config->peers = peers;
  config->peer_count = count;
}

static td_config check_options(lua_State *L) {
  static const char *const roles[] = {"single", "leader", "follower", NULL};
  static const char *const policies[] = {"always", "unsafe_interval",
                                         "unsafe_never", NULL};
  td_bind_at at;
  td_config config = td_config_default();
  td_bind_table(L, td_bind_arg(1, NULL), "a table { shard =, role =, ... }");
  td_bind_known_keys(L, td_bind_arg(1, NULL), keys);
  config.segment_bytes = (uint32_t)td_bind_field_uint(
    L, 1, "segment_bytes", config.segment_bytes, 0, UINT32_MAX);
  config.group_events_max = (uint32_t)td_bind_field_uint(
    L, 1, "group_events_max", config.group_events_max, 0, UINT32_MAX);
  config.group_delay_ns = td_bind_field_u64(L, 1, "group_delay_ns",
                                            config.group_delay_ns);
  config.sync = (td_sync_policy)find_word(L, "sync", policies,
                                          TD_SYNC_ALWAYS);
  config.role = (td_role)find_word(L, "role", roles, TD_ROLE_SINGLE);
  if (td_bind_field(L, 1, "region", &at)) {
    config.region = td_bind_region_id(L, at);
    lua_pop(L, 1);
  }
  if (td_bind_field(L, 1, "shard", &at)) {
    config.shard = td_bind_shard_id(L, at);
    lua_pop(L, 1);
  }
  return config;
}

/* tidal.node{ data_dir = ".", segment_bytes = 16777216, sync = "always",
 *   group_events_max = 100, group_delay_ns = 10000000, role = "single",
 *   region = 0, shard = 0, peers = {}, router = } -> NodeConfig
 * Raises all faults of the configuration at once. */
static int new_node(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  td_config config = check_options(L);
  lua_settop(L, 1);
  if (lua_getfield(L, 1, "data_dir") == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushstring(L, config.data_dir);
  }
  td_bind_at at = {.index = 2, .name = "data_dir"};
  td_span path = td_bind_bytes(L, at, "a string");
  config.data_dir = (const char *)path.data;
  if (strlen(config.data_dir) != path.size) {
    td_bind_bad(L, at, "a path holds no zero byte");
  }
  if (lua_getfield(L, 1, "router") != LUA_TNIL) {
    at = (td_bind_at){.index = 3, .name = "router"};
    config.router = td_bind_test(L, 3, &td_bind_router);
    if (!config.router) td_bind_expected(L, at, "a router");
  }
  check_peers(L, &config);
  td_bind_faults_begin(L);
  if (td_config_check(&config, td_bind_fault, L) > 0) {
    td_bind_faults_raise(L, "node");
  }
  lua_settop(L, 4);
  td_config *node = td_bind_new(L, &td_bind_node, sizeof *node, 3);
  *node = config;
  for (int i = VALUE_DATA_DIR; i <= VALUE_PEERS; i++) {
    lua_pushvalue(L, 1 + i);
    lua_setiuservalue(L, 5, i);
  }
  return 1;
}

/* The field leaders of tidal.nodes: leaders = "all", a region, or a list
 * with one region per shard. Leaves a block or nil on the stack. */
static void check_grid_leaders(lua_State *L, td_grid *grid) {
  td_bind_at at;
  if (!td_bind_field(L, 1, "leaders", &at)) {
    lua_pushnil(L);
    return;
  }
  if (td_bind_text_is(L, at.index, "all")) {
    grid->all_lead = true;
    return;
  }
  bool list = lua_type(L, at.index) == LUA_TTABLE;
  if (list && lua_rawlen(L, at.index) != grid->shards) {
    td_bind_bad(L, at, lua_pushfstring(
      L, "%I given for %d shards, one per shard is needed",
      (LUAI_UACINT)lua_rawlen(L, at.index), (int)grid->shards));
  }
  td_region_id *leaders = lua_newuserdatauv(
    L, grid->shards * sizeof *leaders, 0);
  for (uint32_t s = 0; s < grid->shards; s++) {
    td_bind_at leader = at;
    if (list) {
      lua_rawgeti(L, at.index, (lua_Integer)s + 1);
      leader = td_bind_entry(L, "leaders", (lua_Integer)s + 1, NULL);
    } else {
      lua_pushvalue(L, at.index);
    }
    leaders[s] = td_bind_region_id(L, leader);
    if (leaders[s].value >= grid->regions) {
      td_bind_bad(L, leader, lua_pushfstring(
        L, "region %d is outside 0..%d", (int)leaders[s].value,
        (int)grid->regions - 1));
    }
    lua_pop(L, 1);
  }
  lua_remove(L, at.index);
  grid->leaders = leaders;
}

/* tidal.nodes{ regions = 3, shards = 5, router =, leaders = 0 } -> list of
 * NodeConfigs in order of (region, shard). leaders: the region that leads
 * all shards, "all", or a list with one region per shard. */
static int new_nodes(lua_State *L) {
  static const char *const grid_keys[] = {"regions", "shards", "leaders",
                                          "router", NULL};
  td_error err;
  td_bind_at at;
  td_bind_table(L, td_bind_arg(1, NULL), "a table { regions =, ... }");
  lua_settop(L, 1);
  td_bind_known_keys(L, td_bind_arg(1, NULL), grid_keys);
  td_grid grid = {
    .regions = (uint32_t)td_bind_field_uint(L, 1, "regions", 1, 1,
                                            TD_REGIONS_MAX),
    .shards = (uint32_t)td_bind_field_uint(L, 1, "shards", 1, 1,
                                           TD_SHARDS_MAX),
  };
  if (td_bind_field(L, 1, "router", &at)) {
    grid.router = td_bind_test(L, 2, &td_bind_router);
    if (!grid.router) td_bind_expected(L, at, "a router");
  }
  lua_settop(L, 2);
  check_grid_leaders(L, &grid);
  size_t count = (size_t)grid.regions * grid.shards;
  if (count > NODES_MAX) {
    td_bind_bad(L, td_bind_arg(1, NULL), lua_pushfstring(
      L, "%d regions x %d shards are more than %d nodes", (int)grid.regions,
      (int)grid.shards, (int)NODES_MAX));
  }
  td_shard_id *peers = lua_newuserdatauv(L, grid.shards * sizeof *peers, 0);
  td_config *configs = lua_newuserdatauv(L, count * sizeof *configs, 0);
  td_config base = td_config_default();
  lua_pushstring(L, base.data_dir);
  base.data_dir = lua_tostring(L, 6);
  if (td_config_grid(&base, &grid, peers, configs, &err) != TD_OK) {
    td_bind_raise(L, &err);
  }
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    td_config *node = td_bind_new(L, &td_bind_node, sizeof *node, 3);
    *node = configs[i];
    lua_pushvalue(L, 6);
    lua_setiuservalue(L, -2, VALUE_DATA_DIR);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, VALUE_ROUTER);
    lua_pushvalue(L, 4);
    lua_setiuservalue(L, -2, VALUE_PEERS);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* node:is_single_node(), node:accepts_writes() -> boolean */
static int is_single_node(lua_State *L) {
  lua_pushboolean(L, td_config_is_single_node(self(L)));
  return 1;
}

static int accepts_writes(lua_State *L) {
  lua_pushboolean(L, td_config_accepts_writes(self(L)));
  return 1;
}

static void push_peers(lua_State *L, const td_config *node) {
  lua_createtable(L, (int)node->peer_count, 0);
  for (uint32_t i = 0; i < node->peer_count; i++) {
    td_bind_push_shard(L, node->peers[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* node.role, .region, .shard, .peers, .log, .router, .data_dir,
 * .segment_bytes, .sync, .group_events_max, .group_delay_ns */
static int node_index(lua_State *L) {
  const td_config *node = self(L);
  if (td_bind_key_is(L, "role")) {
    lua_pushstring(L, td_role_name(node->role));
  } else if (td_bind_key_is(L, "region")) {
    td_bind_push_region(L, node->region);
  } else if (td_bind_key_is(L, "shard")) {
    td_bind_push_shard(L, node->shard);
  } else if (td_bind_key_is(L, "log")) {
    td_bind_push_log(L, td_config_log(node));
  } else if (td_bind_key_is(L, "peers")) {
    push_peers(L, node);
  } else if (td_bind_key_is(L, "router")) {
    lua_getiuservalue(L, 1, VALUE_ROUTER);
  } else if (td_bind_key_is(L, "data_dir")) {
    lua_getiuservalue(L, 1, VALUE_DATA_DIR);
  } else if (td_bind_key_is(L, "sync")) {
    lua_pushstring(L, td_sync_policy_name(node->sync));
  } else if (td_bind_key_is(L, "segment_bytes")) {
    lua_pushinteger(L, node->segment_bytes);
  } else if (td_bind_key_is(L, "group_events_max")) {
    lua_pushinteger(L, node->group_events_max);
  } else if (td_bind_key_is(L, "group_delay_ns")) {
    td_bind_push_u64(L, node->group_delay_ns);
  } else if (td_bind_key_is(L, "is_single_node")) {
    lua_pushcfunction(L, is_single_node);
  } else if (td_bind_key_is(L, "accepts_writes")) {
    lua_pushcfunction(L, accepts_writes);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

static int node_tostring(lua_State *L) {
  char text[TD_LOG_ID_TEXT_MAX];
  const td_config *node = self(L);
  td_log_id_format(td_config_log(node), text);
  lua_pushfstring(L, "tidal.NodeConfig(%s, %s)", text,
                  td_role_name(node->role));
  return 1;
}

static const luaL_Reg metas[] = {
  {"__index", node_index}, {"__tostring", node_tostring}, {NULL, NULL},
};

const td_bind_type td_bind_node = {"tidal.NodeConfig", NULL, metas};

void td_bind_open_node(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"node", new_node}, {"nodes", new_nodes}, {NULL, NULL},
  };
  td_bind_type_new(L, &td_bind_node);
  luaL_setfuncs(L, functions, 0);
}
