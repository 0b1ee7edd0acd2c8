/* tidal.sim.disk: a disk in memory that loses what real ones may lose, to run
 * what uses tidal.wal on, crash it anywhere and go on. For tests of Lua
 * programs, not for their data; sim/disk.h says what it does.
 *
 *   local disk = tidal.sim.disk { seed = 7 }
 *   local home = assert(tidal.wal.open(disk:dir "r0", { create = true }))
 *   ... and then, with home open or not:
 *   local after = disk:crash { way = 3 }      -- one of disk:ways()
 *
 * Its memory is the system's, not the state's: a budget of the state does not
 * see it and the process ends when there is none. What runs on it has the
 * state's memory. Everything is a function of the seed and of the calls.
 *
 * Thread: the owner of the lua_State. */
#include "bind/bind_sim.h"

#include <stdio.h>
#include <string.h>

static td_bound_disk *check_disk(lua_State *L) {
  td_bound_disk *self = td_bind_check(L, 1, &td_bind_sim_disk);
  if (!self->open) luaL_error(L, "the simulated disk is closed");
  return self;
}

/* A new one that holds nothing yet, as large as `like`. The collector does
 * not see what is in it, so it is told of it. */
static td_bound_disk *push_disk(lua_State *L, const td_bound_disk *like) {
  uint64_t bytes = like ? td_disk_memory(&like->disk) : 0;
  lua_gc(L, LUA_GCSTEP, (int)(bytes / 1024) + 1);
  return td_bind_new(L, &td_bind_sim_disk, sizeof(td_bound_disk), 0);
}

/* Argument `arg` as a table of options, at its index. */
static void check_options(lua_State *L, int arg, const char *expected,
                          const char *const *keys) {
  if (lua_isnoneornil(L, arg)) {
    lua_settop(L, arg - 1);
    lua_newtable(L);
  }
  lua_settop(L, arg);
  td_bind_table(L, td_bind_arg(arg, NULL), expected);
  td_bind_known_keys(L, td_bind_arg(arg, NULL), keys);
}

/* --- paths ---------------------------------------------------------------- */

/* A part of a path, or the name of a file. */
static void check_part(lua_State *L, td_bind_at at, const char *part,
                       size_t size) {
  if (size >= TD_DISK_NAME_MAX) {
    td_bind_bad(L, at, lua_pushfstring(L, "a name has at most %d bytes, "
                                       "got %I", TD_DISK_NAME_MAX - 1,
                                       (LUAI_UACINT)size));
  }
  if (size == 2 && part[0] == '.' && part[1] == '.') {
    td_bind_bad(L, at, "no way leads up: there is no \"..\"");
  }
}

static const char *check_dir_path(lua_State *L, int arg) {
  td_bind_at at = td_bind_arg(arg, "directory");
  const char *path = td_bind_path(L, at), *part = path;
  if (strlen(path) > TD_DIR_PATH_MAX) {
    td_bind_bad(L, at, lua_pushfstring(L, "a path has at most %d bytes, "
                                       "got %I", (int)TD_DIR_PATH_MAX,
                                       (LUAI_UACINT)strlen(path)));
  }
  for (const char *slash; (slash = strchr(part, '/')); part = slash + 1) {
    check_part(L, at, part, (size_t)(slash - part));
  }
  check_part(L, at, part, strlen(part));
  return path;
}

/* Pushes "directory/name" of arguments 2 and 3. */
static const char *push_file_path(lua_State *L) {
  td_bind_at at = td_bind_arg(3, "name");
  const char *dir = check_dir_path(L, 2), *name = td_bind_path(L, at);
  size_t size = strlen(name);
  if (size == 0 || strchr(name, '/') || strcmp(name, ".") == 0) {
    td_bind_expected(L, at, "the name of a file");
  }
  check_part(L, at, name, size);
  return lua_pushfstring(L, "%s/%s", dir, name);
}

/* nil, err for what is at `path`. */
static int fail_sys(lua_State *L, const char *subject, int32_t sys,
                    const char *path) {
  td_error err;
  td_fail(&err, TD_IO, subject, 0, 0);
  err.sys = sys;
  td_error_at(&err, path, TD_NO_OFFSET);
  return td_bind_fail(L, &err);
}

