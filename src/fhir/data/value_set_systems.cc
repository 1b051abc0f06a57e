#include "fhir/data/value_set_systems.h"

#include <unordered_map>
#include <vector>

#include "fhir/data/definitions.h"

namespace hygie::fhir {

namespace {

using definitions::take;
using Systems = std::unordered_map<std::string_view, std::vector<std::string_view>>;

/// "set URL, TITLE", then "+ SYSTEM, CODE, CODE…" (definitions/README.md).
Systems read_systems() {
    Systems systems;
    std::vector<std::string_view>* set = nullptr;
    std::string_view text = definitions::codes();
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        const std::string_view word = take(line, ' ');
        if (word == "set") set = &systems[take(line, '\t')];
        if (word == "+" && set != nullptr) set->push_back(take(line, '\t'));
    }
    return systems;
}

}  // namespace

std::span<const std::string_view> systems_of(std::string_view value_set) {
    static const Systems systems = read_systems();
    const auto found = systems.find(value_set);
    if (found == systems.end()) return {};
    return found->second;
}

}  // namespace hygie::fhir
