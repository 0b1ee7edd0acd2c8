/* A directory of logs, opened to be written: one lock on it, and the layout
 * that its logs are written under.
 *
 * A layout is published by its presence (FORMAT.md 5). The first one that a
 * directory is put under is published; from then on only that one is
 * accepted, and without it nothing is written: so no two writers ever follow
 * different routings. Another epoch comes by a migration: a next layout is
 * prepared beside the published one, events move under its epoch, and its
 * publishing is one rename.
 *
 * A log takes only events whose ids its layout gives to its shard: who was
 * mistaken, or who routed under a layout that is not the published one any
 * more, is told the shard that owns the id now. So no two shards ever take
 * the same id.
 *
 * Publishing the first layout must not end the life of events: what is there
 * already must be of its epoch or of none. All of the directory is read for
 * that, once.
 *
 * Files: LOCK, layout-0000000001.json, layout.tmp.
 *
 * Thread: owner; the home's logs may be appended to by any meanwhile. */
#ifndef TD_IO_WAL_HOME_H
#define TD_IO_WAL_HOME_H

#include "base/bytes.h"
#include "base/env.h"
#include "base/status.h"
#include "io/wal_routes.h"

typedef struct td_wal_home {
  td_env env;
  td_dir *dir;
  td_file *lock;
  uint32_t published;   /* epoch of the newest layout here; 0 = none */
  uint32_t epoch;       /* what logs are written under; 0 = no layout */
  td_wal_routes routes;  /* of that layout */
  uint32_t next;        /* epoch of the layout prepared; 0 = none */
  td_wal_routes next_routes;
  bool moved_lost;      /* since then a log closed with moved events that did
                           not get to the disk */
  struct td_wal_log *logs;  /* open ones, by rising shard */
  uint64_t opened;      /* how many ever were */
  td_error failed;      /* of a try to publish, sticky; TD_OK = none */
} td_wal_home;

/* Opens an existing directory. Statuses: TD_OK, TD_IO, TD_LOCKED. */
TD_API td_status td_wal_home_open(td_wal_home *home, const td_env *env,
                                  const char *path, td_error *err);

/* Puts the directory under a layout, before a log in it is opened: `layout`
 * is the text of a layout file, both lines. Statuses: TD_OK; those of
 * td_layout_decode for the text given; TD_EPOCH, TD_LAYOUT (another one is
 * published), TD_DEAD (events here would no longer count); TD_CORRUPT and the
 * other verdicts where a log cannot be read to its end, so nobody knows;
 * those of td_wal_layout_read and td_wal_cuts_read; TD_FULL, TD_IO,
 * TD_NO_MEMORY, TD_TOO_MANY. After anything but TD_OK nothing is published;
 * after a TD_IO of publishing itself that is not known, and the home is of no
 * more use. */
TD_API td_status td_wal_home_adopt(td_wal_home *home, td_span layout,
                                   td_error *err);

/* Makes ready for the layout behind the published one: both lines of its
 * file. From now on logs of any shard may be opened, and td_wal_append_moved
 * writes under its epoch. Nothing is written yet. Statuses: TD_OK; those of
 * td_layout_decode; TD_EPOCH (it does not follow the published one, or the
 * home was not put under that), TD_DUPLICATE (another one is prepared),
 * TD_NO_MEMORY. */
TD_API td_status td_wal_home_prepare(td_wal_home *home, td_span layout,
                                     td_error *err);
/* Publishes what was prepared: the one commit point of a migration. Every
 * log must be held (td_wal_hold), or used by nobody; from then on they take
 * events under the new layout only. Statuses: TD_OK; TD_EPOCH (nothing is
 * prepared), TD_LAYOUT (not the text that is), TD_FULL, and what may go wrong
 * when the last events of other logs are read, for logs with a window
 * (io/wal_log.h): nothing happened; TD_IO of the rename: not known, and the
 * home is of no more use: its logs refuse every batch with the same error. */
TD_API td_status td_wal_home_publish(td_wal_home *home, td_span layout,
                                     td_error *err);
/* Gives up what was prepared. Idempotent. */
TD_API void td_wal_home_forget(td_wal_home *home);

/* Idempotent. The logs in it must be closed. */
TD_API void td_wal_home_close(td_wal_home *home);

#endif
