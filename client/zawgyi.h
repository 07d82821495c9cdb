/*
 * NAME
 *   zawgyi - does Burmese text look as if it was typed in the old Zawgyi font encoding
 *
 * SYNOPSIS
 *   if (rg_zawgyi_score(name) >= RG_ZAWGYI_SUSPECTED) say so to a person
 *
 * DESCRIPTION
 *   Zawgyi uses the code points of Burmese with another meaning: what looks right on one phone is
 * garbage on another. This looks for what Zawgyi needs and Unicode forbids: the vowel E or a medial
 * before its consonant, a virama with nothing stacked under it, the code points of Shan, Mon and
 * Karen letters in the midst of Burmese as Zawgyi's stacked forms. It only warns. It never converts
 * anything, since rules made by hand misjudge Shan and Mon, whose letters it therefore counts only
 * where a Burmese virama or asat in Zawgyi's manner stands beside them.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_ZAWGYI_H
#define RG_CLIENT_ZAWGYI_H

#include "core/buffer.h"

#define RG_ZAWGYI_SUSPECTED 50
/* 0: nothing speaks for it; 100: it cannot be anything else. `text` has been checked. */
unsigned rg_zawgyi_score(struct rg_bytes text);

#endif
