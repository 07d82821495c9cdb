/*
 * How it works: the dictionary is one list of rows, RG_FIELDS; here each row gets its code list and
 * its type a check. A check sees text that is already NFC and trimmed, and may shorten it into the
 * normal form in place or rewrite it from the list. Invariant: what a check leaves behind passes
 * the same check again unchanged, so values off the wire can be held to their normal form.
 */
#include "client/htcds.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Code lists of HTCDS 2.0, IOM, CC BY 4.0; x_ codes are ours. */
static const char *const codes_ORG_TYPE[] = {"NGO",
                                             "LawEnforcement",
                                             "HealthServiceOrganisation",
                                             "CentralGovernmentOrganisation",
                                             "LocalGovernmentOrganisation",
                                             "ImmigrationService",
                                             "LegalService",
                                             "CorporateBusiness",
                                             "SchoolOrCollege",
                                             NULL};
static const char *const codes_GENDER[] = {"Feminine",
                                           "Masculine",
                                           "TransgenderFeminine",
                                           "TransgenderMasculine",
                                           "NonConforming",
                                           "NonSpecifiedUnknown",
                                           NULL};
static const char *const codes_MARITAL[] = {
    "Single", "Married", "Widowed", "Divorced", "Separated", "RegisteredPartnership", NULL};
static const char *const codes_EDUCATION[] = {
    "EarlyChildhoodEducation",           "PrimaryEducation",
    "LowerSecondaryEducation",           "UpperSecondaryEducation",
    "PostSecondaryNonTertiaryEducation", "ShortCycleTertiaryEducation",
    "BachelorsOrEquivalentLevel",        "MastersOrEquivalentLevel",
    "DoctoralOrEquivalentLevel",         NULL};
static const char *const codes_TRAFFICKING[] = {
    "PossibleVictimOfTrafficking", "ActualVictimOfTrafficking", "NotAVictimOfTrafficking", NULL};
static const char *const codes_DECIDING_ORG[] = {
    "Police", "NGO", "CourtOrProsecution", "NonPoliceGovernmentalOrganization", "Other", NULL};
static const char *const codes_RELATIONSHIP[] = {"Familial", "Acquainted", "Unaquainted", NULL};
static const char *const codes_WEBSITES[] = {
    "Facebook", "Instagram", "WhatsApp", "Telegram", "FacebookMessenger",
    "Viber",    "SnapChat",  "Line",     "4Sale",    "WeChat",
    "QQ",       "QZone",     "TikTok",   "Twitter",  "Other",
    NULL};
static const char *const codes_RECRUITMENT[] = {"AtAPlaceOfBusiness",
                                                "AtAnEducationalInstitution",
                                                "AtWork",
                                                "ThroughOnlineSocialNetworks",
                                                "ThroughAnOnlineAdvertisement",
                                                "ThroughATelevisionAdvert",
                                                "ThroughANewspaperAdvert",
                                                "ThroughFamilyOrFamilyEvents",
                                                "ThroughFriendsOrSocialEvents",
                                                "Other",
                                                NULL};
static const char *const codes_CONTROL[] = {"PhysicalThreats",
                                            "ThreatsLawEnforcement",
                                            "ThreatensChildrenFamily",
                                            "DebtBondage",
                                            "FalsePromises",
                                            "PhysicalAbuse",
                                            "SexualAbuse",
                                            "TakesEarnings",
                                            "RestrictsFinancialAccess",
                                            "RestrictsMedicalCare",
                                            "WithholdsNecessities",
                                            "PsychologicalAbuse",
                                            "PsychoactiveSubstance",
                                            "ExcessiveWorkingHours",
                                            "WithholdsDocuments",
                                            "Other",
                                            "x_RestrictsMovement",
                                            "x_UsesChildren",
                                            NULL};
static const char *const codes_EXPLOITATION[] = {"ForcedLabour",   "SexualExploitation",
                                                 "ChildLabour",    "ForcedMarriage",
                                                 "Servitude",      "ForcedMilitaryByNonStateActors",
                                                 "OrganRemoval",   "ForcedBegging",
                                                 "ForcedAdoption", "Surrogacy",
                                                 "Other",          NULL};
