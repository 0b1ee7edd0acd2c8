/* luaopen_tidal_core: the C half of `require "tidal"`. May be called more
 * than once in a state: types and interned ids are found again. */
#include "tidal_lua.h"

#include "bind/bind.h"

TD_API int luaopen_tidal_core(lua_State *L) {
  luaL_checkversion(L);
  lua_newtable(L);
  lua_pushliteral(L, TD_VERSION);
  lua_setfield(L, -2, "version");
  td_bind_open_errors(L);
  td_bind_open_id(L);
  td_bind_open_segment(L);
  td_bind_open_u64(L);
  td_bind_open_router(L);
  td_bind_open_wal(L);
  td_bind_open_encode(L);
  td_bind_open_checkpoint(L);
  td_bind_open_reader(L);
  td_bind_open_follow(L);
  td_bind_open_verify(L);
  td_bind_open_repair(L);
  td_bind_open_live(L);
  td_bind_open_lines(L);
  td_bind_open_home(L);
  td_bind_open_writer(L);
  td_bind_open_cuts(L);
  td_bind_open_profile(L);
  td_bind_open_traffic(L);
  td_bind_open_state(L);
  td_bind_open_node(L);
  td_bind_open_layout(L);
  td_bind_open_rows(L);
  td_bind_open_json(L);
  td_bind_open_sim(L);
  td_bind_open_migrate(L);
  td_bind_open_journal(L);
  return 1;
}
