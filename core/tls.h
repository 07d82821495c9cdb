/*
 * NAME
 *   tls - the one TLS profile of the link, without an event loop
 *
 * SYNOPSIS
 *   rg_tls_context_new(certificate, key, judge, &context, why)
 *   rg_tls_open(context, fd, dialled, owner, &tls, why)
 *   rg_tls_handshake(tls, why)               until RG_OK; RG_AGAIN: see rg_tls_wants_write
 *   rg_tls_read / rg_tls_write               read until RG_AGAIN: no poll announces what TLS holds
 *   rg_tls_shutdown(tls); rg_tls_free(tls)
 *
 * DESCRIPTION
 *   TLS 1.3 only; AES-256-GCM and ChaCha20-Poly1305; X25519MLKEM768 where OpenSSL has it, X25519,
 * P-256; no tickets, no session cache, no early data, so each session shows its certificate. Both
 * ends show one. ALPN "referral/1" is offered and checked when the peer offers any. `judge` decides
 * on the peer's certificate during the handshake; the alert the peer sees follows from the reason.
 *
 * OWNERSHIP
 *   The descriptor is borrowed, non-blocking, and never raises SIGPIPE.
 *
 * ERRORS
 *   Handshake: what `judge` said; RG_DENIED certificate-missing, tls-version, tls-alpn,
 *   tls-handshake (the text names the alert when the peer sent one), dial-refused (dialled, the
 *   acceptor sent an alert); RG_IO peer-closed.
 *   Reading and writing: RG_AGAIN; RG_IO peer-closed, peer-reset, peer-alert, tls-broken.
 */
#ifndef RG_CORE_TLS_H
#define RG_CORE_TLS_H

#include "core/identity.h"

struct rg_tls_context;
struct rg_tls;

/* OK, or the reason for which the handshake fails. `owner` is the one given to rg_tls_open. */
typedef rg_outcome (*rg_tls_judge)(void *owner, struct rg_bytes certificate_der,
                                   struct rg_reason *why);

RG_MUST_USE rg_outcome rg_tls_context_new(const struct rg_certificate *certificate,
                                          const struct rg_key *key, rg_tls_judge judge,
                                          struct rg_tls_context **out, struct rg_reason *why);
void rg_tls_context_free(struct rg_tls_context *context); /* after its connections */

RG_MUST_USE rg_outcome rg_tls_open(struct rg_tls_context *context, int fd, bool dialled,
                                   void *owner, struct rg_tls **out, struct rg_reason *why);
void rg_tls_free(struct rg_tls *tls); /* sends nothing */
RG_MUST_USE rg_outcome rg_tls_handshake(struct rg_tls *tls, struct rg_reason *why);
/* At least one byte when OK. */
RG_MUST_USE rg_outcome rg_tls_read(struct rg_tls *tls, void *out, size_t len, size_t *len_out,
                                   struct rg_reason *why);
/* After RG_AGAIN call again with the same bytes in front, and not fewer. */
RG_MUST_USE rg_outcome rg_tls_write(struct rg_tls *tls, struct rg_bytes bytes, size_t *len_out,
                                    struct rg_reason *why);
bool rg_tls_wants_write(const struct rg_tls *tls); /* the last RG_AGAIN was for writing */
void rg_tls_shutdown(struct rg_tls *tls);          /* close_notify, tried once */

#endif
