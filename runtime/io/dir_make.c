#include "io/dir_make.h"

#include <string.h>

static td_status fail(td_error *err, const char *subject, int result,
                      const char *name) {
  td_fail(err, TD_IO, subject, 0, 0);
  if (err) err->sys = -result;
  td_error_at(err, name, TD_NO_OFFSET);
  return TD_IO;
}

/* `copy` is the path; its last part is cut off and stays behind the zero. */
static const char *split(char *copy, size_t size, const char **name) {
  while (size > 1 && copy[size - 1] == '/') copy[--size] = '\0';
  char *slash = strrchr(copy, '/');
  *name = slash ? slash + 1 : copy;
  if (!slash) return ".";
  if (slash == copy) return "/";
  *slash = '\0';
  return copy;
}

static td_status make_in(const td_env *env, const char *parent,
                         const char *name, td_error *err) {
  const td_store_class *store = env->store;
  td_dir *above, *made;
  int result = store->dir_open(env->store_ctx, parent, &above);
  if (result < 0) {
    return fail(err, "opening the directory above", result, name);
  }
  result = store->dir_make(env->store_ctx, above, name, &made);
  if (result == 0) {
    store->dir_close(env->store_ctx, made);
    result = store->dir_sync(env->store_ctx, above);
  }
  store->dir_close(env->store_ctx, above);
  return result == 0 ? TD_OK : fail(err, "making the directory", result,
                                    name);
}

td_status td_dir_make(const td_env *env, const char *path, td_error *err) {
  char copy[TD_DIR_PATH_MAX + 1];
  const char *name;
  td_dir *there;
  size_t size = strlen(path);
  if (size == 0 || size > TD_DIR_PATH_MAX) {
    return td_fail(err, TD_LENGTH, "path", size, TD_DIR_PATH_MAX);
  }
  int result = env->store->dir_open(env->store_ctx, path, &there);
  if (result == 0) {
    env->store->dir_close(env->store_ctx, there);
    return TD_OK;
  }
  memcpy(copy, path, size + 1);
  const char *parent = split(copy, size, &name);
  if (result != -TD_SYS_NOENT) {
    return fail(err, "opening the directory", result, name);
  }
  return make_in(env, parent, name, err);
}
