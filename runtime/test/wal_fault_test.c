/* What happens to a reader when the world fails: every call, every request
 * for memory, directories of any size. */
#include "test/test.h"

#include <errno.h>

#include "io/env_posix.h"
#include "test/log_maker.h"

#define LOG_SHARD 3u
#define FIRST_SEQ (UINT64_MAX / 2 - 3)

/* Two logs for the faults: many segments, one batch above the buffer. */
static void make_fault_logs(memory_store *store) {
  log_maker maker = make_segment(LOG_SHARD, FIRST_SEQ);
  for (uint32_t s = 0; s < 3; s++) {
    make_batch(&maker, 2 + s);
    if (s == 1) make_session(&maker, 300000);
    make_batch(&maker, 5);
    make_zeros(&maker, 200 * s);
    make_stored(&maker, store);
  }
  maker = make_segment(0, 1);
  maker.version = 1;
  make_batch(&maker, 1);
  make_stored(&maker, store);
}

/* One run over both logs; what went wrong first, if anything. */
typedef struct run {
  td_error err;       /* TD_END = all was read */
  bool opened;
  log_walk walks[2];
} run;

static void run_logs(run *all, memory_store *store) {
  static const uint16_t shards[2] = {0, LOG_SHARD};
  td_env env = memory_store_env(store);
  td_wal_dir dir;
  *all = (run){.err = {.status = TD_END}};
  all->opened = td_wal_dir_open(&dir, &env, "/memory", &all->err) == TD_OK;
  for (uint32_t i = 0; i < 2 && all->opened; i++) {
    walk_log(&all->walks[i], &dir, shards[i], 0);
    if (all->err.status == TD_END) all->err = all->walks[i].err;
  }
  if (all->opened) td_wal_dir_close(&dir);
  CHECK(store->dirs_open == 0 && store->files_open == 0);
  CHECK(store->blocks_held == 0);
}

/* What was read is the beginning of what there is. */
static void check_prefix(const run *all, const run *whole) {
  for (uint32_t i = 0; i < 2; i++) {
    uint32_t count = all->walks[i].batches;
    CHECK(count <= whole->walks[i].batches);
    CHECK_U64(all->walks[i].digests[count], whole->walks[i].digests[count]);
    if (all->walks[i].err.status == TD_END) {
      CHECK_U64(count, whole->walks[i].batches);
    }
  }
}

static void case_calls_fail(void) {
  static const int codes[] = {EIO, EACCES, EMFILE, ENOTDIR, EINTR};
  memory_store store;
  run whole, all;
  memory_store_init(&store, test_seed());
  make_fault_logs(&store);
  run_logs(&whole, &store);
  CHECK(whole.err.status == TD_END);
  CHECK_U64(whole.walks[1].batches, 7);
  for (uint32_t round = 0; round < 5; round++) {
    bool failed = true;
    store.read_max = round * 20000;
    for (uint64_t call = 1; failed; call++) {
      memory_store_reset(&store);
      store.fail_call = call;
      store.fail_errno = codes[round];
      run_logs(&all, &store);
      failed = store.calls >= call;
      CHECK(all.err.status == (failed ? TD_IO : TD_END));
      CHECK(all.err.sys == (failed ? codes[round] : 0));
      if (failed) CHECK(all.err.file[0] != '\0');
      if (failed && all.opened) CHECK(all.err.offset != TD_NO_OFFSET);
      CHECK(failed || call > 20);
      check_prefix(&all, &whole);
    }
  }
  memory_store_deinit(&store);
}

/* The offset of a failed read is that of the read, behind a short one. */
static void case_read_offset(void) {
  memory_store store;
  run all;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(0, 1);
  make_batch(&maker, 100);
  make_stored(&maker, &store);
  store.read_max = 1;
  store.fail_call = 2 + 2 + 1 + 1001;
  run_logs(&all, &store);
  check_fault(&all.walks[0], TD_IO, "wal-00000000000000000001.seg", 1000, 0);
  CHECK_TEXT(all.err.subject, "reading");
  memory_store_deinit(&store);
}

/* The one large batch's buffer cannot be had: its file and offset are named.
 * A refused shrink of the buffer is no failure at all. */
static void case_memory_fails(void) {
  memory_store store;
  run whole, all;
  memory_store_init(&store, test_seed());
  make_fault_logs(&store);
  run_logs(&whole, &store);
  for (uint32_t sticky = 0; sticky < 2; sticky++) {
    uint32_t refused = 0, named = 0, unharmed = 0;
    bool tried = true;
    for (uint64_t request = 1; tried; request++) {
      memory_store_reset(&store);
      store.fail_request = request;
      store.fail_on = sticky;
      run_logs(&all, &store);
      tried = store.requests >= request;
      bool failed = all.err.status == TD_NO_MEMORY;
      CHECK(failed || all.err.status == TD_END);
      if (!tried) CHECK(!failed);
      if (failed) refused++;
      if (failed && all.err.offset != TD_NO_OFFSET) named++;
      if (tried && !failed) unharmed++;
      check_prefix(&all, &whole);
    }
    /* list, two buffers, growth; then the shrink. */
    CHECK_U64(refused, 4);
    CHECK_U64(named, 1);
    CHECK_U64(unharmed, 1);
  }
  memory_store_deinit(&store);
}