static const char *const codes_INDUSTRY[] = {"A_AgricultureForestryAndFishing",
                                             "B_MiningAndQuarrying",
                                             "C_Manufacturing",
                                             "D_ElectricityGasSteamAndAirConditioningSupply",
                                             "E_WaterSupplySewerageWasteManagement",
                                             "F_Construction",
                                             "G_WholesaleAndRetailTradeRepairOfMotorVehicles",
                                             "H_TransportationAndStorage",
                                             "I_AccommodationAndFoodServiceActivities",
                                             "J_InformationAndCommunication",
                                             "K_FinancialAndInsuranceActivities",
                                             "L_RealEstateActivities",
                                             "M_ProfessionalScientificAndTechnicalActivities",
                                             "N_AdministrativeAndSupportServiceActivities",
                                             "O_PublicAdministrationAndDefence",
                                             "P_Education",
                                             "Q_HumanHealthAndSocialWorkActivities",
                                             "R_ArtsEntertainmentAndRecreation",
                                             "S_OtherServiceActivities",
                                             "T_ActivitiesOfHouseholdsAsEmployers",
                                             "U_ActivitiesOfExtraterritorialOrganizations",
                                             NULL};
static const char *const codes_SEX_EXPLOITATION[] = {
    "Prostitution", "Pornography", "RemoteInteractiveServices", "PrivateSexualServices", NULL};
static const char *const codes_ROLE[] = {"TravellingPartner",
                                         "Transporter",
                                         "RecruiterOrIntermediary",
                                         "BrokerTravelAgent",
                                         "TransferredIndividual",
                                         "HarbouredIndividual",
                                         "SoldIndividual",
                                         "BoughtIndividual",
                                         "ReceivedIndividual",
                                         "ControlledIndividual",
                                         "Smuggler",
                                         "Abuser",
                                         "Kidnapper",
                                         "Exploiter",
                                         "Other",
                                         NULL};
static const char *const codes_CAS_STATUS[] = {"Active", "FollowUp", "Closed", "ClosedReferred",
                                               NULL};
static const char *const codes_REASON[] = {"AdditionalServicesRequired",
                                           "MigrationOrChangeOfLocation", "Other", NULL};
static const char *const codes_HTE_TYPE[] = {"Recruitment", "Transit", "Exploitation", NULL};
static const char *const codes_SPL_TYPE[] = {"Education",
                                             "Financial",
                                             "Health",
                                             "LabourExploitationRehabilitation",
                                             "Legal",
                                             "Livelihood",
                                             "RightsBasedTraining",
                                             "SexualExploitationRehabilitation",
                                             "SocialCare",
                                             NULL};

static const char *const codes_VULNERABILITIES[] = {"Addiction",
                                                    "SocialGroup",
                                                    "Discrimination",
                                                    "Poverty",
                                                    "DisabilityAndPhysicalHealth",
                                                    "MentalHealth",
                                                    "Migration",
                                                    "Homelessness",
                                                    "AbuseSocialMedia",
                                                    "AbusePhysical",
                                                    "Education",
                                                    "WorkEnvironment",
                                                    NULL};

/* Our own lists. New codes are added at the end: positions are on the wire. */
static const char *const codes_NAME_ORDER[] = {"family-first", "given-first", "single", NULL};
static const char *const codes_DOB_PRECISION[] = {"day", "month", "year", "estimated", NULL};
static const char *const codes_DOB_CALENDAR[] = {"common-era",    "buddhist", "burmese",
                                                 "chinese-lunar", "other",    NULL};
static const char *const codes_AGE_STATUS[] = {"adult", "child", "uncertain", NULL};
static const char *const codes_VERIFICATION[] = {"claimed", "documented", "verified", NULL};
/* Nothing here may tell of HIV, pregnancy or sexual violence: this list is read before consent to
 * share health. */
static const char *const codes_NEEDS[] = {"wheelchair",          "interpreter",     "female escort",
                                          "male escort",         "child escort",    "infant care",
                                          "cold-chain medicine", "sign language",   "dietary",
                                          "ground-floor room",   "quiet transport", NULL};
static const char *const codes_CONSENT_SCOPES[] = {"NOTIFY_ORIGIN",
                                                   "SHARE_IDENTITY",
                                                   "TRACE_FAMILY",
                                                   "SHARE_HEALTH",
                                                   "SHARE_LEGAL",
                                                   "SHARE_SECURITY",
                                                   "RETURN",
                                                   "FOLLOW_UP",
                                                   "ONWARD_THIRD_COUNTRY",
                                                   "STATISTICS",
                                                   NULL};
