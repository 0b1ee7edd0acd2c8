/* The router that a layout describes.
 *
 * Thread: any. */
#ifndef TD_MODEL_ROUTER_LAYOUT_H
#define TD_MODEL_ROUTER_LAYOUT_H

#include "base/alloc.h"
#include "format/layout.h"
#include "model/router.h"

/* The block has td_router_size(layout->range_count) bytes; `ranges` are those
 * of td_layout_ranges; `alloc` lends 24 bytes for each of them. Statuses:
 * TD_OK, TD_NO_MEMORY; a layout that decoded gives no other. */
TD_API td_status td_router_init_layout(td_router *router,
                                       const td_layout *layout,
                                       const td_layout_range *ranges,
                                       const td_alloc *alloc, td_error *err);

#endif
