/* Files of the simulated disk: images, what waits for a sync, faults. */
#include <string.h>

#include "base/status.h"
#include "sim/disk_calls.h"

#define CALL_NS 1000u

void *td_disk_take(const td_disk *disk, void *old, size_t old_size,
                   size_t size) {
  void *taken = td_alloc_resize(&disk->alloc, old, old_size, size);
  td_assert(taken);
  return taken;
}

void td_disk_resize(const td_disk *disk, td_disk_bytes *bytes, size_t size) {
  if (size > bytes->room) {
    size_t room = size + size / 2 + 64;
    bytes->data = td_disk_take(disk, bytes->data, bytes->room, room);
    bytes->room = room;
  }
  if (size > bytes->size) {
    memset(bytes->data + bytes->size, 0, size - bytes->size);
  }
  bytes->size = size;
}

void td_disk_write(const td_disk *disk, td_disk_bytes *bytes, uint64_t offset,
                   td_span data) {
  if (data.size == 0) return;
  size_t end = (size_t)offset + data.size;
  if (bytes->size < end) td_disk_resize(disk, bytes, end);
  memcpy(bytes->data + offset, data.data, data.size);
}

static void free_bytes(const td_disk *disk, td_disk_bytes *bytes) {
  td_alloc_free(&disk->alloc, bytes->data, bytes->room);
  *bytes = (td_disk_bytes){.data = NULL};
}

void td_disk_free_inode(const td_disk *disk, td_disk_inode *inode) {
  free_bytes(disk, &inode->cached);
  free_bytes(disk, &inode->durable);
  free_bytes(disk, &inode->journal);
  td_alloc_free(&disk->alloc, inode->pieces,
                inode->piece_room * sizeof *inode->pieces);
  *inode = (td_disk_inode){.used = false};
}

int32_t td_disk_enter(td_disk *disk, size_t *length) {
  const td_disk_faults *faults = &disk->faults;
  uint64_t call = ++disk->counts.calls;
  disk->now_ns += CALL_NS;
  if (disk->shut_down) return -TD_SYS_IO;
  if (faults->last_call && call > faults->last_call) return -TD_SYS_IO;
  bool now = call == faults->fail_call || call == faults->fail_too
          || (faults->fail_on && faults->fail_call
              && call > faults->fail_call);
  if (!now) return 0;
  if (faults->fail_sys) return -faults->fail_sys;
  if (!length || *length == 0) return 0;
  switch (faults->fail_short) {
  case TD_DISK_WHOLE: break;
  case TD_DISK_ONE: *length = 1; break;
  case TD_DISK_HALF: *length = (*length + 1) / 2; break;
  case TD_DISK_BUT_ONE: *length -= *length > 1; break;
  case TD_DISK_NOTHING: *length = 0; break;
  }
  return 0;
}

/* By parity of the call: the next try has the other one. */
static bool interrupted(const td_disk *disk) {
  return disk->faults.interrupts && disk->counts.calls % 2;
}

static void add_piece(td_disk *disk, td_disk_inode *inode, uint64_t offset,
                      td_span data, bool cut) {
  inode->pieces = td_disk_grow(disk, inode->pieces, inode->piece_count,
                               &inode->piece_room, sizeof *inode->pieces);
  inode->pieces[inode->piece_count++] = (td_disk_piece){
    offset, data.size, inode->journal.size, cut,
  };
  td_disk_write(disk, &inode->journal, inode->journal.size, data);
}

/* Nothing waits any more: all of it is durable, or given up. */
static void forget_pieces(td_disk_inode *inode) {
  inode->piece_count = 0;
  inode->journal.size = 0;
}

static void make_durable(const td_disk *disk, td_disk_inode *inode,
                         const td_disk_piece *piece) {
  if (piece->cut) {
    td_disk_resize(disk, &inode->durable, (size_t)piece->offset);
    return;
  }
  td_span data = {inode->journal.data + piece->at, piece->size};
  td_disk_write(disk, &inode->durable, piece->offset, data);
}

static void revert(const td_disk *disk, td_disk_inode *inode) {
  td_disk_resize(disk, &inode->cached, 0);
  td_disk_write(disk, &inode->cached, 0,
                (td_span){inode->durable.data, inode->durable.size});
}

/* Of what waited, anything may have reached the disk before the failure. */
static void fail_sync(td_disk *disk, td_file *file) {
  td_disk_inode *inode = &disk->inodes[file->inode];
  disk->counts.failed_syncs++;
  file->failed = file->failed_sync = true;
  for (uint32_t p = 0; p < inode->piece_count; p++) {
    if (td_prng_below(&disk->prng, 2)) continue;
    make_durable(disk, inode, &inode->pieces[p]);
  }
  forget_pieces(inode);
  if (disk->faults.personality == TD_DISK_XFS) disk->shut_down = true;
  if (disk->faults.personality == TD_DISK_BTRFS) revert(disk, inode);
}

