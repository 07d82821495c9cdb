/*
 * NAME
 *   evidence - a folder that shows a court what happened to a message, checked with stock tools
 *
 * SYNOPSIS
 *   rg_evidence_write(home, spool, &row, author, "folder", why)
 *
 * DESCRIPTION
 *   The layout is that of docs/evidence.md, which is put into the folder as CHECK.md: header.bin;
 *   entry-KIND.bin, proof-KIND.txt, head-KIND.txt and log-KIND.pem for each verified log entry;
 *   charter, pages, stop lists with their signatures; authority-N.pem, root.pem, author.pem; and
 *   README.txt, which says what this message is. Nothing of the content is in it. Every proof is
 *   checked again before it is written.
 *
 * ERRORS
 *   RG_IO file-*; RG_DENIED evidence-exists (the folder is there already), message-gone, proof-*,
 *   head-*.
 *
 * THREADS
 *   One.
 */
#ifndef RG_CLIENT_EVIDENCE_H
#define RG_CLIENT_EVIDENCE_H

#include "client/home.h"
#include "client/spool.h"

/* A new folder; RG_DENIED evidence-exists. */
RG_MUST_USE rg_outcome rg_evidence_folder(const char *path, struct rg_reason *why);
/* `author`: principal of who signed the content, "" when not known. */
RG_MUST_USE rg_outcome rg_evidence_write(struct rg_home *home, struct rg_spool *spool,
                                         const struct rg_message_row *row, const char *author,
                                         const char *folder, struct rg_reason *why);

#define RG_CHECKED_HEADS 64
struct rg_checked_heads { /* zeroed before the first proof; heads whose signature held */
    struct rg_head head[RG_CHECKED_HEADS];
    size_t next;
};
/* Checks a stored proof again from its bytes: signature, inclusion, what it is about. */
RG_MUST_USE rg_outcome rg_evidence_check(struct rg_home *home, const struct rg_message_row *row,
                                         const struct rg_proof_row *proof,
                                         struct rg_checked_heads *checked, struct rg_reason *why);

#endif
