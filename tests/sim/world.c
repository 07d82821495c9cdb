/* How it works: a line is two queues of encoded frames. A step of a node is exactly the loop of the
 * real courier process: frames, commit, notary, outputs; `die_at` ends it between two of these. */
#include "tests/sim/world.h"

#include "core/digest.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUST(condition) RG_ASSERT(condition)
#define OK(call) RG_ASSERT(rg_is_ok(call))
#define START_MS 1795500000000LL

/* Random: splitmix64 */

static uint64_t random_next(struct world *world)
{
    uint64_t z = (world->random += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

uint64_t world_random(struct world *world, uint64_t below)
{
    return below == 0 ? 0 : random_next(world) % below;
}

static void random_fill(void *context, void *out, size_t len)
{
    uint8_t *byte = out;
    for (size_t i = 0; i < len; i++) {
        byte[i] = (uint8_t)random_next(context);
    }
}

/* Nodes */

static struct rg_key *key_make(struct world *world)
{
    uint8_t seed[32];
    char path[] = "/tmp/rg-world-key-XXXXXX";
    struct rg_key *key = NULL;
    random_fill(world, seed, sizeof(seed));
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    int fd = mkstemp(path);
    MUST(pkey != NULL && fd >= 0 && fchmod(fd, 0600) == 0);
    FILE *file = fdopen(fd, "w");
    MUST(file != NULL && PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL) == 1);
    MUST(fclose(file) == 0);
    OK(rg_key_read(path, &key, NULL));
    MUST(unlink(path) == 0);
    EVP_PKEY_free(pkey);
    return key;
}

struct world *world_new(uint64_t seed)
{
    struct world *world = calloc(1, sizeof(*world));
    MUST(world != NULL);
    world->random = seed;
    world->now = (struct rg_now){{START_MS}, {1000}};
    return world;
}

struct world_node *world_node(struct world *world, const char *country)
{
    MUST(world->node_count < WORLD_NODES_MAX);
    struct world_node *node = &world->node[world->node_count++];
    node->world = world;
    (void)snprintf(node->country, sizeof(node->country), "%s", country);
    (void)snprintf(node->options.country, sizeof(node->options.country), "%s", country);
    node->options.software = "world";
    node->options.random = random_fill;
    node->options.random_context = world;
    node->disk = memory_disk_new();
    node->key = key_make(world);
    OK(rg_log_key_public(node->key, node->public_key, NULL));
    return node;
}

static struct rg_now node_now(const struct world_node *node)
{
    struct rg_now now = node->world->now;
    now.wall.ms += node->skew_ms;
    return now;
}

/* BROKEN ends the process; nothing else comes out of a courier. */
static bool alive(struct world_node *node, rg_outcome outcome)
{
    if (outcome.code == RG_BROKEN) {
        world_crash(node->world, node);
        return false;
    }
    OK(outcome);
    return true;
}

void world_offer(struct world_node *node, enum rg_document_kind kind, const char *country,
                 const char *text)
{
    struct rg_document document;
    fake_document(kind, country, text, &document);
    if (node->courier != NULL) {
        alive(node, rg_courier_document(node->courier, &document, node_now(node), NULL));
    }
    rg_document_drop(&document);
}

static void documents_offer(struct world_node *node)
{
    char text[2048] = "charter 1\n";
    char hex[65];
    for (size_t i = 0; i < node->world->node_count; i++) {
        const struct world_node *other = &node->world->node[i];
        rg_hex(rg_bytes_of(other->public_key, 32), hex);
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof(text) - len, "%s %s\n", other->country, hex);
    }
    world_offer(node, RG_DOC_CHARTER, "", text);
    (void)snprintf(text, sizeof(text),
                   "page %s 1\n%s/focal focal always\n%s/rescue ngo emergency\n"
                   "%s/health health never\n",
                   node->country, node->country, node->country, node->country);
    world_offer(node, RG_DOC_PAGE, node->country, text);
    (void)snprintf(text, sizeof(text), "domestic %s 1\n%s/ngo-a ngo never\n", node->country,
                   node->country);
    world_offer(node, RG_DOC_PAGE_DOMESTIC, node->country, text);
}

