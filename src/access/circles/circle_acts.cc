#include <algorithm>
#include <array>

#include "access/circles/circle_read.h"

namespace hygie::access {
namespace {

using fhir::Json;
using Kind = Relation::Kind;

constexpr Second kDay = 86'400;
/// Open while the status says that it goes on.
constexpr Second kOpen = kForever;

/// One type of act: who takes part, when, and how long it is good for after its last moment while
/// it is not over.
struct ActRule {
    std::string_view type;
    Kind kind;
    std::string_view parties;  ///< dotted paths, separated by blanks
    std::string_view times;
    Second horizon = 0;
};

constexpr ActRule kRules[] = {
    {"Account", Kind::Billing, "owner", "servicePeriod", kOpen},
    {"AdverseEvent", Kind::Act, "recorder contributor", "date recordedDate"},
    {"AllergyIntolerance", Kind::Act, "recorder asserter", "recordedDate lastOccurrence"},
    {"CarePlan", Kind::EpisodeOfCare,
     "author contributor careTeam activity.detail.performer activity.detail.location",
     "period created", kOpen},
    {"ChargeItem", Kind::Billing,
     "enterer performer.actor performingOrganization requestingOrganization costCenter",
     "occurrenceDateTime occurrencePeriod enteredDate"},
    {"Claim", Kind::Billing, "enterer insurer facility payee.party", "created billablePeriod"},
    {"Claim", Kind::Act, "provider careTeam.provider", "billablePeriod created"},
    {"ClinicalImpression", Kind::Act, "assessor", "effectiveDateTime effectivePeriod date"},
    {"Communication", Kind::Exchange, "sender recipient", "sent received"},
    {"CommunicationRequest", Kind::Exchange, "requester sender recipient",
     "authoredOn occurrenceDateTime occurrencePeriod", 30 * kDay},
    {"Composition", Kind::Author, "author attester.party custodian", "date"},
    {"Condition", Kind::Act, "recorder asserter", "recordedDate"},
    {"Coverage", Kind::Billing, "payor", "period", kOpen},
    {"CoverageEligibilityRequest", Kind::Billing, "enterer provider facility insurer",
     "created servicedDate servicedPeriod"},
    {"DeviceRequest", Kind::Prescription, "requester performer",
     "authoredOn occurrenceDateTime occurrencePeriod", 90 * kDay},
    {"DiagnosticReport", Kind::Act, "performer resultsInterpreter",
     "effectiveDateTime effectivePeriod issued"},
    {"DocumentManifest", Kind::Author, "author recipient", "created"},
    {"DocumentReference", Kind::Author,
     "author authenticator custodian recipient attester.party context.related",
     "date context.period"},
    {"EpisodeOfCare", Kind::EpisodeOfCare, "careManager managingOrganization team", "period",
     kOpen},
    {"ExplanationOfBenefit", Kind::Billing, "enterer insurer facility payee.party",
     "created billablePeriod"},
    {"ExplanationOfBenefit", Kind::Act, "provider careTeam.provider", "billablePeriod created"},
    {"Flag", Kind::Author, "author", "period"},
    {"Goal", Kind::Act, "expressedBy", "startDate statusDate"},
    {"ImagingStudy", Kind::Act, "referrer interpreter series.performer.actor location", "started"},
    {"Immunization", Kind::Act, "performer.actor location", "occurrenceDateTime recorded"},
    {"Invoice", Kind::Billing, "participant.actor issuer", "date"},
    {"List", Kind::Author, "source", "date"},
    {"Media", Kind::Act, "operator", "createdDateTime createdPeriod issued"},
    {"MedicationAdministration", Kind::Act, "performer.actor", "effectiveDateTime effectivePeriod"},
    {"MedicationDispense", Kind::Dispense, "performer.actor location receiver",
     "whenPrepared whenHandedOver"},
    {"MedicationRequest", Kind::Prescription,
     "requester performer recorder dispenseRequest.performer",
     "authoredOn dispenseRequest.validityPeriod", 90 * kDay},
    {"MedicationStatement", Kind::Act, "informationSource", "dateAsserted"},
    {"NutritionOrder", Kind::Prescription, "orderer", "dateTime", 30 * kDay},
    {"Observation", Kind::Act, "performer", "effectiveDateTime effectivePeriod issued"},
    {"Procedure", Kind::Act, "performer.actor performer.onBehalfOf recorder asserter location",
     "performedDateTime performedPeriod"},
    {"QuestionnaireResponse", Kind::Author, "author source", "authored"},
    {"RiskAssessment", Kind::Act, "performer", "occurrenceDateTime occurrencePeriod"},
    {"ServiceRequest", Kind::Referral, "requester performer locationReference",
     "authoredOn occurrenceDateTime occurrencePeriod", 90 * kDay},
    {"Specimen", Kind::Act, "collection.collector",
     "collection.collectedDateTime collection.collectedPeriod receivedTime"},
    {"SupplyDelivery", Kind::Dispense, "supplier receiver destination",
     "occurrenceDateTime occurrencePeriod"},
    {"SupplyRequest", Kind::Prescription, "requester supplier",
     "authoredOn occurrenceDateTime occurrencePeriod", 30 * kDay},
    {"Task", Kind::Task, "owner requester restriction.recipient location",
     "authoredOn lastModified executionPeriod restriction.period", 30 * kDay},
    {"VisionPrescription", Kind::Prescription, "prescriber", "dateWritten", 90 * kDay},
};

/// For types that the table does not know.
constexpr ActRule kAnyRule{
    "", Kind::Act,
    "author performer performer.actor recorder requester owner asserter creator participant.actor "
    "participant.individual participant.member",
    "period date authoredOn recorded recordedDate issued created effectiveDateTime "
    "performedDateTime occurrenceDateTime"};

constexpr std::array<std::string_view, 9> kNothing = {
    "entered-in-error", "cancelled", "noshow",
    "not-done",         "rejected",  "revoked",
    "failed",           "declined",  "stopped-never-started"};
constexpr std::array<std::string_view, 7> kOver = {"finished", "fulfilled", "completed", "inactive",
                                                   "stopped",  "ended",     "final"};

template <typename Each>
void each_word(std::string_view words, const Each& each) {
    while (!words.empty()) {
        const auto blank = words.find(' ');
        each(words.substr(0, blank));
        words = blank == std::string_view::npos ? std::string_view() : words.substr(blank + 1);
    }
}

/// From the first moment that is said to the last one, and on for the horizon while not over.
Span span_of_act(Json resource, const ActRule& rule) {
    Span span{kForever, 0};
    each_word(rule.times, [&](std::string_view path) {
        each_at(resource, path, [&](Json value) {
            if (!has_time(value)) return;
            const Span one = span_of(value);
            span = {std::min(span.from, one.from), std::max(span.to, one.to)};
        });
    });
    const bool timed = span.from < span.to;
    if (!timed) {
        span = span_of(resource["meta"]["lastUpdated"]);
        if (!has_time(resource["meta"]["lastUpdated"])) return {kForever, 0};
    }
    const bool over = std::ranges::find(kOver, resource["status"].text()) != kOver.end();
    if (!over && rule.horizon == kOpen && resource["period"]["end"].absent() &&
        resource["servicePeriod"]["end"].absent())
        span.to = kForever;
    else if (!over && rule.horizon != kOpen && span.to != kForever)
        span.to += rule.horizon;
    return span;
}

std::vector<std::string> patients_of(Json resource, bool local_only) {
    std::vector<std::string> patients;
    for (const std::string_view path : {"subject", "patient", "for", "beneficiary"})
        each_at(resource, path, [&](Json reference) {
            std::string name = reference_name(reference, local_only);
            if (!name.empty()) patients.push_back(std::move(name));
        });
    return patients;
}

/// Who may answer a request that names nobody.
std::vector<std::string> trades_for(Json resource) {
    std::vector<std::string> trades;
    each_at(resource, "performerType", [&](Json concept_) {
        each_at(concept_, "coding.code",
                [&](Json code) { trades.push_back(trade_of(code.text())); });
    });
    const std::string_view type = resource["resourceType"].text();
    if (type == "MedicationRequest") trades.push_back(trade_of("pharmacy"));
    if (type == "ImagingStudy") trades.push_back(trade_of("imaging"));
    if (type == "Specimen") trades.push_back(trade_of("laboratory"));
    if (type == "ServiceRequest" || type == "DiagnosticReport") {
        if (mentions(resource["category"], {"lab", "108252007"}))
            trades.push_back(trade_of("laboratory"));
        if (mentions(resource["category"], {"imag", "radio", "363679005"}))
            trades.push_back(trade_of("imaging"));
    }
    return trades;
}

/// What a resource without a patient is about: another one, which may name the patient.
std::vector<std::string> ways_to_patient(Json resource, bool local_only) {
    std::vector<std::string> ways;
    for (const std::string_view path :
         {"focus", "basedOn", "encounter", "context.encounter", "context", "partOf", "about",
          "request", "prescription", "authorizingPrescription", "hasMember"})
        each_at(resource, path, [&](Json reference) {
            std::string name = reference_name(reference, local_only);
            if (!name.empty()) ways.push_back(std::move(name));
        });
    return ways;
}

void read_by(const ActRule& rule, Json resource, const std::string& self, ReadFacts& facts) {
    const std::vector<std::string> patients = patients_of(resource, facts.local_only);
    std::vector<std::string> ways;
    if (patients.empty() && !facts.local_only) ways = ways_to_patient(resource, facts.local_only);
    const Span span = span_of_act(resource, rule);
    if (span.from >= span.to) return;
    const auto add = [&](const std::string& party) {
        if (party.empty() || party.starts_with("Patient/")) return;
        if (!ways.empty())
            facts.indirect.push_back({.through = ways,
                                      .party = party,
                                      .evidence = self,
                                      .kind = rule.kind,
                                      .span = span});
        for (const std::string& patient : patients)
            facts.bonds.push_back({.patient = patient,
                                   .party = party,
                                   .kind = rule.kind,
                                   .span = span,
                                   .evidence = self});
    };
    each_word(rule.parties, [&](std::string_view path) {
        each_at(resource, path, [&](Json reference) {
            add(reference_name_in(resource, reference, facts.local_only));
        });
    });
    for (const std::string& trade : trades_for(resource)) add(trade);
}

}  // namespace

void read_act(Json resource, const std::string& self, ReadFacts& facts) {
    if (std::ranges::find(kNothing, resource["status"].text()) != kNothing.end()) return;
    if (const auto patients = patients_of(resource, facts.local_only);
        !patients.empty() && !facts.local_only)
        facts.subjects.try_emplace(self, patients.front());
    bool known = false;
    for (const ActRule& rule : kRules) {
        if (rule.type != resource["resourceType"].text()) continue;
        known = true;
        read_by(rule, resource, self, facts);
    }
    if (!known) read_by(kAnyRule, resource, self, facts);
}

}  // namespace hygie::access
