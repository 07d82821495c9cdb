/* A message as JSON, of the kind that the first byte says: what was read writes and reads again as
 * the same. */
#include "tests/fuzz/fuzz.h"

#include "client/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rg_kind_row *row = size == 0 ? NULL : rg_kind_row(data[0]);
    if (row == NULL) {
        return 0;
    }
    struct rg_reason why = {0};
    RG_OWNED_FORM form = NULL;
    RG_OWNED_FORM again = NULL;
    rg_outcome outcome = rg_form_read_json(row->form, rg_bytes_of(data + 1, size - 1), &form, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "form-");
        return 0;
    }
    RG_OWNED_BUFFER first = {.secret = true};
    RG_OWNED_BUFFER second = {.secret = true};
    RG_ASSERT(rg_is_ok(rg_form_write_json(form, &first, NULL)));
    RG_ASSERT(rg_is_ok(rg_form_read_json(row->form, rg_buffer_peek(&first), &again, NULL)));
    RG_ASSERT(rg_is_ok(rg_form_write_json(again, &second, NULL)));
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&first), rg_buffer_peek(&second)));
    return 0;
}
