/*
 * NAME
 *   memory_store - a store in memory that survives a crash and fails when told
 *
 * SYNOPSIS
 *   disk = memory_disk_new()                   what would be on the disk: survives the courier
 *   store = memory_disk_open(disk)             an open batch of an earlier life is gone
 *   memory_disk_fail(disk, 3, RG_AGAIN)        the third call from now fails
 *   memory_disk_full(disk, true)               every write fails with store-full until false
 *   memory_disk_tear(disk, true)               the next commit says BROKEN; true: yet it was
 * written memory_disk_free(disk)
 *
 * DESCRIPTION
 *   Tables are growing arrays; every change of a batch is journaled and a rollback plays the
 * journal back. Look-ups are scans, which is enough for some thousand messages.
 */
#ifndef RG_TESTS_SIM_MEMORY_STORE_H
#define RG_TESTS_SIM_MEMORY_STORE_H

#include "gateway/store.h"

struct memory_disk;

struct memory_disk *memory_disk_new(void);
void memory_disk_free(struct memory_disk *disk);
struct rg_store *memory_disk_open(struct memory_disk *disk);

void memory_disk_fail(struct memory_disk *disk, uint64_t nth, enum rg_code code);
uint64_t memory_disk_calls(const struct memory_disk *disk); /* since memory_disk_fail */
void memory_disk_full(struct memory_disk *disk, bool full);
void memory_disk_tear(struct memory_disk *disk, bool written);
/* Says "written" and is not: a crash loses the last batches. The control that a test must notice.
 */
void memory_disk_lie(struct memory_disk *disk, bool lies);

/* What tests look at. */
size_t memory_disk_mails(struct memory_disk *disk, const char *box, enum rg_mail_kind kind,
                         const struct rg_id *id); /* NULL id: of any message */
size_t memory_disk_entries(struct memory_disk *disk, enum rg_entry_kind kind,
                           const struct rg_id *id);
bool memory_disk_message(struct memory_disk *disk, const struct rg_id *id, struct rg_message *out);
/* A restored backup: the log loses its last leaves. */
void memory_disk_cut_log(struct memory_disk *disk, uint64_t size);

#endif
