#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "fhir/data/definitions.h"
#include "fhir/data/schema.h"

namespace hygie::fhir {

using definitions::take;

namespace {

SearchParam::Type type_named(std::string_view name) {
    constexpr std::pair<std::string_view, SearchParam::Type> kNames[] = {
        {"number", SearchParam::Type::Number},       {"date", SearchParam::Type::Date},
        {"string", SearchParam::Type::String},       {"token", SearchParam::Type::Token},
        {"reference", SearchParam::Type::Reference}, {"composite", SearchParam::Type::Composite},
        {"quantity", SearchParam::Type::Quantity},   {"uri", SearchParam::Type::Uri},
        {"special", SearchParam::Type::Special}};
    const auto* const found =
        std::ranges::find(kNames, name, [](const auto& n) { return n.first; });
    HYGIE_CHECK(found != std::end(kNames), "the definitions name an unknown type of parameter");
    return found->second;
}

/// A parameter with the memory behind its spans.
struct ParamEntry {
    SearchParam param;
    std::vector<std::string_view> bases;
    std::vector<std::string_view> targets;
    std::vector<std::string_view> component_urls;
    std::vector<SearchParam::Component> components;
};

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) parts.push_back(take(text, separator));
    return parts;
}

/// Reads r4.search.
class Search {
  public:
    Search() {
        std::string_view text = definitions::search();
        while (!text.empty()) read_line(take(text, '\n'));
        for (ParamEntry& entry : params_) link(entry);
        for (const TypeDef* type : resource_types()) collect(*type);
        for (const std::string_view name : {"Resource", "DomainResource"})
            collect(*find_type(name));
    }

    std::span<const SearchParam* const> of(std::string_view resource_type) const {
        const auto found = by_type_.find(resource_type);
        if (found == by_type_.end()) return {};
        return found->second;
    }
    const SearchParam* numbered(std::uint16_t number) const {
        return number >= 1 && number <= params_.size() ? &params_[number - 1u].param : nullptr;
    }
    std::span<const std::string_view> compartment(std::string_view name,
                                                  std::string_view resource_type) const {
        const auto types = compartments_.find(name);
        if (types == compartments_.end()) return {};
        const auto found = types->second.find(resource_type);
        if (found == types->second.end()) return {};
        return found->second;
    }

  private:
    void read_line(std::string_view line) {
        if (line.starts_with("# ")) return;
        if (line.starts_with("@ ")) {
            const std::string_view name = take(line, '\t').substr(2);
            const std::string_view type = take(line, '\t');
            compartments_[name][type] = split(line, '\t');
            return;
        }
        if (line.starts_with("- ")) {
            ParamEntry& owner = params_.back();
            owner.component_urls.push_back(take(line, '\t').substr(2));
            owner.components.push_back({nullptr, line});
            return;
        }
        ParamEntry& entry = params_.emplace_back();
        SearchParam& param = entry.param;
        param.number = static_cast<std::uint16_t>(params_.size());
        param.url = take(line, '\t');
        param.code = take(line, '\t');
        param.type = type_named(take(line, '\t'));
        entry.bases = split(take(line, '\t'), '|');
        param.bases = entry.bases;
        param.expression = take(line, '\t');
        entry.targets = split(line, '|');
        param.targets = entry.targets;
        by_url_.emplace(param.url, &param);
    }

    void link(ParamEntry& entry) {
        for (std::size_t i = 0; i < entry.components.size(); ++i) {
            const auto found = by_url_.find(entry.component_urls[i]);
            HYGIE_CHECK(found != by_url_.end(), "a composite parameter of a parameter not defined");
            entry.components[i].param = found->second;
        }
        entry.param.components = entry.components;
    }

    void collect(const TypeDef& type) {
        auto& params = by_type_[type.name];
        for (const ParamEntry& entry : params_) {
            if (std::ranges::any_of(entry.bases, [&](std::string_view b) { return type.is_a(b); }))
                params.push_back(&entry.param);
        }
    }

    std::deque<ParamEntry> params_;
    std::unordered_map<std::string_view, const SearchParam*> by_url_;
    std::unordered_map<std::string_view, std::vector<const SearchParam*>> by_type_;
    using ByType = std::unordered_map<std::string_view, std::vector<std::string_view>>;
    std::unordered_map<std::string_view, ByType> compartments_;
};

const Search& search() {
    static const Search kSearch;
    return kSearch;
}

}  // namespace

const SearchParam* find_search_param(std::string_view resource_type, std::string_view code) {
    for (const SearchParam* param : search().of(resource_type))
        if (param->code == code) return param;
    return nullptr;
}

const SearchParam* search_param_numbered(std::uint16_t number) {
    return search().numbered(number);
}

std::span<const SearchParam* const> search_params_of(std::string_view resource_type) {
    return search().of(resource_type);
}

std::span<const std::string_view> compartment_params(std::string_view compartment,
                                                     std::string_view resource_type) {
    return search().compartment(compartment, resource_type);
}

std::span<const std::string_view> patient_compartment_params(std::string_view resource_type) {
    return search().compartment("Patient", resource_type);
}

std::uint64_t definitions_version() {
    static const std::uint64_t kVersion = [] {
        // FNV-1a, 64 bits: tells versions apart, proves nothing.
        std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
        for (const std::string_view text : {definitions::types(), definitions::search()}) {
            for (const char c : text)
                hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01B3;
        }
        return hash;
    }();
    return kVersion;
}

}  // namespace hygie::fhir