/* disk:dir([path = ""]) -> place. The directory need not be there: create =
 * true makes it in the one above. "r0/retired" is below "r0"; "" is the top.
 */
static int disk_dir(lua_State *L) {
  check_disk(L);
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_pushliteral(L, "");
  }
  const char *path = check_dir_path(L, 2);
  size_t size = strlen(path) + 1;
  td_bound_place *place = td_bind_new(L, &td_bind_sim_dir,
                                      sizeof *place + size, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  memcpy(place->path, path, size);
  place->on = lua_touserdata(L, 1);
  return 1;
}

/* tostring(place) -> its path */
static int place_path(lua_State *L) {
  const td_bound_place *self = td_bind_check(L, 1, &td_bind_sim_dir);
  lua_pushstring(L, self->path);
  return 1;
}

/* --- whole disks ---------------------------------------------------------- */

/* sim.disk([{ seed = 0 }]) -> disk, empty. */
static int new_disk(lua_State *L) {
  static const char *const keys[] = {"seed", NULL};
  check_options(L, 1, "a table { seed = }", keys);
  uint64_t seed = td_bind_field_u64(L, 1, "seed", 0);
  td_bound_disk *made = push_disk(L, NULL);
  td_disk_init(&made->disk, td_env_posix().alloc, seed);
  made->open = true;
  return 1;
}

/* disk:copy() -> disk after the end of the process: what waits for a sync
 * still waits, nothing is open, no faults, calls counted anew. */
static int disk_copy(lua_State *L) {
  td_bound_disk *made = push_disk(L, check_disk(L));
  td_disk_copy(&check_disk(L)->disk, &made->disk);
  made->open = true;
  return 1;
}

/* disk:ways() -> in how many ways a power failure may end now; 2^40 where
 * there are as many or more. */
static int disk_ways(lua_State *L) {
  td_bind_push_u64(L, td_disk_combinations(&check_disk(L)->disk));
  return 1;
}

/* disk:crash([{ way = 0 | seed = }]) -> disk after a power failure, as copy()
 * otherwise. way: 0..ways() - 1, in which all that waits for a sync is lost
 * in way 0; seed: one of them by chance. */
static int disk_crash(lua_State *L) {
  static const char *const keys[] = {"way", "seed", NULL};
  td_bind_at at;
  uint64_t ways = td_disk_combinations(&check_disk(L)->disk);
  check_options(L, 2, "a table { way = } or { seed = }", keys);
  uint64_t way = td_bind_field_uint(L, 2, "way", 0, 0, ways - 1);
  td_prng prng = {td_bind_field_u64(L, 2, "seed", 0)};
  bool chance = td_bind_field(L, 2, "seed", &at);
  if (chance && td_bind_field(L, 2, "way", &at)) {
    luaL_error(L, "way: goes without a seed: one of them says how");
  }
  td_bound_disk *made = push_disk(L, check_disk(L));
  td_disk_crash(&check_disk(L)->disk, way, chance ? &prng : NULL,
                &made->disk);
  made->open = true;
  return 1;
}

static bool is_busy(const td_bound_disk *self) {
  return self->disk.counts.files_open > 0 || self->disk.counts.dirs_open > 0;
}

static void shut(td_bound_disk *self) {
  td_alloc alloc = self->disk.alloc;
  self->open = false;
  td_disk_deinit(&self->disk);
  td_disk_init(&self->disk, alloc, 0);
}

/* disk:close(): gives its memory back now. Idempotent; raises while anything
 * is open on it. */
static int disk_close(lua_State *L) {
  td_bound_disk *self = td_bind_check(L, 1, &td_bind_sim_disk);
  if (is_busy(self)) {
    luaL_error(L, "%d files and %d directories are open on the simulated "
                  "disk: close what uses them first",
               (int)self->disk.counts.files_open,
               (int)self->disk.counts.dirs_open);
  }
  shut(self);
  return 0;
}

/* Also __close. What a finalizer opened on it meanwhile holds it: later. */
static int disk_gc(lua_State *L) {
  td_bound_disk *self = td_bind_check(L, 1, &td_bind_sim_disk);
  if (!is_busy(self)) {
    shut(self);
  } else if (lua_getmetatable(L, 1)) {
    lua_setmetatable(L, 1);
  }
  return 0;
}

