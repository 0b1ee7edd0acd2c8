/* Where a broken promise ends: one line on standard error, then abort().
 * No stdio and no memory: nothing is known to be sound any more. */
#define _POSIX_C_SOURCE 200809L

#include "base/status.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

#define PANIC_TEXT_MAX 1024u

_Noreturn void td_panic(const char *file, int line, const char *what) {
  char out[PANIC_TEXT_MAX];
  td_text text = td_text_init(out, sizeof out);
  td_text_string(&text, file);
  td_text_char(&text, ':');
  td_text_decimal(&text, (uint64_t)line);
  td_text_string(&text, ": broken promise: ");
  td_text_string(&text, what);
  td_text_char(&text, '\n');
  size_t size = text.size < sizeof out ? text.size : sizeof out - 1;
  for (size_t at = 0; at < size;) {
    ssize_t count = write(STDERR_FILENO, out + at, size - at);
    if (count <= 0) break;
    at += (size_t)count;
  }
  abort();
}
