/* When a log acknowledges, and how many events go to disk together.
 *
 * Thread: any. */
#ifndef TD_BASE_POLICY_H
#define TD_BASE_POLICY_H

#include <stdint.h>

typedef enum td_sync_policy {
  TD_SYNC_ALWAYS,           /* acknowledged means synced */
  TD_SYNC_UNSAFE_INTERVAL,  /* a crash loses what came since the last sync */
  TD_SYNC_UNSAFE_NEVER,     /* the operating system decides */
} td_sync_policy;

/* A group of events is closed at so many of them, or after this. */
#define TD_GROUP_EVENTS_DEFAULT 100u
#define TD_GROUP_DELAY_NS_DEFAULT UINT64_C(10000000)
#define TD_GROUP_DELAY_NS_MAX UINT64_C(60000000000)

#endif
