/* How it works: a note is what the process needs of one message, as a flat run of numbers and ids
 * under the message's row. It holds codes and dates, no text and no value of a record, so erasing a
 * case leaves it: it is what the tombstone is made of. */
#include "client/casebook_inside.h"

#define NOTE_VERSION 1

enum { /* bits of the flags word; stored: they stay */
       NOTE_PREVIOUS = 1,
       NOTE_SEEN = 2,
       NOTE_ANSWERS = 4,
       NOTE_FRESH = 8,
       NOTE_RELAYS = 16,
};

static uint64_t flags_of(const struct rg_process_message *note)
{
    return (note->has_previous ? NOTE_PREVIOUS : 0u) | (note->has_seen ? NOTE_SEEN : 0u) |
           (note->has_answers ? NOTE_ANSWERS : 0u) | (note->fresh ? NOTE_FRESH : 0u) |
           (note->has_relays ? NOTE_RELAYS : 0u);
}

static void flags_to(uint64_t flags, struct rg_process_message *note)
{
    note->has_previous = (flags & NOTE_PREVIOUS) != 0;
    note->has_seen = (flags & NOTE_SEEN) != 0;
    note->has_answers = (flags & NOTE_ANSWERS) != 0;
    note->fresh = (flags & NOTE_FRESH) != 0;
    note->has_relays = (flags & NOTE_RELAYS) != 0;
}

static uint64_t day_of(struct rg_date date)
{
    return (uint64_t)date.year * 10000 + (uint64_t)date.month * 100 + (uint64_t)date.day;
}

static struct rg_date day_to(uint64_t day)
{
    return (struct rg_date){(int)(day / 10000 % 10000), (int)(day / 100 % 100), (int)(day % 100)};
}

static rg_outcome note_encode(const struct rg_process_message *note, struct rg_buffer *out,
                              struct rg_reason *why)
{
    const uint64_t number[] = {
        NOTE_VERSION,
        note->kind,
        (uint64_t)note->from,
        flags_of(note),
        (uint64_t)note->made.ms,
        note->code,
        note->scopes,
        note->flags,
        note->age,
        note->trafficking,
        day_of(note->valid_to),

    };
    const uint8_t *const bytes[] = {note->id.b,           note->previous.b, note->seen.b,
                                    note->answers.b,      note->relays.b,   note->author.b,
                                    note->second_author.b};
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        RG_TRY(rg_flat_put_number(out, number[i], why));
    }
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        RG_TRY(rg_buffer_append(out, rg_bytes_of(bytes[i], sizeof(note->id.b)), why));
    }
    return rg_ok();
}

static rg_outcome note_decode(struct rg_bytes bytes, struct rg_process_message *out,
                              struct rg_reason *why)
{
    struct rg_flat flat = {.left = bytes};
    struct rg_process_message note = {0};
    uint64_t version = rg_flat_number(&flat);
    note.kind = (uint32_t)rg_flat_number(&flat);
    note.from = (enum rg_party)rg_flat_number(&flat);
    flags_to(rg_flat_number(&flat), &note);
    note.made.ms = (int64_t)rg_flat_number(&flat);
    note.code = (uint32_t)rg_flat_number(&flat);
    note.scopes = (uint32_t)rg_flat_number(&flat);
    note.flags = (uint32_t)rg_flat_number(&flat);
    note.age = (uint32_t)rg_flat_number(&flat);
    note.trafficking = (uint32_t)rg_flat_number(&flat);
    note.valid_to = day_to(rg_flat_number(&flat));

    uint8_t *const id[] = {note.id.b,     note.previous.b, note.seen.b,         note.answers.b,
                           note.relays.b, note.author.b,   note.second_author.b};
    for (size_t i = 0; i < sizeof(id) / sizeof(id[0]); i++) {
        rg_flat_bytes(&flat, id[i], sizeof(note.id.b));
    }
    RG_CHECK(!flat.bad && flat.left.len == 0 && version == NOTE_VERSION, why, RG_BROKEN,
             "casebook-form",
             "a note in the casebook is damaged; restore the folder from a backup");
    *out = note;
    return rg_ok();
}

rg_outcome rg_casebook_note_put(struct rg_casebook *book, int64_t message_seq,
                                const struct rg_process_message *note, struct rg_reason *why)
{
    struct rg_item item = {0};
    bool found = false;
    RG_TRY(rg_book_item_find(book, RG_ITEM_NOTE, message_seq, 0, &item, &found, why));
    if (!found) {
        item = (struct rg_item){.kind = RG_ITEM_NOTE, .owner = message_seq};
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(note_encode(note, &book->plain, why));
    return rg_book_item_put(book, &item, rg_buffer_peek(&book->plain), why);
}

rg_outcome rg_casebook_note_get(struct rg_casebook *book, int64_t message_seq,
                                struct rg_process_message *out, bool *found_out,
                                struct rg_reason *why)
{
    struct rg_item item = {0};
    RG_TRY(rg_book_item_find(book, RG_ITEM_NOTE, message_seq, 0, &item, found_out, why));
    if (!*found_out) {
        return rg_ok();
    }
    rg_buffer_clear(&book->plain);
    RG_TRY(rg_book_item_open(book, &item, &book->plain, why));
    return note_decode(rg_buffer_peek(&book->plain), out, why);
}
