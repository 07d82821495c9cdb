/*
 * How it works: a table with its totals is a flow: from the top to each row, as much as the row's
 * total; from a row to a column, as much as the cell; from a column to the bottom, its total; and
 * back from the bottom to the top, the total of all. What a reader knows are the shown amounts and
 * that in each place as much goes out as comes in. A withheld figure could be larger if more could
 * flow through it, around by other withheld figures, up or down, none below nought. That is looked
 * for unit by unit up to RG_FIGURES_K; where it fails, the shown figures on the cheapest way are
 * withheld too, and all is looked at again. First the two lists at the edges are decided, each as
 * if it were alone; from then on no total changes. Each round withholds one more, so it ends.
 * Invariant: when it has ended, every withheld figure could be RG_FIGURES_K or more.
 */
#include "client/figures.h"

#include <stdlib.h>
#include <string.h>

#define SIDE_MAX (RG_FIGURES_CATEGORIES_MAX + 1)
#define CELLS_MAX (SIDE_MAX * SIDE_MAX)
#define TOP 0
#define BOTTOM 1
#define FIRST_ROW 2
#define NODES_MAX (FIRST_ROW + 2 * RG_FIGURES_CATEGORIES_MAX)

struct rg_figures {
    size_t rows, columns;
    uint64_t count[CELLS_MAX];
    bool withheld[CELLS_MAX];
};

/* One figure of a flow, from node to node. */
struct pipe {
    size_t cell;
    size_t from, to;
};

struct flow {
    struct pipe pipe[CELLS_MAX];
    size_t count;
    uint64_t amount[CELLS_MAX]; /* of each pipe */
};

static size_t place(const struct rg_figures *figures, size_t row, size_t column)
{
    return row * (figures->columns + 1) + column;
}

static bool is_list(const struct rg_figures *figures)
{
    return figures->columns == 1;
}

rg_outcome rg_figures_new(const struct rg_figure_shape *shape, struct rg_figures **figures_out,
                          struct rg_reason *why)
{
    RG_CHECK(shape->rows >= 1 && shape->rows <= RG_FIGURES_CATEGORIES_MAX && shape->columns >= 1 &&
                 shape->columns <= RG_FIGURES_CATEGORIES_MAX,
             why, RG_LIMIT, "figures-size", "a table has 1 to %d categories each way",
             RG_FIGURES_CATEGORIES_MAX);
    struct rg_figures *figures = calloc(1, sizeof(*figures));
    RG_CHECK(figures != NULL, why, RG_IO, "out-of-memory", "cannot allocate a table");
    figures->rows = shape->rows;
    figures->columns = shape->columns;
    memset(figures->withheld, true, sizeof(figures->withheld));
    *figures_out = figures;
    return rg_ok();
}

void rg_figures_free(struct rg_figures *figures)
{
    free(figures);
}

void rg_figures_cleanup(struct rg_figures **figures)
{
    rg_figures_free(*figures);
    *figures = NULL;
}

void rg_figures_count(struct rg_figures *figures, size_t row, size_t column)
{
    RG_ASSERT(row < figures->rows && column < figures->columns);
    figures->count[place(figures, row, column)]++;
    figures->count[place(figures, row, figures->columns)]++;
    figures->count[place(figures, figures->rows, column)]++;
    figures->count[place(figures, figures->rows, figures->columns)]++;
}

/* ---- flows ---- */

static void pipe_add(struct flow *flow, size_t cell, size_t from, size_t to)
{
    flow->pipe[flow->count++] = (struct pipe){cell, from, to};
}

/* The totals of the rows (or of the columns) side by side, and their sum back. */
static void flow_of_edge(const struct rg_figures *figures, bool of_rows, struct flow *flow)
{
    size_t count = of_rows ? figures->rows : figures->columns;
    flow->count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t cell =
            of_rows ? place(figures, i, figures->columns) : place(figures, figures->rows, i);
        pipe_add(flow, cell, TOP, BOTTOM);
    }
    pipe_add(flow, place(figures, figures->rows, figures->columns), BOTTOM, TOP);
}

static void flow_of_table(const struct rg_figures *figures, struct flow *flow)
{
    size_t first_column = FIRST_ROW + figures->rows;
    flow->count = 0;
    for (size_t row = 0; row < figures->rows; row++) {
        pipe_add(flow, place(figures, row, figures->columns), TOP, FIRST_ROW + row);
        for (size_t column = 0; column < figures->columns; column++) {
            pipe_add(flow, place(figures, row, column), FIRST_ROW + row, first_column + column);
        }
    }
    for (size_t column = 0; column < figures->columns; column++) {
        pipe_add(flow, place(figures, figures->rows, column), first_column + column, BOTTOM);
    }
    pipe_add(flow, place(figures, figures->rows, figures->columns), BOTTOM, TOP);
}

/* A way for one unit: for each node reached, the pipe it was reached by. */
struct way {
    uint64_t price[NODES_MAX];
    size_t by[NODES_MAX];
};
#define UNREACHED UINT64_MAX

struct search {
    const struct rg_figures *figures;
    struct flow *flow;
    size_t through;
    bool spend;  /* shown figures may be withheld for it */
    bool inside; /* but no totals */
};

static bool is_total(const struct rg_figures *figures, size_t cell)
{
    size_t width = figures->columns + 1;
    return cell / width == figures->rows || cell % width == figures->columns;
}