static const char *const codes_CONSENT_GIVEN_BY[] = {"person", "guardian", "both", NULL};
static const char *const codes_CONSENT_METHOD[] = {"written", "thumbprint", "recorded-oral",
                                                   "witnessed", NULL};
static const char *const codes_URGENCY[] = {"routine", "urgent", "emergency", NULL};
static const char *const codes_REFERRAL_REASON[] = {
    "RETURN", "TRACING_ONLY", "SERVICES", "LATE_IDENTIFICATION", "FAMILY_REUNION", "WITNESS", NULL};
static const char *const codes_PLACE_OF_STAY[] = {"shelter",   "community", "family", "hospital",
                                                  "detention", "street",    "other",  NULL};
#define codes_NONE NULL

/* ISO 3166-1 alpha-2, and ISO 639-2 (bibliographic and terminological), each code once. */
static const char iso_3166_alpha_2[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO "
    "BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ "
    "DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP "
    "GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG "
    "KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML "
    "MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE "
    "PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL "
    "SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM "
    "US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";
static const char iso_639_2[] =
    "aar abk ace ach ada ady afa afh afr ain aka akk alb ale alg alt amh ang anp apa ara arc "
    "arg arm arn arp art arw asm ast ath aus ava ave awa aym aze bad bai bak bal bam ban baq "
    "bas bat bej bel bem ben ber bho bih bik bin bis bla bnt bod bos bra bre btk bua bug bul "
    "bur byn cad cai car cat cau ceb cel ces cha chb che chg chi chk chm chn cho chp chr chu "
    "chv chy cmc cnr cop cor cos cpe cpf cpp cre crh crp csb cus cym cze dak dan dar day del "
    "den deu dgr din div doi dra dsb dua dum dut dyu dzo efi egy eka ell elx eng enm epo est "
    "eus ewe ewo fan fao fas fat fij fil fin fiu fon fra fre frm fro frr frs fry ful fur gaa "
    "gay gba gem geo ger gez gil gla gle glg glv gmh goh gon gor got grb grc gre grn gsw guj "
    "gwi hai hat hau haw heb her hil him hin hit hmn hmo hrv hsb hun hup hye iba ibo ice ido "
    "iii ijo iku ile ilo ina inc ind ine inh ipk ira iro isl ita jav jbo jpn jpr jrb kaa kab "
    "kac kal kam kan kar kas kat kau kaw kaz kbd kha khi khm kho kik kin kir kmb kok kom kon "
    "kor kos kpe krc krl kro kru kua kum kur kut lad lah lam lao lat lav lez lim lin lit lol "
    "loz ltz lua lub lug lui lun luo lus mac mad mag mah mai mak mal man mao map mar mas may "
    "mdf mdr men mga mic min mis mkd mkh mlg mlt mnc mni mno moh mon mos mri msa mul mun mus "
    "mwl mwr mya myn myv nah nai nap nau nav nbl nde ndo nds nep new nia nic niu nld nno nob "
    "nog non nor nqo nso nub nwc nya nym nyn nyo nzi oci oji ori orm osa oss ota oto paa pag "
    "pal pam pan pap pau peo per phi phn pli pol pon por pra pro pus que raj rap rar roa roh "
    "rom ron rum run rup rus sad sag sah sai sal sam san sas sat scn sco sel sem sga sgn shn "
    "sid sin sio sit sla slk slo slv sma sme smi smj smn smo sms sna snd snk sog som son sot "
    "spa sqi srd srn srp srr ssa ssw suk sun sus sux swa swe syc syr tah tai tam tat tel tem "
    "ter tet tgk tgl tha tib tig tir tiv tkl tlh tli tmh tog ton tpi tsi tsn tso tuk tum tup "
    "tur tut tvl twi tyv udm uga uig ukr umb und urd uzb vai ven vie vol vot wak wal war was "
    "wel wen wln wol xal xho yao yap yid yor ypk zap zbl zen zgh zha zho znd zul zun zxx zza ";

#define TEXT_BYTES 1024
#define SHORT_BYTES 64
#define CODES_BYTES 1024

static const size_t type_bytes_max[] = {
    [RG_TYPE_TEXT] = TEXT_BYTES,
    [RG_TYPE_LONG_TEXT] = RG_FIELD_BYTES_MAX,
    [RG_TYPE_NAME] = RG_NAME_BYTES_MAX,
    [RG_TYPE_NAMES] = RG_FIELD_BYTES_MAX,
    [RG_TYPE_REFERENCE] = SHORT_BYTES,
    [RG_TYPE_IDENTIFIER] = SHORT_BYTES * 2,
    [RG_TYPE_DATE] = SHORT_BYTES,
    [RG_TYPE_MONTH] = SHORT_BYTES,
    [RG_TYPE_NUMBER] = SHORT_BYTES,
    [RG_TYPE_BOOL] = SHORT_BYTES,
    [RG_TYPE_COORDINATE] = SHORT_BYTES,
    [RG_TYPE_PHONE] = SHORT_BYTES,
    [RG_TYPE_EMAIL] = 254,
    [RG_TYPE_LANGUAGE] = SHORT_BYTES,
    [RG_TYPE_COUNTRY] = SHORT_BYTES,
    [RG_TYPE_CITIZENSHIP] = SHORT_BYTES,
    [RG_TYPE_CODE] = SHORT_BYTES * 2,
    [RG_TYPE_CODES] = CODES_BYTES,
};

static const struct rg_field_row rows[RG_FIELD_COUNT] = {
#define X(number_, symbol, name_, class_name, type_, list, place_)                                 \
    [RG_FIELD_##symbol] = {                                                                        \
        .number = (number_),                                                                       \
        .name = (name_),                                                                           \
        .class_ = RG_CLASS_##class_name,                                                           \
        .type = RG_TYPE_##type_,                                                                   \
        .place = RG_PLACE_##place_,                                                                \
        .codes = codes_##list,                                                                     \
    },
    RG_FIELDS(X)
#undef X
};

const char *rg_class_name(enum rg_class class_)
{
    static const char *const name[] = {"unknown", "case",  "identity", "family",
                                       "health",  "legal", "security"};
    return (unsigned)class_ <= RG_CLASS_COUNT ? name[class_] : name[0];
}

const struct rg_field_row *rg_field_row(enum rg_field field)
{
    RG_ASSERT((unsigned)field < RG_FIELD_COUNT);
    return &rows[field];
}

size_t rg_field_bytes_max(enum rg_field field)
{
    return type_bytes_max[rg_field_row(field)->type];
}

bool rg_field_find(struct rg_bytes name, enum rg_field *field_out)
{
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        if (rg_bytes_equal(name, rg_bytes_of_text(rows[i].name))) {
            *field_out = (enum rg_field)i;
            return true;
        }
    }
    return false;
}

