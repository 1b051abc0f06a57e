#include "guards/records/write/authorship.h"

#include <algorithm>
#include <array>

#include "access/circles/circle_read.h"
#include "access/decide/circle.h"
#include "fhir/data/json.h"
#include "vault/body.h"
#include "vault/unassigned.h"

namespace hygie::records {

namespace {

using access::Role;
using fhir::Json;

/// Elements by which a resource says whose work it is.
constexpr std::array<std::string_view, 10> kAuthors = {
    "author",    "recorder", "asserter",           "performer", "performer.actor",
    "requester", "enterer",  "resultsInterpreter", "sender",    "attester.party"};
/// What others rely on once it was said to be finished.
constexpr std::array<std::string_view, 4> kSigned = {"final", "amended", "corrected", "appended"};
/// A signed document that its author takes back, or that somebody finds to be wrong.
constexpr std::array<std::string_view, 2> kWithdrawn = {"entered-in-error", "superseded"};
/// What everybody's resources are checked, searched and read by.
constexpr std::array<std::string_view, 18> kDefinitions = {
    "CapabilityStatement", "CodeSystem",         "CompartmentDefinition",
    "ConceptMap",          "ExampleScenario",    "GraphDefinition",
    "ImplementationGuide", "MessageDefinition",  "NamingSystem",
    "OperationDefinition", "SearchParameter",    "StructureDefinition",
    "StructureMap",        "SpecimenDefinition", "TerminologyCapabilities",
    "TestReport",          "TestScript",         "ValueSet"};
/// What comes and goes every day at a desk, and the subscriptions that are judged apart.
constexpr std::array<std::string_view, 3> kDaily = {"Schedule", "Slot", "Subscription"};

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& all, std::string_view word) {
    return std::ranges::find(all, word) != all.end();
}

std::unexpected<Refusal> refusal(Text what, Text remedy, const char* id) {
    Refusal refusal(403, "forbidden", what, std::move(remedy));
    refusal.reasons = {{.id = id, .text = std::move(what), .evidence = {}}};
    return std::unexpected(std::move(refusal));
}

std::unexpected<Refusal> is_anothers_work() {
    return refusal({"ceci est d'un autre auteur : un dossier se corrige, il ne s'efface pas",
                    "somebody else wrote this: a record is mended, not erased"},
                   {"donnez-lui le statut entered-in-error (l'historique reste), ou demandez à son "
                    "auteur",
                    "give it the status entered-in-error (its history stays), or ask its author"},
                   "circle.author");
}

std::unexpected<Refusal> is_signed() {
    return refusal({"ce document est signé par un autre : son contenu ne change plus",
                    "somebody else signed this document: what it says no longer changes"},
                   {"écrivez-en un autre qui le remplace (relatesTo), ou donnez-lui le statut "
                    "entered-in-error",
                    "write another one that replaces it (relatesTo), or give it the status "
                    "entered-in-error"},
                   "circle.author");
}

std::unexpected<Refusal> is_kept_by_others() {
    return refusal({"l'annuaire et les définitions de la maison ne changent pas ainsi : chacun y "
                    "tient ce qui est à lui",
                    "the directory and the definitions of the house do not change this way: "
                    "everybody keeps what is theirs"},
                   {"demandez-le à la personne qui tient l'annuaire, ou au logiciel qui le tient",
                    "ask who keeps the directory, or the program that does"},
                   "circle.directory");
}

bool is_named(Json resource, const std::string& person) {
    bool named = false;
    for (const std::string_view path : kAuthors)
        access::each_at(resource, path, [&](Json who) {
            named = named || (!person.empty() && who["reference"].text() == person);
        });
    return named;
}

/// What was there, and whose it is: by its first version, or as it says itself.
struct Before {
    fhir::Document document;
    bool is_own = false;
    bool is_nobodys = false;  ///< it was imported, or is older than what is remembered of authors
};

/// Who made it, as the vault remembers it beside the first version.
Answer<std::string> maker_of(vault::Vault& vault, const vault::Found& found) {
    vault::Found first = found;
    first.entry.body = TRY(vault.read(found, 1)).row;
    first.entry.version = 1;
    return TRY(vault.body(first))->opened_by;
}

Answer<Before> look(Sight& sight, const vault::Found& found) {
    vault::Vault& vault = sight.desk().rooms.vault;
    const access::Actor& actor = sight.call().actor;
    auto document = fhir::parse(TRY(vault.read(found)).body);
    if (!document) return std::unexpected(Refusal(document.error()));
    Before before{.document = *std::move(document)};
    before.is_own = is_named(before.document.root, actor.person);
    if (before.is_own) return before;
    const std::string maker = TRY(maker_of(vault, found));
    before.is_own = maker == author_of(actor);
    before.is_nobodys = maker.empty();
    return before;
}

bool is_signed_document(Json resource) {
    const std::string_view type = resource["resourceType"].text();
    if (type == "DocumentReference") return is_one_of(kSigned, resource["docStatus"].text());
    return (type == "Composition" || type == "DiagnosticReport") &&
           is_one_of(kSigned, resource["status"].text());
}

Answer<void> check_in_record(Sight& sight, const Step& step) {
    const bool removes = step.change.kind == Change::Kind::Delete;
    const access::Classes data = access::bit(access::class_of(step.change.type));
    if ((data & access::kAdministrative) != 0) return {};
    if (!removes && is_one_of(kWithdrawn, step.change.body["status"].text())) return {};
    const Before before = TRY(look(sight, *step.before));
    if (before.is_own) return {};
    if (removes && !before.is_nobodys) return is_anothers_work();
    if (is_signed_document(before.document.root)) return is_signed();
    return {};
}

bool is_about(Json resource, std::string_view type, const Step& step, const std::string& person) {
    if (person.empty()) return false;
    if (type == "Practitioner") return step.reference() == person;
    return type == "PractitionerRole" && resource["practitioner"]["reference"].text() == person;
}

Answer<void> check_in_house(Sight& sight, const Step& step) {
    const std::string& type = step.change.type;
    if (is_one_of(kDefinitions, type)) return is_kept_by_others();
    if (!access::is_public(type) || is_one_of(kDaily, type) || step.is_new || !step.before)
        return {};
    const Before before = TRY(look(sight, *step.before));
    if (before.is_own) return {};
    if (is_about(before.document.root, type, step, sight.call().actor.person)) return {};
    return is_kept_by_others();
}

}  // namespace

std::string author_of(const access::Actor& actor) {
    return actor.person.empty() ? "account " + actor.id.str() : actor.person;
}

Answer<void> check_authorship(Sight& sight, const Work& work, const Plan& plan) {
    const access::Role role = sight.call().actor.role;
    if (role == Role::Program || role == Role::Operations || work.moves_records) return {};
    for (const Step& step : plan.steps) {
        if (step.is_idle) continue;
        const bool was_there = step.before && !step.before->entry.deleted;
        if (vault::is_of_patient(step.patient)) {
            if (was_there) TRY_STATUS(check_in_record(sight, step));
        } else if (step.patient.empty()) {
            TRY_STATUS(check_in_house(sight, step));
        }
    }
    return {};
}

}  // namespace hygie::records