/* What it costs the reader to have this figure withheld; UNREACHED: it may not be. The total of all
 * is shown whenever it is large enough. */
static uint64_t price_of(const struct search *search, size_t cell)
{
    const struct rg_figures *figures = search->figures;
    if (figures->withheld[cell]) {
        return 0;
    }
    bool grand = cell == place(figures, figures->rows, figures->columns);
    bool kept = grand || (search->inside && is_total(figures, cell));
    return search->spend && !kept ? figures->count[cell] : UNREACHED;
}

static bool reach(struct way *way, size_t from, size_t to, size_t pipe, uint64_t price)
{
    if (way->price[from] == UNREACHED || way->price[from] + price >= way->price[to]) {
        return false;
    }
    way->price[to] = way->price[from] + price;
    way->by[to] = pipe;
    return true;
}

/* One unit more along a pipe, or one less against it. */
static bool reach_by(const struct search *search, size_t i, struct way *way)
{
    const struct pipe *pipe = &search->flow->pipe[i];
    uint64_t price = price_of(search, pipe->cell);
    if (price == UNREACHED || i == search->through) {
        return false;
    }
    bool along = reach(way, pipe->from, pipe->to, i, price);
    bool against = search->flow->amount[i] > 0 && reach(way, pipe->to, pipe->from, i, price);
    return along || against;
}

/* The cheapest way from the end of pipe `through` back to its beginning, not through it. */
static bool way_find(const struct search *search, struct way *way)
{
    const struct pipe *through = &search->flow->pipe[search->through];
    bool changed = true;
    for (size_t node = 0; node < NODES_MAX; node++) {
        way->price[node] = UNREACHED;
    }
    way->price[through->to] = 0;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < search->flow->count; i++) {
            changed = reach_by(search, i, way) || changed;
        }
    }
    return way->price[through->from] != UNREACHED;
}

/* Goes one pipe back along the way; says which and in which direction. */
static size_t step_back(const struct flow *flow, const struct way *way, size_t *node, bool *along)
{
    size_t by = way->by[*node];
    *along = flow->pipe[by].to == *node;
    *node = *along ? flow->pipe[by].from : flow->pipe[by].to;
    return by;
}

static void way_take(struct flow *flow, size_t through, const struct way *way)
{
    size_t node = flow->pipe[through].from;
    bool along = false;
    while (node != flow->pipe[through].to) {
        size_t by = step_back(flow, way, &node, &along);
        flow->amount[by] += along ? 1 : (uint64_t)-1;
    }
    flow->amount[through]++;
}

/* May the figure be RG_FIGURES_K or more, for all a reader can tell? */
static bool may_be_large(const struct search *search)
{
    struct way way;
    struct flow *flow = search->flow;
    for (size_t i = 0; i < flow->count; i++) {
        flow->amount[i] = search->figures->count[flow->pipe[i].cell];
    }
    while (flow->amount[search->through] < RG_FIGURES_K) {
        if (!way_find(search, &way)) {
            return false;
        }
        way_take(flow, search->through, &way);
    }
    return true;
}

/* ---- withholding ---- */

/* Opens one more way, by withholding what stands in it. False: there is none to be had. */
static bool withhold_way(struct rg_figures *figures, const struct search *search)
{
    struct way way;
    bool along = false;
    size_t node = search->flow->pipe[search->through].from;
    if (!way_find(search, &way)) {
        return false;
    }
    while (node != search->flow->pipe[search->through].to) {
        size_t by = step_back(search->flow, &way, &node, &along);
        figures->withheld[search->flow->pipe[by].cell] = true;
    }
    return true;
}

/* True when something was withheld. */
static bool round_once(struct rg_figures *figures, struct flow *flow, bool inside)
{
    for (size_t i = 0; i < flow->count; i++) {
        struct search search = {figures, flow, i, false, inside};
        if (!figures->withheld[flow->pipe[i].cell] || may_be_large(&search)) {
            continue;
        }
        search.spend = true;
        if (withhold_way(figures, &search)) {
            return true;
        }
    }
    return false;
}

rg_outcome rg_figures_protect(struct rg_figures *figures, struct rg_reason *why)
{
    size_t cells = (figures->rows + 1) * (figures->columns + 1);
    struct flow *flow = calloc(1, sizeof(*flow));
    RG_CHECK(flow != NULL, why, RG_IO, "out-of-memory", "cannot look at a table");
    for (size_t cell = 0; cell < cells; cell++) {
        figures->withheld[cell] = figures->count[cell] < RG_FIGURES_K;
    }
    for (unsigned of_rows = 0; of_rows < 2; of_rows++) {
        flow_of_edge(figures, of_rows == 1, flow);
        while ((of_rows == 1 || !is_list(figures)) && round_once(figures, flow, false)) {
        }
    }
    flow_of_table(figures, flow);
    while (!is_list(figures) && round_once(figures, flow, true)) {
    }
    free(flow);
    return rg_ok();
}

struct rg_figure rg_figures_cell(const struct rg_figures *figures, size_t row, size_t column)
{
    RG_ASSERT(row <= figures->rows && column <= figures->columns);
    /* In a list the only column is the total. */
    size_t cell = place(figures, row, is_list(figures) ? figures->columns : column);
    bool withheld = figures->withheld[cell];
    return (struct rg_figure){withheld ? 0 : figures->count[cell], withheld};
}
