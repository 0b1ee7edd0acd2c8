/* The writing half of a log: what it promises on a disk that works.
 * Covers io/wal_log io/wal_home io/wal_writer io/wal_group io/wal_recover
 * io/wal_checkpoint io/wal_tail. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "test/log_scene.h"

void test_log(void) {
  test_log_faults();
  test_log_damage();
  test_log_crash();
}
