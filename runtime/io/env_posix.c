/* The real environment over POSIX calls on descriptors.
 *
 * A td_dir or td_file pointer is a descriptor plus one, never followed: so
 * opening takes no memory and the environment has no state. Files are opened
 * with O_NONBLOCK, because a fifo under a segment's name must be refused, not
 * waited for; plain files do not know the flag. */
#define _GNU_SOURCE  /* sync_file_range; flock: POSIX's own locks go with
                        any close */
#define _FILE_OFFSET_BITS 64

#include "io/env_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>  /* renameat */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/prng.h"

#define CALL_BYTES_MAX (1u << 30)  /* per call; fits every ssize_t */
#define PLAIN (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
#define NEW_FILE_MODE 0666         /* less the umask, as every program does */
#define NEW_DIR_MODE 0777

_Static_assert(TD_SYS_NOENT == ENOENT && TD_SYS_INTR == EINTR
               && TD_SYS_IO == EIO && TD_SYS_AGAIN == EWOULDBLOCK
               && TD_SYS_EXIST == EEXIST && TD_SYS_NOTDIR == ENOTDIR
               && TD_SYS_NOSPC == ENOSPC && TD_SYS_ROFS == EROFS
               && TD_SYS_DQUOT == EDQUOT, "base/env.h names the system's");

static void *handle_of(int fd) { return (void *)((intptr_t)fd + 1); }
static int fd_of(const void *handle) { return (int)((intptr_t)handle - 1); }

/* A descriptor or a negative errno. */
static int open_at(int dir, const char *name, int flags) {
  int fd;
  do {
    fd = openat(dir, name, O_CLOEXEC | flags, NEW_FILE_MODE);
  } while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

/* Not repeated on EINTR: the descriptor is gone either way. */
static void shut(int fd) { (void)close(fd); }

static int posix_dir_open(void *ctx, const char *path, td_dir **out) {
  (void)ctx;
  int fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd;
  *out = handle_of(fd);
  return 0;
}

static int list_names(DIR *stream, td_name_fn *each, void *each_ctx) {
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(stream);
    if (!entry) return -errno;
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (!each(each_ctx, name)) return 0;
  }
}

/* Over a descriptor of its own, because closedir closes it and the place in
 * the list would be shared. */
