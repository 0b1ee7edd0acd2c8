#include "sim/disk.h"

#include <string.h>

#include "base/status.h"
#include "sim/disk_calls.h"

#define WALL_NS UINT64_C(1763800000000000000)

static td_dir *new_dir(td_disk *disk, uint32_t number) {
  td_dir *dir = td_disk_take(disk, NULL, 0, sizeof *dir);
  *dir = (td_dir){disk, number};
  disk->counts.dirs_open++;
  return dir;
}

static int open_dir(void *ctx, const char *path, td_dir **out) {
  td_disk *disk = ctx;
  uint32_t number;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  if (!td_disk_find_dir(disk, path, &number)) return -TD_SYS_NOENT;
  *out = new_dir(disk, number);
  return 0;
}

static int list_dir(void *ctx, td_dir *dir, td_name_fn *each,
                    void *each_ctx) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  uint32_t count = disk->cached.count;
  uint32_t start = (uint32_t)td_prng_below(&disk->prng, count + 1);
  for (uint32_t i = 0; i < count; i++) {
    const td_disk_name *name = &disk->cached.list[(start + i) % count];
    if (name->dir != dir->dir) continue;
    if (!each(each_ctx, name->text)) return 0;
  }
  for (uint32_t i = 0; i < disk->dir_count; i++) {
    if (disk->dirs[i].above != dir->dir) continue;
    if (!each(each_ctx, disk->dirs[i].name)) return 0;
  }
  return 0;
}

static void close_dir(void *ctx, td_dir *dir) {
  td_disk *disk = ctx;
  td_assert(dir->disk == disk && disk->counts.dirs_open > 0);
  disk->counts.dirs_open--;
  td_alloc_free(&disk->alloc, dir, sizeof *dir);
}

static int make_dir(void *ctx, td_dir *dir, const char *name, td_dir **out) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  if (td_disk_look(&disk->cached, dir->dir, name)) return -TD_SYS_NOTDIR;
  size_t size = strlen(name);
  uint32_t number = td_disk_look_dir(disk, dir->dir, name, size);
  if (number == TD_DISK_TOP) {
    number = td_disk_add_dir(disk, dir->dir, name, size, false);
  }
  *out = new_dir(disk, number);
  return 0;
}

static td_file *new_file(td_disk *disk, uint32_t inode) {
  td_file *file = td_disk_take(disk, NULL, 0, sizeof *file);
  *file = (td_file){.disk = disk, .inode = inode};
  disk->inodes[inode].handles++;
  disk->counts.files_open++;
  return file;
}

static int open_file(void *ctx, td_dir *dir, const char *name,
                     td_file **out) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  const td_disk_name *found = td_disk_look(&disk->cached, dir->dir, name);
  if (!found) return -TD_SYS_NOENT;
  *out = new_file(disk, found->inode);
  return 0;
}

static int create_file(void *ctx, td_dir *dir, const char *name,
                       td_file **out) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  if (td_disk_look(&disk->cached, dir->dir, name)
      || td_disk_look_dir(disk, dir->dir, name, strlen(name))) {
    return -TD_SYS_EXIST;
  }
  td_disk_change made = {.gone = {.text = ""}};
  td_disk_set_name(&made.comes, dir->dir, name, td_disk_new_inode(disk));
  td_disk_change_now(disk, &made);
  *out = new_file(disk, made.comes.inode);
  return 0;
}

static int lock_file(void *ctx, td_dir *dir, const char *name,
                     td_file **out) {
  td_disk *disk = ctx;
  bool there = td_disk_look(&disk->cached, dir->dir, name) != NULL;
  int failed = there ? open_file(ctx, dir, name, out)
                     : create_file(ctx, dir, name, out);
  if (failed) return failed;
  td_disk_inode *inode = &disk->inodes[(*out)->inode];
  if (inode->locked) {
    disk->counts.files_open--;
    inode->handles--;
    td_alloc_free(&disk->alloc, *out, sizeof **out);
    return -TD_SYS_AGAIN;
  }
  inode->locked = (*out)->lock = true;
  return 0;
}

static int rename_file(void *ctx, td_dir *source, const char *name,
                       td_dir *target, const char *new_name) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  const td_disk_name *found = td_disk_look(&disk->cached, source->dir, name);
  if (!found) return -TD_SYS_NOENT;
  td_disk_change moved;
  td_disk_set_name(&moved.gone, source->dir, name, found->inode);
  td_disk_set_name(&moved.comes, target->dir, new_name, found->inode);
  td_disk_change_now(disk, &moved);
  return 0;
}

static int unlink_file(void *ctx, td_dir *dir, const char *name) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  const td_disk_name *found = td_disk_look(&disk->cached, dir->dir, name);
  if (!found) return -TD_SYS_NOENT;
  td_disk_change removed = {.comes = {.text = ""}};
  td_disk_set_name(&removed.gone, dir->dir, name, found->inode);
  td_disk_change_now(disk, &removed);
  return 0;
}

static int sync_dir(void *ctx, td_dir *dir) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  td_disk_sync_names(disk, dir->dir);
  return 0;
}

static uint64_t wall_ns(void *ctx) {
  const td_disk *disk = ctx;
  return WALL_NS + disk->now_ns;
}

static uint64_t mono_ns(void *ctx) {
  const td_disk *disk = ctx;
  return disk->now_ns;
}

static uint64_t random_number(void *ctx) {
  td_disk *disk = ctx;
  return td_prng_next(&disk->prng);
}

td_env td_disk_env(td_disk *disk, td_alloc alloc) {
  static const td_store_class store = {
    .dir_open = open_dir, .dir_list = list_dir, .dir_close = close_dir,
    .file_open = open_file, .file_size = td_disk_file_size,
    .file_read = td_disk_file_read, .file_close = td_disk_file_close,
    .file_create = create_file, .file_edit = open_file,
    .file_write = td_disk_file_write, .file_sync = td_disk_file_sync,
    .file_truncate = td_disk_file_truncate, .dir_make = make_dir,
    .dir_rename = rename_file, .dir_unlink = unlink_file,
    .dir_sync = sync_dir, .dir_lock = lock_file,
  };
  static const td_clock_class clock = {wall_ns, mono_ns};
  return (td_env){
    .store = &store, .store_ctx = disk, .alloc = alloc, .clock = &clock,
    .clock_ctx = disk, .random = random_number, .random_ctx = disk,
  };
}

void td_disk_init(td_disk *disk, td_alloc alloc, uint64_t seed) {
  *disk = (td_disk){.alloc = alloc, .prng = {seed}};
}

static void free_names(const td_disk *disk, td_disk_names *names) {
  td_alloc_free(&disk->alloc, names->list, names->room * sizeof *names->list);
}

void td_disk_deinit(td_disk *disk) {
  td_assert(disk->counts.files_open == 0 && disk->counts.dirs_open == 0);
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    if (disk->inodes[i].used) td_disk_free_inode(disk, &disk->inodes[i]);
  }
  td_alloc_free(&disk->alloc, disk->inodes,
                disk->inode_room * sizeof *disk->inodes);
  free_names(disk, &disk->cached);
  free_names(disk, &disk->durable);
  td_alloc_free(&disk->alloc, disk->changes,
                disk->change_room * sizeof *disk->changes);
  td_alloc_free(&disk->alloc, disk->dirs,
                disk->dir_room * sizeof *disk->dirs);
}
