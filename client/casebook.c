/* How it works: a case is written as one flat run of bytes (client/casebook_file) and
 * sealed as an item; its labels (number, reference, handle) are keyed hashes under a key derived
 * from the book key. The context of every sealed item is its kind, owner and place, so an item
 * moved to another row does not open. Reading checks every length; a row that does not read back
 * is damage, never guessed at. */
#include "client/casebook_inside.h"

#include "core/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the book key ---- */

static rg_outcome storage_open(const struct rg_storage *storage, struct rg_bytes sealed,
                               struct rg_buffer *plain_out, struct rg_reason *why)
{
    return storage->key != NULL ? rg_vault_open_with(storage->key, sealed, plain_out, why)
                                : storage->open(storage->context, sealed, plain_out, why);
}

static rg_outcome storage_seal(const struct rg_storage *storage, struct rg_bytes plain,
                               struct rg_buffer *sealed_out, struct rg_reason *why)
{
    return storage->key != NULL ? rg_vault_seal_to(storage->key, plain, sealed_out, why)
                                : storage->seal(storage->context, plain, sealed_out, why);
}

static rg_outcome key_read(struct rg_spool *spool, const struct rg_storage *storage,
                           struct rg_vault_key *out, bool *found_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    RG_TRY(rg_spool_value_get(spool, RG_BOOK_KEY, &sealed, found_out, why));
    if (!*found_out) {
        return rg_ok();
    }
    RG_TRY(storage_open(storage, rg_buffer_peek(&sealed), &plain, why));
    RG_CHECK(plain.len == sizeof(out->b), why, RG_BROKEN, "casebook-form",
             "the casebook's key is damaged; restore the folder from a backup");
    memcpy(out->b, plain.data, sizeof(out->b));
    return rg_ok();
}

/* Two programs may find no key at once: the second looks again when it is its turn. */
static rg_outcome key_make(struct rg_spool *spool, const struct rg_storage *storage,
                           struct rg_vault_key *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER sealed = {0};
    bool found = false;
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(spool, &step, why));
    RG_TRY(key_read(spool, storage, out, &found, why));
    if (found) {
        return rg_ok();
    }
    rg_vault_key_random(out);
    RG_TRY(storage_seal(storage, rg_bytes_of(out->b, sizeof(out->b)), &sealed, why));
    RG_TRY(rg_spool_value_set(spool, RG_BOOK_KEY, rg_buffer_peek(&sealed), why));
    return rg_spool_step_commit(&step, why);
}

/* Look-up hashes outlive a book key, so their key is then kept under the new one. */
static rg_outcome labels_read(struct rg_casebook *book, struct rg_reason *why)
{
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    bool found = false;
    RG_TRY(rg_spool_value_get(book->spool, RG_BOOK_LABELS, &sealed, &found, why));
    if (!found) {
        rg_vault_key_derive(&book->key, "referral casebook labels v1", &book->labels);
        return rg_ok();
    }
    RG_TRY(rg_vault_unlock(&book->key, rg_bytes_of_text("labels"), rg_buffer_peek(&sealed), &plain,
                           why));
    RG_CHECK(plain.len == sizeof(book->labels.b), why, RG_BROKEN, "casebook-form",
             "the casebook's key is damaged; restore the folder from a backup");
    memcpy(book->labels.b, plain.data, sizeof(book->labels.b));
    return rg_ok();
}

/* Key, labels and epoch of one moment: nobody replaces them within a step. */
static rg_outcome keys_take(struct rg_casebook *book, struct rg_reason *why)
{
    bool found = false;
    RG_TRY(key_read(book->spool, &book->storage, &book->key, &found, why));
    if (!found) {
        RG_TRY(key_make(book->spool, &book->storage, &book->key, why));
    }
    RG_TRY(rg_spool_number_get(book->spool, RG_BOOK_EPOCH, 0, &book->epoch, why));
    return labels_read(book, why);
}

