#include "io/wal_sent.h"

#include "format/record.h"
#include "io/wal_seams.h"

#define BLOCK_BYTES 16384u

td_status td_wal_sent_open(td_wal_sent *sent, const td_wal_dir *dir,
                           td_error *err) {
  *sent = (td_wal_sent){.dir = dir};
  td_status status = td_wal_layouts_list(&sent->layouts, dir, err);
  if (status != TD_OK) return status;
  sent->block = td_alloc_resize(&dir->env.alloc, NULL, 0, BLOCK_BYTES);
  if (sent->block) return TD_OK;
  td_wal_sent_close(sent);
  return td_fail(err, TD_NO_MEMORY, "block of a segment", BLOCK_BYTES, 0);
}

void td_wal_sent_close(td_wal_sent *sent) {
  if (!sent->dir) return;
  const td_alloc *alloc = &sent->dir->env.alloc;
  td_wal_layouts_close(&sent->layouts);
  td_wal_file_free(sent->dir, &sent->file);
  td_alloc_free(alloc, sent->block, BLOCK_BYTES);
  td_alloc_free(alloc, sent->payload, sent->room);
  *sent = (td_wal_sent){.dir = NULL};
}

td_status td_wal_sent_log(td_wal_sent *sent, td_shard_id shard,
                          td_error *err) {
  td_cuts cuts;
  td_wal_file_free(sent->dir, &sent->file);
  sent->shard = shard;
  sent->cut_count = 0;
  if (!td_wal_layouts_cuts(&sent->layouts, shard)) return TD_OK;
  td_status status = td_wal_cuts_read(sent->dir, shard, &sent->file, &cuts,
                                      err);
  if (status == TD_OK) sent->cut_count = cuts.count;
  return status;
}

td_cut td_wal_sent_cut(const td_wal_sent *sent, uint32_t epoch) {
  td_span bytes = {sent->file.data, sent->file.size};
  uint32_t low = 0, high = sent->cut_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (td_cuts_get(bytes, middle).epoch <= epoch) low = middle + 1;
    else high = middle;
  }
  return low > 0 ? td_cuts_get(bytes, low - 1) : (td_cut){.epoch = 0};
}

/* Whether a migration brought a batch. */
static bool is_brought(const td_wal_sent *sent, const td_batch *head) {
  uint32_t epoch = head->layout_epoch;
  if (epoch == 0 || sent->layouts.count == 0) return false;
  if (!td_wal_layouts_has(&sent->layouts, epoch)) return true;
  td_cut cut = td_wal_sent_cut(sent, epoch);
  return cut.epoch == epoch && td_seqno_cmp(head->first_seq, cut.upto) <= 0;
}

/* How many of a batch's events were sent. */
static uint32_t sent_of(const td_wal_sent *sent, const td_batch *head) {
  bool sends = head->kind == TD_BATCH_SIGNALS && !is_brought(sent, head);
  return sends ? head->event_count : 0;
}

/* --- a segment, header by header ------------------------------------------ */

typedef struct headers {
  td_wal_sent *sent;
  td_segname name;
  td_file *file;
  uint64_t block_at;      /* in the file, of sent->block ... */
  size_t block_size;      /* ... of which so much is read */
  uint64_t offset, next;  /* of `head`, and behind it */
  td_batch head;
} headers;

static td_status at_place(const headers *in, td_status status,
                          td_error *err) {
  char name[TD_SEGNAME_TEXT_MAX];
  if (status == TD_OK || status == TD_END) return status;
  td_segname_format(in->name, name);
  td_error_at(err, name, in->offset);
  return status;
}

/* TD_MISSING where it was truncated since it was listed. */
static td_status open_headers(headers *in, td_wal_sent *sent,
                              uint32_t segment, td_error *err) {
  const td_wal_dir *dir = sent->dir;
  char name[TD_SEGNAME_TEXT_MAX];
  *in = (headers){.sent = sent, .name = dir->segments[segment].name};
  td_segname_format(in->name, name);
  int result = dir->env.store->file_open(dir->env.store_ctx, dir->dir, name,
                                         &in->file);
  if (result == 0) return TD_OK;
  in->file = NULL;
  if (result == -TD_SYS_NOENT) return TD_MISSING;
  return td_wal_fail_io(err, "opening", result, name, 0);
}

static void close_headers(headers *in) {
  const td_env *env = &in->sent->dir->env;
  if (in->file) env->store->file_close(env->store_ctx, in->file);
}

/* The bytes of the header at in->offset, fewer at the end of the file. */
static td_status look_at(headers *in, td_span *bytes, td_error *err) {
  uint64_t end = in->block_at + in->block_size;
  if (in->offset < in->block_at
      || in->offset + TD_BATCH_HEADER_BYTES > end) {
    in->block_at = in->offset;
    td_status status = td_wal_file_fill(&in->sent->dir->env, in->file,
                                        in->sent->block, BLOCK_BYTES,
                                        in->offset, &in->block_size, err);
    if (status != TD_OK) return status;
  }
  size_t at = (size_t)(in->offset - in->block_at);
  *bytes = (td_span){in->sent->block + at, in->block_size - at};
  return TD_OK;
}

