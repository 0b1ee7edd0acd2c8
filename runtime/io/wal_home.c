#include "io/wal_home.h"

#include "format/cuts.h"
#include "format/layout.h"
#include "io/wal_layouts.h"
#include "io/wal_parts.h"
#include "io/wal_seams.h"
#include "io/wal_verify.h"

#define TMP_NAME "layout.tmp"

static int note_layout(void *ctx, const char *name) {
  td_wal_home *home = ctx;
  uint32_t epoch;
  if (td_layout_name_parse(name, &epoch) && epoch > home->published) {
    home->published = epoch;
  }
  return 1;
}

/* Whether a layout is published is only asked under the lock. */
static td_status lock_and_list(td_wal_home *home, td_error *err) {
  const td_env *env = &home->env;
  int result = env->store->dir_lock(env->store_ctx, home->dir, "LOCK",
                                    &home->lock);
  if (result < 0) home->lock = NULL;
  if (result == -TD_SYS_AGAIN) {
    td_fail(err, TD_LOCKED, "directory", 0, 0);
    td_error_at(err, "LOCK", TD_NO_OFFSET);
    return TD_LOCKED;
  }
  if (result < 0) {
    return td_wal_fail_io(err, "locking the directory", result, "LOCK", 0);
  }
  result = env->store->dir_list(env->store_ctx, home->dir, note_layout, home);
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "listing the directory", result, NULL, 0);
}

td_status td_wal_home_open(td_wal_home *home, const td_env *env,
                           const char *path, td_error *err) {
  *home = (td_wal_home){.env = *env};
  int result = env->store->dir_open(env->store_ctx, path, &home->dir);
  if (result < 0) {
    home->dir = NULL;
    return td_wal_fail_io(err, "opening the directory", result, NULL, 0);
  }
  td_status status = lock_and_list(home, err);
  if (status != TD_OK) td_wal_home_close(home);
  return status;
}

void td_wal_home_close(td_wal_home *home) {
  const td_env *env = &home->env;
  td_assert(!home->logs);
  td_wal_routes_free(&home->routes, &env->alloc);
  td_wal_home_forget(home);
  if (home->lock) env->store->file_close(env->store_ctx, home->lock);
  if (home->dir) env->store->dir_close(env->store_ctx, home->dir);
  home->lock = NULL;
  home->dir = NULL;
}

/* --- would events die? ---------------------------------------------------- */

static td_status refuse_dead(uint32_t found, uint32_t epoch, const char *file,
                             const char *subject, td_error *err) {
  td_fail(err, TD_DEAD, subject, found, epoch);
  td_error_at(err, file, TD_NO_OFFSET);
  return TD_DEAD;
}

/* One report of the verifier. A torn tail was never acknowledged. */
static td_status check_report(const td_wal_report *report, td_seqno last_seq,
                              uint32_t epoch, td_error *err) {
  bool whole = report->verdict == TD_VERDICT_CLEAN
            || report->verdict == TD_VERDICT_TORN;
  if (!whole) return td_wal_report_refuse(report, last_seq, err);
  uint32_t low = report->epoch_low, high = report->epoch_high;
  if (high == 0 || (low == epoch && high == epoch)) return TD_OK;
  return refuse_dead(low == epoch ? high : low, epoch, report->err.file,
                     "events", err);
}

static td_status check_events(const td_wal_dir *dir, uint32_t epoch,
                              td_error *err) {
  td_wal_verifier verifier;
  td_status status = td_wal_verify_open(&verifier, dir, err);
  if (status != TD_OK) return status;
  do {
    td_wal_report report;
    status = td_wal_verify_next(&verifier, &report, err);
    if (status == TD_OK) {
      status = check_report(&report, verifier.last_seq, epoch, err);
    }
  } while (status == TD_OK);
  td_wal_verify_close(&verifier);
  return status == TD_END ? TD_OK : status;
}

/* Cuts of this epoch, left by something that never published it, would come
 * into force. */
