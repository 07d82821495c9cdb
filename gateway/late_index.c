/* How it works: two generations in memory. New rows go to `filling`, a hash table over an array in
 * the order of coming. When it is large and nothing is being merged, a begin sorts it by hash and
 * makes it `merging`; each batch then writes a run of it that is at least twice as long as what the
 * batch added, so merging ends before the next generation is large. With the last run the mark
 * moves to the generation's last key.
 *
 * Invariants: a committed row is above the mark and in memory, or in the index table; rows are in
 * `filling` in the order of their keys, and those of an undone batch are the last ones, so they are
 * taken out from the end, which linear probing allows; a generation leaves memory only after the
 * batch with its mark is committed. */
#include "gateway/late_index.h"

#include "core/digest.h"

#include <stdlib.h>

#define SLOTS_MIN 1024
#define RUN_MIN 64

struct entry {
    int64_t hash;
    uint64_t key;
};

struct rg_late_index {
    struct rg_db *db;
    struct rg_late_options options;
    struct entry *filling;
    uint32_t *slot; /* number in `filling` + 1; 0: free */
    size_t count, committed, capacity, slots;
    struct entry *merging; /* by hash, key */
    size_t merging_count, merged, merged_committed;
    uint64_t merging_last; /* the highest key in it */
};

static int64_t hash_of(struct rg_bytes value)
{
    struct rg_hash digest = rg_sha256(value);
    int64_t hash = 0;
    memcpy(&hash, digest.b, sizeof(hash));
    return hash;
}

static size_t first_slot(const struct rg_late_index *index, int64_t hash)
{
    return (size_t)(uint64_t)hash & (index->slots - 1);
}

static size_t next_slot(const struct rg_late_index *index, size_t at)
{
    return (at + 1) & (index->slots - 1);
}

static void slot_fill(struct rg_late_index *index, size_t number)
{
    size_t at = first_slot(index, index->filling[number].hash);
    while (index->slot[at] != 0) {
        at = next_slot(index, at);
    }
    index->slot[at] = (uint32_t)number + 1;
}

/* At most half of the slots are used. */
static rg_outcome grow(struct rg_late_index *index, struct rg_reason *why)
{
    size_t slots = index->slots == 0 ? SLOTS_MIN : 2 * index->slots;
    RG_CHECK(slots <= UINT32_MAX, why, RG_LIMIT, "store-index", "too many rows are not indexed");
    struct entry *filling = realloc(index->filling, slots / 2 * sizeof(*filling));
    RG_CHECK(filling != NULL, why, RG_IO, "out-of-memory", "no memory for the index");
    index->filling = filling;
    uint32_t *slot = calloc(slots, sizeof(*slot));
    RG_CHECK(slot != NULL, why, RG_IO, "out-of-memory", "no memory for the index");
    free(index->slot);
    index->slot = slot;
    index->slots = slots;
    index->capacity = slots / 2;
    for (size_t i = 0; i < index->count; i++) {
        slot_fill(index, i);
    }
    return rg_ok();
}

rg_outcome rg_late_add(struct rg_late_index *index, struct rg_bytes value, uint64_t key,
                       struct rg_reason *why)
{
    if (index->count == index->capacity) {
        RG_TRY(grow(index, why));
    }
    index->filling[index->count] = (struct entry){hash_of(value), key};
    slot_fill(index, index->count++);
    return rg_ok();
}

/* --- life --- */

static rg_outcome read_pending(struct rg_late_index *index, struct rg_reason *why)
{
    RG_ROW *row = NULL;
    bool found = false;
    RG_TRY(rg_db_start(index->db, index->options.pending, RG_NO_VALUES, &row, why));
    for (;;) {
        RG_TRY(rg_db_step(index->db, row, &found, why));
        if (!found) {
            break;
        }
        RG_TRY(rg_late_add(index, rg_row_bytes(row, 1), rg_row_count(row, 0), why));
    }
    index->committed = index->count;
    return rg_ok();
}

rg_outcome rg_late_open(struct rg_db *db, const struct rg_late_options *options,
                        struct rg_late_index **out, struct rg_reason *why)
{
    struct rg_late_index *index = calloc(1, sizeof(*index));
    RG_CHECK(index != NULL, why, RG_IO, "out-of-memory", "no memory for the index");
    index->db = db;
    index->options = *options;
    index->options.rows = options->rows != 0 ? options->rows : RG_LATE_ROWS;
    rg_outcome outcome = grow(index, why);
    if (rg_is_ok(outcome)) {
        outcome = read_pending(index, why);
    }
    if (!rg_is_ok(outcome)) {
        rg_late_free(index);
        return outcome;
    }
    *out = index;
    return rg_ok();
}

