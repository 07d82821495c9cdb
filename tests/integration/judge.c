/*
 * judge: reads a trust folder as a gateway does and says what it thinks of certificates.
 *
 * usage: judge FOLDER QUORUM AUTHORITY.pem... -- (sign|tls CERTIFICATE.pem)...
 *
 * One line per document that is refused, "document ID: reason"; one line per certificate, "ok
 * PRINCIPAL", "warning PRINCIPAL" (stopped later than it was signed) or the reason's id. Exit
 * status 1 when a document was refused. RG_AT (a time) is what certificates are judged at; the
 * clock says what time it is.
 */
#include "core/settings.h"
#include "core/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool refused;

static struct rg_wall clock_now(void)
{
    return (struct rg_wall){.ms = (int64_t)time(NULL) * 1000};
}

static rg_outcome offer(void *context, const struct rg_document *document, struct rg_reason *why)
{
    enum rg_news news = RG_NEWS_NONE;
    (void)why;
    struct rg_reason said = {0};
    if (!rg_is_ok(rg_trust_offer(context, document, clock_now(), &news, &said))) {
        (void)printf("document %s: %s\n", said.id, said.text);
        refused = true;
    }
    return rg_ok();
}

static void judge(struct rg_trust *trust, const char *use, const char *path, struct rg_wall at)
{
    RG_OWNED_CERTIFICATE *certificate = NULL;
    struct rg_verdict verdict = {0};
    struct rg_reason why = {0};
    rg_outcome outcome = rg_certificate_read(path, &certificate, &why);
    if (rg_is_ok(outcome)) {
        enum rg_use wanted = strcmp(use, "sign") == 0 ? RG_USE_SIGN : RG_USE_TLS;
        outcome = rg_trust_judge(trust, certificate, wanted, at, clock_now(), &verdict, &why);
    }
    if (rg_is_ok(outcome)) {
        (void)printf("%s %s\n", verdict.stopped_later ? "warning" : "ok", verdict.principal.text);
        return;
    }
    (void)printf("%s\n", why.id);
}

static int pin(struct rg_trust *trust, int argc, char **argv)
{
    int at = 3;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        RG_OWNED_CERTIFICATE *authority = NULL;
        struct rg_reason why = {0};
        if (!rg_is_ok(rg_certificate_read(argv[at], &authority, &why)) ||
            !rg_is_ok(rg_trust_pin_authority(trust, authority, &why))) {
            (void)fprintf(stderr, "judge: %s: %s\n", argv[at], why.text);
            exit(2);
        }
    }
    rg_trust_pin_quorum(trust, (size_t)strtoul(argv[2], NULL, 10));
    return at + 1;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: judge FOLDER QUORUM AUTHORITY... -- (sign|tls FILE)...\n");
        return 64;
    }
    struct rg_trust *trust = rg_trust_new();
    struct rg_reason why = {0};
    int at = pin(trust, argc, argv);
    struct rg_wall when = clock_now();
    const char *stated = getenv("RG_AT");
    if ((stated != NULL && !rg_is_ok(rg_wall_parse(stated, &when, &why))) ||
        !rg_is_ok(rg_document_read_folder(argv[1], offer, trust, &why))) {
        (void)fprintf(stderr, "judge: %s\n", why.text);
        return 2;
    }
    for (; at + 1 < argc; at += 2) {
        judge(trust, argv[at], argv[at + 1], when);
    }
    rg_trust_free(trust);
    return refused ? 1 : 0;
}
