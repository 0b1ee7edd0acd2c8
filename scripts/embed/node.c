/* A node in your own server: opens a log, recovers it, appends from four
 * threads, each of which knows when its event is safe.
 *
 *   cc -std=c11 scripts/embed/node.c -Iruntime lib/libtidal.a -lxxhash
 *      -pthread -o node
 *   mkdir data && ./node data 1000
 *
 * node DIR [EVENTS]: prints what recovery found, then "acked N" for each event
 * that is on disk, until each thread has appended EVENTS of them (no number:
 * until it is stopped). Kill it at any moment, start it again: everything it
 * acknowledged is there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "tidal.h"

#define THREADS 4

static td_wal_log node_log;
static unsigned long long events = (unsigned long long)-1;

static int fail(const char *what, const td_error *err) {
  char text[TD_ERROR_TEXT_MAX];
  td_error_format(err, text, sizeof text);
  fprintf(stderr, "%s: %s%s%s\n", what, text, err->sys ? ": " : "",
          err->sys ? strerror(err->sys) : "");
  return 1;
}

/* Whoever comes first writes for all that came meanwhile: one write and one
 * sync for the group. */
static int append(void *arg) {
  unsigned thread = *(const unsigned *)arg;
  for (unsigned long long i = 0; i < events; i++) {
    td_error err;
    td_seqno number;
    td_record view = {
      .entity = {(uint64_t)thread << 56 | i}, .timestamp_ns = i,
      .weight = 1.0f, .signal_type = 1,
    };
    if (td_wal_log_append(&node_log, &view, 1, &number, &err) != TD_OK) {
      return fail("append", &err);
    }
    printf("acked %llu\n", (unsigned long long)number.value);
  }
  return 0;
}

static int append_from_all(void) {
  thrd_t threads[THREADS];
  unsigned numbers[THREADS];
  int failed = 0;
  for (unsigned i = 0; i < THREADS; i++) {
    numbers[i] = i;
    if (thrd_create(&threads[i], append, &numbers[i]) != thrd_success) {
      fprintf(stderr, "no thread\n");
      exit(1);
    }
  }
  for (unsigned i = 0; i < THREADS; i++) {
    int result;
    thrd_join(threads[i], &result);
    failed |= result;
  }
  return failed;
}

int main(int argc, char **argv) {
  td_error err;
  td_wal_home home;
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: node DIR [EVENTS]\n");
    return 2;
  }
  if (argc == 3) events = strtoull(argv[2], NULL, 10);
  setvbuf(stdout, NULL, _IOLBF, 0);

  td_env env = td_env_posix();
  if (td_wal_home_open(&home, &env, argv[1], &err) != TD_OK) {
    return fail(argv[1], &err);
  }
  td_wal_options options = td_wal_options_init((td_log_id){{0}, {3}});
  options.group_delay_ns = 0;  /* do not wait for company */
  if (td_wal_log_open(&node_log, &home, &options, &err) != TD_OK) {
    td_wal_home_close(&home);
    return fail(argv[1], &err);
  }
  const td_wal_recovery *found = &node_log.recovery;
  printf("recovered %llu events, last closed %s, %llu bytes cut\n",
         (unsigned long long)td_wal_log_durable(&node_log).value,
         found->clean ? "cleanly" : "in the middle",
         (unsigned long long)found->cut_bytes);

  int failed = append_from_all();
  td_status status = td_wal_log_close(&node_log, true, &err);
  td_wal_home_close(&home);
  return status == TD_OK ? failed : fail("close", &err);
}