void world_start(struct world *world, struct world_node *node)
{
    (void)world;
    MUST(node->courier == NULL);
    node->trust = rg_trust_new();
    node->options.trust = node->trust;
    node->options.store = memory_disk_open(node->disk);
    if (!rg_is_ok(rg_courier_new(&node->options, node_now(node), &node->courier, NULL))) {
        rg_trust_free(node->trust); /* its disk failed: down until it is started again */
        return;
    }
    documents_offer(node);
}

void world_found(struct world *world)
{
    for (size_t i = 0; i < world->node_count; i++) {
        world_start(world, &world->node[i]);
    }
}

/* Lines */

static void queue_push(struct world_end *to, struct rg_bytes bytes)
{
    struct world_frame *frame = calloc(1, sizeof(*frame));
    MUST(frame != NULL);
    OK(rg_buffer_append(&frame->bytes, bytes, NULL));
    if (to->last != NULL) {
        to->last->next = frame;
    } else {
        to->first = frame;
    }
    to->last = frame;
    to->count++;
}

static bool queue_pop(struct world_end *from, struct rg_buffer *out)
{
    struct world_frame *frame = from->first;
    if (frame == NULL) {
        return false;
    }
    from->first = frame->next;
    from->last = frame->next == NULL ? NULL : from->last;
    from->count--;
    *out = rg_buffer_take(&frame->bytes);
    free(frame);
    return true;
}

static void queue_clear(struct world_end *end)
{
    struct rg_buffer bytes = {0};
    while (queue_pop(end, &bytes)) {
        rg_buffer_drop(&bytes);
    }
}

static bool end_is_node(const struct world_end *end, const struct world_node *node)
{
    return end->node == node && end->client == NULL;
}

static struct world_line *line_new(struct world *world)
{
    MUST(world->line_count < WORLD_LINES_MAX);
    struct world_line *line = calloc(1, sizeof(*line));
    MUST(line != NULL);
    world->line[world->line_count++] = line;
    line->open = true;
    for (int i = 0; i < 2; i++) {
        uint64_t number = ++world->session_count;
        memcpy(line->end[i].session.b + 4, &number, sizeof(number));
    }
    return line;
}

static void node_up(struct world_end *end, const char *principal, bool dialled)
{
    struct rg_courier_up up = {.id = end->session, .dialled = dialled};
    OK(rg_principal_parse(principal, &up.principal, NULL));
    if (end->node->courier != NULL) {
        alive(end->node, rg_courier_session_up(end->node->courier, &up, node_now(end->node), NULL));
    }
}

static void gateway_principal(const struct world_node *node, char out[RG_PRINCIPAL_BYTES])
{
    (void)snprintf(out, RG_PRINCIPAL_BYTES, "referral://%s/gateway", node->country);
}

struct world_line *world_dial(struct world *world, struct world_node *from, struct world_node *to)
{
    char principal[RG_PRINCIPAL_BYTES];
    if (from->courier == NULL || to->courier == NULL) {
        return NULL;
    }
    struct world_line *line = line_new(world);
    line->end[0].node = from;
    line->end[1].node = to;
    gateway_principal(from, principal);
    node_up(&line->end[1], principal, false);
    gateway_principal(to, principal);
    node_up(&line->end[0], principal, true);
    return line;
}

struct world_line *world_connect(struct world *world, struct world_client *client)
{
    if (client->node->courier == NULL) {
        return NULL;
    }
    struct world_line *line = line_new(world);
    line->end[0].client = client;
    line->end[1].node = client->node;
    client->line = line;
    client->ready = client->skipped = false;
    node_up(&line->end[1], client->principal, false);
    return line;
}

struct world_line *world_puppet(struct world *world, struct world_node *node, const char *principal)
{
    struct world_line *line = line_new(world);
    line->end[1].node = node;
    node_up(&line->end[1], principal, false);
    return line;
}

bool world_read(struct world_line *line, struct rg_frame *out)
{
    struct rg_buffer bytes = {0};
    if (!queue_pop(&line->end[0], &bytes)) {
        return false;
    }
    *out = (struct rg_frame){0};
    OK(rg_frame_decode(rg_buffer_peek(&bytes), out, NULL));
    rg_buffer_drop(&bytes);
    return true;
}

