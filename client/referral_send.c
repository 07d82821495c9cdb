/* How it works: the beginning of a referral. A request shows the preview and nothing else; the
 * details follow the other side's accept; an NGO proposes to its own focal point. Every change goes
 * through the table of client/cases: the event of what is about to leave is asked first, the
 * message is composed and spooled, and the case is stored, all in one step of the spool. What may
 * be sent is asked of client/rules again at the moment of sending, since consent may have ended
 * since the import. */
#include "client/referral_inside.h"

#include "client/rules.h"
#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

/* ---- sending ---- */

static void thread_new(bool *has, struct rg_thread_id *thread)
{
    if (!*has) {
        rg_random(thread->b, sizeof(thread->b));
        *has = true;
    }
}

static rg_outcome send_request(struct referral *office, struct rg_case_file *file,
                               const struct rg_record *record, struct rg_reason *why)
{
    struct rg_content content = {
        .class_ = RG_CLASS_CASE, .body = RG_BODY_PREVIEW, .preview = file->preview};
    unsigned classes = rg_rules_classes(record, rg_office_today(office));
    const enum rg_class later[] = {RG_CLASS_IDENTITY, RG_CLASS_FAMILY};
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        bool may = (classes & RG_CLASS_BIT(later[i])) != 0;
        content.label[content.label_count++] = (struct rg_label){
            .class_ = later[i], .state = may ? RG_LABEL_AFTER_ACCEPT : RG_LABEL_WITHHELD};
    }
    RG_TRY(rg_office_thread_open(office, file, why));
    struct rg_letter letter = {
        .kind = RG_KIND_REQUEST,
        .to_office = file->partner,
        .thread = file->thread,
        .content = &content,
        .count = 1,
    };
    file->has_request = true;
    return rg_office_post(office, file, &letter, &file->request, why);
}

/* Details of one class, or a notice that it is withheld. */
static void details_of(const struct rg_record *record, enum rg_class class_, unsigned classes,
                       struct rg_content *out)
{
    out->class_ = class_;
    if ((classes & RG_CLASS_BIT(class_)) == 0) {
        out->body = RG_BODY_WITHHELD;
        out->withheld = RG_LABEL_WITHHELD;
        return;
    }
    out->body = RG_BODY_DETAILS;
    rg_record_fields(record, class_, &out->details);
}

static rg_outcome send_proposal(struct referral *office, struct rg_case_file *file,
                                const struct rg_record *record, struct rg_reason *why)
{
    struct rg_content content[3] = {{.class_ = RG_CLASS_CASE, .body = RG_BODY_PROPOSAL}};
    unsigned classes = rg_rules_classes(record, rg_office_today(office));
    content[0].proposal.preview = file->preview;
    content[0].proposal.case_ref = file->reference;
    (void)snprintf(content[0].proposal.origin_country, sizeof(content[0].proposal.origin_country),
                   "%s", file->origin);
    rg_record_fields(record, RG_CLASS_CASE, &content[0].proposal.fields);
    details_of(record, RG_CLASS_IDENTITY, classes, &content[1]);
    details_of(record, RG_CLASS_FAMILY, classes, &content[2]);
    rg_office_label(content, 3);
    RG_TRY(rg_home_focal(office->home, office->home->principal.country, file->partner, why));
    thread_new(&file->has_thread, &file->thread);
    struct rg_letter letter = {
        .kind = RG_KIND_PROPOSAL,
        .to_office = file->partner,
        .thread = file->thread,
        .content = content,
        .count = 3,
    };
    file->has_request = true;
    return rg_office_post(office, file, &letter, &file->request, why);
}

static rg_outcome send_checked(struct referral *office, struct rg_case_file *file,
                               struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    unsigned actions = 0;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    RG_TRY(rg_office_judge(office, file, record, why));
    if (file->now.state != RG_CASE_READY) {
        RG_TRY(rg_casebook_put(office->book, file, why));
        return rg_ok();
    }
    bool host = file->now.side == RG_SIDE_HOST;
    RG_TRY(
        rg_office_step(file, host ? RG_EVENT_REQUEST_OUT : RG_EVENT_PROPOSAL_OUT, &actions, why));
    RG_TRY(host ? send_request(office, file, record, why)
                : send_proposal(office, file, record, why));
    return rg_casebook_put(office->book, file, why);
}

