/* What a simulated disk is after a power failure, and copies of it. */
#include <string.h>

#include "base/status.h"
#include "sim/disk_calls.h"

#define PIECE_WAYS 4u
#define CUT_WAYS 2u
#define NAME_WAYS 2u
#define WAYS_MANY (UINT64_C(1) << 40)

enum { ABSENT, WRITTEN, ZEROS, GARBAGE };

/* One digit of the way: mixed radix, or by chance. */
typedef struct choice {
  uint64_t way;
  td_prng *prng;
} choice;

static uint32_t choose(choice *at, uint32_t ways) {
  if (at->prng) return (uint32_t)td_prng_below(at->prng, ways);
  uint32_t digit = (uint32_t)(at->way % ways);
  at->way /= ways;
  return digit;
}

static uint64_t times(uint64_t ways, uint32_t more) {
  return ways >= WAYS_MANY ? WAYS_MANY : ways * more;
}

uint64_t td_disk_combinations(const td_disk *disk) {
  uint64_t ways = 1;
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    const td_disk_inode *inode = &disk->inodes[i];
    if (!inode->used) continue;
    for (uint32_t p = 0; p < inode->piece_count; p++) {
      ways = times(ways, inode->pieces[p].cut ? CUT_WAYS : PIECE_WAYS);
    }
  }
  for (uint32_t i = 0; i < disk->change_count; i++) {
    ways = times(ways, NAME_WAYS);
  }
  for (uint32_t i = 0; i < disk->dir_count; i++) {
    if (!disk->dirs[i].durable) ways = times(ways, NAME_WAYS);
  }
  return ways;
}

static void copy_bytes(const td_disk *disk, const td_disk_bytes *from,
                       td_disk_bytes *out) {
  *out = (td_disk_bytes){.data = NULL};
  td_disk_write(disk, out, 0, (td_span){from->data, from->size});
}

/* Bytes that nobody wrote: they come from the way, so that it repeats. */
static void fill_garbage(const td_disk *disk, td_disk_bytes *out,
                         const td_disk_piece *piece) {
  td_prng noise = {piece->offset * 31 + piece->size};
  for (size_t i = 0; i < piece->size; i++) {
    uint8_t byte = (uint8_t)(td_prng_next(&noise) | 1);
    td_disk_write(disk, out, piece->offset + i, (td_span){&byte, 1});
  }
}

static void apply_piece(const td_disk *disk, const td_disk_inode *inode,
                        const td_disk_piece *piece, uint32_t what,
                        td_disk_bytes *out) {
  if (what == ABSENT) return;
  if (piece->cut) {
    td_disk_resize(disk, out, (size_t)piece->offset);
  } else if (what == WRITTEN) {
    td_span data = {inode->journal.data + piece->at, piece->size};
    td_disk_write(disk, out, piece->offset, data);
  } else if (what == ZEROS) {
    size_t end = (size_t)piece->offset + piece->size;
    if (out->size < end) td_disk_resize(disk, out, end);
    memset(out->data + piece->offset, 0, piece->size);
  } else {
    fill_garbage(disk, out, piece);
  }
}

static void crash_inode(const td_disk *disk, const td_disk_inode *inode,
                        choice *at, td_disk_inode *out) {
  *out = (td_disk_inode){.used = true};
  copy_bytes(disk, &inode->durable, &out->durable);
  for (uint32_t p = 0; p < inode->piece_count; p++) {
    const td_disk_piece *piece = &inode->pieces[p];
    uint32_t what = choose(at, piece->cut ? CUT_WAYS : PIECE_WAYS);
    apply_piece(disk, inode, piece, what, &out->durable);
  }
  copy_bytes(disk, &out->durable, &out->cached);
}

/* A copy of `count` entries, NULL for none. */
static void *copy_list(const td_disk *disk, const void *list, uint32_t count,
                       size_t entry) {
  if (count == 0) return NULL;
  void *copy = td_disk_take(disk, NULL, 0, count * entry);
  memcpy(copy, list, count * entry);
  return copy;
}

static td_disk_names copy_names(const td_disk *disk,
                                const td_disk_names *names) {
  uint32_t count = names->count;
  td_disk_name *list = copy_list(disk, names->list, count, sizeof *list);
  return (td_disk_names){list, count, count};
}

