/* How it works: every sealed section named on standard input is tried with every key named on the
 * command line, through OpenSSL's own CMS calls and none of ours. One line per pair that opens:
 * section, key, class of the section, "sealed" or "wrapper". So a story can say who could read what
 * without believing our code.
 *   A section may carry another one, sealed by another author for other readers: a wrapper. What it
 * carries is tried in the same way, under the name of the section with ">" behind it. Only for this
 * is the plaintext looked into: three fields of proto/referral.proto, read by hand. */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 512
#define LINE_BYTES 4096
#define NESTING_MAX 3

enum field { /* proto/envelope.proto, proto/referral.proto */
             SIGNED_CONTENT = 5,
             SECTION_CLASS = 3,
             SECTION_FORWARDED = 27,
             FORWARDED_SEALED = 3,
};

struct view {
    const uint8_t *data;
    size_t len;
};

struct keyring {
    EVP_PKEY *key[KEYS_MAX];
    char **path;
    int count;
};

/* ---- just enough of protocol buffers ---- */

static bool varint(struct view *in, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; in->len > 0 && shift < 64; shift += 7) {
        uint8_t byte = *in->data++;
        in->len--;
        *out |= (uint64_t)(byte & 0x7fu) << shift;
        if ((byte & 0x80u) == 0) {
            return true;
        }
    }
    return false;
}

/* The field of that number: its number, or its bytes. */
static bool field_find(struct view in, uint64_t wanted, uint64_t *number, struct view *bytes)
{
    uint64_t tag = 0;
    while (in.len > 0 && varint(&in, &tag)) {
        uint64_t value = 0;
        bool has_bytes = (tag & 7u) == 2;
        if (((tag & 7u) != 0 && !has_bytes) || !varint(&in, &value) ||
            (has_bytes && value > in.len)) {
            return false;
        }
        *number = value;
        *bytes = (struct view){in.data, has_bytes ? (size_t)value : 0};
        in = (struct view){in.data + bytes->len, in.len - bytes->len};
        if (tag >> 3u == wanted) {
            return true;
        }
    }
    return false;
}

/* ---- sections ---- */

/* What the author signed, as it stands inside the seal. The signature is not the question here. */
static struct view content_of(CMS_ContentInfo *signed_cms)
{
    ASN1_OCTET_STRING **held = signed_cms != NULL ? CMS_get0_content(signed_cms) : NULL;
    struct view content = {0};
    uint64_t ignored = 0;
    if (held != NULL && *held != NULL) {
        struct view whole = {ASN1_STRING_get0_data(*held), (size_t)ASN1_STRING_length(*held)};
        (void)field_find(whole, SIGNED_CONTENT, &ignored, &content);
    }
    return content;
}

/* The plaintext, NULL when this key does not open it. */
static BIO *open_with(struct view sealed, EVP_PKEY *key)
{
    BIO *in = BIO_new_mem_buf(sealed.data, (int)sealed.len);
    BIO *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = in != NULL ? d2i_CMS_bio(in, NULL) : NULL;
    bool ok = cms != NULL && CMS_decrypt_set1_pkey(cms, key, NULL) == 1 &&
              CMS_decrypt(cms, NULL, NULL, NULL, out, CMS_BINARY) == 1;
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    ERR_clear_error();
    if (!ok) {
        BIO_free(out);
        return NULL;
    }
    return out;
}

/* A copy of what a wrapper carries, for the next round; to be freed. */
static struct view inner_take(struct view forwarded)
{
    struct view sealed = {0};
    uint64_t ignored = 0;
    if (!field_find(forwarded, FORWARDED_SEALED, &ignored, &sealed)) {
        return (struct view){0};
    }
    uint8_t *copy = malloc(sealed.len + 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, sealed.data, sealed.len);
    return (struct view){copy, sealed.len};
}

/* Tries one key and says so when it opens; what is inside a wrapper goes to `inner`, once. */
static void try_key(const char *name, struct view sealed, EVP_PKEY *key, const char *path,
                    struct view *inner)
{
    BIO *plain = open_with(sealed, key);
    CMS_ContentInfo *cms = plain != NULL ? d2i_CMS_bio(plain, NULL) : NULL;
    struct view content = content_of(cms);
    struct view forwarded = {0};
    struct view ignored = {0};
    uint64_t class = 0;
    uint64_t length = 0;
    if (plain != NULL) {
        (void)field_find(content, SECTION_CLASS, &class, &ignored);
        bool wrapper = field_find(content, SECTION_FORWARDED, &length, &forwarded);
        (void)printf("%s\t%s\t%llu\t%s\n", name, path, (unsigned long long)class,
                     wrapper ? "wrapper" : "sealed");
        if (wrapper && inner->data == NULL) {
            *inner = inner_take(forwarded);
        }
    }
    CMS_ContentInfo_free(cms);
    BIO_free(plain);
}

/* Frees `sealed`. */
static void try_section(const struct keyring *ring, const char *path, struct view sealed)
{
    static const char *const deeper[NESTING_MAX] = {"", ">", ">>"};
    char name[LINE_BYTES + NESTING_MAX];
    for (int depth = 0; sealed.data != NULL && depth < NESTING_MAX; depth++) {
        struct view inner = {0};
        (void)snprintf(name, sizeof(name), "%.*s%s", LINE_BYTES - 1, path, deeper[depth]);
        for (int i = 0; i < ring->count; i++) {
            try_key(name, sealed, ring->key[i], ring->path[i], &inner);
        }
        free((void *)(uintptr_t)sealed.data);
        sealed = inner;
    }
    free((void *)(uintptr_t)sealed.data);
}

/* ---- files ---- */

static bool file_read(const char *path, struct view *out)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;
    if (in != NULL && fseek(in, 0, SEEK_END) == 0) {
        size = ftell(in);
        rewind(in);
    }
    data = size > 0 ? malloc((size_t)size) : NULL;
    bool ok = data != NULL && fread(data, 1, (size_t)size, in) == (size_t)size;
    if (in != NULL) {
        (void)fclose(in);
    }
    if (!ok) {
        free(data);
        return false;
    }
    *out = (struct view){data, (size_t)size};
    return true;
}

static EVP_PKEY *key_read(const char *path)
{
    FILE *in = fopen(path, "r");
    EVP_PKEY *key = in != NULL ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;
    if (in != NULL) {
        (void)fclose(in);
    }
    return key;
}

static int ring_fill(struct keyring *ring, int argc, char **argv)
{
    ring->path = argv + 1;
    if (argc - 1 > KEYS_MAX) {
        (void)fprintf(stderr, "try_keys: at most %d keys\n", KEYS_MAX);
        return 64;
    }
    for (; ring->count < argc - 1; ring->count++) {
        ring->key[ring->count] = key_read(ring->path[ring->count]);
        if (ring->key[ring->count] == NULL) {
            (void)fprintf(stderr, "try_keys: %s is not a private key in PEM\n",
                          ring->path[ring->count]);
            return 66;
        }
    }
    return 0;
}

static int try_all(const struct keyring *ring)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        struct view sealed = {0};
        line[strcspn(line, "\n")] = '\0';
        if (!file_read(line, &sealed)) {
            (void)fprintf(stderr, "try_keys: %s cannot be read\n", line);
            return 66;
        }
        try_section(ring, line, sealed);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct keyring ring = {.count = 0};
    int code = ring_fill(&ring, argc, argv);
    code = code == 0 ? try_all(&ring) : code;
    for (int i = 0; i < ring.count; i++) {
        EVP_PKEY_free(ring.key[i]);
    }
    return code;
}
