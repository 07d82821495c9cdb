/*
 * NAME
 *   wire - bounded decoding and encoding of everything in proto/envelope, evidence, link, local
 *
 * SYNOPSIS
 *   rg_header_encode / rg_header_decode / rg_envelope_encode / rg_envelope_peek
 *   rg_section_encode / rg_section_decode          the SignedSection inside CMS
 *   rg_log_entry_encode / rg_log_entry_decode      rg_receipts_encode / rg_receipts_decode
 *   rg_frame_encode / rg_frame_decode / rg_frame_drop
 *
 * DESCRIPTION
 *   Every decoder first walks the bytes against the message descriptor: known fields only, in
 * order, each scalar once, shortest varints, counts and lengths within limits.h, strings valid
 * UTF-8 without NUL, names in their form. Only then plain structs are filled, from memory capped at
 *   RG_DECODE_CAP_BASE_BYTES + RG_DECODE_CAP_FACTOR * input.
 * How: core/codec.h. What passes has exactly one encoding. Encoders append to `out`, check what
 * they wrote with the same walk, and leave `out` as it was when they fail.
 *
 *   Optional fields without a `has_` flag are absent when zero or "".
 *
 * OWNERSHIP
 *   `peek` and `decode` of headers, envelopes, sections and log entries show the caller's bytes.
 * A frame, receipts, a link order and a notary request own a copy (`memory`).
 *
 * ERRORS
 *   RG_MALFORMED wire-truncated, wire-varint, wire-unknown-field, wire-order, wire-duplicate,
 *   wire-type, wire-missing, wire-value, wire-length, wire-text, wire-syntax, wire-choice,
 *   wire-sections, wire-digest, wire-padded-size, wire-padding, wire-log-entry, wire-document,
 *   wire-chunk; RG_LIMIT wire-length-limit, wire-count-limit, wire-memory-limit,
 *   wire-padding-limit; RG_IO out-of-memory.
 */
#ifndef RG_CORE_WIRE_H
#define RG_CORE_WIRE_H

#include "core/buffer.h"
#include "core/limits.h"

enum rg_priority { RG_ROUTINE = 1, RG_URGENT = 2, RG_EMERGENCY = 3 };

struct rg_section_core {
    char office[RG_SECTION_OFFICES_MAX][RG_OFFICE_BYTES];
    size_t office_count;
    uint32_t padded_bytes;
    uint8_t commitment[32];
};

struct rg_core {
    uint32_t version;
    char from_office[RG_OFFICE_BYTES];
    char to_country[RG_COUNTRY_BYTES];
    char to_office[RG_TO_OFFICES_MAX][RG_OFFICE_BYTES];
    size_t to_office_count;
    struct rg_thread_id thread;
    uint64_t author_counter;
    enum rg_priority priority;
    struct rg_wall created, expires, collect_by;
    bool exercise;
    bool has_decides;
    struct rg_id decides;
    struct rg_section_core section[RG_SECTIONS_MAX];
    size_t section_count;
};

/* Views into the bytes given to rg_envelope_peek; valid as long as those. */
struct rg_envelope {
    struct rg_bytes whole, header, core_bytes;
    struct rg_bytes sealed[RG_SECTIONS_MAX]; /* len 0: padded above RG_SECTION_INLINE_BYTES_MAX,
                                                travels as chunks, not in this envelope */
    struct rg_hash section_digest[RG_SECTIONS_MAX];
    struct rg_core core;
    struct rg_id id; /* SHA-256(header) */
};

RG_MUST_USE rg_outcome rg_core_encode(const struct rg_core *core, struct rg_buffer *out,
                                      struct rg_reason *why);