bool rg_field_of_number(uint32_t number, enum rg_field *field_out)
{
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        if (rows[i].number == number) {
            *field_out = (enum rg_field)i;
            return true;
        }
    }
    return false;
}

bool rg_field_is_multi(enum rg_field field)
{
    enum rg_value_type type = rg_field_row(field)->type;
    return type == RG_TYPE_CODES || type == RG_TYPE_CITIZENSHIP || type == RG_TYPE_NAMES;
}

bool rg_field_crosses(enum rg_field field)
{
    enum rg_field_place place = rg_field_row(field)->place;
    return place == RG_PLACE_MAY || place == RG_PLACE_MUST;
}

bool rg_field_is_old(enum rg_field field)
{
    return rg_field_row(field)->place == RG_PLACE_OLD;
}

static uint32_t position_in(const char *const *list, struct rg_bytes text)
{
    for (uint32_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (rg_bytes_equal(text, rg_bytes_of_text(list[i]))) {
            return i + 1;
        }
    }
    return 0;
}

/* HTCDS spells it Unaquainted: kept on the way out, both taken on the way in. */
static struct rg_bytes spelled_as_htcds(struct rg_bytes text)
{
    return rg_bytes_equal(text, RG_BYTES_LITERAL("Unacquainted")) ? RG_BYTES_LITERAL("Unaquainted")
                                                                  : text;
}

uint32_t rg_code_find(enum rg_field field, struct rg_bytes text)
{
    return position_in(rg_field_row(field)->codes, spelled_as_htcds(text));
}

const char *rg_code_text(enum rg_field field, uint32_t position)
{
    const char *const *list = rg_field_row(field)->codes;
    for (uint32_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (i + 1 == position) {
            return list[i];
        }
    }
    return NULL;
}

