/*
 * How it works: era marks are cut out first, then the text must be one to three numbers with one
 * mark between two; how many digits each has says which is the year. Invariant: a date is handed
 * out only when exactly one reading of the text is a date that exists and is not in the future
 * beyond next year.
 */
#include "client/dates.h"

#include <stdio.h>
#include <string.h>

#define BUDDHIST_AHEAD 543
#define YEAR_MIN 1900
#define THAI_NEW_YEAR_MOVED 1941 /* from then on the Thai year begins in January */
#define WRITTEN_BYTES_MAX 64

enum era { ERA_NOT_SAID, ERA_COMMON, ERA_BUDDHIST };

static const struct {
    const char *mark;
    enum era era;
} era_marks[] = {
    {"พ.ศ.", ERA_BUDDHIST}, {"พศ", ERA_BUDDHIST}, {"ພ.ສ.", ERA_BUDDHIST}, {"ព.ស.", ERA_BUDDHIST},
    {"B.E.", ERA_BUDDHIST}, {"BE", ERA_BUDDHIST}, {"ค.ศ.", ERA_COMMON},   {"คศ", ERA_COMMON},
    {"ຄ.ສ.", ERA_COMMON},   {"គ.ស.", ERA_COMMON}, {"A.D.", ERA_COMMON},   {"AD", ERA_COMMON},
    {"C.E.", ERA_COMMON},   {"CE", ERA_COMMON},
};

struct number {
    int value;
    size_t digits;
};

struct written {
    char text[WRITTEN_BYTES_MAX + 1];
    enum era era;
    struct number part[3];
    size_t count;
};

/* Takes `mark` out where it stands, and puts one character there, NUL: none. */
static bool exchange(char *text, const char *mark, char with)
{
    char *at = strstr(text, mark);
    if (at == NULL) {
        return false;
    }
    const char *rest = at + strlen(mark);
    if (with != '\0') {
        *at++ = with;
    }
    memmove(at, rest, strlen(rest) + 1);
    return true;
}

static void era_cut(struct written *written)
{
    for (size_t i = 0; i < sizeof(era_marks) / sizeof(era_marks[0]); i++) {
        if (exchange(written->text, era_marks[i].mark, ' ')) {
            written->era = era_marks[i].era;
            return;
        }
    }
}

static bool is_between(char c)
{
    return c == '/' || c == '-' || c == '.' || c == ' ';
}

/* One mark, with any blanks around it. */
static bool between(const char **at)
{
    size_t marks = 0;
    size_t len = 0;
    for (; is_between((*at)[len]); len++) {
        marks += (*at)[len] != ' ';
    }
    *at += len;
    return len > 0 && marks <= 1;
}

static bool number_next(const char **at, struct number *out)
{
    *out = (struct number){0};
    for (; **at >= '0' && **at <= '9' && out->digits < 8; (*at)++) {
        out->value = out->value * 10 + (**at - '0');
        out->digits++;
    }
    return out->digits > 0;
}

static bool parts_read(struct written *written)
{
    const char *at = written->text;
    at += strspn(at, " ");
    while (written->count < 3 && number_next(&at, &written->part[written->count])) {
        written->count++;
        if (at[strspn(at, " ")] == '\0') {
            return true;
        }
        if (!between(&at)) {
            return false;
        }
    }
    return false;
}

static rg_outcome not_a_form(struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "field-value",
                   "allowed: YYYY-MM-DD, YYYY-MM, YYYY, or DD/MM/YYYY, MM/YYYY, a date that "
                   "exists, from 1900 to next year or the same in Buddhist years");
}

/* Which part is the year; the others in the order month, day. */
static bool order(const struct written *written, struct number ymd[3])
{
    size_t count = written->count;
    const struct number *part = written->part;
    bool year_last = part[count - 1].digits == 4;
    for (size_t i = 0; i < count; i++) {
        ymd[i] = part[year_last ? count - 1 - i : i];
    }
    bool good = ymd[0].digits == 4;
    for (size_t i = 1; i < count; i++) {
        good = good && ymd[i].digits <= 2;
    }
    return good;
}

static bool has_two_digit_year(const struct written *written)
{
    bool short_ones = written->count > 0;
    for (size_t i = 0; i < written->count; i++) {
        short_ones = short_ones && written->part[i].digits <= 2;
    }
    return short_ones;
}

