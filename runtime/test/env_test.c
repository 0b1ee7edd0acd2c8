/* The writing half of the real environment, in a directory of its own.
 * Covers io/env_posix io/dir_make. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "io/dir_make.h"
#include "io/env_posix.h"

#define DIR_PATH "build/env-test"

static const char *const leftovers[] = {
  "a", "b", "LOCK", "link", "inner/b", "inner",
};

static td_dir *open_fresh(const td_env *env) {
  td_dir *dir = NULL;
  (void)mkdir("build", 0777);
  (void)mkdir(DIR_PATH, 0777);
  CHECK(env->store->dir_open(env->store_ctx, DIR_PATH, &dir) == 0);
  td_assert(dir);
  return dir;
}

static void remove_all(void) {
  for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++) {
    char path[64];
    snprintf(path, sizeof path, DIR_PATH "/%s", leftovers[i]);
    if (unlink(path) != 0) (void)rmdir(path);
  }
  (void)rmdir(DIR_PATH);
}

static void check_size(const td_env *env, td_file *file, uint64_t want) {
  uint64_t size = UINT64_MAX;
  CHECK(env->store->file_size(NULL, file, &size) == 0);
  CHECK_U64(size, want);
}

static void case_write(void) {
  td_env env = td_env_posix();
  const td_store_class *store = env.store;
  td_dir *dir = open_fresh(&env), *inner = NULL;
  td_file *file = NULL, *again = NULL;
  char back[8] = "";
  CHECK(store->file_edit(NULL, dir, "a", &file) == -ENOENT);
  CHECK(store->file_create(NULL, dir, "a", &file) == 0);
  CHECK(store->file_create(NULL, dir, "a", &again) == -EEXIST);
  CHECK(store->file_write(NULL, file, "tidal", 5, 3) == 5);
  CHECK(store->file_sync(NULL, file, false) == 0);
  CHECK(store->file_sync(NULL, file, true) == 0);
  check_size(&env, file, 8);
  CHECK(store->file_write(NULL, file, "x", 1, UINT64_MAX) == -EOVERFLOW);
  CHECK(store->file_truncate(NULL, file, 5) == 0);
  CHECK(store->file_read(NULL, file, back, 8, 0) == 5);
  CHECK(memcmp(back, "\0\0\0ti", 5) == 0);
  store->file_close(NULL, file);
  CHECK(store->dir_sync(NULL, dir) == 0);
  CHECK(store->dir_make(NULL, dir, "inner", &inner) == 0);
  CHECK(store->dir_rename(NULL, dir, "a", inner, "b") == 0);
  CHECK(store->dir_rename(NULL, dir, "a", inner, "b") == -ENOENT);
  CHECK(store->file_edit(NULL, inner, "b", &file) == 0);
  check_size(&env, file, 5);
  store->file_close(NULL, file);
  CHECK(store->dir_unlink(NULL, inner, "b") == 0);
  CHECK(store->dir_unlink(NULL, inner, "b") == -ENOENT);
  store->dir_close(NULL, inner);
  CHECK(store->dir_make(NULL, dir, "inner", &inner) == 0);
  store->dir_close(NULL, inner);
  store->dir_close(NULL, dir);
  remove_all();
}

/* Neither reading nor writing goes through a link. */
static void case_links(void) {
  td_env env = td_env_posix();
  td_dir *dir = open_fresh(&env), *inner = NULL;
  td_file *file = NULL;
  CHECK(symlink("a", DIR_PATH "/link") == 0);
  CHECK(env.store->file_create(NULL, dir, "a", &file) == 0);
  env.store->file_close(NULL, file);
  CHECK(env.store->file_edit(NULL, dir, "link", &file) == -ELOOP);
  CHECK(env.store->file_create(NULL, dir, "link", &file) == -EEXIST);
  CHECK(env.store->dir_lock(NULL, dir, "link", &file) == -ELOOP);
  CHECK(env.store->dir_make(NULL, dir, "link", &inner) < 0);
  env.store->dir_close(NULL, dir);
  remove_all();
}

