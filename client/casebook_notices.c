/* How it works: each notice is one sealed item of the casebook like everything else in it, though
 * it is public: what an office reads is nobody's business. They are few, and looked through in
 * order. */
#include "client/casebook_inside.h"

#include <string.h>

#define NOTICE_BYTES_MAX (64 * RG_KIB)

static uint64_t day_number(struct rg_date day)
{
    return (uint64_t)day.year * 10000 + (uint64_t)day.month * 100 + (uint64_t)day.day;
}

static struct rg_date day_of(uint64_t number)
{
    int n = number < 99999999 ? (int)number : 0;
    return (struct rg_date){n / 10000, n / 100 % 100, n % 100};
}

static rg_outcome encode(const struct rg_notice *notice, struct rg_buffer *out,
                         struct rg_reason *why)
{
    const uint64_t number[] = {day_number(notice->valid_from), day_number(notice->valid_to),
                               (uint64_t)notice->at_ms, notice->exercise, notice->text_count};
    const char *const text[] = {notice->from, notice->subject, notice->country, notice->point};
    RG_TRY(rg_buffer_append(out, rg_bytes_of(notice->id.b, sizeof(notice->id.b)), why));
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        RG_TRY(rg_flat_put_number(out, number[i], why));
    }
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        RG_TRY(rg_flat_put_text(out, text[i], why));
    }
    for (size_t i = 0; i < notice->text_count; i++) {
        RG_TRY(rg_flat_put_text(out, notice->text[i].language, why));
        RG_TRY(rg_flat_put_text(out, notice->text[i].title, why));
        RG_TRY(rg_flat_put_text(out, notice->text[i].words, why));
    }
    return rg_ok();
}

static rg_outcome decode(struct rg_bytes bytes, struct rg_notice *out, struct rg_reason *why)
{
    struct rg_flat flat = {.left = bytes};
    rg_flat_bytes(&flat, out->id.b, sizeof(out->id.b));
    out->valid_from = day_of(rg_flat_number(&flat));
    out->valid_to = day_of(rg_flat_number(&flat));
    out->at_ms = (int64_t)rg_flat_number(&flat);
    out->exercise = rg_flat_number(&flat) != 0;
    uint64_t count = rg_flat_number(&flat);
    rg_flat_text(&flat, out->from, sizeof(out->from));
    rg_flat_text(&flat, out->subject, sizeof(out->subject));
    rg_flat_text(&flat, out->country, sizeof(out->country));
    rg_flat_text(&flat, out->point, sizeof(out->point));
    for (size_t i = 0; i < count && i < RG_NOTICE_TEXTS_MAX; i++) {
        rg_flat_text(&flat, out->text[i].language, sizeof(out->text[i].language));
        rg_flat_text(&flat, out->text[i].title, sizeof(out->text[i].title));
        rg_flat_text(&flat, out->text[i].words, sizeof(out->text[i].words));
    }
    RG_CHECK(!flat.bad && flat.left.len == 0 && count <= RG_NOTICE_TEXTS_MAX, why, RG_BROKEN,
             "casebook-form",
             "a part of the casebook is damaged; restore the folder from a backup");
    out->text_count = (size_t)count;
    return rg_ok();
}

rg_outcome rg_casebook_notice_next(struct rg_casebook *book, int64_t after, struct rg_notice *out,
                                   bool *found_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER plain = {.secret = true, .limit = NOTICE_BYTES_MAX};
    struct rg_item item;
    rg_buffer_clear(&book->sealed);
    RG_TRY(rg_spool_item_next(book->spool, RG_ITEM_NOTICE, after, &item, &book->sealed, found_out,
                              why));
    if (!*found_out) {
        return rg_ok();
    }
    *out = (struct rg_notice){0};
    RG_TRY(rg_book_item_open(book, &item, &plain, why));
    RG_TRY(decode(rg_buffer_peek(&plain), out, why));
    out->row = item.row;
    return rg_ok();
}

static rg_outcome is_here(struct rg_casebook *book, const struct rg_notice *wanted, bool *here_out,
                          struct rg_reason *why)
{
    struct rg_notice notice = {0};
    bool found = true;
    int64_t after = 0;
    *here_out = false;
    while (found && !*here_out) {
        RG_TRY(rg_casebook_notice_next(book, after, &notice, &found, why));
        *here_out = found && rg_notice_same(&notice, wanted);
        after = notice.row;
    }
    return rg_ok();
}

rg_outcome rg_casebook_notice_put(struct rg_casebook *book, const struct rg_notice *notice,
                                  struct rg_reason *why)
{
    RG_OWNED_BUFFER plain = {.secret = true, .limit = NOTICE_BYTES_MAX};
    struct rg_item item = {.kind = RG_ITEM_NOTICE};
    bool here = false;
    RG_TRY(is_here(book, notice, &here, why));
    if (here) {
        return rg_ok();
    }
    RG_TRY(encode(notice, &plain, why));
    return rg_book_item_put(book, &item, rg_buffer_peek(&plain), why);
}
