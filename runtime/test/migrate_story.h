/* For the tests of migrations: three logs under a hash that go to ranges, told
 * with a plan in the place of a journal. */
#ifndef TD_TEST_MIGRATE_STORY_H
#define TD_TEST_MIGRATE_STORY_H

#include "flow/migrate.h"
#include "test/home_world.h"

#define EVENTS 30u   /* before the migration, in all logs */
#define LATER 6u     /* written between its laps */
#define ALL (EVENTS + LATER)
#define OLD 7u
#define NEW 9u

/* Of the next layout: both lines of its file; and who owns an id by it. */
td_span story_layout(void);
uint32_t story_owner(uint64_t entity);

/* All different, from both halves; event i belongs to log i % LOGS. */
extern uint64_t story_ids[ALL];
/* What a journal would hold. */
struct story_plan {
  uint64_t start[LOGS], after[LOGS], left[LOGS];
  uint64_t done[LOGS];     /* events of the next epoch, of whole laps */
  uint64_t lap[LOGS];      /* the borders of the lap in work */
  bool begun, in_lap;
};
extern struct story_plan story_plan;
extern td_migrate story;

/* The directory and its logs, open; and with EVENTS events, closed. */
td_status story_open(void);
void story_fill(void);

/* Parts of it; the log of a shard. */
td_migrate_log *story_log(uint32_t s);
td_status story_begin(void);
td_status story_lap(void);
td_status story_walk(void);
td_status story_arrived(uint32_t s, td_migrate_sum *out);
/* From where it is to its end; with a writer in between, unless it is done
 * again. */
td_status story_run(bool write);

#endif
