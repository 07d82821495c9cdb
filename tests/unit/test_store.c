/* store: every call of store.h on the SQLite store; reopened, rolled back, full, locked, damaged;
 * what was erased is gone from the files. */
#include "gateway/store_sqlite.h"

#include "core/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    char path[96];
    struct rg_store *store;
};

static struct rg_reason why;

#define OK(call)                                                                                   \
    do {                                                                                           \
        rg_outcome ok_outcome = (call);                                                            \
        if (!rg_is_ok(ok_outcome)) {                                                               \
            fail_msg("%s: %s %s", #call, why.id, why.text);                                        \
        }                                                                                          \
    } while (0)

static struct rg_store *open_store(const char *path, uint64_t bytes_max)
{
    struct rg_store *store = NULL;
    OK(rg_store_sqlite_open(path, &(struct rg_store_sqlite){.bytes_max = bytes_max}, &store, &why));
    return store;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/rg-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/store.db", fixture->folder);
    fixture->store = open_store(fixture->path, 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    const char *const suffix[] = {"", "-wal", "-shm"};
    if (fixture->store != NULL) {
        fixture->store->ops->close(fixture->store);
    }
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s%s", fixture->path, suffix[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    fixture->store->ops->close(fixture->store);
    fixture->store = NULL;
    fixture->store = open_store(fixture->path, 0);
}

static struct rg_id id_of(uint64_t n)
{
    struct rg_hash hash = rg_sha256(rg_bytes_of(&n, sizeof(n)));
    struct rg_id id;
    memcpy(id.b, hash.b, 32);
    return id;
}

static struct rg_hash hash_of(uint64_t n)
{
    return rg_sha256(rg_bytes_of(&n, sizeof(n)));
}

static struct rg_message message_of(uint64_t n)
{
    struct rg_message message = {
        .id = id_of(n),
        .way = RG_WAY_OUT,
        .answer_leaf = n,
        .received_leaf = RG_LEAF_NONE,
        .priority = RG_URGENT,
        .expires.ms = 1000000 + (int64_t)n,
        .collect_by.ms = 2000000 + (int64_t)n,
        .from_office = "th/focal",
        .from_country = "th",
        .to_country = "kh",
        .to_office = {"kh/focal", "kh/police"},
        .to_office_count = 2,
    };
    return message;
}

static void test_messages(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_message first = message_of(1);
    struct rg_message second = message_of(2);
    struct rg_message found = {0};
    bool is = true;
    second.refusal = RG_REFUSE_EXPIRED;
    second.received_leaf = 77;
    OK(ops->begin(fixture->store, &why));
    OK(ops->message_add(fixture->store, &first, RG_BYTES_LITERAL("sealed"), &why));
    OK(ops->message_add(fixture->store, &second, RG_BYTES_LITERAL(""), &why));
    assert_int_equal(first.key, 1);
    assert_int_equal(second.key, 2);
    OK(ops->message_find(fixture->store, &first.id, &found, &is, &why)); /* within the batch */
    assert_true(is);
    OK(ops->commit(fixture->store, &why));
    reopen(fixture);
    OK(ops->message_get(fixture->store, 1, &found, &is, &why));
    assert_true(is);
    assert_memory_equal(&found.id, &first.id, sizeof(found.id));
    assert_int_equal(found.way, RG_WAY_OUT);
    assert_int_equal(found.refusal, RG_REFUSE_NONE);
    assert_int_equal(found.answer_leaf, 1);
    assert_true(found.received_leaf == RG_LEAF_NONE);
    assert_int_equal(found.priority, RG_URGENT);
    assert_int_equal(found.expires.ms, 1000001);
    assert_int_equal(found.collect_by.ms, 2000001);
    assert_string_equal(found.from_office, "th/focal");
    assert_string_equal(found.from_country, "th");
    assert_string_equal(found.to_country, "kh");
    assert_int_equal(found.to_office_count, 2);
    assert_string_equal(found.to_office[1], "kh/police");
    OK(ops->message_find(fixture->store, &second.id, &found, &is, &why));
    assert_true(is);
    assert_int_equal(found.refusal, RG_REFUSE_EXPIRED);
    assert_int_equal(found.received_leaf, 77);
    struct rg_id other = id_of(99);
    OK(ops->message_find(fixture->store, &other, &found, &is, &why));
    assert_false(is);
    RG_OWNED_BUFFER body = {0};
    OK(ops->message_body(fixture->store, 1, &body, &is, &why));
    assert_true(is);
    assert_true(rg_bytes_equal(rg_buffer_peek(&body), RG_BYTES_LITERAL("sealed")));
    OK(ops->message_body(fixture->store, 2, &body, &is, &why));
    assert_false(is);
}

static void test_an_id_stands_once(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_message message = message_of(1);
    OK(ops->begin(fixture->store, &why));
    OK(ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("a"), &why));
    assert_int_equal(ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("b"), &why).code,
                     RG_BROKEN);
    assert_string_equal(why.id, "store-constraint");
    ops->rollback(fixture->store);
}

static void test_a_batch_is_whole_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_message message = message_of(1);
    struct rg_mail mail = {.kind = RG_MAIL_DELIVER, .key = 1};
    struct rg_hash hash = hash_of(1);
    bool is = true;
    uint64_t n = 7;
    assert_int_equal(ops->tile_add(fixture->store, 0, &hash, &why).code, RG_BROKEN);
    assert_string_equal(why.id, "store-no-batch");
    OK(ops->begin(fixture->store, &why));
    OK(ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("a"), &why));
    OK(ops->mail_add(fixture->store, "kh/focal", &mail, &why));
    OK(ops->leaf_add(fixture->store, 0, &hash, RG_BYTES_LITERAL("e"), &why));
    ops->rollback(fixture->store);
    OK(ops->message_find(fixture->store, &message.id, &message, &is, &why));
    assert_false(is);
    OK(ops->mail_last(fixture->store, "kh/focal", &n, &why));
    assert_int_equal(n, 0);
    OK(ops->log_size(fixture->store, &n, &why));
    assert_int_equal(n, 0);
    OK(ops->begin(fixture->store, &why)); /* closing rolls back too */
    OK(ops->mail_add(fixture->store, "kh/focal", &mail, &why));
    reopen(fixture);
    OK(ops->mail_last(fixture->store, "kh/focal", &n, &why));
    assert_int_equal(n, 0);
}

