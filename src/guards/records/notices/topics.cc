#include "guards/records/notices/topics.h"

#include <algorithm>

#include "fhir/search/search_single.h"
#include "vault/body.h"

namespace hygie::records {

namespace {

using fhir::Json;

constexpr std::string_view kTopicSystem = "http://hl7.org/fhir/fhir-types";
constexpr std::string_view kTopicCode = "SubscriptionTopic";
constexpr std::size_t kTopicsMax = 200;

std::optional<fhir::Query> query_of(std::string_view type, std::string_view text) {
    const auto parameters = parse_query(text);
    if (!parameters) return std::nullopt;
    auto query = fhir::parse_query(type, *parameters, {});
    if (!query) return std::nullopt;
    return *std::move(query);
}

/// A change from what did not match to what does.
Trigger turning(std::string_view type, std::string_view query) {
    Trigger trigger{.type = std::string(type), .both = true};
    trigger.after = query_of(type, query);
    std::string before(query);
    before.insert(before.find('='), ":not");
    trigger.before = query_of(type, before);
    return trigger;
}

Trigger any_change(std::string_view type) {
    return {.type = std::string(type), .on_delete = true};
}

TopicPtr topic(std::string_view name, Text title, std::vector<Trigger> triggers) {
    return std::make_shared<const Topic>(
        Topic{"urn:hygie:topic:" + std::string(name), std::move(title), std::move(triggers)});
}

std::vector<TopicPtr> make_topics() {
    return {
        topic("record-changed", {"Tout changement d'un dossier", "Any change of a record"},
              {any_change({})}),
        topic("encounter-started", {"Un passage commence", "An encounter begins"},
              {turning("Encounter", "status=in-progress")}),
        topic("encounter-finished", {"Un passage se termine", "An encounter ends"},
              {turning("Encounter", "status=finished")}),
        topic("appointment-changed",
              {"Un rendez-vous est pris, changé, annulé",
               "An appointment is made, changed, cancelled"},
              {any_change("Appointment")}),
        topic("result-available", {"Un résultat est rendu", "A result is given"},
              {{.type = "DiagnosticReport",
                .after = query_of("DiagnosticReport", "status=final,amended,corrected,appended")}}),
        topic("prescription-written", {"Une prescription est active", "A prescription is active"},
              {turning("MedicationRequest", "status=active")}),
        topic("document-added",
              {"Un document est ajouté ou changé", "A document is added or changed"},
              {{.type = "DocumentReference"}, {.type = "Composition"}}),
        topic("task-changed", {"Une tâche est confiée ou avance", "A task is given or moves on"},
              {any_change("Task")}),
    };
}

// Topics as Basic: extensions named after the element of R5 (or 4.3) that they stand for.

std::string_view element_of(Json extension) {
    const std::string_view url = extension["url"].text();
    const auto dot = url.rfind("extension-SubscriptionTopic.");
    return dot == url.npos ? url : url.substr(url.find('.', dot) + 1);
}

/// The value[x] of an extension.
std::string_view value_in(Json extension) {
    for (const auto& [name, value] : extension.members())
        if (name.starts_with("value")) return value.text();
    return {};
}

std::string_view value_of(Json parent, std::string_view element) {
    for (const Json one : parent["extension"].items())
        if (element_of(one) == element) return value_in(one);
    return {};
}

void read_criteria(Json criteria, Trigger& trigger) {
    const auto previous = value_of(criteria, "previous");
    const auto current = value_of(criteria, "current");
    if (!previous.empty()) trigger.before = query_of(trigger.type, previous);
    if (!current.empty()) trigger.after = query_of(trigger.type, current);
    trigger.both = value_of(criteria, "requireBoth") == "true";
    trigger.passes_before_creation = value_of(criteria, "resultForCreate") != "test-fails";
    trigger.passes_after_deletion = value_of(criteria, "resultForDelete") == "test-passes";
}

/// None for a trigger that is told in FHIRPath alone, or that cannot be understood.
std::optional<Trigger> trigger_of(Json extension) {
    Trigger trigger{.on_create = false, .on_update = false};
    std::string_view type = value_of(extension, "resource");
    if (const auto slash = type.rfind('/'); slash != type.npos) type.remove_prefix(slash + 1);
    if (!is_resource_type(type)) return std::nullopt;
    trigger.type = type;
    bool has_criteria = false;
    for (const Json part : extension["extension"].items()) {
        const std::string_view element = element_of(part);
        const std::string_view value = value_in(part);
        if (element == "supportedInteraction") {
            trigger.on_create = trigger.on_create || value == "create";
            trigger.on_update = trigger.on_update || value == "update";
            trigger.on_delete = trigger.on_delete || value == "delete";
        } else if (element == "queryCriteria") {
            read_criteria(part, trigger);
            has_criteria = true;
        }
    }
    const bool is_understood =
        !has_criteria || trigger.before.has_value() || trigger.after.has_value();
    if (!is_understood || (!has_criteria && !value_of(extension, "fhirPathCriteria").empty()))
        return std::nullopt;
    if (!trigger.on_create && !trigger.on_update && !trigger.on_delete)
        trigger.on_create = trigger.on_update = trigger.on_delete = true;
    return trigger;
}

TopicPtr read_topic(Json basic) {
    Topic topic{.url = std::string(value_of(basic, "url")), .title = {}, .triggers = {}};
    const std::string title(value_of(basic, "title"));
    topic.title = {title, title};
    for (const Json extension : basic["extension"].items()) {
        if (element_of(extension) != "resourceTrigger") continue;
        auto trigger = trigger_of(extension);
        if (!trigger) return nullptr;
        topic.triggers.push_back(*std::move(trigger));
    }
    if (topic.url.empty() || topic.triggers.empty()) return nullptr;
    return std::make_shared<const Topic>(std::move(topic));
}

bool passes(const std::optional<fhir::Query>& query, Json version, WallTime updated, bool absent) {
    if (!version) return absent;
    return !query || fhir::would_find(*query, version, updated);
}

bool fires(const Trigger& trigger, const Versions& versions) {
    const bool before =
        passes(trigger.before, versions.before, versions.updated, trigger.passes_before_creation);
    const bool after =
        passes(trigger.after, versions.after, versions.updated, trigger.passes_after_deletion);
    if (!trigger.before && !trigger.after) return true;
    if (!trigger.before) return after;
    if (!trigger.after) return before;
    return trigger.both ? before && after : before || after;
}

bool fits(const Trigger& trigger, Happened happened, std::string_view type) {
    if (!trigger.type.empty() && trigger.type != type) return false;
    switch (happened) {
        case Happened::Created:
            return trigger.on_create;
        case Happened::Updated:
            return trigger.on_update;
        case Happened::Deleted:
            return trigger.on_delete;
    }
    return false;
}

}  // namespace

std::span<const TopicPtr> own_topics() {
    static const std::vector<TopicPtr> topics = make_topics();
    return topics;
}

TopicPtr find_topic(Desk& desk, std::string_view canonical) {
    const std::string_view url = canonical.substr(0, canonical.find('|'));
    const auto own = std::ranges::find(
        own_topics(), url, [](const TopicPtr& one) { return std::string_view(one->url); });
    if (own != own_topics().end()) return *own;
    const Parameters criteria = {
        {"code", std::string(kTopicSystem) + '|' + std::string(kTopicCode)}};
    auto query = fhir::parse_query("Basic", criteria, {});
    if (!query) return nullptr;
    query->count = kTopicsMax;
    const auto page = desk.rooms.vault.search(
        *std::move(query),
        {.allows = [](const vault::Record& record) { return record.patient().empty(); }});
    if (!page) return nullptr;
    for (const vault::Found& found : page->page) {
        const auto body = desk.rooms.vault.body(found);
        const auto document = body ? fhir::parse((*body)->text) : fhir::parse("");
        if (!document) continue;
        if (TopicPtr stored = read_topic(document->root); stored && stored->url == url)
            return stored;
    }
    return nullptr;
}

bool is_triggered(const Topic& topic, Happened happened, std::string_view type,
                  const Versions& versions) {
    return std::ranges::any_of(topic.triggers, [&](const Trigger& trigger) {
        return fits(trigger, happened, type) && fires(trigger, versions);
    });
}

bool may_trigger(const Topic& topic, Happened happened, std::string_view type) {
    return std::ranges::any_of(
        topic.triggers, [&](const Trigger& trigger) { return fits(trigger, happened, type); });
}

bool needs_before(const Topic& topic, std::string_view type) {
    return std::ranges::any_of(topic.triggers, [&](const Trigger& trigger) {
        return trigger.before && (trigger.type.empty() || trigger.type == type);
    });
}

}  // namespace hygie::records