/* --- calls and faults ----------------------------------------------------- */

/* disk:calls() -> how many calls were made on it, closing ones not counted */
static int disk_calls(lua_State *L) {
  td_bind_push_u64(L, check_disk(L)->disk.counts.calls);
  return 1;
}

static void set_count(lua_State *L, const char *name, uint64_t value) {
  td_bind_push_u64(L, value);
  lua_setfield(L, -2, name);
}

/* disk:counts() -> { calls =, syncs =, failed_syncs =, bytes_read =,
 *   bytes_written =, files_open =, dirs_open =, syncs_after_failed =,
 *   writes_after_failed = }
 * The last two are of files of which a sync or a write had failed: a right
 * program has none. */
static int disk_counts(lua_State *L) {
  td_disk_counts counts = check_disk(L)->disk.counts;
  lua_createtable(L, 0, 9);
  set_count(L, "calls", counts.calls);
  set_count(L, "syncs", counts.syncs);
  set_count(L, "failed_syncs", counts.failed_syncs);
  set_count(L, "bytes_read", counts.bytes_read);
  set_count(L, "bytes_written", counts.bytes_written);
  set_count(L, "files_open", counts.files_open);
  set_count(L, "dirs_open", counts.dirs_open);
  set_count(L, "syncs_after_failed", counts.syncs_after_failed);
  set_count(L, "writes_after_failed", counts.writes_after_failed);
  return 1;
}

/* Which of the words a field is, from 0; `fallback` = it is nil. */
static int field_word(lua_State *L, const char *name,
                      const char *const *words, int fallback) {
  td_bind_at at;
  if (!td_bind_field(L, 2, name, &at)) return fallback;
  int word = td_bind_word(L, at, words);
  lua_pop(L, 1);
  return word;
}

/* disk:fault([{ fail_call =, fail_too =, fail_on = false, errno = 5,
 *   short =, last_call =, capacity =, interrupts = false,
 *   personality = "ext4" }])
 * Sets all faults of calls to come, numbered as calls() counts; what is not
 * given is none. fail_call and fail_too fail with that errno (1..4095), or
 * do a part of a read or write: "one" byte, "half", all "but_one",
 * "nothing"; fail_on: those behind fail_call, too. No call behind last_call
 * does anything. capacity: bytes of all files, 0 = no limit. interrupts:
 * every other write and sync. personality: what is in the cache after a
 * failed sync, "ext4", "xfs" (no call works any more) or "btrfs". */
static int disk_fault(lua_State *L) {
  static const char *const keys[] = {
    "fail_call", "fail_too", "fail_on", "errno", "short", "last_call",
    "capacity", "interrupts", "personality", NULL,
  };
  static const char *const parts[] = {
    "one", "half", "but_one", "nothing", NULL,
  };
  static const char *const systems[] = {"ext4", "xfs", "btrfs", NULL};
  td_bind_at at;
  check_disk(L);
  check_options(L, 2, "a table { fail_call =, last_call =, ... }", keys);
  int part = field_word(L, "short", parts, -1);
  if (part >= 0 && td_bind_field(L, 2, "errno", &at)) {
    luaL_error(L, "errno: goes without short: one of them says how");
  }
  td_disk_faults faults = {
    .fail_call = td_bind_field_u64(L, 2, "fail_call", 0),
    .fail_too = td_bind_field_u64(L, 2, "fail_too", 0),
    .fail_sys = (int32_t)td_bind_field_uint(L, 2, "errno", TD_SYS_IO, 1,
                                            4095),
    .fail_short = (td_disk_short)(part + 1),
    .fail_on = td_bind_field_bool(L, 2, "fail_on", false),
    .interrupts = td_bind_field_bool(L, 2, "interrupts", false),
    .last_call = td_bind_field_u64(L, 2, "last_call", 0),
    .capacity = td_bind_field_u64(L, 2, "capacity", 0),
    .personality = (td_disk_personality)field_word(L, "personality", systems,
                                                   0),
  };
  if (part >= 0) faults.fail_sys = 0;
  check_disk(L)->disk.faults = faults;
  return 0;
}