static void test_log(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_hash out[8];
    uint64_t size = 9;
    size_t n = 0;
    bool is = false;
    OK(ops->log_size(fixture->store, &size, &why));
    assert_int_equal(size, 0);
    OK(ops->begin(fixture->store, &why));
    for (uint64_t i = 0; i < 5; i++) {
        struct rg_hash hash = hash_of(i);
        OK(ops->leaf_add(fixture->store, i, &hash, rg_bytes_of(&i, sizeof(i)), &why));
        OK(ops->tile_add(fixture->store, i, &hash, &why));
    }
    OK(ops->commit(fixture->store, &why));
    reopen(fixture);
    OK(ops->log_size(fixture->store, &size, &why));
    assert_int_equal(size, 5);
    OK(ops->leaves(fixture->store, 2, 8, out, &n, &why));
    assert_int_equal(n, 3);
    struct rg_hash third = hash_of(2);
    assert_memory_equal(&out[0], &third, sizeof(third));
    OK(ops->leaves(fixture->store, 0, 2, out, &n, &why));
    assert_int_equal(n, 2);
    OK(ops->tiles(fixture->store, 4, 8, out, &n, &why));
    assert_int_equal(n, 1);
    RG_OWNED_BUFFER entry = {0};
    OK(ops->leaf_entry(fixture->store, 3, &entry, &is, &why));
    assert_true(is);
    assert_int_equal(entry.len, 8);
    OK(ops->leaf_entry(fixture->store, 5, &entry, &is, &why));
    assert_false(is);
}

static void test_a_gap_in_the_log_is_damage(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_hash hash = hash_of(0);
    struct rg_hash out[4];
    size_t n = 0;
    OK(ops->begin(fixture->store, &why));
    OK(ops->leaf_add(fixture->store, 0, &hash, RG_BYTES_LITERAL("e"), &why));
    OK(ops->leaf_add(fixture->store, 2, &hash, RG_BYTES_LITERAL("e"), &why));
    OK(ops->commit(fixture->store, &why));
    assert_int_equal(ops->leaves(fixture->store, 0, 4, out, &n, &why).code, RG_BROKEN);
    assert_string_equal(why.id, "store-corrupt");
}

static void add_outbox(struct fixture *fixture, uint64_t n, const char *country,
                       enum rg_priority priority)
{
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_message message = message_of(n);
    OK(ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("b"), &why));
    struct rg_outbox_row row = {.key = message.key,
                                .kind = RG_OUTBOX_TRANSFER,
                                .priority = priority,
                                .leaf = n,
                                .expires.ms = 5000 - (int64_t)n,
                                .body_bytes = 1};
    (void)snprintf(row.country, sizeof(row.country), "%s", country);
    OK(ops->outbox_add(fixture->store, &row, &why));
}

