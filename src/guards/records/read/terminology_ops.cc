#include <array>
#include <charconv>

#include "base/only.h"
#include "fhir/terminology/terminology.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/sight/search.h"

/// $expand, $validate-code, $lookup, $subsumes and $translate
/// (https://hl7.org/fhir/R4/terminology-service.html) over the codes of R4 and the value sets, code
/// systems and concept maps that are stored here.
namespace hygie::records {

namespace {

using fhir::Json;

/// The stored resource of that canonical URL; Absent when there is none.
Answer<Json> stored(Sight& sight, fhir::Arena& arena, std::string_view type,
                    std::string_view canonical) {
    const std::string url(canonical.substr(0, canonical.find('|')));
    const auto found = TRY(find_matches(sight, type, {{"url", url}}));
    if (found.empty()) return Json();
    const vault::Version version = TRY(sight.desk().rooms.vault.read(found.front()));
    return TRY(arena.parse(version.body));
}

Answer<void> learn_system(Sight& sight, fhir::Arena& arena, fhir::Terminology& terminology,
                          std::string_view url) {
    if (url.empty() || terminology.code_system(url)) return {};
    const Json system = TRY(stored(sight, arena, "CodeSystem", url));
    if (system) TRY_STATUS(terminology.add(system));
    return {};
}

/// Of value sets, one within another.
constexpr std::size_t kNestedMax = 8;

/// A value set with the code systems and the value sets that it draws from.
Answer<void> learn_set(Sight& sight, fhir::Arena& arena, fhir::Terminology& terminology,
                       Json value_set, std::size_t depth = 0) {
    for (const std::string_view list : {"include", "exclude"})
        for (const Json part : value_set["compose"][list].items()) {
            TRY_STATUS(learn_system(sight, arena, terminology, part["system"].text()));
            for (const Json url : part["valueSet"].items()) {
                if (depth == kNestedMax || terminology.value_set(url.text())) continue;
                const Json other = TRY(stored(sight, arena, "ValueSet", url.text()));
                if (other) TRY_STATUS(learn_set(sight, arena, terminology, other, depth + 1));
            }
        }
    TRY_STATUS(terminology.add(value_set));
    return {};
}

/// Of one that is sent along and has no address of its own; told to nobody.
constexpr std::string_view kNameless = "urn:hygie:value-set";

/// Makes known what the call is about: a resource it names by id or URL, or brings along.
Answer<std::string> learn(Sight& sight, OperationInput& input, fhir::Terminology& terminology) {
    const Target& target = sight.call().target;
    Json value_set = input.resource("valueSet");
    if (target.shape == Shape::InstanceOperation) {
        const auto found = TRY(sight.open(event::Action::Read, target.type, target.id));
        const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
        value_set = TRY(input.arena.parse(version.body));
    }
    std::string url(input.text("url"));
    if (value_set["resourceType"].text() == "ValueSet") {
        if (!value_set["url"])
            value_set = input.arena.with(value_set, "url", input.arena.string(kNameless));
        url = value_set["url"].text();
    } else if (!url.empty() && target.type == "ValueSet" && !terminology.value_set(url)) {
        value_set = TRY(stored(sight, input.arena, "ValueSet", url));
    }
    if (value_set["resourceType"].text() == "ValueSet")
        TRY_STATUS(learn_set(sight, input.arena, terminology, value_set));
    TRY_STATUS(learn_system(sight, input.arena, terminology, input.text("system")));
    if (target.type == "CodeSystem") TRY_STATUS(learn_system(sight, input.arena, terminology, url));
    return url;
}

/// Codings given in a concept, whole, or in parts; one at least.
Answer<std::vector<fhir::Coding>> codings_of(const OperationInput& input) {
    std::vector<fhir::Coding> all;
    const auto add = [&](Json coding) {
        all.push_back({coding["system"].text(), coding["code"].text(), coding["display"].text()});
    };
    for (const Json coding :
         input.value("codeableConcept", "valueCodeableConcept")["coding"].items())
        add(coding);
    if (const Json whole = input.value("coding", "valueCoding")) add(whole);
    if (all.empty())
        all.push_back({input.text("system"), input.text("code"), input.text("display")});
    if (!all.front().code.empty() || input.value("codeableConcept", "valueCodeableConcept"))
        return all;
    return refuse(400, "required", {"il faut un code", "a code is needed"},
                  {"donnez code et system, ou un Coding", "give code and system, or a Coding"});
}

/// A code means something within its system alone.
Answer<fhir::Coding> coding_of(const OperationInput& input) {
    const auto all = TRY(codings_of(input));
    if (!all.front().system.empty()) return all.front();
    return refuse(400, "required", {"il faut un système de codes", "a code system is needed"},
                  {"donnez code et system, ou un Coding", "give code and system, or a Coding"});
}

Json named(fhir::Arena& arena, std::string_view name, std::string_view member, Json value) {
    return arena.object({{"name", arena.string(name)}, {member, value}});
}

Disclosure parameters_answer(Desk& desk, const Call& call, fhir::Arena& arena,
                             std::span<const Json> parameters) {
    const Json answer = arena.object(
        {{"resourceType", arena.string("Parameters")}, {"parameter", arena.array(parameters)}});
    event::Event e = event_of(desk, call, event::Type::RecordRead, {}, {});
    e.query = call.asked;
    return {json_response(call, 200, fhir::to_text(answer)), only(std::move(e))};
}

Result<std::size_t> number_of(std::string_view text, std::size_t otherwise) {
    if (text.empty()) return otherwise;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number;
    return fail(Code::BadInput,
                {"count ou offset n'est pas un nombre", "count or offset is no number"},
                {"écrivez un nombre entier", "write a whole number"});
}

Refusal no_value_set() {
    return {400,
            "required",
            {"il faut un jeu de valeurs", "a value set is needed"},
            {"nommez-le par url ou par son id, ou envoyez-le dans « valueSet »",
             "name it by url or by its id, or send it in \"valueSet\""}};
}

/// Unlike a record, an unknown code is no secret: its 404 says what is unknown.
Refusal unknown(const Error& error) {
    if (error.code != Code::NotFound) return error;
    return {404, "not-found", error.what, error.remedy};
}

}  // namespace

Answer<Disclosure> expand(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 5> kKnown = {"url", "filter", "offset", "count",
                                                        "valueSet"};
    OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    fhir::Terminology terminology(desk.options.terminology);
    const std::string url = TRY(learn(sight, input, terminology));
    if (url.empty()) return std::unexpected(no_value_set());
    const auto offset = TRY(number_of(input.text("offset"), 0));
    const auto count = TRY(number_of(input.text("count"), SIZE_MAX));
    const auto expanded = terminology.expand({.value_set = url,
                                              .filter = input.text("filter"),
                                              .offset = offset,
                                              .count = count,
                                              .now = desk.rooms.clock.now()},
                                             input.arena);
    if (!expanded) return std::unexpected(unknown(expanded.error()));
    const Json told = url == kNameless ? input.arena.with(*expanded, "url", Json()) : *expanded;
    event::Event e = event_of(desk, call, event::Type::RecordRead, {}, {});
    e.query = call.asked;
    return Disclosure{json_response(call, 200, fhir::to_text(told)), only(std::move(e))};
}

Answer<Disclosure> validate_code(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 4> kKnown = {"url", "system", "code", "display"};
    OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    fhir::Terminology terminology(desk.options.terminology);
    const std::string url = TRY(learn(sight, input, terminology));
    const bool in_system = call.target.type == "CodeSystem";
    if (url.empty() && !in_system) return std::unexpected(no_value_set());
    Result<fhir::CodeVerdict> verdict = fhir::CodeVerdict{};
    // Of a concept, one coding that is in the set is enough.
    auto codings = TRY(codings_of(input));
    for (fhir::Coding& coding : codings) {
        if (in_system && coding.system.empty()) coding.system = url;
        verdict = terminology.validate_code(in_system ? std::string_view() : std::string_view(url),
                                            coding);
        if (!verdict) return std::unexpected(unknown(verdict.error()));
        if (verdict->is_member) break;
    }
    fhir::Arena& arena = input.arena;
    std::vector<Json> told = {
        named(arena, "result", "valueBoolean", arena.boolean(verdict->is_member))};
    if (!verdict->display.empty())
        told.push_back(named(arena, "display", "valueString", arena.string(verdict->display)));
    if (const std::string& why = verdict->message.in(call.wishes.lang); !why.empty())
        told.push_back(named(arena, "message", "valueString", arena.string(why)));
    return parameters_answer(desk, call, arena, told);
}

Answer<Disclosure> lookup(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 2> kKnown = {"system", "code"};
    OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    fhir::Terminology terminology(desk.options.terminology);
    TRY(learn(sight, input, terminology));
    const fhir::Coding coding = TRY(coding_of(input));
    TRY_STATUS(learn_system(sight, input.arena, terminology, coding.system));
    const auto found = terminology.lookup(coding.system, coding.code);
    if (!found) return std::unexpected(unknown(found.error()));
    fhir::Arena& arena = input.arena;
    const fhir::CodeSystem* system = terminology.code_system(coding.system);
    const bool has_title = system && !system->title.empty();
    const std::array<Json, 2> told = {
        named(arena, "name", "valueString",
              arena.string(has_title ? system->title : coding.system)),
        named(arena, "display", "valueString",
              arena.string(found->display.empty() ? found->code : found->display))};
    return parameters_answer(desk, call, arena, told);
}

namespace {

/// The system that $subsumes is about: of the resource called on, or named.
Answer<std::string> system_asked(Sight& sight, OperationInput& input,
                                 fhir::Terminology& terminology) {
    const Target& target = sight.call().target;
    std::string url(input.text("system"));
    if (target.shape == Shape::InstanceOperation) {
        const auto found = TRY(sight.open(event::Action::Read, target.type, target.id));
        const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
        const Json system = TRY(input.arena.parse(version.body));
        url = system["url"].text();
        if (!terminology.code_system(url)) TRY_STATUS(terminology.add(system));
    } else if (const Json coding = input.value("codingA", "valueCoding")) {
        url = coding["system"].text();
    }
    TRY_STATUS(learn_system(sight, input.arena, terminology, url));
    return url;
}

const fhir::Concept* concept_asked(const OperationInput& input, const fhir::CodeSystem& system,
                                   std::string_view code, std::string_view coding) {
    const Json whole = input.value(coding, "valueCoding");
    if (!whole) return system.find(input.text(code));
    return whole["system"].text() == system.url ? system.find(whole["code"].text()) : nullptr;
}

/// Whether the way up from one leads to the other.
bool is_above(const fhir::CodeSystem& system, const fhir::Concept* above,
              const fhir::Concept* below) {
    for (const fhir::Concept* one = below; one != nullptr;
         one = one->parent == fhir::Concept::kNone ? nullptr : &system.concepts[one->parent])
        if (one == above) return true;
    return false;
}

}  // namespace

Answer<Disclosure> subsumes(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 3> kKnown = {"system", "codeA", "codeB"};
    OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    fhir::Terminology terminology(desk.options.terminology);
    const std::string url = TRY(system_asked(sight, input, terminology));
    const fhir::CodeSystem* system = terminology.code_system(url);
    const fhir::Concept* a = system ? concept_asked(input, *system, "codeA", "codingA") : nullptr;
    const fhir::Concept* b = system ? concept_asked(input, *system, "codeB", "codingB") : nullptr;
    if (!a || !b)
        return refuse(404, "not-found",
                      {"le système, ou l'un des deux codes, n'est pas connu ici",
                       "the system, or one of both codes, is not known here"},
                      {"donnez system, codeA et codeB d'un CodeSystem de R4 ou enregistré ici",
                       "give system, codeA and codeB of a CodeSystem of R4 or stored here"});
    const std::string_view outcome = a == b                    ? "equivalent"
                                     : is_above(*system, a, b) ? "subsumes"
                                     : is_above(*system, b, a) ? "subsumed-by"
                                                               : "not-subsumed";
    const Json told = named(input.arena, "outcome", "valueCode", input.arena.string(outcome));
    return parameters_answer(desk, call, input.arena, {&told, 1});
}

namespace {

/// The ConceptMap called on, sent along or named by url.
Answer<Json> map_asked(Sight& sight, OperationInput& input) {
    const Target& target = sight.call().target;
    if (target.shape == Shape::InstanceOperation) {
        const auto found = TRY(sight.open(event::Action::Read, target.type, target.id));
        const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
        return TRY(input.arena.parse(version.body));
    }
    Json map = input.resource("conceptMap");
    if (map["resourceType"].text() == "ConceptMap") return map;
    const std::string_view url = input.text("url");
    if (url.empty())
        return refuse(400, "required",
                      {"il faut une table de correspondance", "a concept map is needed"},
                      {"nommez-la par url ou par son id, ou envoyez-la dans « conceptMap »",
                       "name it by url or by its id, or send it in \"conceptMap\""});
    map = TRY(stored(sight, input.arena, "ConceptMap", url));
    if (map) return map;
    return refuse(404, "not-found",
                  {"cette table de correspondance n'est pas ici", "this concept map is not here"},
                  {"enregistrez-la, ou corrigez l'url", "store it, or mend the url"});
}

/// Going through a map backwards, what was wider is narrower.
std::string_view equivalence_of(Json target, bool is_reverse) {
    const std::string_view said = target["equivalence"].text();
    if (!is_reverse) return said;
    if (said == "wider") return "narrower";
    if (said == "narrower") return "wider";
    if (said == "subsumes") return "specializes";
    if (said == "specializes") return "subsumes";
    return said;
}

bool is_translation(std::string_view equivalence) {
    return equivalence != "unmatched" && equivalence != "disjoint";
}

/// Goes through a map for one code.
class Translating {
  public:
    Translating(fhir::Arena& arena, Json map, const fhir::Coding& asked, std::string_view to,
                bool is_reverse)
        : arena_(arena), map_(map), asked_(asked), to_(to), is_reverse_(is_reverse) {}