static rg_outcome book_ready(struct rg_casebook *book, struct rg_reason *why)
{
    RG_TRY(keys_take(book, why));
    return rg_book_index_make(book, why);
}

rg_outcome rg_casebook_open_with(struct rg_spool *spool, const struct rg_storage *storage,
                                 struct rg_casebook **out, struct rg_reason *why)
{
    RG_CHECK(storage->key != NULL || (storage->open != NULL && storage->seal != NULL), why,
             RG_DENIED, "storage-key-missing", "there is no storage key to open the casebook with");
    struct rg_casebook *book = calloc(1, sizeof(*book));
    RG_CHECK(book != NULL, why, RG_IO, "out-of-memory", "out of memory");
    *book = (struct rg_casebook){
        .spool = spool, .storage = *storage, .plain.secret = true, .padded.secret = true};
    rg_outcome outcome = book_ready(book, why);
    if (!rg_is_ok(outcome)) {
        rg_casebook_close(book);
        return outcome;
    }
    *out = book;
    return outcome;
}

rg_outcome rg_casebook_open(struct rg_spool *spool, const struct rg_key *storage_key,
                            struct rg_casebook **out, struct rg_reason *why)
{
    const struct rg_storage storage = {.key = storage_key};
    return rg_casebook_open_with(spool, &storage, out, why);
}

rg_outcome rg_book_key_renew(struct rg_casebook *book, bool *changed_out, struct rg_reason *why)
{
    int64_t epoch = 0;
    RG_TRY(rg_spool_number_get(book->spool, RG_BOOK_EPOCH, 0, &epoch, why));
    *changed_out = epoch != book->epoch;
    if (!*changed_out) {
        return rg_ok();
    }
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(keys_take(book, why));
    return rg_spool_step_commit(&step, why);
}

void rg_casebook_close(struct rg_casebook *book)
{
    if (book == NULL) {
        return;
    }
    rg_vault_key_drop(&book->key);
    rg_vault_key_drop(&book->labels);
    rg_buffer_drop(&book->plain);
    rg_buffer_drop(&book->padded);
    rg_buffer_drop(&book->sealed);
    free(book);
}

/* ---- sealing one item ---- */

struct rg_bytes rg_book_place_of(const struct rg_item *item, const char *form,
                                 struct rg_book_place *out)
{
    int len = item->kind == RG_ITEM_CASE
                  ? snprintf(out->text, sizeof(out->text), "%scase", form)
                  : snprintf(out->text, sizeof(out->text), "%s%d %lld %lld", form, (int)item->kind,
                             (long long)item->owner, (long long)item->at);
    return rg_bytes_of(out->text, (size_t)len);
}

/* A one bit, then zeros: the end of what was padded can be found again. */
static rg_outcome pad(struct rg_bytes plain, size_t padded, struct rg_buffer *out,
                      struct rg_reason *why)
{
    static const uint8_t mark = 0x80;
    rg_buffer_clear(out);
    RG_TRY(rg_buffer_reserve(out, padded, why));
    RG_TRY(rg_buffer_append(out, plain, why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(&mark, 1), why));
    memset(out->data + out->len, 0, padded - out->len);
    out->len = padded;
    return rg_ok();
}

static rg_outcome unpad(struct rg_buffer *plain, size_t before, struct rg_reason *why)
{
    size_t len = plain->len;
    while (len > before && plain->data[len - 1] == 0) {
        len--;
    }
    RG_CHECK(len > before && plain->data[len - 1] == 0x80, why, RG_BROKEN, "casebook-form",
             "a part of the casebook is damaged; restore the folder from a backup");
    plain->len = len - 1;
    return rg_ok();
}

