#include <array>
#include <charconv>

#include "fhir/terminology.h"
#include "guards/records/handlers.h"
#include "guards/records/operation_input.h"
#include "guards/records/search.h"

/// $expand, $validate-code and $lookup (https://hl7.org/fhir/R4/terminology-service.html) over the
/// codes of R4 and the value sets and code systems that are stored here.
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

/// A value set with the code systems that it draws from.
Answer<void> learn_set(Sight& sight, fhir::Arena& arena, fhir::Terminology& terminology,
                       Json value_set) {
    for (const Json include : value_set["compose"]["include"].items())
        TRY_STATUS(learn_system(sight, arena, terminology, include["system"].text()));
    TRY_STATUS(terminology.add(value_set));
    return {};
}

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

/// A value of a coding given whole, or in parts.
fhir::Coding coding_of(const OperationInput& input) {
    const Json whole = input.value("coding", "valueCoding");
    const Json first = [&] {
        const auto codings =
            input.value("codeableConcept", "valueCodeableConcept")["coding"].items();
        return codings.empty() ? whole : codings.front();
    }();
    if (first) return {first["system"].text(), first["code"].text(), first["display"].text()};
    return {input.text("system"), input.text("code"), input.text("display")};
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
    return {json_response(call, 200, fhir::to_text(answer)), {std::move(e)}};
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
    const auto expanded =
        terminology.expand({.value_set = url,
                            .filter = input.text("filter"),
                            .offset = TRY(number_of(input.text("offset"), 0)),
                            .count = TRY(number_of(input.text("count"), SIZE_MAX)),
                            .now = desk.rooms.clock.now()},
                           input.arena);
    if (!expanded) return std::unexpected(unknown(expanded.error()));
    event::Event e = event_of(desk, call, event::Type::RecordRead, {}, {});
    e.query = call.asked;
    return Disclosure{json_response(call, 200, fhir::to_text(*expanded)), {std::move(e)}};
}

Answer<Disclosure> validate_code(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 4> kKnown = {"url", "system", "code", "display"};
    OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    fhir::Terminology terminology(desk.options.terminology);
    const std::string url = TRY(learn(sight, input, terminology));
    fhir::Coding coding = coding_of(input);
    const bool in_system = call.target.type == "CodeSystem";
    if (url.empty() && !in_system) return std::unexpected(no_value_set());
    if (in_system && coding.system.empty()) coding.system = url;
    const auto verdict =
        terminology.validate_code(in_system ? std::string_view() : std::string_view(url), coding);
    if (!verdict) return std::unexpected(unknown(verdict.error()));
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
    const fhir::Coding coding = coding_of(input);
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

}  // namespace hygie::records