void world_cut(struct world *world, struct world_line *line)
{
    (void)world;
    if (line == NULL || !line->open) {
        return;
    }
    line->open = false;
    for (int i = 0; i < 2; i++) {
        struct world_end *end = &line->end[i];
        queue_clear(end);
        if (end->node != NULL && end->node->courier != NULL) {
            rg_courier_session_gone(end->node->courier, end->session);
        }
        if (end->client != NULL && end->client->line == line) {
            end->client->line = NULL;
            end->client->ready = false;
        }
    }
}

struct rg_head world_head(const struct world_node *node, const struct rg_frontier *frontier)
{
    struct rg_head head = {.size = frontier->size, .root = rg_frontier_root(frontier)};
    (void)snprintf(head.origin, sizeof(head.origin), "referral/%s/%llu", node->country,
                   node->options.log_epoch > 0 ? (unsigned long long)node->options.log_epoch : 1);
    OK(rg_head_sign(&head, node->key, NULL));
    return head;
}

/* The notary does what it was asked. */
static struct rg_notary_answer notary_act(struct world_node *node, struct world_request *request)
{
    struct rg_notary_answer answer = {.size = node->notary.size};
    request->used = false;
    if (request->from_size != node->notary.size) {
        answer.code = RG_DENIED;
        (void)snprintf(answer.reason, sizeof(answer.reason), "notary-size");
        return answer;
    }
    for (size_t i = 0; i < request->leaves.len; i += sizeof(struct rg_hash)) {
        struct rg_hash leaf;
        memcpy(leaf.b, request->leaves.data + i, 32);
        rg_frontier_append(&node->notary, leaf);
    }
    struct rg_head head = world_head(node, &node->notary);
    answer.size = head.size;
    answer.root = head.root;
    memcpy(answer.signature, head.signature, sizeof(answer.signature));
    return answer;
}

/* Nobody waits any more for the answer to what was asked. */
static void notary_late(struct world_node *node)
{
    if (node->late.used) {
        (void)notary_act(node, &node->late);
    }
    struct rg_buffer leaves = node->late.leaves;
    node->late = node->asked;
    node->asked = (struct world_request){.leaves = leaves};
}

void world_crash(struct world *world, struct world_node *node)
{
    struct rg_courier *courier = node->courier;
    if (courier == NULL) {
        return;
    }
    node->courier = NULL;
    if (node->asked.used) {
        notary_late(node);
    }
    for (size_t i = 0; i < world->line_count; i++) {
        struct world_line *line = world->line[i];
        if (line->open && (end_is_node(&line->end[0], node) || end_is_node(&line->end[1], node))) {
            world_cut(world, line);
        }
    }
    rg_courier_free(courier);
    rg_trust_free(node->trust);
    node->trust = NULL;
    (void)memory_disk_open(node->disk); /* an open batch is gone */
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->node_count; i++) {
        world_crash(world, &world->node[i]);
        rg_buffer_drop(&world->node[i].asked.leaves);
        rg_buffer_drop(&world->node[i].late.leaves);
        memory_disk_free(world->node[i].disk);
        rg_key_free(world->node[i].key);
    }
    for (size_t i = 0; i < world->line_count; i++) {
        queue_clear(&world->line[i]->end[0]);
        queue_clear(&world->line[i]->end[1]);
        free(world->line[i]);
    }
    for (size_t i = 0; i < world->client_count; i++) {
        struct world_client *client = &world->client[i];
        for (size_t k = 0; k < client->pending_count; k++) {
            rg_buffer_drop(&client->pending[k]);
        }
        free(client->pending);
        free(client->pending_id);
        free(client->told);
        free(client->cases);
    }
    free(world);
}

void world_inject(struct world_line *line, int to, struct rg_bytes bytes)
{
    queue_push(&line->end[to], bytes);
}

void world_inject_frame(struct world_line *line, int to, const struct rg_frame *frame)
{
    RG_OWNED_BUFFER bytes = {0};
    OK(rg_frame_encode(frame, &bytes, NULL));
    queue_push(&line->end[to], rg_buffer_peek(&bytes));
}

