/* figures: small groups cannot be seen, and what is shown cannot be used to compute them. */
#include "client/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 7 };

struct table {
    size_t rows, columns;
    unsigned cell[SIDE][SIDE];
};

static struct rg_figures *protected(const struct table *table)
{
    struct rg_figures *figures = NULL;
    struct rg_figure_shape shape = {table->rows, table->columns};
    assert_true(rg_is_ok(rg_figures_new(&shape, &figures, NULL)));
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t column = 0; column < table->columns; column++) {
            for (unsigned i = 0; i < table->cell[row][column]; i++) {
                rg_figures_count(figures, row, column);
            }
        }
    }
    assert_true(rg_figures_cell(figures, 0, 0).withheld);
    assert_true(rg_is_ok(rg_figures_protect(figures, NULL)));
    return figures;
}

static uint64_t sum_of(const struct table *table, size_t row, size_t column)
{
    uint64_t sum = 0;
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            bool in = (row == table->rows || row == r) && (column == table->columns || column == c);
            sum += in ? table->cell[r][c] : 0;
        }
    }
    return sum;
}

/* What is shown is true and not small. */
static void assert_true_figures(const struct table *table, const struct rg_figures *figures)
{
    for (size_t row = 0; row <= table->rows; row++) {
        for (size_t column = 0; column <= table->columns; column++) {
            struct rg_figure figure = rg_figures_cell(figures, row, column);
            uint64_t truth = sum_of(table, row, column);
            assert_true(figure.withheld || figure.count == truth);
            assert_true(figure.withheld || truth >= RG_FIGURES_K);
            assert_true(!figure.withheld || figure.count == 0);
        }
    }
}

/* ---- the reader who computes ---- */

struct bound {
    uint64_t least, most;
};
struct reader {
    size_t rows, columns;
    struct bound bound[SIDE + 1][SIDE + 1];
};
#define ANY UINT64_C(1000000)

static bool tighten(struct bound *bound, uint64_t least, uint64_t most)
{
    struct bound before = *bound;
    bound->least = least > bound->least ? least : bound->least;
    bound->most = most < bound->most ? most : bound->most;
    return before.least != bound->least || before.most != bound->most;
}

/* One line: `part` are its members, the last is their total. */
static bool line_tells(struct bound *part[], size_t count)
{
    bool learned = false;
    struct bound *total = part[count - 1];
    uint64_t least = 0;
    uint64_t most = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        least += part[i]->least;
        most += part[i]->most;
    }
    learned = tighten(total, least, most) || learned;
    for (size_t i = 0; i + 1 < count; i++) {
        uint64_t others_least = least - part[i]->least;
        uint64_t others_most = most - part[i]->most;
        uint64_t from = total->least > others_most ? total->least - others_most : 0;
        uint64_t to = total->most > others_least ? total->most - others_least : 0;
        if (tighten(part[i], from, to)) {
            return true;
        }
    }
    return learned;
}

static bool reader_learns(struct reader *reader)
{
    bool learned = false;
    struct bound *part[SIDE + 1];
    for (size_t row = 0; row <= reader->rows; row++) {
        for (size_t column = 0; column <= reader->columns; column++) {
            part[column] = &reader->bound[row][column];
        }
        learned = line_tells(part, reader->columns + 1) || learned;
    }
    for (size_t column = 0; column <= reader->columns; column++) {
        for (size_t row = 0; row <= reader->rows; row++) {
            part[row] = &reader->bound[row][column];
        }
        learned = line_tells(part, reader->rows + 1) || learned;
    }
    return learned;
}

/* Takes totals minus shown cells, and bounds from bounds, until nothing more can be learned. No
 * figure may come out as small. */
static void assert_reader_fails(const struct table *table, const struct rg_figures *figures)
{
    struct reader reader = {.rows = table->rows, .columns = table->columns};
    for (size_t row = 0; row <= table->rows; row++) {
        for (size_t column = 0; column <= table->columns; column++) {
            struct rg_figure figure = rg_figures_cell(figures, row, column);
            reader.bound[row][column] = figure.withheld
                                            ? (struct bound){0, ANY}
                                            : (struct bound){figure.count, figure.count};
        }
    }
    while (reader_learns(&reader)) {
    }
    for (size_t row = 0; row <= table->rows; row++) {
        for (size_t column = 0; column <= table->columns; column++) {
            assert_true(reader.bound[row][column].most >= RG_FIGURES_K);
        }
    }
}

/* A withheld figure is the link of a row and a column; it can be computed when it is the only way
 * from one to the other. Found by colouring, which knows nothing of flows. */
static bool is_computable(const struct table *table, const struct rg_figures *figures, size_t row,
                          size_t column)
{
    bool row_in[SIDE + 1] = {false};
    bool column_in[SIDE + 1] = {false};
    bool changed = true;
    row_in[row] = true;
    while (changed) {
        changed = false;
        for (size_t r = 0; r <= table->rows; r++) {
            for (size_t c = 0; c <= table->columns; c++) {
                bool link = rg_figures_cell(figures, r, c).withheld && (r != row || c != column);
                if (link && row_in[r] != column_in[c]) {
                    row_in[r] = column_in[c] = true;
                    changed = true;
                }
            }
        }
    }
    return !column_in[column];
}

static void assert_nothing_small_is_computable(const struct table *table,
                                               const struct rg_figures *figures)
{
    for (size_t row = 0; row <= table->rows; row++) {
        for (size_t column = 0; column <= table->columns; column++) {
            bool small = sum_of(table, row, column) < RG_FIGURES_K;
            assert_false(small && is_computable(table, figures, row, column));
        }
    }
}

