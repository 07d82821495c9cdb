/* Trust documents, key cards, certificates and signatures. The first byte chooses what the rest is;
 * a document is also offered unsigned, which trust must refuse whatever it says. */
#include "tests/fuzz/fuzz.h"

#include "core/card.h"
#include "core/signature.h"
#include "core/trust_text.h"

static void charter(struct rg_bytes text)
{
    struct rg_charter *charter = NULL;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_charter_read(text, &charter, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "settings-", "document-", "charter-", "certificate-", "root-",
                     "base64-", "buffer-", "principal-");
        return;
    }
    RG_ASSERT(charter->quorum >= 1 && charter->quorum <= charter->authority_count);
    (void)rg_charter_allows(charter, "case", "focal");
    rg_charter_free(charter);
}

static void page(struct rg_bytes text, bool domestic)
{
    struct rg_page *page = NULL;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_page_read(text, "th", domestic, &page, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "settings-", "document-", "page-", "certificate-", "base64-",
                     "buffer-", "principal-", "hex-");
        return;
    }
    for (size_t i = 0; i < page->listed_count; i++) {
        RG_ASSERT(page->listed[i].der_at + page->listed[i].der_bytes <= page->der.len);
        RG_ASSERT(rg_page_find(page, page->listed[i].digest) != NULL);
        (void)rg_page_certificate(page, &page->listed[i], "th");
    }
    rg_page_free(page);
}

static void stop(struct rg_bytes text)
{
    struct rg_stop *stop = NULL;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_stop_read(text, "th", &stop, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "settings-", "document-", "page-", "stop-", "hex-");
        return;
    }
    for (size_t i = 0; i < stop->certificate_count; i++) {
        RG_ASSERT(rg_stop_certificate(stop, stop->certificate[i].digest) != NULL);
    }
    rg_stop_free(stop);
}

static void binary(struct rg_bytes der)
{
    struct rg_principal principal;
    struct rg_certificate *certificate = NULL;
    RG_OWNED_BUFFER content = {0};
    size_t at;
    struct rg_reason why = {0};
    (void)!rg_card_claim(der, &principal, &why).code;
    if (rg_is_ok(rg_certificate_parse(der, &certificate, &why))) {
        const struct rg_principal *named = rg_certificate_principal(certificate);
        struct rg_principal again;
        RG_ASSERT(named == NULL || rg_is_ok(rg_principal_parse(named->text, &again, NULL)));
        rg_certificate_free(certificate);
    }
    RG_ASSERT(!rg_is_ok(rg_signature_check(der, RG_BYTES_LITERAL("x"), NULL, 0, NULL, &at, &why)));
    (void)!rg_signature_claim(der, &content, &why).code;
}

static void offer(enum rg_document_kind kind, struct rg_bytes text)
{
    struct rg_trust *trust = rg_trust_new();
    struct rg_document document = {.kind = kind};
    enum rg_news news = RG_NEWS_NONE;
    struct rg_reason why = {0};
    RG_ASSERT(trust != NULL);
    if (kind != RG_DOC_CHARTER) {
        memcpy(document.country, "th", sizeof("th"));
    }
    if (rg_is_ok(rg_buffer_append(&document.text, text, NULL))) {
        struct rg_wall now = {1795507200000};
        RG_ASSERT(!rg_is_ok(rg_trust_offer(trust, &document, now, &news, &why)));
        RG_ASSERT(why.id != NULL);
    }
    rg_document_drop(&document);
    rg_trust_free(trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct rg_bytes rest = rg_bytes_of(data + 1, size - 1);
    switch (data[0]) {
    case 'c':
        charter(rest);
        offer(RG_DOC_CHARTER, rest);
        break;
    case 'p':
    case 'd':
        page(rest, data[0] == 'd');
        offer(data[0] == 'd' ? RG_DOC_PAGE_DOMESTIC : RG_DOC_PAGE, rest);
        break;
    case 's':
        stop(rest);
        offer(RG_DOC_STOP_LIST, rest);
        break;
    default:
        binary(rest);
        offer(RG_DOC_KEY_CARD, rest);
        break;
    }
    return 0;
}
