/* What the files of the simulated disk share: handles and images.
 *
 * Thread: owner. */
#ifndef TD_SIM_DISK_CALLS_H
#define TD_SIM_DISK_CALLS_H

#include "sim/disk.h"

/* A block each: a sanitizer sees a use after close. */
struct td_dir {
  td_disk *disk;
  uint32_t dir;
};

struct td_file {
  td_disk *disk;
  uint32_t inode;
  bool failed;       /* a sync or a write failed: nothing more may follow */
  bool failed_sync;
  bool lock;
};

/* Memory, or the end of the simulation. */
void *td_disk_take(const td_disk *disk, void *old, size_t old_size,
                   size_t size);
void td_disk_resize(const td_disk *disk, td_disk_bytes *bytes, size_t size);
void td_disk_write(const td_disk *disk, td_disk_bytes *bytes, uint64_t offset,
                   td_span data);
void td_disk_free_inode(const td_disk *disk, td_disk_inode *inode);

/* Room for one entry more behind `count` in a list of entries. */
void *td_disk_grow(const td_disk *disk, void *list, uint32_t count,
                   uint32_t *room, size_t entry);

#define TD_DISK_TOP 0u

/* Names of one image. */
td_disk_name *td_disk_look(const td_disk_names *names, uint32_t dir,
                           const char *text);
void td_disk_change_names(const td_disk *disk, td_disk_names *names,
                          const td_disk_change *change);
void td_disk_set_name(td_disk_name *name, uint32_t dir, const char *text,
                      uint32_t inode);
/* Makes the change in the cache; a sync of the directory does the rest. */
void td_disk_change_now(td_disk *disk, const td_disk_change *what);
void td_disk_sync_names(td_disk *disk, uint32_t dir);
/* An inode that no name leads to. */
uint32_t td_disk_new_inode(td_disk *disk);
/* Marks the inodes that names of the image lead to. */
void td_disk_mark_named(td_disk *disk, const td_disk_names *names);

/* The number of the directory of that name in `above`, TD_DISK_TOP = none. */
uint32_t td_disk_look_dir(const td_disk *disk, uint32_t above,
                          const char *text, size_t size);
/* Makes it; returns its number. */
uint32_t td_disk_add_dir(td_disk *disk, uint32_t above, const char *text,
                         size_t size, bool durable);

/* Counts the call. 0 = go on; else what it returns. *length (NULL = not a
 * transfer) is cut when this is the call to be short. */
int32_t td_disk_enter(td_disk *disk, size_t *length);

/* True behind the last call that the process makes. */
static inline bool td_disk_dead(const td_disk *disk) {
  return disk->faults.last_call
      && disk->counts.calls > disk->faults.last_call;
}

/* The calls on open files, for the table in disk.c. */
void td_disk_file_close(void *ctx, td_file *file);
int td_disk_file_size(void *ctx, td_file *file, uint64_t *out);
int64_t td_disk_file_read(void *ctx, td_file *file, void *out, size_t size,
                          uint64_t offset);
int64_t td_disk_file_write(void *ctx, td_file *file, const void *bytes,
                           size_t size, uint64_t offset);
int td_disk_file_sync(void *ctx, td_file *file, bool full);
int td_disk_file_truncate(void *ctx, td_file *file, uint64_t size);

#endif
