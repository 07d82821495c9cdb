/* A case load as JSON: all cases or none; what was read writes and reads again as the same. */
#include "tests/fuzz/fuzz.h"

#include "client/record.h"

static void print_all(const struct rg_records *records, struct rg_buffer *out)
{
    for (size_t i = 0; i < rg_records_count(records); i++) {
        RG_ASSERT(rg_is_ok(rg_record_json(rg_records_peek(records, i), out, NULL)));
        RG_ASSERT(rg_is_ok(rg_buffer_append_text(out, "\n", NULL)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rg_import_report report;
    const struct rg_date today = {2026, 11, 24};
    struct rg_reason why = {0};
    RG_OWNED_RECORDS records = NULL;
    RG_OWNED_RECORDS again = NULL;
    rg_outcome outcome =
        rg_records_read_json(rg_bytes_of(data, size), today, &records, &report, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "json-", "field-", "record-");
        RG_ASSERT(report.error_kept <= RG_IMPORT_ERRORS_MAX);
        return 0;
    }
    if (rg_records_count(records) == 0) {
        return 0;
    }
    RG_OWNED_BUFFER first = {.secret = true};
    RG_OWNED_BUFFER second = {.secret = true};
    print_all(records, &first);
    RG_ASSERT(rg_is_ok(rg_records_read_json(rg_buffer_peek(&first), today, &again, &report, NULL)));
    print_all(again, &second);
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&first), rg_buffer_peek(&second)));
    return 0;
}
