/* The small files of a directory that say which events count: published
 * layouts and cuts. FORMAT.md 5.
 *
 * Opening lists them and reads every layout once, so that a damaged one is
 * found before anything is believed: to miss a layout or a cut would bring
 * dead events back. Cuts are read with their log (io/wal_live.h).
 *
 * Memory: 4 bytes per layout, 8 KiB, and one file at a time.
 *
 * Thread: owner; any for reading once open. */
#ifndef TD_IO_WAL_LAYOUTS_H
#define TD_IO_WAL_LAYOUTS_H

#include "format/cuts.h"
#include "format/layout.h"
#include "io/wal.h"
#include "io/wal_file.h"

#define TD_WAL_LAYOUTS_MAX 65536u

typedef struct td_wal_layouts {
  const td_wal_dir *dir;
  uint32_t *epochs;                  /* published, rising */
  uint32_t count;
  uint32_t room;
  uint8_t cuts[TD_SHARDS_MAX / 8];   /* a bit per shard that has a file */
} td_wal_layouts;

/* Lists the names only; nothing is known of the files yet. Statuses: TD_OK,
 * TD_IO, TD_NO_MEMORY, TD_TOO_MANY. After anything but TD_OK there is nothing
 * to close. */
TD_API td_status td_wal_layouts_list(td_wal_layouts *layouts,
                                     const td_wal_dir *dir, td_error *err);
/* Lists, and checks every layout. Statuses: also those of
 * td_wal_layout_read. */
TD_API td_status td_wal_layouts_open(td_wal_layouts *layouts,
                                     const td_wal_dir *dir, td_error *err);
/* Idempotent. The directory stays the caller's and must still be open. */
TD_API void td_wal_layouts_close(td_wal_layouts *layouts);

/* Whether the layout of this epoch is published. */
TD_API bool td_wal_layouts_has(const td_wal_layouts *layouts,
                               uint32_t epoch);
/* Whether the shard has a file of cuts. */
TD_API bool td_wal_layouts_cuts(const td_wal_layouts *layouts,
                                td_shard_id shard);

/* Reads the layout of an epoch; the file is the caller's to free. Statuses:
 * TD_OK, TD_IO, TD_NO_MEMORY, those of td_layout_decode, TD_MISMATCH (its
 * epoch is not that of its name). Errors name file and offset. */
TD_API td_status td_wal_layout_read(const td_wal_dir *dir, uint32_t epoch,
                                    td_wal_file *file, td_layout *layout,
                                    td_error *err);
/* The same for the cuts of a shard, with those of td_cuts_decode. */
TD_API td_status td_wal_cuts_read(const td_wal_dir *dir, td_shard_id shard,
                                  td_wal_file *file, td_cuts *cuts,
                                  td_error *err);

/* Says, durably, that of the log's events through cut.upto only those count
 * that the layout of cut.epoch leaves there: once that is published. A cut of
 * the same epoch is replaced. The directory must be locked. Statuses: TD_OK;
 * those of td_wal_cuts_read; TD_MISMATCH (the file is another region's),
 * TD_BACKWARD (there is one of a later epoch), TD_TOO_MANY, TD_FULL: nothing
 * changed; TD_IO: not known, it may be said again. */
TD_API td_status td_wal_cut_log(const td_wal_dir *dir, td_log_id log,
                                td_cut cut, td_error *err);

#endif
