/*
 * NAME
 *   message_inside - what the files of message share
 */
#ifndef RG_CLIENT_MESSAGE_INSIDE_H
#define RG_CLIENT_MESSAGE_INSIDE_H

#include "client/message.h"

/* Kind, class, body and values fit each other. */
RG_MUST_USE rg_outcome rg_content_check(const struct rg_content *content, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_content_fields_check(const struct rg_fields *fields,
                                               struct rg_reason *why);
/* A codec's or a form's reason names message and field, never a value: it may be passed on. */
RG_MUST_USE rg_outcome rg_content_failed(rg_outcome outcome, const struct rg_reason *inner,
                                         struct rg_reason *why);

/* One form and its message in referral.proto. Appends; ids as of rg_content_failed. */
RG_MUST_USE rg_outcome rg_message_form_encode(const struct rg_form *form, struct rg_buffer *out,
                                              struct rg_reason *why);
RG_MUST_USE rg_outcome rg_message_form_decode(const struct rg_form_table *table,
                                              struct rg_bytes bytes, struct rg_form **form_out,
                                              struct rg_reason *why);
RG_MUST_USE rg_outcome rg_message_form_shapes_check(struct rg_reason *why);

#endif