static void test_outbox(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_outbox_row row[8];
    struct rg_wall now = {.ms = 100};
    uint64_t waiting = 0;
    size_t n = 0;
    bool is = false;
    OK(ops->begin(fixture->store, &why));
    add_outbox(fixture, 1, "kh", RG_ROUTINE);
    add_outbox(fixture, 2, "kh", RG_EMERGENCY);
    add_outbox(fixture, 3, "la", RG_ROUTINE);
    add_outbox(fixture, 4, "kh", RG_ROUTINE);
    OK(ops->outbox_next(fixture->store, "kh", RG_ROUTINE, 0, now, row, 8, &n, &why));
    assert_int_equal(n, 2);
    assert_int_equal(row[0].key, 1);
    assert_int_equal(row[1].key, 4);
    struct rg_id id = id_of(4);
    assert_memory_equal(&row[1].id, &id, sizeof(id));
    assert_string_equal(row[1].from_office, "th/focal");
    assert_string_equal(row[1].country, "kh");
    assert_int_equal(row[1].leaf, 4);
    OK(ops->outbox_next(fixture->store, "kh", RG_ROUTINE, 1, now, row, 8, &n, &why));
    assert_int_equal(n, 1);
    OK(ops->outbox_defer(fixture->store, 1, 3, (struct rg_wall){.ms = 101}, &why));
    OK(ops->outbox_next(fixture->store, "kh", RG_ROUTINE, 0, now, row, 8, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(row[0].key, 4);
    OK(ops->outbox_get(fixture->store, 1, &row[0], &is, &why));
    assert_true(is);
    assert_int_equal(row[0].attempts, 3);
    assert_int_equal(row[0].next_try.ms, 101);
    OK(ops->outbox_expired(fixture->store, (struct rg_wall){.ms = 4998}, row, 8, &n, &why));
    assert_int_equal(n, 3); /* 4996, 4997, 4998 */
    assert_int_equal(row[0].key, 4);
    OK(ops->outbox_close(fixture->store, 1, 55, &why));
    OK(ops->outbox_get(fixture->store, 1, &row[0], &is, &why));
    assert_int_equal(row[0].kind, RG_OUTBOX_CLOSE);
    assert_int_equal(row[0].leaf, 55);
    assert_int_equal(row[0].attempts, 0);
    OK(ops->outbox_expired(fixture->store, (struct rg_wall){.ms = 9999}, row, 8, &n, &why));
    assert_int_equal(n, 3); /* the closed one is not asked again */
    OK(ops->outbox_done(fixture->store, 4, &why));
    OK(ops->outbox_count(fixture->store, "kh", &waiting, &why));
    assert_int_equal(waiting, 2);
    OK(ops->outbox_get(fixture->store, 4, &row[0], &is, &why));
    assert_false(is);
    OK(ops->commit(fixture->store, &why));
}

static void test_mail_and_cursors(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_mail mail[4];
    uint64_t at = 9;
    size_t n = 9;
    OK(ops->mail_next(fixture->store, "kh/focal", 0, mail, 4, &n, &why));
    assert_int_equal(n, 0);
    OK(ops->cursor_get(fixture->store, "kh/focal", "d", &at, &why));
    assert_int_equal(at, 0);
    OK(ops->begin(fixture->store, &why));
    for (uint64_t i = 1; i <= 3; i++) {
        struct rg_mail add = {.kind = RG_MAIL_STATUS_PEER,
                              .key = 10 * i,
                              .leaf = RG_LEAF_NONE,
                              .entry_kind = RG_ENTRY_RECEIVED};
        OK(ops->mail_add(fixture->store, "kh/focal", &add, &why));
        assert_int_equal(add.position, i);
        OK(ops->mail_add(fixture->store, "th/gateway", &add, &why));
        assert_int_equal(add.position, i); /* each box counts for itself */
    }
    OK(ops->cursor_set(fixture->store, "kh/focal", "d1", 2, &why));
    OK(ops->cursor_set(fixture->store, "kh/focal", "d1", 3, &why));
    OK(ops->cursor_set(fixture->store, "la/focal", "d1", 1, &why)); /* a box without mail */
    OK(ops->commit(fixture->store, &why));
    reopen(fixture);
    bool shared = true;
    OK(ops->box_is_shared(fixture->store, "vn/focal", &shared, &why));
    assert_false(shared);
    OK(ops->box_is_shared(fixture->store, "kh/focal", &shared, &why));
    assert_false(shared);
    OK(ops->begin(fixture->store, &why));
    OK(ops->cursor_set(fixture->store, "kh/focal", "d9", 0, &why)); /* known, nothing read yet */
    OK(ops->commit(fixture->store, &why));
    OK(ops->box_is_shared(fixture->store, "kh/focal", &shared, &why));
    assert_true(shared);
    OK(ops->mail_next(fixture->store, "kh/focal", 1, mail, 4, &n, &why));
    assert_int_equal(n, 2);
    assert_int_equal(mail[0].position, 2);
    assert_int_equal(mail[0].key, 20);
    assert_int_equal(mail[0].kind, RG_MAIL_STATUS_PEER);
    assert_int_equal(mail[0].entry_kind, RG_ENTRY_RECEIVED);
    assert_true(mail[0].leaf == RG_LEAF_NONE);
    OK(ops->mail_last(fixture->store, "kh/focal", &at, &why));
    assert_int_equal(at, 3);
    OK(ops->cursor_get(fixture->store, "kh/focal", "d1", &at, &why));
    assert_int_equal(at, 3);
    OK(ops->cursor_get(fixture->store, "kh/focal", "d2", &at, &why));
    assert_int_equal(at, 0);
}

static void test_threads_decisions_collected(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_thread_id thread = {.b = {1, 2, 3}};
    struct rg_thread_offices offices = {.office = {"th/focal", "kh/focal"}};
    struct rg_thread_offices found = {0};
    struct rg_id decided = id_of(1);
    struct rg_id by = id_of(2);
    struct rg_id second = id_of(3);
    struct rg_id out = {0};
    bool is = true;
    OK(ops->begin(fixture->store, &why));
    OK(ops->thread_find(fixture->store, &thread, &found, &is, &why));
    assert_false(is);
    OK(ops->thread_add(fixture->store, &thread, &offices, &why));
    OK(ops->decision_add(fixture->store, &decided, "kh/focal", &by, &why));
    OK(ops->decision_add(fixture->store, &decided, "kh/focal", &second, &why)); /* first stays */
    OK(ops->collected_add(fixture->store, 1, "kh/focal", 5, &is, &why));
    assert_true(is);
    OK(ops->collected_add(fixture->store, 1, "kh/focal", 6, &is, &why));
    assert_false(is);
    OK(ops->collected_add(fixture->store, 1, "kh/police", 7, &is, &why));
    assert_true(is);
    OK(ops->commit(fixture->store, &why));
    reopen(fixture);
    OK(ops->thread_find(fixture->store, &thread, &found, &is, &why));
    assert_true(is);
    assert_string_equal(found.office[1], "kh/focal");
    OK(ops->decision_find(fixture->store, &decided, "kh/focal", &out, &is, &why));
    assert_true(is);
    assert_memory_equal(&out, &by, sizeof(by));
    OK(ops->decision_find(fixture->store, &decided, "th/focal", &out, &is, &why));
    assert_false(is);
}

static void test_proofs(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    RG_OWNED_BUFFER out = {0};
    bool is = false;
    OK(ops->begin(fixture->store, &why));
    OK(ops->proof_add(fixture->store, 1, RG_ENTRY_COLLECTED, 9, RG_BYTES_LITERAL("c9"), &is, &why));
    assert_true(is);
    OK(ops->proof_add(fixture->store, 1, RG_ENTRY_COLLECTED, 9, RG_BYTES_LITERAL("xx"), &is, &why));
    assert_false(is);
    OK(ops->proof_add(fixture->store, 1, RG_ENTRY_COLLECTED, 4, RG_BYTES_LITERAL("c4"), &is, &why));
    assert_true(is);
    OK(ops->commit(fixture->store, &why));
    OK(ops->proof_get(fixture->store, 1, RG_ENTRY_COLLECTED, 4, &out, &is, &why));
    assert_true(is);
    assert_true(rg_bytes_equal(rg_buffer_peek(&out), RG_BYTES_LITERAL("c4")));
    rg_buffer_clear(&out);
    OK(ops->proof_get(fixture->store, 1, RG_ENTRY_COLLECTED, RG_LEAF_NONE, &out, &is, &why));
    assert_true(rg_bytes_equal(rg_buffer_peek(&out), RG_BYTES_LITERAL("c9")));
    OK(ops->proof_get(fixture->store, 1, RG_ENTRY_RECEIVED, RG_LEAF_NONE, &out, &is, &why));
    assert_false(is);
}

static void test_heads_and_quotas(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_head head = {.origin = "referral/kh/1", .size = 5, .root = hash_of(5)};
    struct rg_head out[4];
    uint64_t count = 9;
    size_t n = 0;
    memset(head.signature, 0x5a, sizeof(head.signature));
    OK(ops->begin(fixture->store, &why));
    OK(ops->head_set(fixture->store, &head, &why));
    head.size = 8;
    OK(ops->head_set(fixture->store, &head, &why));
    OK(ops->quota_set(fixture->store, "th/focal", 20000, 3, &why));
    OK(ops->quota_set(fixture->store, "th/focal", 20001, 1, &why));
    OK(ops->commit(fixture->store, &why));
    OK(ops->heads(fixture->store, out, 4, &n, &why));
    assert_int_equal(n, 1);
    assert_int_equal(out[0].size, 8);
    assert_string_equal(out[0].origin, "referral/kh/1");
    assert_memory_equal(out[0].signature, head.signature, 64);
    OK(ops->quota_get(fixture->store, "th/focal", 20001, &count, &why));
    assert_int_equal(count, 1);
    OK(ops->quota_get(fixture->store, "th/focal", 20002, &count, &why));
    assert_int_equal(count, 0);
}

static rg_outcome fork_see(void *context, const struct rg_fork *fork, struct rg_reason *reason)
{
    size_t *count = context;
    (void)reason;
    assert_string_equal(fork->subject, *count == 0 ? "referral/kh/1" : "page kh 2");
    assert_int_equal(fork->kind, *count == 0 ? RG_FORK_LOG : RG_FORK_DOCUMENT);
    assert_int_equal(fork->found.ms, 77);
    assert_true(rg_bytes_equal(fork->first, RG_BYTES_LITERAL("held")));
    assert_true(rg_bytes_equal(fork->second, RG_BYTES_LITERAL("shown")));
    ++*count;
    return rg_ok();
}

static void test_forks(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_fork log = {.kind = RG_FORK_LOG,
                          .subject = "referral/kh/1",
                          .found = {77},
                          .first = RG_BYTES_LITERAL("held"),
                          .second = RG_BYTES_LITERAL("shown")};
    struct rg_fork page = log;
    bool fresh = false;
    size_t count = 0;
    page.kind = RG_FORK_DOCUMENT;
    (void)snprintf(page.subject, sizeof(page.subject), "page kh 2");
    OK(ops->begin(fixture->store, &why));
    OK(ops->fork_add(fixture->store, &page, &fresh, &why));
    assert_true(fresh);
    OK(ops->fork_add(fixture->store, &log, &fresh, &why));
    assert_true(fresh);
    log.second = RG_BYTES_LITERAL("another"); /* the first stays */
    OK(ops->fork_add(fixture->store, &log, &fresh, &why));
    assert_false(fresh);
    OK(ops->commit(fixture->store, &why));
    OK(ops->forks_each(fixture->store, fork_see, &count, &why));
    assert_int_equal(count, 2);
}

static void put_document(struct fixture *fixture, enum rg_document_kind kind, const char *country,
                         const char *text)
{
    RG_CLEANUP(rg_document_drop) struct rg_document document = {.kind = kind, .signature_count = 2};
    (void)snprintf(document.country, sizeof(document.country), "%s", country);
    OK(rg_buffer_append_text(&document.text, text, &why));
    OK(rg_buffer_append_text(&document.signature[0], "first", &why));
    OK(rg_buffer_append_text(&document.signature[1], text, &why));
    OK(fixture->store->ops->document_put(fixture->store, &document, &why));
}

struct seen {
    char order[64];
    size_t count;
};

static rg_outcome see(void *context, const struct rg_document *document, struct rg_reason *reason)
{
    struct seen *seen = context;
    RG_CHECK(document->signature_count == 2 &&
                 rg_bytes_equal(rg_buffer_peek(&document->signature[1]),
                                rg_buffer_peek(&document->text)),
             reason, RG_MALFORMED, "test", "signatures differ");
    (void)strncat(seen->order, (const char *)document->text.data, document->text.len);
    seen->count++;
    return rg_ok();
}

static void test_documents(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct seen seen = {.count = 0};
    OK(ops->begin(fixture->store, &why));
    put_document(fixture, RG_DOC_KEY_CARD, "th", "k1 ");
    put_document(fixture, RG_DOC_KEY_CARD, "th", "k2 ");
    put_document(fixture, RG_DOC_KEY_CARD, "th", "k1 ");
    put_document(fixture, RG_DOC_STOP_LIST, "th", "s ");
    put_document(fixture, RG_DOC_PAGE, "th", "p1 ");
    put_document(fixture, RG_DOC_PAGE, "kh", "q ");
    put_document(fixture, RG_DOC_PAGE, "th", "p2 ");
    put_document(fixture, RG_DOC_CHARTER, "", "c ");
    OK(ops->commit(fixture->store, &why));
    reopen(fixture);
    OK(ops->documents_each(fixture->store, see, &seen, &why));
    assert_string_equal(seen.order, "c q p2 s k1 k2 ");
}

static void test_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_store_counts counts = {.messages = 9};
    struct rg_mail mail = {.kind = RG_MAIL_DELIVER};
    struct rg_hash hash = hash_of(0);
    OK(ops->counts(fixture->store, &counts, &why));
    assert_int_equal(counts.messages + counts.bodies + counts.leaves + counts.outbox + counts.mail,
                     0);
    OK(ops->begin(fixture->store, &why));
    add_outbox(fixture, 1, "kh", RG_ROUTINE);
    OK(ops->leaf_add(fixture->store, 0, &hash, RG_BYTES_LITERAL("e"), &why));
    OK(ops->mail_add(fixture->store, "a/b", &mail, &why));
    OK(ops->mail_add(fixture->store, "a/c", &mail, &why));
    OK(ops->commit(fixture->store, &why));
    OK(ops->counts(fixture->store, &counts, &why));
    assert_int_equal(counts.messages, 1);
    assert_int_equal(counts.bodies, 1);
    assert_int_equal(counts.leaves, 1);
    assert_int_equal(counts.outbox, 1);
    assert_int_equal(counts.mail, 2);
    assert_true(counts.file_bytes > 0);
}

static void assert_held(struct fixture *fixture, uint64_t bodies, uint64_t outbox)
{
    struct rg_store_counts counts = {0};
    OK(fixture->store->ops->counts(fixture->store, &counts, &why));
    assert_int_equal(counts.bodies, bodies);
    assert_int_equal(counts.outbox, outbox);
}

/* First asked for inside a batch that is undone: what is counted on from there must be right. */
static void test_counts_follow_batches(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    size_t erased = 0;
    OK(ops->begin(fixture->store, &why));
    add_outbox(fixture, 1, "kh", RG_ROUTINE);
    OK(ops->commit(fixture->store, &why));
    OK(ops->begin(fixture->store, &why));
    add_outbox(fixture, 2, "kh", RG_ROUTINE);
    assert_held(fixture, 2, 2);
    ops->rollback(fixture->store);
    assert_held(fixture, 1, 1);
    OK(ops->begin(fixture->store, &why));
    add_outbox(fixture, 3, "kh", RG_ROUTINE);
    OK(ops->outbox_done(fixture->store, 1, &why));
    OK(ops->outbox_done(fixture->store, 1, &why)); /* not there any more */
    assert_held(fixture, 2, 1);
    OK(ops->commit(fixture->store, &why));
    OK(ops->begin(fixture->store, &why));
    OK(ops->bodies_erase(fixture->store, (struct rg_wall){INT64_MAX}, 9, &erased, &why));
    OK(ops->commit(fixture->store, &why));
    assert_held(fixture, 0, 1);
    fixture->store->ops->close(fixture->store);
    fixture->store = open_store(fixture->path, 0);
    assert_held(fixture, 0, 1);
}

/* Is `needle` anywhere in the file? */
static bool file_holds(const char *path, const char *suffix, const char *needle)
{
    char name[128];
    RG_OWNED_BUFFER bytes = {0};
    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    if (access(name, R_OK) != 0) {
        return false;
    }
    OK(rg_file_read(name, 8 * RG_MIB, &bytes, &why));
    return bytes.len > 0 && memmem(bytes.data, bytes.len, needle, strlen(needle)) != NULL;
}

static void test_what_is_erased_is_gone_from_the_files(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    static char body[10000]; /* over several pages */
    size_t erased = 0;
    bool is = true;
    for (size_t i = 0; i + 16 < sizeof(body); i += 16) {
        memcpy(body + i, "the erased words", 16);
    }
    struct rg_message old = message_of(1);
    struct rg_message kept = message_of(500);
    OK(ops->begin(fixture->store, &why));
    OK(ops->message_add(fixture->store, &old, rg_bytes_of(body, sizeof(body)), &why));
    OK(ops->message_add(fixture->store, &kept, RG_BYTES_LITERAL("the words kept"), &why));
    OK(ops->commit(fixture->store, &why));
    assert_true(file_holds(fixture->path, "-wal", "the erased words"));
    OK(ops->begin(fixture->store, &why));
    OK(ops->bodies_erase(fixture->store, (struct rg_wall){.ms = 2000100}, 10, &erased, &why));
    assert_int_equal(erased, 1);
    OK(ops->commit(fixture->store, &why));
    assert_false(file_holds(fixture->path, "", "the erased words"));
    assert_false(file_holds(fixture->path, "-wal", "the erased words"));
    assert_true(file_holds(fixture->path, "", "the words kept"));
    RG_OWNED_BUFFER out = {0};
    OK(ops->message_body(fixture->store, old.key, &out, &is, &why));
    assert_false(is);
    OK(ops->message_get(fixture->store, old.key, &old, &is, &why)); /* the answer stays */
    assert_true(is);
}

/* ---- what nobody needs any more ---- */

struct settling {
    struct fixture *fixture;
    struct rg_message message;
};

static struct settling settling_of(struct fixture *fixture, enum rg_way way, const char *to)
{
    struct settling settling = {.fixture = fixture, .message = message_of(7)};
    settling.message.way = way;
    settling.message.expires.ms = 1000;
    settling.message.collect_by.ms = 2000;
    settling.message.to_office_count = 1;
    (void)snprintf(settling.message.from_office, RG_OFFICE_BYTES, "th/focal");
    (void)snprintf(settling.message.to_office[0], RG_OFFICE_BYTES, "%s", to);
    OK(fixture->store->ops->begin(fixture->store, &why));
    OK(fixture->store->ops->message_add(fixture->store, &settling.message,
                                        RG_BYTES_LITERAL("sealed"), &why));
    OK(fixture->store->ops->commit(fixture->store, &why));
    return settling;
}

static void deliver_to(struct settling *settling, const char *box)
{
    const struct rg_store_ops *ops = settling->fixture->store->ops;
    struct rg_mail mail = {.kind = RG_MAIL_DELIVER, .key = settling->message.key};
    OK(ops->begin(settling->fixture->store, &why));
    OK(ops->mail_add(settling->fixture->store, box, &mail, &why));
    OK(ops->commit(settling->fixture->store, &why));
}

static void stored_by(struct settling *settling, const char *box, const char *device,
                      uint64_t position)
{
    const struct rg_store_ops *ops = settling->fixture->store->ops;
    OK(ops->begin(settling->fixture->store, &why));
    OK(ops->cursor_set(settling->fixture->store, box, device, position, &why));
    OK(ops->commit(settling->fixture->store, &why));
}

static size_t settle_at(struct settling *settling, int64_t before_ms)
{
    const struct rg_store_ops *ops = settling->fixture->store->ops;
    struct rg_wall before = {before_ms};
    uint64_t after = 0;
    size_t erased = 9;
    OK(ops->begin(settling->fixture->store, &why));
    OK(ops->bodies_settle(settling->fixture->store, before, 10, &after, &erased, &why));
    OK(ops->commit(settling->fixture->store, &why));
    assert_int_equal(after, 0);
    return erased;
}

static void test_settled_when_every_device_has_it(void **state)
{
    struct settling settling = settling_of(*state, RG_WAY_IN, "kh/focal");
    deliver_to(&settling, "kh/focal");
    assert_int_equal(settle_at(&settling, 5000), 0); /* no device known: somebody may come */
    stored_by(&settling, "kh/focal", "one", 1);
    stored_by(&settling, "kh/focal", "two", 0);
    assert_int_equal(settle_at(&settling, 5000), 0);
    stored_by(&settling, "kh/focal", "two", 1);
    assert_int_equal(settle_at(&settling, 2000), 0); /* kept until collect-by, whoever comes */
    assert_int_equal(settle_at(&settling, 2001), 1);
    assert_held(settling.fixture, 0, 0);
}

/* A device far behind is not looked through: as if it lacked the message. */
static void test_settled_not_behind_a_slow_device(void **state)
{
    struct settling settling = settling_of(*state, RG_WAY_IN, "kh/focal");
    const struct rg_store_ops *ops = settling.fixture->store->ops;
    deliver_to(&settling, "kh/focal");
    stored_by(&settling, "kh/focal", "one", 1);
    OK(ops->begin(settling.fixture->store, &why));
    for (int i = 0; i < 1000; i++) {
        struct rg_mail mail = {.kind = RG_MAIL_STATUS_OWN, .key = 99};
        OK(ops->mail_add(settling.fixture->store, "kh/focal", &mail, &why));
    }
    OK(ops->commit(settling.fixture->store, &why));
    assert_int_equal(settle_at(&settling, 5000), 0);
    stored_by(&settling, "kh/focal", "one", 2);
    assert_int_equal(settle_at(&settling, 5000), 1);
}

static void test_settled_when_the_peer_has_answered(void **state)
{
    struct settling settling = settling_of(*state, RG_WAY_OUT, "kh/focal");
    const struct rg_store_ops *ops = settling.fixture->store->ops;
    struct rg_outbox_row row = {.key = settling.message.key, .kind = RG_OUTBOX_TRANSFER};
    (void)snprintf(row.country, sizeof(row.country), "kh");
    OK(ops->begin(settling.fixture->store, &why));
    OK(ops->outbox_add(settling.fixture->store, &row, &why));
    OK(ops->commit(settling.fixture->store, &why));
    assert_int_equal(settle_at(&settling, 5000), 0);
    OK(ops->begin(settling.fixture->store, &why));
    OK(ops->outbox_done(settling.fixture->store, row.key, &why));
    OK(ops->commit(settling.fixture->store, &why));
    assert_int_equal(settle_at(&settling, 1000), 0);
    deliver_to(&settling, "th/focal"); /* the copy for the sender's colleagues */
    stored_by(&settling, "th/focal", "one", 0);
    assert_int_equal(settle_at(&settling, 5000), 0);
    stored_by(&settling, "th/focal", "one", 1);
    assert_int_equal(settle_at(&settling, 1001), 1);
}

static void test_settling_goes_piece_by_piece(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    uint64_t after = 0;
    size_t erased = 0;
    size_t total = 0;
    OK(ops->begin(fixture->store, &why));
    for (uint64_t i = 0; i < 25; i++) {
        struct rg_message message = message_of(100 + i);
        message.way = RG_WAY_OUT;
        message.expires.ms = 1000;
        OK(ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("sealed"), &why));
    }
    size_t pieces = 0;
    do {
        OK(ops->bodies_settle(fixture->store, (struct rg_wall){5000}, 10, &after, &erased, &why));
        total += erased;
        pieces++;
    } while (after != 0);
    OK(ops->commit(fixture->store, &why));
    assert_int_equal(total, 25);
    assert_int_equal(pieces, 3);
}