    std::vector<Json> answer() {
        for (const Json group : map_["group"].items()) {
            const std::string_view from = group[is_reverse_ ? "target" : "source"].text();
            const std::string_view to = group[is_reverse_ ? "source" : "target"].text();
            if ((!asked_.system.empty() && from != asked_.system) || (!to_.empty() && to != to_))
                continue;
            const std::size_t before = matches_.size();
            for (const Json element : group["element"].items()) through(element, to);
            if (!is_reverse_ && matches_.size() == before) unmapped(group["unmapped"], to);
        }
        std::vector<Json> told = {
            named(arena_, "result", "valueBoolean", arena_.boolean(is_found_))};
        std::ranges::move(matches_, std::back_inserter(told));
        return told;
    }

  private:
    void through(Json element, std::string_view to) {
        for (const Json target : element["target"].items()) {
            const Json from = is_reverse_ ? target : element;
            if (from["code"].text() != asked_.code) continue;
            match(equivalence_of(target, is_reverse_), to, is_reverse_ ? element : target);
        }
    }
    void unmapped(Json rule, std::string_view to) {
        const std::string_view mode = rule["mode"].text();
        if (mode == "fixed") match("inexact", to, rule);
        if (mode == "provided")
            match("equal", to, arena_.object({{"code", arena_.string(asked_.code)}}));
    }
    void match(std::string_view equivalence, std::string_view system, Json code) {
        Json coding = arena_.object({{"system", arena_.string(system)}, {"code", code["code"]}});
        if (const Json display = code["display"]) coding = arena_.with(coding, "display", display);
        const std::array<Json, 3> parts = {
            named(arena_, "equivalence", "valueCode", arena_.string(equivalence)),
            named(arena_, "concept", "valueCoding", coding),
            named(arena_, "source", "valueUri", map_["url"])};
        const std::size_t count = map_["url"] ? parts.size() : parts.size() - 1;
        matches_.push_back(
            named(arena_, "match", "part", arena_.array(std::span(parts).first(count))));
        is_found_ = is_found_ || is_translation(equivalence);
    }

    fhir::Arena& arena_;
    Json map_;
    const fhir::Coding& asked_;
    std::string_view to_;
    bool is_reverse_;
    bool is_found_ = false;
    std::vector<Json> matches_;
};

}  // namespace

Answer<Disclosure> translate(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 5> kKnown = {"url", "system", "code", "targetsystem",
                                                        "reverse"};
    OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    const Json map = TRY(map_asked(sight, input));
    const fhir::Coding asked = TRY(codings_of(input)).front();
    const bool is_reverse = input.text("reverse") == "true" ||
                            input.value("reverse", "valueBoolean").kind() == Json::Kind::True;
    Translating translating(input.arena, map, asked, input.text("targetsystem"), is_reverse);
    return parameters_answer(desk, call, input.arena, translating.answer());
}

}  // namespace hygie::records