static rg_outcome common_year(int year, enum era *era, struct rg_date today, int *year_out,
                              struct rg_reason *why)
{
    int next = today.year + 1;
    if (*era == ERA_NOT_SAID) {
        *era = year > next ? ERA_BUDDHIST : ERA_COMMON;
    }
    int common = *era == ERA_BUDDHIST ? year - BUDDHIST_AHEAD : year;
    RG_CHECK(common >= YEAR_MIN && common <= next, why, RG_MALFORMED, "field-value",
             "the year is neither one from 1900 to %d nor a Buddhist one from %d to %d; ask which "
             "year is meant",
             next, YEAR_MIN + BUDDHIST_AHEAD, next + BUDDHIST_AHEAD);
    RG_CHECK(*era == ERA_COMMON || common >= THAI_NEW_YEAR_MOVED, why, RG_MALFORMED, "field-value",
             "a Buddhist year before 2484 began in April; ask for the year of the common era");
    *year_out = common;
    return rg_ok();
}

static rg_outcome written_of(struct rg_bytes text, struct written *out, struct rg_reason *why)
{
    *out = (struct written){0};
    RG_OWNED_BUFFER ascii = {.secret = true};
    RG_TRY(rg_buffer_append(&ascii, text, why));
    rg_text_digits(&ascii);
    if (ascii.len > WRITTEN_BYTES_MAX) {
        return not_a_form(why);
    }
    memcpy(out->text, ascii.data, ascii.len);
    era_cut(out);
    (void)exchange(out->text, "年", '-');
    (void)exchange(out->text, "月", '-');
    (void)exchange(out->text, "日", '\0');
    size_t len = strlen(out->text);
    if (len > 0 && out->text[len - 1] == '-') { /* 1994年 */
        out->text[len - 1] = '\0';
    }
    return rg_ok();
}

rg_outcome rg_birth_read(struct rg_bytes text, struct rg_date today, struct rg_birth *birth_out,
                         struct rg_reason *why)
{
    static const char *const precision[] = {"year", "month", "day"};
    struct written written;
    struct number ymd[3] = {0};
    RG_TRY(written_of(text, &written, why));
    if (!parts_read(&written)) {
        return not_a_form(why);
    }
    RG_CHECK(!has_two_digit_year(&written), why, RG_MALFORMED, "field-value",
             "a year of two digits can be of either era; ask, and write all four");
    struct rg_date date = {0};
    if (!order(&written, ymd)) {
        return not_a_form(why);
    }
    RG_TRY(common_year(ymd[0].value, &written.era, today, &date.year, why));
    date.month = ymd[1].value;
    date.day = ymd[2].value;
    char normal[RG_DATE_BYTES];
    struct rg_date exists;
    (void)snprintf(normal, sizeof(normal), "%04d-%02d-%02d", date.year, date.month, date.day);
    size_t len = written.count == 1 ? 4 : written.count == 2 ? 7 : 10;
    if (!rg_date_parse(rg_bytes_of(normal, len), &exists)) {
        return not_a_form(why);
    }
    *birth_out = (struct rg_birth){
        .date = date,
        .precision = precision[written.count - 1],
        .calendar = written.era == ERA_BUDDHIST ? "buddhist" : "common-era",
        .as_written = !rg_bytes_equal(text, rg_bytes_of(normal, len)),
    };
    return rg_ok();
}

void rg_date_text(struct rg_date date, char out[RG_DATE_BYTES])
{
    (void)snprintf(out, RG_DATE_BYTES, "%04d-%02d-%02d", date.year, date.month, date.day);
    if (date.day == 0) {
        out[date.month == 0 ? 4 : 7] = '\0';
    }
}

int rg_age_at_least(struct rg_date birth, struct rg_date today)
{
    birth.month = birth.month == 0 ? 12 : birth.month;
    birth.day = birth.day == 0 ? 31 : birth.day;
    bool before_birthday =
        today.month < birth.month || (today.month == birth.month && today.day < birth.day);
    return today.year - birth.year - before_birthday;
}

rg_outcome rg_age_is_counted(struct rg_bytes as_said, bool *counted_out, struct rg_reason *why)
{
    static const char *const words[] = {"tuổi mụ", "tuoi mu", "tuổi ta", "tuoi ta",
                                        "xusui",   "xu sui",  "虚岁",    "虛歲"};
    RG_OWNED_BUFFER key = {.secret = true};
    bool counted = false;
    RG_TRY(rg_text_match_key(as_said, &key, why));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && key.len > 0; i++) {
        counted = counted || memmem(key.data, key.len, words[i], strlen(words[i])) != NULL;
    }
    *counted_out = counted;
    return rg_ok();
}
