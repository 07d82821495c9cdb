/*
 * How it works: one SSL_CTX serves both ends. OpenSSL's own chain building is replaced as a whole
 * by `judge` (SSL_CTX_set_cert_verify_callback). Invariants: there is no way to a finished
 * handshake around `judge` (no session is ever stored, cached or issued); the first reason that is
 * noted for a connection stays, since OpenSSL's error after it is only its echo. Bytes go through a
 * BIO of our own because OpenSSL's writes with write(2), which raises SIGPIPE in a process that may
 * not be ours (the client library).
 */
#include "core/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CERTIFICATES_BYTES_MAX (16 * 1024) /* what a peer may send of certificates */
/* So much is taken from the descriptor in one call. OpenSSL reads on by itself until there is a
 * byte for us, and a peer can send key updates without end. */
#define TURN_BYTES_MAX (32 * 1024)

static const unsigned char alpn[] = "\x0areferral/1";
#define ALPN_BYTES (sizeof(alpn) - 1)

struct rg_tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *bio;
    rg_tls_judge judge;
};

struct rg_tls {
    SSL *ssl;
    struct rg_tls_context *context;
    void *owner;
    int fd;
    int turn_bytes; /* what this call may still take */
    bool dialled;
    bool eof;
    bool wants_write;
    bool failed; /* no close_notify after a fatal error */
    int alert;   /* the one the peer sent; -1: none */
    rg_outcome outcome;
    struct rg_reason why; /* id set: why this handshake fails */
};

/* ---- the BIO: send and recv on the descriptor ---- */

static int bio_write(BIO *bio, const char *data, int len)
{
    const struct rg_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(tls->fd, data, (size_t)len, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_write(bio);
    }
    return (int)sent;
}

static int bio_read(BIO *bio, char *data, int len)
{
    struct rg_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->turn_bytes == 0) {
        BIO_set_retry_read(bio); /* a poll finds the rest at once */
        return -1;
    }
    len = len < tls->turn_bytes ? len : tls->turn_bytes;
    ssize_t got = recv(tls->fd, data, (size_t)len, 0);
    tls->turn_bytes -= got > 0 ? (int)got : 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_read(bio);
    }
    tls->eof = got == 0;
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    const struct rg_tls *tls = BIO_get_data(bio);
    if (command == BIO_CTRL_EOF) {
        return tls->eof;
    }
    return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "link");
    if (method == NULL) {
        return NULL;
    }
    (void)BIO_meth_set_write(method, bio_write);
    (void)BIO_meth_set_read(method, bio_read);
    (void)BIO_meth_set_ctrl(method, bio_ctrl);
    (void)BIO_meth_set_create(method, bio_create);
    return method;
}

/* ---- judging during the handshake ---- */

/* Which alert a reason becomes: OpenSSL derives it from the X509 error. What is not in the table is
 * sent as "handshake failure": a bound or a name that was not expected. */
static const struct {
    const char *reason;
    int error;
} alerts[] = {
    {"certificate-expired", X509_V_ERR_CERT_HAS_EXPIRED},         /* certificate expired */
    {"certificate-not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID}, /* bad certificate */
    {"certificate-wrong-usage", X509_V_ERR_INVALID_PURPOSE},      /* unsupported certificate */
    {"certificate-wrong-root", X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE},        /* unknown CA */
    {"certificate-unknown-country", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY}, /* same */
    {"certificate-stopped", X509_V_ERR_CERT_REVOKED},        /* certificate revoked */
    {"certificate-suspended", X509_V_ERR_CERT_REVOKED},      /* certificate revoked */
    {"certificate-unlisted", X509_V_ERR_NO_EXPLICIT_POLICY}, /* certificate unknown */
    {"certificate-form", X509_V_ERR_CERT_REJECTED},          /* bad certificate */
    {"certificate-no-principal", X509_V_ERR_CERT_REJECTED},  /* bad certificate */
    {"principal-form", X509_V_ERR_CERT_REJECTED},            /* bad certificate */
};

static int error_of(const char *reason)
{
    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
        if (strcmp(alerts[i].reason, reason) == 0) {
            return alerts[i].error;
        }
    }
    return X509_V_ERR_APPLICATION_VERIFICATION;
}