static int posix_dir_list(void *ctx, td_dir *dir, td_name_fn *each,
                          void *each_ctx) {
  (void)ctx;
  int fd = open_at(fd_of(dir), ".", O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd;
  DIR *stream = fdopendir(fd);
  if (!stream) {
    int failed = -errno;
    shut(fd);
    return failed;
  }
  int result = list_names(stream, each, each_ctx);
  (void)closedir(stream);
  return result;
}

static void posix_dir_close(void *ctx, td_dir *dir) {
  (void)ctx;
  shut(fd_of(dir));
}

/* 0, or why this descriptor is not a plain file. */
static int check_plain(int fd) {
  struct stat about;
  if (fstat(fd, &about) != 0) return -errno;
  if (S_ISDIR(about.st_mode)) return -EISDIR;
  return S_ISREG(about.st_mode) ? 0 : -EINVAL;
}

static int open_plain(td_dir *dir, const char *name, int flags,
                      td_file **out) {
  int fd = open_at(fd_of(dir), name, PLAIN | flags);
  if (fd < 0) return fd;
  int failed = check_plain(fd);
  if (failed) {
    shut(fd);
    return failed;
  }
  *out = handle_of(fd);
  return 0;
}

static int posix_file_open(void *ctx, td_dir *dir, const char *name,
                           td_file **out) {
  (void)ctx;
  return open_plain(dir, name, O_RDONLY, out);
}

static int posix_file_size(void *ctx, td_file *file, uint64_t *out) {
  (void)ctx;
  struct stat about;
  if (fstat(fd_of(file), &about) != 0) return -errno;
  *out = (uint64_t)about.st_size;
  return 0;
}

static int64_t posix_file_read(void *ctx, td_file *file, void *out,
                               size_t size, uint64_t offset) {
  (void)ctx;
  ssize_t count;
  if (offset > INT64_MAX) return -EOVERFLOW;
  if (size > CALL_BYTES_MAX) size = CALL_BYTES_MAX;
  do {
    count = pread(fd_of(file), out, size, (off_t)offset);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

static void posix_file_close(void *ctx, td_file *file) {
  (void)ctx;
  shut(fd_of(file));
}

static int posix_file_create(void *ctx, td_dir *dir, const char *name,
                             td_file **out) {
  (void)ctx;
  return open_plain(dir, name, O_RDWR | O_CREAT | O_EXCL, out);
}

static int posix_file_edit(void *ctx, td_dir *dir, const char *name,
                           td_file **out) {
  (void)ctx;
  return open_plain(dir, name, O_RDWR, out);
}

static int64_t posix_file_write(void *ctx, td_file *file, const void *bytes,
                                size_t size, uint64_t offset) {
  (void)ctx;
  ssize_t count;
  if (offset > INT64_MAX) return -EOVERFLOW;
  if (size > CALL_BYTES_MAX) size = CALL_BYTES_MAX;
  do {
    count = pwrite(fd_of(file), bytes, size, (off_t)offset);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

/* Repeated on EINTR alone: after any other error the pages count as clean,
 * and a second call would succeed without having written them. */
static int posix_file_sync(void *ctx, td_file *file, bool full) {
  (void)ctx;
  int result;
  do {
    result = full ? fsync(fd_of(file)) : fdatasync(fd_of(file));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}

static int posix_file_truncate(void *ctx, td_file *file, uint64_t size) {
  (void)ctx;
  int result;
  if (size > INT64_MAX) return -EOVERFLOW;
  do {
    result = ftruncate(fd_of(file), (off_t)size);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}

/* What goes wrong here, the sync that follows says as well. */
static void posix_file_push(void *ctx, td_file *file) {
  (void)ctx;
#ifdef SYNC_FILE_RANGE_WRITE
  (void)sync_file_range(fd_of(file), 0, 0, SYNC_FILE_RANGE_WRITE);
#else
  (void)file;
#endif
}

static int posix_dir_make(void *ctx, td_dir *dir, const char *name,
                          td_dir **out) {
  (void)ctx;
  if (mkdirat(fd_of(dir), name, NEW_DIR_MODE) != 0 && errno != EEXIST) {
    return -errno;
  }
  int fd = open_at(fd_of(dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) return fd;
  *out = handle_of(fd);
  return 0;
}

static int posix_dir_rename(void *ctx, td_dir *source, const char *name,
                            td_dir *target, const char *new_name) {
  (void)ctx;
  int result = renameat(fd_of(source), name, fd_of(target), new_name);
  return result == 0 ? 0 : -errno;
}

static int posix_dir_unlink(void *ctx, td_dir *dir, const char *name) {
  (void)ctx;
  return unlinkat(fd_of(dir), name, 0) == 0 ? 0 : -errno;
}

static int posix_dir_sync(void *ctx, td_dir *dir) {
  return posix_file_sync(ctx, (td_file *)dir, true);
}

/* The lock belongs to the open description: it goes with the last descriptor,
 * also by kill -9, so a lock file left behind locks nothing. */
static int posix_dir_lock(void *ctx, td_dir *dir, const char *name,
                          td_file **out) {
  (void)ctx;
  td_file *file = NULL;
  int result = open_plain(dir, name, O_RDWR | O_CREAT, &file);
  if (result < 0) return result;
  do {
    result = flock(fd_of(file), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    result = -errno;
    shut(fd_of(file));
    return result;
  }
  *out = file;
  return 0;
}

static const td_store_class posix_store = {
  .dir_open = posix_dir_open,
  .dir_list = posix_dir_list,
  .dir_close = posix_dir_close,
  .file_open = posix_file_open,
  .file_size = posix_file_size,
  .file_read = posix_file_read,
  .file_close = posix_file_close,
  .file_create = posix_file_create,
  .file_edit = posix_file_edit,
  .file_write = posix_file_write,
  .file_sync = posix_file_sync,
  .file_truncate = posix_file_truncate,
  .file_push = posix_file_push,
  .dir_make = posix_dir_make,
  .dir_rename = posix_dir_rename,
  .dir_unlink = posix_dir_unlink,
  .dir_sync = posix_dir_sync,
  .dir_lock = posix_dir_lock,
};

static uint64_t now_ns(clockid_t id) {
  struct timespec now;
  if (clock_gettime(id, &now) != 0) return 0;
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t posix_wall_ns(void *ctx) {
  (void)ctx;
  return now_ns(CLOCK_REALTIME);
}

static uint64_t posix_mono_ns(void *ctx) {
  (void)ctx;
  return now_ns(CLOCK_MONOTONIC);
}

static const td_clock_class posix_clock = {posix_wall_ns, posix_mono_ns};

/* The kernel's generator; the clock where a sandbox keeps it away. */
static uint64_t posix_random(void *ctx) {
  uint64_t value;
  int fd = open_at(AT_FDCWD, "/dev/urandom", O_RDONLY);
  ssize_t count = fd < 0 ? -1 : read(fd, &value, sizeof value);
  if (fd >= 0) shut(fd);
  if (count == (ssize_t)sizeof value) return value;
  td_prng prng = {posix_mono_ns(ctx) ^ (uint64_t)getpid() << 32};
  return td_prng_next(&prng);
}

static void *posix_resize(void *ctx, void *ptr, size_t old_size,
                          size_t new_size) {
  (void)ctx;
  (void)old_size;
  if (new_size > 0) return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

td_env td_env_posix(void) {
  return td_env_posix_with((td_alloc){posix_resize, NULL});
}

td_env td_env_posix_with(td_alloc alloc) {
  return (td_env){
    .store = &posix_store, .alloc = alloc, .clock = &posix_clock,
    .random = posix_random,
  };
}