/* A table's totals are those of the lists at its edges. */
static void assert_edges_are_lists(const struct table *table, const struct rg_figures *figures)
{
    struct table list = {.rows = table->rows, .columns = 1};
    for (size_t row = 0; row < table->rows; row++) {
        list.cell[row][0] = (unsigned)sum_of(table, row, table->columns);
    }
    RG_OWNED_FIGURES alone = protected(&list);
    for (size_t row = 0; row <= table->rows; row++) {
        struct rg_figure a = rg_figures_cell(alone, row, 1);
        struct rg_figure b = rg_figures_cell(figures, row, table->columns);
        assert_int_equal(a.withheld, b.withheld);
        assert_int_equal(a.count, b.count);
    }
}

static void assert_safe(const struct table *table)
{
    RG_OWNED_FIGURES figures = protected(table);
    assert_true_figures(table, figures);
    if (table->columns > 1) {
        assert_reader_fails(table, figures);
        assert_nothing_small_is_computable(table, figures);
        assert_edges_are_lists(table, figures);
    }
}

static void test_known_tables(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {2, 2, {{50, 3}, {40, 60}}},
        {2, 2, {{50, 3}, {4, 60}}},
        {3, 3, {{5, 30, 40}, {30, 30, 30}, {40, 40, 40}}},
        {3, 3, {{0, 0, 0}, {0, 0, 0}, {0, 0, 12}}},
        {3, 3, {{200, 0, 0}, {0, 100, 0}, {0, 0, 50}}},
        {2, 3, {{10, 10, 10}, {10, 10, 10}}},
        {2, 2, {{0, 0}, {0, 0}}},
        {2, 2, {{5, 5}, {0, 0}}},
        {3, 2, {{100, 100}, {100, 100}, {1, 100}}},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        assert_safe(&tables[i]);
    }
}

static void test_a_table_without_small_figures_is_shown_whole(void **state)
{
    (void)state;
    struct table table = {3, 3, {{11, 30, 40}, {30, 30, 30}, {40, 40, 40}}};
    RG_OWNED_FIGURES figures = protected(&table);
    for (size_t row = 0; row <= 3; row++) {
        for (size_t column = 0; column <= 3; column++) {
            assert_false(rg_figures_cell(figures, row, column).withheld);
        }
    }
}

static void test_one_small_figure_costs_few_others(void **state)
{
    (void)state;
    struct table table = {3, 3, {{5, 30, 40}, {30, 30, 30}, {40, 40, 40}}};
    RG_OWNED_FIGURES figures = protected(&table);
    size_t withheld = 0;
    for (size_t row = 0; row <= 3; row++) {
        for (size_t column = 0; column <= 3; column++) {
            withheld += rg_figures_cell(figures, row, column).withheld;
        }
    }
    assert_int_equal(withheld, 4); /* the corners of one rectangle */
}

static void test_lists(void **state)
{
    (void)state;
    static const struct {
        unsigned count[4];
        bool withheld[5]; /* the last is the total */
    } row[] = {
        {{50, 40, 30, 20}, {false, false, false, false, false}},
        {{50, 40, 30, 3}, {false, false, true, true, false}},  /* the smallest of the others too */
        {{50, 40, 10, 10}, {false, false, true, true, false}}, /* together they may be large */
        {{50, 40, 0, 0}, {false, true, true, true, false}},    /* nought and nought may not */
        {{50, 40, 5, 5}, {false, true, true, true, false}},
        {{5, 5, 0, 0}, {true, true, true, true, true}},
        {{12, 0, 0, 0}, {true, true, true, true, false}},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct table table = {.rows = 4, .columns = 1};
        for (size_t k = 0; k < 4; k++) {
            table.cell[k][0] = row[i].count[k];
        }
        RG_OWNED_FIGURES figures = protected(&table);
        for (size_t k = 0; k <= 4; k++) {
            if (rg_figures_cell(figures, k, 0).withheld != row[i].withheld[k]) {
                fail_msg("list %zu, figure %zu", i, k);
            }
        }
    }
}

/* Tables of every make, small figures in many places. */
static void test_the_reader_fails_on_many_tables(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (unsigned n = 0; n < 3000; n++) {
        struct table table = {.rows = 2 + n % 6, .columns = 2 + n / 6 % 6};
        unsigned most = 1 + n % 60;
        for (size_t row = 0; row < table.rows; row++) {
            for (size_t column = 0; column < table.columns; column++) {
                seed = seed * 1664525u + 1013904223u;
                unsigned value = (seed >> 16) % (most + 1);
                table.cell[row][column] = (seed >> 8) % 3 == 0 ? 0 : value;
            }
        }
        assert_safe(&table);
    }
}

static void test_a_table_has_a_size(void **state)
{
    (void)state;
    struct rg_figures *figures = NULL;
    struct rg_reason why = {0};
    const struct rg_figure_shape shape[] = {{0, 1}, {1, 0}, {17, 1}, {1, 17}};
    for (size_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
        assert_int_equal(rg_figures_new(&shape[i], &figures, &why).code, RG_LIMIT);
        assert_string_equal(why.id, "figures-size");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_tables),
        cmocka_unit_test(test_a_table_without_small_figures_is_shown_whole),
        cmocka_unit_test(test_one_small_figure_costs_few_others),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_the_reader_fails_on_many_tables),
        cmocka_unit_test(test_a_table_has_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
