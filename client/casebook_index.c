/* How it works: every case has a slot. The slots stand side by side in pages of 32, each page one
 * sealed item of always the same size, under a new key each time it is written. A list or a search
 * opens the pages one after the other (100,000 cases are 3,125 pages) and only then the cases that
 * it shows. A slot holds numbers for the lists, and for the search the name keys as bits of a
 * filter: each key sets 4 of 512 bits, so a name that is there is always found, and the few that
 * only seem to be are told apart when the case is opened. Because the page is sealed, the file
 * shows neither how often a name occurs nor how many words one has.
 * Invariant: put, record_put and erase write the slot in the same step as what it speaks of. */
#include "client/casebook_inside.h"

#include "client/home.h"
#include "client/text.h"
#include "core/settings.h"

#include <stdio.h>
#include <string.h>

#define PAGE_SLOTS 32
#define SLOT_BYTES 120
#define PAGE_BYTES ((size_t)PAGE_SLOTS * SLOT_BYTES)
#define SLOTS "case-slots" /* how many are taken */
#define SLOTS_MAX 10000000
#define INDEX_DAY "index-day" /* days since 1970 */
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define BITS_OF_A_KEY 4
#define NAMES_BYTES_MAX (16 * RG_KIB)

_Static_assert(4 * 8 + 2 * 4 + 4 + RG_COUNTRY_BYTES + RG_NAME_BITS / 8 == SLOT_BYTES,
               "a slot holds a line");

/* ---- a slot as bytes ---- */

static void put_le(uint8_t **at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        *(*at)++ = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t get_le(const uint8_t **at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i > 0; i--) {
        value = value << 8 | (*at)[i - 1];
    }
    *at += bytes;
    return value;
}

static void line_write(const struct rg_case_line *line, uint8_t slot[SLOT_BYTES])
{
    uint8_t *at = slot;
    bool two = line->waits == 2;
    put_le(&at, (uint64_t)line->row, 8);
    put_le(&at, (uint64_t)line->made_ms, 8);
    put_le(&at, (uint64_t)line->wait[0].since_ms, 8);
    put_le(&at, two ? (uint64_t)line->wait[1].since_ms : 0, 8);
    put_le(&at, line->wait[0].awaited, 2);
    put_le(&at, two ? line->wait[1].awaited : 0, 2);
    put_le(&at, line->flags, 2);
    put_le(&at, line->lapses, 2);
    put_le(&at, line->side, 1);
    put_le(&at, line->state, 1);
    put_le(&at, line->process, 1);
    put_le(&at, (uint64_t)line->wait[0].mover | (two ? (uint64_t)line->wait[1].mover << 4 : 0), 1);
    memcpy(at, line->country, RG_COUNTRY_BYTES);
    memcpy(at + RG_COUNTRY_BYTES, line->names.b, sizeof(line->names.b));
}

static void line_read(const uint8_t slot[SLOT_BYTES], struct rg_case_line *out)
{
    const uint8_t *at = slot;
    out->row = (int64_t)get_le(&at, 8);
    out->made_ms = (int64_t)get_le(&at, 8);
    out->wait[0].since_ms = (int64_t)get_le(&at, 8);
    out->wait[1].since_ms = (int64_t)get_le(&at, 8);
    out->wait[0].awaited = (uint32_t)get_le(&at, 2);
    out->wait[1].awaited = (uint32_t)get_le(&at, 2);
    out->flags = (uint32_t)get_le(&at, 2);
    out->lapses = (uint16_t)get_le(&at, 2);
    out->side = (uint8_t)get_le(&at, 1);
    out->state = (uint8_t)get_le(&at, 1);
    out->process = (uint8_t)get_le(&at, 1);
    uint64_t movers = get_le(&at, 1);
    out->wait[0].mover = (enum rg_mover)(movers & 15);
    out->wait[1].mover = (enum rg_mover)(movers >> 4);
    out->waits = out->wait[1].mover == RG_MOVER_NOBODY ? 1 : 2;
    memcpy(out->country, at, RG_COUNTRY_BYTES);
    out->country[RG_COUNTRY_BYTES - 1] = '\0';
    memcpy(out->names.b, at + RG_COUNTRY_BYTES, sizeof(out->names.b));
}

/* ---- names as bits ---- */

/* FNV-1a, then mixed: no secret is needed, what it is written to is sealed. */
static uint64_t key_hash(struct rg_bytes key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ key.data[i]) * UINT64_C(1099511628211);
    }
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ (hash >> 33);
}