static void note(struct rg_tls *tls, rg_outcome outcome, const struct rg_reason *why)
{
    if (tls->why.id == NULL) {
        tls->outcome = outcome;
        tls->why = *why;
    }
}

static int judge_peer(X509_STORE_CTX *store, void *context)
{
    (void)context;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct rg_tls *tls = SSL_get_app_data(ssl);
    unsigned char *der = NULL;
    int len = i2d_X509(X509_STORE_CTX_get0_cert(store), &der);
    struct rg_reason why = {0};
    rg_outcome outcome =
        len <= 0 ? rg_fail(&why, RG_MALFORMED, "certificate-form", "the certificate is unreadable")
                 : tls->context->judge(tls->owner, rg_bytes_of(der, (size_t)len), &why);
    OPENSSL_free(der);
    ERR_clear_error(); /* what the judge has left there would count against the handshake */
    if (rg_is_ok(outcome)) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    note(tls, outcome, &why);
    X509_STORE_CTX_set_error(store, error_of(why.id != NULL ? why.id : ""));
    return 0;
}

/* Acceptor. Called only when the peer offered names; a peer without ALPN is fine (stock tunnels).
 */
static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned offered_len, void *context)
{
    (void)context;
    struct rg_tls *tls = SSL_get_app_data(ssl);
    unsigned char *chosen = NULL;
    int result = SSL_select_next_proto(&chosen, out_len, alpn, ALPN_BYTES, offered, offered_len);
    if (result == OPENSSL_NPN_NEGOTIATED) {
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
    }
    struct rg_reason why;
    note(tls, rg_fail(&why, RG_DENIED, "tls-alpn", "the peer does not offer referral/1"), &why);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void watch_alerts(const SSL *ssl, int where, int value)
{
    struct rg_tls *tls = SSL_get_app_data(ssl);
    int alert = value & 0xff;
    if (tls != NULL && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT &&
        alert != SSL_AD_CLOSE_NOTIFY) {
        tls->alert = alert;
    }
}

/* ---- the context ---- */

static bool groups_set(SSL_CTX *ssl)
{
    if (SSL_CTX_set1_groups_list(ssl, "X25519MLKEM768:X25519:P-256") == 1) {
        return true;
    }
    ERR_clear_error(); /* OpenSSL before 3.5 */
    return SSL_CTX_set1_groups_list(ssl, "X25519:P-256") == 1;
}

static bool profile_set(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_max_cert_list(ssl, CERTIFICATES_BYTES_MAX);
    SSL_CTX_set_security_level(ssl, 2);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(ssl, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") ==
               1 &&
           groups_set(ssl) && SSL_CTX_set_num_tickets(ssl, 0) == 1 &&
           SSL_CTX_set_max_early_data(ssl, 0) == 1 &&
           SSL_CTX_set_recv_max_early_data(ssl, 0) == 1 &&
           SSL_CTX_set_session_id_context(ssl, alpn, ALPN_BYTES) == 1 &&
           SSL_CTX_set_alpn_protos(ssl, alpn, ALPN_BYTES) == 0;
}

static void callbacks_set(SSL_CTX *ssl)
{
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, judge_peer, NULL);
    SSL_CTX_set_alpn_select_cb(ssl, alpn_select, NULL);
    SSL_CTX_set_info_callback(ssl, watch_alerts);
}

static rg_outcome openssl_failed(struct rg_reason *why, const char *id)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return rg_fail(why, RG_IO, id, "TLS: %s", text != NULL ? text : "no reason given");
}