void td_disk_file_close(void *ctx, td_file *file) {
  td_disk *disk = ctx;
  td_disk_inode *inode = &disk->inodes[file->inode];
  td_assert(file->disk == disk && inode->handles > 0);
  if (file->lock) inode->locked = false;
  inode->handles--;
  disk->counts.files_open--;
  td_alloc_free(&disk->alloc, file, sizeof *file);
}

int td_disk_file_size(void *ctx, td_file *file, uint64_t *out) {
  td_disk *disk = ctx;
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  *out = disk->inodes[file->inode].cached.size;
  return 0;
}

int64_t td_disk_file_read(void *ctx, td_file *file, void *out, size_t size,
                          uint64_t offset) {
  td_disk *disk = ctx;
  const td_disk_bytes *bytes = &disk->inodes[file->inode].cached;
  size_t left = offset < bytes->size ? bytes->size - (size_t)offset : 0;
  if (size > left) size = left;
  size_t length = size;
  int32_t failed = td_disk_enter(disk, &length);
  if (failed) return failed;
  if (length == 0) length = size;  /* 0 would be the end */
  if (length > 0) memcpy(out, bytes->data + offset, length);
  disk->counts.bytes_read += length;
  return (int64_t)length;
}

static uint64_t used_bytes(const td_disk *disk) {
  uint64_t used = 0;
  for (uint32_t i = 0; i < disk->inode_count; i++) {
    used += disk->inodes[i].cached.size;
  }
  return used;
}

/* How much of a write to [offset, offset + size) the full disk takes. */
static size_t fits(const td_disk *disk, const td_disk_inode *inode,
                   uint64_t offset, size_t size) {
  uint64_t capacity = disk->faults.capacity;
  if (capacity == 0) return size;
  uint64_t used = used_bytes(disk);
  uint64_t room = inode->cached.size + (capacity > used ? capacity - used : 0);
  if (offset + size <= room) return size;
  return offset < room ? (size_t)(room - offset) : 0;
}

int64_t td_disk_file_write(void *ctx, td_file *file, const void *bytes,
                           size_t size, uint64_t offset) {
  td_disk *disk = ctx;
  td_disk_inode *inode = &disk->inodes[file->inode];
  size_t length = size;
  int32_t failed = td_disk_enter(disk, &length);
  bool dead = td_disk_dead(disk);
  if (file->failed && !dead) disk->counts.writes_after_failed++;
  if (failed == -TD_SYS_IO && !dead) file->failed = true;
  if (failed) return failed;
  if (interrupted(disk)) return -TD_SYS_INTR;
  size_t room = fits(disk, inode, offset, length);
  if (room == 0 && length > 0) return -TD_SYS_NOSPC;
  if (length > room) length = room;
  td_span data = {bytes, length};
  td_disk_write(disk, &inode->cached, offset, data);
  disk->counts.bytes_written += length;
  while (data.size > 0) {
    size_t part = TD_DISK_SECTOR_BYTES
                - (size_t)(offset % TD_DISK_SECTOR_BYTES);
    if (part > data.size) part = data.size;
    add_piece(disk, inode, offset, (td_span){data.data, part}, false);
    data = (td_span){data.data + part, data.size - part};
    offset += part;
  }
  return (int64_t)length;
}

int td_disk_file_sync(void *ctx, td_file *file, bool full) {
  td_disk *disk = ctx;
  td_disk_inode *inode = &disk->inodes[file->inode];
  (void)full;
  int32_t failed = td_disk_enter(disk, NULL);
  bool dead = td_disk_dead(disk);
  if (dead) return failed;
  if (file->failed_sync) disk->counts.syncs_after_failed++;
  disk->counts.syncs++;
  if (failed && failed != -TD_SYS_INTR) fail_sync(disk, file);
  if (failed) return failed;
  if (interrupted(disk)) return -TD_SYS_INTR;
  /* Only what waits: after a failed sync pages are clean and stay lost. */
  for (uint32_t p = 0; p < inode->piece_count; p++) {
    make_durable(disk, inode, &inode->pieces[p]);
  }
  forget_pieces(inode);
  return 0;
}

int td_disk_file_truncate(void *ctx, td_file *file, uint64_t size) {
  td_disk *disk = ctx;
  td_disk_inode *inode = &disk->inodes[file->inode];
  int32_t failed = td_disk_enter(disk, NULL);
  if (failed) return failed;
  td_disk_resize(disk, &inode->cached, (size_t)size);
  add_piece(disk, inode, size, (td_span){NULL, 0}, true);
  return 0;
}
