/* How it works: the verbs that show cases. `list` walks all of them in the order in which they
 * came, `cases` and `search` ask the library for a sorted list, `show` is one case: what it is,
 * what it waits for and lacks, then its timeline, line by line, in the office's own local time. */
#include "client/cli/cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATES                                                                                     \
    "--state is one of held, ready, proposed, notified, referred, returned, needs_info, "          \
    "accepted, "                                                                                   \
    "details_sent, identity_released, cleared, scheduled, in_transit, missing, handed_over, "      \
    "received, reintegrating, witness_away, suspended, no_return, onward, declined, cancelled, "   \
    "closed, erased"

static void print_local(int64_t ms, int zone_minutes, char out[32])
{
    time_t seconds = (time_t)(ms / 1000 + (int64_t)zone_minutes * 60);
    struct tm parts;
    out[0] = '\0';
    if (ms > 0 && gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(out, 32, "%Y-%m-%d %H:%M", &parts);
    }
}

static void print_zone(int minutes, char out[16])
{
    int size = minutes < 0 ? -minutes : minutes;
    (void)snprintf(out, 16, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60 % 24, size % 60);
}

static json_t *case_json(const struct referral_case *found)
{
    json_t *object =
        json_pack("{ss so so so ss so ss so ss so so so sb sI}", "id", found->id, "case_ref",
                  text_or_null(found->reference), "name_native", text_or_null(found->name_native),
                  "name_latin", text_or_null(found->name_latin), "from", found->host, "to",
                  text_or_null(found->origin), "side", found->side, "proposed_by",
                  text_or_null(found->proposed_by), "state", found->state, "summary",
                  text_or_null(found->summary), "waiting_for", text_or_null(found->waiting_for),
                  "reason_id", text_or_null(found->reason_id), "our_move", (int)found->our_move,
                  "since_ms", (json_int_t)found->since_ms);
    (void)json_object_set_new(object, "reason", text_or_null(found->reason));
    (void)json_object_set_new(object, "due_ms",
                              found->due_ms > 0 ? json_integer(found->due_ms) : json_null());
    (void)json_object_set_new(object, "family", text_or_null(found->family));
    (void)json_object_set_new(object, "receipt_verified", json_boolean(found->receipt_verified));
    (void)json_object_set_new(object, "opened_there", json_boolean(found->opened_there));
    (void)json_object_set_new(object, "details_sent", json_boolean(found->details_sent));
    (void)json_object_set_new(object, "details_opened", json_boolean(found->details_opened));
    (void)json_object_set_new(object, "details_here", json_boolean(found->details_here));
    (void)json_object_set_new(object, "mover", json_string(found->mover));
    (void)json_object_set_new(object, "level", json_string(found->level));
    (void)json_object_set_new(object, "used_per_cent", json_integer(found->used_per_cent));
    (void)json_object_set_new(object, "waiting_since_ms", json_integer(found->waiting_since_ms));
    (void)json_object_set_new(object, "alert", json_boolean(found->alert));
    (void)json_object_set_new(object, "zawgyi_suspected", json_boolean(found->zawgyi));
    return object;
}

/* ---- list: all cases, as they came ---- */

static void list_row(struct table *table, const struct referral_case *found)
{
    char way[32];
    char since[32];
    const char *name = found->name_native[0] != '\0' ? found->name_native : found->name_latin;
    (void)snprintf(way, sizeof(way), "%.10s > %.10s", found->host, found->origin);
    print_time(found->since_ms, since);
    const char *cell[] = {
        found->id,    found->reference,
        name,         way,
        found->state, found->reason_id[0] != '\0' ? found->reason_id : found->waiting_for,
        since,
    };
    table_row(table, cell, found->state);
}

static bool listed(const struct arguments *arguments, const struct referral_case *found)
{
    bool state = arguments->state == NULL || strcmp(arguments->state, found->state) == 0;
    return state && (!arguments->all_waiting || found->our_move);
}