/* Within a step, so that nobody replaces the book key between the look and the write. */
static rg_outcome item_put_now(struct rg_casebook *book, struct rg_item *item,
                               struct rg_bytes plain, struct rg_reason *why)
{
    struct rg_book_place place;
    bool changed = false;
    RG_TRY(rg_book_key_renew(book, &changed, why));
    rg_buffer_clear(&book->sealed);
    if (item->kind != RG_ITEM_INDEX) { /* whose pages are of one size anyway */
        RG_TRY(pad(plain, rg_padded_size(plain.len + 1), &book->padded, why));
        plain = rg_buffer_peek(&book->padded);
    }
    RG_TRY(rg_vault_item_lock(&book->key, rg_book_place_of(item, RG_BOOK_PADDED, &place), plain,
                              item->wrapped, &book->sealed, why));
    return rg_spool_item_put(book->spool, item, rg_buffer_peek(&book->sealed), why);
}

rg_outcome rg_book_item_put(struct rg_casebook *book, struct rg_item *item, struct rg_bytes plain,
                            struct rg_reason *why)
{
    if (rg_spool_in_step(book->spool)) {
        return item_put_now(book, item, plain, why);
    }
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(item_put_now(book, item, plain, why));
    return rg_spool_step_commit(&step, why);
}

static rg_outcome item_unlock(struct rg_casebook *book, const struct rg_item *item,
                              struct rg_buffer *plain_out, struct rg_reason *why)
{
    struct rg_book_place place;
    size_t before = plain_out->len;
    struct rg_bytes wrapped = rg_bytes_of(item->wrapped, sizeof(item->wrapped));
    struct rg_bytes sealed = rg_buffer_peek(&book->sealed);
    rg_outcome outcome =
        rg_vault_item_unlock(&book->key, rg_book_place_of(item, RG_BOOK_PADDED, &place), wrapped,
                             sealed, plain_out, why);
    if (rg_is_ok(outcome)) {
        return item->kind != RG_ITEM_INDEX ? unpad(plain_out, before, why) : outcome;
    }
    /* Written before items were padded. */
    return rg_vault_item_unlock(&book->key, rg_book_place_of(item, "", &place), wrapped, sealed,
                                plain_out, why);
}

rg_outcome rg_book_item_open(struct rg_casebook *book, const struct rg_item *item,
                             struct rg_buffer *plain_out, struct rg_reason *why)
{
    struct rg_item again;
    bool changed = false;
    RG_CHECK(!item->destroyed, why, RG_DENIED, "item-erased", "this part has been erased");
    rg_outcome outcome = item_unlock(book, item, plain_out, why);
    if (rg_is_ok(outcome)) {
        return outcome;
    }
    RG_TRY(rg_book_key_renew(book, &changed, why));
    if (!changed) {
        return outcome;
    }
    rg_buffer_clear(&book->sealed);
    RG_TRY(rg_spool_item_get(book->spool, item->row, &again, &book->sealed, &changed, why));
    RG_CHECK(changed && !again.destroyed, why, RG_DENIED, "item-erased",
             "this part has been erased");
    return item_unlock(book, &again, plain_out, why);
}

rg_outcome rg_book_item_find(struct rg_casebook *book, enum rg_item_kind kind, int64_t owner,
                             int64_t at, struct rg_item *out, bool *found_out,
                             struct rg_reason *why)
{
    rg_buffer_clear(&book->sealed);
    return rg_spool_item_find(book->spool, kind, owner, at, out, &book->sealed, found_out, why);
}

/* ---- cases ---- */

static struct rg_hash label_of(const struct rg_casebook *book, enum rg_case_by by,
                               struct rg_bytes value)
{
    struct rg_hash inner = rg_sha256(value);
    uint8_t bytes[1 + sizeof(inner.b)];
    bytes[0] = (uint8_t)by;
    memcpy(bytes + 1, inner.b, sizeof(inner.b));
    return rg_vault_index(&book->labels, rg_bytes_of(bytes, sizeof(bytes)));
}