struct rg_bytes rg_codes_part(struct rg_bytes *rest)
{
    const uint8_t *end = memchr(rest->data, ';', rest->len);
    struct rg_bytes part = {rest->data, end == NULL ? rest->len : (size_t)(end - rest->data)};
    size_t used = end == NULL ? rest->len : part.len + 1;
    rest->data += used;
    rest->len -= used;
    while (part.len > 0 && part.data[0] == ' ') {
        part.data++;
        part.len--;
    }
    while (part.len > 0 && part.data[part.len - 1] == ' ') {
        part.len--;
    }
    return part;
}

uint32_t rg_codes_set(enum rg_field field, const char *normal)
{
    uint32_t set = 0;
    struct rg_bytes rest = rg_bytes_of_text(normal);
    while (rest.len > 0) {
        uint32_t position = rg_code_find(field, rg_codes_part(&rest));
        set |= position == 0 || position > 32 ? 0 : 1u << (position - 1);
    }
    return set;
}

/* "one of: a, b, ..." as far as the reason has room. */
static rg_outcome not_in_list(const struct rg_field_row *row, const char *how,
                              struct rg_reason *why)
{
    char list[RG_REASON_TEXT_BYTES] = "";
    size_t len = 0;
    for (size_t i = 0; row->codes[i] != NULL; i++) {
        size_t need = strlen(row->codes[i]) + 2;
        if (len + need + 8 > sizeof(list) - 40) {
            (void)snprintf(list + len, sizeof(list) - len, ", ...");
            break;
        }
        (void)snprintf(list + len, sizeof(list) - len, "%s%s", i == 0 ? "" : ", ", row->codes[i]);
        len += i == 0 ? need - 2 : need;
    }
    return rg_fail(why, RG_MALFORMED, "field-value", "allowed: %s %s", how, list);
}

static rg_outcome rewrite(struct rg_buffer *text, const char *to, struct rg_reason *why)
{
    rg_buffer_clear(text);
    return rg_buffer_append_text(text, to, why);
}

static rg_outcome check_code(const struct rg_field_row *row, struct rg_buffer *text,
                             struct rg_reason *why)
{
    uint32_t position = position_in(row->codes, spelled_as_htcds(rg_buffer_peek(text)));
    if (position == 0) {
        return not_in_list(row, "one of", why);
    }
    return rewrite(text, row->codes[position - 1], why);
}

static bool has_blanks(const char *const *codes)
{
    bool found = false;
    for (size_t i = 0; codes[i] != NULL; i++) {
        found = found || strchr(codes[i], ' ') != NULL;
    }
    return found;
}

/* Survey tools part several codes by a blank. Blanks beside a ';' go, others become one. */
static void blanks_part(struct rg_buffer *text)
{
    size_t to = 0;
    for (size_t at = 0; at < text->len; at++) {
        bool blank = text->data[at] == ' ';
        bool after = to > 0 && text->data[to - 1] == ';';
        bool before =
            at + 1 < text->len && (text->data[at + 1] == ' ' || text->data[at + 1] == ';');
        if (!blank || (!after && !before)) {
            text->data[to++] = blank ? ';' : text->data[at];
        }
    }
    text->len = to;
}

static rg_outcome check_codes(const struct rg_field_row *row, struct rg_buffer *text,
                              struct rg_reason *why)
{
    uint32_t set = 0;
    if (!has_blanks(row->codes)) {
        blanks_part(text);
    }
    struct rg_bytes rest = rg_buffer_peek(text);
    while (rest.len > 0) {
        uint32_t position = position_in(row->codes, spelled_as_htcds(rg_codes_part(&rest)));
        if (position == 0) {
            return not_in_list(row, "any of, joined by ';',", why);
        }
        set |= 1u << (position - 1);
    }
    rg_buffer_clear(text);
    for (uint32_t i = 0; row->codes[i] != NULL; i++) {
        if ((set >> i & 1u) != 0) {
            RG_TRY(rg_buffer_append_text(text, text->len == 0 ? "" : ";", why));
            RG_TRY(rg_buffer_append_text(text, row->codes[i], why));
        }
    }
    return rg_ok();
}

static bool is_in_iso(const char *list, struct rg_bytes code, size_t width)
{
    if (code.len != width) {
        return false;
    }
    for (const char *at = list; *at != '\0'; at += width + 1) {
        if (memcmp(at, code.data, width) == 0) {
            return true;
        }
    }
    return false;
}

static void upper(struct rg_buffer *text)
{
    for (size_t i = 0; i < text->len; i++) {
        uint8_t byte = text->data[i];
        text->data[i] = byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
    }
}

