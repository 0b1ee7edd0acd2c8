/* memory SCRIPT: runs a Lua script again and again in new states whose
 * memory fails: at the first request behind arm(), at the second, ... once,
 * and then from there on for good; until the script gets through. Memory and
 * files must all be given back, and freed memory is filled with other bytes.
 *
 *   arm()       requests count, and fail, from here on
 *   disarm()    no more -> whether one failed
 *   RUN         a number that is new each time */
#include <dirent.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
  size_t held;
  unsigned long left;  /* requests until one fails */
  bool armed, sticky, failed;
} memory;

static bool fails(void) {
  if (!memory.armed) return false;
  if (memory.left > 0) {
    memory.left--;
    return false;
  }
  if (memory.failed && !memory.sticky) return false;
  memory.failed = true;
  return true;
}

/* Every change is a move, so that no old pointer works by luck. */
static void *give(void *ctx, void *old, size_t old_size, size_t size) {
  void *block = NULL;
  (void)ctx;
  if (!old) old_size = 0;
  if (size > old_size && fails()) return NULL;
  if (size > 0) {
    block = malloc(size);
    if (!block) abort();
    if (old) memcpy(block, old, old_size < size ? old_size : size);
  }
  if (old) {
    memset(old, 0xfe, old_size);
    free(old);
  }
  memory.held += size;
  memory.held -= old_size;
  return block;
}

static int arm(lua_State *L) {
  (void)L;
  memory.armed = true;
  return 0;
}

static int disarm(lua_State *L) {
  memory.armed = false;
  lua_pushboolean(L, memory.failed);
  return 1;
}

static unsigned open_files(void) {
  unsigned count = 0;
  DIR *list = opendir("/proc/self/fd");
  while (list && readdir(list)) count++;
  if (list) closedir(list);
  return count;
}

static int fault(const char *what, unsigned long request, const char *more) {
  printf("request %lu%s: %s%s\n", request, memory.sticky ? " and all behind"
                                                         : "", what, more);
  return 1;
}

/* Faults of one run; *done when no request failed. */
static int run(const char *script, unsigned long request, bool *done) {
  int faults = 0;
  memory.held = 0;
  memory.left = request;
  memory.armed = memory.failed = false;
  unsigned files = open_files();
  lua_State *L = lua_newstate(give, NULL);
  luaL_openlibs(L);
  lua_register(L, "arm", arm);
  lua_register(L, "disarm", disarm);
  lua_pushinteger(L, (lua_Integer)(2 * request + memory.sticky));
  lua_setglobal(L, "RUN");
  if (luaL_loadfile(L, script) || lua_pcall(L, 0, 0, 0)) {
    const char *why = lua_tostring(L, -1);
    memory.armed = false;
    faults += fault("", request, why ? why : "an error without text");
  }
  memory.armed = false;
  lua_close(L);
  if (memory.held != 0) faults += fault("memory is lost", request, "");
  if (open_files() != files) faults += fault("files are open", request, "");
  *done = !memory.failed;
  return faults;
}

int main(int argc, char **argv) {
  int faults = 0;
  if (argc != 2) return 2;
  for (int sticky = 0; sticky < 2; sticky++) {
    bool done = false;
    unsigned long request = 0;
    memory.sticky = sticky == 1;
    for (; !done && faults < 5; request++) {
      faults += run(argv[1], request, &done);
    }
    printf("%lu requests failed\n", request - 1);
  }
  return faults > 0;
}
