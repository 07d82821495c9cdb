/* config: what is right is read, what is wrong is refused with key and line, conf/ is right. */
#include "gateway/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define GOOD                                                                                       \
    "# country = \"xx\";\n"                                                                        \
    "country = \"th\";\n"                                                                          \
    "listen = \"127.0.0.1:7701\";\n"                                                               \
    "data = \"data\";\n"                                                                           \
    "runtime = \"/run/th\";\n"                                                                     \
    "tls = { certificate = \"t.pem\"; key = \"t.key\"; };\n"                                       \
    "log_key = \"log.key\";\n"                                                                     \
    "trust = { folder = \"trust\"; authorities = (\"a.pem\", \"/b.pem\"); quorum = \"2\"; };\n"

static rg_outcome parse(const char *text, struct rg_config *out, struct rg_reason *why)
{
    return rg_config_parse(rg_bytes_of_text(text), "conf/x.cfg", out, why);
}

static void test_a_config_is_read(void **state)
{
    (void)state;
    struct rg_config config;
    struct rg_reason why = {0};
    assert_true(rg_is_ok(parse(GOOD "dial = false; exercise = true;\n"
                                    "limits = { keep_max = \"2d\"; sessions_max = \"12\"; };\n"
                                    "suspend = (\"mm\", \"vn/focal\");\n",
                               &config, &why)));
    assert_string_equal(config.country, "th");
    assert_string_equal(config.principal, "referral://th/gateway");
    assert_string_equal(config.listen_host, "127.0.0.1");
    assert_int_equal(config.listen_port, 7701);
    assert_string_equal(config.data, "conf/data");
    assert_string_equal(config.runtime, "/run/th");
    assert_string_equal(config.tls_key, "conf/t.key");
    assert_int_equal(config.authority_count, 2);
    assert_string_equal(config.authority[1], "/b.pem");
    assert_int_equal(config.quorum, 2);
    assert_false(config.dial);
    assert_true(config.exercise);
    assert_int_equal(config.limits.keep_ms_max, 2 * 24 * 3600 * 1000);
    assert_int_equal(config.limits.sessions_max, 12);
    assert_int_equal(config.limits.sessions_per_principal, 8);
    assert_int_equal(config.suspend_count, 2);
    assert_false(config.user_link.set);
    assert_string_equal(rg_config_store_path(&config).text, "conf/data/store.db");
}

static void test_defaults(void **state)
{
    (void)state;
    struct rg_config config;
    struct rg_reason why = {0};
    assert_true(rg_is_ok(parse(GOOD, &config, &why)));
    assert_true(config.dial);
    assert_false(config.exercise);
    assert_int_equal(config.limits.lifetime_ms_max, INT64_C(60) * 24 * 3600 * 1000);
    assert_int_equal(config.limits.envelope_bytes_max, RG_ENVELOPE_BYTES_MAX);
    assert_int_equal(config.limits.store_bytes_max, 0);
}

/* `with` replaces the line of GOOD that starts with `key`, or is added when key is "". */
static void refuse(const char *key, const char *with, const char *reason, const char *words)
{
    char text[2048] = "";
    size_t at = 0;
    for (const char *line = GOOD; *line != '\0';) {
        size_t len = strcspn(line, "\n") + 1;
        bool replaced = key[0] != '\0' && strncmp(line, key, strlen(key)) == 0;
        at +=
            (size_t)snprintf(text + at, sizeof(text) - at, "%.*s", (int)len, replaced ? "" : line);
        if (replaced) {
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\n", with);
        }
        line += len;
    }
    if (key[0] == '\0') {
        (void)snprintf(text + at, sizeof(text) - at, "%s\n", with);
    }
    struct rg_config config = {.quorum = 77};
    struct rg_reason why = {0};
    rg_outcome outcome = parse(text, &config, &why);
    if (rg_is_ok(outcome) || strcmp(why.id, reason) != 0 || strstr(why.text, words) == NULL) {
        fail_msg("%s: got %s %s", with, why.id, why.text);
    }
    assert_int_equal(config.quorum, 77); /* written only on success */
}

