/* Names, directories and paths of the simulated disk, and what a test asks
 * of them. */
#include <string.h>

#include "base/status.h"
#include "sim/disk_calls.h"

void *td_disk_grow(const td_disk *disk, void *list, uint32_t count,
                   uint32_t *room, size_t entry) {
  if (count < *room) return list;
  uint32_t more = *room * 2 + 4;
  list = td_disk_take(disk, list, *room * entry, more * entry);
  *room = more;
  return list;
}

/* --- names ---------------------------------------------------------------- */

td_disk_name *td_disk_look(const td_disk_names *names, uint32_t dir,
                           const char *text) {
  for (uint32_t i = 0; i < names->count; i++) {
    td_disk_name *name = &names->list[i];
    if (name->dir == dir && strcmp(name->text, text) == 0) return name;
  }
  return NULL;
}

void td_disk_set_name(td_disk_name *name, uint32_t dir, const char *text,
                      uint32_t inode) {
  td_assert(strlen(text) < TD_DISK_NAME_MAX);
  *name = (td_disk_name){.dir = dir, .inode = inode};
  memcpy(name->text, text, strlen(text) + 1);
}

void td_disk_change_names(const td_disk *disk, td_disk_names *names,
                          const td_disk_change *change) {
  td_disk_name *old = NULL;
  if (change->gone.text[0]) {
    old = td_disk_look(names, change->gone.dir, change->gone.text);
  }
  if (old) *old = names->list[--names->count];
  if (!change->comes.text[0]) return;
  old = td_disk_look(names, change->comes.dir, change->comes.text);
  if (!old) {
    names->list = td_disk_grow(disk, names->list, names->count, &names->room,
                               sizeof *names->list);
    old = &names->list[names->count++];
  }
  *old = change->comes;
}

void td_disk_change_now(td_disk *disk, const td_disk_change *what) {
  disk->changes = td_disk_grow(disk, disk->changes, disk->change_count,
                               &disk->change_room, sizeof *disk->changes);
  td_disk_change_names(disk, &disk->cached, what);
  disk->changes[disk->change_count++] = *what;
}

static bool touches(const td_disk_name *name, uint32_t dir) {
  return name->text[0] && name->dir == dir;
}

void td_disk_sync_names(td_disk *disk, uint32_t dir) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < disk->change_count; i++) {
    td_disk_change what = disk->changes[i];
    if (touches(&what.gone, dir) || touches(&what.comes, dir)) {
      td_disk_change_names(disk, &disk->durable, &what);
    } else {
      disk->changes[kept++] = what;
    }
  }
  disk->change_count = kept;
  for (uint32_t i = 0; i < disk->dir_count; i++) {
    if (disk->dirs[i].above == dir) disk->dirs[i].durable = true;
  }
}

void td_disk_mark_named(td_disk *disk, const td_disk_names *names) {
  for (uint32_t i = 0; i < names->count; i++) {
    disk->inodes[names->list[i].inode].named = true;
  }
}

uint32_t td_disk_new_inode(td_disk *disk) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    disk->inodes[i].named = false;
  }
  td_disk_mark_named(disk, &disk->cached);
  td_disk_mark_named(disk, &disk->durable);
  for (uint32_t i = 0; i < disk->change_count; i++) {
    disk->inodes[disk->changes[i].comes.inode].named = true;
  }
  while (at < disk->inode_count
         && (disk->inodes[at].named || disk->inodes[at].handles > 0)) {
    at++;
  }
  if (at == disk->inode_count) {
    disk->inodes = td_disk_grow(disk, disk->inodes, at, &disk->inode_room,
                                sizeof *disk->inodes);
    disk->inode_count++;
  } else if (disk->inodes[at].used) {
    td_disk_free_inode(disk, &disk->inodes[at]);
  }
  disk->inodes[at] = (td_disk_inode){.used = true};
  return at;
}

/* --- directories and paths ------------------------------------------------ */

uint32_t td_disk_look_dir(const td_disk *disk, uint32_t above,
                          const char *text, size_t size) {
  for (uint32_t i = 0; i < disk->dir_count; i++) {
    const td_disk_dir *dir = &disk->dirs[i];
    if (dir->above == above && strlen(dir->name) == size
        && memcmp(dir->name, text, size) == 0) {
      return i + 1;
    }
  }
  return TD_DISK_TOP;
}

uint32_t td_disk_add_dir(td_disk *disk, uint32_t above, const char *text,
                         size_t size, bool durable) {
  td_assert(size > 0 && size < TD_DISK_NAME_MAX);
  disk->dirs = td_disk_grow(disk, disk->dirs, disk->dir_count,
                            &disk->dir_room, sizeof *disk->dirs);
  td_disk_dir *dir = &disk->dirs[disk->dir_count];
  *dir = (td_disk_dir){.above = above, .durable = durable};
  memcpy(dir->name, text, size);
  return ++disk->dir_count;
}

/* The next part of the path at *at, NULL at its end. */
static const char *next_part(const char *path, size_t path_size, size_t *at,
                             size_t *size) {
  while (*at < path_size) {
    const char *part = path + *at;
    const char *slash = memchr(part, '/', path_size - *at);
    *size = slash ? (size_t)(slash - part) : path_size - *at;
    *at += *size + 1;
    if (*size > 0 && !(*size == 1 && part[0] == '.')) return part;
  }
  return NULL;
}

