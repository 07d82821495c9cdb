/*
 * NAME
 *   wire_shapes - the tables behind wire.h; for wire*.c and for tests, nobody else
 *
 * DESCRIPTION
 *   One shape per message of proto/envelope, evidence, link and local. wire.c, wire_evidence.c,
 * wire_frame.c and wire_local.c define them; a test compares each with its .proto. The syntax
 * checks say which texts a field may hold.
 */
#ifndef RG_CORE_WIRE_SHAPES_H
#define RG_CORE_WIRE_SHAPES_H

#include "core/codec.h"
#include "core/wire.h"

/* wire.c */
struct wire_header { /* views */
    struct rg_bytes core;
    struct rg_hash digest[RG_SECTIONS_MAX];
    size_t count;
};
struct wire_envelope { /* views */
    struct rg_bytes header;
    struct rg_bytes sealed[RG_SECTIONS_MAX];
    size_t count;
};
struct wire_section {
    struct rg_section section;
    bool has_padding;
    struct rg_bytes padding;
};
extern const struct rg_shape rg_shape_section_core, rg_shape_core, rg_shape_header,
    rg_shape_envelope, rg_shape_signed_section;

/* wire_evidence.c */
extern const struct rg_shape rg_shape_log_entry, rg_shape_head, rg_shape_proven_entry,
    rg_shape_receipts;

/* wire_frame.c */
extern const struct rg_shape rg_shape_holding, rg_shape_hello, rg_shape_want, rg_shape_document,
    rg_shape_submit, rg_shape_transfer, rg_shape_deliver, rg_shape_collected, rg_shape_status,
    rg_shape_status_seen, rg_shape_not_now, rg_shape_close_request, rg_shape_fault, rg_shape_chunk,
    rg_shape_frame;

/* wire_local.c */
extern const struct rg_shape rg_shape_link_up, rg_shape_link_gone, rg_shape_link_ready,
    rg_shape_link_event, rg_shape_link_close, rg_shape_link_hello_seen, rg_shape_link_trust,
    rg_shape_link_order, rg_shape_notary_request, rg_shape_notary_answer;

#endif
