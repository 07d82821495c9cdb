/*
 * NAME
 *   casebook_inside - what the parts of the casebook share: sealed items, flat bytes
 *
 * SYNOPSIS
 *   rg_book_item_find(book, kind, owner, at, &item, &found, why)    its sealed bytes in
 * book->sealed rg_book_item_open(book, &item, &plain, why) rg_book_item_put(book, &item, plain,
 * why)                       row 0: new
 *
 * DESCRIPTION
 *   The context of a sealed item is its kind, owner and place, so an item moved to another row does
 *   not open. Plain bytes are padded to a few sizes (as sections on the wire are), so that a
 *   name's length does not show; items written before that (no "2 " in their context) still open.
 */
#ifndef RG_CLIENT_CASEBOOK_INSIDE_H
#define RG_CLIENT_CASEBOOK_INSIDE_H

#include "client/casebook.h"

struct rg_casebook {
    struct rg_spool *spool;    /* borrowed */
    struct rg_storage storage; /* its context is borrowed */
    int64_t epoch;             /* of the book key: grows when it is replaced */
    struct rg_vault_key key;
    struct rg_vault_key labels;
    struct rg_buffer plain;      /* reused, secret */
    struct rg_buffer padded;     /* reused, secret */
    struct rg_buffer sealed;     /* reused */
    int64_t last_row, last_slot; /* of the case last put: its record comes next */
};

RG_MUST_USE rg_outcome rg_book_item_put(struct rg_casebook *book, struct rg_item *item,
                                        struct rg_bytes plain, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_book_item_open(struct rg_casebook *book, const struct rg_item *item,
                                         struct rg_buffer *plain_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_book_item_find(struct rg_casebook *book, enum rg_item_kind kind,
                                         int64_t owner, int64_t at, struct rg_item *out,
                                         bool *found_out, struct rg_reason *why);

/* What binds a sealed item to its place; `form` "" for one that was written before padding. */
struct rg_book_place {
    char text[64];
};
#define RG_BOOK_PADDED "2 "
struct rg_bytes rg_book_place_of(const struct rg_item *item, const char *form,
                                 struct rg_book_place *out);
/* Another program may have replaced the book key: the one in force is read. */
RG_MUST_USE rg_outcome rg_book_key_renew(struct rg_casebook *book, bool *changed_out,
                                         struct rg_reason *why);
#define RG_BOOK_KEY "casebook-key"
#define RG_BOOK_LABELS "casebook-labels"
#define RG_BOOK_EPOCH "casebook-epoch"

/* ---- the index (casebook_index.c) ---- */

RG_MUST_USE rg_outcome rg_book_slot_new(struct rg_casebook *book, int64_t *slot_out,
                                        struct rg_reason *why);
RG_MUST_USE rg_outcome rg_book_index_file(struct rg_casebook *book, struct rg_case_file *file,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_book_index_names(struct rg_casebook *book, int64_t slot, int64_t row,
                                           const struct rg_record *record, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_book_index_make(struct rg_casebook *book, struct rg_reason *why);

/* ---- flat bytes: numbers are 8 bytes, little endian; texts have their length before them ---- */

RG_MUST_USE rg_outcome rg_flat_put_number(struct rg_buffer *out, uint64_t value,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_flat_put_text(struct rg_buffer *out, const char *text,
                                        struct rg_reason *why);
struct rg_flat { /* reading: `bad` once anything did not fit */
    struct rg_bytes left;
    bool bad;
};
void rg_flat_bytes(struct rg_flat *flat, void *out, size_t len);
uint64_t rg_flat_number(struct rg_flat *flat);
void rg_flat_text(struct rg_flat *flat, char *out, size_t room);

#endif