int do_list(struct cli *cli, struct arguments *arguments)
{
    if (arguments->state != NULL && !referral_is_state(arguments->state)) {
        return usage(STATES);
    }
    static const char *const head[] = {"CASE",  "YOURS",       "NAME",       "FROM > TO",
                                       "STATE", "WAITING FOR", "SINCE (UTC)"};
    struct table *table = cli->json ? NULL : table_new(head, sizeof(head) / sizeof(head[0]));
    json_t *list = cli->json ? json_array() : NULL;
    struct referral_cursor cursor = {0};
    struct referral_case found;
    struct referral_result result;
    while ((result = referral_next_case(cli->office, &cursor, &found)).code == REFERRAL_OK) {
        if (!listed(arguments, &found)) {
            continue;
        }
        if (cli->json) {
            (void)json_array_append_new(list, case_json(&found));
        }
        list_row(table, &found);
    }
    if (cli->json) {
        print_json(list);
    }
    table_print(table, cli);
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

/* ---- cases, search: what is most pressing first ---- */

/* "ALERT", "late 120 %", "half gone 60 %", "". */
static void level_words(const struct referral_case *found, char out[32])
{
    static const char *const word[][2] = {
        {"reminder", "reminder"}, {"late", "late"}, {"escalated", "LATE"}};
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
        if (strcmp(found->level, word[i][0]) == 0) {
            (void)snprintf(out, 32, "%s%s %u%%%s", found->alert ? "ALERT " : "", word[i][1],
                           found->used_per_cent, found->used_per_cent >= 1000 ? "+" : "");
            return;
        }
    }
    (void)snprintf(out, 32, "%s", found->alert ? "ALERT" : "");
}

static const char *level_colour(const struct referral_case *found)
{
    return found->alert ? "alert" : found->level;
}

static void find_row(struct table *table, const struct referral_case *found)
{
    char since[32];
    char due[32];
    char level[32];
    char name[2200];
    const char *native = found->name_native;
    const char *latin = found->name_latin;
    bool both = native[0] != '\0' && latin[0] != '\0' && strcmp(native, latin) != 0;
    (void)snprintf(name, sizeof(name), "%s%s%s%s", native[0] != '\0' ? native : latin,
                   both ? " (" : "", both ? latin : "", both ? ")" : "");
    print_local(found->waiting_for[0] != '\0' ? found->waiting_since_ms : found->since_ms,
                found->zone_minutes, since);
    print_local(found->due_ms, found->zone_minutes, due);
    level_words(found, level);
    const char *cell[] = {found->id, name, found->state, found->waiting_for, since, due, level};
    table_row(table, cell, level_colour(found));
}

static int find_print(struct cli *cli, const struct referral_query *query, unsigned long first)
{
    static const char *const head[] = {"CASE", "NAME", "STATE", "WAITING FOR", "SINCE", "DUE", ""};
    struct table *table = cli->json ? NULL : table_new(head, sizeof(head) / sizeof(head[0]));
    json_t *list = cli->json ? json_array() : NULL;
    struct referral_cursor cursor = {0};
    struct referral_case found;
    struct referral_result result = {.code = REFERRAL_END};
    for (unsigned long i = 0; i < first; i++) {
        result = referral_find_cases(cli->office, query, &cursor, &found);
        if (result.code != REFERRAL_OK) {
            break;
        }
        if (cli->json) {
            (void)json_array_append_new(list, case_json(&found));
        }
        find_row(table, &found);
    }
    if (cli->json) {
        print_json(list);
    }
    table_print(table, cli);
    return result.code == REFERRAL_END || result.code == REFERRAL_OK ? 0 : fail(&result);
}

/* The number of --first; 0: not a number. */
static unsigned long first_read(const struct arguments *arguments)
{
    char *end = NULL;
    if (arguments->first == NULL) {
        return ULONG_MAX;
    }
    unsigned long first = strtoul(arguments->first, &end, 10);
    return *end == '\0' ? first : 0;
}

static bool move_read(const char *word, enum referral_move *out)
{
    static const char *const words[] = {"all", "us", "them"};
    for (int i = 0; i < 3; i++) {
        if (word == NULL || strcmp(words[i], word) == 0) {
            *out = (enum referral_move)i;
            return true;
        }
    }
    return false;
}