static void test_card_drop(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct seen seen = {0};
    struct rg_hash digest = rg_sha256(rg_bytes_of_text("k1 "));
    OK(ops->begin(fixture->store, &why));
    put_document(fixture, RG_DOC_KEY_CARD, "th", "k1 ");
    put_document(fixture, RG_DOC_KEY_CARD, "th", "k2 ");
    OK(ops->card_drop(fixture->store, &digest, &why));
    OK(ops->card_drop(fixture->store, &digest, &why)); /* gone is gone */
    OK(ops->commit(fixture->store, &why));
    OK(ops->documents_each(fixture->store, see, &seen, &why));
    assert_string_equal(seen.order, "k2 ");
}

/* Adds messages in batches of one until the store refuses; how many are in. */
static uint64_t fill(struct rg_store *store, rg_outcome *last)
{
    static uint8_t body[8000];
    uint64_t added = 0;
    for (uint64_t n = 1; n < 10000; n++) {
        struct rg_message message = message_of(n);
        *last = store->ops->begin(store, &why);
        if (rg_is_ok(*last)) {
            *last = store->ops->message_add(store, &message, rg_bytes_of(body, sizeof(body)), &why);
        }
        if (rg_is_ok(*last)) {
            *last = store->ops->commit(store, &why);
        }
        if (!rg_is_ok(*last)) {
            store->ops->rollback(store);
            return added;
        }
        added++;
    }
    return added;
}

