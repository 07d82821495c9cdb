/* How it works: one table, sorted by nothing; it is short and looked up rarely. */
#include "core/wire.h"

static const struct rg_refusal_row row[] = {
    {RG_REFUSE_NONE, "NONE", "nothing was refused", "nothing"},
    {RG_REFUSE_EXPIRED, "EXPIRED", "the message arrived after its time to be received",
     "compose it again with a new expiry; ask the other side by telephone if it is urgent"},
    {RG_REFUSE_NOT_OUR_OFFICE, "NOT_OUR_OFFICE",
     "the message is from or for an office of another country",
     "check the office in the message; send it through the gateway of the office that writes"},
    {RG_REFUSE_UNKNOWN_OFFICE, "UNKNOWN_OFFICE", "no national page lists this office",
     "look up the office in the newest national page and address it anew"},
    {RG_REFUSE_CROSS_BORDER, "CROSS_BORDER",
     "this office may not send this across a border, or not with this priority",
     "send it to your own focal point, which passes it on under its own signature"},
    {RG_REFUSE_THREAD_TAKEN, "THREAD_TAKEN", "this thread belongs to two other offices",
     "start a thread of your own; the case handle inside links them"},
    {RG_REFUSE_ALREADY_DECIDED, "ALREADY_DECIDED",
     "your office has already decided the message this one decides",
     "open the case to see the decision; write a new message to change it"},
    {RG_REFUSE_CLOSED, "CLOSED", "this message was closed as never received and stays refused",
     "compose it again; the new message has a new id"},
    {RG_REFUSE_EXERCISE, "EXERCISE", "exercises and real cases do not mix",
     "send exercise messages only between gateways that run an exercise"},
    {RG_REFUSE_TOO_LARGE, "TOO_LARGE", "the message or a section is larger than this gateway takes",
     "leave out or shrink attachments, or send them in several messages"},
    {RG_REFUSE_LIFETIME, "LIFETIME", "the dates in the message do not fit each other or the rules",
     "check the clock of the device, then compose it again"},
    {RG_REFUSE_SUSPENDED, "SUSPENDED", "the country or the office is suspended",
     "ask your national authority; other offices of the country may still be open"},
    {RG_REFUSE_NO_PROOF, "NO_PROOF", "the proof of acceptance is missing or does not verify",
     "the operators of both gateways must compare their logs"},
    {RG_NOT_NOW_DISK_FULL, "DISK_FULL", "the gateway has no room left",
     "it is sent again by itself; the operator must free space"},
    {RG_NOT_NOW_QUOTA, "QUOTA", "this office has used up what it may send for now",
     "it is sent again by itself when the quota allows"},
    {RG_NOT_NOW_UNKNOWN_PAGE, "UNKNOWN_PAGE",
     "the message was made under a national page this gateway does not hold yet",
     "it is sent again by itself when the page has arrived"},
    {RG_NOT_NOW_STARTING, "STARTING", "the gateway is starting or stopping",
     "it is sent again by itself"},
    {RG_NOT_NOW_CLOCK, "CLOCK", "the clock of this gateway is not to be trusted",
     "the operator must set the clock; it is sent again by itself"},
    {RG_NOT_NOW_NOTARY, "NOTARY", "the log cannot be signed at present",
     "the operator must look at the notary; it is sent again by itself"},
    {RG_FAULT_MALFORMED, "MALFORMED", "the bytes are not what the protocol allows",
     "update the software that made them, or report it to its makers"},
    {RG_FAULT_UNEXPECTED, "UNEXPECTED", "this frame does not belong at this place",
     "update the software that sent it, or report it to its makers"},
    {RG_FAULT_HELLO, "HELLO", "the greeting does not fit the certificate",
     "check which certificate and which principal the sender is configured with"},
    {RG_FAULT_LIMIT, "LIMIT", "a bound of the protocol was exceeded",
     "send less at once, or report it to the makers of the software"},
    {RG_FAULT_VERSION, "VERSION", "the other side speaks another version of the protocol",
     "update the older side"},
};

const struct rg_refusal_row *rg_refusal_row(uint32_t code)
{
    static const struct rg_refusal_row unknown = {
        RG_REFUSE_NONE, "UNKNOWN", "a reason this version does not know",
        "update this software, then look at the message again"};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if ((uint32_t)row[i].code == code) {
            return &row[i];
        }
    }
    return &unknown;
}
