/*
 * NAME
 *   sample_form - a lawful form of any kind, made from its table
 *
 * DESCRIPTION
 *   For tests and seeds. The smallest one holds what is required and what follows from the first
 * code of each list; the full one holds every box, two rows in most lists.
 */
#ifndef RG_TESTS_SAMPLE_FORM_H
#define RG_TESTS_SAMPLE_FORM_H

#include "client/form.h"

RG_MUST_USE rg_outcome sample_form(const struct rg_form_table *table, bool full,
                                   struct rg_form **form_out, struct rg_reason *why);

#endif
