/* ops: what is asked is told whole, whoever does not read harms nobody; sandbox: rights are gone.
 */
#include "gateway/ops.h"

#include "gateway/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct rg_ops_view view_of(void)
{
    struct rg_ops_view view = {.country = "th",
                               .ready = true,
                               .port = 7701,
                               .uptime_ms = 5000,
                               .courier = {.log_size = 7,
                                           .head_size = 7,
                                           .head = {.origin = "referral/th/1", .size = 7},
                                           .sessions = 2,
                                           .clients = 1,
                                           .peer_count = 2}};
    (void)snprintf(view.courier.peer[0].country, RG_COUNTRY_BYTES, "kh");
    view.courier.peer[0].connected = true;
    view.courier.peer[0].waiting = 3;
    view.courier.peer[0].epoch = 2;
    view.courier.peer[1].epoch = 1;
    (void)snprintf(view.courier.peer[1].country, RG_COUNTRY_BYTES, "la");
    return view;
}

static const char *text_of(struct rg_buffer *buffer)
{
    assert_true(rg_is_ok(rg_buffer_append(buffer, rg_bytes_of("", 1), NULL)));
    return (const char *)buffer->data;
}

static void test_health_follows_the_problems(void **state)
{
    (void)state;
    struct rg_ops_view view = view_of();
    RG_OWNED_BUFFER json = {0};
    RG_OWNED_BUFFER text = {0};
    assert_string_equal(rg_ops_health(&view), "ok");
    rg_ops_problem(&view, &(struct rg_ops_problem){
                              .id = "page-stale", .about = "kh", .what_next = "ask for a new one"});
    assert_string_equal(rg_ops_health(&view), "degraded");
    rg_ops_problem(&view, &(struct rg_ops_problem){
                              .failing = true, .id = "notary", .what_next = "see its lines"});
    assert_string_equal(rg_ops_health(&view), "failing");
    assert_true(rg_is_ok(rg_ops_json(&view, &json, NULL)));
    const char *told = text_of(&json);
    assert_non_null(strstr(told, "\"health\":\"failing\""));
    assert_non_null(strstr(told, "{\"id\":\"page-stale\",\"about\":\"kh\","));
    assert_non_null(strstr(told, "{\"country\":\"kh\",\"connected\":true,\"waiting\":3,"));
    assert_non_null(strstr(told, "\"log\":{\"origin\":\"referral/th/1\",\"size\":7,\"signed\":7,"));
    assert_true(rg_is_ok(rg_ops_text(&view, &text, NULL)));
    told = text_of(&text);
    assert_non_null(strstr(told, "problem    page-stale kh: ask for a new one\n"));
    assert_non_null(strstr(told, "separation off"));
    assert_non_null(strstr(told, "peer la       away "));
    const char *mark = strstr(told, ", begun anew: epoch 2\n");
    assert_non_null(mark);
    assert_null(strstr(mark + 8, "begun anew"));
    for (int i = 0; i < 100; i++) { /* bounded */
        rg_ops_problem(&view, &(struct rg_ops_problem){.id = "x", .what_next = "y"});
    }
    assert_int_equal(view.problem_count, RG_OPS_PROBLEMS_MAX);
}

/* The asker in a child, since the answer is given by hand here. */
static void test_an_asker_is_told_all_three_parts(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-ops-XXXXXX";
    char path[64];
    int fd = -1;
    int status = 0;
    struct rg_reason why = {0};
    struct rg_ops_view view = view_of();
    const uint8_t key[32] = {1};
    view.log_key = key;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/status", folder);
    assert_true(rg_is_ok(rg_ops_listen(path, &fd, &why)));
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    int deaf = socket(AF_UNIX, SOCK_STREAM, 0); /* connects first and never reads */
    assert_int_equal(connect(deaf, (struct sockaddr *)&to, sizeof(to)), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rg_ops_answer answer = {0};
        bool told =
            rg_is_ok(rg_ops_ask(path, 5000, &answer, &why)) &&
            strncmp((char *)answer.part[RG_OPS_TEXT].data, "gateway    th, ready", 20) == 0 &&
            strncmp((char *)answer.part[RG_OPS_JSON].data, "{\"country\":\"th\"", 15) == 0 &&
            strncmp((char *)answer.part[RG_OPS_CHECKPOINT].data, "referral/th/1\n7\n", 16) == 0;
        rg_ops_answer_drop(&answer);
        _exit(told ? 0 : 1);
    }
    while (waitpid(child, &status, WNOHANG) == 0) {
        rg_ops_answer(fd, &view);
    }
    assert_int_equal(status, 0);
    (void)close(fd);
    (void)close(deaf);
    struct rg_ops_answer answer = {0};
    assert_int_equal(rg_ops_ask(path, 100, &answer, &why).code, RG_IO);
    assert_string_equal(why.id, "gateway-away");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_rights_are_gone(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit core = {.rlim_cur = 1};
        struct rg_reason why = {0};
        const struct rg_config_user user = {
            .set = true, .name = "nobody", .uid = 65534, .gid = 65534};
        bool root = geteuid() == 0;
        struct rg_sandbox sandbox = {
            .user = &user, .files_max = 64, .no_new_tasks = true, .parent = getppid()};
        if (!rg_is_ok(rg_sandbox_enter(&sandbox, &why)) || getrlimit(RLIMIT_CORE, &core) != 0) {
            _exit(1);
        }
        bool gone = core.rlim_cur == 0 && core.rlim_max == 0 &&
                    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                    (!root || (geteuid() == 65534 && setuid(0) != 0));
#if !defined(__SANITIZE_ADDRESS__)
        gone = gone && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && fork() < 0;
#endif
        _exit(gone ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_a_folder_is_made_private_and_a_shared_one_refused(void **state)
{
    (void)state;
    char base[] = "/tmp/rg-folder-XXXXXX";
    char path[64];
    char above[64];
    struct stat about;
    struct rg_reason why = {0};
    assert_non_null(mkdtemp(base));
    (void)snprintf(above, sizeof(above), "%s/a", base);
    (void)snprintf(path, sizeof(path), "%s/a/b", base);
    assert_true(rg_is_ok(rg_sandbox_folder(path, NULL, NULL, &why)));
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(rg_sandbox_folder(path, NULL, NULL, &why).code, RG_DENIED);
    assert_string_equal(why.id, "folder-not-private");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(rg_sandbox_folder(path, NULL, NULL, &why).code, RG_IO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(above), 0);
    assert_int_equal(rmdir(base), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_follows_the_problems),
        cmocka_unit_test(test_an_asker_is_told_all_three_parts),
        cmocka_unit_test(test_rights_are_gone),
        cmocka_unit_test(test_a_folder_is_made_private_and_a_shared_one_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
