/* A name and a query, parted by a line feed: what is found has its keys in the index; a key of a
 * key is the key; dates and the old encoding are judged without harm. */
#include "tests/fuzz/fuzz.h"

#include "client/dates.h"
#include "client/zawgyi.h"

#include <string.h>

static rg_outcome keep(void *context, struct rg_bytes key, struct rg_reason *why)
{
    uint8_t len = (uint8_t)key.len;
    RG_ASSERT(key.len > 0 && key.len < 255);
    RG_TRY(rg_buffer_append(context, rg_bytes_of(&len, 1), why));
    return rg_buffer_append(context, key, why);
}

static rg_outcome must_have(void *context, struct rg_bytes key, struct rg_reason *why)
{
    const struct rg_buffer *index = context;
    for (size_t at = 0; at < index->len; at += index->data[at] + 1u) {
        if (rg_bytes_equal(rg_bytes_of(index->data + at + 1, index->data[at]), key)) {
            return rg_ok();
        }
    }
    return rg_fail(why, RG_DENIED, "not-there", "the index lacks a key");
}

static void search(struct rg_bytes name, struct rg_bytes query)
{
    RG_OWNED_BUFFER name_key = {0};
    RG_OWNED_BUFFER query_key = {0};
    RG_OWNED_BUFFER again = {0};
    RG_OWNED_BUFFER index = {0};
    if (!rg_is_ok(rg_text_search_key(name, &name_key, NULL)) ||
        !rg_is_ok(rg_text_search_key(query, &query_key, NULL))) {
        return;
    }
    RG_ASSERT(rg_is_ok(rg_text_search_key(rg_buffer_peek(&name_key), &again, NULL)));
    if (!rg_text_found(rg_buffer_peek(&name_key), rg_buffer_peek(&query_key))) {
        return;
    }
    RG_ASSERT(rg_is_ok(rg_text_name_keys(name, keep, &index, NULL)));
    RG_ASSERT(rg_is_ok(rg_text_query_keys(query, must_have, &index, NULL)));
}

static void judge(struct rg_bytes text)
{
    struct rg_birth birth;
    struct rg_reason why = {0};
    char normal[RG_DATE_BYTES];
    RG_OWNED_BUFFER written = {0};
    if (!rg_is_ok(rg_text_normal(text, 1024, RG_TEXT_LINE, &written, NULL)) || written.len == 0) {
        return;
    }
    RG_ASSERT(rg_zawgyi_score(rg_buffer_peek(&written)) <= 100);
    struct rg_date today = {2026, 11, 24};
    if (!rg_is_ok(rg_birth_read(rg_buffer_peek(&written), today, &birth, &why))) {
        return;
    }
    rg_date_text(birth.date, normal);
    RG_ASSERT(rg_is_ok(rg_birth_read(rg_bytes_of_text(normal), today, &birth, &why)));
    RG_ASSERT(!birth.as_written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    size_t len = line == NULL ? size : (size_t)(line - data);
    size_t rest = line == NULL ? len : len + 1;
    judge(rg_bytes_of(data, len));
    search(rg_bytes_of(data, len), rg_bytes_of(data + rest, size - rest));
    return 0;
}