static uint64_t messages_in(struct rg_store *store)
{
    struct rg_store_counts counts = {0};
    OK(store->ops->counts(store, &counts, &why));
    return counts.bodies;
}

static void test_a_full_store_says_not_now_and_keeps_what_it_has(void **state)
{
    struct fixture *fixture = *state;
    rg_outcome last = {0};
    fixture->store->ops->close(fixture->store);
    fixture->store = open_store(fixture->path, 512 * RG_KIB);
    uint64_t added = fill(fixture->store, &last);
    assert_int_equal(last.code, RG_AGAIN);
    assert_string_equal(why.id, "store-full");
    assert_true(added > 10);
    assert_int_equal(messages_in(fixture->store), added);
    reopen(fixture); /* with room again it goes on */
    struct rg_message message = message_of(20000);
    OK(fixture->store->ops->begin(fixture->store, &why));
    OK(fixture->store->ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("x"), &why));
    OK(fixture->store->ops->commit(fixture->store, &why));
    assert_int_equal(messages_in(fixture->store), added + 1);
}

/* The files may not grow, so a write of a COMMIT fails and nobody knows what the disk holds: the
 * process must end, and what was acknowledged before is there. In a child: the limit stays. */
static void test_a_failed_write_in_commit_is_broken_and_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    int pipe_fd[2];
    uint64_t added = 0;
    int status = 0;
    fixture->store->ops->close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {.rlim_cur = 400 * RG_KIB, .rlim_max = 400 * RG_KIB};
        struct rg_store *store = NULL;
        rg_outcome last = {0};
        (void)signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
            !rg_is_ok(
                rg_store_sqlite_open(fixture->path, &(struct rg_store_sqlite){0}, &store, &why))) {
            _exit(3);
        }
        added = fill(store, &last);
        bool told = write(pipe_fd[1], &added, sizeof(added)) == (ssize_t)sizeof(added);
        bool broken = last.code == RG_BROKEN && strcmp(why.id, "store-commit-unknown") == 0;
        _exit(told && broken ? 0 : 4);
    }
    assert_true(child > 0);
    assert_int_equal(read(pipe_fd[0], &added, sizeof(added)), sizeof(added));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(pipe_fd[0]);
    (void)close(pipe_fd[1]);
    assert_true(added > 10);
    fixture->store = open_store(fixture->path, 0);
    uint64_t kept = messages_in(fixture->store);
    assert_true(kept == added || kept == added + 1); /* the unknown one may have made it */
}

