#include "guards/records/desk/operation_input.h"

#include <algorithm>

namespace hygie::records {

namespace {

fhir::Json parameter_named(fhir::Json body, std::string_view name) {
    for (const fhir::Json parameter : body["parameter"].items()) {
        if (parameter["name"].text() == name) return parameter;
    }
    return {};
}

void add_texts(fhir::Json body, Parameters& texts) {
    for (const fhir::Json parameter : body["parameter"].items()) {
        for (const fhir::Member& member : parameter.members()) {
            const bool is_value = member.name.starts_with("value");
            if (is_value && !member.value.text().empty())
                texts.push_back(
                    {std::string(parameter["name"].text()), std::string(member.value.text())});
        }
    }
}

}  // namespace

fhir::Json OperationInput::resource(std::string_view name) const {
    return has_parameters() ? parameter_named(body, name)["resource"] : body;
}

fhir::Json OperationInput::value(std::string_view name, std::string_view member) const {
    return parameter_named(body, name)[member];
}

Answer<OperationInput> read_input(const Call& call, std::span<const std::string_view> known) {
    OperationInput input{.texts = call.parameters};
    if (call.method == Method::Post && !call.request.body.empty()) {
        if (TRY(body_kind(call.request)) != BodyKind::FhirJson)
            return std::unexpected(unsupported_body());
        input.body = TRY(input.arena.parse(as_text(call.request.body)));
        if (input.has_parameters()) add_texts(input.body, input.texts);
    }
    const bool all_known = std::ranges::all_of(input.texts, [&](const Parameter& parameter) {
        return std::ranges::find(known, parameter.name) != known.end();
    });
    if (all_known || call.wishes.lenient) return input;
    return refuse(
        400, "not-supported",
        {"un paramètre de cette opération est inconnu", "a parameter of this operation is unknown"},
        {"voyez sa définition, nommée dans GET [base]/metadata",
         "see its definition, named in GET [base]/metadata"});
}

}  // namespace hygie::records
