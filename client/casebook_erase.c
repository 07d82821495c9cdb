/* How it works: what is erased loses the row of its key, and the bytes of the row are zeroed. That
 * is enough for today's file. For old copies of the file the book key is replaced afterwards: the
 * walk unwraps each live item key and wraps it under the new book key, in one step, and the caller
 * destroys the storage key that opened the old one. Invariant: after the step no row of item_key is
 * under the old book key, or the step has not happened.
 *
 * Which class a section has stands in its content only, so erasing by class reads the case's
 * sections. A section that does not read counts as every class: in doubt it goes. */
#include "client/casebook_inside.h"

#include "core/digest.h"

#define WALK_ROWS 256
#define ERASURE_OPEN "erasure-open"

/* ---- a new book key ---- */

static rg_outcome rewrap(const struct rg_casebook *book, const struct rg_vault_key *fresh,
                         struct rg_item *item, struct rg_reason *why)
{
    struct rg_book_place place;
    rg_outcome outcome = rg_vault_rewrap(
        &book->key, fresh, rg_book_place_of(item, RG_BOOK_PADDED, &place), item->wrapped, why);
    if (outcome.code != RG_DENIED) {
        return outcome;
    }
    return rg_vault_rewrap(&book->key, fresh, rg_book_place_of(item, "", &place), item->wrapped,
                           why);
}

static rg_outcome rewrap_all(struct rg_casebook *book, const struct rg_vault_key *fresh,
                             struct rg_reason *why)
{
    struct rg_item item[WALK_ROWS];
    size_t count = 0;
    int64_t after = 0;
    do {
        RG_TRY(rg_spool_item_keys(book->spool, after, item, WALK_ROWS, &count, why));
        for (size_t i = 0; i < count; i++) {
            RG_TRY(rewrap(book, fresh, &item[i], why));
            RG_TRY(rg_spool_item_rewrap(book->spool, &item[i], why));
            after = item[i].row;
        }
    } while (count == WALK_ROWS);
    return rg_ok();
}

static rg_outcome values_set(struct rg_casebook *book, const struct rg_vault_key *fresh,
                             const struct rg_key *storage_key, struct rg_reason *why)
{
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER labels = {0};
    RG_TRY(rg_vault_seal_to(storage_key, rg_bytes_of(fresh->b, sizeof(fresh->b)), &sealed, why));
    RG_TRY(rg_vault_lock(fresh, rg_bytes_of_text("labels"),
                         rg_bytes_of(book->labels.b, sizeof(book->labels.b)), &labels, why));
    RG_TRY(rg_spool_value_set(book->spool, RG_BOOK_KEY, rg_buffer_peek(&sealed), why));
    RG_TRY(rg_spool_value_set(book->spool, RG_BOOK_LABELS, rg_buffer_peek(&labels), why));
    RG_TRY(rg_spool_number_set(book->spool, ERASURE_OPEN, 0, why));
    return rg_spool_number_set(book->spool, RG_BOOK_EPOCH, book->epoch + 1, why);
}

rg_outcome rg_casebook_erasure_open(struct rg_casebook *book, bool *open_out, struct rg_reason *why)
{
    int64_t open = 0;
    RG_TRY(rg_spool_number_get(book->spool, ERASURE_OPEN, 0, &open, why));
    *open_out = open != 0;
    return rg_ok();
}