static void start_copy(const td_disk *disk, td_disk *out) {
  uint32_t count = disk->inode_count, dirs = disk->dir_count;
  *out = (td_disk){
    .alloc = disk->alloc, .prng = disk->prng, .now_ns = disk->now_ns,
    .inode_count = count, .inode_room = count,
    .dir_count = dirs, .dir_room = dirs,
    .dirs = copy_list(disk, disk->dirs, dirs, sizeof *disk->dirs),
  };
  if (count == 0) return;
  size_t size = count * sizeof *out->inodes;
  out->inodes = td_disk_take(disk, NULL, 0, size);
  memset(out->inodes, 0, size);
}

/* A directory goes, and all names in it; later ones get other numbers. */
static void drop_dir(td_disk *disk, uint32_t dir) {
  td_disk_names *names = &disk->durable;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < names->count; i++) {
    td_disk_name *name = &names->list[i];
    if (name->dir == dir) continue;
    if (name->dir > dir) name->dir--;
    names->list[kept++] = *name;
  }
  names->count = kept;
  disk->dir_count--;
  for (uint32_t i = dir - 1; i < disk->dir_count; i++) {
    disk->dirs[i] = disk->dirs[i + 1];
    if (disk->dirs[i].above > dir) disk->dirs[i].above--;
  }
}

/* Of the directories that wait for a sync, some are gone, and what is below
 * them. One stands behind the one it is in. */
static void lose_dirs(td_disk *disk, choice *at) {
  for (uint32_t i = 0; i < disk->dir_count; i++) {
    td_disk_dir *dir = &disk->dirs[i];
    if (!dir->durable) dir->durable = choose(at, NAME_WAYS) != ABSENT;
    if (dir->above == TD_DISK_TOP) continue;
    if (!disk->dirs[dir->above - 1].durable) dir->durable = false;
  }
  for (uint32_t dir = disk->dir_count; dir > 0; dir--) {
    if (!disk->dirs[dir - 1].durable) drop_dir(disk, dir);
  }
}

/* Frees what no name leads to: fewer images to copy in the next crash. */
static void drop_unnamed(td_disk *disk) {
  td_disk_mark_named(disk, &disk->cached);
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    td_disk_inode *inode = &disk->inodes[i];
    if (inode->used && !inode->named) td_disk_free_inode(disk, inode);
  }
}

void td_disk_crash(const td_disk *disk, uint64_t way, td_prng *prng,
                   td_disk *out) {
  choice at = {way, prng};
  start_copy(disk, out);
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    if (!disk->inodes[i].used) continue;
    crash_inode(disk, &disk->inodes[i], &at, &out->inodes[i]);
  }
  out->durable = copy_names(disk, &disk->durable);
  for (uint32_t i = 0; i < disk->change_count; i++) {
    if (choose(&at, NAME_WAYS) == ABSENT) continue;
    td_disk_change_names(out, &out->durable, &disk->changes[i]);
  }
  lose_dirs(out, &at);
  out->cached = copy_names(out, &out->durable);
  drop_unnamed(out);
}

void td_disk_copy(const td_disk *disk, td_disk *out) {
  start_copy(disk, out);
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    const td_disk_inode *inode = &disk->inodes[i];
    td_disk_inode *to = &out->inodes[i];
    if (!inode->used) continue;
    to->used = true;
    copy_bytes(disk, &inode->cached, &to->cached);
    copy_bytes(disk, &inode->durable, &to->durable);
    copy_bytes(disk, &inode->journal, &to->journal);
    to->pieces = copy_list(disk, inode->pieces, inode->piece_count,
                           sizeof *inode->pieces);
    to->piece_count = to->piece_room = inode->piece_count;
  }
  out->cached = copy_names(disk, &disk->cached);
  out->durable = copy_names(disk, &disk->durable);
  out->changes = copy_list(disk, disk->changes, disk->change_count,
                           sizeof *disk->changes);
  out->change_count = out->change_room = disk->change_count;
  out->shut_down = disk->shut_down;
  out->faults.personality = disk->faults.personality;
}
