#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "fhir/data/schema.h"
#include "fhir/search/search_criterion.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/own_operations.h"
#include "guards/records/door/interactions.h"
#include "guards/records/notices/subscription.h"
#include "guards/records/request/shaping.h"

/// The CapabilityStatement: made from the dispatch table and the search parameters that there are,
/// so that it cannot say what is not so.
namespace hygie::records {

namespace {

/// Guides that the door follows.
constexpr std::string_view kSmart =
    "http://hl7.org/fhir/smart-app-launch/ImplementationGuide/hl7.fhir.uv.smart-app-launch";
constexpr std::string_view kBulkData =
    "http://hl7.org/fhir/uv/bulkdata/ImplementationGuide/hl7.fhir.uv.bulkdata";
constexpr std::string_view kSubscriptions =
    "http://hl7.org/fhir/uv/subscriptions-backport/ImplementationGuide/"
    "hl7.fhir.uv.subscriptions-backport";

using fhir::Arena;
using fhir::Json;
using fhir::SearchParam;

std::string_view name_of(SearchParam::Type type) {
    switch (type) {
        case SearchParam::Type::Number:
            return "number";
        case SearchParam::Type::Date:
            return "date";
        case SearchParam::Type::String:
            return "string";
        case SearchParam::Type::Token:
            return "token";
        case SearchParam::Type::Reference:
            return "reference";
        case SearchParam::Type::Composite:
            return "composite";
        case SearchParam::Type::Quantity:
            return "quantity";
        case SearchParam::Type::Uri:
            return "uri";
        case SearchParam::Type::Special:
            return "special";
    }
    return {};
}

bool is_operation(const Interaction& row) {
    return row.shape == Shape::SystemOperation || row.shape == Shape::TypeOperation ||
           row.shape == Shape::InstanceOperation;
}

std::string definition_of(const Desk& desk, std::string_view code) {
    if (own_operation(code))
        return fmt::format("{}OperationDefinition/{}{}", desk.options.base, kOwnDefinition, code);
    if (code.starts_with("backport-"))
        return fmt::format("http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/{}",
                           code);
    if (code.ends_with("export"))
        return fmt::format("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/{}", code);
    return fmt::format("http://hl7.org/fhir/OperationDefinition/{}", code);
}

class Stating {
  public:
    explicit Stating(const Desk& desk) : desk_(desk) {}

    std::string state() {
        const Json rest = arena_.object({{"mode", arena_.string("server")},
                                         {"security", security()},
                                         {"resource", resources()},
                                         {"interaction", system_interactions()},
                                         {"operation", operations({})},
                                         {"compartment", compartments()}});
        const Json software = arena_.object({{"name", arena_.string(desk_.options.software)},
                                             {"version", arena_.string(desk_.options.version)}});
        const Json implementation =
            arena_.object({{"description", arena_.string("Hygie: registre de santé scellé")},
                           {"url", arena_.string(desk_.options.base)}});
        return fhir::to_text(arena_.object(
            {{"resourceType", arena_.string("CapabilityStatement")},
             {"status", arena_.string("active")},
             {"date", arena_.string(to_rfc3339(desk_.rooms.clock.now()))},
             {"kind", arena_.string("instance")},
             {"software", software},
             {"implementation", implementation},
             {"fhirVersion", arena_.string("4.0.1")},
             {"format", texts({"application/fhir+json", "json"})},
             {"patchFormat", texts({"application/json-patch+json", "application/fhir+json"})},
             {"implementationGuide", texts({kSmart, kBulkData, kSubscriptions})},
             {"rest", arena_.array({&rest, 1})}}));
    }

  private:
    Json texts(std::initializer_list<std::string_view> all) {
        std::vector<Json> items;
        for (const std::string_view text : all) items.push_back(arena_.string(text));
        return arena_.array(items);
    }

    Json coded(std::string_view code) { return arena_.object({{"code", arena_.string(code)}}); }

    Json list(const std::vector<Json>& items) {
        return items.empty() ? Json() : arena_.array(items);
    }

    Json compartments() {
        std::vector<Json> urls;
        for (const std::string_view type : fhir::kCompartments) {
            std::string name(type);
            name.front() = static_cast<char>(name.front() - 'A' + 'a');
            urls.push_back(arena_.string("http://hl7.org/fhir/CompartmentDefinition/" + name));
        }
        return arena_.array(urls);
    }

    Json security() {
        const Json coding = arena_.object(
            {{"system",
              arena_.string("http://terminology.hl7.org/CodeSystem/restful-security-service")},
             {"code", arena_.string("SMART-on-FHIR")}});
        const Json service = arena_.object({{"coding", arena_.array({&coding, 1})}});
        return arena_.object(
            {{"cors", arena_.boolean(true)}, {"service", arena_.array({&service, 1})}});
    }

    /// Operations of a type, or of the system when `type` is empty; each once.
    Json operations(std::string_view type) {
        std::vector<Json> found;
        std::vector<std::string_view> told;
        for (const Interaction& row : interactions()) {
            const bool at_system = row.shape == Shape::SystemOperation;
            if (!is_operation(row) || at_system != type.empty() || !exists_for(row, type) ||
                std::ranges::find(told, row.name) != told.end())
                continue;
            told.push_back(row.name);
            found.push_back(
                arena_.object({{"name", arena_.string(row.name.substr(1))},
                               {"definition", arena_.string(definition_of(desk_, row.code))}}));
        }
        return list(found);
    }

