#include "fhir/terminology/terminology.h"

#include <algorithm>

#include "base/check.h"
#include "fhir/path/fhirpath.h"
#include "fhir/search/search_value.h"
#include "fhir/terminology/terminology_tables.h"

namespace hygie::fhir {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same_in_any_case(std::string_view left, std::string_view right) {
    return left.size() == right.size() && std::ranges::equal(left, right, {}, lower, lower);
}

std::unexpected<Error> not_known(std::string_view fr, std::string_view en) {
    return fail(
        Code::NotFound,
        {std::string(fr) + " n’est pas connu ici.", std::string(en) + " is not known here."},
        {"Vérifiez son adresse, ou fournissez la ressource avec la demande.",
         "Check its address, or send the resource with the request."});
}

std::unexpected<Error> too_many() {
    return fail(Code::Full,
                {"Ce jeu de valeurs a trop de codes pour les lister.",
                 "This value set has too many codes to list."},
                {"Donnez « filter » ou « count », ou demandez $validate-code.",
                 "Give “filter” or “count”, or ask for $validate-code."});
}

}  // namespace

const Concept* CodeSystem::find(std::string_view code) const {
    const auto found = places.find(code);
    if (found != places.end()) return &concepts[found->second];
    if (!any_case) return nullptr;
    const auto like = std::ranges::find_if(
        concepts, [&](const Concept& c) { return same_in_any_case(c.code, code); });
    return like == concepts.end() ? nullptr : &*like;
}

bool CodeSystem::names_another(std::string_view code, std::string_view words) const {
    const Concept* const own = find(code);
    const auto is_named_so = [&](const Concept& c) { return same_in_any_case(c.display, words); };
    if (!own || words.empty() || is_named_so(*own) || same_in_any_case(words, own->code))
        return false;
    return std::ranges::any_of(concepts, is_named_so);
}

bool ValueSet::Part::has(std::string_view code) const {
    if (grammar) return grammar(code);
    return all ? all->find(code) != nullptr : std::ranges::binary_search(codes, code);
}

std::string_view ValueSet::Part::display_of(std::string_view code) const {
    const auto found = displays.find(code);
    return found == displays.end() ? std::string_view() : found->second;
}

bool ValueSet::has(std::string_view system, std::string_view code) const {
    return std::ranges::any_of(
        parts, [&](const Part& part) { return part.system == system && part.has(code); });
}

bool ValueSet::has(std::string_view code) const {
    return std::ranges::any_of(parts, [&](const Part& part) { return part.has(code); });
}

Terminology::Terminology(const Terminology* base)
    : base_(base), tables_(std::make_unique<Tables>()) {}
Terminology::Terminology(Terminology&&) noexcept = default;
Terminology& Terminology::operator=(Terminology&&) noexcept = default;
Terminology::~Terminology() = default;

const Terminology& Terminology::r4() {
    static const Terminology kR4 = [] {
        Terminology made(nullptr);
        read_r4(*made.tables_);
        return made;
    }();
    return kR4;
}

const CodeSystem* Terminology::code_system(std::string_view url) const {
    url = url.substr(0, url.find('|'));
    if (const CodeSystem* const own = tables_->code_system(url)) return own;
    return base_ ? base_->code_system(url) : nullptr;
}

const ValueSet* Terminology::value_set(std::string_view canonical) const {
    canonical = canonical.substr(0, canonical.find('|'));
    if (const ValueSet* const own = tables_->value_set(canonical)) return own;
    return base_ ? base_->value_set(canonical) : nullptr;
}

Result<Concept> Terminology::lookup(std::string_view system, std::string_view code) const {
    const CodeSystem* const codes = code_system(system);
    if (!codes) return not_known("Ce système de codes", "This code system");
    const Concept* const found = codes->find(code);
    if (!found) return not_known("Ce code", "This code");
    return *found;
}

