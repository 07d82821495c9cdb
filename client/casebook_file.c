/* How it works: one flat run of numbers (8 bytes, little endian), texts (length first) and ids, a
 * version first. Version 2 is version 1 with a tail, so that both are read by the same lines.
 * Reading checks every length; what does not read back is damage, never guessed at. */
#include "client/casebook_inside.h"

#include "core/digest.h"

#include <string.h>

#define FILE_VERSION 2
#define PROCESS_BYTES (8 * RG_KIB) /* a folded case has some 5 */

void rg_case_file_drop(struct rg_case_file *file)
{
    rg_wipe(file, sizeof(*file));
}

rg_outcome rg_flat_put_number(struct rg_buffer *out, uint64_t value, struct rg_reason *why)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    return rg_buffer_append(out, rg_bytes_of(bytes, sizeof(bytes)), why);
}

rg_outcome rg_flat_put_text(struct rg_buffer *out, const char *text, struct rg_reason *why)
{
    RG_TRY(rg_flat_put_number(out, strlen(text), why));
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
        RG_TRY(rg_flat_put_number(out, number[i], why));
    }
    return rg_flat_put_text(out, preview->language, why);
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
       FLAG_PROTECTION_CLAIM = 16384,
       FLAG_MOVEMENT = 65536,
       FLAG_FAMILY_LINK = 131072,
       FLAG_PROCESS = 524288,
};

#define ERASED_CLASSES_SHIFT 40 /* six bits of the flags word, by class */
#define ERASED_CLASSES_MASK 63u

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
           (file->has_details ? FLAG_DETAILS : 0u) |
           (file->protection_claim ? FLAG_PROTECTION_CLAIM : 0u) |
           (file->has_movement ? FLAG_MOVEMENT : 0u) |
           (file->has_family_link ? FLAG_FAMILY_LINK : 0u) |
           (file->has_process ? FLAG_PROCESS : 0u) |
           (uint64_t)(file->erased_classes & ERASED_CLASSES_MASK) << ERASED_CLASSES_SHIFT;
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
    file->protection_claim = (flags & FLAG_PROTECTION_CLAIM) != 0;
    file->has_movement = (flags & FLAG_MOVEMENT) != 0;
    file->has_family_link = (flags & FLAG_FAMILY_LINK) != 0;
    file->has_process = (flags & FLAG_PROCESS) != 0;
    file->erased_classes = (unsigned)(flags >> ERASED_CLASSES_SHIFT) & ERASED_CLASSES_MASK;
}

/* A folded case is some 5 KiB, nearly all of it noughts: written as runs, (noughts, bytes) with a
 * byte each for how many, it is a few hundred bytes, and a case fits the smallest size. */
static rg_outcome put_runs(struct rg_bytes bytes, struct rg_buffer *out, struct rg_reason *why)
{
    size_t at = 0;
    while (at < bytes.len) {
        uint8_t run[2] = {0};
        for (; at < bytes.len && run[0] < UINT8_MAX && bytes.data[at] == 0; at++) {
            run[0]++;
        }
        size_t from = at;
        for (; at < bytes.len && run[1] < UINT8_MAX && bytes.data[at] != 0; at++) {
            run[1]++;
        }
        RG_TRY(rg_buffer_append(out, rg_bytes_of(run, sizeof(run)), why));
        RG_TRY(rg_buffer_append(out, rg_bytes_of(bytes.data + from, run[1]), why));
    }
    return rg_ok();
}

static rg_outcome put_process(const struct rg_process *process, struct rg_buffer *out,
                              struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_OWNED_BUFFER runs = {.secret = true};
    RG_TRY(rg_buffer_reserve(&bytes, PROCESS_BYTES, why)); /* at once: secret memory is wiped */
    RG_TRY(rg_process_encode(process, &bytes, why));
    RG_TRY(put_runs(rg_buffer_peek(&bytes), &runs, why));
    RG_TRY(rg_flat_put_number(out, runs.len, why));
    return rg_buffer_append(out, rg_buffer_peek(&runs), why);
}

static rg_outcome put_tail(const struct rg_case_file *file, struct rg_buffer *out,
                           struct rg_reason *why)
{
    RG_TRY(rg_flat_put_number(out, (uint64_t)file->slot, why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->movement, sizeof(file->movement)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->family_link, sizeof(file->family_link)), why));
    RG_TRY(rg_flat_put_text(out, file->kept_from, why));
    return file->has_process ? put_process(&file->process, out, why) : rg_ok();
}

