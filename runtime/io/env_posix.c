/* The real environment over POSIX calls on descriptors.
 *
 * A td_dir or td_file pointer is a descriptor plus one, never followed: so
 * opening takes no memory and the environment has no state. Files are opened
 * with O_NONBLOCK, because a fifo under a segment's name must be refused, not
 * waited for; plain files do not know the flag. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include "io/env_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES_MAX (1u << 30)  /* per call; fits every ssize_t */

static void *handle_of(int fd) { return (void *)((intptr_t)fd + 1); }
static int fd_of(const void *handle) { return (int)((intptr_t)handle - 1); }

/* A descriptor or a negative errno. */
static int open_at(int dir, const char *name, int flags) {
  int fd;
  do {
    fd = openat(dir, name, O_RDONLY | O_CLOEXEC | flags);
  } while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

/* Not repeated on EINTR: the descriptor is gone either way. */
static void shut(int fd) { (void)close(fd); }

static int posix_dir_open(void *ctx, const char *path, td_dir **out) {
  (void)ctx;
  int fd = open_at(AT_FDCWD, path, O_DIRECTORY);
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
  int fd = open_at(fd_of(dir), ".", O_DIRECTORY);
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

static int posix_file_open(void *ctx, td_dir *dir, const char *name,
                           td_file **out) {
  (void)ctx;
  int fd = open_at(fd_of(dir), name, O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fd;
  int failed = check_plain(fd);
  if (failed) {
    shut(fd);
    return failed;
  }
  *out = handle_of(fd);
  return 0;
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
  if (size > READ_BYTES_MAX) size = READ_BYTES_MAX;
  do {
    count = pread(fd_of(file), out, size, (off_t)offset);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

static void posix_file_close(void *ctx, td_file *file) {
  (void)ctx;
  shut(fd_of(file));
}

static const td_store_class posix_store = {
  .dir_open = posix_dir_open,
  .dir_list = posix_dir_list,
  .dir_close = posix_dir_close,
  .file_open = posix_file_open,
  .file_size = posix_file_size,
  .file_read = posix_file_read,
  .file_close = posix_file_close,
};

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
  return (td_env){&posix_store, NULL, alloc};
}
