/* Locks over pthreads, waits on the clock that never goes back. */
#define _POSIX_C_SOURCE 200809L

#include "io/lock.h"

#include <pthread.h>
#include <time.h>

#include "base/status.h"

#define NS UINT64_C(1000000000)
#define DELAY_NS_MAX (NS * 3600u * 24u)  /* a day: fits every time_t */

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(td_lock), "a mutex fits");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(td_cond), "a condition fits");

static pthread_mutex_t *mutex_of(td_lock *lock) { return (void *)lock; }
static pthread_cond_t *cond_of(td_cond *cond) { return (void *)cond; }

void td_lock_init(td_lock *lock) {
  int failed = pthread_mutex_init(mutex_of(lock), NULL);
  td_assert(!failed);
}

void td_lock_deinit(td_lock *lock) {
  (void)pthread_mutex_destroy(mutex_of(lock));
}

void td_lock_take(td_lock *lock) {
  int failed = pthread_mutex_lock(mutex_of(lock));
  td_assert(!failed);
}

void td_lock_release(td_lock *lock) {
  int failed = pthread_mutex_unlock(mutex_of(lock));
  td_assert(!failed);
}

void td_cond_init(td_cond *cond) {
  pthread_condattr_t about;
  int failed = pthread_condattr_init(&about);
  if (!failed) failed = pthread_condattr_setclock(&about, CLOCK_MONOTONIC);
  if (!failed) failed = pthread_cond_init(cond_of(cond), &about);
  td_assert(!failed);
  (void)pthread_condattr_destroy(&about);
}

void td_cond_deinit(td_cond *cond) {
  (void)pthread_cond_destroy(cond_of(cond));
}

void td_cond_wait(td_cond *cond, td_lock *lock) {
  int failed = pthread_cond_wait(cond_of(cond), mutex_of(lock));
  td_assert(!failed);
}

void td_cond_wait_for(td_cond *cond, td_lock *lock, uint64_t delay_ns) {
  struct timespec until;
  int failed = clock_gettime(CLOCK_MONOTONIC, &until);
  td_assert(!failed);
  if (delay_ns > DELAY_NS_MAX) delay_ns = DELAY_NS_MAX;
  uint64_t ns = (uint64_t)until.tv_nsec + delay_ns % NS;
  until.tv_sec += (time_t)(delay_ns / NS + ns / NS);
  until.tv_nsec = (long)(ns % NS);
  (void)pthread_cond_timedwait(cond_of(cond), mutex_of(lock), &until);
}

void td_cond_wake(td_cond *cond) {
  (void)pthread_cond_broadcast(cond_of(cond));
}
