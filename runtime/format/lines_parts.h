/* What reads one line, for the two forms.
 *
 * Thread: owner. */
#ifndef TD_FORMAT_LINES_PARTS_H
#define TD_FORMAT_LINES_PARTS_H

#include "format/lines.h"

typedef enum td_line_field {
  TD_LINE_ENTITY, TD_LINE_SIGNAL_TYPE, TD_LINE_WEIGHT, TD_LINE_TIMESTAMP_NS,
  TD_LINE_REGION, TD_LINE_SHARD, TD_LINE_SEQNO, TD_LINE_FIELDS,
} td_line_field;

/* Reports a fault of the current line, at `given` in it; returns false. */
bool td_line_bad(td_lines *lines, td_span line, td_span given,
                 const char *field, const char *what);

/* "weight" */
const char *td_line_field_name(td_line_field field);

/* Reads the text of a field; reports it if it is not right. */
bool td_line_set(td_lines *lines, td_span line, td_line_field field,
                 td_span given, td_record *out);

/* The same complaint without a try. */
bool td_line_refuse(td_lines *lines, td_span line, td_line_field field,
                    td_span given);

/* lines_json.c: one object. */
bool td_line_json(td_lines *lines, td_span line, td_record *out);

#endif