rg_outcome rg_case_file_encode(const struct rg_case_file *file, struct rg_buffer *out,
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
        RG_TRY(rg_flat_put_number(out, number[i], why));
    }
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        RG_TRY(rg_flat_put_text(out, text[i], why));
    }
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->handle.b, sizeof(file->handle.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->thread.b, sizeof(file->thread.b)), why));
    RG_TRY(rg_buffer_append(
        out, rg_bytes_of(file->proposal_thread.b, sizeof(file->proposal_thread.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->request.b, sizeof(file->request.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->proposal.b, sizeof(file->proposal.b)), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(file->details.b, sizeof(file->details.b)), why));
    RG_TRY(put_preview(out, &file->preview, why));
    return put_tail(file, out, why);
}

void rg_flat_bytes(struct rg_flat *reader, void *out, size_t len)
{
    if (reader->bad || reader->left.len < len) {
        reader->bad = true;
        memset(out, 0, len);
        return;
    }
    memcpy(out, reader->left.data, len);
    reader->left = rg_bytes_of(reader->left.data + len, reader->left.len - len);
}

uint64_t rg_flat_number(struct rg_flat *reader)
{
    uint8_t bytes[8];
    uint64_t value = 0;
    rg_flat_bytes(reader, bytes, sizeof(bytes));
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

void rg_flat_text(struct rg_flat *reader, char *out, size_t room)
{
    uint64_t len = rg_flat_number(reader);
    if (len >= room) {
        reader->bad = true;
        return;
    }
    rg_flat_bytes(reader, out, (size_t)len);
    out[len] = '\0';
}

static void get_date(struct rg_flat *reader, struct rg_date *out)
{
    out->year = (int)rg_flat_number(reader);
    out->month = (int)rg_flat_number(reader);
    out->day = (int)rg_flat_number(reader);
}

static void get_preview(struct rg_flat *reader, struct rg_preview *out)
{
    out->reason = (enum rg_referral_reason)rg_flat_number(reader);
    out->age = (enum rg_age)rg_flat_number(reader);
    out->sex = (uint32_t)rg_flat_number(reader);
    out->needs = (uint32_t)rg_flat_number(reader);
    out->urgency = (enum rg_urgency)rg_flat_number(reader);
    get_date(reader, &out->expected_month);
    out->consent.scopes = (uint32_t)rg_flat_number(reader);
    out->consent.given_by = (enum rg_given_by)rg_flat_number(reader);
    get_date(reader, &out->consent.expires);
    rg_flat_text(reader, out->language, sizeof(out->language));
}

/* False: no room for it, or cut off. */
static bool get_runs(struct rg_bytes runs, uint8_t *out, size_t room, size_t *len_out)
{
    size_t len = 0;
    while (runs.len > 0) {
        if (runs.len < 2 || runs.len - 2 < runs.data[1] ||
            (size_t)runs.data[0] + runs.data[1] > room - len) {
            return false;
        }
        memset(out + len, 0, runs.data[0]);
        memcpy(out + len + runs.data[0], runs.data + 2, runs.data[1]);
        len += (size_t)runs.data[0] + runs.data[1];
        runs = rg_bytes_of(runs.data + 2 + runs.data[1], runs.len - 2 - runs.data[1]);
    }
    *len_out = len;
    return true;
}

/* A cache: one that another version wrote is forgotten, and folded again with the next message. */
static void get_process(struct rg_flat *reader, struct rg_case_file *file)
{
    uint8_t bytes[PROCESS_BYTES];
    size_t plain = 0;
    uint64_t len = rg_flat_number(reader);
    if (reader->bad || len > reader->left.len) {
        reader->bad = true;
        return;
    }
    struct rg_bytes runs = rg_bytes_of(reader->left.data, (size_t)len);
    reader->left = rg_bytes_of(reader->left.data + len, reader->left.len - (size_t)len);
    file->has_process =
        get_runs(runs, bytes, sizeof(bytes), &plain) &&
        rg_is_ok(rg_process_decode(rg_bytes_of(bytes, plain), &file->process, NULL));
    rg_wipe(bytes, plain);
}

static void get_tail(struct rg_flat *reader, struct rg_case_file *file)
{
    file->slot = (int64_t)rg_flat_number(reader);
    rg_flat_bytes(reader, file->movement, sizeof(file->movement));
    rg_flat_bytes(reader, file->family_link, sizeof(file->family_link));
    rg_flat_text(reader, file->kept_from, sizeof(file->kept_from));
    if (file->has_process) {
        get_process(reader, file);
    }
}

rg_outcome rg_case_file_decode(struct rg_bytes bytes, struct rg_case_file *out,
                               struct rg_reason *why)
{
    struct rg_flat reader = {.left = bytes};
    struct rg_case_file *file = out;
    uint64_t version = rg_flat_number(&reader);
    file->now.side = (enum rg_case_side)rg_flat_number(&reader);
    file->now.state = (enum rg_case_state)rg_flat_number(&reader);
    file->now.since.ms = (int64_t)rg_flat_number(&reader);
    flags_to(rg_flat_number(&reader), file);
    file->rule = (uint32_t)rg_flat_number(&reader);
    file->decline = (uint32_t)rg_flat_number(&reader);
    file->made_ms = (int64_t)rg_flat_number(&reader);
    rg_flat_text(&reader, file->number, sizeof(file->number));
    rg_flat_text(&reader, file->reference, sizeof(file->reference));
    rg_flat_text(&reader, file->host, sizeof(file->host));
    rg_flat_text(&reader, file->origin, sizeof(file->origin));
    rg_flat_text(&reader, file->partner, sizeof(file->partner));
    rg_flat_text(&reader, file->proposed_by, sizeof(file->proposed_by));
    rg_flat_text(&reader, file->name_native, sizeof(file->name_native));
    rg_flat_text(&reader, file->name_latin, sizeof(file->name_latin));
    rg_flat_bytes(&reader, file->handle.b, sizeof(file->handle.b));
    rg_flat_bytes(&reader, file->thread.b, sizeof(file->thread.b));
    rg_flat_bytes(&reader, file->proposal_thread.b, sizeof(file->proposal_thread.b));
    rg_flat_bytes(&reader, file->request.b, sizeof(file->request.b));
    rg_flat_bytes(&reader, file->proposal.b, sizeof(file->proposal.b));
    rg_flat_bytes(&reader, file->details.b, sizeof(file->details.b));
    get_preview(&reader, &file->preview);
    if (version > 1) {
        get_tail(&reader, file);
    }
    RG_CHECK(!reader.bad && reader.left.len == 0 && version >= 1 && version <= FILE_VERSION, why,
             RG_BROKEN, "casebook-form",
             "a case in the casebook is damaged; restore the folder from a backup");
    return rg_ok();
}

/* ---- waiting ---- */

/* Who was asked is the country of origin; of somebody identified late, the one she was in. */
enum rg_party rg_case_file_party(const struct rg_case_file *file)
{
    bool asked = file->now.side == RG_SIDE_ORIGIN;
    bool late = file->has_preview && file->preview.reason == RG_REASON_LATE_IDENTIFICATION;
    return asked != late ? RG_PARTY_ORIGIN : RG_PARTY_HOST;
}

const char *rg_case_file_other_country(const struct rg_case_file *file)
{
    return rg_case_file_party(file) == RG_PARTY_ORIGIN ? file->host : file->origin;
}

/* A case that is still (or again) in the house goes by the house's own states. */
enum rg_process_state rg_case_file_process(const struct rg_case_file *file)
{
    static const enum rg_case_state inside[] = {RG_CASE_HELD, RG_CASE_READY, RG_CASE_PROPOSED,
                                                RG_CASE_FORWARDED, RG_CASE_RETURNED};
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        if (file->now.state == inside[i]) {
            return RG_PROCESS_NONE;
        }
    }
    return file->has_process ? file->process.state : RG_PROCESS_NONE;
}

static struct rg_file_waiting house_waiting(const struct rg_case_file *file)
{
    struct rg_waiting waiting = rg_case_waiting(&file->now);
    if (file->now.side == RG_SIDE_PROPOSER && file->now.state == RG_CASE_FORWARDED) {
        waiting = (struct rg_waiting){RG_MOVER_NOBODY, "nothing", 0}; /* it has its answer */
    }
    return (struct rg_file_waiting){.mover = waiting.mover,
                                    .awaited = waiting.answer_to,
                                    .what = waiting.what,
                                    .since = file->now.since};
}

size_t rg_case_file_waiting(const struct rg_case_file *file, struct rg_wall now,
                            struct rg_file_waiting out[2])
{
    struct rg_process_wait wait[RG_PROCESS_WAITS_MAX];
    enum rg_party own = rg_case_file_party(file);
    bool owes_details = file->now.state == RG_CASE_ACCEPTED && file->rule != 0;
    size_t count = 0;
    if (rg_case_file_process(file) == RG_PROCESS_NONE || owes_details) {
        out[0] = house_waiting(file);
        return 1;
    }
    size_t waits = rg_process_waiting(&file->process, now, wait, RG_PROCESS_WAITS_MAX);
    out[0] = (struct rg_file_waiting){
        .mover = RG_MOVER_NOBODY, .what = "nothing", .since = file->process.since};
    for (size_t i = 0; i < waits && count < 2; i++) {
        enum rg_mover mover = wait[i].mover == own ? RG_MOVER_US : RG_MOVER_OTHER_SIDE;
        if (count == 0 || out[0].mover != mover) {
            out[count++] = (struct rg_file_waiting){.mover = mover,
                                                    .awaited = wait[i].asked,
                                                    .what = wait[i].what,
                                                    .kind = wait[i].kind,
                                                    .since = wait[i].since,
                                                    .alert = wait[i].alert};
        }
    }
    return count > 0 ? count : 1;
}
