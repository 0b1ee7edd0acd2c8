#include "test/migrate_story.h"

#include <string.h>

#include "test/layout_text.h"

static const char HALVES[] =
  "[{\"shard\":2,\"first\":\"0x0000000000000000\","
  "\"last\":\"0x7fffffffffffffff\"},"
  "{\"shard\":1,\"first\":\"0x8000000000000000\","
  "\"last\":\"0xffffffffffffffff\"}]";

td_span story_layout(void) {
  static char out[1024];
  size_t size = layout_text(out, sizeof out, NEW, "ranges", LOGS, HALVES);
  return (td_span){(const uint8_t *)out, size};
}

uint32_t story_owner(uint64_t entity) {
  return entity >> 63 ? 1 : 2;
}

uint64_t story_ids[ALL];
struct story_plan story_plan;

static void make_ids(void) {
  for (uint32_t i = 0; i < ALL; i++) {
    uint64_t top = i / LOGS % 2 ? UINT64_MAX : UINT64_MAX / 2;
    story_ids[i] = world_id(i % LOGS, top - 1000u * i);
  }
}

td_status story_open(void) {
  td_status status = world_open(world_layout(OLD, "hash", NULL));
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    status = world_open_log(s);
  }
  return status;
}

void story_fill(void) {
  world_begin();
  make_ids();
  memset(&story_plan, 0, sizeof story_plan);
  CHECK(story_open() == TD_OK);
  for (uint32_t i = 0; i < EVENTS; i++) {
    CHECK(world_append(i % LOGS, story_ids[i]) == TD_OK);
  }
  world_close();
}

/* --- the story ------------------------------------------------------------ */

td_migrate story;

td_migrate_log *story_log(uint32_t s) {
  return td_migrate_find(&story, (td_shard_id){(uint16_t)s});
}

td_status story_begin(void) {
  td_migrate_options options = {
    .region = {2}, .flush_bytes = 100, .resume = story_plan.begun,
  };
  td_status status = td_migrate_open(&story, &at.home, story_layout(), &options,
                                     &at.err);
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    if (!story_plan.begun) story_plan.start[s] = story_log(s)->start.value;
    story_log(s)->start.value = story_plan.start[s];
    story_log(s)->left = story_plan.left[s];
  }
  story_plan.begun |= status == TD_OK;
  return status;
}

td_status story_arrived(uint32_t s, td_migrate_sum *out) {
  td_status status = td_migrate_check(&story, (td_shard_id){(uint16_t)s},
                                      (td_seqno){story_plan.start[s]}, &at.err);
  while (status == TD_OK) status = td_migrate_check_step(&story, 50, &at.err);
  *out = story.found;
  return status == TD_END ? TD_OK : status;
}

/* What a lap that was cut short has written already. */
static td_status set_skips(void) {
  td_status status = TD_OK;
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    td_migrate_sum sum;
    status = story_arrived(s, &sum);
    CHECK(status != TD_OK || sum.count >= story_plan.done[s]);
    story_log(s)->skip = sum.count - story_plan.done[s];
  }
  return status;
}

td_status story_walk(void) {
  td_status status = td_migrate_lap(&story, &at.err);
  while (status == TD_OK) status = td_migrate_step(&story, 40, &at.err);
  return status == TD_END ? TD_OK : status;
}

td_status story_lap(void) {
  td_status status = td_migrate_look(&story, &at.err);
  if (status != TD_OK) return status;
  for (uint32_t s = 0; s < LOGS; s++) {
    story_log(s)->skip = 0;
    if (!story_plan.in_lap) story_plan.lap[s] = story_log(s)->last.value;
    story_log(s)->after.value = story_plan.after[s];
    story_log(s)->upto.value = story_plan.lap[s];
  }
  if (story_plan.in_lap) status = set_skips();
  story_plan.in_lap = true;
  if (status == TD_OK) status = story_walk();
  if (status != TD_OK) return status;
  story_plan.in_lap = false;
  for (uint32_t s = 0; s < LOGS; s++) {
    story_plan.after[s] = story_log(s)->next.value;
    story_plan.done[s] += story_log(s)->moved.count;
    story_plan.left[s] = story_log(s)->left;
  }
  return TD_OK;
}

static td_status finish(void) {
  td_status status = td_migrate_hold(&story, &at.err);
  if (status == TD_OK) status = story_lap();
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    td_migrate_sum sum;
    status = story_arrived(s, &sum);
    if (status == TD_OK) CHECK_U64(sum.count, story_plan.done[s]);
  }
  if (status == TD_OK) {
    status = td_migrate_publish(&story, story_layout(), &at.err);
  }
  return status;
}

td_status story_run(bool write) {
  td_status status = story_begin();
  if (status != TD_OK) return status;
  status = story_lap();
  for (uint32_t i = EVENTS; i < ALL && write && status == TD_OK; i++) {
    CHECK(world_append(i % LOGS, story_ids[i]) == TD_OK);
  }
  if (status == TD_OK) status = finish();
  td_migrate_let_go(&story);
  td_status end = td_migrate_close(&story, &at.err);
  return status == TD_OK ? end : status;
}