/* SQLite's calls come here. Fails an fsync of the database itself, not of its WAL. */
static bool database_sync_fails;
static size_t wal_syncs;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    char link[64];
    char path[128] = "";
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    size_t end = len > 3 ? (size_t)len - 3 : 0;
    wal_syncs += len > 4 && strcmp(path + len - 4, "-wal") == 0 ? 1 : 0;
    if (database_sync_fails && strcmp(path + end, ".db") == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* A checkpoint whose fsync fails ends the process, and the WAL stays: the pages that the kernel may
 * have dropped are written again from it. */
static void test_a_failed_fsync_of_a_checkpoint_is_broken(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    static uint8_t body[700 * RG_KIB];
    rg_outcome last = rg_ok();
    struct stat wal;
    char path[128];
    uint64_t added = 0;
    database_sync_fails = true;
    for (uint64_t n = 1; rg_is_ok(last) && n < 100; n++) {
        struct rg_message message = message_of(n);
        OK(ops->begin(fixture->store, &why));
        OK(ops->message_add(fixture->store, &message, rg_bytes_of(body, sizeof(body)), &why));
        last = ops->commit(fixture->store, &why);
        added++;
    }
    assert_int_equal(last.code, RG_BROKEN);
    assert_string_equal(why.id, "store-checkpoint-unknown");
    fixture->store->ops->close(fixture->store);
    fixture->store = NULL;
    database_sync_fails = false;
    (void)snprintf(path, sizeof(path), "%s-wal", fixture->path);
    assert_int_equal(stat(path, &wal), 0);
    assert_true(wal.st_size > 8192 * 4096);
    fixture->store = open_store(fixture->path, 0);
    assert_int_equal(messages_in(fixture->store), added);
}

/* A commit that has returned is on the disk, not in the kernel's hands only. */
static void test_a_commit_is_synced(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    for (uint64_t n = 1; n < 5; n++) {
        struct rg_message message = message_of(n);
        OK(ops->begin(fixture->store, &why));
        OK(ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("x"), &why));
        wal_syncs = 0;
        OK(ops->commit(fixture->store, &why));
        assert_true(wal_syncs > 0);
    }
}