int do_cases(struct cli *cli, struct arguments *arguments)
{
    struct referral_query query = {.state = arguments->state, .overdue = arguments->overdue};
    unsigned long first = first_read(arguments);
    if (query.state != NULL && !referral_is_state(query.state)) {
        return usage(STATES);
    }
    if (!move_read(arguments->waiting, &query.move)) {
        return usage("--waiting is us, them or all");
    }
    return first == 0 ? usage("--first needs a number") : find_print(cli, &query, first);
}

int do_search(struct cli *cli, struct arguments *arguments)
{
    char text[256] = "";
    unsigned long first = first_read(arguments);
    for (size_t i = 0; i < arguments->count; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "",
                       arguments->word[i]);
    }
    if (text[0] == '\0' || first == 0) {
        return usage("referral search NAME [--first N]: any part of a name, in any script");
    }
    const struct referral_query query = {.text = text};
    return find_print(cli, &query, first);
}

/* ---- show ---- */

static void show_person(const struct referral_case *found)
{
    const char *native = found->name_native;
    const char *latin = found->name_latin;
    bool both = native[0] != '\0' && latin[0] != '\0' && strcmp(native, latin) != 0;
    (void)printf("  %-12s%s%s%s%s\n", "Person",
                 native[0] != '\0'  ? native
                 : latin[0] != '\0' ? latin
                                    : "not told yet",
                 both ? "  (" : "", both ? latin : "", both ? ")" : "");
    if (found->zawgyi) {
        (void)printf(
            "  %-12slooks like Burmese in the old Zawgyi encoding, which others cannot read; "
            "ask, and type it again in Unicode\n",
            "");
    }
}

static void show_waiting(const struct cli *cli, const struct referral_case *found)
{
    char since[32];
    char due[32];
    char level[32];
    if (found->waiting_for[0] == '\0') {
        (void)printf("  %-12snothing\n", "Waiting for");
        return;
    }
    print_local(found->waiting_since_ms, found->zone_minutes, since);
    print_local(found->due_ms, found->zone_minutes, due);
    level_words(found, level);
    (void)printf("  %-12s%s, since %s%s%s", "Waiting for", found->waiting_for, since,
                 due[0] != '\0' ? ", by " : "", due);
    (void)printf("%s%s%s%s\n", level[0] != '\0' ? "  " : "", colour_on(cli, level_colour(found)),
                 level, colour_off(cli));
}

static void show_head(const struct cli *cli, const struct referral_case *found)
{
    char time[32];
    (void)printf("%sCase %s%s%s%s%s\n", colour_on(cli, "head"), found->id,
                 found->reference[0] != '\0' ? "  (" : "", found->reference,
                 found->reference[0] != '\0' ? ")" : "", colour_off(cli));
    show_person(found);
    if (found->summary[0] != '\0') {
        (void)printf("  %-12s%s\n", "In short", found->summary);
    }
    (void)printf("  %-12s%s to %s%s%s\n", "From", found->host, found->origin,
                 found->proposed_by[0] != '\0' ? ", proposed by " : "", found->proposed_by);
    print_local(found->since_ms, found->zone_minutes, time);
    (void)printf("  %-12s%s%s%s since %s\n", "State", colour_on(cli, found->state), found->state,
                 colour_off(cli), time);
    if (found->family[0] != '\0') {
        (void)printf("  %-12slinked with relatives, %.8s\n", "Family", found->family);
    }
    if (found->reason[0] != '\0') {
        (void)printf("  %-12s%s\n", "Because", found->reason);
    }
    show_waiting(cli, found);
}

static json_t *note_json(const struct referral_note *note)
{
    return json_pack("{ss ss ss so}", "about", note->about, "id", note->id, "text", note->text,
                     "what_next", text_or_null(note->what_next));
}

