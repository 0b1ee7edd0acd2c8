/* A log that is damaged on purpose, before the two who must notice: the
 * recovery of a writer and the verifier. Used by the batteries of damage:
 * flipped bits, damaged stretches, cuts. */
#ifndef TD_TEST_BATTERY_H
#define TD_TEST_BATTERY_H

#include "test/log_scene.h"

#define BATTERY_SEGMENTS_MAX 6u

/* Under a sanitizer the batteries take one part of so many: an odd number, so
 * that every bit of a byte has its turn. */
#ifdef __SANITIZE_ADDRESS__
#define BATTERY_SHARE 101u
#else
#define BATTERY_SHARE 1u
#endif

typedef enum battery_kind {
  BATTERY_LARGE,  /* one segment of 64 KiB, made by the writer */
  BATTERY_V1,     /* one v1 segment of 64 KiB with zeros behind it */
  BATTERY_SMALL,  /* several segments under a layout, the first begun under
                   * v1; two checkpoints, cuts */
  BATTERY_LAZY,   /* the same, never synced but for the checkpoint */
} battery_kind;

typedef struct battery_segment {
  char name[TD_SEGNAME_TEXT_MAX];
  size_t size;        /* of the file */
  uint32_t first;     /* number of its first batch in the log */
  uint32_t count;
  size_t starts[SCENE_BATCHES_MAX + 1];  /* of its batches; then their end */
} battery_segment;

typedef struct battery {
  battery_kind kind;
  bool clean;         /* how it was closed */
  scene work;         /* the log, closed */
  scene hurt;         /* a copy, to be damaged */
  char layout[512];
  uint32_t marked;    /* batches that were on disk at the last checkpoint */
  uint32_t segment_count;
  battery_segment segments[BATTERY_SEGMENTS_MAX];
} battery;

typedef enum battery_what {
  BATTERY_WHOLE,      /* nothing is wrong */
  BATTERY_REFUSED,    /* told, and nothing was changed */
  BATTERY_TORN,       /* told, and cut off (by the writer) */
} battery_what;

/* What was said of a log, or should be. */
typedef struct battery_answer {
  battery_what what;
  bool suspect;
  bool harmed;        /* what is left is no beginning of what was written */
  uint32_t batches;   /* that are left; of the writer's answer only */
  td_status status;
  char file[TD_FILE_NAME_MAX];
  uint64_t offset;
} battery_answer;

/* Builds the log. The checkpoints' seqno is that of its first batch. They are
 * written before the last batch under an even seed, else, and in a large log,
 * behind the first one that is the writer's own. */
void battery_init(battery *at, battery_kind kind, bool clean, uint64_t seed);
void battery_deinit(battery *at);

/* A file of the copy; its bytes may be changed, its size made smaller. */
td_disk_bytes *battery_file(battery *at, const char *name);
/* Makes the copy anew. */
void battery_reset(battery *at);

/* Batch number in the segment that holds this byte; its count = behind. */
uint32_t battery_batch_at(const battery_segment *segment, size_t byte);

/* What a reader of the rules expects of damage that begins in batch `batch`
 * of a segment: in its header or not, with a whole batch behind it or not. */
battery_answer battery_expect(const battery *at, uint32_t segment,
                              uint32_t batch, bool header, bool later);
/* ... and where nothing is left from this batch on, as if never written. */
battery_answer battery_expect_nothing(const battery *at, uint32_t segment,
                                      uint32_t batch);

/* Asks the verifier about the copy; it reports one thing at most. */
battery_answer battery_verify(battery *at);
/* Asks the writer; what it changed is made anew. */
battery_answer battery_recover(battery *at);

/* The same verdict, place and loss? Fails the case, saying what was done. */
bool battery_check(const battery_answer *got, const battery_answer *want,
                   const char *who, const char *done, size_t where);

#endif
