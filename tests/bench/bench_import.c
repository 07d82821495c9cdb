/* Reads a caseload as CSV over and over: rows per second of parsing and checking values alone, the
 * limit for an import with rules, sealing and storing. usage: bench_import FILE */
#include "client/record.h"
#include "tests/bench/bench.h"

#include <stdlib.h>

enum { rounds = 5 };

int main(int argc, char **argv)
{
    static struct rg_import_report report;
    const struct rg_date today = {2026, 11, 24};
    struct rg_reason why = {0};
    RG_OWNED_BUFFER text = {0};
    if (argc != 2 || !rg_is_ok(rg_file_read(argv[1], RG_CSV_BYTES_MAX, &text, &why))) {
        (void)fprintf(stderr, "bench_import: %s\n", argc == 2 ? why.text : "usage: FILE");
        return 1;
    }
    double best = 0;
    for (int i = 0; i < rounds; i++) {
        RG_OWNED_RECORDS records = NULL;
        double start = bench_now_s();
        if (!rg_is_ok(rg_records_read_csv(rg_buffer_peek(&text), today, &records, &report, &why))) {
            (void)fprintf(stderr, "bench_import: %s\n", why.text);
            return 1;
        }
        double rate = report.rows / (bench_now_s() - start);
        best = rate > best ? rate : best;
    }
    (void)printf("parsed %.1f\n", best);
    return 0;
}