void rg_late_free(struct rg_late_index *index)
{
    if (index != NULL) {
        free(index->filling);
        free(index->slot);
        free(index->merging);
        free(index);
    }
}

/* --- merging --- */

static int entry_compare(const void *one, const void *other)
{
    const struct entry *a = one, *b = other;
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return a->key < b->key ? -1 : a->key > b->key;
}

rg_outcome rg_late_begin(struct rg_late_index *index, struct rg_reason *why)
{
    bool due = index->count >= index->options.rows && index->merging == NULL;
    if (!due || index->count > index->committed) {
        return rg_ok();
    }
    index->merging = index->filling;
    index->merging_count = index->count;
    index->merging_last = index->filling[index->count - 1].key;
    index->merged = index->merged_committed = 0;
    qsort(index->merging, index->merging_count, sizeof(*index->merging), entry_compare);
    free(index->slot);
    index->filling = NULL;
    index->slot = NULL;
    index->count = index->committed = index->capacity = index->slots = 0;
    return grow(index, why);
}

rg_outcome rg_late_write(struct rg_late_index *index, struct rg_reason *why)
{
    size_t run = 2 * (index->count - index->committed);
    run = run < RUN_MIN ? RUN_MIN : run;
    if (index->merging == NULL) {
        return rg_ok();
    }
    for (; run > 0 && index->merged < index->merging_count; run--) {
        const struct entry *entry = &index->merging[index->merged];
        RG_TRY(rg_db_write(index->db, index->options.put,
                           RG_VALUES(rg_value_number(entry->hash), rg_value_count(entry->key)),
                           why));
        index->merged++;
    }
    return index->merged < index->merging_count
               ? rg_ok()
               : rg_db_write(index->db, index->options.mark,
                             RG_VALUES(rg_value_count(index->merging_last)), why);
}

void rg_late_committed(struct rg_late_index *index)
{
    index->committed = index->count;
    index->merged_committed = index->merged;
    if (index->merging != NULL && index->merged == index->merging_count) {
        free(index->merging);
        index->merging = NULL;
        index->merging_count = 0;
    }
}

void rg_late_rolled_back(struct rg_late_index *index)
{
    index->merged = index->merged_committed;
    while (index->count > index->committed) {
        size_t at = first_slot(index, index->filling[index->count - 1].hash);
        while (index->slot[at] != (uint32_t)index->count) {
            at = next_slot(index, at);
        }
        index->slot[at] = 0;
        index->count--;
    }
}

/* --- finding --- */

static void keep_smaller(const struct entry *entry, uint64_t after, uint64_t *key, bool *found)
{
    if (entry->key > after && (!*found || entry->key < *key)) {
        *key = entry->key;
        *found = true;
    }
}

static void next_filling(const struct rg_late_index *index, int64_t hash, uint64_t after,
                         uint64_t *key, bool *found)
{
    size_t at = first_slot(index, hash);
    for (; index->slot[at] != 0; at = next_slot(index, at)) {
        const struct entry *entry = &index->filling[index->slot[at] - 1];
        if (entry->hash == hash) {
            keep_smaller(entry, after, key, found);
        }
    }
}

static void next_merging(const struct rg_late_index *index, int64_t hash, uint64_t after,
                         uint64_t *key, bool *found)
{
    const struct entry wanted = {hash, after};
    size_t from = 0, to = index->merging_count; /* the first one above `wanted` is in [from, to] */
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        bool above = entry_compare(&index->merging[middle], &wanted) > 0;
        to = above ? middle : to;
        from = above ? from : middle + 1;
    }
    if (from < index->merging_count && index->merging[from].hash == hash) {
        keep_smaller(&index->merging[from], after, key, found);
    }
}

rg_outcome rg_late_next(struct rg_late_index *index, struct rg_bytes value, uint64_t after,
                        uint64_t *key_out, bool *found_out, struct rg_reason *why)
{
    int64_t hash = hash_of(value);
    uint64_t stored = 0; /* keys start at 1 */
    uint64_t key = 0;
    bool found = false;
    RG_TRY(rg_db_number(index->db, index->options.find,
                        RG_VALUES(rg_value_number(hash), rg_value_count(after)), &stored, why));
    if (stored > 0) {
        keep_smaller(&(struct entry){hash, stored}, after, &key, &found);
    }
    next_filling(index, hash, after, &key, &found);
    next_merging(index, hash, after, &key, &found);
    *key_out = key;
    *found_out = found;
    return rg_ok();
}