static td_status check_cuts(const td_wal_dir *dir, td_shard_id shard,
                            uint32_t epoch, td_error *err) {
  td_wal_file file;
  td_cuts cuts;
  td_status status = td_wal_cuts_read(dir, shard, &file, &cuts, err);
  if (status != TD_OK) return status;
  td_span bytes = {file.data, file.size};
  for (uint32_t i = 0; i < cuts.count && status == TD_OK; i++) {
    if (td_cuts_get(bytes, i).epoch != epoch) continue;
    char name[TD_CUTS_NAME_MAX];
    td_cuts_name(shard, name);
    status = refuse_dead(0, epoch, name, "events under a cut of that epoch",
                         err);
  }
  td_wal_file_free(dir, &file);
  return status;
}

static td_status check_all_cuts(const td_wal_dir *dir, uint32_t epoch,
                                td_error *err) {
  td_wal_layouts layouts;
  td_status status = td_wal_layouts_list(&layouts, dir, err);
  if (status != TD_OK) return status;
  for (uint32_t s = 0; s < TD_SHARDS_MAX && status == TD_OK; s++) {
    td_shard_id shard = {(uint16_t)s};
    if (td_wal_layouts_cuts(&layouts, shard)) {
      status = check_cuts(dir, shard, epoch, err);
    }
  }
  td_wal_layouts_close(&layouts);
  return status;
}

static td_status check_life(const td_wal_home *home, uint32_t epoch,
                            td_error *err) {
  td_wal_dir dir;
  td_status status = td_wal_dir_list(&dir, &home->env, home->dir, err);
  if (status != TD_OK) return status;
  status = check_events(&dir, epoch, err);
  if (status == TD_OK) status = check_all_cuts(&dir, epoch, err);
  td_wal_dir_close(&dir);
  return status;
}

/* --- publishing ----------------------------------------------------------- */

static td_status publish(td_wal_home *home, uint32_t epoch,
                         td_span text, td_error *err) {
  const td_env *env = &home->env;
  char name[TD_LAYOUT_NAME_MAX];
  bool full = false;
  td_layout_name(epoch, name);
  int result = env->store->dir_unlink(env->store_ctx, home->dir, TMP_NAME);
  if (result == -TD_SYS_NOENT) result = 0;
  if (result == 0) {
    result = td_wal_replace(env, home->dir, TMP_NAME, name, text, &full);
  }
  if (result == 0) return TD_OK;
  if (!full) {
    td_wal_fail_io(&home->failed, "publishing", result, name, 0);
    if (err) *err = home->failed;
    return TD_IO;
  }
  td_fail(err, TD_FULL, "layout", 0, 0);
  if (err) err->sys = -result;
  td_error_at(err, name, 0);
  return TD_FULL;
}

/* Who published it may have been killed before that was on disk. */
static td_status sync_names(const td_wal_home *home, td_error *err) {
  const td_env *env = &home->env;
  int result = env->store->dir_sync(env->store_ctx, home->dir);
  if (result == 0) return TD_OK;
  return td_wal_fail_io(err, "syncing the directory", result, NULL, 0);
}

static td_status compare(const td_wal_home *home, const td_layout *layout,
                         td_error *err) {
  td_wal_dir dir = {.env = home->env, .dir = home->dir, .borrowed = true};
  td_wal_file file;
  td_layout here;
  char name[TD_LAYOUT_NAME_MAX];
  td_layout_name(home->published, name);
  td_status status = TD_OK;
  if (layout->epoch != home->published) {
    status = td_fail(err, TD_EPOCH, "layout", layout->epoch, home->published);
    td_error_at(err, name, TD_NO_OFFSET);
    return status;
  }
  status = td_wal_layout_read(&dir, home->published, &file, &here, err);
  if (status != TD_OK) return status;
  td_wal_file_free(&dir, &file);
  if (td_hash128_eq(here.hash, layout->hash)) return sync_names(home, err);
  td_fail(err, TD_LAYOUT, "layout", layout->hash.low, here.hash.low);
  td_error_at(err, name, TD_NO_OFFSET);
  return TD_LAYOUT;
}

