/*
 * NAME
 *   syntax - which texts a field of the wire may hold
 *
 * DESCRIPTION
 *   Only the form is checked here; whether such an office or country exists is a question for
 * trust. Names are lower-case ASCII, so that two names that look alike are alike.
 */
#ifndef RG_CORE_SYNTAX_H
#define RG_CORE_SYNTAX_H

#include "core/buffer.h"

bool rg_syntax_country(struct rg_bytes text);         /* "th": 2 to 8 of a-z 0-9, a letter first */
bool rg_syntax_country_or_none(struct rg_bytes text); /* "" for the charter */
bool rg_syntax_office(struct rg_bytes text);          /* country "/" name */
bool rg_syntax_principal(struct rg_bytes text);       /* "referral://" office [ "/" name ] */
bool rg_syntax_name(struct rg_bytes text);            /* a-z 0-9 '-', neither first nor last '-' */
bool rg_syntax_origin(struct rg_bytes text);          /* printable ASCII without space and '+' */
bool rg_syntax_line(struct rg_bytes text);            /* UTF-8 without control characters */

#endif
