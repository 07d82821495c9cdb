/*
 * NAME
 *   figures - counts over cases by one or two columns, in which no small group can be seen
 *
 * SYNOPSIS
 *   rg_figures_new(&(struct rg_figure_shape){7, 13}, &figures, why)
 *   rg_figures_count(figures, row, column)              for each case
 *   rg_figures_protect(figures, why)                    decides what is withheld
 *   rg_figures_cell(figures, row, column)               count, or withheld
 *
 * DESCRIPTION
 *   A table of `rows` by `columns` categories with totals in row number `rows` and in column number
 * `columns`. With one column it is a list with one total. A figure under RG_FIGURES_K is withheld,
 * nought too. So are as many others as it takes that every withheld figure could still be
 * RG_FIGURES_K or more as far as everything that is shown can tell: no sum or difference of lines,
 * and no bound that follows from them, says that one is small.
 *   Totals are withheld exactly where the list of one column alone would withhold them. So a table
 * and the lists at its edges can both be published.
 *
 * ERRORS
 *   RG_IO out-of-memory; RG_LIMIT figures-size.
 *
 * THREADS
 *   Pure; one thread per table.
 *
 * LIMITS
 *   Three tables over the same people in pairs of three columns, and the same table on two days,
 *   are not compared; see docs/client.md.
 */
#ifndef RG_CLIENT_FIGURES_H
#define RG_CLIENT_FIGURES_H

#include "core/buffer.h"

#define RG_FIGURES_K 11
#define RG_FIGURES_CATEGORIES_MAX 16

struct rg_figure_shape {
    size_t rows, columns; /* categories; columns 1: a list */
};
struct rg_figure {
    uint64_t count; /* 0 when withheld */
    bool withheld;
};

struct rg_figures;
RG_MUST_USE rg_outcome rg_figures_new(const struct rg_figure_shape *shape,
                                      struct rg_figures **figures_out, struct rg_reason *why);
void rg_figures_free(struct rg_figures *figures); /* NULL allowed */
void rg_figures_cleanup(struct rg_figures **figures);
#define RG_OWNED_FIGURES RG_CLEANUP(rg_figures_cleanup) struct rg_figures *

/* One case more. Before protecting. */
void rg_figures_count(struct rg_figures *figures, size_t row, size_t column);
RG_MUST_USE rg_outcome rg_figures_protect(struct rg_figures *figures, struct rg_reason *why);
/* After protecting; until then everything is withheld. Number `rows` or `columns`: the total. */
struct rg_figure rg_figures_cell(const struct rg_figures *figures, size_t row, size_t column);

#endif