static rg_outcome context_fill(struct rg_tls_context *context,
                               const struct rg_certificate *certificate, const struct rg_key *key,
                               struct rg_reason *why)
{
    context->bio = bio_method_new();
    context->ssl = SSL_CTX_new(TLS_method());
    if (context->bio == NULL || context->ssl == NULL || !profile_set(context->ssl)) {
        return openssl_failed(why, "tls-profile");
    }
    callbacks_set(context->ssl);
    if (SSL_CTX_use_certificate(context->ssl, rg_certificate_x509(certificate)) != 1 ||
        SSL_CTX_use_PrivateKey(context->ssl, rg_key_pkey(key)) != 1 ||
        SSL_CTX_check_private_key(context->ssl) != 1) {
        return openssl_failed(why, "key-mismatch");
    }
    return rg_ok();
}

rg_outcome rg_tls_context_new(const struct rg_certificate *certificate, const struct rg_key *key,
                              rg_tls_judge judge, struct rg_tls_context **out,
                              struct rg_reason *why)
{
    ERR_clear_error();
    struct rg_tls_context *context = calloc(1, sizeof(*context));
    RG_CHECK(context != NULL, why, RG_IO, "out-of-memory", "no memory for TLS");
    context->judge = judge;
    rg_outcome outcome = context_fill(context, certificate, key, why);
    if (!rg_is_ok(outcome)) {
        rg_tls_context_free(context);
        return outcome;
    }
    *out = context;
    return rg_ok();
}

void rg_tls_context_free(struct rg_tls_context *context)
{
    if (context == NULL) {
        return;
    }
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->bio);
    free(context);
}

/* ---- one connection ---- */

static bool attach(struct rg_tls *tls)
{
    tls->ssl = SSL_new(tls->context->ssl);
    BIO *bio = tls->ssl == NULL ? NULL : BIO_new(tls->context->bio);
    if (bio == NULL) {
        return false;
    }
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    if (tls->dialled) {
        SSL_set_connect_state(tls->ssl);
        return true;
    }
    SSL_set_accept_state(tls->ssl);
    return true;
}

rg_outcome rg_tls_open(struct rg_tls_context *context, int fd, bool dialled, void *owner,
                       struct rg_tls **out, struct rg_reason *why)
{
    struct rg_tls *tls = calloc(1, sizeof(*tls));
    RG_CHECK(tls != NULL, why, RG_IO, "out-of-memory", "no memory for TLS");
    tls->context = context;
    tls->fd = fd;
    tls->dialled = dialled;
    tls->owner = owner;
    tls->alert = -1;
    if (!attach(tls)) {
        rg_tls_free(tls);
        return openssl_failed(why, "out-of-memory");
    }
    *out = tls;
    return rg_ok();
}

void rg_tls_free(struct rg_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_free(tls->ssl);
    free(tls);
}

static bool is_again(struct rg_tls *tls, int error)
{
    tls->wants_write = error == SSL_ERROR_WANT_WRITE;
    return tls->wants_write || error == SSL_ERROR_WANT_READ;
}

static rg_outcome again(struct rg_reason *why)
{
    return rg_fail(why, RG_AGAIN, "tls-again", "nothing ready");
}

/* OpenSSL's reasons that have a name of ours; all others are tls-handshake. */
static const struct {
    int openssl;
    const char *id;
} handshake_reasons[] = {
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "certificate-missing"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "tls-version"},
    {SSL_R_VERSION_TOO_LOW, "tls-version"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "tls-alpn"},
};

static const char *handshake_reason(int openssl)
{
    for (size_t i = 0; i < sizeof(handshake_reasons) / sizeof(handshake_reasons[0]); i++) {
        if (handshake_reasons[i].openssl == openssl) {
            return handshake_reasons[i].id;
        }
    }
    return "tls-handshake";
}

static rg_outcome alert_failed(const struct rg_tls *tls, rg_outcome outcome, const char *id,
                               struct rg_reason *why)
{
    return rg_fail(why, outcome.code, id, "the peer refused us with the alert: %s (%d)",
                   SSL_alert_desc_string_long(tls->alert), tls->alert);
}

