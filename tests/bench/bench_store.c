/*
 * The limit for gateway to gateway: the rows that both gateways write for one message, in the same
 * batches, into the same store, by one process that does nothing else. The sender's rows of
 * accepting (written before the clock starts in the throughput run) are not counted.
 *
 *   bench_store COUNT        prints "messages_per_second R"
 */
#include "core/digest.h"
#include "core/tlog.h"
#include "gateway/store_sqlite.h"
#include "tests/bench/bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { body_bytes = 5600, proof_bytes = 900, entry_bytes = 110 };

struct side {
    struct rg_store *store;
    uint64_t leaves;
};

static struct rg_reason why;

static void must(rg_outcome outcome)
{
    if (!rg_is_ok(outcome)) {
        (void)fprintf(stderr, "bench_store: %s: %s\n", why.id, why.text);
        exit(1);
    }
}

static void open_side(struct side *side, const char *folder, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s.db", folder, name);
    must(rg_store_sqlite_open(path, &(struct rg_store_sqlite){0}, &side->store, &why));
}

static uint64_t add_leaf(struct side *side)
{
    static const uint8_t entry[entry_bytes];
    struct rg_hash hash;
    rg_random(hash.b, sizeof(hash.b));
    must(side->store->ops->leaf_add(side->store, side->leaves, &hash,
                                    rg_bytes_of(entry, sizeof(entry)), &why));
    side->leaves++;
    if (side->leaves % RG_TILE_LEAVES == 0) {
        must(side->store->ops->tile_add(side->store, side->leaves / RG_TILE_LEAVES - 1, &hash,
                                        &why));
    }
    return side->leaves - 1;
}

static struct rg_message message_of(const struct rg_id *id, enum rg_way way, uint64_t leaf)
{
    struct rg_message message = {.id = *id,
                                 .way = way,
                                 .answer_leaf = leaf,
                                 .received_leaf = RG_LEAF_NONE,
                                 .priority = RG_ROUTINE,
                                 .expires = {1},
                                 .collect_by = {2},
                                 .to_office_count = 1};
    (void)snprintf(message.from_office, RG_OFFICE_BYTES, "th/focal");
    (void)snprintf(message.from_country, RG_COUNTRY_BYTES, "th");
    (void)snprintf(message.to_country, RG_COUNTRY_BYTES, "kh");
    (void)snprintf(message.to_office[0], RG_OFFICE_BYTES, "kh/focal");
    return message;
}

static void add_thread(struct side *side)
{
    struct rg_thread_id thread;
    rg_random(thread.b, sizeof(thread.b));
    struct rg_thread_offices offices = {.office = {"th/focal", "kh/focal"}};
    must(side->store->ops->thread_add(side->store, &thread, &offices, &why));
}

static void accept_one(struct side *sender, const struct rg_id *id, struct rg_bytes body)
{
    uint64_t leaf = add_leaf(sender);
    struct rg_message message = message_of(id, RG_WAY_OUT, leaf);
    must(sender->store->ops->message_add(sender->store, &message, body, &why));
    struct rg_outbox_row row = {.key = message.key,
                                .kind = RG_OUTBOX_TRANSFER,
                                .country = "kh",
                                .priority = RG_ROUTINE,
                                .leaf = leaf,
                                .expires = {INT64_MAX},
                                .body_bytes = body_bytes};
    must(sender->store->ops->outbox_add(sender->store, &row, &why));
    add_thread(sender);
}

static void receive_one(struct side *receiver, const struct rg_id *id, struct rg_bytes body)
{
    static const uint8_t proof[proof_bytes];
    bool fresh = false;
    uint64_t leaf = add_leaf(receiver);
    struct rg_message message = message_of(id, RG_WAY_IN, leaf);
    must(receiver->store->ops->message_add(receiver->store, &message, body, &why));
    must(receiver->store->ops->proof_add(receiver->store, message.key, RG_ENTRY_ACCEPTED, leaf,
                                         rg_bytes_of(proof, sizeof(proof)), &fresh, &why));
    struct rg_mail mail = {.kind = RG_MAIL_DELIVER, .key = message.key, .leaf = leaf};
    must(receiver->store->ops->mail_add(receiver->store, "kh/focal", &mail, &why));
    add_thread(receiver);
}

static void verify_one(struct side *sender, uint64_t key)
{
    static const uint8_t proof[proof_bytes];
    bool fresh = false;
    uint64_t leaf = add_leaf(sender);
    must(sender->store->ops->proof_add(sender->store, key, RG_ENTRY_RECEIVED, leaf,
                                       rg_bytes_of(proof, sizeof(proof)), &fresh, &why));
    must(sender->store->ops->outbox_done(sender->store, key, &why));
    struct rg_mail mail = {
        .kind = RG_MAIL_STATUS_PEER, .key = key, .leaf = leaf, .entry_kind = RG_ENTRY_RECEIVED};
    must(sender->store->ops->mail_add(sender->store, "th/focal", &mail, &why));
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    char folder[] = "/tmp/rg-bench-XXXXXX";
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    struct side sender = {0};
    struct side receiver = {0};
    open_side(&sender, folder, "sender");
    open_side(&receiver, folder, "receiver");
    static uint8_t bytes[body_bytes];
    rg_random(bytes, sizeof(bytes));
    struct rg_id *id = calloc(count + RG_BATCH_FRAMES_MAX, sizeof(*id));
    rg_random(id, count * sizeof(*id));
    for (size_t at = 0; at < count; at += RG_BATCH_FRAMES_MAX) {
        must(sender.store->ops->begin(sender.store, &why));
        for (size_t i = at; i < at + RG_BATCH_FRAMES_MAX && i < count; i++) {
            accept_one(&sender, &id[i], rg_bytes_of(bytes, sizeof(bytes)));
        }
        must(sender.store->ops->commit(sender.store, &why));
    }
    double start = bench_now_s();
    for (size_t at = 0; at < count; at += RG_BATCH_FRAMES_MAX) {
        must(receiver.store->ops->begin(receiver.store, &why));
        must(sender.store->ops->begin(sender.store, &why));
        for (size_t i = at; i < at + RG_BATCH_FRAMES_MAX && i < count; i++) {
            receive_one(&receiver, &id[i], rg_bytes_of(bytes, sizeof(bytes)));
            verify_one(&sender, i + 1);
        }
        must(receiver.store->ops->commit(receiver.store, &why));
        must(sender.store->ops->commit(sender.store, &why));
    }
    (void)printf("messages_per_second %.1f\n", (double)count / (bench_now_s() - start));
    sender.store->ops->close(sender.store);
    receiver.store->ops->close(receiver.store);
    free(id);
    char command[300];
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}