static rg_outcome bits_add(void *context, struct rg_bytes key, struct rg_reason *why)
{
    struct rg_name_bits *bits = context;
    uint64_t hash = key_hash(key);
    (void)why;
    for (int i = 0; i < BITS_OF_A_KEY; i++) {
        size_t bit = (hash >> (16 * i)) % RG_NAME_BITS;
        bits->b[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
    return rg_ok();
}

static rg_outcome names_bits(struct rg_bytes names, struct rg_name_bits *out, struct rg_reason *why)
{
    struct rg_name_bits bits = {0};
    RG_TRY(rg_text_name_keys(names, bits_add, &bits, why));
    *out = bits;
    return rg_ok();
}

rg_outcome rg_name_query(struct rg_bytes text, struct rg_name_query *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER key = {.secret = true};
    struct rg_name_query query = {0};
    RG_TRY(rg_text_query_keys(text, bits_add, &query.bits, why));
    RG_TRY(rg_text_search_key(text, &key, why));
    RG_CHECK(key.len > 0, why, RG_MALFORMED, "search-empty",
             "nothing to search for: give a name, or a part of one");
    RG_CHECK(key.len < sizeof(query.key), why, RG_LIMIT, "search-long",
             "too long to search for: one name is enough");
    memcpy(query.key, key.data, key.len);
    *out = query;
    return rg_ok();
}

bool rg_name_may_be(const struct rg_case_line *line, const struct rg_name_query *query)
{
    for (size_t i = 0; i < sizeof(line->names.b); i++) {
        if ((line->names.b[i] & query->bits.b[i]) != query->bits.b[i]) {
            return false;
        }
    }
    return true;
}

/* All that a person is called, parted by ';'. */
static rg_outcome names_of(const struct rg_case_file *file, const struct rg_record *record,
                           struct rg_buffer *out, struct rg_reason *why)
{
    static const enum rg_field field[] = {
        RG_FIELD_FULL_NAME_NATIVE, RG_FIELD_FULL_NAME_LATIN,       RG_FIELD_PRS_FIRST_NAME,
        RG_FIELD_PRS_MIDDLE_NAME,  RG_FIELD_PRS_SECOND_NAME,       RG_FIELD_ALIAS_PASSPORT,
        RG_FIELD_ALIAS_NICKNAME,   RG_FIELD_ALIAS_TRAFFICKER_GIVEN};
    const char *const listed[] = {file->name_native, file->name_latin};
    for (size_t i = 0; i < 2; i++) {
        RG_TRY(rg_buffer_append_text(out, listed[i], why));
        RG_TRY(rg_buffer_append_text(out, ";", why));
    }
    for (size_t i = 0; record != NULL && i < sizeof(field) / sizeof(field[0]); i++) {
        const char *name = rg_record_get(record, field[i]);
        bool again = strcmp(name, listed[0]) == 0 || strcmp(name, listed[1]) == 0;
        if (!again && out->len + strlen(name) < NAMES_BYTES_MAX) {
            RG_TRY(rg_buffer_append_text(out, name, why));
            RG_TRY(rg_buffer_append_text(out, ";", why));
        }
    }
    return rg_ok();
}

/* Names one by one: a query of two words must stand in one name. */
static rg_outcome stands_in(struct rg_bytes names, struct rg_bytes query, bool *found_out,
                            struct rg_reason *why)
{
    RG_OWNED_BUFFER key = {.secret = true};
    *found_out = false;
    while (names.len > 0 && !*found_out) {
        const uint8_t *end = memchr(names.data, ';', names.len);
        size_t len = end != NULL ? (size_t)(end - names.data) : names.len;
        RG_TRY(rg_text_search_key(rg_bytes_of(names.data, len), &key, why));
        *found_out = key.len > 0 && rg_text_found(rg_buffer_peek(&key), query);
        len += end != NULL;
        names = rg_bytes_of(names.data + len, names.len - len);
    }
    return rg_ok();
}

rg_outcome rg_casebook_is_called(struct rg_casebook *book, const struct rg_case_file *file,
                                 const struct rg_name_query *query, bool *found_out,
                                 struct rg_reason *why)
{
    RG_OWNED_BUFFER names = {.secret = true};
    RG_OWNED_RECORD record = NULL;
    struct rg_bytes key = rg_bytes_of_text(query->key);
    RG_TRY(names_of(file, NULL, &names, why));
    RG_TRY(stands_in(rg_buffer_peek(&names), key, found_out, why));
    if (*found_out) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_record_get(book, file->row, &record, why));
    rg_buffer_clear(&names);
    RG_TRY(names_of(file, record, &names, why));
    return stands_in(rg_buffer_peek(&names), key, found_out, why);
}

/* ---- pages ---- */

struct page {
    struct rg_item item;
    struct rg_buffer plain; /* PAGE_BYTES */
};

static void page_drop(struct page *page)
{
    rg_buffer_drop(&page->plain);
}

static rg_outcome page_read(struct rg_casebook *book, int64_t at, struct page *out,
                            struct rg_reason *why)
{
    bool found = false;
    out->plain.secret = true;
    rg_buffer_clear(&out->plain);
    RG_TRY(rg_book_item_find(book, RG_ITEM_INDEX, 0, at, &out->item, &found, why));
    if (!found) {
        out->item = (struct rg_item){.kind = RG_ITEM_INDEX, .at = at};
        RG_TRY(rg_buffer_reserve(&out->plain, PAGE_BYTES, why));
        memset(out->plain.data, 0, PAGE_BYTES);
        out->plain.len = PAGE_BYTES;
        return rg_ok();
    }
    RG_TRY(rg_book_item_open(book, &out->item, &out->plain, why));
    RG_CHECK(out->plain.len == PAGE_BYTES, why, RG_BROKEN, "casebook-form",
             "the casebook's index is damaged; restore the folder from a backup");
    return rg_ok();
}

/* Changes one line: reads its page, asks `change`, writes the page under a new key. */
static rg_outcome line_change(struct rg_casebook *book, int64_t slot,
                              rg_outcome (*change)(void *context, struct rg_case_line *line,
                                                   struct rg_reason *why),
                              void *context, struct rg_reason *why)
{
    RG_CLEANUP(page_drop) struct page page = {0};
    struct rg_case_line line;
    RG_CHECK(slot > 0 && slot <= SLOTS_MAX, why, RG_BROKEN, "casebook-form",
             "the casebook's index is damaged; restore the folder from a backup");
    RG_TRY(page_read(book, (slot - 1) / PAGE_SLOTS, &page, why));
    uint8_t *at = page.plain.data + (size_t)((slot - 1) % PAGE_SLOTS) * SLOT_BYTES;
    line_read(at, &line);
    RG_TRY(change(context, &line, why));
    line_write(&line, at);
    return rg_book_item_put(book, &page.item, rg_buffer_peek(&page.plain), why);
}

rg_outcome rg_book_slot_new(struct rg_casebook *book, int64_t *slot_out, struct rg_reason *why)
{
    int64_t count = 0;
    RG_TRY(rg_spool_number_get(book->spool, SLOTS, 0, &count, why));
    RG_CHECK(count < SLOTS_MAX, why, RG_LIMIT, "casebook-full", "too many cases in one casebook");
    RG_TRY(rg_spool_number_set(book->spool, SLOTS, count + 1, why));
    *slot_out = count + 1;
    return rg_ok();
}

/* ---- when what waits changes by date alone ---- */

/* In 16 bits, in the order of days; 0: no date. */
static uint16_t day_packed(struct rg_date date)
{
    if (date.year < 2000 || date.year >= 2128 || date.day == 0) {
        return 0;
    }
    unsigned year = (unsigned)date.year - 2000;
    return (uint16_t)(year << 9 | (unsigned)date.month << 5 | (unsigned)date.day);
}

static struct rg_date days_after(struct rg_date date, int days)
{
    char text[16];
    struct rg_wall wall = {0};
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month, date.day);
    if (date.day == 0 || !rg_is_ok(rg_wall_parse(text, &wall, NULL))) {
        return (struct rg_date){0};
    }
    return rg_date_of_wall((struct rg_wall){wall.ms + days * DAY_MS});
}

