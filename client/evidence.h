/*
 * NAME
 *   evidence - a folder that shows a court what happened to a message, checked with stock tools
 *
 * SYNOPSIS
 *   rg_evidence_write(home, spool, seq, "folder", why)
 *
 * DESCRIPTION
 *   Writes, for one message: header.bin (its SHA-256 is the message's id), per verified log entry
 *   entry-KIND.bin, proof-KIND.txt (leaf index and hashes) and head-KIND.txt (a C2SP signed note);
 *   the charter, the pages and their signatures, the signing certificates of both offices as they
 *   are listed, the log keys, and README.txt, which says what to type. Nothing of the content is in
 *   it.
 *
 * ERRORS
 *   RG_IO file-*; RG_DENIED evidence-exists (the folder is not empty), message-gone.
 */
#ifndef RG_CLIENT_EVIDENCE_H
#define RG_CLIENT_EVIDENCE_H

#include "client/home.h"
#include "client/spool.h"

/* A new folder for bundles; RG_DENIED evidence-exists. */
RG_MUST_USE rg_outcome rg_evidence_folder(const char *path, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_evidence_write(struct rg_home *home, struct rg_spool *spool,
                                         const struct rg_message_row *row, const char *folder,
                                         struct rg_reason *why);
/* Checks a stored proof again from its bytes: signature, inclusion, what it is about. */
RG_MUST_USE rg_outcome rg_evidence_check(struct rg_home *home, const struct rg_message_row *row,
                                         const struct rg_proof_row *proof, struct rg_reason *why);

#endif
