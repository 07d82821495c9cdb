/*
 * NAME
 *   world - gateways, their clients and the lines between them, without sockets or clocks
 *
 * SYNOPSIS
 *   world = world_new(seed)
 *   th = world_node(world, "th"); kh = world_node(world, "kh"); world_found(world)
 *   client = world_client(world, th, "focal", "officer-1", "laptop")
 *   line = world_dial(world, th, kh); world_connect(world, client)
 *   world_submit(world, client, &what, &id)
 *   world_run(world)                       until nothing moves
 *   world_advance(world, ms)               the clock goes on, everyone ticks
 *   world_crash(world, node); world_start(world, node); world_cut(world, line)
 *
 * DESCRIPTION
 *   The couriers are real; trust is tests/sim/fake_trust, the store tests/sim/memory_store, the
 * notary a frontier with a key that persists as the real one does. Clients verify every proof they
 * get and keep a casebook and an append-only journal of deliveries. Everything random comes from
 * the seed, so a run replays exactly. What goes wrong inside the world itself ends the process.
 */
#ifndef RG_TESTS_SIM_WORLD_H
#define RG_TESTS_SIM_WORLD_H

#include "core/tlog.h"
#include "gateway/courier.h"
#include "tests/sim/fake_trust.h"
#include "tests/sim/memory_store.h"

#define WORLD_NODES_MAX 8
#define WORLD_CLIENTS_MAX 24
#define WORLD_LINES_MAX 4096

/* Between which two steps a node dies. */
enum world_point {
    WORLD_NOWHERE,
    WORLD_BEFORE_COMMIT,
    WORLD_AFTER_COMMIT,  /* rows are there, nothing is signed */
    WORLD_AFTER_PERSIST, /* the notary has it on disk, the courier no answer */
    WORLD_AFTER_SIGN,    /* the courier has the head, nothing is out */
    WORLD_AMID_OUT,      /* after one output */
    WORLD_POINTS
};

struct world;

struct world_frame {
    struct world_frame *next;
    struct rg_buffer bytes;
};

struct world_node {
    struct world *world;
    char country[RG_COUNTRY_BYTES];
    struct rg_courier_options options;
    struct memory_disk *disk;
    struct rg_trust *trust;
    struct rg_courier *courier; /* NULL: down */
    struct rg_frontier notary;
    struct world_request { /* to the notary */
        bool used;
        uint64_t from_size;
        struct rg_buffer leaves;
    } asked, late; /* late: nobody waits for the answer any more; the notary still comes to it */
    struct rg_key *key;
    uint8_t public_key[32];
    int64_t skew_ms;
    enum world_point die_at;
    bool notary_down;
    size_t event[32]; /* how many of each kind */
    struct rg_courier_event last[32];
    size_t trust_orders, hello_seen;
};

struct world_told { /* what a client knows of a message it sent */
    struct rg_id id;
    bool accepted, refused, received, closed, unconfirmed, collected;
    uint32_t code;
    size_t answers; /* ACCEPTED or REFUSED seen, repeats too */
    uint64_t answer_leaf;
};
struct world_case { /* a message in a casebook */
    struct rg_id id;
    size_t deliveries;
};

struct world_client {
    struct world *world;
    struct world_node *node;
    char principal[RG_PRINCIPAL_BYTES];
    char office[RG_OFFICE_BYTES];
    char device[RG_DEVICE_BYTES];
    struct world_line *line;
    bool ready, mute, skipped; /* mute: confirms nothing */
    struct rg_head held;
    struct rg_buffer *pending; /* envelopes without final answer */
    struct rg_id *pending_id;
    size_t pending_count;
    struct world_told *told;
    size_t told_count;
    struct world_case *cases;
    size_t case_count;
    size_t not_now, faults, documents, bad_proofs;
    uint32_t not_now_code;
};

