#include "io/wal_log.h"

#include "base/text.h"
#include "io/wal_seams.h"

td_status td_wal_poison(td_wal_log *log, const char *subject, int64_t result,
                        td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  bool opening = log->state == TD_WAL_OPENING;
  td_status status = opening ? TD_IO : TD_POISONED;
  if (log->state != TD_WAL_POISONED) {
    td_fail(&log->failed, status, subject,
            opening ? 0 : td_wal_log_durable(log).value, 0);
    log->failed.sys = (int32_t)-result;
    if (log->file) {
      td_segname_format(log->name, name);
      td_error_at(&log->failed, name, log->end);
    }
    log->state = TD_WAL_POISONED;
  }
  if (err) *err = log->failed;
  return log->failed.status;
}

td_status td_wal_fail_full(td_wal_log *log, const char *subject,
                           int64_t result, td_error *err) {
  if (log->state == TD_WAL_OPENING) {
    return td_wal_fail_io(err, subject, result, NULL, 0);
  }
  td_fail(err, TD_FULL, subject, 0, 0);
  if (err) err->sys = (int32_t)-result;
  return TD_FULL;
}

void td_wal_tmp_name(const td_wal_log *log, const char *what,
                     char out[TD_WAL_FILE_NAME_MAX]) {
  td_text text = td_text_init(out, TD_WAL_FILE_NAME_MAX);
  td_text_string(&text, what);
  td_text_string(&text, "-s");
  td_text_padded(&text, log->options.log.shard.value, 5);
  td_text_string(&text, ".tmp");
  td_assert(text.size < TD_WAL_FILE_NAME_MAX);
}

td_wal_options td_wal_options_init(td_log_id log) {
  return (td_wal_options){
    .log = log, .sync = TD_SYNC_ALWAYS, .segment_bytes = TD_SEGMENT_BYTES,
    .ahead_bytes = TD_WAL_AHEAD_BYTES,
    .group_events_max = TD_GROUP_EVENTS_DEFAULT,
    .group_delay_ns = TD_GROUP_DELAY_NS_DEFAULT,
  };
}

/* What a crash may have left half written, of this log. */
static td_status remove_stale(td_wal_log *log, td_error *err) {
  static const char *const kinds[] = {"checkpoint", "rewrite"};
  const td_env *env = &log->home->env;
  for (uint32_t i = 0; i < 2; i++) {
    char name[TD_WAL_FILE_NAME_MAX];
    td_wal_tmp_name(log, kinds[i], name);
    int result = env->store->dir_unlink(env->store_ctx, log->home->dir, name);
    if (result < 0 && result != -TD_SYS_NOENT) {
      return td_wal_fail_io(err, "removing", result, name, 0);
    }
  }
  return TD_OK;
}

/* Before the first append: the log is in use, and reaches this far. */
static td_status mark_in_use(td_wal_log *log, td_error *err) {
  td_wal_progress same = {
    .seqno = log->checkpoint.seqno,
    .hlc_wall_ns = log->checkpoint.hlc_wall_ns,
    .marks = log->marks, .mark_count = log->mark_count,
  };
  return td_wal_checkpoint_store(log, &same, false, err);
}

/* The home knows its open logs. */
static void link_log(td_wal_log *log) {
  td_wal_log **at = &log->home->logs;
  while (*at && (*at)->options.log.shard.value
                  < log->options.log.shard.value) {
    at = &(*at)->next;
  }
  log->next = *at;
  *at = log;
  log->home->opened++;
}

static td_wal_log *find_log(const td_wal_home *home, td_shard_id shard) {
  td_wal_log *log = home->logs;
  while (log && !td_shard_id_eq(log->options.log.shard, shard)) {
    log = log->next;
  }
  return log;
}

static void unlink_log(td_wal_log *log) {
  td_wal_log **at = &log->home->logs;
  while (*at && *at != log) at = &(*at)->next;
  if (*at) *at = log->next;
}

static void release_group(const td_wal_log *log, const td_wal_group *group) {
  const td_alloc *alloc = &log->home->env.alloc;
  td_alloc_free(alloc, group->bytes, group->room);
  td_alloc_free(alloc, group->places, group->places_room);
}

static void release(td_wal_log *log) {
  const td_env *env = &log->home->env;
  unlink_log(log);
  if (log->file) env->store->file_close(env->store_ctx, log->file);
  for (uint32_t i = 0; i < 2; i++) release_group(log, &log->groups[i]);
  release_group(log, &log->direct);
  td_wal_window_deinit(&log->window);
  td_wal_window_deinit(&log->wider);
  td_wal_checkpoint_free(log);
  td_cond_deinit(&log->changed);
  td_lock_deinit(&log->lock);
  *log = (td_wal_log){.state = TD_WAL_CLOSED};
}

