/* For tests: the bytes of published layout files. */
#ifndef TD_TEST_LAYOUT_TEXT_H
#define TD_TEST_LAYOUT_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Puts line feed and hash behind a line of `size` bytes in `out`, which has
 * room for 34 more. Returns the size of the whole. */
size_t layout_seal(char *out, size_t size);

/* A whole file: its epoch, strategy and number of shards, and the list of
 * ranges as JSON or NULL. Returns the size. */
size_t layout_text(char *out, size_t room, uint32_t epoch,
                   const char *strategy, uint32_t num_shards,
                   const char *ranges);

#endif