/* Clients */

struct world_client *world_client(struct world *world, struct world_node *node, const char *office,
                                  const char *officer, const char *device)
{
    MUST(world->client_count < WORLD_CLIENTS_MAX);
    struct world_client *client = &world->client[world->client_count++];
    client->world = world;
    client->node = node;
    (void)snprintf(client->office, sizeof(client->office), "%s/%s", node->country, office);
    (void)snprintf(client->principal, sizeof(client->principal), "referral://%s/%s/%s",
                   node->country, office, officer);
    (void)snprintf(client->device, sizeof(client->device), "%s", device);
    return client;
}

static void client_send(struct world_client *client, const struct rg_frame *frame)
{
    if (client->line != NULL) {
        client->world->frames[frame->kind]++;
        world_inject_frame(client->line, 1, frame);
    }
}

struct world_told *world_told(struct world_client *client, const struct rg_id *id)
{
    for (size_t i = 0; i < client->told_count; i++) {
        if (memcmp(client->told[i].id.b, id->b, sizeof(id->b)) == 0) {
            return &client->told[i];
        }
    }
    client->told = realloc(client->told, (client->told_count + 1) * sizeof(*client->told));
    MUST(client->told != NULL);
    struct world_told *told = &client->told[client->told_count++];
    *told = (struct world_told){.id = *id};
    return told;
}

size_t world_deliveries(const struct world_client *client, const struct rg_id *id)
{
    for (size_t i = 0; i < client->case_count; i++) {
        if (memcmp(client->cases[i].id.b, id->b, sizeof(id->b)) == 0) {
            return client->cases[i].deliveries;
        }
    }
    return 0;
}

static void case_add(struct world_client *client, const struct rg_id *id)
{
    for (size_t i = 0; i < client->case_count; i++) {
        if (memcmp(client->cases[i].id.b, id->b, sizeof(id->b)) == 0) {
            client->cases[i].deliveries++;
            return;
        }
    }
    client->cases = realloc(client->cases, (client->case_count + 1) * sizeof(*client->cases));
    MUST(client->cases != NULL);
    client->cases[client->case_count++] = (struct world_case){*id, 1};
}

static const struct world_node *origin_node(const struct world *world, const char *origin)
{
    char prefix[RG_ORIGIN_BYTES];
    for (size_t i = 0; i < world->node_count; i++) {
        int len = snprintf(prefix, sizeof(prefix), "referral/%s/", world->node[i].country);
        if (strncmp(origin, prefix, (size_t)len) == 0) {
            return &world->node[i];
        }
    }
    return NULL;
}

/* Every proof that reaches a client is checked; its home's heads must chain. */
static bool proof_good(struct world_client *client, const struct rg_receipts *receipts)
{
    char prefix[RG_ORIGIN_BYTES];
    const struct world_node *node = origin_node(client->world, receipts->head.origin);
    if (node == NULL) {
        return false;
    }
    (void)snprintf(prefix, sizeof(prefix), "referral/%s", node->country);
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_receipts_check(receipts, prefix, node->public_key, &why))) {
        return false;
    }
    if (node != client->node || (!receipts->has_from && client->held.size != 0)) {
        return true;
    }
    if (client->held.size != 0 && (receipts->from_size != client->held.size ||
                                   !rg_is_ok(rg_head_extends(&client->held, &receipts->head,
                                                             &receipts->consistency, NULL)))) {
        return false;
    }
    client->held = receipts->head;
    return true;
}

static bool proof_look(struct world_client *client, const struct rg_receipts *receipts)
{
    bool good = proof_good(client, receipts);
    client->bad_proofs += good ? 0 : 1;
    return good;
}

static void pending_done(struct world_client *client, const struct rg_id *id)
{
    for (size_t i = 0; i < client->pending_count; i++) {
        if (memcmp(client->pending_id[i].b, id->b, sizeof(id->b)) == 0) {
            rg_buffer_drop(&client->pending[i]);
            client->pending[i] = client->pending[--client->pending_count];
            client->pending_id[i] = client->pending_id[client->pending_count];
            return;
        }
    }
}

