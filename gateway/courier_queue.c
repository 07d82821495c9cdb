/* How it works
 *
 * Everything that comes out of the courier waits here. Frames wait encoded, in order, per session;
 * closes, trust orders and events wait in one ring. Frames are not shown while a batch is open:
 * what is queued may depend on rows that are not committed. A session that is closing shows what is
 * queued for it, then the close, then nothing. Events may fill half of the ring; the rest is kept
 * for what must not be lost.
 */
#include "gateway/courier_state.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_OVERHEAD_BYTES 128

void rg_courier_text(char *out, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);
    memcpy(out, text, len);
    memset(out + len, 0, size - len);
}

/* Outputs that are not frames */

struct courier_control *rg_courier_control(struct rg_courier *courier,
                                           enum rg_courier_out_kind kind)
{
    if (courier->control_count == CONTROLS_MAX) {
        return NULL;
    }
    size_t at = (courier->control_first + courier->control_count++) % CONTROLS_MAX;
    struct courier_control *control = &courier->control[at];
    *control = (struct courier_control){.kind = kind};
    return control;
}

void rg_courier_event(struct rg_courier *courier, const struct rg_courier_event *event)
{
    if (courier->control_count >= CONTROLS_MAX / 2) {
        return;
    }
    struct courier_control *control = rg_courier_control(courier, RG_OUT_EVENT);
    if (control != NULL) {
        control->event = *event;
    }
}

void rg_courier_event_reason(struct rg_courier *courier, enum rg_courier_event_kind kind,
                             const char *who, const char *reason, uint64_t number)
{
    struct rg_courier_event event = {.kind = kind, .number = number};
    rg_courier_text(event.who, sizeof(event.who), who);
    rg_courier_text(event.reason, sizeof(event.reason), reason != NULL ? reason : "");
    rg_courier_event(courier, &event);
}

void rg_courier_queue_drop(struct courier_session *session)
{
    while (session->queue_first != NULL) {
        struct courier_frame *frame = session->queue_first;
        session->queue_first = frame->next;
        rg_buffer_drop(&frame->bytes);
        free(frame);
    }
    session->queue_last = NULL;
    session->queue_bytes = 0;
}

void rg_courier_fault(struct rg_courier *courier, struct courier_session *session,
                      enum rg_refusal code, const struct rg_reason *why)
{
    struct rg_frame frame = {.kind = RG_FRAME_FAULT, .fault.code = code};
    const char *id = why != NULL && why->id != NULL ? why->id : rg_refusal_row(code)->name;
    rg_courier_text(frame.fault.text, sizeof(frame.fault.text), id);
    if (!rg_is_ok(rg_courier_send(courier, session, &frame, NULL, NULL))) {
        rg_courier_close(courier, session, "fault-unsent");
    }
    struct rg_courier_event event = {.kind = RG_COURIER_FAULT, .code = (uint32_t)code};
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_text(event.reason, sizeof(event.reason), id);
    rg_courier_event(courier, &event);
    courier->count.faults++;
    if (++session->garbage >= RG_COURIER_GARBAGE_MAX) {
        rg_courier_close(courier, session, "garbage");
    }
}

static int64_t retry_after_ms(enum rg_refusal code)
{
    switch ((int)code) {
    case RG_NOT_NOW_QUOTA:
        return 3600000;
    case RG_NOT_NOW_UNKNOWN_PAGE:
    case RG_NOT_NOW_CLOCK:
        return 60000;
    case RG_NOT_NOW_DISK_FULL:
        return 30000;
    default:
        return 5000;
    }
}

rg_outcome rg_courier_not_now(struct rg_courier *courier, struct courier_session *session,
                              const struct rg_id *id, enum rg_refusal code, struct rg_reason *why)
{
    struct rg_frame frame = {
        .kind = RG_FRAME_NOT_NOW,
        .not_now = {.id = *id, .code = code, .retry_after_ms = (uint32_t)retry_after_ms(code)}};
    struct rg_courier_event event = {.kind = RG_COURIER_NOT_NOW, .code = (uint32_t)code};
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_event(courier, &event);
    courier->count.not_now++;
    return rg_courier_send(courier, session, &frame, NULL, why);
}

