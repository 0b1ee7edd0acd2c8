/* Redis: RPUSH of one value through a unix socket, to a server of our own
 * with an append-only file, appendfsync always or no. It has no port, and it
 * ends when we do. */
#define _GNU_SOURCE  /* O_PATH, prctl */
#include "bench/peers/peers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_TRIES 500         /* of 10 ms */
#define REQUEST_ROOM (DISK_BATCH_BYTES + 64u)

typedef struct server {
  pid_t pid;
  int socket;
  size_t size;
  char request[REQUEST_ROOM];
} server;

static void make_request(server *s) {
  int head = snprintf(s->request, sizeof s->request,
                      "*3\r\n$5\r\nRPUSH\r\n$3\r\nlog\r\n$%u\r\n",
                      DISK_BATCH_BYTES);
  char *at = s->request + head;
  memset(at, 7, DISK_BATCH_BYTES);
  memcpy(at + DISK_BATCH_BYTES, "\r\n", 2);
  s->size = (size_t)head + DISK_BATCH_BYTES + 2;
}

/* In the child: becomes the server, or ends. */
static void become_server(const char *path, bool synced) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int quiet = open("/dev/null", O_RDWR);
  if (quiet >= 0) {
    dup2(quiet, 0);
    dup2(quiet, 1);
    dup2(quiet, 2);
  }
  execlp("redis-server", "redis-server", "--port", "0", "--dir", path,
         "--unixsocket", "socket", "--appendonly", "yes", "--appendfsync",
         synced ? "always" : "no", "--save", "",
         "--auto-aof-rewrite-percentage", "0", (char *)NULL);
  _exit(127);
}

/* A path through the directory's descriptor: a socket's has 107 bytes. */
static bool try_to_connect(server *s, int dir) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path,
           "/proc/self/fd/%d/socket", dir);
  s->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (s->socket < 0) disk_fail("Redis", "no socket");
  if (connect(s->socket, (const struct sockaddr *)&address,
              sizeof address) == 0) {
    return true;
  }
  close(s->socket);
  return false;
}

/* False: the server ended before it could be asked. */
static bool wait_for_server(server *s, const char *path) {
  const struct timespec pause = {.tv_nsec = 10000000};
  int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), status;
  bool connected = false;
  for (int i = 0; i < START_TRIES && !connected; i++) {
    if (waitpid(s->pid, &status, WNOHANG) == s->pid) break;
    connected = try_to_connect(s, dir);
    if (!connected) nanosleep(&pause, NULL);
  }
  close(dir);
  return connected;
}

static bool in_path(const char *program) {
  char path[DISK_PATH_MAX];
  const char *at = getenv("PATH");
  while (at && *at) {
    int size = (int)strcspn(at, ":");
    snprintf(path, sizeof path, "%.*s/%s", size, at, program);
    if (access(path, X_OK) == 0) return true;
    at += size;
    at += *at == ':';
  }
  return false;
}

static void *open_server(const char *path, bool synced) {
  if (!in_path("redis-server")) return NULL;
  server *s = bench_alloc(sizeof *s);
  make_request(s);
  s->pid = fork();
  if (s->pid < 0) disk_fail("Redis", "no process");
  if (s->pid == 0) become_server(path, synced);
  if (!wait_for_server(s, path)) disk_fail("Redis", "it does not start");
  return s;
}

static void append(void *ctx, uint64_t times) {
  const server *s = ctx;
  char reply[64];
  for (uint64_t i = 0; i < times; i++) {
    size_t sent = 0, got = 0;
    while (sent < s->size) {
      ssize_t count = send(s->socket, s->request + sent, s->size - sent,
                           MSG_NOSIGNAL);
      if (count <= 0) disk_fail("Redis", "it does not listen");
      sent += (size_t)count;
    }
    while (got == 0 || reply[got - 1] != '\n') {
      ssize_t count = recv(s->socket, reply + got, sizeof reply - got, 0);
      if (count <= 0) disk_fail("Redis", "it does not answer");
      got += (size_t)count;
    }
    if (reply[0] != ':') disk_fail("Redis", "it refuses");
  }
}

static void close_server(void *ctx) {
  server *s = ctx;
  close(s->socket);
  kill(s->pid, SIGKILL);
  waitpid(s->pid, NULL, 0);
  free(s);
}

const peer peer_redis = {"Redis", "redis-server", open_server, append,
                         close_server};
