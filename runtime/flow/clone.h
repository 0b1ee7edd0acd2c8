/* The logs of a directory, as they lie there, into a directory below another
 * one: whole segments, their numbers, epochs and bytes unchanged; cuts and
 * layouts with them. So a new region, or one that takes over from another,
 * holds that region's logs (`from-r00001/`, FORMAT.md 5).
 *
 * Every batch is verified on the way. A file is written aside, synced and
 * renamed, so what is there by its name is whole; when it is done again, a
 * segment that has its size is there, the last one of each log is written
 * anew, and so are the small files.
 *
 * The directory read from is a home: nobody else writes in it, and of a log
 * that is open what is on disk is copied.
 *
 * Memory: a reader.
 *
 * Thread: the owner of the home; its logs may be appended to by others, but
 * not truncated. */
#ifndef TD_FLOW_CLONE_H
#define TD_FLOW_CLONE_H

#include "io/wal_home.h"
#include "io/wal_layouts.h"

typedef struct td_clone {  /* private but for `bytes` */
  td_wal_home *home;
  td_dir *target;
  td_wal_dir dir;
  td_wal_layouts layouts;
  uint64_t bytes;        /* of segments, copied so far */
  uint32_t next_shard;   /* whose log comes next */
  td_wal_cursor cursor;
  bool reading, listed;
  uint32_t segment;      /* being written */
  td_seqno upto;
  td_file *file;         /* of that segment */
  uint64_t end;          /* its size */
} td_clone;

/* Opens `name` below the directory `path`, making it when it is not there,
 * and copies layouts and cuts. `fresh`: this copy was never begun, so there
 * must be no segment. Statuses: TD_OK, TD_OCCUPIED, TD_IO, TD_FULL,
 * TD_NO_MEMORY, TD_TOO_MANY; those of td_wal_layout_read and
 * td_wal_cuts_read. After anything but TD_OK there is nothing to close. */
TD_API td_status td_clone_open(td_clone *clone, td_wal_home *home,
                               const char *path, const char *name,
                               bool fresh, td_error *err);
/* Copies about so many bytes. Statuses: TD_OK (call again), TD_END (all of it
 * is there, on disk), TD_FULL, TD_IO; those of td_wal_cursor_next. */
TD_API td_status td_clone_step(td_clone *clone, uint64_t bytes,
                               td_error *err);
/* Idempotent. */
TD_API void td_clone_close(td_clone *clone);

#endif
