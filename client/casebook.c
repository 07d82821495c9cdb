/* How it works: a case is written as one flat run of numbers and texts, a version first, and
 * sealed as an item; its labels (number, reference, handle) are keyed hashes under a key derived
 * from the book key. The context of every sealed item is its kind, owner and place, so an item
 * moved to another row does not open. Reading checks every length; a row that does not read back
 * is damage, never guessed at. */
#include "client/casebook.h"

#include "core/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_VERSION 1
#define BOOK_KEY "casebook-key"

struct rg_casebook {
    struct rg_spool *spool; /* borrowed */
    struct rg_vault_key key;
    struct rg_vault_key labels;
    struct rg_buffer plain;  /* reused, secret */
    struct rg_buffer sealed; /* reused */
};

void rg_case_file_drop(struct rg_case_file *file)
{
    rg_wipe(file, sizeof(*file));
}

/* ---- the book key ---- */

static rg_outcome key_read(struct rg_spool *spool, const struct rg_key *storage_key,
                           struct rg_vault_key *out, bool *found_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    RG_TRY(rg_spool_value_get(spool, BOOK_KEY, &sealed, found_out, why));
    if (!*found_out) {
        return rg_ok();
    }
    RG_TRY(rg_vault_open_with(storage_key, rg_buffer_peek(&sealed), &plain, why));
    RG_CHECK(plain.len == sizeof(out->b), why, RG_BROKEN, "casebook-form",
             "the casebook's key is damaged; restore the folder from a backup");
    memcpy(out->b, plain.data, sizeof(out->b));
    return rg_ok();
}

/* Two programs may find no key at once: the second looks again when it is its turn. */
static rg_outcome key_make(struct rg_spool *spool, const struct rg_key *storage_key,
                           struct rg_vault_key *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER sealed = {0};
    bool found = false;
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(spool, &step, why));
    RG_TRY(key_read(spool, storage_key, out, &found, why));
    if (found) {
        return rg_ok();
    }
    rg_vault_key_random(out);
    RG_TRY(rg_vault_seal_to(storage_key, rg_bytes_of(out->b, sizeof(out->b)), &sealed, why));
    RG_TRY(rg_spool_value_set(spool, BOOK_KEY, rg_buffer_peek(&sealed), why));
    return rg_spool_step_commit(&step, why);
}

rg_outcome rg_casebook_open(struct rg_spool *spool, const struct rg_key *storage_key,
                            struct rg_casebook **out, struct rg_reason *why)
{
    RG_CLEANUP(rg_vault_key_drop) struct rg_vault_key key;
    bool found = false;
    RG_TRY(key_read(spool, storage_key, &key, &found, why));
    if (!found) {
        RG_TRY(key_make(spool, storage_key, &key, why));
    }
    struct rg_casebook *book = calloc(1, sizeof(*book));
    RG_CHECK(book != NULL, why, RG_IO, "out-of-memory", "out of memory");
    book->spool = spool;
    book->key = key;
    book->plain.secret = true;
    rg_vault_key_derive(&key, "referral casebook labels v1", &book->labels);
    *out = book;
    return rg_ok();
}

void rg_casebook_close(struct rg_casebook *book)
{
    if (book == NULL) {
        return;
    }
    rg_vault_key_drop(&book->key);
    rg_vault_key_drop(&book->labels);
    rg_buffer_drop(&book->plain);
    rg_buffer_drop(&book->sealed);
    free(book);
}

/* ---- sealing one item ---- */

struct place {
    char text[64];
};

static struct rg_bytes place_of(const struct rg_item *item, struct place *out)
{
    int len = item->kind == RG_ITEM_CASE
                  ? snprintf(out->text, sizeof(out->text), "case")
                  : snprintf(out->text, sizeof(out->text), "%d %lld %lld", (int)item->kind,
                             (long long)item->owner, (long long)item->at);
    return rg_bytes_of(out->text, (size_t)len);
}

static rg_outcome item_put(struct rg_casebook *book, struct rg_item *item, struct rg_bytes plain,
                           struct rg_reason *why)
{
    struct place place;
    rg_buffer_clear(&book->sealed);
    RG_TRY(rg_vault_item_lock(&book->key, place_of(item, &place), plain, item->wrapped,
                              &book->sealed, why));
    return rg_spool_item_put(book->spool, item, rg_buffer_peek(&book->sealed), why);
}

static rg_outcome item_open(struct rg_casebook *book, const struct rg_item *item,
                            struct rg_buffer *plain_out, struct rg_reason *why)
{
    struct place place;
    RG_CHECK(!item->destroyed, why, RG_DENIED, "item-erased", "this part has been erased");
    return rg_vault_item_unlock(&book->key, place_of(item, &place),
                                rg_bytes_of(item->wrapped, sizeof(item->wrapped)),
                                rg_buffer_peek(&book->sealed), plain_out, why);
}

