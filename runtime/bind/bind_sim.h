/* A place on a simulated disk: what tidal.wal takes instead of a path.
 *
 * A place keeps its disk alive (user value 1), and what is opened on the
 * place keeps the place. A disk that was closed is empty, so that whatever
 * still points to it finds nothing. */
#ifndef TD_BIND_SIM_H
#define TD_BIND_SIM_H

#include "bind/bind.h"
#include "sim/disk.h"

typedef struct td_bound_disk {
  td_disk disk;
  bool open;
} td_bound_disk;

typedef struct td_bound_place {
  td_bound_disk *on;
  char path[];
} td_bound_place;

#endif