static void commit_some(struct fixture *fixture, uint64_t from)
{
    const struct rg_store_ops *ops = fixture->store->ops;
    for (uint64_t n = from; n < from + 80; n++) {
        struct rg_message message = message_of(n);
        OK(ops->begin(fixture->store, &why));
        OK(ops->message_add(fixture->store, &message, RG_BYTES_LITERAL("x"), &why));
        OK(ops->commit(fixture->store, &why));
    }
}

/* Called in the middle of a reader's query. */
static rg_outcome erase_beside_reader(void *context, const struct rg_document *document,
                                      struct rg_reason *reason)
{
    struct fixture *fixture = context;
    const struct rg_store_ops *ops = fixture->store->ops;
    size_t erased = 0;
    (void)document;
    (void)reason;
    OK(ops->begin(fixture->store, &why));
    OK(ops->bodies_erase(fixture->store, (struct rg_wall){.ms = 2000100}, 10, &erased, &why));
    OK(ops->commit(fixture->store, &why));
    assert_int_equal(erased, 1);
    commit_some(fixture, 600);
    assert_true(file_holds(fixture->path, "-wal", "the erased words"));
    return rg_ok();
}

/* A reader keeps erased words in the WAL for as long as it reads, and not much longer. */
static void test_a_reader_only_delays_erasing(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    struct rg_store *reader = NULL;
    struct rg_message old = message_of(1);
    OK(ops->begin(fixture->store, &why));
    OK(ops->message_add(fixture->store, &old, RG_BYTES_LITERAL("the erased words"), &why));
    put_document(fixture, RG_DOC_PAGE, "th", "page");
    OK(ops->commit(fixture->store, &why));
    OK(rg_store_sqlite_open(fixture->path, &(struct rg_store_sqlite){.read_only = true}, &reader,
                            &why));
    OK(reader->ops->documents_each(reader, erase_beside_reader, fixture, &why));
    reader->ops->close(reader);
    commit_some(fixture, 700);
    assert_false(file_holds(fixture->path, "-wal", "the erased words"));
    assert_false(file_holds(fixture->path, "", "the erased words"));
}

static void test_a_failed_write_spoils_its_batch(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t body[700 * RG_KIB];
    struct rg_message message = message_of(1);
    struct rg_hash hash = hash_of(1);
    fixture->store->ops->close(fixture->store);
    fixture->store = open_store(fixture->path, 512 * RG_KIB);
    const struct rg_store_ops *ops = fixture->store->ops;
    OK(ops->begin(fixture->store, &why));
    assert_int_equal(
        ops->message_add(fixture->store, &message, rg_bytes_of(body, sizeof(body)), &why).code,
        RG_AGAIN);
    assert_int_equal(ops->tile_add(fixture->store, 0, &hash, &why).code, RG_AGAIN);
    assert_int_equal(ops->commit(fixture->store, &why).code, RG_IO);
    ops->rollback(fixture->store);
    OK(ops->begin(fixture->store, &why));
    OK(ops->tile_add(fixture->store, 0, &hash, &why));
    OK(ops->commit(fixture->store, &why));
}