rg_outcome rg_casebook_rekey(struct rg_casebook *book, const struct rg_key *fresh,
                             struct rg_reason *why)
{
    RG_CLEANUP(rg_vault_key_drop) struct rg_vault_key key;
    bool changed = false;
    RG_SPOOL_STEP step = {0};
    rg_vault_key_random(&key);
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(rg_book_key_renew(book, &changed, why));
    RG_TRY(rewrap_all(book, &key, why));
    RG_TRY(values_set(book, &key, fresh, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    book->key = key;
    book->epoch++;
    return rg_ok();
}

rg_outcome rg_casebook_sealed_key(struct rg_spool *spool, struct rg_buffer *out,
                                  struct rg_reason *why)
{
    bool found = false;
    rg_buffer_clear(out);
    return rg_spool_value_get(spool, RG_BOOK_KEY, out, &found, why);
}

/* ---- erasure by class ---- */

struct erasing {
    struct rg_casebook *book;
    unsigned classes;
    bool received_only, messages_only;
    struct rg_erased count;
};

static unsigned classes_of(struct rg_bytes content)
{
    struct rg_content read = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool reads = rg_is_ok(rg_content_decode(content, &read, &memory, NULL));
    return reads ? RG_CLASS_BIT(read.class_) : RG_CLASSES_ALL;
}

static rg_outcome section_erase(struct erasing *erasing, int64_t seq, int64_t at, bool *touched,
                                struct rg_reason *why)
{
    struct rg_casebook *book = erasing->book;
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(rg_book_item_find(book, RG_ITEM_SECTION, seq, at, &item, &found, why));
    if (!found || item.destroyed) {
        return rg_ok();
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(rg_book_item_open(book, &item, &book->plain, why));
    if ((classes_of(rg_buffer_peek(&book->plain)) & erasing->classes) == 0) {
        return rg_ok();
    }
    *touched = true;
    erasing->count.sections++;
    return rg_spool_item_destroy(book->spool, item.row, why);
}

/* What of the message is sealed is sealed together: its bytes go with the first of its classes. */
static rg_outcome message_erase(struct erasing *erasing, const struct rg_message_row *row,
                                struct rg_reason *why)
{
    bool touched = false;
    bool all = erasing->classes == RG_CLASSES_ALL;
    for (uint32_t i = 0; i < row->sections; i++) {
        RG_TRY(section_erase(erasing, row->seq, (int64_t)i, &touched, why));
    }
    if ((!touched && !all) || row->state == RG_OUT_WAITING) {
        return rg_ok();
    }
    bool done = false;
    RG_TRY(rg_spool_body_strip(erasing->book->spool, row->seq, &done, why));
    erasing->count.messages += done;
    return rg_ok();
}

static rg_outcome messages_erase(struct erasing *erasing, int64_t case_row, struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 0;
    for (;;) {
        RG_TRY(rg_spool_list(erasing->book->spool, RG_BY_CASE, case_row, row.seq, &row, 1, &count,
                             why));
        if (count == 0) {
            return rg_ok();
        }
        if (!erasing->received_only || !row.ours) {
            RG_TRY(message_erase(erasing, &row, why));
        }
    }
}

static rg_outcome fields_clear(struct rg_record *record, unsigned classes, unsigned *cleared_out,
                               bool *left_out, struct rg_reason *why)
{
    static const struct rg_bytes nothing = {(const uint8_t *)"", 0};
    for (int i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        if (!rg_record_has(record, field)) {
            continue;
        }
        if ((RG_CLASS_BIT(rg_field_row(field)->class_) & classes) == 0) {
            *left_out = true;
            continue;
        }
        RG_TRY(rg_record_set(record, field, nothing, why));
        (*cleared_out)++;
    }
    return rg_ok();
}

static rg_outcome record_erase(struct erasing *erasing, int64_t case_row, struct rg_reason *why)
{
    struct rg_casebook *book = erasing->book;
    RG_OWNED_RECORD record = NULL;
    struct rg_item item = {0};
    unsigned cleared = 0;
    bool found = false;
    bool left = false;
    RG_TRY(rg_book_item_find(book, RG_ITEM_RECORD, case_row, 0, &item, &found, why));
    if (!found || item.destroyed) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_record_get(book, case_row, &record, why));
    RG_TRY(fields_clear(record, erasing->classes, &cleared, &left, why));
    erasing->count.fields += cleared;
    if (!left) {
        return rg_spool_item_destroy(book->spool, item.row, why);
    }
    return cleared > 0 ? rg_casebook_record_put(book, case_row, record, why) : rg_ok();
}

static void file_erase(struct rg_case_file *file, unsigned classes)
{
    if ((classes & RG_CLASS_BIT(RG_CLASS_IDENTITY)) != 0) {
        rg_wipe(file->name_native, sizeof(file->name_native));
        rg_wipe(file->name_latin, sizeof(file->name_latin));
    }
    if ((classes & RG_CLASS_BIT(RG_CLASS_CASE)) != 0) {
        rg_wipe(&file->preview, sizeof(file->preview));
        file->has_preview = false;
    }
}

/* Who must not read of a case is only worth knowing as long as there is something to read. */
static rg_outcome exclusions_erase(struct rg_casebook *book, int64_t case_row,
                                   struct rg_reason *why)
{
    struct rg_exclusions list = {0};
    RG_TRY(rg_casebook_exclusions_get(book, case_row, &list, NULL, why));
    if (list.count == 0) {
        return rg_ok();
    }
    list = (struct rg_exclusions){0};
    return rg_casebook_exclusions_put(book, case_row, &list, "", (struct rg_wall){0}, why);
}

static rg_outcome erase(struct erasing *erasing, int64_t case_row, struct rg_reason *why)
{
    struct rg_casebook *book = erasing->book;
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(rg_casebook_get(book, case_row, &file, why));
    RG_TRY(messages_erase(erasing, case_row, why));
    /* The host's own record of the person is not something received. */
    bool record =
        !erasing->messages_only && (!erasing->received_only || file.now.side == RG_SIDE_ORIGIN);
    if (record) {
        RG_TRY(record_erase(erasing, case_row, why));
        file_erase(&file, erasing->classes);
    }
    if (!erasing->received_only && !erasing->messages_only) {
        file.erased_classes |= erasing->classes;
    }
    file.erased = file.erased || (record && erasing->classes == RG_CLASSES_ALL) ||
                  file.erased_classes == RG_CLASSES_ALL;
    RG_TRY(rg_casebook_put(book, &file, why));
    if ((erasing->classes & RG_CLASS_BIT(RG_CLASS_SECURITY)) != 0 && record) {
        RG_TRY(exclusions_erase(book, case_row, why));
    }
    RG_TRY(rg_spool_number_set(book->spool, ERASURE_OPEN, 1, why));
    return rg_spool_step_commit(&step, why);
}

rg_outcome rg_casebook_erase_classes(struct rg_casebook *book, int64_t case_row, unsigned classes,
                                     struct rg_erased *out, struct rg_reason *why)
{
    struct erasing erasing = {.book = book, .classes = classes & RG_CLASSES_ALL};
    RG_TRY(erase(&erasing, case_row, why));
    *out = erasing.count;
    return rg_ok();
}

rg_outcome rg_casebook_erase_messages(struct rg_casebook *book, int64_t case_row, unsigned classes,
                                      struct rg_erased *out, struct rg_reason *why)
{
    struct erasing erasing = {
        .book = book, .classes = classes & RG_CLASSES_ALL, .messages_only = true};
    RG_TRY(erase(&erasing, case_row, why));
    *out = erasing.count;
    return rg_ok();
}

rg_outcome rg_casebook_erase(struct rg_casebook *book, int64_t case_row, bool received_only,
                             struct rg_reason *why)
{
    struct erasing erasing = {
        .book = book, .classes = RG_CLASSES_ALL, .received_only = received_only};
    return erase(&erasing, case_row, why);
}

/* ---- what is kept longer ---- */

rg_outcome rg_casebook_hold_get(struct rg_casebook *book, int64_t case_row, struct rg_buffer *out,
                                bool *found_out, struct rg_reason *why)
{
    struct rg_item item = {0};
    RG_TRY(rg_book_item_find(book, RG_ITEM_HOLD, case_row, 0, &item, found_out, why));
    return *found_out ? rg_book_item_open(book, &item, out, why) : rg_ok();
}

rg_outcome rg_casebook_hold_put(struct rg_casebook *book, int64_t case_row, struct rg_bytes bytes,
                                struct rg_reason *why)
{
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(rg_book_item_find(book, RG_ITEM_HOLD, case_row, 0, &item, &found, why));
    if (!found) {
        item = (struct rg_item){.kind = RG_ITEM_HOLD, .owner = case_row};
    }
    return rg_book_item_put(book, &item, bytes, why);
}