/* What is missing before she may travel, and warnings. */
static int show_notes(struct cli *cli, const char *id, json_t *notes)
{
    struct referral_cursor cursor = {0};
    struct referral_note note;
    struct referral_result result;
    const char *before = "";
    while ((result = referral_next_note(cli->office, id, &cursor, &note)).code == REFERRAL_OK) {
        if (cli->json) {
            (void)json_array_append_new(notes, note_json(&note));
            continue;
        }
        bool missing = strcmp(note.about, "missing") == 0;
        bool same = strcmp(before, note.about) == 0;
        (void)printf("  %s%-12s%s%s%s%s\n", missing ? "" : colour_on(cli, "warning"),
                     same      ? ""
                     : missing ? "Missing"
                               : "Look at",
                     note.text, note.what_next[0] != '\0' ? ": " : "", note.what_next,
                     missing ? "" : colour_off(cli));
        before = note.about;
    }
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

static json_t *event_json(const struct referral_event *event)
{
    return json_pack("{sI ss ss ss sb so so so so so sb}", "time_ms", (json_int_t)event->time_ms,
                     "clock", event->clock, "who", event->who, "what", event->what, "proven",
                     (int)event->proven, "message", text_or_null(event->message), "kind",
                     text_or_null(event->kind), "void", text_or_null(event->void_reason),
                     "withheld", text_or_null(event->withheld), "warning",
                     text_or_null(event->warning), "superseded", (int)event->superseded);
}

static const char *event_colour(const struct referral_event *event)
{
    if (event->warning[0] != '\0') {
        return "warning";
    }
    bool quiet = event->void_reason[0] != '\0' || event->superseded || event->proven;
    return quiet ? "void" : ""; /* receipts are there for those who look for them */
}

static void event_words(const struct referral_event *event, char *out, size_t room)
{
    bool void_ = event->void_reason[0] != '\0';
    (void)snprintf(out, room, "%s%s%s%s%s%s%s%s%s%s%s", event->what,
                   event->withheld[0] != '\0' ? "  [withheld: " : "", event->withheld,
                   event->withheld[0] != '\0' ? "]" : "", void_ ? "  [void: " : "",
                   event->void_reason, void_ ? "]" : "", event->superseded ? "  [superseded]" : "",
                   event->warning[0] != '\0' ? "  ! " : "", event->warning,
                   event->proven ? "  [proven]" : "");
}

/* One line of the timeline that waits for what gateways have proven about it. */
struct told {
    bool waits;
    bool ours;
    char time[40], who[160], what[2400];
    char reached[160]; /* the last thing proven of a message of ours */
    bool proven;
    const char *colour;
};

static void told_out(struct told *told, struct table *table)
{
    size_t len = strlen(told->what);
    if (!told->waits) {
        return;
    }
    if (told->proven) {
        (void)snprintf(told->what + len, sizeof(told->what) - len, "  [%s]",
                       told->ours && told->reached[0] != '\0' ? told->reached : "proven");
    }
    const char *cell[] = {told->time, told->who, told->what};
    table_row(table, cell, told->colour);
    told->waits = false;
}

static void told_take(struct told *told, const struct referral_event *event)
{
    *told = (struct told){.waits = true, .ours = strcmp(event->clock, "ours") == 0};
    (void)snprintf(told->time, sizeof(told->time), "  ");
    print_local(event->time_ms, event->zone_minutes, told->time + 2);
    (void)snprintf(told->who, sizeof(told->who), "%s", event->who);
    event_words(event, told->what, sizeof(told->what));
    told->colour = event_colour(event);
}

/* The word that something was opened, and each step of its way: for who asks with --proofs. What
 * was proven of a message stands behind it. */
static void told_event(struct told *told, const struct referral_event *event, bool proofs,
                       struct table *table)
{
    if (event->proven && !proofs) {
        told->proven = true;
        (void)snprintf(told->reached, sizeof(told->reached), "%s", event->what);
        return;
    }
    told_out(told, table);
    told_take(told, event);
    told->waits = proofs || strcmp(event->kind, "ACKNOWLEDGEMENT") != 0;
}

static int show_timeline(struct cli *cli, const struct referral_case *found, json_t *events)
{
    char zone[16];
    char title[40];
    print_zone(found->zone_minutes, zone);
    (void)snprintf(title, sizeof(title), "  TIME (%s)", zone);
    const char *const head[] = {title, "WHO", "WHAT"};
    char id[REFERRAL_CASE_BYTES]; /* the texts of a case live until the next call */
    (void)snprintf(id, sizeof(id), "%s", found->id);
    struct table *table = cli->json ? NULL : table_new(head, 3);
    struct told told = {.waits = false};
    struct referral_cursor cursor = {0};
    struct referral_event event;
    struct referral_result result;
    while ((result = referral_next_event(cli->office, id, &cursor, &event)).code == REFERRAL_OK) {
        told_event(&told, &event, cli->proofs, table);
        if (events != NULL) {
            (void)json_array_append_new(events, event_json(&event));
        }
    }
    told_out(&told, table);
    if (!cli->json) {
        (void)fputc('\n', stdout);
    }
    table_print(table, cli);
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

static json_t *messages_json(struct cli *cli, const char *id)
{
    json_t *list = json_array();
    struct referral_cursor cursor = {0};
    struct referral_message message;
    while (referral_next_of_case(cli->office, id, &cursor, &message).code == REFERRAL_OK) {
        (void)json_array_append_new(
            list,
            json_pack("{ss ss si ss ss ss so sI sI}", "id", message.id, "kind", message.kind,
                      "kind_number", message.kind_number, "from", message.from, "to", message.to,
                      "state", message.state, "reason", text_or_null(message.reason), "sections",
                      (json_int_t)message.sections, "time_ms", (json_int_t)message.time_ms));
    }
    return list;
}

static int show_messages(struct cli *cli, const char *id)
{
    static const char *const head[] = {"  MESSAGE", "KIND", "STATE", "SECTIONS"};
    struct table *table = table_new(head, 4);
    struct referral_cursor cursor = {0};
    struct referral_message message;
    size_t number = 1;
    while (referral_next_of_case(cli->office, id, &cursor, &message).code == REFERRAL_OK) {
        char name[32];
        char sections[48];
        (void)snprintf(name, sizeof(name), "  %.12s", message.id);
        (void)snprintf(sections, sizeof(sections), "%zu to %zu", number,
                       number + message.sections - 1);
        if (message.sections == 1) {
            (void)snprintf(sections, sizeof(sections), "%zu", number);
        }
        number += message.sections;
        const char *cell[] = {name, message.kind, message.state, sections};
        table_row(table, cell, "");
    }
    (void)fputc('\n', stdout);
    table_print(table, cli);
    return 0;
}

static int show_json(struct cli *cli, struct referral_case *found, const char *id, json_t *list)
{
    json_t *object = case_json(found);
    json_t *notes = json_array();
    json_t *events = json_array();
    int code = show_timeline(cli, found, events);
    int second = show_notes(cli, id, notes);
    (void)json_object_set_new(object, "notes", notes);
    (void)json_object_set_new(object, "timeline", events);
    (void)json_object_set_new(object, "messages", messages_json(cli, id));
    (void)json_array_append_new(list, object);
    return code != 0 ? code : second;
}

static int show_one(struct cli *cli, const char *id, json_t *list)
{
    struct referral_case found;
    struct referral_result result = referral_case(cli->office, id, &found);
    if (result.code != REFERRAL_OK) {
        (void)fprintf(stderr, "%s: ", id);
        return fail(&result);
    }
    if (cli->json) {
        return show_json(cli, &found, id, list);
    }
    show_head(cli, &found);
    int code = show_notes(cli, id, NULL);
    code = code != 0 ? code : show_timeline(cli, &found, NULL);
    return code != 0 ? code : show_messages(cli, id);
}

int do_show(struct cli *cli, struct arguments *arguments)
{
    json_t *list = cli->json ? json_array() : NULL;
    int code = 0;
    if (arguments->count == 0 && !arguments->from_input) {
        return usage("show needs a case: referral show ID");
    }
    for (size_t i = 0; i < arguments->count; i++) {
        if (i > 0 && !cli->json) {
            (void)fputc('\n', stdout);
        }
        int one = show_one(cli, arguments->word[i], list);
        code = code == 0 ? one : code;
    }
    if (cli->json) {
        print_json(list);
    }
    return code;
}