/* More segments than the list has room for at first. */
static void case_many_segments(void) {
  memory_store store;
  td_wal_dir dir;
  memory_store_init(&store, test_seed());
  td_env env = memory_store_env(&store);
  log_maker maker = make_segment(LOG_SHARD, FIRST_SEQ);
  for (uint32_t i = 0; i < MEMORY_FILES_MAX; i++) {
    make_batch(&maker, 1);
    make_stored(&maker, &store);
  }
  for (uint64_t request = 1; request <= 4; request++) {
    td_error err = {.got = 0};
    memory_store_reset(&store);
    store.fail_request = request;
    td_status status = td_wal_dir_open(&dir, &env, "memory", &err);
    CHECK(status == (request <= 3 ? TD_NO_MEMORY : TD_OK));
    CHECK_U64(err.got, request <= 3
                         ? (sizeof *dir.segments * 32) << request : 0);
    if (status == TD_OK) td_wal_dir_close(&dir);
    CHECK(store.blocks_held == 0 && store.dirs_open == 0);
  }
  log_walk walk;
  memory_store_reset(&store);
  walk_store(&walk, &store, LOG_SHARD, 0);
  CHECK(walk.err.status == TD_END);
  CHECK_U64(walk.batches, MEMORY_FILES_MAX);
  memory_store_deinit(&store);
}

/* A store that only lists: so many names of segments, each empty. */
static int list_so_many(void *ctx, td_dir *dir, td_name_fn *each,
                        void *each_ctx) {
  const uint64_t *count = ctx;
  char name[TD_SEGNAME_TEXT_MAX];
  (void)dir;
  for (uint64_t seq = *count; seq > 0; seq--) {
    td_segname_format((td_segname){{0}, {seq}}, name);
    if (!each(each_ctx, name)) break;
  }
  return 0;
}
static int open_nothing(void *ctx, const char *path, td_dir **out) {
  (void)path;
  *out = ctx;
  return 0;
}
static int open_empty(void *ctx, td_dir *dir, const char *name,
                      td_file **out) {
  (void)dir;
  (void)name;
  *out = ctx;
  return 0;
}
static int size_nothing(void *ctx, td_file *file, uint64_t *out) {
  (void)ctx;
  (void)file;
  *out = 0;
  return 0;
}
static void close_nothing(void *ctx, td_dir *dir) { (void)ctx; (void)dir; }
static void close_empty(void *ctx, td_file *file) { (void)ctx; (void)file; }

/* TD_WAL_SEGMENTS_MAX and one more: some seconds and 400 MB. */
static void case_too_many(void) {
  static const td_store_class listing = {
    .dir_open = open_nothing, .dir_list = list_so_many,
    .dir_close = close_nothing, .file_open = open_empty,
    .file_size = size_nothing, .file_close = close_empty,
  };
  uint64_t count = TD_WAL_SEGMENTS_MAX;
  td_env env = td_env_posix();
  td_wal_dir dir;
  td_error err;
  env.store = &listing;
  env.store_ctx = &count;
  CHECK(td_wal_dir_open(&dir, &env, "", NULL) == TD_OK);
  CHECK_U64(dir.segment_count, TD_WAL_SEGMENTS_MAX);
  for (uint32_t i = 0; i < dir.segment_count; i++) {
    if (dir.segments[i].name.first_seq.value != i + 1) CHECK(false);
  }
  td_wal_dir_close(&dir);
  count++;
  CHECK(td_wal_dir_open(&dir, &env, "", &err) == TD_TOO_MANY);
  CHECK_U64(err.got, TD_WAL_SEGMENTS_MAX + 1);
}

/* Another log's truncation removes a segment between its name and its size:
 * as if it had been gone before. */
static void case_going(void) {
  memory_store store;
  uint32_t gone = 0;
  memory_store_init(&store, test_seed());
  make_fault_logs(&store);
  td_env env = memory_store_env(&store);
  for (uint64_t call = 3;; call++) {  /* behind dir_open and dir_list */
    td_wal_dir dir;
    store.calls = 0;
    store.fail_call = call;
    store.fail_errno = ENOENT;
    td_status status = td_wal_dir_open(&dir, &env, "/memory", NULL);
    bool reached = store.calls >= call;
    if (status == TD_OK) {
      gone += dir.segment_count == 3;
      CHECK_U64(dir.segment_count + (dir.segment_count == 3), 4);
      for (uint32_t i = 0; i < dir.segment_count; i++) {
        CHECK(dir.segments[i].size > 0);
      }
      td_wal_dir_close(&dir);
    }
    CHECK(store.dirs_open == 0 && store.files_open == 0);
    if (!reached) break;
  }
  CHECK_U64(gone, 4);
  store.fail_call = 0;
  memory_store_deinit(&store);
}

void test_wal_faults(void) {
  test_case("wal", "every call fails once", case_calls_fail);
  test_case("wal", "a segment goes while it is listed", case_going);
  test_case("wal", "a failed read names its offset", case_read_offset);
  test_case("wal", "every request for memory fails", case_memory_fails);
  test_case("wal", "more segments than room at first", case_many_segments);
  if (test_soak()) {
    test_case("wal", "16,777,216 segments, and one more", case_too_many);
  }
}
