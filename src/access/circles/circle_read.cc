#include "access/circles/circle_read.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "access/circles/circle_reading.h"
#include "fhir/search/search_value.h"

namespace hygie::access {
namespace {

using fhir::Json;

constexpr int kBundleDepthMax = 3;

constexpr std::array<std::string_view, 8> kNeverHappened = {
    "entered-in-error", "cancelled", "noshow",  "declined",
    "inactive",         "rejected",  "revoked", "draft"};

void note_identifiers(Json resource, const std::string& self, ReadFacts& facts) {
    const std::string type(resource["resourceType"].text());
    each_at(resource, "identifier", [&](Json identifier) {
        const std::string_view value = identifier["value"].text();
        if (value.empty()) return;
        const std::string key =
            "?identifier=" + std::string(identifier["system"].text()) + '|' + std::string(value);
        const auto [known, is_new] = facts.aliases.try_emplace(type + key, self);
        // Bundles written apart bring the same practitioner again and again.
        if (!is_new && type == "Practitioner" && known->second != self)
            facts.aliases.try_emplace(self, known->second);
        facts.aliases.try_emplace(key, self);
        facts.aliases.try_emplace("=" + std::string(value), self);
    });
}

void read_special(Json resource, const std::string& self, ReadFacts& facts) {
    const std::string_view type = resource["resourceType"].text();
    Reading reading(resource, self, facts);
    if (type == "Patient") return reading.patient();
    if (type == "Practitioner") return reading.practitioner();
    if (type == "PractitionerRole") return reading.position();
    if (type == "Location" || type == "Organization" || type == "HealthcareService")
        return reading.unit();
    if (type == "Encounter") {
        if (!facts.local_only)
            facts.subjects.try_emplace(self, reference_name(resource["subject"]));
        return reading.encounter();
    }
    if (type == "Appointment") return reading.appointment();
    if (type == "AppointmentResponse") return reading.answer();
    if (type == "CareTeam") return reading.team();
    if (type == "Group") return reading.group();
    if (type == "Consent") return reading.consent();
    if (type == "RelatedPerson") return reading.related_person();
    if (type == "Person") return reading.person();
    if (type == "Schedule") return reading.schedule();
    if (type == "Slot") return reading.slot();
    if (type == "AuditEvent" || type == "Provenance") return;
    if (type == "Flag") reading.flag();
    const bool entrusts =
        mentions(resource["code"], kDelegationWords) && !resource["status"].text().starts_with("c");
    if (type == "Task" && entrusts && resource["for"].absent())
        return reading.delegation(
            reference_name(resource["owner"]), reference_name(resource["requester"]),
            resource["executionPeriod"].absent() ? resource["restriction"]["period"]
                                                 : resource["executionPeriod"]);
    if (type == "Basic" && entrusts)
        return reading.delegation(reference_name(resource["subject"]),
                                  reference_name(resource["author"]), {});
    read_act(resource, self, facts);
}

void read_bundle(Json bundle, ReadFacts& facts, int depth);

void read_one(Json resource, std::string_view full_url, ReadFacts& facts, int depth) {
    const std::string type(resource["resourceType"].text());
    if (type.empty()) return;
    if (type == "Bundle") {
        if (depth < kBundleDepthMax) read_bundle(resource, facts, depth + 1);
        return;
    }
    std::string id(resource["id"].text());
    if (id.empty()) id = full_url.substr(full_url.find_last_of(":/") + 1);
    if (id.empty()) return;
    const std::string self = type + '/' + id;
    if (!full_url.empty()) facts.aliases.try_emplace(std::string(full_url), self);
    facts.aliases.try_emplace("urn:uuid:" + id, self);
    note_identifiers(resource, self, facts);
    ++facts.resources;
    read_special(resource, self, facts);
}

void read_bundle(Json bundle, ReadFacts& facts, int depth) {
    for (const Json& entry : bundle["entry"].items())
        read_one(entry["resource"], entry["fullUrl"].text(), facts, depth);
}

}  // namespace

const std::initializer_list<std::string_view> kOnCallWords = {"on-call", "oncall",    "on call",
                                                              "garde",   "astreinte", "duty"};
const std::initializer_list<std::string_view> kDelegationWords = {"deleg", "délég", "rempla",
                                                                  "replac", "substitut"};

bool never_happened(Json resource) {
    return std::ranges::find(kNeverHappened, resource["status"].text()) != kNeverHappened.end();
}

Span within(Span outer, Json period, Rounding rounding) {
    const Span inner = span_of(period, rounding);
    return {std::max(outer.from, inner.from), std::min(outer.to, inner.to)};
}

/// A thing that is over but does not say when ends when it was last written, or a day after it
/// began.
Span ended(Span span, Json resource) {
    if (span.to != kForever) return span;
    const Json updated = resource["meta"]["lastUpdated"];
    if (has_time(updated)) return {span.from, std::max(span.from, span_of(updated).to)};
    return {span.from, span.from == 0 ? 0 : span.from + 86'400};
}

bool is_person_name(std::string_view name) {
    return name.starts_with("Practitioner/") || name.starts_with("Practitioner?") ||
           name.starts_with("PractitionerRole") || name.starts_with("RelatedPerson") ||
           name.starts_with("Device/") || name.starts_with("urn:") || name.starts_with("?");
}

bool is_unit_name(std::string_view name) {
    return name.starts_with("Location") || name.starts_with("Organization") ||
           name.starts_with("HealthcareService");
}

void read_resource(Json resource, ReadFacts& facts, std::string_view full_url) {
    read_one(resource, full_url, facts, 0);
}

std::string trade_of(std::string_view code) {
    return "trade:" + std::string(code);
}

std::string reference_name_in(Json resource, Json reference, bool local_only) {
    const std::string_view text =
        reference.is_string() ? reference.text() : reference["reference"].text();
    if (!text.starts_with('#')) return reference_name(reference, local_only);
    for (const Json& inner : resource["contained"].items()) {
        if (inner["id"].text() != text.substr(1)) continue;
        if (!inner["practitioner"].absent())
            return reference_name(inner["practitioner"], local_only);
        const auto identifiers = inner["identifier"].items();
        if (identifiers.empty()) return {};
        return std::string(inner["resourceType"].text()) +
               "?identifier=" + std::string(identifiers[0]["system"].text()) + '|' +
               std::string(identifiers[0]["value"].text());
    }
    return {};
}

std::string reference_name(Json reference, bool local_only) {
    std::string_view text =
        reference.is_string() ? reference.text() : reference["reference"].text();
    if (text.starts_with('#')) return {};
    if (text.empty()) {
        const Json identifier = reference["identifier"];
        if (identifier["value"].text().empty()) return {};
        return std::string(reference["type"].text()) +
               "?identifier=" + std::string(identifier["system"].text()) + '|' +
               std::string(identifier["value"].text());
    }
    text = text.substr(0, text.find("/_history/"));
    if (!text.starts_with("http")) return std::string(text);
    if (local_only) return {};
    const auto id = text.rfind('/');
    const auto type = id == std::string_view::npos || id == 0 ? id : text.rfind('/', id - 1);
    if (type == std::string_view::npos ||
        std::isupper(static_cast<unsigned char>(text[type + 1])) == 0)
        return std::string(text);
    return std::string(text.substr(type + 1));
}

bool has_time(Json value) {
    const auto dated = [](Json text) { return fhir::parse_date(text.text()).has_value(); };
    if (value.is_object()) return dated(value["start"]) || dated(value["end"]);
    return value.is_string() && dated(value);
}

Span span_of(Json value, Rounding rounding) {
    const bool in = rounding == Rounding::In;
    const auto instant = [](std::int64_t units) {
        return WallTime(Micros(units / fhir::kDateUnitsPerMicro));
    };
    Span span;
    const Json start = value.is_string() ? value : value["start"];
    const Json end = value.is_string() ? value : value["end"];
    if (const auto first = fhir::parse_date(start.text()))
        span.from = (in ? start_second : end_second)(instant(first->first));
    if (const auto last = fhir::parse_date(end.text()))
        span.to = (in ? end_second : start_second)(instant(last->last) + Micros(1));
    // What ends in the second it began still happened.
    if (span.to != kForever && span.to <= span.from && span.from != 0) span.to = span.from + 1;
    return span;
}

bool mentions(Json concepts, std::initializer_list<std::string_view> words) {
    bool found = false;
    const auto look = [&](Json text) {
        const std::string said = lower(text.text());
        found = found || std::ranges::any_of(
                             words, [&](std::string_view word) { return said.contains(word); });
    };
    if (concepts.is_string()) look(concepts);
    for (const std::string_view path : {"text", "coding.code", "coding.display"})
        each_at(concepts, path, look);
    return found;
}

}  // namespace hygie::access
