/* A mutex and a condition, in the caller's memory.
 *
 * Over pthreads rather than C11's threads.h: ThreadSanitizer does not see
 * the latter, and timed waits there follow a clock that can be set back.
 *
 * Thread: any. */
#ifndef TD_IO_LOCK_H
#define TD_IO_LOCK_H

#include <stdint.h>

typedef struct td_lock { uint64_t room[8]; } td_lock;
typedef struct td_cond { uint64_t room[8]; } td_cond;

/* None fails: what could is a broken promise of the caller. */
void td_lock_init(td_lock *lock);
void td_lock_deinit(td_lock *lock);
void td_lock_take(td_lock *lock);
void td_lock_release(td_lock *lock);

void td_cond_init(td_cond *cond);
void td_cond_deinit(td_cond *cond);
/* May return for no reason: wait in a loop over what is waited for. */
void td_cond_wait(td_cond *cond, td_lock *lock);
/* The same, for at most so long. */
void td_cond_wait_for(td_cond *cond, td_lock *lock, uint64_t delay_ns);
/* Wakes every waiter. */
void td_cond_wake(td_cond *cond);

#endif
