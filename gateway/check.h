/*
 * NAME
 *   check - `referral-gateway check`: would a gateway with this config work?
 *
 * SYNOPSIS
 *   problems = rg_check(&config, now, stdout)
 *
 * DESCRIPTION
 *   One line per thing looked at: "ok ...", "note ..." (works, but somebody should know) or
 * "wrong FILE: reason". Looks at: the TLS certificate and key (readable, private, matching, this
 * country's gateway, valid now), the log key (against the charter), the authorities, every document
 * of the trust folder, that the charter and this country's page are there and fresh, that the
 * certificate is the one in the page, that the page has our port, and that the folders are private.
 * Starts and changes nothing.
 */
#ifndef RG_GATEWAY_CHECK_H
#define RG_GATEWAY_CHECK_H

#include "gateway/config.h"

#include <stdio.h>

/* How many things are wrong. */
size_t rg_check(const struct rg_config *config, struct rg_wall now, FILE *out);

#endif
