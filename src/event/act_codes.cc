#include "event/act_codes.h"

#include <algorithm>
#include <array>

namespace hygie::event {

namespace {

using namespace systems;

constexpr Coding kActivity{kDicom, "110100", "Application Activity"};
constexpr Coding kLogUsed{kDicom, "110101", "Audit Log Used"};
constexpr Coding kExport{kDicom, "110106", "Export"};
constexpr Coding kPatientRecord{kDicom, "110110", "Patient Record"};
constexpr Coding kQuery{kDicom, "110112", "Query"};
constexpr Coding kAlert{kDicom, "110113", "Security Alert"};
constexpr Coding kAuthentication{kDicom, "110114", "User Authentication"};

constexpr Coding kLogin{kDicom, "110122", "Login"};

constexpr Coding rest(std::string_view code) {
    return {kRest, code, code};
}

/// Our own name of a type, for what no standard names.
constexpr Coding kOwn{kHygie, {}, {}};

constexpr std::array kCodes = std::to_array<ActCodes>({
    {Type::Heartbeat, kActivity, kOwn},
    {Type::SourceRegistered, kActivity, kOwn},
    {Type::SourceGap, kAlert, kOwn},
    {Type::StreamSealed, kActivity, kOwn},
    {Type::LedgerRead, kLogUsed, kOwn},
    {Type::KeyShredded, kActivity, kOwn},
    {Type::LedgerPruned, kActivity, kOwn},
    {Type::KeyEpoch, kAlert, kOwn},
    {Type::IndexCommitted, kActivity, kOwn},
    {Type::PolicyChanged, kAlert, kOwn},
    {Type::RecordRead, kPatientRecord, rest("read")},
    {Type::RecordSearched, kQuery, rest("search")},
    {Type::RecordCreated, kPatientRecord, rest("create")},
    {Type::RecordUpdated, kPatientRecord, rest("update")},
    {Type::RecordDeleted, kPatientRecord, rest("delete")},
    {Type::RecordExported, kExport, {kLifecycle, "disclose", "Disclose Record Lifecycle Event"}},
    {Type::AccessRefused, kAlert, {kDicom, "110132", "Use of Restricted Function"}},
    {Type::ConsentDecided,
     kAlert,
     {kAuthz, "AuthZ-Consent", "Authorization Decision using Roles and Consent"}},
    {Type::BreakGlass, kAlert, {kDicom, "110127", "Emergency Override Started"}},
    {Type::SignedIn, kAuthentication, kLogin},
    {Type::SignInRefused, kAuthentication, kLogin},
    {Type::SignedOut, kAuthentication, {kDicom, "110123", "Logout"}},
    {Type::AccountChanged, kAlert, {kDicom, "110137", "User Security Attributes Changed"}},
    {Type::MailJudged, kActivity, kOwn},
    {Type::MailHeld, kAlert, kOwn},
    {Type::MailReleased, kActivity, kOwn},
    {Type::FileRead, kActivity, kOwn},
    {Type::FileChanged, kActivity, kOwn},
    {Type::FileDeleted, kActivity, kOwn},
    {Type::WriterStopped, kAlert, kOwn},
    {Type::FilesRestored, kActivity, kOwn},
    {Type::IncidentOpened, kAlert, kOwn},
    {Type::IncidentClosed, kAlert, kOwn},
    {Type::OrderGiven, kAlert, kOwn},
    {Type::OrderDone, kAlert, kOwn},
    {Type::Reported, kActivity, kOwn},
});

constexpr Coding kApplication{kDicom, "110150", "Application"};
constexpr Coding kDestination{kDicom, "110152", "Destination Role ID"};
constexpr Coding kSource{kDicom, "110153", "Source Role ID"};
constexpr Coding kCustodian{kParticipant, "custodian", "Custodian"};
constexpr Coding kAuthServer{"http://terminology.hl7.org/CodeSystem/extra-security-role-type",
                             "authserver", "authorization server"};
constexpr Coding kRecipient{kParticipation, "IRCP", "information recipient"};
constexpr Coding kAuthor{kParticipation, "AUT", "author (originator)"};

// Data flows from source to destination: a reader is the destination, a writer or asker the source.
constexpr AgentCodes kReading{kDestination, kSource, kRecipient};
constexpr AgentCodes kWriting{kSource, kDestination, kAuthor};
constexpr AgentCodes kDeleting{kApplication, kCustodian, kAuthor};
constexpr AgentCodes kAsking{kSource, kDestination, kRecipient};
constexpr AgentCodes kDeciding{kApplication, kAuthServer, kRecipient};

}  // namespace

std::span<const ActCodes> all_codes() {
    return kCodes;
}

ActCodes codes_of(Type type) {
    const auto* const found = std::ranges::find(kCodes, type, &ActCodes::type);
    ActCodes codes = found == kCodes.end() ? ActCodes{type, kActivity, kOwn} : *found;
    if (codes.subtype.code.empty()) codes.subtype.code = codes.subtype.display = name_of(type);
    return codes;
}

const AgentCodes& agents_of(Type type) {
    switch (type) {
        case Type::RecordRead:
        case Type::RecordExported:
            return kReading;
        case Type::RecordCreated:
        case Type::RecordUpdated:
            return kWriting;
        case Type::RecordDeleted:
            return kDeleting;
        case Type::ConsentDecided:
            return kDeciding;
        default:
            return kAsking;
    }
}

}  // namespace hygie::event
