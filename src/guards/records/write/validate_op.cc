#include <array>

#include "base/only.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/sight/sight.h"
#include "guards/records/write/authorship.h"
#include "guards/records/write/checks.h"
#include "guards/records/write/confer.h"

/// $validate (https://hl7.org/fhir/R4/resource-operation-validate.html).
namespace hygie::records {

namespace {

/// What a resource is to be judged for
/// (https://hl7.org/fhir/R4/valueset-resource-validation-mode.html).
Answer<std::string> mode_of(const Call& call, const OperationInput& input) {
    std::string mode(input.text("mode"));
    const bool at_instance = call.target.shape == Shape::InstanceOperation;
    if (mode.empty() || mode == "create" || mode == "profile") return mode;
    if (at_instance && (mode == "update" || mode == "delete")) return mode;
    return refuse(400, "value",
                  {"ce mode n'existe pas, ou pas à cette adresse",
                   "there is no such mode, or not at this URL"},
                  {"create et profile vont partout, update et delete à une ressource (Type/id)",
                   "create and profile fit anywhere, update and delete a resource (Type/id)"},
                  "mode");
}

/// What a deletion would be told; nothing is deleted.
Issues deletion_issues(Sight& sight) {
    Work work;
    work.changes.push_back({.kind = Change::Kind::Delete,
                            .type = sight.call().target.type,
                            .id = sight.call().target.id});
    const auto judge = [&]() -> Answer<void> {
        Plan plan = TRY(make_plan(sight, work));
        TRY_STATUS(check_steps(sight, work, plan));
        TRY_STATUS(check_confers(sight, plan));
        return check_authorship(sight, work, plan);
    };
    const auto judged = judge();
    return judged ? Issues() : judged.error().issues;
}

Issue is_another(std::string_view type) {
    return {.severity = Severity::Error,
            .code = "invalid",
            .what = {"l'id de la ressource n'est pas celui de l'adresse",
                     "the id of the resource is not that of the URL"},
            .remedy = {"écrivez le même aux deux endroits", "write the same in both"},
            .expression = std::string(type) + ".id"};
}

}  // namespace

Answer<Disclosure> validate(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 2> kKnown = {"mode", "profile"};
    OperationInput input = TRY(read_input(call, kKnown));
    const std::string mode = TRY(mode_of(call, input));
    Sight sight(desk, call);
    fhir::Json resource = mode == "delete" ? fhir::Json() : input.resource("resource");
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
    Checked checked;
    if (mode == "delete")
        checked.issues = deletion_issues(sight);
    else
        checked = TRY(check_alone(sight, work, resource, input.text("profile")));
    Issues& issues = checked.issues;
    if (mode == "update" && resource["id"].text() != call.target.id)
        issues.push_back(is_another(call.target.type));
    if (e.subject.patient.empty()) e.subject.patient = PatientId(checked.patient);
    if (issues.empty())
        issues.push_back({Severity::Information,
                          "informational",
                          {"la ressource est valable", "the resource is valid"}});
    e.query = call.asked;
    return Disclosure{json_response(call, 200, outcome_json(issues, call.wishes.lang)),
                      only(std::move(e))};
}

}  // namespace hygie::records