static void told_entry(struct world_client *client, const struct rg_proven_entry *proven)
{
    struct rg_log_entry entry;
    OK(rg_log_entry_decode(proven->log_entry, &entry, NULL));
    struct world_told *told = world_told(client, &entry.envelope_id);
    told->accepted |= entry.kind == RG_ENTRY_ACCEPTED;
    told->refused |= entry.kind == RG_ENTRY_REFUSED;
    told->received |= entry.kind == RG_ENTRY_RECEIVED;
    told->closed |= entry.kind == RG_ENTRY_CLOSED;
    told->unconfirmed |= entry.kind == RG_ENTRY_UNCONFIRMED;
    told->collected |= entry.kind == RG_ENTRY_COLLECTED;
    told->code = entry.kind == RG_ENTRY_REFUSED ? entry.code : told->code;
    if (entry.kind == RG_ENTRY_ACCEPTED || entry.kind == RG_ENTRY_REFUSED) {
        told->answers++;
        told->answer_leaf = proven->leaf_index;
        pending_done(client, &entry.envelope_id);
    }
}

static void told_all(struct world_client *client, const struct rg_receipts *receipts)
{
    if (!proof_look(client, receipts)) {
        return;
    }
    for (size_t i = 0; i < receipts->entry_count; i++) {
        told_entry(client, &receipts->entry[i]);
    }
}

static void submit_pending(struct world_client *client, size_t at)
{
    struct rg_frame frame = {.kind = RG_FRAME_SUBMIT,
                             .submit.envelope = rg_buffer_peek(&client->pending[at])};
    client_send(client, &frame);
}

void world_submit_again(struct world *world, struct world_client *client)
{
    (void)world;
    for (size_t i = 0; client->ready && i < client->pending_count; i++) {
        submit_pending(client, i);
    }
}

static void client_hello(struct world_client *client)
{
    struct rg_frame frame = {.kind = RG_FRAME_HELLO};
    frame.hello.version = 1;
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "%s", client->principal);
    (void)snprintf(frame.hello.device, sizeof(frame.hello.device), "%s", client->device);
    frame.hello.clock = client->world->now.wall;
    frame.hello.head = &client->held;
    frame.hello.head_count = client->held.size > 0 ? 1 : 0;
    client_send(client, &frame);
    client->ready = true;
    world_submit_again(client->world, client);
}

/* A position confirms all before it: who has left one out confirms no more in this session. */
static void client_confirm(struct world_client *client, const struct rg_frame *frame)
{
    client->skipped |= client->mute;
    if (!client->skipped) {
        client_send(client, frame);
    }
}

static void client_deliver(struct world_client *client, const struct rg_frame *frame)
{
    struct rg_envelope envelope;
    OK(rg_envelope_peek(frame->deliver.envelope, &envelope, NULL));
    if (!proof_look(client, &frame->deliver.accepted) ||
        !proof_look(client, &frame->deliver.received)) {
        return;
    }
    case_add(client, &envelope.id);
    struct rg_frame answer = {.kind = RG_FRAME_COLLECTED,
                              .collected = {.has_position = true,
                                            .position = frame->deliver.position,
                                            .opened = &envelope.id,
                                            .opened_count = 1}};
    client_confirm(client, &answer);
}

static void client_status(struct world_client *client, const struct rg_frame *frame)
{
    struct rg_frame answer = {.kind = RG_FRAME_STATUS_SEEN,
                              .status_seen.position = frame->status.position};
    told_all(client, &frame->status.receipts);
    client_confirm(client, &answer);
}

static void client_frame(struct world_client *client, struct rg_bytes bytes)
{
    struct rg_frame frame = {0};
    OK(rg_frame_decode(bytes, &frame, NULL));
    switch ((int)frame.kind) {
    case RG_FRAME_HELLO:
        client_hello(client);
        break;
    case RG_FRAME_RECEIPTS:
        told_all(client, &frame.receipts);
        break;
    case RG_FRAME_NOT_NOW:
        client->not_now++;
        client->not_now_code = (uint32_t)frame.not_now.code;
        break;
    case RG_FRAME_DELIVER:
        client_deliver(client, &frame);
        break;
    case RG_FRAME_STATUS:
        client_status(client, &frame);
        break;
    case RG_FRAME_FAULT:
        client->faults++;
        break;
    case RG_FRAME_DOCUMENT:
        client->documents++;
        break;
    default:
        break;
    }
    rg_frame_drop(&frame);
}

