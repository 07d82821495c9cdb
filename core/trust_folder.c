/*
 * How it works
 *   A document is several files (text and signatures), and a crash may fall between any two writes.
 *   So a write first puts all signatures beside their names (.new), then the text: the file
 *   TEXT.new is the mark that all of them are there. Then each is renamed, the text last.
 *   A reader that finds TEXT.new finishes the renaming; a signature .new without TEXT.new is the
 *   rest of a write that never counted, and is not looked at. Every step may be repeated.
 *   Cards are one file each, named by their digest: rg_file_replace alone is enough.
 */
#include "core/card.h"
#include "core/digest.h"
#include "core/trust.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define NAME_BYTES 64
#define SIGNATURE_NAME_BYTES (NAME_BYTES + 32)

/* In the order in which rg_trust_offer can take them. */
static const struct {
    enum rg_document_kind kind;
    const char *prefix, *suffix;
} file_kind[] = {
    {RG_DOC_CHARTER, "charter", ".cfg"},         {RG_DOC_PAGE, "page-", ".cfg"},
    {RG_DOC_PAGE_DOMESTIC, "domestic-", ".cfg"}, {RG_DOC_STOP_LIST, "stop-", ".cfg"},
    {RG_DOC_KEY_CARD, "card-", ".der"},
};
#define FILE_KINDS (sizeof(file_kind) / sizeof(file_kind[0]))

void rg_document_drop(struct rg_document *document)
{
    rg_buffer_drop(&document->text);
    for (size_t i = 0; i < RG_DOCUMENT_SIGNATURES_MAX; i++) {
        rg_buffer_drop(&document->signature[i]);
    }
    document->signature_count = 0;
}

rg_outcome rg_document_copy(const struct rg_document *from, struct rg_document *out,
                            struct rg_reason *why)
{
    RG_CLEANUP(rg_document_drop) struct rg_document copy = {.kind = from->kind};
    RG_ASSERT(from->signature_count <= RG_DOCUMENT_SIGNATURES_MAX);
    memcpy(copy.country, from->country, sizeof(copy.country));
    RG_TRY(rg_buffer_append(&copy.text, rg_buffer_peek(&from->text), why));
    for (size_t i = 0; i < from->signature_count; i++) {
        RG_TRY(rg_buffer_append(&copy.signature[i], rg_buffer_peek(&from->signature[i]), why));
    }
    copy.signature_count = from->signature_count;
    *out = copy;
    memset(&copy, 0, sizeof(copy)); /* moved out */
    return rg_ok();
}

static rg_outcome join(char path[PATH_BYTES], const char *folder, const char *name,
                       const char *suffix, struct rg_reason *why)
{
    int len = snprintf(path, PATH_BYTES, "%s/%s%s", folder, name, suffix);
    RG_CHECK(len > 0 && len < PATH_BYTES, why, RG_LIMIT, "path-too-long", "the path is too long");
    return rg_ok();
}

/* The n-th signature's name: ".p7s" where there is one only, ".1.p7s" and so on for the charter. */
static void signature_name(enum rg_document_kind kind, const char *text_name, size_t at,
                           char out[SIGNATURE_NAME_BYTES])
{
    if (kind == RG_DOC_CHARTER) {
        (void)snprintf(out, SIGNATURE_NAME_BYTES, "%s.%zu.p7s", text_name, at + 1);
        return;
    }
    (void)snprintf(out, SIGNATURE_NAME_BYTES, "%s.p7s", text_name);
}

static size_t signatures_max(enum rg_document_kind kind)
{
    if (kind == RG_DOC_KEY_CARD) {
        return 0;
    }
    return kind == RG_DOC_CHARTER ? RG_DOCUMENT_SIGNATURES_MAX : 1;
}

static rg_outcome rename_new(const char *folder, const char *name, struct rg_reason *why)
{
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    RG_TRY(join(from, folder, name, ".new", why));
    RG_TRY(join(to, folder, name, "", why));
    RG_CHECK(rename(from, to) == 0 || errno == ENOENT, why, RG_IO, "file-unwritable",
             "cannot rename %s: %s", from, strerror(errno));
    return rg_ok();
}

/* From the mark on, the new document counts. Repeatable. */
static rg_outcome finish_write(const char *folder, enum rg_document_kind kind, const char *name,
                               struct rg_reason *why)
{
    char signature[SIGNATURE_NAME_BYTES];
    for (size_t i = 0; i < signatures_max(kind); i++) {
        signature_name(kind, name, i, signature);
        RG_TRY(rename_new(folder, signature, why));
    }
    return rename_new(folder, name, why);
}