Result<CodeVerdict> Terminology::validate_code(std::string_view value_set_url,
                                               const Coding& coding) const {
    const ValueSet* const set = value_set(value_set_url);
    const CodeSystem* const system = code_system(coding.system);
    if (!value_set_url.empty() && !set) return not_known("Ce jeu de valeurs", "This value set");
    if (!set && !system) return not_known("Ce système de codes", "This code system");
    const Concept* const found = system ? system->find(coding.code) : nullptr;
    CodeVerdict verdict;
    verdict.display = found ? found->display : std::string_view();
    if (!set) {
        verdict.is_member = found != nullptr;
    } else {
        verdict.is_member =
            coding.system.empty() ? set->has(coding.code) : set->has(coding.system, coding.code);
    }
    if (!verdict.is_member) {
        verdict.message = {"Ce code n’en fait pas partie.", "This code is not part of it."};
    } else if (!coding.display.empty() && found &&
               !same_in_any_case(coding.display, found->display)) {
        verdict.is_member = false;
        verdict.message = {"Le code en fait partie, mais s’appelle autrement.",
                           "The code is part of it, but is called otherwise."};
    }
    return verdict;
}

Result<bool> Terminology::member_of(const PathItem& item, std::string_view value_set_url) const {
    const ValueSet* const set = value_set(value_set_url);
    if (!set) return not_known("Ce jeu de valeurs", "This value set");
    const auto has = [set](Json coding) {
        return set->has(coding["system"].text(), coding["code"].text());
    };
    if (!item.value.is_object()) return set->has(item.value.text());
    if (const Json codings = item.value["coding"]) return std::ranges::any_of(codings.items(), has);
    return has(item.value);
}

namespace {

/// Collects the codes of an expansion that pass the filter and lie within the page.
struct Expansion {
    const ExpandQuery& query;
    Arena& arena;
    std::string wanted = fold(query.filter);  ///< as searches compare: whatever case and accents
    std::size_t total = 0;
    std::vector<Json> page{};

    bool has_wanted(std::string_view text) const {
        return wanted.empty() || fold(text).contains(wanted);
    }

    void add(std::string_view system, std::string_view code, std::string_view display) {
        if (!has_wanted(code) && !has_wanted(display)) return;
        const std::size_t place = total++;
        if (place < query.offset || place - query.offset >= query.count ||
            page.size() > Terminology::kExpandMax)
            return;
        Json entry = arena.object({{"system", arena.string(system)}, {"code", arena.string(code)}});
        if (!display.empty()) entry = arena.with(entry, "display", arena.string(display));
        page.push_back(entry);
    }
};

}  // namespace

Result<Json> Terminology::expand(const ExpandQuery& query, Arena& arena) const {
    const ValueSet* const set = value_set(query.value_set);
    if (!set) return not_known("Ce jeu de valeurs", "This value set");
    Expansion found{query, arena};
    for (const ValueSet::Part& part : set->parts) {
        if (part.grammar) return too_many();
        if (part.all) {
            for (const Concept& concept_ : part.all->concepts)
                found.add(part.system, concept_.code, concept_.display);
            continue;
        }
        const CodeSystem* const system = code_system(part.system);
        for (const std::string_view code : part.codes) {
            const Concept* const known = system ? system->find(code) : nullptr;
            const std::string_view own = part.display_of(code);
            found.add(part.system, code, own.empty() && known ? known->display : own);
        }
    }
    if (found.page.size() > kExpandMax) return too_many();
    const auto number = [&](std::size_t n) { return arena.number(static_cast<std::int64_t>(n)); };
    Json expansion = arena.object({{"timestamp", arena.string(to_rfc3339(query.now))},
                                   {"total", number(found.total)},
                                   {"offset", number(query.offset)}});
    if (!found.page.empty()) expansion = arena.with(expansion, "contains", arena.array(found.page));
    Json expanded = arena.object({{"resourceType", arena.string("ValueSet")},
                                  {"url", arena.string(set->url)},
                                  {"status", arena.string("active")},
                                  {"expansion", expansion}});
    if (!set->title.empty()) expanded = arena.with(expanded, "title", arena.string(set->title));
    return expanded;
}

}  // namespace hygie::fhir
