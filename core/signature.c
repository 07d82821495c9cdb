/*
 * How it works
 *   Form first, key last: size, DER without left-over bytes, the one profile, then the signer is
 *   looked for among the candidates by issuer and serial, and only then is the signature computed.
 *   CMS_verify gets a list of exactly that one certificate, so nothing else can satisfy it.
 *   Signed attributes are demanded: without them a signature over content could be passed off as a
 *   signature over attributes and the reverse.
 */
#include "core/signature.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/* A signature with room for the largest content that travels inside one: a card. */
#define SIGNATURE_DER_BYTES_MAX (RG_SIGNATURE_BYTES_MAX + RG_CERTIFICATE_BYTES_MAX)

static void cms_cleanup(CMS_ContentInfo **cms)
{
    CMS_ContentInfo_free(*cms);
}

static void bio_cleanup(BIO **bio)
{
    BIO_free(*bio);
}

static void x509_stack_cleanup(STACK_OF(X509) * *stack)
{
    sk_X509_free(*stack); /* borrowed certificates */
}

#define OWNED_CMS RG_CLEANUP(cms_cleanup) CMS_ContentInfo
#define OWNED_BIO RG_CLEANUP(bio_cleanup) BIO

static BIO *view(struct rg_bytes bytes)
{
    RG_ASSERT(bytes.len <= RG_BUFFER_BYTES_MAX);
    BIO *bio = BIO_new_mem_buf(bytes.len > 0 ? (const void *)bytes.data : "", (int)bytes.len);
    RG_ASSERT(bio != NULL);
    return bio;
}

static rg_outcome append_der(CMS_ContentInfo *cms, struct rg_buffer *out, struct rg_reason *why)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);
    RG_CHECK(len > 0, why, RG_IO, "signature-failed", "the signature cannot be encoded");
    rg_outcome outcome = rg_buffer_append(out, rg_bytes_of(der, (size_t)len), why);
    OPENSSL_free(der);
    return outcome;
}

rg_outcome rg_signature_make(struct rg_bytes content, const struct rg_certificate *certificate,
                             const struct rg_key *key, enum rg_signature_kind kind,
                             struct rg_buffer *out, struct rg_reason *why)
{
    unsigned flags = CMS_BINARY | CMS_NOCERTS | CMS_NOSMIMECAP;
    flags |= kind == RG_SIGNATURE_DETACHED ? CMS_DETACHED : 0;
    OWNED_BIO *data = view(content);
    OWNED_CMS *cms = CMS_sign(NULL, NULL, NULL, data, flags | CMS_PARTIAL);
    bool made = cms != NULL &&
                CMS_add1_signer(cms, rg_certificate_x509(certificate), rg_key_pkey(key),
                                EVP_sha256(), flags) != NULL &&
                CMS_final(cms, data, NULL, flags) == 1;
    ERR_clear_error();
    RG_CHECK(made, why, RG_IO, "signature-failed", "OpenSSL could not sign");
    return append_der(cms, out, why);
}

static rg_outcome bad_form(const char *what, struct rg_reason *why)
{
    ERR_clear_error();
    return rg_fail(why, RG_MALFORMED, "signature-form", "signature: %s", what);
}

/* Does it encode back to itself? Otherwise anybody could make many signatures out of one. */
static bool is_der(CMS_ContentInfo *cms, struct rg_bytes der)
{
    unsigned char *again = NULL;
    int len = i2d_CMS_ContentInfo(cms, &again);
    bool same = len > 0 && rg_bytes_equal(rg_bytes_of(again, (size_t)len), der);
    OPENSSL_free(again);
    return same;
}

static rg_outcome parse(struct rg_bytes der, CMS_ContentInfo **out, struct rg_reason *why)
{
    RG_CHECK(der.len <= SIGNATURE_DER_BYTES_MAX, why, RG_LIMIT, "signature-too-large",
             "a signature of %zu bytes, at most %d are allowed", der.len, SIGNATURE_DER_BYTES_MAX);
    const unsigned char *at = der.data;
    OWNED_CMS *cms = der.len > 0 ? d2i_CMS_ContentInfo(NULL, &at, (long)der.len) : NULL;
    if (cms == NULL || at != der.data + der.len || !is_der(cms, der)) {
        return bad_form("it is not one DER structure", why);
    }
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed ||
        OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data) {
        return bad_form("it is not CMS SignedData over data", why);
    }
    *out = cms;
    cms = NULL;
    return rg_ok();
}

