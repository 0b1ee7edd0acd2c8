#define _GNU_SOURCE  /* prlimit, MSG_NOSIGNAL */

#include "host/child.h"

#include <errno.h>
#include <lauxlib.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/cell.h"
#include "host/channel.h"
#include "host/fence.h"

#define TYPE "tidal.Child"
#define CPU_SECONDS 3       /* for one answer, unless said otherwise */
#define SLOW_CPU_SECONDS 20 /* the same in builds with sanitizers */
#define CPU_SECONDS_MAX 30
#define WALL_FACTOR 10      /* a busy machine gives a tenth of its time */
#define MEMORY_MIN ((lua_Integer)1 << 20)
#define MEMORY_MAX ((lua_Integer)1 << 40)

typedef struct child {
  pid_t pid;  /* 0 = closed */
  int socket;
  int seconds;  /* of processor time, for one answer */
} child;

/* --- its end -------------------------------------------------------------- */

/* Ends the process and forgets it; answers its wait status. */
static int end_child(child *self, bool at_once) {
  int status = 0;
  if (self->pid == 0) return 0;
  if (at_once) kill(self->pid, SIGKILL);
  close(self->socket);
  while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR) {}
  self->pid = 0;
  return status;
}

static const char *describe(lua_State *L, int status, int seconds) {
  if (WIFEXITED(status)) {
    int code = WEXITSTATUS(status);
    if (code == TD_FENCE_NO_LIMITS) return "it could not be given limits";
    if (code == TD_FENCE_NO_FILTER) {
      return "this system has no filter for system calls (seccomp)";
    }
    return lua_pushfstring(L, "it ended without an answer (status %d)", code);
  }
  int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (number == SIGSYS) return "it made a system call that no layout needs";
  if (number == SIGXCPU) {
    return lua_pushfstring(L, "it used up its %d s of processor time",
                           seconds);
  }
  return lua_pushfstring(L, "it died of signal %d (%s)", number,
                         strsignal(number));
}

