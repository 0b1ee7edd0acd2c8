/* A log on a simulated disk, and a model of what must be found in it. */
#ifndef TD_TEST_LOG_SCENE_H
#define TD_TEST_LOG_SCENE_H

#include "io/wal_log.h"
#include "sim/disk.h"

#define SCENE_BATCHES_MAX 96u

/* Under a sanitizer the enumerations take one part of so many. */
#ifdef __SANITIZE_ADDRESS__
#define SCENE_SHARE 8u
#else
#define SCENE_SHARE 1u
#endif

typedef struct scene_batch {
  uint64_t first;
  uint32_t events;
  uint64_t digest;  /* of the payload */
  bool acked;       /* or shown after a recovery: it must stay */
} scene_batch;

typedef struct scene_model {
  scene_batch list[SCENE_BATCHES_MAX];
  uint32_t count;
  uint64_t line;    /* truncation may have removed all at or below it */
  bool lazy;        /* only what was synced must stay */
} scene_model;

/* Memory that is counted and can run out. */
typedef struct scene_memory {
  uint64_t requests;
  uint64_t fail_request;  /* this one gets none; 0 = none */
  bool fail_on;           /* ... nor do those behind it */
  uint32_t held;
} scene_memory;

typedef struct scene {
  td_disk disk;
  td_span layout;         /* to be put under; size 0 = none */
  scene_memory memory;
  td_env env;
  td_wal_options options;
  td_wal_home home;
  td_wal_log log;
  bool open;
  bool torn, suspect, rewritten;  /* by any opening so far */
  scene_model model;
  td_prng prng;
  td_error err;           /* of the last thing that failed */
  td_status status;
} scene;

/* A small log of a random shard: segments of 500 to 1,700 bytes. */
void scene_init(scene *at, uint64_t seed);
/* Two of five seeds get a policy that does not sync each batch. */
void scene_choose_policy(scene *at, uint64_t seed);
/* The same log over a disk that the scene takes over. */
void scene_init_over(scene *at, const scene *from);
void scene_deinit(scene *at);

/* Opens home and log, and no more than that. */
td_status scene_enter(scene *at, td_error *err);
/* Opens home and log. After TD_OK what is shown becomes the model, and has
 * been held against it. */
td_status scene_open(scene *at);
void scene_close(scene *at, bool clean);
/* One batch of so many events; what happened goes into the model. */
td_status scene_append(scene *at, uint32_t events);
/* One random step of a workload; false = the log would not go on. */
bool scene_step(scene *at);
/* Opens and makes `steps` steps. */
void scene_run(scene *at, uint32_t steps);

/* The log as a reader finds it now; TD_END = read to its end. */
td_status scene_read(scene *at, scene_model *out, td_error *err);
/* All that was acknowledged is there, nothing else but one batch in flight;
 * NULL = so it is, else what is wrong. */
const char *scene_compare(const scene_model *want, const scene_model *found);

/* Recovers a disk, checks it against the model, appends one batch, closes,
 * and recovers again: NULL, or what is wrong. The scene takes the disk. */
const char *scene_survive(scene *at);

/* The other files of suite "log", called by test_log. */
void test_log_golden(void);
void test_log_damage(void);

#endif
