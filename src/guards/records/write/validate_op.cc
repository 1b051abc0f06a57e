#include <array>

#include "base/only.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/sight/sight.h"
#include "guards/records/write/checks.h"

/// $validate (https://hl7.org/fhir/R4/resource-operation-validate.html).
namespace hygie::records {

Answer<Disclosure> validate(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 2> kKnown = {"mode", "profile"};
    OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    fhir::Json resource = input.resource("resource");
    event::Event e = event_of(desk, call, event::Type::RecordRead, {}, {});
    if (!resource && call.target.shape == Shape::InstanceOperation) {
        const auto found = TRY(sight.open(event::Action::Read, call.target.type, call.target.id));
        e = event_of(desk, call, event::Type::RecordRead, found.record->patient(),
                     reference_to(call.target.type, call.target.id));
        add_basis(e, sight.reasons());
        resource = TRY(input.arena.parse(TRY(desk.rooms.vault.read(found)).body));
    }
    const bool at_system = call.target.shape == Shape::SystemOperation;
    const bool fits = at_system ? resource["resourceType"].is_string()
                                : resource["resourceType"].text() == call.target.type;
    if (!fits)
        return refuse(400, "required",
                      {"il faut une ressource du type de l'adresse",
                       "a resource of the type of the URL is needed"},
                      {"envoyez-la seule, ou dans Parameters sous le nom « resource »",
                       "send it alone, or in Parameters under the name \"resource\""});
    Work work{.arena = std::move(input.arena)};
    auto [issues, patient] = TRY(check_alone(sight, work, resource, input.text("profile")));
    if (e.subject.patient.empty()) e.subject.patient = PatientId(patient);
    if (issues.empty())
        issues.push_back({Severity::Information,
                          "informational",
                          {"la ressource est valable", "the resource is valid"}});
    e.query = call.asked;
    return Disclosure{json_response(call, 200, outcome_json(issues, call.wishes.lang)),
                      only(std::move(e))};
}

}  // namespace hygie::records
