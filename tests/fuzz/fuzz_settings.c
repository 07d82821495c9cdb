/* The text of configs and trust documents, up to the typed table: bounded, no include, no value in
 * a refusal. */
#include "tests/fuzz/fuzz.h"

#include "core/limits.h"
#include "core/settings.h"

static void read_typed(const rg_group *root)
{
    static const char *const name[] = {"format",  "counter", "issued", "country",
                                       "offices", "list",    "span",   "bytes"};
    const char *text;
    uint64_t number;
    int64_t span;
    size_t count;
    struct rg_wall wall;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        (void)!rg_settings_text(root, name[i], &text, NULL).code;
        (void)!rg_settings_count(root, name[i], &number, NULL).code;
        (void)!rg_settings_time(root, name[i], &wall, NULL).code;
        (void)!rg_settings_span_ms_or(root, name[i], 1, &span, NULL).code;
        (void)!rg_settings_bytes_or(root, name[i], 1, &number, NULL).code;
        if (!rg_is_ok(rg_settings_list_size(root, name[i], 64, &count, NULL))) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            const rg_group *group;
            (void)!rg_settings_list_text(root, name[i], k, &text, NULL).code;
            (void)!rg_settings_list_group(root, name[i], k, &group, NULL).code;
        }
    }
    (void)!rg_settings_known(root, name, sizeof(name) / sizeof(name[0]), NULL).code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_reason why = {0};
    RG_OWNED_SETTINGS *settings = NULL;
    rg_outcome outcome = rg_settings_parse(rg_bytes_of(data, size), 64 * RG_KIB, &settings, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "settings-");
        return 0;
    }
    read_typed(rg_settings_root(settings));
    return 0;
}