static void sooner(uint16_t *lapses, struct rg_date date, uint16_t today)
{
    uint16_t day = day_packed(date);
    if (day >= today && (*lapses == 0 || day < *lapses)) {
        *lapses = day;
    }
}

/* The last day on which the first of the checks and consents holds; 0: none, or it does not matter,
 * since only while she is being checked a check that lapses is waited for again. */
static uint16_t lapses_of(const struct rg_case_file *file, struct rg_wall now)
{
    const struct rg_process *process = &file->process;
    const struct rg_check check[] = {process->nationality,
                                     process->travel,
                                     process->fit,
                                     process->risk[RG_PARTY_HOST],
                                     process->risk[RG_PARTY_ORIGIN],
                                     process->interest[RG_PARTY_HOST],
                                     process->interest[RG_PARTY_ORIGIN]};
    uint16_t today = day_packed(rg_day_of_wall(now));
    uint16_t lapses = 0;
    if (rg_case_file_process(file) != RG_PROCESS_ACCEPTED) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(check) / sizeof(check[0]); i++) {
        sooner(&lapses, check[i].valid_to, today);
        sooner(&lapses, days_after(check[i].made, RG_RISK_DAYS_MAX - 1), today);
        sooner(&lapses, days_after(check[i].made, RG_RISK_DAYS_MAX), today);
    }
    for (size_t i = 0; i < sizeof(process->scope_until) / sizeof(process->scope_until[0]); i++) {
        sooner(&lapses, process->scope_until[i], today);
    }
    sooner(&lapses, process->witness_until, today);
    return lapses;
}

