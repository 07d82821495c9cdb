#include "tests/unit/process_words.h"

#include "core/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define START_MS INT64_C(1795608000000) /* 2026-11-25 12:00 UTC */

static void fail(const char *what, const char *word)
{
    (void)fprintf(stderr, "process_words: %s: %s\n", what, word);
    abort();
}

void words_start(struct talk *talk)
{
    memset(talk, 0, sizeof(*talk));
    talk->now_ms = START_MS;
}

static struct rg_hash officer(enum rg_party from, char name)
{
    char text[] = {from == RG_PARTY_HOST ? 'h' : 'o', name};
    return rg_sha256(rg_bytes_of(text, sizeof(text)));
}

static const struct {
    const char *word;
    uint32_t scopes;
} scopes[] = {
    {"RETURN", RG_SCOPE_BIT(RG_SCOPE_RETURN)},
    {"IDENTITY", RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY)},
    {"BOTH", RG_SCOPE_BIT(RG_SCOPE_RETURN) | RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY)},
    {"FOLLOW_UP", RG_SCOPE_BIT(RG_SCOPE_FOLLOW_UP)},
    {"ONWARD", RG_SCOPE_BIT(RG_SCOPE_ONWARD_THIRD_COUNTRY)},
    {"NOTIFY", RG_SCOPE_BIT(RG_SCOPE_NOTIFY_ORIGIN)},
    {"STATISTICS", RG_SCOPE_BIT(RG_SCOPE_STATISTICS)},
    {"LEGAL", RG_SCOPE_BIT(RG_SCOPE_SHARE_LEGAL)},
};

static uint32_t scopes_of(const char *text)
{
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (strcmp(scopes[i].word, text) == 0) {
            return scopes[i].scopes;
        }
    }
    return 0;
}

static void set_code(struct rg_process_message *m, const char *text, const char *word)
{
    static const struct {
        const char *word;
        enum rg_referral_reason reason;
    } reasons[] = {{"RETURN", RG_REASON_RETURN},
                   {"LATE", RG_REASON_LATE_IDENTIFICATION},
                   {"TRACING", RG_REASON_TRACING_ONLY}};
    const char *box = rg_process_code_box(m->kind);
    uint32_t all = (1u << 10) - 1;
    switch (m->kind) {
    case 11:
        m->scopes = all;
        m->code = RG_REASON_RETURN;
        for (size_t i = 0; i < 3; i++) {
            m->code = strcmp(reasons[i].word, text) == 0 ? reasons[i].reason : m->code;
        }
        return;
    case 20:
    case 70:
        m->scopes = text[0] == '\0' ? all : scopes_of(text);
        return;
    case 21:
        m->scopes = scopes_of(text[0] == '\0' ? "RETURN" : text);
        return;
    case 49:
        m->flags |= strcmp(text, "VITAL") == 0 ? RG_SAYS_VITAL_INTEREST : RG_SAYS_CONSENT;
        m->scopes = strcmp(text, "VITAL") == 0 ? 0 : RG_SCOPES_RETURN;
        return;
    default:
        break;
    }
    m->code = box == NULL || text[0] == '\0' ? 0 : rg_process_code_of(m->kind, box, text);
    if (text[0] != '\0' && m->code == 0) {
        fail("no such code", word);
    }
}

static struct rg_date days_on(int64_t ms, int64_t days)
{
    return rg_date_of_wall((struct rg_wall){ms + days * DAY_MS});
}

static void set_defaults(struct rg_process_message *m, int64_t now_ms)
{
    m->author = officer(m->from, 'a');
    m->made.ms = now_ms;
    m->age = m->kind == 11 || m->kind == 49 || m->kind == 70 ? RG_AGE_ADULT : 0;
    switch (m->kind) {
    case 11:
    case 20:
    case 31:
    case 38:
    case 39:
        m->valid_to = days_on(now_ms, 150);
        break;
    case 35:
    case 36:
        m->valid_to = days_on(now_ms, 60);
        break;
    default:
        break;
    }
    if (m->kind == 36) {
        m->flags |= RG_SAYS_GUARDIAN | RG_SAYS_ESCORT | RG_SAYS_CARE;
    }
    if (m->kind == 49) {
        m->second_author = officer(m->from, 'z');
    }
}

static void set_option(struct rg_process_message *m, const char *option, const char *word)
{
    if (strcmp(option, "child") == 0) {
        m->age = RG_AGE_CHILD;
    } else if (strcmp(option, "two") == 0) {
        m->second_author = officer(m->from, 'z');
    } else if (strcmp(option, "alone") == 0) {
        m->second_author = (struct rg_hash){{0}};
    } else if (strcmp(option, "b") == 0) {
        m->author = officer(m->from, 'b');
    } else if (strcmp(option, "safe") == 0) {
        m->flags |= RG_SAYS_SAFE;
    } else if (strcmp(option, "may") == 0) {
        m->flags |= RG_SAYS_GOES_ANYWAY;
    } else if (strcmp(option, "until") == 0) {
        m->flags |= RG_SAYS_WAITS_AS_WITNESS;
        m->valid_to = days_on(m->made.ms, 30);
    } else if (strcmp(option, "bare") == 0) {
        m->flags = 0;
    } else if (strcmp(option, "once") == 0) {
        m->has_previous = false;
    } else if (strcmp(option, "fresh") == 0) {
        m->fresh = true;
    } else if (strcmp(option, "actual") == 0) {
        m->trafficking = 2;
    } else if (strcmp(option, "not") == 0) {
        m->trafficking = 3;
    } else if (strcmp(option, "late") != 0) {
        fail("no such option", word);
    }
}

