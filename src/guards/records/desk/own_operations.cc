#include "guards/records/desk/own_operations.h"

#include <algorithm>

#include "access/decide/break_glass.h"
#include "base/check.h"
#include "fhir/data/json.h"

namespace hygie::records {
namespace {

using fhir::Json;

std::string motives() {
    std::string all;
    for (const std::string_view code : access::kMotiveCodes) {
        if (!all.empty()) all += ", ";
        all += code;
    }
    return all;
}

OwnParameter motive() {
    return {"motive",
            "code",
            false,
            {"pourquoi : " + motives() + " ; ou bien « code »",
             "why: " + motives() + "; or else \"code\""}};
}
OwnParameter code() {
    return {"code",
            "Coding",
            false,
            {"le même motif par son code HL7 v3 ActReason : ETREAT, COC ou PUBHLTH",
             "the same motive by its code of HL7 v3 ActReason: ETREAT, COC or PUBHLTH"}};
}
OwnParameter reason() {
    return {"reason",
            "string",
            true,
            {"en une phrase, pourquoi cela doit être ouvert maintenant",
             "in one sentence, why this must be opened now"}};
}

std::vector<OwnOperation> make_operations() {
    return {
        {.code = "break-glass",
         .type = "Patient",
         .help = {"ouvre un dossier hors du cercle, une heure au plus ; le patient et la sécurité "
                  "sont prévenus. Sans second facteur, répond 202 et un code pour $co-sign.",
                  "opens one record from outside the circle, for an hour at most; the patient and "
                  "the security officer are told. Without a second factor it answers 202 and a "
                  "code for $co-sign."},
         .parameters = {motive(),
                        code(),
                        reason(),
                        {"vital",
                         "boolean",
                         false,
                         {"une vie est en jeu : les données masquées s'ouvrent aussi",
                          "a life is at stake: masked data open, too"}}}},
        {.code = "co-sign",
         .type = {},
         .help = {"le bris de glace d'un collègue : montre ce qui est demandé, puis l'ouvre",
                  "a colleague's break-glass: shows what is asked, then opens it"},
         .parameters = {{"request",
                         "string",
                         true,
                         {"le code donné au collègue", "the code that the colleague was given"}},
                        {"agree",
                         "boolean",
                         false,
                         {"vrai pour signer ; sans lui, rien ne s'ouvre",
                          "true to sign; without it nothing opens"}}}},
        {.code = "justify",
         .type = {},
         .help = {"un motif pour continuer au-delà du rythme habituel, une heure",
                  "a motive for going on beyond the usual pace, for an hour"},
         .parameters = {motive(), code(), reason()}},
        {.code = "import",
         .type = {},
         .help = {"des ressources, une par ligne (application/fhir+ndjson) : toutes ou aucune",
                  "resources, one a line (application/fhir+ndjson): all of them or none"}},
    };
}

/// "break-glass" → "HygieBreakGlass", the name for machines.
std::string machine_name(std::string_view code) {
    std::string name = "Hygie";
    bool is_first = true;
    for (const char c : code) {
        if (c != '-') name += is_first ? static_cast<char>(c - 'a' + 'A') : c;
        is_first = c == '-';
    }
    return name;
}

std::string definition_of(const Desk& desk, const OwnOperation& operation, Lang lang) {
    fhir::Arena arena;
    const auto text = [&](std::string_view value) { return arena.string(value); };
    std::vector<Json> parameters;
    for (const OwnParameter& one : operation.parameters)
        parameters.push_back(arena.object({{"name", text(one.name)},
                                           {"use", text("in")},
                                           {"min", arena.number(std::int64_t{one.is_asked})},
                                           {"max", text("1")},
                                           {"documentation", text(one.help.in(lang))},
                                           {"type", text(one.type)}}));
    const std::string id = std::string(kOwnDefinition) + std::string(operation.code);
    Json definition = arena.object({{"resourceType", text("OperationDefinition")},
                                    {"id", text(id)},
                                    {"url", text(desk.options.base + "OperationDefinition/" + id)},
                                    {"name", text(machine_name(operation.code))},
                                    {"status", text("active")},
                                    {"kind", text("operation")},
                                    {"description", text(operation.help.in(lang))},
                                    {"affectsState", arena.boolean(true)},
                                    {"code", text(operation.code)},
                                    {"system", arena.boolean(operation.type.empty())},
                                    {"type", arena.boolean(false)},
                                    {"instance", arena.boolean(!operation.type.empty())}});
    const Json type = text(operation.type);
    if (!operation.type.empty())
        definition = arena.with(definition, "resource", arena.array({&type, 1}));
    if (!parameters.empty())
        definition = arena.with(definition, "parameter", arena.array(parameters));
    return fhir::to_text(definition);
}

}  // namespace

std::span<const OwnOperation> own_operations() {
    static const std::vector<OwnOperation> all = make_operations();
    return all;
}

const OwnOperation* own_operation(std::string_view code) {
    const auto all = own_operations();
    const auto found = std::ranges::find(all, code, &OwnOperation::code);
    return found == all.end() ? nullptr : &*found;
}

std::vector<std::string_view> parameters_of(std::string_view code) {
    const OwnOperation* operation = own_operation(code);
    HYGIE_CHECK(operation != nullptr, "no operation of ours has this code");
    std::vector<std::string_view> names;
    for (const OwnParameter& one : operation->parameters) names.push_back(one.name);
    return names;
}

Answer<Disclosure> own_definition(Desk& desk, const Call& call) {
    const OwnOperation* operation = own_operation(call.target.id.substr(kOwnDefinition.size()));
    if (!operation) return std::unexpected(not_found());
    return Disclosure{json_response(call, 200, definition_of(desk, *operation, call.wishes.lang)),
                      {}};
}

}  // namespace hygie::records