/* Letters */

static struct rg_core core_of(struct world *world, const struct world_letter *letter)
{
    struct rg_core core = {.version = 1, .to_office_count = 1, .section_count = 1};
    int64_t created = letter->created_ms != 0 ? letter->created_ms : world->now.wall.ms;
    int64_t lifetime = letter->lifetime_ms != 0 ? letter->lifetime_ms : 86400000;
    (void)snprintf(core.from_office, sizeof(core.from_office), "%s", letter->from);
    (void)snprintf(core.to_office[0], sizeof(core.to_office[0]), "%s", letter->to);
    rg_office_country(letter->to, core.to_country);
    if (letter->to_country != NULL) {
        (void)snprintf(core.to_country, sizeof(core.to_country), "%s", letter->to_country);
    }
    random_fill(world, core.thread.b, sizeof(core.thread.b));
    core.thread = letter->thread != NULL ? *letter->thread : core.thread;
    core.author_counter = 1;
    core.priority = letter->priority != 0 ? letter->priority : RG_ROUTINE;
    core.created.ms = created;
    core.expires.ms = created + lifetime;
    core.collect_by.ms = core.expires.ms + 86400000;
    core.exercise = letter->exercise;
    core.has_decides = letter->decides != NULL;
    core.decides = letter->decides != NULL ? *letter->decides : core.decides;
    core.section[0].office_count = 1;
    core.section[0].padded_bytes = 1024;
    memcpy(core.section[0].office[0], core.to_office[0], RG_OFFICE_BYTES);
    if (letter->notice != NULL) {
        core.section[0].office_count = 2;
        (void)snprintf(core.section[0].office[1], RG_OFFICE_BYTES, "%s", letter->notice);
    }
    random_fill(world, core.section[0].commitment, sizeof(core.section[0].commitment));
    return core;
}

void world_envelope(struct world *world, const struct world_letter *letter,
                    struct rg_buffer *envelope_out, struct rg_id *id_out)
{
    RG_OWNED_BUFFER core_bytes = {0};
    RG_OWNED_BUFFER header = {0};
    RG_OWNED_BUFFER body = {0};
    struct rg_core core = core_of(world, letter);
    size_t bytes = letter->bytes != 0 ? letter->bytes : 2048;
    OK(rg_buffer_reserve(&body, bytes, NULL));
    random_fill(world, body.data, bytes);
    body.len = bytes;
    struct rg_bytes sealed = rg_buffer_peek(&body);
    struct rg_hash digest = rg_sha256(sealed);
    OK(rg_core_encode(&core, &core_bytes, NULL));
    OK(rg_header_encode(rg_buffer_peek(&core_bytes), &digest, 1, &header, NULL));
    OK(rg_envelope_encode(rg_buffer_peek(&header), &sealed, 1, envelope_out, NULL));
    *id_out = rg_header_id(rg_buffer_peek(&header));
}

void world_submit(struct world *world, struct world_client *client,
                  const struct world_letter *letter, struct rg_id *id_out)
{
    struct world_letter addressed = *letter;
    size_t at = client->pending_count++;
    addressed.from = letter->from != NULL ? letter->from : client->office;
    client->pending = realloc(client->pending, (at + 1) * sizeof(*client->pending));
    client->pending_id = realloc(client->pending_id, (at + 1) * sizeof(*client->pending_id));
    MUST(client->pending != NULL && client->pending_id != NULL);
    client->pending[at] = (struct rg_buffer){0};
    world_envelope(world, &addressed, &client->pending[at], &client->pending_id[at]);
    *id_out = client->pending_id[at];
    if (client->ready) {
        submit_pending(client, at);
    }
}

/* Steps */

