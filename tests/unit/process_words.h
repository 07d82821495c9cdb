/*
 * NAME
 *   process_words - messages of a case written as words, for tests of the process
 *
 * SYNOPSIS
 *   words_say(&talk, "H11 O12 H35:SAFE { H44 | O21:RETURN } O46:YES");
 *   words_fold(&talk)                     the folded state
 *   words_last(&talk)->reason             what became of the last message
 *
 * DESCRIPTION
 *   One word is one message: the side (H, O), the kind, after ':' the code in the words of the
 * form (for 11 the reason, for 20, 21, 49 and 70 scopes or basis), after '.' options: child, two
 * (officers), b (another officer), safe, until, may (return), late (100 days on), now (the day
 * stays), once (no previous). Each has seen what its side knows: all before it; within
 * { left | right } neither half has seen the other. Answers name the last message that the kind may
 * answer.
 */
#ifndef RG_TESTS_PROCESS_WORDS_H
#define RG_TESTS_PROCESS_WORDS_H

#include "client/process_inside.h"

#define TALK_MAX 256

struct talk {
    struct rg_process_message message[TALK_MAX];
    bool knows[RG_PARTY_COUNT][TALK_MAX];
    struct rg_process_entry entry[TALK_MAX];
    size_t count, entries;
    int64_t now_ms;
};

void words_start(struct talk *talk);
void words_say(struct talk *talk, const char *words);
/* One message from `from`, who has seen what it knows; not yet in the talk. */
struct rg_process_message words_message(const struct talk *talk, const char *word);
struct rg_process words_fold(struct talk *talk);
const struct rg_process_entry *words_entry(const struct talk *talk, size_t index); /* of message */
const struct rg_process_entry *words_last(const struct talk *talk);
struct rg_process words_of(const char *words); /* from nothing */

/* A whole case up to a state. */
#define UNTIL_ACCEPTED "H11 O12 H17"
#define UNTIL_CLEARED UNTIL_ACCEPTED " H30 O31:CONFIRMED O38:ISSUED H35:SAFE O35:SAFE"
#define UNTIL_SCHEDULED UNTIL_CLEARED " H40 O41:ACCEPT"
#define UNTIL_TRANSIT UNTIL_SCHEDULED " H44"
#define UNTIL_HANDED UNTIL_TRANSIT " H45:PRESENT"
#define UNTIL_RECEIVED UNTIL_HANDED " O46:true"
#define UNTIL_HOME UNTIL_RECEIVED " O50"
#define UNTIL_AWAY UNTIL_HOME " H60 O61:AGREES H62:PROPOSED O62:AGREED O44"
#define UNTIL_THERE UNTIL_AWAY " O45:PRESENT H46:true"

#endif
