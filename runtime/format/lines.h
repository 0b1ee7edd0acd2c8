/* Events as lines of text, read piece by piece: CSV or JSON, as the first
 * byte that is no blank says ('{' = JSON).
 *
 *   CSV    entity,signal_type,weight,timestamp_ns
 *          0x000000000000002a,3,0.5,1700000000000000000
 *   JSON   {"entity":"0x2a","signal_type":3,"weight":0.5,
 *           "timestamp_ns":"1700000000000000000"}             on one line
 *
 *   entity, timestamp_ns   0..2^64-1: decimal, or 0x and 1..16 hex digits; in
 *                          JSON as text, or decimal as a plain integer
 *   signal_type            0..255, plain
 *   weight                 base/float.h; in JSON "nan", "inf", "-inf" as text
 *
 * The line of names is optional. In JSON keys come in any order with blanks
 * between; no key twice, none missing, none unknown, no escapes. Lines may end
 * in CR LF, the last one in nothing; blank lines count as lines and are passed
 * over, and so is a byte order mark at the start. Nothing else is: no blanks
 * in fields, no quotes in CSV.
 *
 * What `wal export` writes is read too: region, shard and seqno in front (in
 * JSON all three or none) must be right and are dropped, because who reads
 * events routes them anew. All lines of CSV have as many fields as the first.
 *
 * A bad line is reported and passed over; whoever wants all or nothing reads
 * twice. Names in another order are no bad line but the end: then nothing
 * that follows can be trusted (TD_LINES_FOREIGN).
 *
 * Thread: owner. */
#ifndef TD_FORMAT_LINES_H
#define TD_FORMAT_LINES_H

#include <stdbool.h>

#include "base/bytes.h"
#include "format/record.h"

#define TD_LINE_BYTES_MAX 4096u      /* without its end */
#define TD_LINE_FAULT_TEXT_MAX 384u

typedef enum td_lines_form {
  TD_LINES_UNKNOWN,  /* nothing but blanks so far */
  TD_LINES_CSV,
  TD_LINES_JSON,
  TD_LINES_FOREIGN,  /* other columns: nothing more is read */
} td_lines_form;

typedef struct td_line_fault {
  uint64_t line;      /* from 1 */
  uint32_t column;    /* in bytes from 1 */
  const char *field;  /* "weight"; NULL = the line itself */
  td_span given;      /* in the line, until the callback returns */
  const char *what;   /* how to write it */
} td_line_fault;

typedef void td_line_fault_fn(void *ctx, const td_line_fault *fault);

/* Private but for form, line, events and bad. */
typedef struct td_lines {
  td_lines_form form;
  uint64_t line;       /* lines read */
  uint64_t events;
  uint64_t bad;        /* lines that were reported */
  td_line_fault_fn *fault;
  void *fault_ctx;
  uint32_t columns;    /* of CSV: 4 or 7; 0 = not known yet */
  uint32_t kept;       /* bytes of a line whose end is not there yet */
  /* A line, its byte order mark and CR, and one byte that is too many. */
  uint8_t rest[TD_LINE_BYTES_MAX + 5];
} td_lines;

/* `fault` (nullable) is called for every bad line. */
TD_API void td_lines_init(td_lines *lines, td_line_fault_fn *fault,
                          void *fault_ctx);

/* Reads lines from bytes.data[*at] on until `out` is full or the bytes end; a
 * last line without its end is kept for the next call. Moves *at; returns
 * the number of events. */
TD_API uint32_t td_lines_read(td_lines *lines, td_span bytes, size_t *at,
                              td_record *out, uint32_t room);

/* No more bytes come: reads the line that is kept. Returns 0 or 1. */
TD_API uint32_t td_lines_end(td_lines *lines, td_record *out);

/* `line 3, column 12: signal_type "256": write an integer 0..255` with a
 * closing zero; what was given is cut to 40 bytes and made printable.
 * Returns the length. */
TD_API size_t td_line_fault_format(const td_line_fault *fault,
                                   char out[TD_LINE_FAULT_TEXT_MAX]);

#endif
