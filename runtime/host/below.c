#define _XOPEN_SOURCE 700  /* realpath */

#include "host/below.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where an open file really is. */
static bool place_of(int fd, char out[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, out, PATH_MAX - 1);
  if (size <= 0) return false;
  out[size] = '\0';
  return true;
}

static bool is_below(const char *folder, const char *place) {
  size_t size = strlen(folder);
  if (size == 1) return true;  /* "/" */
  return strncmp(place, folder, size) == 0 && place[size] == '/';
}

/* Why a file may not be read, or NULL. */
static const char *judge(int fd, const char *folder, lua_Integer most) {
  char root[PATH_MAX], place[PATH_MAX];
  struct stat file;
  if (fstat(fd, &file) != 0) return strerror(errno);
  if (!S_ISREG(file.st_mode)) return "not a regular file";
  if (file.st_size > most) return "too large";
  if (realpath(folder, root) == NULL) return strerror(errno);
  if (!place_of(fd, place) || !is_below(root, place)) return "outside";
  return NULL;
}

/* Reads up to `most` + 1 bytes; -1 with errno. */
static ssize_t read_text(int fd, char *out, size_t most) {
  size_t size = 0;
  while (size <= most) {
    ssize_t got = read(fd, out + size, most + 1 - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    size += (size_t)got;
  }
  return (ssize_t)size;
}

static int fail(lua_State *L, const char *why) {
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* read_below(folder, name, most) -> text | nil, why */
static int read_below(lua_State *L) {
  const char *folder = luaL_checkstring(L, 1);
  const char *name = luaL_checkstring(L, 2);
  lua_Integer most = luaL_checkinteger(L, 3);
  luaL_argcheck(L, most >= 0 && most < INT_MAX, 3, "a number of bytes");
  const char *path = lua_pushfstring(L, "%s/%s", folder, name);
  char *text = lua_newuserdatauv(L, (size_t)most + 1, 0);
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    bool absent = errno == ENOENT || errno == ENOTDIR;
    return fail(L, absent ? "absent" : strerror(errno));
  }
  const char *why = judge(fd, folder, most);
  ssize_t size = why == NULL ? read_text(fd, text, (size_t)most) : 0;
  if (size < 0) why = strerror(errno);
  if (size > most) why = "too large";
  close(fd);
  if (why != NULL) return fail(L, why);
  lua_pushlstring(L, text, (size_t)size);
  return 1;
}

void td_below_open(lua_State *L) {
  lua_pushcfunction(L, read_below);
  lua_setfield(L, -2, "read_below");
}
