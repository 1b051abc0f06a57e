#include "fhir/data/known_extensions.h"

#include <unordered_map>

#include "fhir/data/definitions.h"

namespace hygie::fhir {

namespace {

using definitions::take;

using Extensions = std::unordered_map<std::string_view, KnownExtension>;

Extensions read_extensions() {
    Extensions all;
    for (std::string_view text = definitions::extensions(); !text.empty();) {
        std::string_view line = take(text, '\n');
        if (line.empty() || line.starts_with('#')) continue;
        KnownExtension& known = all[take(line, '\t')];
        for (std::string_view types = take(line, '\t'); !types.empty();)
            known.types.push_back(take(types, '|'));
        known.value_set = take(line, '\t');
        while (!line.empty()) known.places.push_back(take(line, '|'));
    }
    return all;
}

}  // namespace

const KnownExtension* find_extension(std::string_view url) {
    static const Extensions kAll = read_extensions();
    const auto found = kAll.find(url);
    return found == kAll.end() ? nullptr : &found->second;
}

}  // namespace hygie::fhir
