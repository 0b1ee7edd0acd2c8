/* tidal: the distribution layer of tidalDB as a C library. This header is
 * all that a C program includes; the headers below hold the contracts. */
#ifndef TD_TIDAL_H
#define TD_TIDAL_H

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/env.h"
#include "base/float.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/prng.h"
#include "base/status.h"
#include "base/text.h"
#include "format/batch.h"
#include "format/checkpoint.h"
#include "format/cuts.h"
#include "format/layout.h"
#include "format/lines.h"
#include "format/parcel.h"
#include "format/record.h"
#include "format/segment.h"
#include "format/segname.h"
#include "io/dir_make.h"
#include "io/env_posix.h"
#include "io/wal.h"
#include "io/wal_follow.h"
#include "io/wal_home.h"
#include "io/wal_live.h"
#include "io/wal_log.h"
#include "io/wal_parts.h"
#include "io/wal_repair.h"
#include "io/wal_verify.h"
#include "model/config.h"
#include "model/profile.h"
#include "model/traffic.h"
#include "model/replication.h"
#include "model/router.h"

#define TD_VERSION "0.1.0"

#endif