static bool carries_certificates(CMS_ContentInfo *cms)
{
    STACK_OF(X509) *certificates = CMS_get1_certs(cms);
    STACK_OF(X509_CRL) *lists = CMS_get1_crls(cms);
    bool carries = sk_X509_num(certificates) > 0 || sk_X509_CRL_num(lists) > 0;
    sk_X509_pop_free(certificates, X509_free);
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    return carries;
}

static bool has_our_algorithms(CMS_SignerInfo *signer)
{
    X509_ALGOR *digest = NULL;
    X509_ALGOR *signature = NULL;
    const ASN1_OBJECT *digest_id = NULL;
    const ASN1_OBJECT *signature_id = NULL;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &signature);
    X509_ALGOR_get0(&digest_id, NULL, NULL, digest);
    X509_ALGOR_get0(&signature_id, NULL, NULL, signature);
    return OBJ_obj2nid(digest_id) == NID_sha256 &&
           OBJ_obj2nid(signature_id) == NID_ecdsa_with_SHA256;
}

static rg_outcome check_profile(CMS_ContentInfo *cms, bool detached, CMS_SignerInfo **signer_out,
                                struct rg_reason *why)
{
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    if (sk_CMS_SignerInfo_num(signers) != 1) {
        return bad_form("it must have exactly one signer", why);
    }
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
    if (!has_our_algorithms(signer) || CMS_signed_get_attr_count(signer) < 1 ||
        CMS_unsigned_get_attr_count(signer) > 0) {
        return bad_form("only ECDSA with SHA-256 over signed attributes is allowed", why);
    }
    if (carries_certificates(cms)) {
        return bad_form("no certificates may be inside", why);
    }
    if ((CMS_is_detached(cms) == 1) != detached) {
        return bad_form(detached ? "the content must be beside it" : "the content must be inside",
                        why);
    }
    *signer_out = signer;
    return rg_ok();
}

static rg_outcome find_signer(CMS_SignerInfo *signer, struct rg_certificate *const *candidate,
                              size_t count, size_t *at_out, struct rg_reason *why)
{
    for (size_t i = 0; i < count; i++) {
        if (CMS_SignerInfo_cert_cmp(signer, rg_certificate_x509(candidate[i])) == 0) {
            *at_out = i;
            return rg_ok();
        }
    }
    return rg_fail(why, RG_DENIED, "signature-signer",
                   "signed by a certificate that may not sign this");
}

static bool verify(CMS_ContentInfo *cms, X509 *signer, BIO *content, BIO *out)
{
    RG_CLEANUP(x509_stack_cleanup) STACK_OF(X509) *only = sk_X509_new_null();
    RG_ASSERT(only != NULL && sk_X509_push(only, signer) == 1);
    bool valid = CMS_verify(cms, only, NULL, content, out,
                            CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
    ERR_clear_error();
    return valid;
}

static rg_outcome append_bio(BIO *bio, struct rg_buffer *out, struct rg_reason *why)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    return rg_buffer_append(out, rg_bytes_of(data, len > 0 ? (size_t)len : 0), why);
}

rg_outcome rg_signature_check(struct rg_bytes der, struct rg_bytes content,
                              struct rg_certificate *const *candidate, size_t count,
                              struct rg_buffer *content_out, size_t *at_out, struct rg_reason *why)
{
    bool detached = content_out == NULL;
    OWNED_CMS *cms = NULL;
    CMS_SignerInfo *signer = NULL;
    size_t at = 0;
    RG_TRY(parse(der, &cms, why));
    RG_TRY(check_profile(cms, detached, &signer, why));
    RG_TRY(find_signer(signer, candidate, count, &at, why));
    OWNED_BIO *input = detached ? view(content) : NULL;
    OWNED_BIO *output = detached ? NULL : BIO_new(BIO_s_mem());
    RG_CHECK(verify(cms, rg_certificate_x509(candidate[at]), input, output), why, RG_DENIED,
             "signature-invalid", "the signature does not fit: the text or the signature changed");
    if (!detached) {
        RG_TRY(append_bio(output, content_out, why));
    }
    *at_out = at;
    return rg_ok();
}

rg_outcome rg_signature_claim(struct rg_bytes der, struct rg_buffer *content_out,
                              struct rg_reason *why)
{
    OWNED_CMS *cms = NULL;
    RG_TRY(parse(der, &cms, why));
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    if (content == NULL || *content == NULL) {
        return bad_form("the content must be inside", why);
    }
    return rg_buffer_append(
        content_out,
        rg_bytes_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content)), why);
}