/* --- what is on it -------------------------------------------------------- */

/* disk:hash() -> 32 hex digits over all names, directories and cached
 * contents: equal for disks that a process cannot tell apart. What is durable
 * does not count; after crash() that is the same. */
static int disk_hash(lua_State *L) {
  char text[33];
  td_hash128 hash = td_disk_hash(&check_disk(L)->disk);
  snprintf(text, sizeof text, "%016llx%016llx",
           (unsigned long long)hash.high, (unsigned long long)hash.low);
  lua_pushstring(L, text);
  return 1;
}

/* The first name behind `after` in that directory, NULL at the end. */
static const td_disk_name *next_name(const td_disk *disk, uint32_t dir,
                                     const char *after) {
  const td_disk_name *best = NULL;
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    const td_disk_name *name = &disk->cached.list[i];
    if (name->dir == dir && strcmp(name->text, after) > 0
        && (!best || strcmp(name->text, best->text) < 0)) {
      best = name;
    }
  }
  return best;
}

/* disk:files([directory = ""]) -> list of { name =, size = } by name | nil,
 * err where there is no such directory. Without those below it. */
static int disk_files(lua_State *L) {
  const td_bound_disk *self = check_disk(L);
  char after[TD_DISK_NAME_MAX] = "";
  uint32_t dir = 0;
  const char *path = lua_isnoneornil(L, 2) ? "" : check_dir_path(L, 2);
  if (!td_disk_find_dir(&self->disk, path, &dir)) {
    return fail_sys(L, "opening the directory", TD_SYS_NOENT, path);
  }
  lua_newtable(L);
  /* By name again each time: finalizers may change the disk. */
  for (const td_disk_name *name;
       (name = next_name(&self->disk, dir, after)) != NULL;) {
    uint64_t size = self->disk.inodes[name->inode].cached.size;
    memcpy(after, name->text, sizeof after);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, after);
    lua_setfield(L, -2, "name");
    set_count(L, "size", size);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

/* disk:read(directory, name) -> bytes, as the process sees them | nil, err */
static int disk_read(lua_State *L) {
  check_disk(L);
  const char *path = push_file_path(L);
  const td_disk_bytes *bytes = td_disk_find(&check_disk(L)->disk, path);
  if (!bytes) return fail_sys(L, "opening the file", TD_SYS_NOENT, path);
  lua_pushlstring(L, (const char *)bytes->data, bytes->size);
  return 1;
}

/* disk:write(directory, name, bytes) -> true | nil, err where a file or a
 * directory is in the way. Puts a whole file there, durable as all above it;
 * not a call, no faults. */
static int disk_write(lua_State *L) {
  check_disk(L);
  td_span bytes = td_bind_bytes(L, td_bind_arg(4, "bytes"), "a string");
  const char *path = push_file_path(L);
  if (!td_disk_put(&check_disk(L)->disk, path, bytes)) {
    return fail_sys(L, "making the file", TD_SYS_EXIST, path);
  }
  lua_pushboolean(L, true);
  return 1;
}

static const luaL_Reg disk_methods[] = {
  {"dir", disk_dir}, {"copy", disk_copy}, {"ways", disk_ways},
  {"crash", disk_crash}, {"calls", disk_calls}, {"counts", disk_counts},
  {"fault", disk_fault}, {"hash", disk_hash}, {"files", disk_files},
  {"read", disk_read}, {"write", disk_write}, {"close", disk_close},
  {NULL, NULL},
};
static const luaL_Reg disk_metas[] = {
  {"__gc", disk_gc}, {"__close", disk_gc}, {NULL, NULL},
};
static const luaL_Reg place_metas[] = {
  {"__tostring", place_path}, {NULL, NULL},
};

const td_bind_type td_bind_sim_disk = {"tidal.SimDisk", disk_methods,
                                       disk_metas};
const td_bind_type td_bind_sim_dir = {"tidal.SimDir", NULL, place_metas};

void td_bind_open_sim(lua_State *L) {
  static const luaL_Reg functions[] = {{"disk", new_disk}, {NULL, NULL}};
  td_bind_type_new(L, &td_bind_sim_disk);
  td_bind_type_new(L, &td_bind_sim_dir);
  td_bind_subtable(L, "sim");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