/* A writer that knows another layout than the published one, or none, might
 * write where it must not. */
static td_status check_layout(const td_wal_log *log, td_error *err) {
  const td_wal_home *home = log->home;
  uint32_t shard = log->options.log.shard.value;
  if (home->failed.status != TD_OK) {
    if (err) *err = home->failed;
    return home->failed.status;
  }
  if (home->epoch != home->published) {
    return td_fail(err, TD_EPOCH, "writing without a layout", home->epoch,
                   home->published);
  }
  uint32_t shards = home->routes.layout.num_shards;
  if (home->epoch == 0 || home->next != 0 || shard < shards) return TD_OK;
  return td_fail(err, TD_OUT_OF_RANGE, "shard id", shard, shards - 1);
}

/* One at a time; a migration gives up the logs that it opened for itself. */
static td_status take_over(const td_wal_log *log, td_error *err) {
  td_wal_log *other = find_log(log->home, log->options.log.shard);
  if (!other) return TD_OK;
  if (other->lent && !other->busy) return td_wal_log_close(other, true, err);
  return td_fail(err, TD_LOCKED, "log", 0, 0);
}

td_status td_wal_log_open(td_wal_log *log, td_wal_home *home,
                          const td_wal_options *options, td_error *err) {
  *log = (td_wal_log){
    .home = home, .options = *options, .state = TD_WAL_OPENING,
  };
  td_status status = check_layout(log, err);
  if (status == TD_OK) status = take_over(log, err);
  if (status != TD_OK) {
    log->state = TD_WAL_CLOSED;
    return status;
  }
  td_lock_init(&log->lock);
  td_cond_init(&log->changed);
  status = td_wal_checkpoint_load(log, err);
  if (status == TD_OK) status = remove_stale(log, err);
  if (status == TD_OK) status = td_wal_recover(log, err);
  atomic_store_explicit(&log->durable_seq, log->last_seq.value,
                        memory_order_release);
  if (status == TD_OK) status = td_wal_recall(log, err);
  if (status == TD_OK) status = mark_in_use(log, err);
  if (status != TD_OK) {
    release(log);
    return status;
  }
  log->synced_ns = home->env.clock->mono_ns(home->env.clock_ctx);
  log->state = TD_WAL_OPEN;
  link_log(log);
  return TD_OK;
}

td_seqno td_wal_log_durable(const td_wal_log *log) {
  return (td_seqno){atomic_load_explicit(&log->durable_seq,
                                         memory_order_acquire)};
}

td_status td_wal_log_sync(td_wal_log *log, td_error *err) {
  td_wal_enter(log);
  td_status status = td_wal_make_durable(log, err);
  td_wal_leave(log);
  return status;
}

static td_status checkpoint(td_wal_log *log, const td_wal_progress *progress,
                            td_error *err) {
  if (log->state == TD_WAL_POISONED) {
    if (err) *err = log->failed;
    return log->failed.status;
  }
  td_seqno durable = td_wal_log_durable(log);
  if (td_seqno_cmp(progress->seqno, durable) > 0) {
    return td_fail(err, TD_AHEAD, "checkpoint", progress->seqno.value,
                   durable.value);
  }
  if (td_seqno_cmp(progress->seqno, log->checkpoint.seqno) < 0) {
    return td_fail(err, TD_BACKWARD, "checkpoint", progress->seqno.value,
                   log->checkpoint.seqno.value);
  }
  return td_wal_checkpoint_store(log, progress, false, err);
}

td_status td_wal_log_checkpoint(td_wal_log *log,
                                const td_wal_progress *progress,
                                td_error *err) {
  td_wal_enter(log);
  td_status status = checkpoint(log, progress, err);
  td_wal_leave(log);
  return status;
}

td_status td_wal_log_close(td_wal_log *log, bool clean, td_error *err) {
  if (log->state == TD_WAL_CLOSED) return TD_OK;
  td_status status = td_wal_seal(log, err);
  log->home->moved_lost |= log->moved_unsynced;
  if (status == TD_OK && clean) {
    td_wal_progress same = {
      .seqno = log->checkpoint.seqno,
      .hlc_wall_ns = log->checkpoint.hlc_wall_ns,
      .marks = log->marks, .mark_count = log->mark_count,
    };
    status = td_wal_checkpoint_store(log, &same, true, err);
  }
  release(log);
  return status;
}