static bool find_dir(const td_disk *disk, const char *path, size_t path_size,
                     uint32_t *out) {
  size_t at = 0, size;
  const char *part;
  *out = TD_DISK_TOP;
  while ((part = next_part(path, path_size, &at, &size))) {
    *out = td_disk_look_dir(disk, *out, part, size);
    if (*out == TD_DISK_TOP) return false;
  }
  return true;
}

bool td_disk_find_dir(const td_disk *disk, const char *path, uint32_t *out) {
  return find_dir(disk, path, strlen(path), out);
}

/* Durable, and so are those above it. */
static uint32_t put_dir(td_disk *disk, const char *path, size_t path_size) {
  uint32_t above = TD_DISK_TOP;
  size_t at = 0, size;
  const char *part;
  while ((part = next_part(path, path_size, &at, &size))) {
    uint32_t dir = td_disk_look_dir(disk, above, part, size);
    if (dir == TD_DISK_TOP) {
      dir = td_disk_add_dir(disk, above, part, size, true);
    }
    disk->dirs[dir - 1].durable = true;
    above = dir;
  }
  return above;
}

/* A file stands where the path wants a directory. */
static bool is_blocked(const td_disk *disk, const char *path,
                       size_t path_size) {
  uint32_t above = TD_DISK_TOP;
  size_t at = 0, size;
  const char *part;
  while ((part = next_part(path, path_size, &at, &size))) {
    char name[TD_DISK_NAME_MAX] = "";
    td_assert(size < sizeof name);
    memcpy(name, part, size);
    if (td_disk_look(&disk->cached, above, name)) return true;
    above = td_disk_look_dir(disk, above, part, size);
    if (above == TD_DISK_TOP) return false;
  }
  return false;
}

/* A file's name, and how much of its path comes before it. */
static const char *split(const char *path, size_t *dir_size) {
  *dir_size = strlen(path);
  while (*dir_size > 0 && path[*dir_size - 1] != '/') (*dir_size)--;
  return path + *dir_size;
}

const td_disk_bytes *td_disk_find(const td_disk *disk, const char *path) {
  uint32_t dir;
  size_t dir_size;
  const char *name = split(path, &dir_size);
  if (!find_dir(disk, path, dir_size, &dir)) return NULL;
  const td_disk_name *found = td_disk_look(&disk->cached, dir, name);
  return found ? &disk->inodes[found->inode].cached : NULL;
}

bool td_disk_put(td_disk *disk, const char *path, td_span bytes) {
  uint32_t dir;
  size_t dir_size;
  const char *name = split(path, &dir_size);
  if (is_blocked(disk, path, dir_size)
      || td_disk_find_dir(disk, path, &dir)) {
    return false;
  }
  dir = put_dir(disk, path, dir_size);
  td_disk_change made = {.gone = {.text = ""}};
  td_disk_sync_names(disk, dir);
  td_disk_set_name(&made.comes, dir, name, td_disk_new_inode(disk));
  td_disk_change_names(disk, &disk->cached, &made);
  td_disk_change_names(disk, &disk->durable, &made);
  td_disk_inode *inode = &disk->inodes[made.comes.inode];
  td_disk_write(disk, &inode->cached, 0, bytes);
  td_disk_write(disk, &inode->durable, 0, bytes);
  return true;
}

/* --- as a whole ----------------------------------------------------------- */

/* Appends "r0/quarantine/". */
static void add_path(const td_disk *disk, uint32_t dir, td_disk_bytes *out) {
  if (dir == TD_DISK_TOP) return;
  const td_disk_dir *at = &disk->dirs[dir - 1];
  add_path(disk, at->above, out);
  td_disk_write(disk, out, out->size, (td_span){(const uint8_t *)at->name,
                                                strlen(at->name)});
  td_disk_write(disk, out, out->size, (td_span){(const uint8_t *)"/", 1});
}

/* A sum has no order. */
static void add_hash(td_hash128 *sum, const td_disk_bytes *line) {
  td_hash128 one = td_hash128_of((td_span){line->data, line->size});
  sum->low += one.low;
  sum->high += one.high;
}

td_hash128 td_disk_hash(const td_disk *disk) {
  td_hash128 sum = {0, 0};
  td_disk_bytes line = {.data = NULL};
  for (uint32_t i = 0; i < disk->dir_count; i++) {
    line.size = 0;
    add_path(disk, i + 1, &line);
    add_hash(&sum, &line);
  }
  for (uint32_t i = 0; i < disk->cached.count; i++) {
    const td_disk_name *name = &disk->cached.list[i];
    const td_disk_bytes *bytes = &disk->inodes[name->inode].cached;
    td_hash128 content = td_hash128_of((td_span){bytes->data, bytes->size});
    uint8_t digest[16];
    td_put_u64(digest, content.low);
    td_put_u64(digest + 8, content.high);
    line.size = 0;
    add_path(disk, name->dir, &line);
    td_disk_write(disk, &line, line.size,
                  (td_span){(const uint8_t *)name->text,
                            strlen(name->text) + 1});
    td_disk_write(disk, &line, line.size, (td_span){digest, sizeof digest});
    add_hash(&sum, &line);
  }
  td_alloc_free(&disk->alloc, line.data, line.room);
  return sum;
}

uint64_t td_disk_memory(const td_disk *disk) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    const td_disk_inode *inode = &disk->inodes[i];
    sum += inode->cached.room + inode->durable.room + inode->journal.room;
  }
  return sum;
}
