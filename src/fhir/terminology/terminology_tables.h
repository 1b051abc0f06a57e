#pragma once

#include "fhir/terminology/terminology.h"

/// How the codes of a Terminology are kept and read: for terminology*.cc only.
namespace hygie::fhir {

struct Terminology::Tables {
    std::deque<CodeSystem> code_systems;
    std::deque<ValueSet> value_sets;
    std::unordered_map<std::string_view, const CodeSystem*> code_system_by_url;
    std::unordered_map<std::string_view, const ValueSet*> value_set_by_url;

    const CodeSystem* code_system(std::string_view url) const {
        const auto found = code_system_by_url.find(url);
        return found == code_system_by_url.end() ? nullptr : found->second;
    }
    const ValueSet* value_set(std::string_view url) const {
        const auto found = value_set_by_url.find(url);
        return found == value_set_by_url.end() ? nullptr : found->second;
    }
    const CodeSystem& keep(CodeSystem system);
    void keep(ValueSet set);
};

}  // namespace hygie::fhir