static rg_outcome item_find(struct rg_casebook *book, enum rg_item_kind kind, int64_t owner,
                            int64_t at, struct rg_item *out, bool *found_out, struct rg_reason *why)
{
    rg_buffer_clear(&book->sealed);
    return rg_spool_item_find(book->spool, kind, owner, at, out, &book->sealed, found_out, why);
}

/* ---- a case as bytes ---- */

static rg_outcome put_number(struct rg_buffer *out, uint64_t value, struct rg_reason *why)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    return rg_buffer_append(out, rg_bytes_of(bytes, sizeof(bytes)), why);
}

static rg_outcome put_text(struct rg_buffer *out, const char *text, struct rg_reason *why)
{
    RG_TRY(put_number(out, strlen(text), why));
    return rg_buffer_append(out, rg_bytes_of_text(text), why);
}

static rg_outcome put_preview(struct rg_buffer *out, const struct rg_preview *preview,
                              struct rg_reason *why)
{
    const uint64_t number[] = {
        (uint64_t)preview->reason,
        (uint64_t)preview->age,
        preview->sex,
        preview->needs,
        (uint64_t)preview->urgency,
        (uint64_t)preview->expected_month.year,
        (uint64_t)preview->expected_month.month,
        (uint64_t)preview->expected_month.day,
        preview->consent.scopes,
        (uint64_t)preview->consent.given_by,
        (uint64_t)preview->consent.expires.year,
        (uint64_t)preview->consent.expires.month,
        (uint64_t)preview->consent.expires.day,
    };
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        RG_TRY(put_number(out, number[i], why));
    }
    return put_text(out, preview->language, why);
}

enum { /* bits of the flags word; stored: they stay */
       FLAG_OPENED = 1,
       FLAG_THREAD = 2,
       FLAG_PROPOSAL_THREAD = 4,
       FLAG_REQUEST = 8,
       FLAG_PROPOSAL = 16,
       FLAG_PREVIEW = 32,
       FLAG_DETAILS_SENT = 64,
       FLAG_DETAILS_HERE = 128,
       FLAG_ERASED = 256,
       FLAG_REQUEST_RECEIVED = 512,
       FLAG_REQUEST_OPENED = 1024,
       FLAG_DETAILS_RECEIVED = 2048,
       FLAG_DETAILS_OPENED = 4096,
       FLAG_DETAILS = 8192,
};

static uint64_t flags_of(const struct rg_case_file *file)
{
    return (file->now.opened ? FLAG_OPENED : 0u) | (file->has_thread ? FLAG_THREAD : 0u) |
           (file->has_proposal_thread ? FLAG_PROPOSAL_THREAD : 0u) |
           (file->has_request ? FLAG_REQUEST : 0u) | (file->has_proposal ? FLAG_PROPOSAL : 0u) |
           (file->has_preview ? FLAG_PREVIEW : 0u) | (file->details_sent ? FLAG_DETAILS_SENT : 0u) |
           (file->details_here ? FLAG_DETAILS_HERE : 0u) | (file->erased ? FLAG_ERASED : 0u) |
           (file->request_received ? FLAG_REQUEST_RECEIVED : 0u) |
           (file->request_opened ? FLAG_REQUEST_OPENED : 0u) |
           (file->details_received ? FLAG_DETAILS_RECEIVED : 0u) |
           (file->details_opened ? FLAG_DETAILS_OPENED : 0u) |
           (file->has_details ? FLAG_DETAILS : 0u);
}

static void flags_to(uint64_t flags, struct rg_case_file *file)
{
    file->now.opened = (flags & FLAG_OPENED) != 0;
    file->has_thread = (flags & FLAG_THREAD) != 0;
    file->has_proposal_thread = (flags & FLAG_PROPOSAL_THREAD) != 0;
    file->has_request = (flags & FLAG_REQUEST) != 0;
    file->has_proposal = (flags & FLAG_PROPOSAL) != 0;
    file->has_preview = (flags & FLAG_PREVIEW) != 0;
    file->details_sent = (flags & FLAG_DETAILS_SENT) != 0;
    file->details_here = (flags & FLAG_DETAILS_HERE) != 0;
    file->erased = (flags & FLAG_ERASED) != 0;
    file->request_received = (flags & FLAG_REQUEST_RECEIVED) != 0;
    file->request_opened = (flags & FLAG_REQUEST_OPENED) != 0;
    file->details_received = (flags & FLAG_DETAILS_RECEIVED) != 0;
    file->details_opened = (flags & FLAG_DETAILS_OPENED) != 0;
    file->has_details = (flags & FLAG_DETAILS) != 0;
}