static void line_of_file(const struct rg_case_file *file, struct rg_wall now,
                         struct rg_case_line *line)
{
    struct rg_file_waiting waiting[2];
    size_t waits = rg_case_file_waiting(file, now, waiting);
    bool alert = false;
    line->row = file->row;
    line->made_ms = file->made_ms;
    line->side = (uint8_t)file->now.side;
    line->state = (uint8_t)file->now.state;
    line->process = (uint8_t)rg_case_file_process(file);
    line->lapses = lapses_of(file, now);
    line->waits = waits;
    for (size_t i = 0; i < waits; i++) {
        line->wait[i].mover = waiting[i].mover;
        line->wait[i].awaited = waiting[i].awaited;
        line->wait[i].since_ms = waiting[i].since.ms;
        alert = alert || waiting[i].alert;
    }
    line->flags = (line->flags & RG_LINE_NAMES_OF_RECORD) | (alert ? RG_LINE_ALERT : 0) |
                  (file->erased ? RG_LINE_ERASED : 0) | (file->has_request ? RG_LINE_ASKED : 0) |
                  (file->request_received ? RG_LINE_RECEIVED : 0) |
                  (file->request_opened ? RG_LINE_OPENED : 0) |
                  (file->details_opened ? RG_LINE_DETAILS_OPENED : 0);
    (void)snprintf(line->country, sizeof(line->country), "%s", rg_case_file_other_country(file));
}

static rg_outcome file_change(void *context, struct rg_case_line *line, struct rg_reason *why)
{
    const struct rg_case_file *file = context;
    bool erased = (file->erased_classes & RG_CLASS_BIT(RG_CLASS_IDENTITY)) != 0 || file->erased;
    bool of_record =
        !erased && line->row == file->row && (line->flags & RG_LINE_NAMES_OF_RECORD) != 0;
    if (!of_record) {
        RG_OWNED_BUFFER names = {.secret = true};
        RG_TRY(names_of(file, NULL, &names, why));
        RG_TRY(names_bits(rg_buffer_peek(&names), &line->names, why));
    }
    line->flags = of_record ? RG_LINE_NAMES_OF_RECORD : 0;
    line_of_file(file, rg_wall_now(), line);
    return rg_ok();
}

rg_outcome rg_book_index_file(struct rg_casebook *book, struct rg_case_file *file,
                              struct rg_reason *why)
{
    return line_change(book, file->slot, file_change, file, why);
}

struct naming {
    int64_t row;
    const struct rg_record *record;
};

static rg_outcome names_change(void *context, struct rg_case_line *line, struct rg_reason *why)
{
    const struct naming *naming = context;
    RG_OWNED_BUFFER names = {.secret = true};
    struct rg_case_file none = {0};
    RG_CHECK(line->row == naming->row, why, RG_BROKEN, "casebook-form",
             "the casebook's index is damaged; restore the folder from a backup");
    RG_TRY(names_of(&none, naming->record, &names, why));
    RG_TRY(names_bits(rg_buffer_peek(&names), &line->names, why));
    line->flags |= RG_LINE_NAMES_OF_RECORD;
    return rg_ok();
}

rg_outcome rg_book_index_names(struct rg_casebook *book, int64_t slot, int64_t row,
                               const struct rg_record *record, struct rg_reason *why)
{
    struct naming naming = {.row = row, .record = record};
    return line_change(book, slot, names_change, &naming, why);
}

