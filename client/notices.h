/*
 * NAME
 *   notices - procedure notices: laws, procedures, closed gates, hotlines, training; for everybody
 *
 * SYNOPSIS
 *   rg_notice_of_form(form, &notice, why)              kind 4 (client/form.h)
 *   rg_notice_matches(&notice, &query)                 for `referral notices`
 *   rg_notice_words(&notice, "lo")                     the text in that language, or another
 *   rg_point_fold_add(&fold, &notice, "TH-KH-1", today); rg_point_is_closed(&fold)
 *
 * DESCRIPTION
 *   A notice is public, signed by the focal point that says it, and about no person. It goes to the
 * focal points of all countries; each passes it on to its own desks and NGOs, so that whoever
 * writes a referral knows what the law of the other country offers now. It holds its text in as
 * many languages as were written; each text is shown as it is, never translated by a machine.
 *   A notice GATE_CLOSED with a point closes that point from its first to its last day, or until a
 * later notice GATE_OPEN of the same country names the point. Only the country whose gate it is can
 * say so.
 *
 * OWNERSHIP
 *   Plain data, by value (large: keep it off deep stacks).
 *
 * ERRORS
 *   RG_MALFORMED notice-form; RG_LIMIT notice-limit.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_NOTICES_H
#define RG_CLIENT_NOTICES_H

#include "client/exclusions.h"
#include "client/message.h"

#define RG_NOTICE_TEXTS_MAX 12
#define RG_NOTICE_TITLE_BYTES 516
#define RG_NOTICE_WORDS_BYTES 2052 /* RG_WORDS_BYTES_MAX and NUL, rounded */
#define RG_NOTICE_SUBJECT_BYTES 32
#define RG_NOTICE_CLOSED "GATE_CLOSED"
#define RG_NOTICE_OPEN "GATE_OPEN"

struct rg_notice_text {
    char language[RG_LANGUAGE_BYTES]; /* BCP 47: "lo" */
    char title[RG_NOTICE_TITLE_BYTES];
    char words[RG_NOTICE_WORDS_BYTES];
};
struct rg_notice {
    int64_t row; /* in the casebook; not part of the bytes */
    struct rg_id id;
    char from[RG_OFFICE_BYTES];            /* who says it */
    char subject[RG_NOTICE_SUBJECT_BYTES]; /* code of the catalogue: "LAW_CHANGED" */
    char country[RG_COUNTRY_BYTES];        /* whose law, gate, hotline */
    char point[RG_POINT_BYTES];            /* "" when it is about none */
    struct rg_date valid_from, valid_to;   /* year 0: open */
    int64_t at_ms;                         /* ours: when made; theirs: when accepted */
    bool exercise;
    size_t text_count;
    struct rg_notice_text text[RG_NOTICE_TEXTS_MAX];
};

RG_MUST_USE rg_outcome rg_notice_of_form(const struct rg_form *form, struct rg_notice *out,
                                         struct rg_reason *why);

struct rg_notice_query { /* NULL and false: does not matter */
    const char *search;  /* words, any script */
    const char *country, *language, *point;
    bool current; /* on `today` */
    struct rg_date today;
};
RG_MUST_USE rg_outcome rg_notice_matches(const struct rg_notice *notice,
                                         const struct rg_notice_query *query, bool *matches_out,
                                         struct rg_reason *why);
bool rg_notice_is_current(const struct rg_notice *notice, struct rg_date today);
/* In that language ("lo" also finds "lo-LA"), else in English, else the first; NULL: no text. */
const struct rg_notice_text *rg_notice_words(const struct rg_notice *notice, const char *language);

/* The same words about the same thing: two officers of a focal point may each have passed it on. */
bool rg_notice_same(const struct rg_notice *a, const struct rg_notice *b);

/* What one notice says about a point on that day. */
enum rg_point_word { RG_POINT_SILENT, RG_POINT_CLOSED, RG_POINT_OPEN };
enum rg_point_word rg_notice_on_point(const struct rg_notice *notice, const char *point,
                                      struct rg_date today);
/* All of them together, told one by one in any order. A country that closed a point is the one that
 * opens it again. */
struct rg_point_fold {
    struct {
        char country[RG_COUNTRY_BYTES];
        int64_t at_ms;
        enum rg_point_word word;
    } said[RG_COUNTRIES_MAX];
    size_t count;
};
void rg_point_fold_add(struct rg_point_fold *fold, const struct rg_notice *notice,
                       const char *point, struct rg_date today);
bool rg_point_is_closed(const struct rg_point_fold *fold);

#endif