static void case_lock(void) {
  td_env env = td_env_posix();
  td_dir *dir = open_fresh(&env);
  td_file *held = NULL, *other = NULL;
  CHECK(env.store->dir_lock(NULL, dir, "LOCK", &held) == 0);
  CHECK(env.store->dir_lock(NULL, dir, "LOCK", &other) == -EWOULDBLOCK);
  env.store->file_close(NULL, held);
  CHECK(env.store->dir_lock(NULL, dir, "LOCK", &other) == 0);
  env.store->file_close(NULL, other);
  env.store->dir_close(NULL, dir);
  remove_all();
}

static void case_clock(void) {
  td_env env = td_env_posix();
  uint64_t before = env.clock->mono_ns(env.clock_ctx);
  CHECK(env.clock->mono_ns(env.clock_ctx) >= before);
  CHECK(env.clock->wall_ns(env.clock_ctx) > UINT64_C(1600000000000000000));
  CHECK(env.random(env.random_ctx) != env.random(env.random_ctx));
}

static bool is_directory(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* One part of a path, and only where nothing is. */
static void case_make(void) {
  td_env env = td_env_posix();
  td_error err;
  env.store->dir_close(NULL, open_fresh(&env));
  CHECK(td_dir_make(&env, DIR_PATH, NULL) == TD_OK);
  CHECK(td_dir_make(&env, DIR_PATH "/no/b", &err) == TD_IO);
  CHECK(err.sys == ENOENT);
  CHECK_TEXT(err.file, "b");
  CHECK(td_dir_make(&env, DIR_PATH "/inner//", NULL) == TD_OK);
  CHECK(is_directory(DIR_PATH "/inner"));
  CHECK(td_dir_make(&env, DIR_PATH "/inner/.", NULL) == TD_OK);
  CHECK(td_dir_make(&env, DIR_PATH "/inner/b", NULL) == TD_OK);
  CHECK(is_directory(DIR_PATH "/inner/b"));
  CHECK(td_dir_make(&env, "/", NULL) == TD_OK);
  CHECK(td_dir_make(&env, ".", NULL) == TD_OK);
  CHECK(td_dir_make(&env, "/proc/b", &err) == TD_IO);
  CHECK_TEXT(err.subject, "making the directory");
  td_dir *dir = open_fresh(&env);
  td_file *file = NULL;
  CHECK(env.store->file_create(NULL, dir, "a", &file) == 0);
  env.store->file_close(NULL, file);
  env.store->dir_close(NULL, dir);
  CHECK(td_dir_make(&env, DIR_PATH "/a", &err) == TD_IO);
  CHECK(err.sys == ENOTDIR);
  CHECK_TEXT(err.file, "a");
  remove_all();
}

/* TD_DIR_PATH_MAX bytes are taken (the system takes less), one more not. */
static void case_make_long(void) {
  static char path[TD_DIR_PATH_MAX + 2];
  td_env env = td_env_posix();
  td_error err;
  memset(path, 'x', TD_DIR_PATH_MAX);
  CHECK(td_dir_make(&env, path, &err) == TD_IO && err.sys == ENAMETOOLONG);
  path[TD_DIR_PATH_MAX] = 'x';
  CHECK(td_dir_make(&env, path, &err) == TD_LENGTH);
  CHECK(td_dir_make(&env, "", &err) == TD_LENGTH);
}

void test_env(void) {
  test_case("env", "creates, writes, cuts, moves, removes", case_write);
  test_case("env", "follows no link", case_links);
  test_case("env", "a lock has one holder", case_lock);
  test_case("env", "clocks and chance", case_clock);
  test_case("env", "a directory is made where none is", case_make);
  test_case("env", "long paths have a limit", case_make_long);
}