/* Threads that append look at the routes under their log's lock. */
static void switch_routes(td_wal_home *home, td_wal_routes *routes) {
  td_wal_routes old = home->routes;
  for (td_wal_log *log = home->logs; log; log = log->next) {
    td_lock_take(&log->lock);
  }
  home->routes = *routes;
  home->published = home->epoch = routes->layout.epoch;
  for (td_wal_log *log = home->logs; log; log = log->next) {
    td_lock_release(&log->lock);
  }
  *routes = (td_wal_routes){.ranges = NULL};
  td_wal_routes_free(&old, &home->env.alloc);
}

static td_status refuse_failed(const td_wal_home *home, td_error *err) {
  if (home->failed.status != TD_OK && err) *err = home->failed;
  return home->failed.status;
}

td_status td_wal_home_adopt(td_wal_home *home, td_span layout,
                            td_error *err) {
  td_wal_routes read;
  td_status status = td_wal_routes_read(&read, &home->env.alloc, layout, err);
  if (status != TD_OK) return status;
  status = refuse_failed(home, err);
  if (status == TD_OK && home->published > 0) {
    status = compare(home, &read.layout, err);
  } else if (status == TD_OK) {
    status = check_life(home, read.layout.epoch, err);
    if (status == TD_OK) {
      status = publish(home, read.layout.epoch, layout, err);
    }
  }
  if (status == TD_OK) switch_routes(home, &read);
  td_wal_routes_free(&read, &home->env.alloc);
  return status;
}

/* --- the next layout ------------------------------------------------------ */

static td_status check_next(const td_wal_home *home, uint32_t epoch,
                            td_error *err) {
  char name[TD_LAYOUT_NAME_MAX];
  if (refuse_failed(home, err) != TD_OK) return home->failed.status;
  if (home->next != 0) {
    return td_fail(err, TD_DUPLICATE, "next layout", epoch, home->next);
  }
  if (home->published > 0 && home->epoch == home->published
      && epoch > home->published) {
    return TD_OK;
  }
  td_layout_name(home->published, name);
  td_fail(err, TD_EPOCH, "next layout", epoch, home->published);
  if (home->published > 0) td_error_at(err, name, TD_NO_OFFSET);
  return TD_EPOCH;
}

td_status td_wal_home_prepare(td_wal_home *home, td_span layout,
                              td_error *err) {
  td_wal_routes read;
  td_status status = td_wal_routes_read(&read, &home->env.alloc, layout, err);
  if (status != TD_OK) return status;
  status = check_next(home, read.layout.epoch, err);
  if (status == TD_OK) {
    td_wal_hold(home);  /* no truncation is under way */
    home->next = read.layout.epoch;
    home->next_routes = read;
    home->moved_lost = false;
    td_wal_let_go(home);
  } else {
    td_wal_routes_free(&read, &home->env.alloc);
  }
  return status;
}

td_status td_wal_home_publish(td_wal_home *home, td_span layout,
                              td_error *err) {
  td_layout given;
  if (refuse_failed(home, err) != TD_OK) return home->failed.status;
  td_status status = td_layout_decode(layout, &given, err);
  if (status != TD_OK) return status;
  if (home->next == 0) {
    return td_fail(err, TD_EPOCH, "a layout that was not prepared",
                   given.epoch, home->published);
  }
  td_hash128 prepared = home->next_routes.layout.hash;
  if (!td_hash128_eq(given.hash, prepared)) {
    return td_fail(err, TD_LAYOUT, "layout", given.hash.low, prepared.low);
  }
  status = td_wal_recall_next(home, err);
  if (status != TD_OK) return status;
  status = publish(home, home->next, layout, err);
  td_wal_recall_end(home, status == TD_OK);
  if (status != TD_OK) return status;
  switch_routes(home, &home->next_routes);
  home->next = 0;
  return TD_OK;
}

void td_wal_home_forget(td_wal_home *home) {
  td_wal_hold(home);
  td_wal_routes_free(&home->next_routes, &home->env.alloc);
  home->next = 0;
  td_wal_let_go(home);
}
