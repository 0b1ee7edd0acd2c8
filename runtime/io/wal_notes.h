/* What the checkpoints of one log say about it: FORMAT.md 4.
 *
 * Two slots, read one after the other; checkpoint.meta (v1, shard 0) only
 * where neither exists. A slot that is there and cannot be read is reported:
 * slots are replaced by rename, so no crash leaves one half written.
 *
 * Thread: owner. */
#ifndef TD_IO_WAL_NOTES_H
#define TD_IO_WAL_NOTES_H

#include "io/wal_verify.h"

#define TD_WAL_META_NAME "checkpoint.meta"

/* True for the name of a slot, in the one form that td_checkpoint_name
 * writes. */
TD_API bool td_wal_slot_parse(const char *name, td_shard_id *shard,
                              uint32_t *slot);

/* The bytes of a slot; its name says shard and slot, and so must they.
 * Statuses: those of td_checkpoint_decode, TD_MISMATCH. */
TD_API td_status td_wal_slot_decode(td_span bytes, td_shard_id shard,
                                    uint32_t slot, td_checkpoint *out,
                                    td_error *err);

/* Reads a slot that exists into notes->slots and ->good, or fills the report
 * with what is wrong. Statuses: TD_OK (report->verdict says), TD_IO,
 * TD_NO_MEMORY. */
TD_API td_status td_wal_slot_read(const td_wal_dir *dir, td_shard_id shard,
                                  uint32_t slot, td_wal_notes *notes,
                                  td_wal_report *report, td_error *err);
/* The same for checkpoint.meta. */
TD_API td_status td_wal_meta_read(const td_wal_dir *dir, td_wal_notes *notes,
                                  td_wal_report *report, td_error *err);

/* Reads the cuts of a shard, or a published layout: the report says what
 * is wrong with it, if anything. Statuses: as td_wal_slot_read. */
TD_API td_status td_wal_cuts_check(const td_wal_dir *dir, td_shard_id shard,
                                   td_wal_report *report, td_error *err);
TD_API td_status td_wal_layout_check(const td_wal_dir *dir, uint32_t epoch,
                                     td_wal_report *report, td_error *err);

/* Draws named, retired, clean and marked from the slots that were read. */
TD_API void td_wal_notes_end(td_wal_notes *notes);

#endif
