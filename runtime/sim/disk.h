/* A disk in memory that loses what real ones may lose, under one seed.
 *
 * Every file has two images: cached (what the process reads) and durable
 * (what a power failure leaves). Writes wait in between as pieces, split at
 * sector bounds, and so do changes of names in each directory; syncs make
 * them durable. A power failure keeps any subset of what waits:
 *   piece   absent | as written | zeros | garbage   (the file grows to it)
 *   cut     absent | done
 *   name    absent | done, each on its own: a rename may come before the
 *           data, a later name before an earlier one
 * The end of a process alone loses nothing: close its files and go on.
 *
 * Faults: every call but the closing ones is counted from 1; one call (or all
 * behind it) can fail, be short, or be the last one that the process makes.
 * What the code under test must never do is counted, not repaired.
 *
 * One directory and up to TD_DISK_DIRS_MAX - 1 below it. Memory comes from
 * the allocator given; the simulator itself ends when there is none.
 *
 * Thread: owner. */
#ifndef TD_SIM_DISK_H
#define TD_SIM_DISK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/prng.h"
#include "base/status.h"

#define TD_DISK_FILES_MAX 48u
#define TD_DISK_DIRS_MAX 4u
#define TD_DISK_CHANGES_MAX 32u   /* of names, not yet synced */
#define TD_DISK_NAME_MAX 64u
#define TD_DISK_SECTOR_BYTES 512u
#define TD_DISK_COMBINATIONS_MAX 4096u  /* enumerated; above it: sampled */

typedef struct td_disk_bytes {
  uint8_t *data;
  size_t size;
  size_t room;
} td_disk_bytes;

/* A write waiting for a sync, or with `cut` the new end of the file. */
typedef struct td_disk_piece {
  uint64_t offset;
  size_t size;
  size_t at;  /* of its bytes in `journal` */
  bool cut;
} td_disk_piece;

typedef struct td_disk_inode {
  td_disk_bytes cached;
  td_disk_bytes durable;
  td_disk_bytes journal;
  td_disk_piece *pieces;
  uint32_t piece_count;
  uint32_t piece_room;
  uint32_t handles;  /* open now */
  bool used;
  bool locked;
} td_disk_inode;

typedef struct td_disk_name {
  char text[TD_DISK_NAME_MAX];
  uint32_t dir;
  uint32_t inode;
} td_disk_name;

/* A change of names: `gone` goes when it has a text, then `comes` comes. */
typedef struct td_disk_change {
  td_disk_name gone;
  td_disk_name comes;
} td_disk_change;

typedef struct td_disk_names {
  td_disk_name list[TD_DISK_FILES_MAX];
  uint32_t count;
} td_disk_names;

/* What is left in the cache when a sync fails. */
typedef enum td_disk_personality {
  TD_DISK_EXT4,   /* new content, marked clean: the next sync succeeds */
  TD_DISK_XFS,    /* the same, and no call works until a power failure */
  TD_DISK_BTRFS,  /* the old content */
} td_disk_personality;

/* How far a short read or write gets. */
typedef enum td_disk_short {
  TD_DISK_WHOLE, TD_DISK_ONE, TD_DISK_HALF, TD_DISK_BUT_ONE, TD_DISK_NOTHING,
} td_disk_short;

/* Set by the caller at any time. */
typedef struct td_disk_faults {
  uint64_t fail_call;     /* this call fails or is short; 0 = none */
  uint64_t fail_too;      /* ... and this one; 0 = none */
  int32_t fail_sys;       /* ... with this error, 0 = it is short */
  td_disk_short fail_short;
  bool fail_on;           /* ... and those behind it */
  bool interrupts;        /* every other write and sync gets EINTR first */
  uint64_t last_call;     /* no call behind it does anything; 0 = none */
  uint64_t capacity;      /* bytes of all files; 0 = no limit */
  td_disk_personality personality;
} td_disk_faults;

/* Read by the caller. */
typedef struct td_disk_counts {
  uint64_t calls;
  uint64_t syncs;
  uint64_t failed_syncs;
  uint32_t files_open;
  uint32_t dirs_open;
  uint32_t syncs_after_failed;   /* on the same open file: never */
  uint32_t writes_after_failed;  /* ... after a failed sync or EIO: never */
} td_disk_counts;

typedef struct td_disk {
  td_alloc alloc;
  td_prng prng;
  td_disk_inode inodes[TD_DISK_FILES_MAX];
  td_disk_names cached;
  td_disk_names durable;
  td_disk_change changes[TD_DISK_CHANGES_MAX];
  uint32_t change_count;
  char dirs[TD_DISK_DIRS_MAX][TD_DISK_NAME_MAX];  /* 0 is the top, "" */
  bool dirs_durable[TD_DISK_DIRS_MAX];
  uint32_t dir_count;
  uint64_t now_ns;
  bool shut_down;         /* xfs after a failed sync */
  td_disk_faults faults;
  td_disk_counts counts;
} td_disk;

/* An empty directory without faults. */
TD_API void td_disk_init(td_disk *disk, td_alloc alloc, uint64_t seed);
/* Frees everything; open handles must be gone. */
TD_API void td_disk_deinit(td_disk *disk);

/* The environment over it, with memory for the code under test. The clock
 * goes forward a microsecond with every call. */
TD_API td_env td_disk_env(td_disk *disk, td_alloc alloc);

/* Makes out (which holds nothing) a copy, without open handles, faults and
 * counts: the process is gone, the cache is kept. */
TD_API void td_disk_copy(const td_disk *disk, td_disk *out);

/* In how many ways a power failure may end now; saturates. */
TD_API uint64_t td_disk_combinations(const td_disk *disk);

/* Makes out (which holds nothing) the disk after a power failure: way number
 * `way` of td_disk_combinations, or with `prng` a random one. */
TD_API void td_disk_crash(const td_disk *disk, uint64_t way, td_prng *prng,
                          td_disk *out);

/* A file's cached bytes, NULL = no such name in the top directory. */
TD_API const td_disk_bytes *td_disk_find(const td_disk *disk,
                                         const char *name);
/* Puts a file there, cached and durable, or replaces it. */
TD_API void td_disk_put(td_disk *disk, const char *name, td_span bytes);

#endif