static rg_outcome handshake_failed(struct rg_tls *tls, int error, struct rg_reason *why)
{
    const rg_outcome denied = {.code = RG_DENIED};
    tls->failed = true;
    if (tls->why.id != NULL) {
        if (why != NULL) {
            *why = tls->why;
        }
        return tls->outcome;
    }
    if (tls->alert >= 0) {
        return alert_failed(tls, denied, tls->dialled ? "dial-refused" : "tls-handshake", why);
    }
    if (error != SSL_ERROR_SSL) {
        return rg_fail(why, RG_IO, "peer-closed", "the peer closed during the handshake");
    }
    unsigned long code = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(code);
    return rg_fail(why, RG_DENIED, handshake_reason(ERR_GET_REASON(code)), "TLS: %s",
                   text != NULL ? text : "no reason given");
}

static rg_outcome alpn_check(const struct rg_tls *tls, struct rg_reason *why)
{
    const unsigned char *chosen = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(tls->ssl, &chosen, &len);
    bool fits =
        len == 0 || rg_bytes_equal(rg_bytes_of(chosen, len), rg_bytes_of(alpn + 1, ALPN_BYTES - 1));
    RG_CHECK(fits, why, RG_DENIED, "tls-alpn", "the peer chose another protocol than referral/1");
    return rg_ok();
}

rg_outcome rg_tls_handshake(struct rg_tls *tls, struct rg_reason *why)
{
    ERR_clear_error();
    tls->turn_bytes = TURN_BYTES_MAX;
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        RG_ASSERT(SSL_session_reused(tls->ssl) == 0); /* it would have skipped the judge */
        return alpn_check(tls, why);
    }
    int error = SSL_get_error(tls->ssl, result);
    return is_again(tls, error) ? again(why) : handshake_failed(tls, error, why);
}

static rg_outcome transfer_failed(struct rg_tls *tls, int error, struct rg_reason *why)
{
    tls->failed = true;
    if (tls->alert >= 0) {
        return alert_failed(tls, (rg_outcome){.code = RG_IO}, "peer-alert", why);
    }
    if (error == SSL_ERROR_ZERO_RETURN || tls->eof) {
        return rg_fail(why, RG_IO, "peer-closed", "the peer closed the connection");
    }
    if (error == SSL_ERROR_SYSCALL) {
        return rg_fail(why, RG_IO, "peer-reset", "the connection broke: %s", strerror(errno));
    }
    return openssl_failed(why, "tls-broken");
}

rg_outcome rg_tls_read(struct rg_tls *tls, void *out, size_t len, size_t *len_out,
                       struct rg_reason *why)
{
    ERR_clear_error();
    tls->turn_bytes = TURN_BYTES_MAX;
    int result = SSL_read(tls->ssl, out, len > INT_MAX ? INT_MAX : (int)len);
    if (result > 0) {
        *len_out = (size_t)result;
        return rg_ok();
    }
    int error = SSL_get_error(tls->ssl, result);
    return is_again(tls, error) ? again(why) : transfer_failed(tls, error, why);
}

rg_outcome rg_tls_write(struct rg_tls *tls, struct rg_bytes bytes, size_t *len_out,
                        struct rg_reason *why)
{
    ERR_clear_error();
    int result = SSL_write(tls->ssl, bytes.data, bytes.len > INT_MAX ? INT_MAX : (int)bytes.len);
    if (result > 0) {
        *len_out = (size_t)result;
        return rg_ok();
    }
    int error = SSL_get_error(tls->ssl, result);
    return is_again(tls, error) ? again(why) : transfer_failed(tls, error, why);
}

bool rg_tls_wants_write(const struct rg_tls *tls)
{
    return tls->wants_write;
}

void rg_tls_shutdown(struct rg_tls *tls)
{
    if (tls->failed || !SSL_is_init_finished(tls->ssl)) {
        return;
    }
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    tls->failed = true;
}