    static bool exists_for(const Interaction& row, std::string_view type) {
        if (is_from_ledger(type)) return row.on_type == type;
        return row.on_type.empty() || row.on_type == type;
    }

    Json type_interactions(std::string_view type) {
        std::vector<Json> found;
        for (const Interaction& row : interactions()) {
            const bool at_type = row.shape >= Shape::Type;
            if (at_type && !is_operation(row) && !row.code.empty() && exists_for(row, type))
                found.push_back(coded(row.code));
        }
        return list(found);
    }

    Json system_interactions() {
        std::vector<Json> found = {coded("batch")};
        for (const Interaction& row : interactions()) {
            if (row.shape < Shape::Type && !is_operation(row) && !row.code.empty())
                found.push_back(coded(row.code));
        }
        return list(found);
    }

    Json search_params(std::string_view type) {
        std::vector<Json> found;
        for (const SearchParam* param : fhir::search_params_of(type)) {
            if (!fhir::is_known(type, param)) continue;
            found.push_back(arena_.object({{"name", arena_.string(param->code)},
                                           {"definition", arena_.string(param->url)},
                                           {"type", arena_.string(name_of(param->type))}}));
        }
        return list(found);
    }

    /// Topics that are always here; those that are stored are found as Basic.
    Json topics() {
        std::vector<Json> all;
        for (const TopicPtr& topic : own_topics())
            all.push_back(arena_.object(
                {{"url", arena_.string(std::string(kBackport) +
                                       "capabilitystatement-subscriptiontopic-canonical")},
                 {"valueCanonical", arena_.string(topic->url)}}));
        return list(all);
    }

    Json resource(std::string_view type) {
        Json stated = arena_.object(
            {{"type", arena_.string(type)}, {"interaction", type_interactions(type)}});
        const auto set = [&](std::string_view name, Json value) {
            stated = arena_.with(stated, name, value);
        };
        if (!is_from_ledger(type)) {
            set("versioning", arena_.string("versioned-update"));
            set("readHistory", arena_.boolean(true));
            set("updateCreate", arena_.boolean(true));
            set("conditionalCreate", arena_.boolean(true));
            set("conditionalRead", arena_.string("full-support"));
            set("conditionalUpdate", arena_.boolean(true));
            set("conditionalDelete", arena_.string("single"));
            set("referencePolicy", desk_.options.completeness == Completeness::Strict
                                       ? texts({"literal", "logical", "enforced"})
                                       : texts({"literal", "logical"}));
            set("searchInclude", texts({"*"}));
            set("searchRevInclude", texts({"*"}));
        }
        set("searchParam", search_params(type));
        set("operation", operations(type));
        if (type == "Subscription") {
            set("supportedProfile", texts({std::string(kBackport) + "backport-subscription"}));
            set("extension", topics());
        }
        return stated;
    }

    Json resources() {
        std::vector<Json> all;
        for (const fhir::TypeDef* type : fhir::resource_types()) {
            const bool offered = !is_from_ledger(type->name) || desk_.rooms.audit != nullptr;
            if (!type->is_abstract && offered) all.push_back(resource(type->name));
        }
        return list(all);
    }

    const Desk& desk_;
    Arena arena_;
};

}  // namespace

namespace {

/// What the terminology operations can do (https://hl7.org/fhir/R4/terminologycapabilities.html).
std::string terminology_statement(const Desk& desk) {
    Arena arena;
    return fhir::to_text(arena.object(
        {{"resourceType", arena.string("TerminologyCapabilities")},
         {"status", arena.string("active")},
         {"date", arena.string(to_rfc3339(desk.rooms.clock.now()))},
         {"kind", arena.string("instance")},
         {"software", arena.object({{"name", arena.string(desk.options.software)},
                                    {"version", arena.string(desk.options.version)}})},
         {"implementation",
          arena.object({{"description", arena.string("Hygie: registre de santé scellé")},
                        {"url", arena.string(desk.options.base)}})},
         {"expansion", arena.object({{"hierarchical", arena.boolean(false)},
                                     {"paging", arena.boolean(true)},
                                     {"incomplete", arena.boolean(false)}})},
         {"validateCode", arena.object({{"translations", arena.boolean(false)}})},
         {"translation", arena.object({{"needsMap", arena.boolean(true)}})}}));
}

}  // namespace

Answer<Disclosure> capabilities(Desk& desk, const Call& call) {
    Parameters rest = call.parameters;
    const std::string mode(value_of(rest, "mode"));
    std::erase_if(rest, [](const Parameter& parameter) { return parameter.name == "mode"; });
    if (mode == "terminology")
        return Disclosure{json_response(call, 200, terminology_statement(desk)), {}};
    if (!mode.empty() && mode != "full" && mode != "normative")
        return refuse(
            400, "not-supported", {"ce mode est inconnu", "this mode is unknown"},
            {"choisissez full, normative ou terminology", "choose full, normative or terminology"});
    const Extent extent = TRY(read_extent(rest, call.wishes));
    std::call_once(desk.is_stated, [&] { desk.statement = Stating(desk).state(); });
    return Disclosure{json_response(call, 200, shaped(desk.statement, extent)), {}};
}

}  // namespace hygie::records
