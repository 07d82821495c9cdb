/* How it works: every sealed section named on standard input is tried with every key named on the
 * command line, through OpenSSL's own CMS calls and none of ours. One line per pair that opens:
 * section, tab, key. So a story can say who could read what without believing our code. */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 512
#define LINE_BYTES 4096

static EVP_PKEY *key_read(const char *path)
{
    FILE *in = fopen(path, "r");
    EVP_PKEY *key = in != NULL ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;
    if (in != NULL) {
        (void)fclose(in);
    }
    return key;
}

/* Plaintext goes nowhere: only whether it came out counts. */
static int opens(const char *path, EVP_PKEY *key)
{
    BIO *in = BIO_new_file(path, "rb");
    BIO *out = BIO_new(BIO_s_null());
    CMS_ContentInfo *cms = in != NULL ? d2i_CMS_bio(in, NULL) : NULL;
    int ok = cms != NULL && CMS_decrypt_set1_pkey(cms, key, NULL) == 1 &&
             CMS_decrypt(cms, NULL, NULL, NULL, out, CMS_BINARY) == 1;
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    ERR_clear_error();
    return ok;
}

int main(int argc, char **argv)
{
    EVP_PKEY *key[KEYS_MAX];
    char line[LINE_BYTES];
    if (argc - 1 > KEYS_MAX) {
        (void)fprintf(stderr, "try_keys: at most %d keys\n", KEYS_MAX);
        return 64;
    }
    for (int i = 1; i < argc; i++) {
        key[i - 1] = key_read(argv[i]);
        if (key[i - 1] == NULL) {
            (void)fprintf(stderr, "try_keys: %s is not a private key in PEM\n", argv[i]);
            return 66;
        }
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        for (int i = 1; i < argc; i++) {
            if (opens(line, key[i - 1])) {
                (void)printf("%s\t%s\n", line, argv[i]);
            }
        }
    }
    for (int i = 1; i < argc; i++) {
        EVP_PKEY_free(key[i - 1]);
    }
    return 0;
}
