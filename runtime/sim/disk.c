#include "sim/disk.h"

#include <string.h>

#include "base/status.h"
#include "sim/disk_calls.h"

#define TOP 0u
#define WALL_NS UINT64_C(1763800000000000000)

td_disk_name *td_disk_look(td_disk_names *names, uint32_t dir,
                           const char *text) {
  for (uint32_t i = 0; i < names->count; i++) {
    td_disk_name *name = &names->list[i];
    if (name->dir == dir && strcmp(name->text, text) == 0) return name;
  }
  return NULL;
}

void td_disk_change_names(td_disk_names *names,
                          const td_disk_change *change) {
  td_disk_name *old = NULL;
  if (change->gone.text[0]) {
    old = td_disk_look(names, change->gone.dir, change->gone.text);
  }
  if (old) *old = names->list[--names->count];
  if (!change->comes.text[0]) return;
  old = td_disk_look(names, change->comes.dir, change->comes.text);
  if (!old) {
    td_assert(names->count < TD_DISK_FILES_MAX);
    old = &names->list[names->count++];
  }
  *old = change->comes;
}

static uint32_t free_slot(td_disk *disk) {
  bool named[TD_DISK_FILES_MAX] = {false};
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    named[disk->cached.list[i].inode] = true;
  }
  for (uint32_t i = 0; i < disk->durable.count; i++) {
    named[disk->durable.list[i].inode] = true;
  }
  for (uint32_t i = 0; i < disk->change_count; i++) {
    named[disk->changes[i].comes.inode] = true;
  }
  for (uint32_t i = 0; i < TD_DISK_FILES_MAX; i++) {
    td_disk_inode *inode = &disk->inodes[i];
    if (named[i] || inode->handles > 0) continue;
    if (inode->used) td_disk_free_inode(disk, inode);
    inode->used = true;
    return i;
  }
  td_panic(__FILE__, __LINE__, "room for another file");
}

static void set_name(td_disk_name *name, uint32_t dir, const char *text,
                     uint32_t inode) {
  td_assert(strlen(text) < TD_DISK_NAME_MAX);
  *name = (td_disk_name){.dir = dir, .inode = inode};
  memcpy(name->text, text, strlen(text) + 1);
}

static void change(td_disk *disk, const td_disk_change *what) {
  td_assert(disk->change_count < TD_DISK_CHANGES_MAX);
  td_disk_change_names(&disk->cached, what);
  disk->changes[disk->change_count++] = *what;
}

static int open_dir(void *ctx, const char *path, td_dir **out) {
  td_disk *disk = ctx;
  (void)path;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  *out = td_disk_take(disk, NULL, 0, sizeof **out);
  **out = (td_dir){disk, TOP};
  disk->counts.dirs_open++;
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
  td_assert(dir->dir == TOP);
  uint32_t at = 1;
  while (at < disk->dir_count && strcmp(disk->dirs[at], name) != 0) at++;
  if (at == disk->dir_count) {
    td_assert(at < TD_DISK_DIRS_MAX && strlen(name) < TD_DISK_NAME_MAX);
    memcpy(disk->dirs[at], name, strlen(name) + 1);
    disk->dirs_durable[at] = false;
    disk->dir_count++;
  }
  *out = td_disk_take(disk, NULL, 0, sizeof **out);
  **out = (td_dir){disk, at};
  disk->counts.dirs_open++;
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
  if (td_disk_look(&disk->cached, dir->dir, name)) return -TD_SYS_EXIST;
  td_disk_change made = {.gone = {.text = ""}};
  set_name(&made.comes, dir->dir, name, free_slot(disk));
  change(disk, &made);
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

static bool touches(const td_disk_name *name, uint32_t dir) {
  return name->text[0] && name->dir == dir;
}

static int rename_file(void *ctx, td_dir *source, const char *name,
                       td_dir *target, const char *new_name) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  const td_disk_name *found = td_disk_look(&disk->cached, source->dir, name);
  if (!found) return -TD_SYS_NOENT;
  td_disk_change moved;
  set_name(&moved.gone, source->dir, name, found->inode);
  set_name(&moved.comes, target->dir, new_name, found->inode);
  change(disk, &moved);
  return 0;
}

static int unlink_file(void *ctx, td_dir *dir, const char *name) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  const td_disk_name *found = td_disk_look(&disk->cached, dir->dir, name);
  if (!found) return -TD_SYS_NOENT;
  td_disk_change removed = {.comes = {.text = ""}};
  set_name(&removed.gone, dir->dir, name, found->inode);
  change(disk, &removed);
  return 0;
}

static int sync_dir(void *ctx, td_dir *dir) {
  td_disk *disk = ctx;
  uint32_t kept = 0;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  for (uint32_t i = 0; i < disk->change_count; i++) {
    td_disk_change what = disk->changes[i];
    if (touches(&what.gone, dir->dir) || touches(&what.comes, dir->dir)) {
      td_disk_change_names(&disk->durable, &what);
    } else {
      disk->changes[kept++] = what;
    }
  }
  disk->change_count = kept;
  for (uint32_t i = 1; dir->dir == TOP && i < disk->dir_count; i++) {
    disk->dirs_durable[i] = true;
  }
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
  *disk = (td_disk){.alloc = alloc, .prng = {seed}, .dir_count = 1};
}

void td_disk_deinit(td_disk *disk) {
  td_assert(disk->counts.files_open == 0 && disk->counts.dirs_open == 0);
  for (uint32_t i = 0; i < TD_DISK_FILES_MAX; i++) {
    if (disk->inodes[i].used) td_disk_free_inode(disk, &disk->inodes[i]);
  }
}

const td_disk_bytes *td_disk_find(const td_disk *disk, const char *name) {
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    const td_disk_name *found = &disk->cached.list[i];
    if (found->dir != TOP || strcmp(found->text, name) != 0) continue;
    return &disk->inodes[found->inode].cached;
  }
  return NULL;
}

void td_disk_put(td_disk *disk, const char *name, td_span bytes) {
  td_disk_change made = {.gone = {.text = ""}};
  set_name(&made.comes, TOP, name, free_slot(disk));
  td_disk_change_names(&disk->cached, &made);
  td_disk_change_names(&disk->durable, &made);
  td_disk_inode *inode = &disk->inodes[made.comes.inode];
  td_disk_write(disk, &inode->cached, 0, bytes);
  td_disk_write(disk, &inode->durable, 0, bytes);
}
