#include "vault/retention.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

#include "vault/indexing.h"

namespace hygie::vault {
namespace {

/// The parameters that say when the patient was last seen.
struct Contact {
    std::string_view type;
    std::string_view param;
};
constexpr std::array<Contact, 4> kContacts = {{{"Appointment", "date"},
                                               {"Encounter", "date"},
                                               {"Immunization", "date"},
                                               {"Procedure", "date"}}};
constexpr std::string_view kTransfusionType = "Procedure";

WallTime start_of(const fhir::DateRange& range) {
    return WallTime(Micros(range.first / fhir::kDateUnitsPerMicro));
}

/// When something was over; its start when it has no end.
WallTime end_of(const fhir::DateRange& range) {
    if (range.last == fhir::kDateOpenEnd) return start_of(range);
    return WallTime(Micros(range.last / fhir::kDateUnitsPerMicro));
}

/// The latest date a resource gives under a parameter.
std::optional<WallTime> latest(const fhir::IndexedResource& resource, std::string_view param) {
    const std::vector<std::uint16_t> columns = rows_of(resource.entry.type, param);
    std::optional<WallTime> found;
    for (const fhir::IndexRow& row : resource.rows) {
        const auto* date = std::get_if<fhir::DateRange>(&row.value);
        if (!date || !std::ranges::count(columns, row.param)) continue;
        found = std::max(found.value_or(WallTime::min()), end_of(*date));
    }
    return found;
}

bool has_code(const fhir::IndexedResource& resource, const std::vector<std::string>& codes) {
    return std::ranges::any_of(resource.rows, [&](const fhir::IndexRow& row) {
        const auto* token = std::get_if<fhir::Token>(&row.value);
        return token && std::ranges::find(codes, token->code) != codes.end();
    });
}

void take_in(RetentionFacts& facts, const fhir::IndexedResource& resource,
             const RetentionProfile& profile) {
    const std::string_view type = resource.entry.type;
    if (type == "Patient") {
        facts.birth = latest(resource, "birthdate");
        facts.death = latest(resource, "death-date");
    }
    for (const Contact& contact : kContacts)
        if (type == contact.type)
            if (const auto date = latest(resource, contact.param))
                facts.last_contact = std::max(facts.last_contact, *date);
    if (type == kTransfusionType && has_code(resource, profile.transfusion_codes)) {
        const WallTime date = latest(resource, "date").value_or(resource.entry.updated);
        facts.last_transfusion = std::max(facts.last_transfusion.value_or(date), date);
    }
}

/// The same day some years later; the first of March for a 29th of February.
WallTime years_after(WallTime time, int years) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const auto later = date + std::chrono::years(years);
    const auto later_day = later.ok()
                               ? std::chrono::sys_days(later)
                               : std::chrono::sys_days(later.year() / std::chrono::March / 1);
    return later_day + (time - day);
}

}  // namespace

RetentionFacts retention_facts(const Record& record, const RetentionProfile& profile) {
    RetentionFacts facts;
    WallTime newest{};
    for (const fhir::Compartment::Piece& piece : record.index().pieces()) {
        const std::vector<fhir::IndexedResource> resources = piece.segment->resources();
        for (std::size_t i = 0; i < resources.size(); ++i) {
            if (!piece.is_live(i)) continue;
            newest = std::max(newest, resources[i].entry.updated);
            take_in(facts, resources[i], profile);
        }
    }
    // A record without a dated contact counts from its last change.
    if (facts.last_contact == WallTime{}) facts.last_contact = newest;
    return facts;
}

WallTime kept_until(const RetentionFacts& facts, const RetentionProfile& profile) {
    WallTime until = years_after(facts.last_contact, profile.years_after_contact);
    if (facts.birth) until = std::max(until, years_after(*facts.birth, profile.until_age_years));
    if (facts.death && *facts.death < years_after(facts.last_contact, profile.years_after_death))
        until = years_after(*facts.death, profile.years_after_death);
    if (facts.last_transfusion)
        until =
            std::max(until, years_after(*facts.last_transfusion, profile.years_after_transfusion));
    return until;
}

}  // namespace hygie::vault