/* The next one, of events through `upto`; else TD_END. */
static td_status next_header(headers *in, td_seqno upto, td_error *err) {
  td_span bytes;
  if (in->next > 0 && td_seqno_cmp(td_batch_last_seq(&in->head), upto) >= 0) {
    return TD_END;
  }
  in->offset = in->next;
  td_status status = look_at(in, &bytes, err);
  if (status != TD_OK) return at_place(in, status, err);
  if (bytes.size == 0 || bytes.data[0] == 0) return TD_END;
  status = td_batch_decode(bytes, &in->head, err);
  if (status != TD_OK) return at_place(in, status, err);
  in->next = in->offset + td_batch_size(&in->head);
  return td_seqno_cmp(in->head.first_seq, upto) > 0 ? TD_END : TD_OK;
}

static td_status read_payload(headers *in, td_error *err) {
  td_wal_sent *sent = in->sent;
  const td_env *env = &sent->dir->env;
  size_t size = in->head.payload_len, filled;
  if (size > sent->room) {
    uint8_t *room = td_alloc_resize(&env->alloc, sent->payload, sent->room,
                                    size);
    if (!room) return td_fail(err, TD_NO_MEMORY, "batch", size, 0);
    sent->payload = room;
    sent->room = size;
  }
  td_status status = td_wal_file_fill(env, in->file, sent->payload, size,
                                      in->offset + TD_BATCH_HEADER_BYTES,
                                      &filled, err);
  if (status == TD_OK) {
    status = td_batch_verify(&in->head, (td_span){sent->payload, filled}, err);
  }
  return at_place(in, status, err);
}

/* --- the last ones -------------------------------------------------------- */

/* Statuses: also TD_MISSING, of one that is gone by now: the front is. */
static td_status count_segment(td_wal_sent *sent, uint32_t segment,
                               td_seqno upto, uint64_t *count,
                               td_error *err) {
  headers in;
  td_status status = open_headers(&in, sent, segment, err);
  while (status == TD_OK) {
    status = next_header(&in, upto, err);
    if (status == TD_OK) *count += sent_of(sent, &in.head);
  }
  close_headers(&in);
  return status == TD_END ? TD_OK : status;
}

typedef struct teller {
  td_seqno upto;
  uint64_t skip, left;  /* events not to be told, and then to be told */
  td_wal_sent_take *take;
  void *ctx;
} teller;

static td_status tell_batch(teller *to, headers *in, td_error *err) {
  uint32_t count = sent_of(in->sent, &in->head);
  uint32_t from = to->skip < count ? (uint32_t)to->skip : count;
  to->skip -= from;
  if (from == count) return TD_OK;
  td_status status = read_payload(in, err);
  if (status != TD_OK) return status;
  td_seqno first = {in->head.first_seq.value + from};
  status = to->take(to->ctx,
                    in->sent->payload + (size_t)from * TD_RECORD_BYTES,
                    count - from, first, to->left, err);
  to->left -= count - from;
  return status;
}

/* One that is gone by now had the oldest. */
static td_status tell_segment(td_wal_sent *sent, uint32_t segment, teller *to,
                              td_error *err) {
  headers in;
  td_status status = open_headers(&in, sent, segment, err);
  if (status == TD_MISSING) return TD_OK;
  while (status == TD_OK) {
    status = next_header(&in, to->upto, err);
    if (status == TD_OK) status = tell_batch(to, &in, err);
  }
  close_headers(&in);
  return status == TD_END ? TD_OK : status;
}

/* The first of the segments before *end that has some of the last `depth`
 * events, and how many they and those behind it have; *end: behind `upto`. */
static td_status find_first(td_wal_sent *sent, td_seqno upto, uint32_t depth,
                            uint32_t *at, uint32_t *end, uint64_t *found,
                            td_error *err) {
  const td_wal_segment *list = sent->dir->segments;
  uint32_t first, count = td_wal_dir_log(sent->dir, sent->shard, &first);
  td_status status = TD_OK;
  *end = first + count;
  while (*end > first
         && td_seqno_cmp(list[*end - 1].name.first_seq, upto) > 0) {
    --*end;
  }
  *found = 0;
  *at = *end;
  while (status == TD_OK && *at > first && *found < depth) {
    status = count_segment(sent, *at - 1, upto, found, err);
    *at -= status == TD_OK;
  }
  return status == TD_MISSING ? TD_OK : status;
}

td_status td_wal_sent_last(td_wal_sent *sent, td_seqno upto, uint32_t depth,
                           td_wal_sent_take *take, void *ctx, td_error *err) {
  uint64_t found;
  uint32_t at, end;
  teller to = {.upto = upto, .take = take, .ctx = ctx};
  td_status status = find_first(sent, upto, depth, &at, &end, &found, err);
  to.skip = found > depth ? found - depth : 0;
  to.left = found - to.skip;
  for (; status == TD_OK && at < end; at++) {
    status = tell_segment(sent, at, &to, err);
    to.skip = 0;  /* all of it was in the first */
  }
  return status;
}