static rg_outcome file_encode(const struct rg_case_file *file, struct rg_buffer *out,
                              struct rg_reason *why)
{
    const uint64_t number[] = {
        FILE_VERSION,
        (uint64_t)file->now.side,
        (uint64_t)file->now.state,
        (uint64_t)file->now.since.ms,
        flags_of(file),
        file->rule,
        file->decline,
        (uint64_t)file->made_ms,
    };
    const char *const text[] = {file->number,      file->reference, file->host,
                                file->origin,      file->partner,   file->proposed_by,
                                file->name_native, file->name_latin};
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        RG_TRY(put_number(out, number[i], why));
    }
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        RG_TRY(put_text(out, text[i], why));
    }
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->handle.b, sizeof(file->handle.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->thread.b, sizeof(file->thread.b)), why));
    RG_TRY(rg_buffer_append(
        out, rg_bytes_of(file->proposal_thread.b, sizeof(file->proposal_thread.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->request.b, sizeof(file->request.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->proposal.b, sizeof(file->proposal.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->details.b, sizeof(file->details.b)), why));
    return put_preview(out, &file->preview, why);
}

struct reader {
    struct rg_bytes left;
    bool bad;
};

static void get_bytes(struct reader *reader, void *out, size_t len)
{
    if (reader->bad || reader->left.len < len) {
        reader->bad = true;
        memset(out, 0, len);
        return;
    }
    memcpy(out, reader->left.data, len);
    reader->left = rg_bytes_of(reader->left.data + len, reader->left.len - len);
}

static uint64_t get_number(struct reader *reader)
{
    uint8_t bytes[8];
    uint64_t value = 0;
    get_bytes(reader, bytes, sizeof(bytes));
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static void get_text(struct reader *reader, char *out, size_t room)
{
    uint64_t len = get_number(reader);
    if (len >= room) {
        reader->bad = true;
        return;
    }
    get_bytes(reader, out, (size_t)len);
    out[len] = '\0';
}

static void get_date(struct reader *reader, struct rg_date *out)
{
    out->year = (int)get_number(reader);
    out->month = (int)get_number(reader);
    out->day = (int)get_number(reader);
}

static void get_preview(struct reader *reader, struct rg_preview *out)
{
    out->reason = (enum rg_referral_reason)get_number(reader);
    out->age = (enum rg_age)get_number(reader);
    out->sex = (uint32_t)get_number(reader);
    out->needs = (uint32_t)get_number(reader);
    out->urgency = (enum rg_urgency)get_number(reader);
    get_date(reader, &out->expected_month);
    out->consent.scopes = (uint32_t)get_number(reader);
    out->consent.given_by = (enum rg_given_by)get_number(reader);
    get_date(reader, &out->consent.expires);
    get_text(reader, out->language, sizeof(out->language));
}

static rg_outcome file_decode(struct rg_bytes bytes, struct rg_case_file *out,
                              struct rg_reason *why)
{
    struct reader reader = {.left = bytes};
    struct rg_case_file *file = out;
    uint64_t version = get_number(&reader);
    file->now.side = (enum rg_case_side)get_number(&reader);
    file->now.state = (enum rg_case_state)get_number(&reader);
    file->now.since.ms = (int64_t)get_number(&reader);
    flags_to(get_number(&reader), file);
    file->rule = (uint32_t)get_number(&reader);
    file->decline = (uint32_t)get_number(&reader);
    file->made_ms = (int64_t)get_number(&reader);
    get_text(&reader, file->number, sizeof(file->number));
    get_text(&reader, file->reference, sizeof(file->reference));
    get_text(&reader, file->host, sizeof(file->host));
    get_text(&reader, file->origin, sizeof(file->origin));
    get_text(&reader, file->partner, sizeof(file->partner));
    get_text(&reader, file->proposed_by, sizeof(file->proposed_by));
    get_text(&reader, file->name_native, sizeof(file->name_native));
    get_text(&reader, file->name_latin, sizeof(file->name_latin));
    get_bytes(&reader, file->handle.b, sizeof(file->handle.b));
    get_bytes(&reader, file->thread.b, sizeof(file->thread.b));
    get_bytes(&reader, file->proposal_thread.b, sizeof(file->proposal_thread.b));
    get_bytes(&reader, file->request.b, sizeof(file->request.b));
    get_bytes(&reader, file->proposal.b, sizeof(file->proposal.b));
    get_bytes(&reader, file->details.b, sizeof(file->details.b));
    get_preview(&reader, &file->preview);
    RG_CHECK(!reader.bad && reader.left.len == 0 && version == FILE_VERSION, why, RG_BROKEN,
             "casebook-form",
             "a case in the casebook is damaged; restore the folder from a backup");
    return rg_ok();
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

rg_outcome rg_casebook_put(struct rg_casebook *book, struct rg_case_file *file,
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
    rg_buffer_clear(&book->plain);
    RG_TRY(file_encode(file, &book->plain, why));
    RG_TRY(item_put(book, &item, rg_buffer_peek(&book->plain), why));
    file->row = item.row;
    return fresh ? labels_set(book, file, why) : rg_ok();
}

static rg_outcome file_open(struct rg_casebook *book, const struct rg_item *item,
                            struct rg_case_file *out, struct rg_reason *why)
{
    rg_buffer_clear(&book->plain);
    RG_TRY(item_open(book, item, &book->plain, why));
    RG_TRY(file_decode(rg_buffer_peek(&book->plain), out, why));
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

rg_outcome rg_casebook_record_put(struct rg_casebook *book, int64_t case_row,
                                  const struct rg_record *record, struct rg_reason *why)
{
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(item_find(book, RG_ITEM_RECORD, case_row, 0, &item, &found, why));
    if (!found) {
        item = (struct rg_item){.kind = RG_ITEM_RECORD, .owner = case_row};
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(rg_record_encode(record, &book->plain, why));
    return item_put(book, &item, rg_buffer_peek(&book->plain), why);
}

rg_outcome rg_casebook_record_get(struct rg_casebook *book, int64_t case_row,
                                  struct rg_record **out, struct rg_reason *why)
{
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(item_find(book, RG_ITEM_RECORD, case_row, 0, &item, &found, why));
    if (!found || item.destroyed) {
        return rg_record_new(out, why);
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(item_open(book, &item, &book->plain, why));
    return rg_record_decode(rg_buffer_peek(&book->plain), out, why);
}

rg_outcome rg_casebook_section_put(struct rg_casebook *book, int64_t message_seq, size_t index,
                                   struct rg_bytes content, struct rg_reason *why)
{
    struct rg_item item = {.kind = RG_ITEM_SECTION, .owner = message_seq, .at = (int64_t)index};
    return item_put(book, &item, content, why);
}

rg_outcome rg_casebook_section_get(struct rg_casebook *book, int64_t message_seq, size_t index,
                                   struct rg_buffer *content_out, bool *found_out,
                                   struct rg_reason *why)
{
    struct rg_item item = {0};
    RG_TRY(item_find(book, RG_ITEM_SECTION, message_seq, (int64_t)index, &item, found_out, why));
    return *found_out ? item_open(book, &item, content_out, why) : rg_ok();
}

/* ---- erasure ---- */

static rg_outcome item_destroy(struct rg_casebook *book, enum rg_item_kind kind, int64_t owner,
                               int64_t at, struct rg_reason *why)
{
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(item_find(book, kind, owner, at, &item, &found, why));
    return found ? rg_spool_item_destroy(book->spool, item.row, why) : rg_ok();
}

static rg_outcome sections_of_message(struct rg_casebook *book, const struct rg_message_row *row,
                                      struct rg_reason *why)
{
    for (uint32_t i = 0; i < row->sections; i++) {
        RG_TRY(item_destroy(book, RG_ITEM_SECTION, row->seq, i, why));
    }
    return rg_ok();
}

static rg_outcome sections_destroy(struct rg_casebook *book, int64_t case_row, bool received_only,
                                   struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 0;
    for (;;) {
        RG_TRY(rg_spool_list(book->spool, RG_BY_CASE, case_row, row.seq, &row, 1, &count, why));
        if (count == 0) {
            return rg_ok();
        }
        if (!received_only || !row.ours) {
            RG_TRY(sections_of_message(book, &row, why));
        }
    }
}

rg_outcome rg_casebook_erase(struct rg_casebook *book, int64_t case_row, bool received_only,
                             struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_TRY(rg_casebook_get(book, case_row, &file, why));
    RG_TRY(sections_destroy(book, case_row, received_only, why));
    bool own_record = file.now.side != RG_SIDE_ORIGIN;
    if (!(received_only && own_record)) {
        RG_TRY(item_destroy(book, RG_ITEM_RECORD, case_row, 0, why));
        rg_wipe(file.name_native, sizeof(file.name_native));
        rg_wipe(file.name_latin, sizeof(file.name_latin));
        rg_wipe(&file.preview, sizeof(file.preview));
        file.has_preview = false;
        file.erased = true;
    }
    return rg_casebook_put(book, &file, why);
}
