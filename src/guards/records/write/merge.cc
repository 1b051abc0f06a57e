#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/counted.h"
#include "fhir/validate/french.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/request/references.h"
#include "guards/records/sight/sight.h"
#include "guards/records/write/identity.h"
#include "guards/records/write/work.h"

/// Patient/$merge (https://build.fhir.org/patient-operation-merge.html): one person, two records.
/// All of the source moves to the target; both stay, linked to each other. `preview` shows what
/// would become of them, and changes nothing: merging is not undone.
namespace hygie::records {

namespace {

using event::Action;
using fhir::Json;

struct Pair {
    vault::Found source;
    vault::Found target;
};

Answer<vault::Found> patient_named(Sight& sight, const OperationInput& input,
                                   std::string_view name) {
    std::string_view reference = input.value(name, "valueReference")["reference"].text();
    if (!reference.starts_with("Patient/") || !is_literal_reference(reference))
        return refuse(
            400, "required",
            {"il faut source-patient et target-patient, des références Patient/id",
             "source-patient and target-patient are needed, references Patient/id"},
            {"voyez la définition de Patient/$merge", "see the definition of Patient/$merge"},
            "Parameters.parameter");
    reference.remove_prefix(reference.find('/') + 1);
    TRY(sight.open(Action::Read, "Patient", reference));
    auto found = TRY(sight.open(Action::Update, "Patient", reference));
    if (found.entry.deleted) return std::unexpected(not_found());
    return found;
}

/// A link from one patient to the other.
Json linked(fhir::Arena& arena, Json patient, std::string_view other, std::string_view type) {
    std::vector<Json> links(patient["link"].items().begin(), patient["link"].items().end());
    const Json reference = arena.object({{"reference", arena.string(other)}});
    links.push_back(arena.object({{"other", reference}, {"type", arena.string(type)}}));
    return arena.with(patient, "link", arena.array(links));
}

/// Identifiers of the source that the target does not have, marked as old ones. Nothing that the
/// target has is changed: a qualified identity is never written over.
Json with_identifiers(fhir::Arena& arena, Json target, Json source) {
    std::vector<Json> all(target["identifier"].items().begin(), target["identifier"].items().end());
    for (const Json identifier : source["identifier"].items()) {
        const bool known = std::ranges::any_of(all, [&](Json other) {
            return other["system"] == identifier["system"] && other["value"] == identifier["value"];
        });
        if (!known) all.push_back(arena.with(identifier, "use", arena.string("old")));
    }
    return all.empty() ? target : arena.with(target, "identifier", arena.array(all));
}

Change update_of(const vault::Version& version, Json body) {
    return {.kind = Change::Kind::Update,
            .type = version.type,
            .id = version.id,
            .if_match = etag_of(version.version),
            .body = body};
}

std::unexpected<Refusal> two_people(Text what) {
    return refuse(422, "business-rule", std::move(what),
                  {"deux personnes ne se réunissent pas ; si c'en est une, corrigez d'abord le "
                   "dossier qui se trompe",
                   "two people are not merged; if they are one, first mend the record that is "
                   "wrong"},
                  "Parameters.parameter");
}

/// Merging is not undone: what says that these are two people stops it, and so does a record that
/// stands for nobody any more.
Answer<void> check_one_person(Json source, Json target) {
    if (was_merged(source) || was_merged(target))
        return refuse(422, "business-rule",
                      {"l'un des dossiers a déjà été réuni à un autre",
                       "one of the records was merged into another already"},
                      {"nommez le dossier qui est resté", "name the record that remained"},
                      "Parameters.parameter");
    const auto numbers = fhir::ins_numbers(source);
    const auto others = fhir::ins_numbers(target);
    const bool share = std::ranges::find_first_of(numbers, others) != numbers.end();
    if (fhir::has_qualified_identity(source) && fhir::has_qualified_identity(target) && !share)
        return two_people({"deux identités qualifiées ont deux matricules INS",
                           "two qualified identities have two INS numbers"});
    // What only one of them says is no contradiction.
    const auto differ = fhir::changed_traits(target, source);
    for (const fhir::Trait trait : fhir::changed_traits(source, target))
        if ((trait == fhir::Trait::Sex || trait == fhir::Trait::BirthDate) &&
            std::ranges::find(differ, trait) != differ.end())
            return two_people({"les deux dossiers diffèrent par ceci : " + fhir::name_of(trait).fr,
                               "the two records differ by this: " + fhir::name_of(trait).en});
    return {};
}

Answer<void> add_patients(Desk& desk, const Pair& pair, Work& work) {
    fhir::Arena& arena = work.arena;
    const vault::Version source = TRY(desk.rooms.vault.read(pair.source));
    const vault::Version target = TRY(desk.rooms.vault.read(pair.target));
    const Json old = TRY(arena.parse(source.body));
    const Json kept = TRY(arena.parse(target.body));
    TRY_STATUS(check_one_person(old, kept));
    work.changes.push_back(
        update_of(target, linked(arena, with_identifiers(arena, kept, old),
                                 reference_to("Patient", source.id), "replaces")));
    work.changes.push_back(
        update_of(source, linked(arena, arena.with(old, "active", arena.boolean(false)),
                                 reference_to("Patient", target.id), "replaced-by")));
    return {};
}

/// Everything in the source's record, about the target from now on.
Answer<void> add_moves(Sight& sight, const Pair& pair, Work& work) {
    const std::string from = reference_to("Patient", pair.source.entry.id);
    const std::string to = reference_to("Patient", pair.target.entry.id);
    for (const vault::Found& found :
         TRY(sight.desk().rooms.vault.everything(pair.source.entry.id))) {
        if (found.entry.type == "Patient") continue;
        if (!sight.may(Action::Update, found)) return std::unexpected(forbidden(sight.reasons()));
        const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
        const Json body = TRY(relinked(
            work.arena, TRY(work.arena.parse(version.body)),
            [&](std::string_view link, bool is_reference) -> Answer<std::optional<std::string>> {
                if (!is_reference || link != from) return std::optional<std::string>();
                return to;
            }));
        work.changes.push_back(update_of(version, body));
    }
    return {};
}

/// A merge, ready to be written.
struct Merge {
    Pair pair;
    Work work{};
    bool is_preview = false;             ///< to be shown, not done
    std::vector<event::Reason> basis{};  ///< why it may be
};

Answer<Merge> merge_of(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 1> kKnown = {"preview"};
    const OperationInput input = TRY(read_input(call, kKnown));
    Sight sight(desk, call);
    auto source = TRY(patient_named(sight, input, "source-patient"));
    auto target = TRY(patient_named(sight, input, "target-patient"));
    const Pair pair{std::move(source), std::move(target)};
    if (pair.source.entry.id == pair.target.entry.id)
        return refuse(
            422, "business-rule",
            {"un dossier ne se réunit pas avec lui-même", "a record is not merged with itself"},
            {"nommez deux patients", "name two patients"}, "Parameters.parameter");
    Merge merge{.pair = pair,
                .work = {.moves_records = true},
                .is_preview = input.text("preview") == "true",
                .basis = sight.reasons()};
    TRY_STATUS(add_patients(desk, pair, merge.work));
    TRY_STATUS(add_moves(sight, pair, merge.work));
    return merge;
}

/// Parameters with the outcome and the patient that remains.
http::Response answer_of(const Call& call, Text said, std::string_view patient) {
    const Issues issues{{Severity::Information, "informational", std::move(said)}};
    std::string out = R"({"resourceType":"Parameters","parameter":[{"name":"outcome","resource":)";
    out += outcome_json(issues, call.wishes.lang);
    out += R"(},{"name":"result","resource":)";
    out += patient;
    out += "}]}";
    return json_response(call, 200, std::move(out));
}

http::Response respond(const Desk&, const Call& call, const std::vector<Written>& written) {
    return answer_of(call, {"les deux dossiers sont réunis", "the two records are merged"},
                     written.front().body);
}

/// What would become of both, which was read to say so.
Disclosure preview_of(Desk& desk, const Call& call, const Merge& merge) {
    const std::size_t moved = merge.work.changes.size() - 2;  // the two patients aside
    Disclosure disclosure{
        answer_of(call,
                  counted({"rien n'est fait : {} [ressource changerait|ressources changeraient] "
                           "de dossier",
                           "nothing is done: {} [resource|resources] would move to that record"},
                          {moved}),
                  fhir::to_text(merge.work.changes.front().body)),
        {}};
    for (const vault::Found& found : {merge.pair.source, merge.pair.target}) {
        event::Event e =
            event_of(desk, call, event::Type::RecordRead, std::string(found.record->patient()),
                     reference_to("Patient", found.entry.id));
        e.query = call.asked;
        add_basis(e, merge.basis);
        disclosure.events.push_back(std::move(e));
    }
    return disclosure;
}

}  // namespace

void merge(Desk& desk, CallPtr call) {
    auto merge = merge_of(desk, *call);
    if (merge && merge->is_preview) {
        Disclosure preview = preview_of(desk, *call, *merge);
        return disclose(desk, std::move(call), std::move(preview));
    }
    Answer<Work> work = merge ? Answer<Work>(std::move(merge->work))
                              : Answer<Work>(std::unexpected(std::move(merge).error()));
    write_and_reply(desk, std::move(call), std::move(work), respond);
}

}  // namespace hygie::records