/* nil, why, after the process has closed its end. */
static int fail_gone(lua_State *L, child *self) {
  const char *why = describe(L, end_child(self, false), self->seconds);
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

static int fail(lua_State *L, child *self, const char *why) {
  end_child(self, true);
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* --- one question --------------------------------------------------------- */

/* From now on the process has its processor seconds. */
static void give_time(const child *self) {
  clockid_t clock;
  struct timespec used = {0, 0};
  if (clock_getcpuclockid(self->pid, &clock) == 0) {
    clock_gettime(clock, &used);
  }
  struct rlimit limit = {(rlim_t)(used.tv_sec + self->seconds), RLIM_INFINITY};
  prlimit(self->pid, RLIMIT_CPU, &limit, NULL);
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

typedef enum outcome { DONE, GONE, LATE } outcome;

/* Waits until the socket can be read or written. */
static outcome wait_for(const child *self, short what, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - milliseconds();
    struct pollfd one = {.fd = self->socket, .events = what};
    if (left <= 0) return LATE;
    int ready = poll(&one, 1, (int)left);
    if (ready > 0) return DONE;
    if (ready < 0 && errno != EINTR) return GONE;
  }
}

static outcome move(const child *self, bool sending, uint8_t *bytes,
                    size_t size, int64_t deadline) {
  while (size > 0) {
    outcome ready = wait_for(self, sending ? POLLOUT : POLLIN, deadline);
    if (ready != DONE) return ready;
    ssize_t n = sending
      ? send(self->socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT)
      : recv(self->socket, bytes, size, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return GONE;
    bytes += n;
    size -= (size_t)n;
  }
  return DONE;
}

static int fail_outcome(lua_State *L, child *self, outcome what) {
  if (what == GONE) return fail_gone(L, self);
  return fail(L, self, lua_pushfstring(L, "it gave no answer within %d s",
                                       WALL_FACTOR * self->seconds));
}

static int receive(lua_State *L, child *self, int64_t deadline) {
  uint8_t header[TD_PARCEL_HEADER_BYTES];
  td_parcel parcel;
  td_error err;
  outcome what = move(self, false, header, sizeof header, deadline);
  if (what != DONE) return fail_outcome(L, self, what);
  if (td_parcel_head(header, &parcel, &err) != TD_OK) {
    char why[TD_ERROR_TEXT_MAX];
    td_error_format(&err, why, sizeof why);
    return fail(L, self, why);
  }
  uint8_t *body = lua_newuserdatauv(L, parcel.size, 0);
  what = move(self, false, body, parcel.size, deadline);
  if (what != DONE) return fail_outcome(L, self, what);
  if (td_channel_unpack(L, &parcel, (td_span){body, parcel.size})) return 1;
  end_child(self, true);
  return 2;
}

static child *open_child(lua_State *L) {
  child *self = luaL_checkudata(L, 1, TYPE);
  if (self->pid == 0) luaL_error(L, "the child is closed");
  return self;
}

static int64_t deadline_of(const child *self) {
  return milliseconds() + WALL_FACTOR * 1000 * self->seconds;
}

/* child:tell(list) -> true | nil, why: a question. Its answer must be heard
 * before the next one. */
static int tell(lua_State *L) {
  child *self = open_child(L);
  lua_settop(L, 2);
  td_span bytes = td_channel_pack(L, 2);
  give_time(self);
  outcome what = move(self, true, lua_touserdata(L, -1), bytes.size,
                      deadline_of(self));
  if (what != DONE) return fail_outcome(L, self, what);
  lua_pushboolean(L, 1);
  return 1;
}

/* child:hear() -> list | nil, why: the answer to what was told. */
static int hear(lua_State *L) {
  child *self = open_child(L);
  return receive(L, self, deadline_of(self));
}

/* child:ask(list) -> list | nil, why: both. */
static int ask(lua_State *L) {
  int results = tell(L);
  return results == 1 ? hear(L) : results;
}

/* --- its life ------------------------------------------------------------- */

static int close_child(lua_State *L) {
  end_child(luaL_checkudata(L, 1, TYPE), true);
  return 0;
}

static int pid(lua_State *L) {
  const child *self = luaL_checkudata(L, 1, TYPE);
  if (self->pid == 0) lua_pushnil(L);
  else lua_pushinteger(L, self->pid);
  return 1;
}

static td_cell take_plan(lua_State *L) {
  td_cell cell = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "lpeg");
  cell.open_lpeg = lua_tocfunction(L, -1);
  luaL_argcheck(L, cell.open_lpeg != NULL, 1, "lpeg: a C function expected");
  lua_getfield(L, 1, "memory");
  lua_Integer memory = luaL_checkinteger(L, -1);
  luaL_argcheck(L, memory >= MEMORY_MIN && memory <= MEMORY_MAX, 1,
                "memory: 1 MiB to 1 TiB expected");
  cell.memory = (size_t)memory;
  lua_getfield(L, 1, "filter");
  cell.filter = lua_toboolean(L, -1);
  return cell;
}

static int seconds_field(lua_State *L) {
  lua_getfield(L, 1, "seconds");
  lua_Integer seconds = luaL_optinteger(L, -1, td_fence_is_whole()
                                                ? CPU_SECONDS
                                                : SLOW_CPU_SECONDS);
  luaL_argcheck(L, seconds >= 1 && seconds <= CPU_SECONDS_MAX, 1,
                "seconds: 1 to 30 expected");
  lua_pop(L, 1);
  return (int)seconds;
}

/* host.child{...} */
static int new_child(lua_State *L) {
  td_cell cell = take_plan(L);
  int ends[2];
  child *self = lua_newuserdatauv(L, sizeof *self, 0);
  *self = (child){0, -1, seconds_field(L)};
  luaL_setmetatable(L, TYPE);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return luaL_error(L, "socketpair: %s", strerror(errno));
  }
  pid_t made = fork();
  if (made == 0) {
    cell.socket = ends[1];
    td_cell_run(&cell);
  }
  int why = errno;
  close(ends[1]);
  if (made < 0) {
    close(ends[0]);
    return luaL_error(L, "fork: %s", strerror(why));
  }
  self->pid = made;
  self->socket = ends[0];
  return 1;
}

void td_child_open(lua_State *L) {
  static const luaL_Reg methods[] = {
    {"ask", ask}, {"tell", tell}, {"hear", hear}, {"close", close_child},
    {"pid", pid}, {NULL, NULL},
  };
  luaL_newmetatable(L, TYPE);
  lua_pushcfunction(L, close_child);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, close_child);
  lua_setfield(L, -2, "__close");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "locked");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
  lua_pushcfunction(L, new_child);
  lua_setfield(L, -2, "child");
  lua_pushboolean(L, td_fence_is_whole());
  lua_setfield(L, -2, "fenced");
}