RG_MUST_USE rg_outcome rg_header_encode(struct rg_bytes core_bytes, const struct rg_hash *digest,
                                        size_t count, struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_envelope_encode(struct rg_bytes header, const struct rg_bytes *sealed,
                                          size_t count, struct rg_buffer *out,
                                          struct rg_reason *why);
/* Decodes, checks that the header is canonical, that the digests match the sealed bytes that are
 * here. */
RG_MUST_USE rg_outcome rg_envelope_peek(struct rg_bytes bytes, struct rg_envelope *out,
                                        struct rg_reason *why);
/* A core that travels by itself, beside a section passed on verbatim: decodes and checks that it is
 * canonical. */
RG_MUST_USE rg_outcome rg_core_peek(struct rg_bytes core_bytes, struct rg_core *out,
                                    struct rg_reason *why);
/* Header only (a tombstone, an evidence bundle): `sealed` is left empty. */
RG_MUST_USE rg_outcome rg_header_peek(struct rg_bytes header, struct rg_envelope *out,
                                      struct rg_reason *why);
struct rg_id rg_header_id(struct rg_bytes header);

/* Padding: 1, 2, 4 ... 64 KiB, then Padme. Above RG_SECTION_BYTES_MAX, which no section has: as it
 * is. */
size_t rg_padded_size(size_t bytes);

struct rg_section { /* SignedSection; views */
    struct rg_hash core_digest;
    uint32_t index;
    uint8_t blinding[32];
    struct rg_hash page_hash;
    struct rg_bytes content;
};
/* Bytes of the encoding without padding, so that the core can state the padded size beforehand. */
size_t rg_section_bytes(size_t content_len);
RG_MUST_USE rg_outcome rg_section_encode(const struct rg_section *section, size_t padded_bytes,
                                         struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_section_peek(struct rg_bytes bytes, struct rg_section *out,
                                       struct rg_reason *why);
struct rg_hash rg_section_commitment(const uint8_t blinding[32], struct rg_bytes content);

enum rg_entry_kind {
    RG_ENTRY_ACCEPTED = 1,
    RG_ENTRY_RECEIVED,
    RG_ENTRY_REFUSED,
    RG_ENTRY_RECEIPT_VERIFIED,
    RG_ENTRY_COLLECTED,
    RG_ENTRY_UNCONFIRMED,
    RG_ENTRY_CLOSED,
    RG_ENTRY_ERASED,
    RG_ENTRY_PAGE,
    RG_ENTRY_PEER_HEAD,
    RG_ENTRY_EPOCH,
};
const char *rg_entry_kind_name(enum rg_entry_kind kind);

struct rg_log_entry {
    enum rg_entry_kind kind;
    bool has_envelope_id;
    struct rg_id envelope_id;
    struct rg_wall time;
    char peer[RG_PRINCIPAL_BYTES]; /* "" when absent */
    uint8_t salt[16];
    uint32_t code; /* enum rg_refusal, 0 when absent */
    bool has_detail;
    struct rg_hash detail;
};
RG_MUST_USE rg_outcome rg_log_entry_encode(const struct rg_log_entry *entry, struct rg_buffer *out,
                                           struct rg_reason *why);
RG_MUST_USE rg_outcome rg_log_entry_decode(struct rg_bytes bytes, struct rg_log_entry *out,
                                           struct rg_reason *why);

struct rg_head {
    char origin[RG_ORIGIN_BYTES];
    uint64_t size;
    struct rg_hash root;
    uint8_t signature[64];
};
struct rg_proof {
    struct rg_hash hash[RG_PROOF_HASHES_MAX];
    size_t count;
};
struct rg_proven_entry {
    struct rg_bytes log_entry; /* view; encoded LogEntry */
    uint64_t leaf_index;
    struct rg_proof inclusion;
};
struct rg_receipts {
    struct rg_head head;
    bool has_from;
    uint64_t from_size;
    struct rg_proof consistency;
    const struct rg_proven_entry
        *entry; /* decoded: owned by what was decoded; encoding: borrowed */
    size_t entry_count;
};
/* Receipts as bytes of their own (stored, exported). `memory_out` owns what the views show. */
RG_MUST_USE rg_outcome rg_receipts_encode(const struct rg_receipts *receipts, struct rg_buffer *out,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_receipts_decode(struct rg_bytes bytes, struct rg_receipts *out,
                                          struct rg_buffer *memory_out, struct rg_reason *why);

/* Final refusals (logged, signed, for ever) and not-now codes (neither). One table names them all.
 */
enum rg_refusal {
    RG_REFUSE_NONE = 0,
    /* final */
    RG_REFUSE_EXPIRED = 1,
    RG_REFUSE_NOT_OUR_OFFICE,
    RG_REFUSE_UNKNOWN_OFFICE,
    RG_REFUSE_CROSS_BORDER,
    RG_REFUSE_THREAD_TAKEN,
    RG_REFUSE_ALREADY_DECIDED,
    RG_REFUSE_CLOSED,
    RG_REFUSE_EXERCISE,
    RG_REFUSE_TOO_LARGE,
    RG_REFUSE_LIFETIME,
    RG_REFUSE_SUSPENDED,
    RG_REFUSE_NO_PROOF,
    /* not now */
    RG_NOT_NOW_DISK_FULL = 100,
    RG_NOT_NOW_QUOTA,
    RG_NOT_NOW_UNKNOWN_PAGE,
    RG_NOT_NOW_STARTING,
    RG_NOT_NOW_CLOCK,
    RG_NOT_NOW_NOTARY,
    /* faults */
    RG_FAULT_MALFORMED = 200,
    RG_FAULT_UNEXPECTED,
    RG_FAULT_HELLO,
    RG_FAULT_LIMIT,
    RG_FAULT_VERSION,
};
struct rg_refusal_row {
    enum rg_refusal code;
    const char *name;      /* "ALREADY_DECIDED" */
    const char *meaning;   /* plain words */
    const char *what_next; /* what to do */
};
const struct rg_refusal_row *
rg_refusal_row(uint32_t code); /* never NULL: unknown codes have a row of their own */

enum rg_document_kind {
    RG_DOC_CHARTER = 1,
    RG_DOC_PAGE,
    RG_DOC_PAGE_DOMESTIC,
    RG_DOC_STOP_LIST,
    RG_DOC_KEY_CARD
};

struct rg_holding {
    enum rg_document_kind kind;
    char country[RG_COUNTRY_BYTES];
    uint64_t counter;
    struct rg_hash digest;
};

enum rg_frame_kind {
    RG_FRAME_HELLO = 1,
    RG_FRAME_WANT,
    RG_FRAME_DOCUMENT,
    RG_FRAME_SUBMIT,
    RG_FRAME_TRANSFER,
    RG_FRAME_RECEIPTS,
    RG_FRAME_NOT_NOW,
    RG_FRAME_DELIVER,
    RG_FRAME_COLLECTED,
    RG_FRAME_STATUS,
    RG_FRAME_STATUS_SEEN,
    RG_FRAME_CLOSE_REQUEST,
    RG_FRAME_FAULT,
    RG_FRAME_CHUNK,
};

/* One frame. Pointers are borrowed when encoding; after decoding `memory` owns them: rg_frame_drop.
 */
struct rg_frame {
    enum rg_frame_kind kind;
    union {
        struct {
            uint32_t version;
            char principal[RG_PRINCIPAL_BYTES], device[RG_DEVICE_BYTES], software[64];
            const struct rg_holding *holding;
            size_t holding_count;
            const struct rg_head *head;
            size_t head_count;
            struct rg_wall clock; /* 0: absent */
        } hello;
        struct {
            enum rg_document_kind kind;
            char country[RG_COUNTRY_BYTES];
        } want;
        struct {
            enum rg_document_kind kind;
            char country[RG_COUNTRY_BYTES];
            struct rg_bytes text;
            struct rg_bytes signature[RG_DOCUMENT_SIGNATURES_MAX];
            size_t signature_count;
        } document;
        struct {
            struct rg_bytes envelope;
        } submit;
        struct {
            struct rg_bytes envelope;
            struct rg_receipts accepted;
        } transfer;
        struct rg_receipts receipts;
        struct {
            struct rg_id id;
            enum rg_refusal code;
            uint32_t retry_after_ms;
        } not_now;
        struct {
            uint64_t position;
            struct rg_bytes envelope;
            struct rg_receipts accepted, received;
        } deliver;
        struct {
            bool has_position, has_receipts;
            uint64_t position;
            const struct rg_id *opened;
            size_t opened_count;
            struct rg_receipts receipts;
        } collected;
        struct {
            uint64_t position;
            struct rg_receipts receipts;
        } status;
        struct {
            uint64_t position;
        } status_seen;
        struct {
            const struct rg_id *id;
            size_t id_count;
            struct rg_receipts unconfirmed;
        } close_request;
        struct {
            enum rg_refusal code;
            char text[RG_FAULT_TEXT_BYTES];
        } fault;
        struct {
            struct rg_hash section_digest;
            uint64_t offset, total;
            struct rg_bytes data;
        } chunk;
    };
    struct rg_buffer memory;
};
RG_MUST_USE rg_outcome rg_frame_encode(const struct rg_frame *frame, struct rg_buffer *out,
                                       struct rg_reason *why);
RG_MUST_USE rg_outcome rg_frame_decode(struct rg_bytes bytes, struct rg_frame *out,
                                       struct rg_reason *why);
void rg_frame_drop(struct rg_frame *frame);

/* What the processes of one gateway say to each other (local.proto). Strict like all the rest:
 * left-over bytes mean that the other process has been taken over. */
enum rg_link_event_kind { RG_LINK_UP = 1, RG_LINK_GONE, RG_LINK_READY };
struct rg_link_event {
    enum rg_link_event_kind kind;
    uint8_t session[12];
    char principal[RG_PRINCIPAL_BYTES];
    bool dialled;
    char socket_path[108];
    struct rg_hash certificate;
    char reason[64];  /* GONE: a reason id */
    uint8_t start[4]; /* READY: a new start, all older sessions are gone */
    uint16_t port;
};
RG_MUST_USE rg_outcome rg_link_event_encode(const struct rg_link_event *event,
                                            struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_link_event_decode(struct rg_bytes bytes, struct rg_link_event *out,
                                            struct rg_reason *why);

enum rg_link_order_kind { RG_LINK_CLOSE = 1, RG_LINK_HELLO_SEEN, RG_LINK_TRUST };
struct rg_link_order {
    enum rg_link_order_kind kind;
    uint8_t session[12];
    char reason[64];
    enum rg_document_kind document_kind; /* TRUST; views */
    char country[RG_COUNTRY_BYTES];
    struct rg_bytes text;
    struct rg_bytes signature[RG_DOCUMENT_SIGNATURES_MAX];
    size_t signature_count;
};
RG_MUST_USE rg_outcome rg_link_order_encode(const struct rg_link_order *order,
                                            struct rg_buffer *out, struct rg_reason *why);
/* `memory_out` owns what the views show. */
RG_MUST_USE rg_outcome rg_link_order_decode(struct rg_bytes bytes, struct rg_link_order *out,
                                            struct rg_buffer *memory_out, struct rg_reason *why);

struct rg_notary_request { /* views */
    uint64_t from_size;
    struct rg_bytes leaves; /* 32 bytes each */
};
struct rg_notary_answer {
    enum rg_code code;
    char reason[64]; /* reason id when not OK */
    uint64_t size;
    struct rg_hash root;
    uint8_t signature[64];
};
RG_MUST_USE rg_outcome rg_notary_request_encode(const struct rg_notary_request *request,
                                                struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_notary_request_decode(struct rg_bytes bytes,
                                                struct rg_notary_request *out,
                                                struct rg_buffer *memory_out,
                                                struct rg_reason *why);
RG_MUST_USE rg_outcome rg_notary_answer_encode(const struct rg_notary_answer *answer,
                                               struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_notary_answer_decode(struct rg_bytes bytes, struct rg_notary_answer *out,
                                               struct rg_reason *why);

#endif