static bool dies(struct world *world, struct world_node *node, enum world_point point)
{
    if (node->courier == NULL) {
        return true;
    }
    if (node->die_at != point) {
        return false;
    }
    node->die_at = WORLD_NOWHERE;
    world_crash(world, node);
    return true;
}

static struct world_end *other_end(struct world_line *line, const struct world_end *end)
{
    return end == &line->end[0] ? &line->end[1] : &line->end[0];
}

static struct world_end *session_end(struct world *world, struct rg_session_id id,
                                     struct world_line **line_out)
{
    for (size_t i = world->line_count; i-- > 0;) {
        for (int k = 0; k < 2; k++) {
            struct world_end *end = &world->line[i]->end[k];
            if (memcmp(end->session.b, id.b, sizeof(id.b)) == 0) {
                *line_out = world->line[i];
                return end;
            }
        }
    }
    return NULL;
}

static int tampered(struct world *world, struct world_line *line, struct rg_bytes bytes)
{
    struct rg_frame frame = {0};
    OK(rg_frame_decode(bytes, &frame, NULL));
    world->frames[frame.kind]++;
    int copies =
        world->tamper != NULL ? world->tamper(world, line, &frame, world->tamper_context) : 1;
    rg_frame_drop(&frame);
    return copies;
}

static void frame_out(struct world *world, const struct rg_courier_out *out)
{
    struct world_line *line = NULL;
    struct world_end *end = session_end(world, out->session, &line);
    MUST(end != NULL);
    if (!line->open) {
        return;
    }
    for (int i = tampered(world, line, out->frame); i > 0; i--) {
        queue_push(other_end(line, end), out->frame);
    }
}

static void node_out(struct world *world, struct world_node *node, const struct rg_courier_out *out)
{
    struct world_line *line = NULL;
    switch (out->kind) {
    case RG_OUT_FRAME:
        frame_out(world, out);
        break;
    case RG_OUT_CLOSE: {
        struct world_end *end = session_end(world, out->session, &line);
        if (end != NULL && line->open) { /* what is on its way still arrives, then it is gone */
            line->held = false;
            struct world_end *other = other_end(line, end);
            other->gone_told = true;
        }
        break;
    }
    case RG_OUT_EVENT:
        node->event[out->event->kind]++;
        node->last[out->event->kind] = *out->event;
        break;
    case RG_OUT_TRUST:
        node->trust_orders++;
        break;
    case RG_OUT_HELLO_SEEN:
        node->hello_seen++;
        break;
    }
}

static struct rg_notary_answer notary_answer(struct world *world, struct world_node *node)
{
    if (node->notary_down || (world->notary_lags && world_random(world, 5) == 0)) {
        struct rg_notary_answer answer = {.code = RG_IO};
        (void)snprintf(answer.reason, sizeof(answer.reason), "bus-timeout");
        notary_late(node);
        return answer;
    }
    if (node->late.used) {
        (void)notary_act(node, &node->late);
    }
    return notary_act(node, &node->asked);
}

static bool node_asks(struct world_node *node)
{
    struct rg_notary_request request;
    if (node->courier == NULL || node->asked.used ||
        !rg_courier_notary_try(node->courier, &request)) {
        return false;
    }
    node->asked.used = true;
    node->asked.from_size = request.from_size;
    rg_buffer_clear(&node->asked.leaves);
    OK(rg_buffer_append(&node->asked.leaves, request.leaves, NULL));
    return true;
}

/* True when there is something to wait for. */
static bool node_sign(struct world *world, struct world_node *node)
{
    (void)node_asks(node);
    while (node->courier != NULL && node->asked.used) {
        if (world->notary_lags && world_random(world, 2) == 0) {
            return true;
        }
        struct rg_notary_answer answer = notary_answer(world, node);
        if (dies(world, node, WORLD_AFTER_PERSIST)) {
            return true;
        }
        alive(node, rg_courier_notary_answer(node->courier, &answer, node_now(node), NULL));
        (void)node_asks(node);
    }
    return false;
}

