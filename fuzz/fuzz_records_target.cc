#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "fhir/search/search_query.h"
#include "guards/records/request/target.h"

using namespace hygie;

namespace {

/// One segment of a path, escaped where it has to be.
std::string segment(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || std::string_view("-._$*").contains(c);
        if (is_plain)
            escaped += c;
        else
            escaped += "%" + to_hex(as_bytes(std::string_view(&c, 1)));
    }
    return escaped;
}

std::string spelled(const records::Target& target) {
    using enum records::Shape;
    const std::string name = segment(target.name);
    const std::string instance = target.type + '/' + target.id;
    switch (target.shape) {
        case System:
            return {};
        case Metadata:
            return "metadata";
        case SystemHistory:
            return "_history";
        case SystemSearch:
            return "_search";
        case SystemOperation:
            return name;
        case Page:
            return "_page/" + name;
        case ExportStatus:
            return "_export/" + target.id;
        case ExportFile:
            return "_export/" + target.id + '/' + name;
        case Type:
            return target.type;
        case TypeHistory:
            return target.type + "/_history";
        case TypeSearch:
            return target.type + "/_search";
        case TypeOperation:
            return target.type + '/' + name;
        case Instance:
        case OwnDefinition:
            return instance;
        case InstanceHistory:
            return instance + "/_history";
        case Version:
            return instance + "/_history/" + target.version;
        case InstanceOperation:
        case Compartment:
            return instance + '/' + name;
        case CompartmentSearch:
            return instance + '/' + name + "/_search";
    }
    return {};
}

/// What is understood of a path is a path that is understood the same way.
std::string check_path(std::string_view path) {
    const auto target = records::parse_target(path);
    if (!target) return "Observation";
    HYGIE_CHECK(target->id.empty() || records::is_id(target->id), "an id that is none");
    const auto again = records::parse_target(spelled(*target));
    HYGIE_CHECK(again && again->shape == target->shape && again->type == target->type &&
                    again->id == target->id && again->version == target->version &&
                    again->name == target->name,
                "a path changes when it is spelled");
    return target->type.empty() ? "Observation" : target->type;
}

}  // namespace

/// Input: a path below the base, a line feed, a query. What is accepted is spelled again to the
/// same target, the same parameters and the same search.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text({data, size});
    const std::size_t line = std::min(text.find('\n'), text.size());
    const std::string type = check_path(text.substr(0, line));
    const auto parameters = records::parse_query(text.substr(std::min(line + 1, text.size())));
    if (!parameters) return 0;
    HYGIE_CHECK(parameters->size() <= records::kParametersMax, "more parameters than the limit");
    const std::string printed = records::print_query(*parameters);
    const auto again = records::parse_query(printed);
    HYGIE_CHECK(printed.size() > records::kQueryBytesMax || (again && *again == *parameters),
                "a query changes when it is spelled");
    const fhir::QueryOptions options{.base = "https://hygie.test/fhir/", .now = WallTime{}};
    const auto query = fhir::parse_query(type, *parameters, options);
    if (!query) return 0;
    const auto same = fhir::parse_query(type, query->used, options);
    HYGIE_CHECK(same && same->used == query->used && same->count == query->count &&
                    same->sort.size() == query->sort.size() &&
                    same->all.size() == query->all.size() &&
                    same->includes.size() == query->includes.size(),
                "the search that was understood is another when it is asked again");
    return 0;
}