static void file_name(const struct rg_document *document, char out[NAME_BYTES])
{
    if (document->kind == RG_DOC_KEY_CARD) {
        char hex[17];
        struct rg_hash digest = rg_sha256(rg_buffer_peek(&document->text));
        rg_hex(rg_bytes_of(digest.b, 8), hex);
        (void)snprintf(out, NAME_BYTES, "card-%s.der", hex);
        return;
    }
    for (size_t i = 0; i < FILE_KINDS; i++) {
        if (file_kind[i].kind == document->kind) {
            (void)snprintf(out, NAME_BYTES, "%s%s%s", file_kind[i].prefix, document->country,
                           file_kind[i].suffix);
        }
    }
}

/* Signatures of the document before that have no successor would be offered again: remove them. */
static void remove_old_signatures(const char *folder, const struct rg_document *document,
                                  const char *name)
{
    char path[PATH_BYTES];
    char signature[SIGNATURE_NAME_BYTES];
    for (size_t i = document->signature_count; i < signatures_max(document->kind); i++) {
        signature_name(document->kind, name, i, signature);
        if (rg_is_ok(join(path, folder, signature, "", NULL))) {
            (void)unlink(path);
        }
    }
}

static rg_outcome write_beside(const char *folder, const struct rg_document *document,
                               const char *name, struct rg_reason *why)
{
    char path[PATH_BYTES];
    char signature[SIGNATURE_NAME_BYTES];
    for (size_t i = 0; i < document->signature_count; i++) {
        signature_name(document->kind, name, i, signature);
        RG_TRY(join(path, folder, signature, ".new", why));
        RG_TRY(rg_file_replace(path, rg_buffer_peek(&document->signature[i]), 0644, why));
    }
    RG_TRY(join(path, folder, name, ".new", why));
    return rg_file_replace(path, rg_buffer_peek(&document->text), 0644, why);
}

rg_outcome rg_document_write(const char *folder, const struct rg_document *document,
                             struct rg_reason *why)
{
    char name[NAME_BYTES] = "";
    char path[PATH_BYTES];
    bool known = document->kind == RG_DOC_CHARTER || document->kind == RG_DOC_KEY_CARD ||
                 rg_country_name_ok(document->country);
    RG_CHECK(known && document->signature_count <= signatures_max(document->kind), why,
             RG_MALFORMED, "document-value", "document: not one that has a place in a folder");
    file_name(document, name);
    RG_TRY(join(path, folder, name, "", why));
    if (document->kind == RG_DOC_KEY_CARD) {
        return rg_file_replace(path, rg_buffer_peek(&document->text), 0644, why);
    }
    RG_TRY(write_beside(folder, document, name, why));
    RG_TRY(finish_write(folder, document->kind, name, why));
    remove_old_signatures(folder, document, name);
    return rg_ok();
}

/* ---- reading ---- */

struct found {
    char name[NAME_BYTES]; /* of the text or card, without ".new" */
    char country[RG_COUNTRY_BYTES];
    size_t kind; /* index into file_kind */
};

/* Is it PREFIX country SUFFIX? ("charter" and cards: the middle is empty or the digest.) */
static bool recognize(const char *name, struct found *out)
{
    for (size_t i = 0; i < FILE_KINDS; i++) {
        size_t prefix = strlen(file_kind[i].prefix);
        size_t suffix = strlen(file_kind[i].suffix);
        size_t len = strlen(name);
        if (len < prefix + suffix || len >= NAME_BYTES ||
            strncmp(name, file_kind[i].prefix, prefix) != 0 ||
            strcmp(name + len - suffix, file_kind[i].suffix) != 0) {
            continue;
        }
        char middle[NAME_BYTES] = "";
        memcpy(middle, name + prefix, len - prefix - suffix);
        *out = (struct found){.kind = i};
        memcpy(out->name, name, len + 1);
        if (file_kind[i].kind == RG_DOC_CHARTER) {
            return middle[0] == '\0';
        }
        if (file_kind[i].kind == RG_DOC_KEY_CARD) {
            return strlen(middle) == 16;
        }
        (void)snprintf(out->country, sizeof(out->country), "%.11s", middle);
        return rg_country_name_ok(middle);
    }
    return false;
}

static int compare_found(const void *a, const void *b)
{
    const struct found *left = a;
    const struct found *right = b;
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    return strcmp(left->name, right->name);
}

