/* The Lua modules that travel inside the executable.
 *
 * The table is generated from lua/tidal at build time. A name is what
 * require() takes: lua/tidal/init.lua is "tidal", lua/tidal/check.lua is
 * "tidal.check", lua/tidal/cluster/init.lua is "tidal.cluster". Each is
 * compiled already (scripts/tools/compile.lua), which loads in a tenth of the
 * time. A build that embeds nothing has one entry of zeros, because C has no
 * empty arrays, and the count 0. */
#ifndef TD_HOST_EMBEDDED_H
#define TD_HOST_EMBEDDED_H

#include <stddef.h>

typedef struct td_embedded {
  const char *name;
  const char *bytes;  /* compiled, or source; may hold zero bytes */
  size_t size;
} td_embedded;

extern const td_embedded td_embedded_modules[];
extern const size_t td_embedded_count;

#endif
