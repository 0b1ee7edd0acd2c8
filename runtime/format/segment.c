#include "format/segment.h"

bool td_segment_only_zeros(td_span bytes) {
  if (bytes.size == 0) return true;
  if (bytes.data[0]) return false;
  /* Equal to itself moved by one byte, and the first is zero: all are. */
  return memcmp(bytes.data, bytes.data + 1, bytes.size - 1) == 0;
}

static td_span rest(td_span bytes, size_t at) {
  return (td_span){bytes.data + at, bytes.size - at};
}

td_status td_segment_next(td_segment *segment, td_batch *batch,
                          td_span *payload, td_error *err) {
  td_span left = rest(segment->bytes, segment->at);
  if (left.size == 0 || (left.data[0] == 0 && td_segment_only_zeros(left))) {
    return td_fail(err, TD_END, NULL, 0, 0);
  }
  td_batch head;
  td_status status = td_batch_decode(left, &head, err);
  if (status == TD_OK) {
    status = td_batch_verify(&head, rest(left, TD_BATCH_HEADER_BYTES), err);
  }
  if (status != TD_OK) {
    td_error_at(err, NULL, segment->at);
    return status;
  }
  *batch = head;
  *payload = (td_span){left.data + TD_BATCH_HEADER_BYTES, head.payload_len};
  segment->at += td_batch_size(&head);
  return TD_OK;
}