/* An end is a node or a client. */
struct world_end {
    struct world_node *node;
    struct world_client *client;
    struct rg_session_id session;
    bool gone_told;
    struct world_frame *first, *last; /* on their way to this end */
    size_t count;
};
struct world_line {
    bool open;
    bool held;               /* frames stay on their way */
    struct world_end end[2]; /* end[0] has dialled */
};

struct world {
    uint64_t random;
    struct rg_now now;
    struct world_node node[WORLD_NODES_MAX];
    size_t node_count;
    struct world_client client[WORLD_CLIENTS_MAX];
    size_t client_count;
    struct world_line *line[WORLD_LINES_MAX];
    size_t line_count;
    uint64_t session_count;
    struct rg_document charter;
    size_t frames[16]; /* how many of each kind were sent */
    /* Looks at each frame between nodes; says how often it is to arrive (1: as it is). */
    int (*tamper)(struct world *world, struct world_line *line, const struct rg_frame *frame,
                  void *context);
    void *tamper_context;
    size_t frames_per_step; /* 0: RG_BATCH_FRAMES_MAX */
    bool notary_lags;       /* its answers come steps later, or too late */
};

struct world *world_new(uint64_t seed);
void world_free(struct world *world);
uint64_t world_random(struct world *world, uint64_t below);

struct world_node *world_node(struct world *world, const char *country);
/* Charter and pages for all nodes; starts them. Each country has focal (always), rescue
 * (emergency) and, in its domestic page, ngo-a (never). */
void world_found(struct world *world);
void world_offer(struct world_node *node, enum rg_document_kind kind, const char *country,
                 const char *text);
struct world_client *world_client(struct world *world, struct world_node *node, const char *office,
                                  const char *officer, const char *device);

struct world_line *world_dial(struct world *world, struct world_node *from, struct world_node *to);
struct world_line *world_connect(struct world *world, struct world_client *client);
/* A session whose other end is the test itself: reads with world_read, writes with world_inject. */
struct world_line *world_puppet(struct world *world, struct world_node *node,
                                const char *principal);
/* The next frame that came to the puppet; false when none. The caller drops it. */
bool world_read(struct world_line *line, struct rg_frame *out);
void world_cut(struct world *world, struct world_line *line);
void world_crash(struct world *world, struct world_node *node);
void world_start(struct world *world, struct world_node *node);
/* Sends bytes as if `client` or a node's peer had; for garbage. `to` is an index into line->end. */
void world_inject(struct world_line *line, int to, struct rg_bytes bytes);
void world_inject_frame(struct world_line *line, int to, const struct rg_frame *frame);

struct world_letter {
    const char *from;          /* NULL: the client's office */
    const char *to;            /* "kh/focal" */
    const char *to_country;    /* NULL: of `to` */
    enum rg_priority priority; /* 0: routine */
    int64_t lifetime_ms;       /* 0: a day */
    int64_t created_ms;        /* 0: now */
    size_t bytes;              /* 0: 2048 */
    bool exercise;
    const struct rg_thread_id *thread; /* NULL: a new one */
    const struct rg_id *decides;
    const char *notice; /* an office that the section is meant for too */
};
void world_envelope(struct world *world, const struct world_letter *letter,
                    struct rg_buffer *envelope_out, struct rg_id *id_out);
/* Into the client's spool, and out when it is connected. */
void world_submit(struct world *world, struct world_client *client,
                  const struct world_letter *letter, struct rg_id *id_out);
void world_submit_again(struct world *world, struct world_client *client);

/* One round: every node takes what arrived, commits, signs, sends. True when something moved. */
bool world_step(struct world *world);
void world_run(struct world *world);
void world_advance(struct world *world, int64_t ms);

struct world_told *world_told(struct world_client *client, const struct rg_id *id);
size_t world_deliveries(const struct world_client *client, const struct rg_id *id);
/* A head of the node's log of this size, signed by its key; the frontier is the caller's. */
struct rg_head world_head(const struct world_node *node, const struct rg_frontier *frontier);
struct rg_courier_status world_status(const struct world_node *node);

#endif
