/* Covers format/checkpoint.
 * Both versions: every flip, every cut, every rule. */
#include "test/test.h"

#include <string.h>

#include "tidal.h"

static const td_mark marks[] = {
  {{{0}, {3}}, 2, {40}}, {{{2}, {3}}, UINT32_MAX, {UINT64_MAX}},
};

static td_checkpoint sample(void) {
  return (td_checkpoint){
    .seqno = {UINT64_MAX}, .timestamp_ns = UINT64_MAX - 1, .generation = 3,
    .hlc_wall_ns = UINT64_C(1) << 63, .layout_epoch = UINT32_MAX,
    .mark_count = 2, .shard = {65535}, .region = {65535}, .clean = true,
  };
}

static void round_trip(void) {
  uint8_t bytes[128];
  td_checkpoint in = sample(), out;
  size_t size = td_checkpoint_size(2);
  CHECK_U64(size, 104);
  CHECK(td_checkpoint_encode(&in, marks, bytes, sizeof bytes, NULL) == TD_OK);
  td_span span = {bytes, size};
  CHECK(td_checkpoint_decode(span, &out, NULL) == TD_OK);
  CHECK_U64(out.seqno.value, in.seqno.value);
  CHECK_U64(out.timestamp_ns, in.timestamp_ns);
  CHECK_U64(out.generation, 3);
  CHECK_U64(out.hlc_wall_ns, in.hlc_wall_ns);
  CHECK_U64(out.layout_epoch, UINT32_MAX);
  CHECK(out.clean && out.shard.value == 65535 && out.region.value == 65535);
  for (uint32_t i = 0; i < 2; i++) {
    td_mark mark = td_checkpoint_mark(span, i);
    CHECK(td_log_id_eq(mark.log, marks[i].log));
    CHECK_U64(mark.epoch, marks[i].epoch);
    CHECK_U64(mark.seqno.value, marks[i].seqno.value);
  }
}

static void every_flip_and_cut(void) {
  uint8_t bytes[128];
  td_checkpoint in = sample(), out;
  size_t size = td_checkpoint_size(2);
  CHECK(td_checkpoint_encode(&in, marks, bytes, sizeof bytes, NULL) == TD_OK);
  for (size_t bit = 0; bit < size * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    td_status status = td_checkpoint_decode((td_span){bytes, size}, &out,
                                            NULL);
    CHECK(status == (bit < 32 ? TD_MAGIC : TD_HEADER_HASH));
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  for (size_t cut = 0; cut < size; cut++) {
    td_status status = td_checkpoint_decode((td_span){bytes, cut}, &out,
                                            NULL);
    CHECK(status == (cut < 72 ? TD_SHORT : TD_HEADER_HASH));
  }
}

static td_status judge_forged(size_t at, uint8_t value) {
  uint8_t bytes[128];
  td_checkpoint in = sample(), out;
  size_t size = td_checkpoint_size(2);
  CHECK(td_checkpoint_encode(&in, marks, bytes, sizeof bytes, NULL) == TD_OK);
  bytes[at] = value;
  td_put_u64(bytes + size - 8, td_hash64((td_span){bytes, size - 8}));
  return td_checkpoint_decode((td_span){bytes, size}, &out, NULL);
}

static void rules_behind_the_hash(void) {
  CHECK(judge_forged(4, 3) == TD_UNSUPPORTED);
  CHECK(judge_forged(6, 3) == TD_UNSUPPORTED);
  CHECK(judge_forged(24, 0) == TD_SEQUENCE);   /* generation 0 */
  CHECK(judge_forged(44, 1) == TD_LENGTH);     /* one mark too few */
  CHECK(judge_forged(47, 255) == TD_TOO_MANY);
  for (size_t at = 48; at < 58; at++) CHECK(judge_forged(at, 1) == TD_RESERVED);
  CHECK(judge_forged(62, 1) == TD_RESERVED);
  CHECK(judge_forged(80, 0) == TD_DUPLICATE);  /* second mark's region 0 */
  CHECK(judge_forged(64, 9) == TD_BACKWARD);   /* first mark's region 9 */
}

static void encode_refuses(void) {
  uint8_t bytes[128];
  td_error err;
  td_checkpoint in = sample();
  CHECK(td_checkpoint_encode(&in, marks, bytes, 103, &err) == TD_SHORT);
  td_mark wrong[] = {marks[1], marks[0]};
  CHECK(td_checkpoint_encode(&in, wrong, bytes, sizeof bytes, &err)
        == TD_BACKWARD);
  wrong[1] = marks[1];
  CHECK(td_checkpoint_encode(&in, wrong, bytes, sizeof bytes, &err)
        == TD_DUPLICATE);
  CHECK(err.index == 0 && err.other == 1);
  in.generation = 0;
  CHECK(td_checkpoint_encode(&in, marks, bytes, sizeof bytes, &err)
        == TD_SEQUENCE);
  in = sample();
  in.mark_count = TD_CHECKPOINT_MARKS_MAX + 1;
  CHECK(td_checkpoint_encode(&in, marks, bytes, sizeof bytes, &err)
        == TD_TOO_MANY);
}

static void version_1(void) {
  uint8_t bytes[TD_CHECKPOINT_V1_BYTES + 1] = {0};
  td_checkpoint in = {.seqno = {UINT64_MAX}, .timestamp_ns = 77}, out;
  td_checkpoint_encode_v1(&in, bytes);
  CHECK(td_checkpoint_decode_v1((td_span){bytes, 16}, &out, NULL) == TD_OK);
  CHECK_U64(out.seqno.value, UINT64_MAX);
  CHECK_U64(out.timestamp_ns, 77);
  CHECK(out.generation == 0 && out.mark_count == 0 && !out.clean);
  CHECK(td_checkpoint_decode_v1((td_span){bytes, 15}, &out, NULL)
        == TD_LENGTH);
  CHECK(td_checkpoint_decode_v1((td_span){bytes, 17}, &out, NULL)
        == TD_LENGTH);
}

static void slot_names(void) {
  char name[TD_CHECKPOINT_NAME_MAX];
  td_checkpoint_name((td_shard_id){3}, UINT64_MAX, name);
  CHECK_TEXT(name, "checkpoint-s00003.1");
  td_checkpoint_name((td_shard_id){65535}, 2, name);
  CHECK_TEXT(name, "checkpoint-s65535.0");
}

void test_checkpoint(void) {
  test_case("checkpoint", "v2 both ways", round_trip);
  test_case("checkpoint", "every flip and every cut", every_flip_and_cut);
  test_case("checkpoint", "rules behind the hash", rules_behind_the_hash);
  test_case("checkpoint", "encode refuses what no reader takes",
            encode_refuses);
  test_case("checkpoint", "v1 both ways", version_1);
  test_case("checkpoint", "names of the two slots", slot_names);
}
