/*
 * NAME
 *   fake_trust - core/trust without certificates, for the courier's tests and the simulation
 *
 * DESCRIPTION
 *   Linked instead of core/trust.c (an executable's own definitions come before a library's). The
 * documents are lines of words, unsigned:
 *
 *   charter 1              page th 1                    domestic th 1            stop th 1
 *   th HEX-OF-LOG-KEY      th/focal focal always        th/ngo-a ngo never       th/ngo-a
 *   kh HEX-OF-LOG-KEY      th/rescue ngo emergency
 *
 *   A card is "card kh/focal/officer-1 7". A country is suspended by rg_trust_suspend only.
 */
#ifndef RG_TESTS_SIM_FAKE_TRUST_H
#define RG_TESTS_SIM_FAKE_TRUST_H

#include "core/trust.h"

void fake_document(enum rg_document_kind kind, const char *country, const char *text,
                   struct rg_document *out);
/* Pages are fresh until then (default: for ever). */
void fake_trust_fresh_until(struct rg_trust *trust, struct rg_wall until);

#endif