static bool node_outputs(struct world *world, struct world_node *node)
{
    struct rg_courier_out out;
    bool moved = false;
    while (node->courier != NULL && rg_courier_out_peek(node->courier, &out)) {
        node_out(world, node, &out);
        rg_courier_out_done(node->courier);
        moved = true;
        if (dies(world, node, WORLD_AMID_OUT)) {
            return true;
        }
    }
    return moved;
}

static bool node_frames(struct world *world, struct world_node *node)
{
    bool moved = false;
    size_t left = world->frames_per_step != 0 ? world->frames_per_step : RG_BATCH_FRAMES_MAX;
    for (size_t i = 0; i < world->line_count; i++) {
        struct world_line *line = world->line[i];
        for (int k = 0; k < 2; k++) {
            struct world_end *end = &line->end[k];
            struct rg_buffer bytes = {0};
            while (line->open && !line->held && end_is_node(end, node) && left > 0 &&
                   !rg_courier_batch_full(node->courier) && queue_pop(end, &bytes)) {
                rg_outcome outcome = rg_courier_frame(node->courier, end->session,
                                                      rg_buffer_peek(&bytes), node_now(node), NULL);
                rg_buffer_drop(&bytes);
                moved = true;
                left--;
                if (!alive(node, outcome)) {
                    return true;
                }
            }
        }
    }
    return moved;
}

static bool node_step(struct world *world, struct world_node *node)
{
    if (node->courier == NULL) {
        return false;
    }
    bool moved = node_frames(world, node);
    if (node->courier == NULL || dies(world, node, WORLD_BEFORE_COMMIT)) {
        return true;
    }
    if (!rg_is_ok(rg_courier_commit(node->courier, node_now(node), NULL))) {
        world_crash(world, node);
        return true;
    }
    if (dies(world, node, WORLD_AFTER_COMMIT)) {
        return true;
    }
    moved = node_sign(world, node) || moved;
    if (dies(world, node, WORLD_AFTER_SIGN)) {
        return true;
    }
    return node_outputs(world, node) || moved;
}

static bool client_step(struct world_client *client)
{
    struct rg_buffer bytes = {0};
    struct world_line *line = client->line;
    bool moved = false;
    while (line != NULL && line->open && !line->held && queue_pop(&line->end[0], &bytes)) {
        client_frame(client, rg_buffer_peek(&bytes));
        rg_buffer_drop(&bytes);
        moved = true;
    }
    return moved;
}

/* A side that was told "closed" sees the line go when all on its way has arrived. */
static bool lines_step(struct world *world)
{
    bool moved = false;
    for (size_t i = 0; i < world->line_count; i++) {
        struct world_line *line = world->line[i];
        for (int k = 0; k < 2; k++) {
            if (line->open && line->end[k].gone_told && line->end[k].count == 0) {
                world_cut(world, line);
                moved = true;
            }
        }
    }
    return moved;
}

static void lines_forget(struct world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->line_count && world->line_count > 512; i++) {
        if (world->line[i]->open || world->line_count - i < 64) {
            world->line[kept++] = world->line[i];
            continue;
        }
        free(world->line[i]);
    }
    world->line_count = kept > 0 ? kept : world->line_count;
}

bool world_step(struct world *world)
{
    bool moved = false;
    for (size_t i = 0; i < world->node_count; i++) {
        moved |= node_step(world, &world->node[i]);
    }
    for (size_t i = 0; i < world->client_count; i++) {
        moved |= client_step(&world->client[i]);
    }
    return lines_step(world) || moved;
}

void world_run(struct world *world)
{
    for (size_t step = 0; world_step(world); step++) {
        MUST(step < 100000); /* gateways that never fall silent */
    }
}

void world_advance(struct world *world, int64_t ms)
{
    world->now.wall.ms += ms;
    world->now.mono.ms += ms;
    lines_forget(world);
    for (size_t i = 0; i < world->node_count; i++) {
        struct world_node *node = &world->node[i];
        if (node->courier != NULL &&
            !rg_is_ok(rg_courier_tick(node->courier, node_now(node), NULL))) {
            world_crash(world, node);
        }
    }
}

struct rg_courier_status world_status(const struct world_node *node)
{
    struct rg_courier_status status = {0};
    MUST(node->courier != NULL);
    rg_courier_status(node->courier, &status);
    return status;
}