static rg_outcome check_country(const struct rg_field_row *row, struct rg_buffer *text,
                                struct rg_reason *why)
{
    (void)row;
    upper(text);
    RG_CHECK(is_in_iso(iso_3166_alpha_2, rg_buffer_peek(text), 2), why, RG_MALFORMED, "field-value",
             "allowed: one ISO 3166-1 country code of two letters");
    return rg_ok();
}

static bool is_citizenship(struct rg_bytes part)
{
    return is_in_iso(iso_3166_alpha_2, part, 2) || rg_bytes_equal(part, RG_BYTES_LITERAL("XXA")) ||
           rg_bytes_equal(part, RG_BYTES_LITERAL("XXX"));
}

/* Parts trimmed, joined again; each must be `good`. */
static rg_outcome rejoin(struct rg_buffer *text, bool (*good)(struct rg_bytes part),
                         const char *allowed, struct rg_reason *why)
{
    RG_OWNED_BUFFER given = rg_buffer_take(text);
    struct rg_bytes rest = rg_buffer_peek(&given);
    while (rest.len > 0) {
        struct rg_bytes part = rg_codes_part(&rest);
        RG_CHECK(good(part), why, RG_MALFORMED, "field-value", "allowed: %s, joined by ';'",
                 allowed);
        RG_TRY(rg_buffer_append_text(text, text->len == 0 ? "" : ";", why));
        RG_TRY(rg_buffer_append(text, part, why));
    }
    return rg_ok();
}

static rg_outcome check_citizenship(const struct rg_field_row *row, struct rg_buffer *text,
                                    struct rg_reason *why)
{
    (void)row;
    upper(text);
    blanks_part(text);
    return rejoin(text, is_citizenship,
                  "ISO 3166-1 country codes of two letters, XXA (stateless) or XXX (unspecified)",
                  why);
}

static rg_outcome check_language(const struct rg_field_row *row, struct rg_buffer *text,
                                 struct rg_reason *why)
{
    (void)row;
    RG_CHECK(is_in_iso(iso_639_2, rg_buffer_peek(text), 3), why, RG_MALFORMED, "field-value",
             "allowed: one ISO 639-2 language code of three small letters, as mya or vie");
    return rg_ok();
}

static rg_outcome check_text(const struct rg_field_row *row, struct rg_buffer *text,
                             struct rg_reason *why)
{
    (void)row;
    (void)text;
    (void)why;
    return rg_ok();
}

static bool is_name(struct rg_bytes part)
{
    return part.len > 0 && part.len <= RG_NAME_BYTES_MAX;
}

