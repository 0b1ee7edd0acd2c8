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
 * Directories make a tree. A path is parts between slashes; "" and "." are
 * the top, and empty parts and "." say nothing. A directory that was made is
 * safe once the one above it is synced; what is in it goes with it. A part
 * and a name have at most TD_DISK_NAME_MAX - 1 bytes: callers see to that.
 *
 * Lists grow as they need to: pointers into them are good until the next
 * call. Memory comes from the allocator given; the simulator itself ends when
 * there is none.
 *
 * Thread: owner. */
#ifndef TD_SIM_DISK_H
#define TD_SIM_DISK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/hash.h"
#include "base/prng.h"
#include "base/status.h"

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
  bool named;        /* scratch of whoever counts names */
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
  td_disk_name *list;
  uint32_t count;
  uint32_t room;
} td_disk_names;

typedef struct td_disk_dir {
  char name[TD_DISK_NAME_MAX];
  uint32_t above;  /* made before it */
  bool durable;
} td_disk_dir;

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
  uint64_t bytes_read, bytes_written;
  uint32_t files_open;
  uint32_t dirs_open;
  uint32_t syncs_after_failed;   /* on the same open file: never */
  uint32_t writes_after_failed;  /* ... after a failed sync or EIO: never */
} td_disk_counts;

typedef struct td_disk {
  td_alloc alloc;
  td_prng prng;
  td_disk_inode *inodes;
  uint32_t inode_count;
  uint32_t inode_room;
  td_disk_names cached;
  td_disk_names durable;
  td_disk_change *changes;  /* of names, not yet synced */
  uint32_t change_count;
  uint32_t change_room;
  td_disk_dir *dirs;        /* number d is dirs[d - 1]; 0 is the top */
  uint32_t dir_count;       /* below the top */
  uint32_t dir_room;
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

/* The number of a directory; false = there is none. */
TD_API bool td_disk_find_dir(const td_disk *disk, const char *path,
                             uint32_t *out);
/* A file's cached bytes by its path, NULL = no such file. */
TD_API const td_disk_bytes *td_disk_find(const td_disk *disk,
                                         const char *path);
/* Puts a file there, cached and durable, or replaces it; makes the
 * directories above it. Changes of names in its directory become durable.
 * False: a file or a directory is in the way. */
TD_API bool td_disk_put(td_disk *disk, const char *path, td_span bytes);

/* Of all names, paths of directories and cached contents: equal for disks
 * that a process cannot tell apart, in whatever order they came to be. What
 * is durable does not count; after a power failure that is the same. */
TD_API td_hash128 td_disk_hash(const td_disk *disk);

/* Bytes of memory that the contents take. */
TD_API uint64_t td_disk_memory(const td_disk *disk);

#endif
