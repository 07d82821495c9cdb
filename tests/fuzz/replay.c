/* Runs one harness on files, or on all files of a folder, without libFuzzer: so that every build
 * compiles the harnesses and every test run tries the seeds and what fuzzing has found before. */
#include "tests/fuzz/fuzz.h"

#include "core/limits.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

static int replay(const char *path)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_file_read(path, RG_MIB, &bytes, &why))) {
        (void)fprintf(stderr, "%s\n", why.text);
        return 0;
    }
    (void)LLVMFuzzerTestOneInput(bytes.data, bytes.len);
    return 1;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = 0;
    if (dir == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[4096];
        struct stat status;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
            count += replay(path);
        }
    }
    (void)closedir(dir);
    return count;
}

/* Not 0 when there was nothing to replay. */
int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        struct stat status;
        bool folder = stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode);
        count += folder ? replay_folder(argv[i]) : replay(argv[i]);
    }
    (void)printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