static void test_a_second_writer_is_told_to_wait_and_a_reader_reads(void **state)
{
    struct fixture *fixture = *state;
    struct rg_store *other = open_store(fixture->path, 0);
    struct rg_store *reader = NULL;
    struct rg_hash hash = hash_of(1);
    uint64_t size = 0;
    OK(fixture->store->ops->begin(fixture->store, &why));
    assert_int_equal(other->ops->begin(other, &why).code, RG_AGAIN);
    assert_string_equal(why.id, "store-busy");
    OK(fixture->store->ops->leaf_add(fixture->store, 0, &hash, RG_BYTES_LITERAL("e"), &why));
    OK(fixture->store->ops->commit(fixture->store, &why));
    OK(other->ops->begin(other, &why));
    other->ops->rollback(other);
    other->ops->close(other);
    OK(rg_store_sqlite_open(fixture->path, &(struct rg_store_sqlite){.read_only = true}, &reader,
                            &why));
    OK(reader->ops->log_size(reader, &size, &why));
    assert_int_equal(size, 1);
    assert_int_equal(reader->ops->begin(reader, &why).code, RG_DENIED);
    reader->ops->close(reader);
}

static void overwrite(const char *path, const char *bytes, off_t at)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, strlen(bytes), at), strlen(bytes));
    assert_int_equal(close(fd), 0);
}

static void test_a_damaged_store_is_broken(void **state)
{
    struct fixture *fixture = *state;
    rg_outcome last = {0};
    struct rg_store *store = NULL;
    fixture->store->ops->close(fixture->store);
    fixture->store = open_store(fixture->path, 512 * RG_KIB);
    (void)fill(fixture->store, &last);
    fixture->store->ops->close(fixture->store);
    fixture->store = NULL;
    for (off_t page = 1; page < 100; page++) { /* every page but the first */
        overwrite(fixture->path, "no page of any kind", page * 4096);
    }
    rg_outcome outcome =
        rg_store_sqlite_open(fixture->path, &(struct rg_store_sqlite){0}, &store, &why);
    if (rg_is_ok(outcome)) {
        uint64_t size = 0;
        outcome = store->ops->log_size(store, &size, &why);
        store->ops->close(store);
    }
    assert_int_equal(outcome.code, RG_BROKEN);
    assert_string_equal(why.id, "store-corrupt");
    overwrite(fixture->path, "this is not a database at all", 0);
    assert_int_equal(
        rg_store_sqlite_open(fixture->path, &(struct rg_store_sqlite){0}, &store, &why).code,
        RG_BROKEN);
}

static void test_a_newer_store_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct rg_store *store = NULL;
    fixture->store->ops->close(fixture->store);
    fixture->store = NULL;
    overwrite(fixture->path, "\x01", 62); /* user_version, bytes 60 to 63 of the header */
    assert_int_equal(
        rg_store_sqlite_open(fixture->path, &(struct rg_store_sqlite){0}, &store, &why).code,
        RG_DENIED);
    assert_string_equal(why.id, "store-version");
    assert_false(rg_is_ok(
        rg_store_sqlite_open("/nonexistent/s.db", &(struct rg_store_sqlite){0}, &store, &why)));
}

/* Not a test of time: prints what a batch of 64 costs, and checks that all rows are there. */
static void test_many_batches(void **state)
{
    struct fixture *fixture = *state;
    const struct rg_store_ops *ops = fixture->store->ops;
    static uint8_t body[4700];
    struct timespec from, to;
    const uint64_t batches = 40;
    uint64_t size = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint64_t n = 0; n < batches * 64; n++) {
        struct rg_message message = message_of(n);
        struct rg_outbox_row row = {.kind = RG_OUTBOX_TRANSFER, .country = "kh", .priority = 1};
        struct rg_hash hash = hash_of(n);
        if (n % 64 == 0) {
            OK(ops->begin(fixture->store, &why));
        }
        OK(ops->message_add(fixture->store, &message, rg_bytes_of(body, sizeof(body)), &why));
        OK(ops->leaf_add(fixture->store, n, &hash, rg_bytes_of(body, 90), &why));
        row.key = message.key;
        OK(ops->outbox_add(fixture->store, &row, &why));
        if (n % 64 == 63) {
            OK(ops->commit(fixture->store, &why));
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    print_message("%.0f messages/s in batches of 64\n", (double)(batches * 64) / seconds);
    OK(ops->log_size(fixture->store, &size, &why));
    assert_int_equal(size, batches * 64);
    assert_int_equal(messages_in(fixture->store), batches * 64);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_messages),
        STORE_TEST(test_an_id_stands_once),
        STORE_TEST(test_a_batch_is_whole_or_not_at_all),
        STORE_TEST(test_log),
        STORE_TEST(test_a_gap_in_the_log_is_damage),
        STORE_TEST(test_outbox),
        STORE_TEST(test_mail_and_cursors),
        STORE_TEST(test_threads_decisions_collected),
        STORE_TEST(test_proofs),
        STORE_TEST(test_heads_and_quotas),
        STORE_TEST(test_forks),
        STORE_TEST(test_documents),
        STORE_TEST(test_counts),
        STORE_TEST(test_counts_follow_batches),
        STORE_TEST(test_settled_when_every_device_has_it),
        STORE_TEST(test_settled_not_behind_a_slow_device),
        STORE_TEST(test_settled_when_the_peer_has_answered),
        STORE_TEST(test_settling_goes_piece_by_piece),
        STORE_TEST(test_card_drop),
        STORE_TEST(test_what_is_erased_is_gone_from_the_files),
        STORE_TEST(test_a_full_store_says_not_now_and_keeps_what_it_has),
        STORE_TEST(test_a_failed_write_in_commit_is_broken_and_loses_nothing),
        STORE_TEST(test_a_failed_fsync_of_a_checkpoint_is_broken),
        STORE_TEST(test_a_commit_is_synced),
        STORE_TEST(test_a_reader_only_delays_erasing),
        STORE_TEST(test_a_failed_write_spoils_its_batch),
        STORE_TEST(test_a_second_writer_is_told_to_wait_and_a_reader_reads),
        STORE_TEST(test_a_damaged_store_is_broken),
        STORE_TEST(test_a_newer_store_is_refused),
        STORE_TEST(test_many_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
