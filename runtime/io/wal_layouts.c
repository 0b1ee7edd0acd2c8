#include "io/wal_layouts.h"

#define ROOM_FIRST 16u  /* layouts; doubled when full */

typedef struct listing {
  td_wal_layouts *layouts;
  td_error *err;
  td_status status;
} listing;

/* Keeps the list sorted; new layouts mostly come last. */
static td_status add(td_wal_layouts *layouts, uint32_t epoch, td_error *err) {
  const size_t each = sizeof *layouts->epochs;
  if (layouts->count == TD_WAL_LAYOUTS_MAX) {
    return td_fail(err, TD_TOO_MANY, "layouts", TD_WAL_LAYOUTS_MAX + 1,
                   TD_WAL_LAYOUTS_MAX);
  }
  if (layouts->count == layouts->room) {
    uint32_t room = layouts->room ? layouts->room * 2 : ROOM_FIRST;
    void *epochs = td_alloc_resize(&layouts->dir->env.alloc, layouts->epochs,
                                   layouts->room * each, room * each);
    if (!epochs) {
      return td_fail(err, TD_NO_MEMORY, "list of layouts", room * each, 0);
    }
    layouts->epochs = epochs;
    layouts->room = room;
  }
  uint32_t at = layouts->count++;
  for (; at > 0 && layouts->epochs[at - 1] > epoch; at--) {
    layouts->epochs[at] = layouts->epochs[at - 1];
  }
  layouts->epochs[at] = epoch;
  return TD_OK;
}

static int list_one(void *ctx, const char *name) {
  listing *list = ctx;
  td_shard_id shard;
  uint32_t epoch;
  if (td_cuts_name_parse(name, &shard)) {
    uint8_t *byte = &list->layouts->cuts[shard.value / 8];
    *byte = (uint8_t)(*byte | 1 << (shard.value % 8));
  } else if (td_layout_name_parse(name, &epoch)) {
    list->status = add(list->layouts, epoch, list->err);
  }
  return list->status == TD_OK;
}

td_status td_wal_layouts_list(td_wal_layouts *layouts, const td_wal_dir *dir,
                              td_error *err) {
  const td_env *env = &dir->env;
  listing list = {layouts, err, TD_OK};
  *layouts = (td_wal_layouts){.dir = dir};
  int result = env->store->dir_list(env->store_ctx, dir->dir, list_one,
                                    &list);
  if (list.status == TD_OK && result < 0) {
    list.status = td_fail(err, TD_IO, "listing the directory", 0, 0);
    if (err) err->sys = -result;
  }
  if (list.status != TD_OK) td_wal_layouts_close(layouts);
  return list.status;
}

td_status td_wal_layouts_open(td_wal_layouts *layouts, const td_wal_dir *dir,
                              td_error *err) {
  td_status status = td_wal_layouts_list(layouts, dir, err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < layouts->count && status == TD_OK; i++) {
    td_wal_file file;
    td_layout layout;
    status = td_wal_layout_read(dir, layouts->epochs[i], &file, &layout, err);
    if (status == TD_OK) td_wal_file_free(dir, &file);
  }
  if (status != TD_OK) td_wal_layouts_close(layouts);
  return status;
}

void td_wal_layouts_close(td_wal_layouts *layouts) {
  if (layouts->dir) {
    td_alloc_free(&layouts->dir->env.alloc, layouts->epochs,
                  layouts->room * sizeof *layouts->epochs);
  }
  *layouts = (td_wal_layouts){.dir = NULL};
}

bool td_wal_layouts_has(const td_wal_layouts *layouts, uint32_t epoch) {
  uint32_t low = 0, high = layouts->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (layouts->epochs[middle] < epoch) low = middle + 1;
    else high = middle;
  }
  return low < layouts->count && layouts->epochs[low] == epoch;
}

bool td_wal_layouts_cuts(const td_wal_layouts *layouts, td_shard_id shard) {
  return layouts->cuts[shard.value / 8] >> (shard.value % 8) & 1;
}

/* Names the file of an error of its bytes; frees what was read. */
static td_status spoiled(const td_wal_dir *dir, td_wal_file *file,
                         const char *name, td_status status, td_error *err) {
  td_wal_file_free(dir, file);
  if (err) {
    td_error_at(err, name, err->offset == TD_NO_OFFSET ? 0 : err->offset);
  }
  return status;
}

td_status td_wal_layout_read(const td_wal_dir *dir, uint32_t epoch,
                             td_wal_file *file, td_layout *layout,
                             td_error *err) {
  char name[TD_LAYOUT_NAME_MAX];
  td_layout read;
  td_layout_name(epoch, name);
  td_status status = td_wal_file_read(dir, name, TD_LAYOUT_BYTES_MAX, file,
                                      err);
  if (status != TD_OK) return status;
  status = td_layout_decode((td_span){file->data, file->size}, &read, err);
  if (status == TD_OK && read.epoch != epoch) {
    status = td_fail(err, TD_MISMATCH, "epoch", read.epoch, epoch);
  }
  if (status != TD_OK) return spoiled(dir, file, name, status, err);
  *layout = read;
  return TD_OK;
}

td_status td_wal_cuts_read(const td_wal_dir *dir, td_shard_id shard,
                           td_wal_file *file, td_cuts *cuts, td_error *err) {
  char name[TD_CUTS_NAME_MAX];
  td_cuts read;
  td_cuts_name(shard, name);
  td_status status = td_wal_file_read(dir, name, td_cuts_size(TD_CUTS_MAX),
                                      file, err);
  if (status != TD_OK) return status;
  status = td_cuts_decode((td_span){file->data, file->size}, &read, err);
  if (status == TD_OK && !td_shard_id_eq(read.shard, shard)) {
    status = td_fail(err, TD_MISMATCH, "shard id", read.shard.value,
                     shard.value);
  }
  if (status != TD_OK) return spoiled(dir, file, name, status, err);
  *cuts = read;
  return TD_OK;
}
