#include "fhir/terminology/terminology_tables.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/check.h"
#include "fhir/data/definitions.h"

namespace hygie::fhir {

using definitions::take;

namespace {

/// A type and a subtype, and what parameters there may be (RFC 6838 §4.2); or a name that R4 uses
/// for one of its formats (https://hl7.org/fhir/R4/http.html#mime-type).
bool is_media_type(std::string_view code) {
    if (code == "xml" || code == "json" || code == "ttl") return true;
    const auto is_name = [](std::string_view name) {
        return !name.empty() && is_alphanumeric(name.front()) &&
               std::ranges::all_of(name, [](char c) {
                   return is_alphanumeric(c) || std::string_view("!#$&-^_.+").contains(c);
               });
    };
    const std::string_view parameters = code.substr(std::min(code.find(';'), code.size()));
    code.remove_suffix(parameters.size());
    const std::size_t slash = code.find('/');
    return slash != std::string_view::npos && is_name(code.substr(0, slash)) &&
           is_name(code.substr(slash + 1));
}

/// The shape of a language tag: subtags of one to eight letters or digits (RFC 5646 §2.1).
bool is_language(std::string_view code) {
    bool is_first = true;
    do {
        const std::string_view subtag = take(code, '-');
        if (subtag.empty() || subtag.size() > 8 || !std::ranges::all_of(subtag, is_alphanumeric))
            return false;
        if (std::exchange(is_first, false) && subtag.size() < 2 && subtag != "x" && subtag != "i")
            return false;
    } while (!code.empty());
    return true;
}

/// Whatever UCUM may spell: visible ASCII.
bool is_unit(std::string_view code) {
    return !code.empty() && std::ranges::all_of(code, [](char c) { return c > 0x20 && c < 0x7F; });
}

/// Reads r4.codes.
class CodesReader {
  public:
    template <typename Keep>
    void read(Keep& keep, std::string_view text) {
        while (!text.empty()) read_line(take(text, '\n'), keep);
        flush(keep);
    }

  private:
    template <typename Keep>
    void read_line(std::string_view line, Keep& keep) {
        if (line.starts_with("+ ")) return read_part(line.substr(2), keep);
        const std::size_t depth = line.find_first_not_of(' ');
        if (line.substr(depth).starts_with("- "))
            return read_concept(line.substr(depth + 2), depth);
        flush(keep);
        const std::string_view word = take(line, ' ');
        if (word == "system") {
            system_.url = take(line, '\t');
            system_.title = take(line, '\t');
            system_.any_case = line == "any case";
        } else if (word == "set") {
            set_.url = take(line, '\t');
            set_.title = line;
        }
    }

    void read_concept(std::string_view line, std::size_t depth) {
        above_.resize(depth + 1);
        above_[depth] = static_cast<std::uint32_t>(system_.concepts.size());
        Concept made;
        made.code = take(line, '\t');
        made.display = line;
        if (depth > 0) made.parent = above_[depth - 1];
        system_.concepts.push_back(made);
    }

    template <typename Keep>
    void read_part(std::string_view line, Keep& keep) {
        ValueSet::Part part;
        part.system = take(line, '\t');
        if (line == "*") {
            part.all = keep.code_system(part.system);
            HYGIE_CHECK(part.all, "a value set of a code system that is not defined");
        } else {
            while (!line.empty()) part.codes.push_back(take(line, '\t'));
            std::ranges::sort(part.codes);
        }
        set_.parts.push_back(std::move(part));
    }

    template <typename Keep>
    void flush(Keep& keep) {
        if (!system_.url.empty()) keep.keep(std::exchange(system_, {}));
        if (!set_.url.empty()) keep.keep(std::exchange(set_, {}));
    }

    CodeSystem system_;
    ValueSet set_;
    std::vector<std::uint32_t> above_;
};

ValueSet grammar_set(std::string_view url, std::string_view title, std::string_view system,
                     bool (*grammar)(std::string_view)) {
    ValueSet set;
    set.url = url;
    set.title = title;
    set.parts.push_back({system, nullptr, {}, grammar});
    return set;
}

}  // namespace

const CodeSystem& Terminology::Tables::keep(CodeSystem system) {
    for (std::uint32_t i = 0; i < system.concepts.size(); ++i)
        system.places.emplace(system.concepts[i].code, i);
    const CodeSystem& kept = code_systems.emplace_back(std::move(system));
    code_system_by_url[kept.url] = &kept;
    return kept;
}

void Terminology::Tables::keep(ValueSet set) {
    const ValueSet& kept = value_sets.emplace_back(std::move(set));
    value_set_by_url[kept.url] = &kept;
}

void Terminology::read_r4(Tables& tables) {
    CodesReader().read(tables, definitions::codes());
    tables.keep(grammar_set("http://hl7.org/fhir/ValueSet/mimetypes", "Mime Types",
                            "urn:ietf:bcp:13", is_media_type));
    tables.keep(grammar_set("http://hl7.org/fhir/ValueSet/all-languages", "All Languages",
                            "urn:ietf:bcp:47", is_language));
    tables.keep(grammar_set("http://hl7.org/fhir/ValueSet/ucum-units", "UCUM Codes",
                            "http://unitsofmeasure.org", is_unit));
}

}  // namespace hygie::fhir