rg_outcome rg_casebook_scan(struct rg_casebook *book, rg_case_visit visit, void *context,
                            struct rg_reason *why)
{
    RG_CLEANUP(page_drop) struct page page = {0};
    struct rg_case_line line;
    int64_t count = 0;
    RG_TRY(rg_spool_number_get(book->spool, SLOTS, 0, &count, why));
    for (int64_t slot = 0; slot < count; slot++) {
        if (slot % PAGE_SLOTS == 0) {
            RG_TRY(page_read(book, slot / PAGE_SLOTS, &page, why));
        }
        line_read(page.plain.data + (size_t)(slot % PAGE_SLOTS) * SLOT_BYTES, &line);
        if (line.row != 0) {
            RG_TRY(visit(context, &line, why));
        }
    }
    return rg_ok();
}

/* ---- a new day: checks and consents may have lapsed ---- */

static rg_outcome line_refresh(struct rg_casebook *book, struct rg_wall now,
                               uint8_t slot[SLOT_BYTES], bool *changed, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_case_line line;
    uint8_t fresh[SLOT_BYTES];
    line_read(slot, &line);
    if (line.row == 0 || line.lapses == 0 || line.lapses >= day_packed(rg_day_of_wall(now))) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_get(book, line.row, &file, why));
    line_of_file(&file, now, &line);
    line_write(&line, fresh);
    *changed = *changed || memcmp(slot, fresh, SLOT_BYTES) != 0;
    memcpy(slot, fresh, SLOT_BYTES);
    return rg_ok();
}

static rg_outcome page_refresh(struct rg_casebook *book, struct rg_wall now, int64_t at,
                               struct rg_reason *why)
{
    RG_CLEANUP(page_drop) struct page page = {0};
    bool changed = false;
    RG_TRY(page_read(book, at, &page, why));
    for (size_t i = 0; i < PAGE_SLOTS; i++) {
        RG_TRY(line_refresh(book, now, page.plain.data + i * SLOT_BYTES, &changed, why));
    }
    return changed ? rg_book_item_put(book, &page.item, rg_buffer_peek(&page.plain), why) : rg_ok();
}

rg_outcome rg_casebook_refresh(struct rg_casebook *book, struct rg_wall now, struct rg_reason *why)
{
    int64_t day = 0;
    int64_t count = 0;
    RG_TRY(rg_spool_number_get(book->spool, INDEX_DAY, 0, &day, why));
    if (day == now.ms / DAY_MS) {
        return rg_ok();
    }
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(rg_spool_number_get(book->spool, SLOTS, 0, &count, why));
    for (int64_t at = 0; at * PAGE_SLOTS < count; at++) {
        RG_TRY(page_refresh(book, now, at, why));
    }
    RG_TRY(rg_spool_number_set(book->spool, INDEX_DAY, now.ms / DAY_MS, why));
    return rg_spool_step_commit(&step, why);
}

/* ---- a casebook from before there was an index ---- */

static rg_outcome index_all(struct rg_casebook *book, struct rg_reason *why)
{
    int64_t after = 0;
    bool found = true;
    for (;;) {
        RG_CASE_FILE file = {0};
        RG_OWNED_RECORD record = NULL;
        RG_TRY(rg_casebook_next(book, after, &file, &found, why));
        if (!found) {
            return rg_ok();
        }
        after = file.row;
        file.slot = 0;
        RG_TRY(rg_casebook_put(book, &file, why)); /* gives it one */
        RG_TRY(rg_casebook_record_get(book, file.row, &record, why));
        if (rg_record_has(record, RG_FIELD_FULL_NAME_NATIVE)) {
            RG_TRY(rg_book_index_names(book, file.slot, file.row, record, why));
        }
    }
}

/* Two programs may find no index at once: the second looks again when it is its turn. */
rg_outcome rg_book_index_make(struct rg_casebook *book, struct rg_reason *why)
{
    int64_t count = 0;
    RG_TRY(rg_spool_number_get(book->spool, SLOTS, -1, &count, why));
    if (count >= 0) {
        return rg_ok();
    }
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(book->spool, &step, why));
    RG_TRY(rg_spool_number_get(book->spool, SLOTS, -1, &count, why));
    if (count >= 0) {
        return rg_ok();
    }
    RG_TRY(rg_spool_number_set(book->spool, SLOTS, 0, why));
    RG_TRY(index_all(book, why));
    return rg_spool_step_commit(&step, why);
}