rg_outcome rg_office_send_details(struct referral *office, struct rg_case_file *file,
                                  struct rg_id accept, struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    struct rg_content content[3] = {{.class_ = RG_CLASS_CASE}};
    RG_SPOOL_STEP step = {0};
    struct rg_case next;
    unsigned actions = 0;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    RG_CHECK(rg_record_has(record, RG_FIELD_ORIGIN_COUNTRY), why, RG_DENIED, "case-elsewhere",
             "the case is with a colleague of this office");
    struct rg_rules_verdict verdict = rg_rules_judge(record, rg_office_today(office));
    unsigned classes = rg_rules_classes(record, rg_office_today(office));
    file->rule = verdict.may_send ? 0 : (uint32_t)verdict.rule[0];
    if (!verdict.may_send) {
        return rg_office_rule_says(file, why);
    }
    RG_TRY(rg_case_step(&file->now, RG_EVENT_DETAILS_OUT, rg_wall_now(), &next, &actions, why));
    details_of(record, RG_CLASS_CASE, classes, &content[0]);
    details_of(record, RG_CLASS_IDENTITY, classes, &content[1]);
    details_of(record, RG_CLASS_FAMILY, classes, &content[2]);
    rg_office_label(content, 3);
    struct rg_letter letter = {
        .kind = RG_KIND_DETAILS,
        .to_office = file->partner,
        .thread = file->thread,
        .has_answers = true,
        .answers = accept,
        .has_decides = true, /* once for the office, whoever of us sends them */
        .decides = accept,
        .content = content,
        .count = 3,
    };
    struct rg_id id;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_office_post(office, file, &letter, &id, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    file->now = next; /* only now: a case whose details could not be sealed stays ACCEPTED */
    file->details = id;
    file->has_details = true;
    file->details_sent = true;
    return rg_ok();
}

/* The other side's accept, which the details answer. */
static bool accept_find(const struct referral *office, const struct rg_case_file *file,
                        struct rg_id *out)
{
    struct rg_process_action action[RG_PROCESS_ACTIONS_MAX];
    size_t count =
        rg_process_actions(&file->process, rg_wall_now(), action, RG_PROCESS_ACTIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (action[i].what == RG_DO_SEND_DETAILS &&
            action[i].party == rg_office_party(office, file)) {
            *out = action[i].answers;
            return true;
        }
    }
    return false;
}

static rg_outcome send_owed(struct referral *office, struct rg_case_file *file,
                            struct rg_reason *why)
{
    RG_SPOOL_STEP step = {0};
    struct rg_id accept;
    if (!file->has_process) {
        RG_TRY(rg_office_fold(office, file, NULL, NULL, why));
    }
    RG_CHECK(accept_find(office, file, &accept), why, RG_DENIED, "case-step",
             "no accept of the other side is here");
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_office_send_details(office, file, accept, why));
    RG_TRY(rg_casebook_put(office->book, file, why));
    return rg_spool_step_commit(&step, why);
}

static rg_outcome send_one(struct referral *office, const char *id, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    if (rg_office_owes_details(&file)) {
        return send_owed(office, &file, why);
    }
    bool came_back = file.now.state == RG_CASE_RETURNED;
    RG_CHECK(came_back || rg_office_may_change(&file), why, RG_DENIED, "case-step",
             "this case has left the house already: it is %s", rg_case_state_name(file.now.state));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    if (came_back) {
        unsigned actions = 0; /* send_checked judges in any case */
        RG_TRY(rg_office_step(&file, RG_EVENT_RETRY, &actions, why));
    }
    RG_TRY(send_checked(office, &file, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    return file.now.state == RG_CASE_HELD ? rg_office_rule_says(&file, why) : rg_ok();
}

struct referral_result referral_send(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    return rg_result(send_one(office, id, &why), &why);
}

/* ---- answering ---- */

static rg_outcome answer(struct referral *office, struct rg_case_file *file,
                         struct rg_content *content, uint32_t kind, struct rg_reason *why)
{
    bool proposal = file->now.side == RG_SIDE_HOST;
    bool open = proposal ? file->has_proposal : file->has_request;
    RG_CHECK(open && (!proposal || kind == RG_KIND_DECLINE), why, RG_DENIED, "case-step",
             "there is nothing to answer in this case: it is %s",
             rg_case_state_name(file->now.state));
    unsigned actions = 0;
    RG_TRY(rg_office_step(file, rg_case_event_of(kind, false, !proposal), &actions, why));
    struct rg_letter letter = {
        .kind = kind,
        .to_office = proposal ? file->proposed_by : file->partner,
        .thread = proposal ? file->proposal_thread : file->thread,
        .has_answers = true,
        .answers = proposal ? file->proposal : file->request,
        .has_decides = true,
        .decides = proposal ? file->proposal : file->request,
        .content = content,
        .count = 1,
    };
    struct rg_id id;
    RG_TRY(rg_office_post(office, file, &letter, &id, why));
    RG_TRY(rg_casebook_put(office->book, file, why));
    if (proposal && (actions & RG_CASE_DO_ERASE_RECEIVED) != 0) {
        return rg_office_erase_received(office, file, why);
    }
    size_t done = 0;
    RG_TRY(rg_office_act(office, file, &done, why));
    return rg_casebook_put(office->book, file, why);
}

static rg_outcome answer_case(struct referral *office, const char *id, struct rg_content *content,
                              uint32_t kind, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    file.decline = kind == RG_KIND_DECLINE ? (uint32_t)content->decline.code : 0;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(answer(office, &file, content, kind, why));
    return rg_spool_step_commit(&step, why);
}

struct referral_result referral_accept(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_ACCEPT};
    content.accept.desk = rg_office_own(office);
    content.accept.contact_route = "in this thread";
    content.accept.next_steps = "send the details; then tracing and assessment";
    return rg_result(answer_case(office, id, &content, RG_KIND_ACCEPT, &why), &why);
}

struct referral_result referral_decline(struct referral *office, const char *id, const char *code,
                                        const char *text)
{
    struct rg_reason why = {0};
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_DECLINE};
    content.decline.code = rg_decline_find(code);
    content.decline.text = text != NULL ? text : "";
    content.decline.suggested_party = "";
    if (content.decline.code == 0) {
        struct referral_result result =
            rg_result(rg_fail(&why, RG_MALFORMED, "decline-code",
                              "the code must be one of NOT_OUR_NATIONAL, NO_CAPACITY, UNSAFE_HERE, "
                              "CONSENT_MISSING, INCOMPLETE, DUPLICATE_OF, CONFLICT_OF_INTEREST, "
                              "NO_LEGAL_BASIS, OTHER"),
                      &why);
        result.code = REFERRAL_USAGE;
        return result;
    }
    return rg_result(answer_case(office, id, &content, RG_KIND_DECLINE, &why), &why);
}