/* The last one that it may answer, of what the side knows; the other side's first. */
static void set_answers(const struct talk *talk, struct rg_process_message *m)
{
    const struct rg_kind_row *row = rg_kind_row(m->kind);
    if (row == NULL || row->answers[0] == 0) {
        return;
    }
    for (unsigned pass = 0; pass < 2 && !m->has_answers; pass++) {
        for (size_t i = talk->count; i > 0 && !m->has_answers; i--) {
            const struct rg_process_message *other = &talk->message[i - 1];
            bool side = (other->from != m->from) == (pass == 0);
            if (side && talk->knows[m->from][i - 1] && rg_kind_answers(m->kind, other->kind)) {
                m->has_answers = true;
                m->answers = other->id;
            }
        }
    }
}

static void set_chain(const struct talk *talk, struct rg_process_message *m)
{
    for (size_t i = 0; i < talk->count; i++) {
        const struct rg_process_message *other = &talk->message[i];
        if (!talk->knows[m->from][i] || other->fresh) {
            continue;
        }
        bool own = other->from == m->from;
        *(own ? &m->has_previous : &m->has_seen) = true;
        *(own ? &m->previous : &m->seen) = other->id;
    }
}

struct rg_process_message words_message(const struct talk *talk, const char *word)
{
    struct rg_process_message m = {0};
    char copy[64] = "";
    (void)snprintf(copy, sizeof(copy), "%s", word);
    m.from = copy[0] == 'H' ? RG_PARTY_HOST : RG_PARTY_ORIGIN;
    char *rest = NULL;
    m.kind = (uint32_t)strtoul(copy + 1, &rest, 10);
    char *options = strchr(rest, '.');
    if (options != NULL) {
        *options++ = '\0';
    }
    int64_t late_ms = options != NULL && strstr(options, "late") != NULL ? 100 * DAY_MS : 0;
    set_defaults(&m, talk->now_ms + late_ms);
    set_code(&m, rest[0] == ':' ? rest + 1 : "", word);
    set_chain(talk, &m);
    set_answers(talk, &m);
    char text[32];
    (void)snprintf(text, sizeof(text), "%zu %s", talk->count, word);
    m.id.b[0] = 0;
    struct rg_hash hash = rg_sha256(rg_bytes_of_text(text));
    memcpy(m.id.b, hash.b, sizeof(m.id.b));
    for (char *option = options; option != NULL && *option != '\0';) {
        char *next = strchr(option, '.');
        if (next != NULL) {
            *next++ = '\0';
        }
        set_option(&m, option, word);
        option = next;
    }
    return m;
}

static void say_one(struct talk *talk, const char *word, bool both)
{
    if (talk->count == TALK_MAX) {
        fail("too many words", word);
    }
    struct rg_process_message m = words_message(talk, word);
    talk->now_ms = m.made.ms + 60000;
    talk->message[talk->count] = m;
    talk->knows[m.from][talk->count] = true;
    talk->knows[rg_party_other(m.from)][talk->count] = both;
    talk->count++;
}

void words_say(struct talk *talk, const char *words)
{
    bool apart = false;
    char copy[2048];
    (void)snprintf(copy, sizeof(copy), "%s", words);
    char *place = NULL;
    for (char *word = strtok_r(copy, " ", &place); word != NULL;
         word = strtok_r(NULL, " ", &place)) {
        if (strcmp(word, "{") == 0) {
            apart = true;
        } else if (strcmp(word, "}") == 0) {
            apart = false;
            for (size_t i = 0; i < talk->count; i++) {
                talk->knows[RG_PARTY_HOST][i] = talk->knows[RG_PARTY_ORIGIN][i] = true;
            }
        } else if (strcmp(word, "|") != 0) {
            say_one(talk, word, !apart);
        }
    }
}

struct rg_process words_fold(struct talk *talk)
{
    struct rg_process process = {0};
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_process_fold(talk->message, talk->count, talk->entry, &talk->entries, &process,
                                  &why))) {
        fail("fold", why.text);
    }
    return process;
}

const struct rg_process_entry *words_entry(const struct talk *talk, size_t index)
{
    for (size_t i = 0; i < talk->entries; i++) {
        if (talk->entry[i].index == index) {
            return &talk->entry[i];
        }
    }
    return NULL;
}

const struct rg_process_entry *words_last(const struct talk *talk)
{
    return words_entry(talk, talk->count - 1);
}

struct rg_process words_of(const char *words)
{
    struct talk talk;
    words_start(&talk);
    words_say(&talk, words);
    return words_fold(&talk);
}