static rg_outcome read_signatures(const char *folder, const struct found *found,
                                  struct rg_document *document, struct rg_reason *why)
{
    char path[PATH_BYTES];
    char name[SIGNATURE_NAME_BYTES];
    for (size_t i = 0; i < signatures_max(document->kind); i++) {
        signature_name(document->kind, found->name, i, name);
        RG_TRY(join(path, folder, name, "", why));
        if (access(path, F_OK) != 0) {
            continue;
        }
        RG_TRY(rg_file_read(path, RG_SIGNATURE_BYTES_MAX,
                            &document->signature[document->signature_count], why));
        document->signature_count++;
    }
    return rg_ok();
}

/* The country of a card stands in its certificate; a damaged card has none, and offer says so. */
static void find_card_country(struct rg_document *document)
{
    struct rg_principal principal;
    if (rg_is_ok(rg_card_claim(rg_buffer_peek(&document->text), &principal, NULL))) {
        memcpy(document->country, principal.country, sizeof(document->country));
    }
}

static rg_outcome read_document(const char *folder, const struct found *found,
                                struct rg_document *document, struct rg_reason *why)
{
    char path[PATH_BYTES];
    document->kind = file_kind[found->kind].kind;
    memcpy(document->country, found->country, sizeof(document->country));
    RG_TRY(join(path, folder, found->name, "", why));
    if (document->kind == RG_DOC_KEY_CARD) {
        RG_TRY(rg_file_read(path, RG_CARD_BYTES_MAX, &document->text, why));
        find_card_country(document);
        return rg_ok();
    }
    RG_TRY(rg_file_read(path, RG_DOCUMENT_BYTES_MAX, &document->text, why));
    return read_signatures(folder, found, document, why);
}

/* Finish what a crash has interrupted: for each TEXT.new. */
static rg_outcome recover(const char *folder, const char *name, struct rg_reason *why)
{
    struct found found;
    char text[NAME_BYTES] = "";
    size_t len = strlen(name);
    if (len < 5 || len >= NAME_BYTES || strcmp(name + len - 4, ".new") != 0) {
        return rg_ok();
    }
    memcpy(text, name, len - 4);
    return recognize(text, &found) ? finish_write(folder, file_kind[found.kind].kind, text, why)
                                   : rg_ok();
}

static void names_free(struct dirent ***names, int count)
{
    for (int i = 0; i < count; i++) {
        free((*names)[i]);
    }
    free(*names);
    *names = NULL;
}

static rg_outcome recover_all(const char *folder, struct rg_reason *why)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    RG_CHECK(count >= 0, why, RG_IO, "file-unreadable", "cannot read folder %s: %s", folder,
             strerror(errno));
    rg_outcome outcome = rg_ok();
    for (int i = 0; i < count && rg_is_ok(outcome); i++) {
        outcome = recover(folder, names[i]->d_name, why);
    }
    names_free(&names, count);
    return outcome;
}

static rg_outcome find_all(const char *folder, struct found **out, size_t *count_out,
                           struct rg_reason *why)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    RG_CHECK(count >= 0, why, RG_IO, "file-unreadable", "cannot read folder %s: %s", folder,
             strerror(errno));
    size_t used = 0;
    struct found *found = calloc((size_t)count + 1, sizeof(*found));
    for (int i = 0; found != NULL && i < count; i++) {
        used += recognize(names[i]->d_name, &found[used]);
    }
    names_free(&names, count);
    RG_CHECK(found != NULL, why, RG_IO, "out-of-memory", "cannot allocate a list of files");
    qsort(found, used, sizeof(*found), compare_found);
    *out = found;
    *count_out = used;
    return rg_ok();
}

static void found_cleanup(struct found **found)
{
    free(*found);
}

rg_outcome rg_document_read_folder(const char *folder,
                                   rg_outcome (*each)(void *context,
                                                      const struct rg_document *document,
                                                      struct rg_reason *why),
                                   void *context, struct rg_reason *why)
{
    RG_CLEANUP(found_cleanup) struct found *found = NULL;
    size_t count = 0;
    RG_TRY(recover_all(folder, why));
    RG_TRY(find_all(folder, &found, &count, why));
    for (size_t i = 0; i < count; i++) {
        RG_CLEANUP(rg_document_drop) struct rg_document document = {0};
        RG_TRY(read_document(folder, &found[i], &document, why));
        RG_TRY(each(context, &document, why));
    }
    return rg_ok();
}