static void test_each_mistake_has_its_reason_and_line(void **state)
{
    (void)state;
    refuse("country", "", "settings-missing", "conf/x.cfg: country");
    refuse("country", "country = \"Thailand\";", "config-country", "conf/x.cfg:2: country");
    refuse("country", "country = true;", "settings-type", "conf/x.cfg:2: country");
    refuse("listen", "listen = \"127.0.0.1\";", "config-listen", "conf/x.cfg:3: listen");
    refuse("listen", "listen = \"127.0.0.1:65536\";", "config-listen", ":3: listen");
    refuse("listen", "listen = \":7701\";", "config-listen", ":3: listen");
    refuse("data", "data = \"\";", "config-path", ":4: data");
    refuse(
        "runtime",
        "runtime = \"/run/a-folder-name-that-is-much-too-long-for-the-path-of-a-unix-socket-x\";",
        "config-value", ":5: runtime");
    refuse("tls", "tls = { certificate = \"t.pem\"; };", "settings-missing", "key");
    refuse("tls", "tls = { certificate = \"t.pem\"; key = \"k\"; password = \"p\"; };",
           "settings-unknown", ":6: tls");
    refuse("trust", "trust = { folder = \"f\"; authorities = (\"a\"); quorum = \"2\"; };",
           "config-value", ":8: quorum");
    refuse("trust", "trust = { folder = \"f\"; authorities = (\"a\"); quorum = \"0\"; };",
           "config-value", ":8: quorum");
    refuse("", "limits = { keep_max = \"900d\"; };", "config-value", ":9: keep_max");
    refuse("", "limits = { keep_max = \"7 days\"; };", "settings-value", ":9: keep_max");
    refuse("", "limits = { keep_mxa = \"7d\"; };", "settings-unknown", ":9: limits");
    refuse("", "limits = { dial_min = \"10s\"; dial_max = \"5s\"; };", "config-value", "dial_min");
    refuse("", "users = { link = \"no-such-user-here\"; courier = \"a\"; notary = \"b\"; };",
           "config-user", ":9: link");
    refuse("", "users = { link = \"root\"; courier = \"a\"; notary = \"b\"; };", "config-user",
           "must not be root");
    refuse("", "users = { link = \"nobody\"; courier = \"nobody\"; notary = \"daemon\"; };",
           "config-user", "three different users");
    refuse("", "suspend = (\"mm\", \"Myanmar\");", "config-value", ":9: suspend");
    refuse("", "colour = \"red\";", "settings-unknown", "conf/x.cfg");
    refuse("", "@include \"/etc/passwd\"", "settings-include", "conf/x.cfg");
    refuse("", "country = \"kh\";", "settings-duplicate", "conf/x.cfg");
    refuse("", "dial = ", "settings-syntax", "conf/x.cfg");
}

static void test_the_example_of_each_country_is_right(void **state)
{
    (void)state;
    static const char *const country[] = {"kh", "cn", "la", "mm", "th", "vn"};
    for (size_t i = 0; i < 6; i++) {
        char path[256];
        struct rg_config config;
        struct rg_config defaults;
        struct rg_reason why = {0};
        (void)snprintf(path, sizeof(path), "%s/conf/gateway-%s.cfg", RG_SOURCE_DIR, country[i]);
        if (!rg_is_ok(rg_config_read(path, &config, &why))) {
            fail_msg("%s", why.text);
        }
        assert_string_equal(config.country, country[i]);
        assert_true(rg_is_ok(parse(GOOD, &defaults, &why)));
        assert_memory_equal(&config.limits, &defaults.limits, sizeof(config.limits));
    }
}

static void test_a_missing_file_and_an_endless_one(void **state)
{
    (void)state;
    struct rg_config config;
    struct rg_reason why = {0};
    assert_int_equal(rg_config_read("/nonexistent/x.cfg", &config, &why).code, RG_IO);
    assert_string_equal(why.id, "file-unreadable");
    assert_int_equal(rg_config_read("/dev/zero", &config, &why).code, RG_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_config_is_read),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_each_mistake_has_its_reason_and_line),
        cmocka_unit_test(test_the_example_of_each_country_is_right),
        cmocka_unit_test(test_a_missing_file_and_an_endless_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