/* "7km3q-92qdx": 50 random bits without letters that look alike. */
static void number_make(char out[RG_CASE_NUMBER_BYTES])
{
    static const char digit[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t random[10];
    rg_random(random, sizeof(random));
    for (size_t i = 0, at = 0; i < sizeof(random); i++) {
        if (i == 5) {
            out[at++] = '-';
        }
        out[at++] = digit[random[i] & 31];
    }
    out[RG_CASE_NUMBER_BYTES - 1] = '\0';
}

static rg_outcome number_new(struct rg_casebook *book, struct rg_case_file *file,
                             struct rg_reason *why)
{
    for (int i = 0; i < 8; i++) {
        int64_t row = 0;
        bool found = false;
        number_make(file->number);
        RG_TRY(rg_casebook_find(book, RG_CASE_BY_NUMBER, rg_bytes_of_text(file->number), &row,
                                &found, why));
        if (!found) {
            return rg_ok();
        }
    }
    return rg_fail(why, RG_BROKEN, "casebook-form", "no free case number: the random source fails");
}

static rg_outcome labels_set(struct rg_casebook *book, const struct rg_case_file *file,
                             struct rg_reason *why)
{
    RG_TRY(rg_spool_label_set(book->spool,
                              label_of(book, RG_CASE_BY_NUMBER, rg_bytes_of_text(file->number)),
                              file->row, why));
    RG_TRY(rg_spool_label_set(
        book->spool,
        label_of(book, RG_CASE_BY_HANDLE, rg_bytes_of(file->handle.b, sizeof(file->handle.b))),
        file->row, why));
    /* An NGO's own number is its own: it must not be mistaken for one of ours. */
    char reference[RG_OFFICE_BYTES + RG_CASE_REFERENCE_BYTES];
    (void)snprintf(reference, sizeof(reference), "%s%s%s", file->proposed_by,
                   file->proposed_by[0] != '\0' ? "/" : "", file->reference);
    if (file->reference[0] == '\0') {
        return rg_ok();
    }
    return rg_spool_label_set(book->spool,
                              label_of(book, RG_CASE_BY_REFERENCE, rg_bytes_of_text(reference)),
                              file->row, why);
}

static rg_outcome put_now(struct rg_casebook *book, struct rg_case_file *file,
                          struct rg_reason *why)
{
    static const struct rg_case_handle none;
    struct rg_item item = {.row = file->row, .kind = RG_ITEM_CASE};
    bool fresh = file->row == 0;
    if (fresh && memcmp(file->handle.b, none.b, sizeof(none.b)) == 0) {
        rg_random(file->handle.b, sizeof(file->handle.b));
    }
    if (fresh) {
        RG_TRY(number_new(book, file, why));
    }
    if (file->slot == 0) {
        RG_TRY(rg_book_slot_new(book, &file->slot, why));
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(rg_case_file_encode(file, &book->plain, why));
    RG_TRY(rg_book_item_put(book, &item, rg_buffer_peek(&book->plain), why));
    file->row = item.row;
    book->last_row = file->row;
    book->last_slot = file->slot;
    RG_TRY(rg_book_index_file(book, file, why));
    return fresh ? labels_set(book, file, why) : rg_ok();
}

/* The case, its line in the index and its labels: all of them or none. */
rg_outcome rg_casebook_put(struct rg_casebook *book, struct rg_case_file *file,
                           struct rg_reason *why)
{
    if (rg_spool_in_step(book->spool)) {
        return put_now(book, file, why);
    }
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(put_now(book, file, why));
    return rg_spool_step_commit(&step, why);
}

static rg_outcome file_open(struct rg_casebook *book, const struct rg_item *item,
                            struct rg_case_file *out, struct rg_reason *why)
{
    rg_buffer_clear(&book->plain);
    RG_TRY(rg_book_item_open(book, item, &book->plain, why));
    RG_TRY(rg_case_file_decode(rg_buffer_peek(&book->plain), out, why));
    out->row = item->row;
    return rg_ok();
}

rg_outcome rg_casebook_get(struct rg_casebook *book, int64_t row, struct rg_case_file *out,
                           struct rg_reason *why)
{
    struct rg_item item;
    bool found = false;
    rg_buffer_clear(&book->sealed);
    RG_TRY(rg_spool_item_get(book->spool, row, &item, &book->sealed, &found, why));
    RG_CHECK(found && item.kind == RG_ITEM_CASE, why, RG_DENIED, "case-unknown",
             "there is no such case here");
    return file_open(book, &item, out, why);
}

rg_outcome rg_casebook_next(struct rg_casebook *book, int64_t after, struct rg_case_file *out,
                            bool *found_out, struct rg_reason *why)
{
    struct rg_item item;
    rg_buffer_clear(&book->sealed);
    RG_TRY(
        rg_spool_item_next(book->spool, RG_ITEM_CASE, after, &item, &book->sealed, found_out, why));
    return *found_out ? file_open(book, &item, out, why) : rg_ok();
}

rg_outcome rg_casebook_find(struct rg_casebook *book, enum rg_case_by by, struct rg_bytes value,
                            int64_t *row_out, bool *found_out, struct rg_reason *why)
{
    return rg_spool_label_get(book->spool, label_of(book, by, value), row_out, found_out, why);
}

/* ---- records and sections ---- */

static rg_outcome record_index(struct rg_casebook *book, int64_t case_row,
                               const struct rg_record *record, struct rg_reason *why)
{
    if (book->last_row != case_row) {
        RG_CASE_FILE file = {0};
        RG_TRY(rg_casebook_get(book, case_row, &file, why));
        book->last_row = case_row;
        book->last_slot = file.slot;
    }
    rg_outcome outcome = rg_book_index_names(book, book->last_slot, case_row, record, why);
    if (!rg_is_ok(outcome)) {
        book->last_row = 0; /* what was remembered may have been rolled back */
    }
    return outcome;
}

static rg_outcome record_put_now(struct rg_casebook *book, int64_t case_row,
                                 const struct rg_record *record, struct rg_reason *why)
{
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(rg_book_item_find(book, RG_ITEM_RECORD, case_row, 0, &item, &found, why));
    if (!found) {
        item = (struct rg_item){.kind = RG_ITEM_RECORD, .owner = case_row};
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(rg_record_encode(record, &book->plain, why));
    RG_TRY(rg_book_item_put(book, &item, rg_buffer_peek(&book->plain), why));
    return record_index(book, case_row, record, why);
}

rg_outcome rg_casebook_record_put(struct rg_casebook *book, int64_t case_row,
                                  const struct rg_record *record, struct rg_reason *why)
{
    if (rg_spool_in_step(book->spool)) {
        return record_put_now(book, case_row, record, why);
    }
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(record_put_now(book, case_row, record, why));
    return rg_spool_step_commit(&step, why);
}

rg_outcome rg_casebook_record_get(struct rg_casebook *book, int64_t case_row,
                                  struct rg_record **out, struct rg_reason *why)
{
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(rg_book_item_find(book, RG_ITEM_RECORD, case_row, 0, &item, &found, why));
    if (!found || item.destroyed) {
        return rg_record_new(out, why);
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(rg_book_item_open(book, &item, &book->plain, why));
    return rg_record_decode(rg_buffer_peek(&book->plain), out, why);
}

rg_outcome rg_casebook_section_put(struct rg_casebook *book, int64_t message_seq, size_t index,
                                   struct rg_bytes content, struct rg_reason *why)
{
    struct rg_item item = {.kind = RG_ITEM_SECTION, .owner = message_seq, .at = (int64_t)index};
    return rg_book_item_put(book, &item, content, why);
}

rg_outcome rg_casebook_section_get(struct rg_casebook *book, int64_t message_seq, size_t index,
                                   struct rg_buffer *content_out, bool *found_out,
                                   struct rg_reason *why)
{
    struct rg_item item = {0};
    RG_TRY(rg_book_item_find(book, RG_ITEM_SECTION, message_seq, (int64_t)index, &item, found_out,
                             why));
    return *found_out ? rg_book_item_open(book, &item, content_out, why) : rg_ok();
}
