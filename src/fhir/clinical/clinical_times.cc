#include <fmt/format.h>

#include "fhir/clinical/clinical.h"
#include "fhir/path/fhirpath_time.h"

/// incoherences(): times that cannot be right.
namespace hygie::fhir {

namespace {

using Kind = Finding::Kind;
constexpr auto kClockSlack = std::chrono::hours(24);

/// The time that something happened at, by type: the element without its type of choice.
struct Event {
    std::string_view type, element;
};
constexpr Event kEvents[] = {
    {"AllergyIntolerance", "onset"},
    {"Appointment", "start"},
    {"AllergyIntolerance", "lastOccurrence"},
    {"Condition", "onset"},
    {"Condition", "abatement"},
    {"DiagnosticReport", "effective"},
    {"Encounter", "period"},
    {"Immunization", "occurrence"},
    {"MedicationAdministration", "effective"},
    {"MedicationDispense", "whenHandedOver"},
    {"MedicationRequest", "authoredOn"},
    {"MedicationStatement", "effective"},
    {"Observation", "effective"},
    {"Procedure", "performed"},
    {"ServiceRequest", "authoredOn"},
};

/// An earlier and a later element of the same resource.
struct Sequence {
    std::string_view type, first, then;
    Issue::Severity severity = Issue::Severity::Error;
};
constexpr auto kWarning = Issue::Severity::Warning;
constexpr Sequence kSequences[] = {
    {"AllergyIntolerance", "onset", "lastOccurrence"},
    {"Appointment", "start", "end"},
    {"Communication", "sent", "received"},
    {"Condition", "onset", "abatement"},
    {"DiagnosticReport", "effective", "issued", kWarning},
    {"Immunization", "occurrence", "recorded", kWarning},
    {"MedicationDispense", "whenPrepared", "whenHandedOver"},
    {"Observation", "effective", "issued", kWarning},
    {"Patient", "birthDate", "deceased"},
    {"Slot", "start", "end"},
    {"Task", "authoredOn", "lastModified"},
};

struct Found {
    std::string_view text{};
    TimeSpan span{};
    explicit operator bool() const { return !text.empty(); }
};

Found at_date(Json value) {
    if (!value.is_string()) return {};
    const auto time = Temporal::parse_date_time(value.text());
    return time ? Found{value.text(), span_of(*time)} : Found{};
}

/// A date, a date and time, an instant or a period, whichever form the element has.
Found time_at(Json resource, std::string_view element) {
    constexpr std::string_view kForms[] = {"", "DateTime", "Instant", "Date"};
    for (const auto form : kForms)
        if (const auto found = at_date(resource[fmt::format("{}{}", element, form)])) return found;
    Json period = resource[fmt::format("{}Period", element)];
    if (!period && resource[element].is_object()) period = resource[element];
    const auto start = at_date(period["start"]);
    auto end = at_date(period["end"]);
    if (!start) return end;
    if (end) return {start.text, {start.span.first, end.span.last}};
    return start;
}

class Check {
  public:
    Check(Json resource, Json patient, WallTime now)
        : resource_(resource), type_(resource["resourceType"].text()), now_(now) {
        const bool is_own = type_ == "Patient";
        birth_ = at_date(is_own ? Json() : patient["birthDate"]);
        death_ = at_date(is_own ? Json() : patient["deceasedDateTime"]);
        is_dead_ = patient["deceasedBoolean"].kind() == Json::Kind::True;
    }

    std::vector<Finding> run() {
        for (const Sequence& sequence : kSequences)
            if (sequence.type == type_) in_order(sequence);
        for (const Event& event : kEvents)
            if (event.type == type_) within_life(event);
        if (type_ == "Patient") born();
        if (type_ == "Immunization") fresh();
        if (type_ == "Appointment") for_the_living();
        return std::move(findings_);
    }

  private:
    void add(Kind kind, Issue::Severity severity, std::string_view element, Text text) {
        findings_.push_back(
            {kind, severity, fmt::format("{}.{}", type_, element), std::move(text)});
    }

    void in_order(const Sequence& sequence) {
        const auto first = time_at(resource_, sequence.first);
        const auto then = time_at(resource_, sequence.then);
        if (!first || !then || then.span.last >= first.span.first) return;
        add(Kind::TimesOutOfOrder, sequence.severity, sequence.then,
            {fmt::format("« {} » est avant « {} ».", sequence.then, sequence.first),
             fmt::format("“{}” is before “{}”.", sequence.then, sequence.first)});
    }

    void within_life(const Event& event) {
        const auto time = time_at(resource_, event.element);
        if (!time) return;
        const bool is_past = time.span.first <= now_ + kClockSlack;
        if (birth_ && time.span.last < birth_.span.first)
            add(Kind::BeforeBirth, kWarning, event.element,
                {"C’est avant la naissance du patient.", "This is before the patient’s birth."});
        if (death_ && time.span.first > death_.span.last)
            add(Kind::AfterDeath, kWarning, event.element,
                {"C’est après le décès du patient.", "This is after the patient’s death."});
        if (!is_past && has_happened())
            add(Kind::InFuture, kWarning, event.element,
                {"C’est noté comme fait, mais à une date à venir.",
                 "This is recorded as done, but at a time to come."});
    }

    bool has_happened() const {
        const auto status = resource_["status"].text();
        return status == "completed" || status == "final" || status == "finished" ||
               status == "amended" || status == "corrected";
    }

    void born() {
        const auto birth = at_date(resource_["birthDate"]);
        if (birth && birth.span.first > now_ + kClockSlack)
            add(Kind::InFuture, Issue::Severity::Error, "birthDate",
                {"La date de naissance est à venir.", "The birth date is still to come."});
        const auto death = at_date(resource_["deceasedDateTime"]);
        if (death && death.span.first > now_ + kClockSlack)
            add(Kind::InFuture, Issue::Severity::Error, "deceased",
                {"La date de décès est à venir.", "The date of death is still to come."});
        constexpr auto kLongestLife = std::chrono::years(130);
        if (birth && !resource_["deceasedDateTime"] && birth.span.last + kLongestLife < now_)
            add(Kind::TimesOutOfOrder, kWarning, "birthDate",
                {"Le patient aurait plus de 130 ans.", "The patient would be older than 130."});
    }

    void for_the_living() {
        const auto start = time_at(resource_, "start");
        if (is_dead_ && start && start.span.first > now_)
            add(Kind::AfterDeath, kWarning, "start",
                {"Le patient est décédé.", "The patient has died."});
    }

    void fresh() {
        const auto given = time_at(resource_, "occurrence");
        const auto good_until = at_date(resource_["expirationDate"]);
        if (given && good_until && given.span.first > good_until.span.last)
            add(Kind::Expired, kWarning, "expirationDate",
                {"Le vaccin était périmé quand il a été fait.",
                 "The vaccine had expired when it was given."});
    }

    Json resource_;
    std::string_view type_;
    WallTime now_;
    Found birth_, death_;
    bool is_dead_ = false;  ///< it is not known when
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> incoherences(Json resource, Json patient, WallTime now) {
    return Check(resource, patient, now).run();
}

}  // namespace hygie::fhir
