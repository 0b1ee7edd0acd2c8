/* Writing the cuts of a log: where events stop to count that moved away.
 * FORMAT.md 5. */
#include <string.h>

#include "io/wal_layouts.h"
#include "io/wal_seams.h"

#define TMP_NAME "cuts.tmp"

static td_status there(const td_wal_dir *dir, td_log_id log,
                       td_wal_file *file, td_cuts *cuts, td_error *err) {
  td_error why;
  td_status status = td_wal_cuts_read(dir, log.shard, file, cuts, &why);
  if (status == TD_IO && why.sys == TD_SYS_NOENT) {
    *cuts = (td_cuts){.shard = log.shard, .region = log.region};
    return TD_OK;
  }
  if (status == TD_OK && !td_region_id_eq(cuts->region, log.region)) {
    char name[TD_CUTS_NAME_MAX];
    td_cuts_name(log.shard, name);
    td_wal_file_free(dir, file);
    status = td_fail(&why, TD_MISMATCH, "region id", cuts->region.value,
                     log.region.value);
    td_error_at(&why, name, 0);
  }
  if (status != TD_OK && err) *err = why;
  return status;
}

/* The cuts of the file with this one in its place, which is the last. */
static td_status add(td_cuts *cuts, td_cut *list, td_span bytes, td_cut cut,
                     td_error *err) {
  for (uint32_t i = 0; i < cuts->count; i++) list[i] = td_cuts_get(bytes, i);
  uint32_t last = cuts->count > 0 ? list[cuts->count - 1].epoch : 0;
  if (last > cut.epoch) {
    return td_fail(err, TD_BACKWARD, "epoch of a cut", cut.epoch, last);
  }
  if (last != cut.epoch || cuts->count == 0) cuts->count++;
  list[cuts->count - 1] = cut;
  cuts->generation++;
  return TD_OK;
}

static td_status replace(const td_wal_dir *dir, const td_cuts *cuts,
                         td_span bytes, td_error *err) {
  const td_env *env = &dir->env;
  char name[TD_CUTS_NAME_MAX];
  bool full = false;
  td_cuts_name(cuts->shard, name);
  int result = env->store->dir_unlink(env->store_ctx, dir->dir, TMP_NAME);
  if (result == -TD_SYS_NOENT) result = 0;
  if (result == 0) {
    result = td_wal_replace(env, dir->dir, TMP_NAME, name, bytes, &full);
  }
  if (result == 0) return TD_OK;
  if (!full) return td_wal_fail_io(err, "writing cuts", result, name, 0);
  td_fail(err, TD_FULL, "cuts", 0, 0);
  if (err) err->sys = -result;
  td_error_at(err, name, 0);
  return TD_FULL;
}

td_status td_wal_cut_log(const td_wal_dir *dir, td_log_id log, td_cut cut,
                         td_error *err) {
  const td_alloc *alloc = &dir->env.alloc;
  td_wal_file file = {.data = NULL};
  td_cuts cuts;
  td_status status = there(dir, log, &file, &cuts, err);
  if (status != TD_OK) return status;
  uint32_t room = cuts.count + 1;
  size_t size = td_cuts_size(room) + room * sizeof(td_cut);
  td_cut *list = td_alloc_resize(alloc, NULL, 0, size);
  if (list) {
    uint8_t *out = (uint8_t *)(list + room);
    status = add(&cuts, list, (td_span){file.data, file.size}, cut, err);
    if (status == TD_OK) {
      status = td_cuts_encode(&cuts, list, out, td_cuts_size(room), err);
    }
    if (status == TD_OK) {
      td_span bytes = {out, td_cuts_size(cuts.count)};
      status = replace(dir, &cuts, bytes, err);
    }
  } else {
    status = td_fail(err, TD_NO_MEMORY, "cuts", size, 0);
  }
  td_alloc_free(alloc, list, list ? size : 0);
  td_wal_file_free(dir, &file);
  return status;
}
