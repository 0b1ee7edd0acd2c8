#include "base/status.h"

#include <string.h>

#include "base/text.h"

td_status td_fail(td_error *err, td_status status, const char *subject,
                  uint64_t got, uint64_t bound) {
  if (err) {
    *err = (td_error){
      .status = status, .subject = subject, .got = got, .bound = bound,
      .offset = TD_NO_OFFSET, .index = TD_NO_INDEX, .other = TD_NO_INDEX,
    };
  }
  return status;
}

void td_error_at(td_error *err, const char *file, uint64_t offset) {
  if (!err) return;
  err->offset = offset;
  if (!file) return;
  td_text text = td_text_init(err->file, sizeof err->file);
  td_text_string(&text, file);
}

static const char *const codes[TD_STATUS_COUNT] = {
#define TD_STATUS_CODE(name, code, sentence) code,
  TD_STATUS_MAP(TD_STATUS_CODE)
#undef TD_STATUS_CODE
};

static const char *const sentences[TD_STATUS_COUNT] = {
#define TD_STATUS_SENTENCE(name, code, sentence) sentence,
  TD_STATUS_MAP(TD_STATUS_SENTENCE)
#undef TD_STATUS_SENTENCE
};

const char *td_status_code(td_status status) {
  td_assert((unsigned)status < TD_STATUS_COUNT);
  return codes[status];
}

/* One {word} of a sentence; returns the position behind it. */
static const char *put_word(td_text *text, const char *at,
                            const td_error *err) {
  const char *end = strchr(at, '}');
  td_assert(end);
  switch (at[1]) {
  case 'x':
    td_text_string(text, "0x");
    td_text_hex(text, at[2] == 'g' ? err->got : err->bound, 16);
    break;
  case 'g': td_text_decimal(text, err->got); break;
  case 'b': td_text_decimal(text, err->bound); break;
  case 'i': td_text_decimal(text, (uint64_t)err->index + 1); break;
  default: td_text_decimal(text, (uint64_t)err->other + 1); break;
  }
  return end + 1;
}

size_t td_error_format(const td_error *err, char *out, size_t size) {
  td_text text = td_text_init(out, size);
  if (err->file[0]) {
    td_text_string(&text, err->file);
    td_text_string(&text, ": ");
  }
  td_text_string(&text, td_status_code(err->status));
  td_text_string(&text, ": ");
  if (err->subject) {
    td_text_string(&text, err->subject);
    td_text_char(&text, ' ');
  }
  for (const char *at = sentences[err->status]; *at;) {
    if (*at == '{') {
      at = put_word(&text, at, err);
    } else {
      td_text_char(&text, *at++);
    }
  }
  if (err->sys) {
    td_text_string(&text, ": errno ");
    td_text_decimal(&text, (uint64_t)(uint32_t)err->sys);
  }
  if (err->offset != TD_NO_OFFSET) {
    td_text_string(&text, " (at byte ");
    td_text_decimal(&text, err->offset);
    td_text_char(&text, ')');
  }
  return text.size;
}