static rg_outcome check_names(const struct rg_field_row *row, struct rg_buffer *text,
                              struct rg_reason *why)
{
    (void)row;
    return rejoin(text, is_name, "names of at most 1,024 bytes", why);
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static rg_outcome check_reference(const struct rg_field_row *row, struct rg_buffer *text,
                                  struct rg_reason *why)
{
    (void)row;
    bool good = true;
    for (size_t i = 0; i < text->len; i++) {
        good = good && (is_letter_or_digit(text->data[i]) ||
                        (i > 0 && strchr("._/-", text->data[i]) != NULL));
    }
    RG_CHECK(good, why, RG_MALFORMED, "field-value",
             "allowed: at most %d letters (a-z), digits and . _ / -, the first a letter or digit",
             SHORT_BYTES);
    return rg_ok();
}

static rg_outcome check_identifier(const struct rg_field_row *row, struct rg_buffer *text,
                                   struct rg_reason *why)
{
    (void)row;
    (void)why;
    rg_text_digits(text);
    return rg_ok();
}

static int digits_at(struct rg_bytes text, size_t at, size_t count)
{
    int value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.len || text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool rg_date_parse(struct rg_bytes text, struct rg_date *date_out)
{
    bool has_month = text.len >= 7;
    bool has_day = text.len == 10;
    if (text.len != 4 && text.len != 7 && text.len != 10) {
        return false;
    }
    if ((has_month && text.data[4] != '-') || (has_day && text.data[7] != '-')) {
        return false;
    }
    struct rg_date date = {.year = digits_at(text, 0, 4)};
    date.month = has_month ? digits_at(text, 5, 2) : 0;
    date.day = has_day ? digits_at(text, 8, 2) : 0;
    bool good = date.year >= 1900 && date.year <= 2100;
    good = good && (!has_month || (date.month >= 1 && date.month <= 12));
    good = good && (!has_day || (date.day >= 1 && date.day <= days_in(date.year, date.month)));
    if (good) {
        *date_out = date;
    }
    return good;
}

int rg_date_compare(struct rg_date a, struct rg_date b)
{
    int x = (a.year * 100 + a.month) * 100 + a.day;
    int y = (b.year * 100 + b.month) * 100 + b.day;
    return (x > y) - (x < y);
}

struct rg_date rg_date_of_wall(struct rg_wall wall)
{
    time_t seconds = (time_t)(wall.ms / 1000);
    struct tm parts = {0};
    (void)gmtime_r(&seconds, &parts);
    return (struct rg_date){parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday};
}

struct rg_date rg_day_of_wall(struct rg_wall wall)
{
    return rg_date_of_wall((struct rg_wall){wall.ms + RG_DAY_BEGINS_EARLIER_MS});
}

/* A year above 2100 is most likely of the Buddhist era. It is asked about, never converted. */
static rg_outcome check_date(const struct rg_field_row *row, struct rg_buffer *text,
                             struct rg_reason *why)
{
    (void)row;
    rg_text_digits(text);
    struct rg_date date;
    RG_CHECK(rg_date_parse(rg_buffer_peek(text), &date), why, RG_MALFORMED, "field-value",
             "allowed: YYYY, YYYY-MM or YYYY-MM-DD, a date that exists, years 1900 to 2100 of the "
             "common era (a Buddhist year is 543 higher)");
    return rg_ok();
}

static rg_outcome check_month(const struct rg_field_row *row, struct rg_buffer *text,
                              struct rg_reason *why)
{
    (void)row;
    rg_text_digits(text);
    struct rg_date date;
    RG_CHECK(rg_date_parse(rg_buffer_peek(text), &date) && text->len == 7, why, RG_MALFORMED,
             "field-value", "allowed: YYYY-MM, years 1900 to 2100 of the common era");
    return rg_ok();
}

static rg_outcome check_number(const struct rg_field_row *row, struct rg_buffer *text,
                               struct rg_reason *why)
{
    (void)row;
    rg_text_digits(text);
    struct rg_bytes number = rg_buffer_peek(text);
    bool good = number.len <= 3 && digits_at(number, 0, number.len) >= 0;
    good = good && (number.len == 1 || number.data[0] != '0');
    RG_CHECK(good, why, RG_MALFORMED, "field-value", "allowed: a whole number from 0 to 999");
    return rg_ok();
}

static rg_outcome check_bool(const struct rg_field_row *row, struct rg_buffer *text,
                             struct rg_reason *why)
{
    (void)row;
    struct rg_bytes value = rg_buffer_peek(text);
    bool yes = value.len == 4 && strncasecmp((const char *)value.data, "true", 4) == 0;
    bool no = value.len == 5 && strncasecmp((const char *)value.data, "false", 5) == 0;
    RG_CHECK(yes || no, why, RG_MALFORMED, "field-value", "allowed: true, false or empty");
    return rewrite(text, yes ? "true" : "false", why);
}

static rg_outcome check_coordinate(const struct rg_field_row *row, struct rg_buffer *text,
                                   struct rg_reason *why)
{
    bool is_longitude = strstr(row->name, "Longitude") != NULL;
    int limit = is_longitude ? 180 : 90;
    struct rg_bytes value = rg_buffer_peek(text);
    size_t at = value.data[0] == '-' ? 1 : 0;
    size_t whole = 0;
    while (at + whole < value.len && whole < 4 && digits_at(value, at + whole, 1) >= 0) {
        whole++;
    }
    size_t rest = at + whole;
    bool good = whole >= 1 && whole <= 3 && digits_at(value, at, whole) <= limit;
    if (good && rest < value.len) {
        size_t places = value.len - rest - 1;
        good = value.data[rest] == '.' && places >= 1 && places <= 8 &&
               digits_at(value, rest + 1, places) >= 0;
    }
    RG_CHECK(good, why, RG_MALFORMED, "field-value",
             "allowed: degrees from -%d to %d with a point and at most 8 places", limit, limit);
    return rg_ok();
}

static rg_outcome check_phone(const struct rg_field_row *row, struct rg_buffer *text,
                              struct rg_reason *why)
{
    (void)row;
    rg_text_digits(text);
    struct rg_bytes value = rg_buffer_peek(text);
    size_t at = value.data[0] == '+' ? 1 : 0;
    bool good = value.len >= at + 2 && value.len <= at + 15 && value.data[at] != '0';
    for (size_t i = at; i < value.len; i++) {
        good = good && digits_at(value, i, 1) >= 0;
    }
    RG_CHECK(good, why, RG_MALFORMED, "field-value",
             "allowed: an E.164 number, + and 2 to 15 digits, the first not 0");
    return rg_ok();
}

static rg_outcome check_email(const struct rg_field_row *row, struct rg_buffer *text,
                              struct rg_reason *why)
{
    (void)row;
    struct rg_bytes value = rg_buffer_peek(text);
    const uint8_t *at = memchr(value.data, '@', value.len);
    bool good = at != NULL && at != value.data && at != value.data + value.len - 1 &&
                memchr(at + 1, '@', (size_t)(value.data + value.len - at - 1)) == NULL &&
                memchr(value.data, ' ', value.len) == NULL;
    RG_CHECK(good, why, RG_MALFORMED, "field-value", "allowed: one address, name@domain");
    return rg_ok();
}

typedef rg_outcome (*value_check)(const struct rg_field_row *row, struct rg_buffer *text,
                                  struct rg_reason *why);

static const value_check type_check[] = {
    [RG_TYPE_TEXT] = check_text,
    [RG_TYPE_LONG_TEXT] = check_text,
    [RG_TYPE_NAME] = check_text,
    [RG_TYPE_NAMES] = check_names,
    [RG_TYPE_REFERENCE] = check_reference,
    [RG_TYPE_IDENTIFIER] = check_identifier,
    [RG_TYPE_DATE] = check_date,
    [RG_TYPE_MONTH] = check_month,
    [RG_TYPE_NUMBER] = check_number,
    [RG_TYPE_BOOL] = check_bool,
    [RG_TYPE_COORDINATE] = check_coordinate,
    [RG_TYPE_PHONE] = check_phone,
    [RG_TYPE_EMAIL] = check_email,
    [RG_TYPE_LANGUAGE] = check_language,
    [RG_TYPE_COUNTRY] = check_country,
    [RG_TYPE_CITIZENSHIP] = check_citizenship,
    [RG_TYPE_CODE] = check_code,
    [RG_TYPE_CODES] = check_codes,
};

rg_outcome rg_field_check(enum rg_field field, struct rg_bytes value, struct rg_buffer *normal_out,
                          struct rg_reason *why)
{
    const struct rg_field_row *row = rg_field_row(field);
    enum rg_text_form form = row->type == RG_TYPE_LONG_TEXT ? RG_TEXT_LINES : RG_TEXT_LINE;
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_text_normal(value, rg_field_bytes_max(field), form, normal_out, &inner);
    if (!rg_is_ok(outcome)) {
        return outcome.code == RG_IO ? rg_fail(why, RG_IO, "out-of-memory", "%s", inner.text)
                                     : rg_fail(why, RG_MALFORMED, "field-value", "%s", inner.text);
    }
    return normal_out->len == 0 ? rg_ok() : type_check[row->type](row, normal_out, why);
}

void rg_value_class(struct rg_bytes value, char out[RG_VALUE_CLASS_BYTES])
{
    RG_OWNED_BUFFER ascii = {.secret = true};
    size_t letters = 0;
    size_t digits = 0;
    if (!rg_is_ok(rg_text_check(value, RG_FIELD_BYTES_MAX, RG_TEXT_LINES, NULL)) ||
        !rg_is_ok(rg_buffer_append(&ascii, value, NULL))) {
        (void)snprintf(out, RG_VALUE_CLASS_BYTES, "a value of %zu bytes", value.len);
        return;
    }
    rg_text_digits(&ascii);
    for (size_t i = 0; i < ascii.len; i++) {
        letters += (ascii.data[i] & 0xC0) != 0x80; /* not the inner bytes of a code point */
        digits += ascii.data[i] >= '0' && ascii.data[i] <= '9';
    }
    bool number = letters > 0 && digits == letters;
    const char *what = number ? "a number" : digits > 0 ? "text with digits" : "text";
    (void)snprintf(out, RG_VALUE_CLASS_BYTES, "%s of %zu %s", letters == 0 ? "an empty text" : what,
                   letters, number ? "digits" : "letters");
}