/* Small frames cost more than their bytes. */
static size_t frame_cost(const struct courier_frame *frame)
{
    return frame->bytes.len + FRAME_OVERHEAD_BYTES;
}

rg_outcome rg_courier_send(struct rg_courier *courier, struct courier_session *session,
                           const struct rg_frame *frame, size_t *bytes_out, struct rg_reason *why)
{
    (void)courier;
    struct courier_frame *queued = calloc(1, sizeof(*queued));
    RG_CHECK(queued != NULL, why, RG_IO, "out-of-memory", "no memory for a frame");
    rg_outcome outcome = rg_frame_encode(frame, &queued->bytes, why);
    if (!rg_is_ok(outcome)) {
        rg_buffer_drop(&queued->bytes);
        free(queued);
        return outcome;
    }
    if (session->queue_last != NULL) {
        session->queue_last->next = queued;
    }
    if (session->queue_first == NULL) {
        session->queue_first = queued;
    }
    session->queue_last = queued;
    session->queue_bytes += frame_cost(queued);
    if (bytes_out != NULL) {
        *bytes_out = queued->bytes.len;
    }
    return rg_ok();
}

void rg_courier_controls_drop(struct rg_courier *courier)
{
    for (size_t i = 0; courier->control != NULL && i < courier->control_count; i++) {
        rg_document_drop(&courier->control[(courier->control_first + i) % CONTROLS_MAX].document);
    }
    courier->control_count = 0;
}

/* Out */

static bool control_show(struct rg_courier *courier, struct rg_courier_out *out)
{
    if (courier->control_count == 0) {
        return false;
    }
    struct courier_control *control = &courier->control[courier->control_first];
    courier->showing = control;
    *out = (struct rg_courier_out){.kind = control->kind,
                                   .session = control->session,
                                   .reason = control->event.reason,
                                   .document = &control->document,
                                   .event = &control->event};
    return true;
}

static bool session_show(struct rg_courier *courier, struct courier_session *session,
                         struct rg_courier_out *out)
{
    struct courier_frame *frame = session->queue_first;
    if (frame != NULL && !session->blocked) {
        *out = (struct rg_courier_out){
            .kind = RG_OUT_FRAME, .session = session->id, .frame = rg_buffer_peek(&frame->bytes)};
        courier->showing_session = session;
        return true;
    }
    if (session->closing != NULL) {
        *out = (struct rg_courier_out){
            .kind = RG_OUT_CLOSE, .session = session->id, .reason = session->closing};
        courier->showing_session = session;
        return true;
    }
    return false;
}

bool rg_courier_out_peek(struct rg_courier *courier, struct rg_courier_out *out)
{
    courier->showing = NULL;
    courier->showing_session = NULL;
    if (control_show(courier, out)) {
        return true;
    }
    if (courier->open) {
        return false; /* what is queued may depend on rows that are not committed */
    }
    for (size_t i = 0; i < courier->session_count; i++) {
        size_t at = (courier->next_session + i) % courier->session_count;
        if (session_show(courier, courier->session[at], out)) {
            courier->next_session = at;
            return true;
        }
    }
    return false;
}

void rg_courier_out_done(struct rg_courier *courier)
{
    struct courier_session *session = courier->showing_session;
    if (courier->showing != NULL) {
        rg_document_drop(&courier->showing->document);
        courier->control_first = (courier->control_first + 1) % CONTROLS_MAX;
        courier->control_count--;
        courier->showing = NULL;
        return;
    }
    if (session == NULL) {
        return;
    }
    courier->showing_session = NULL;
    courier->next_session++;
    struct courier_frame *frame = session->queue_first;
    if (frame == NULL || session->blocked) { /* it was the close */
        rg_courier_forget(courier, session);
        return;
    }
    session->queue_first = frame->next;
    session->queue_last = frame->next != NULL ? session->queue_last : NULL;
    session->queue_bytes -= frame_cost(frame);
    rg_buffer_drop(&frame->bytes);
    free(frame);
}

void rg_courier_out_blocked(struct rg_courier *courier)
{
    if (courier->showing_session != NULL) {
        courier->showing_session->blocked = true;
    }
    courier->showing_session = NULL;
}

void rg_courier_unblock(struct rg_courier *courier)
{
    for (size_t i = 0; i < courier->session_count; i++) {
        courier->session[i]->blocked = false;
    }
}
