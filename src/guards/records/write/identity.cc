#include "guards/records/write/identity.h"

#include <algorithm>

#include "fhir/search/search_operand.h"
#include "fhir/search/search_query.h"
#include "fhir/validate/french.h"
#include "guards/records/sight/search.h"

namespace hygie::records {

namespace {

using fhir::Json;

std::string expression_of(const Step& step, std::string_view element) {
    if (step.change.expression.empty()) return "Patient." + std::string(element);
    return step.change.expression + ".resource." + std::string(element);
}

Issue taken(const Step& step) {
    return {.code = "duplicate",
            .what = {"un autre dossier porte déjà ce matricule INS : une personne n'a qu'une "
                     "identité",
                     "another record has this INS number already: a person has one identity"},
            .remedy = {"cherchez-le par identifier, ou demandez à qui tient les identités ; si "
                       "ce sont deux dossiers d'une personne, réunissez-les par Patient/$merge",
                       "find it by identifier, or ask who keeps the identities; if these are two "
                       "records of one person, merge them with Patient/$merge"},
            .expression = expression_of(step, "identifier")};
}

Issue changes_trait(const Step& step, fhir::Trait trait) {
    const Text name = fhir::name_of(trait);
    return {.code = "business-rule",
            .what = {"l'identité est qualifiée, et ceci n'y change pas : " + name.fr,
                     "the identity is qualified, and this does not change: " + name.en},
            .remedy = {"pour corriger, ôtez d'abord la validation (identityStatus), puis "
                       "interrogez à nouveau le téléservice INSi",
                       "to mend it, first take the validation away (identityStatus), then ask the "
                       "INSi service again"},
            .expression = expression_of(step, trait == fhir::Trait::Sex          ? "gender"
                                              : trait == fhir::Trait::BirthDate  ? "birthDate"
                                              : trait == fhir::Trait::BirthPlace ? "extension"
                                                                                 : "name")};
}

Issue drops_number(const Step& step) {
    return {
        .code = "business-rule",
        .what = {"le matricule INS d'une identité qualifiée ne s'échange pas contre un autre",
                 "the INS number of a qualified identity is not exchanged for another"},
        .remedy = {"gardez-le (use : old), ou ôtez d'abord la validation (identityStatus), puis "
                   "interrogez à nouveau le téléservice INSi",
                   "keep it (use: old), or first take the validation away (identityStatus), "
                   "then ask the INSi service again"},
        .expression = expression_of(step, "identifier")};
}

/// "system|value"
std::string number_of(Json identifier) {
    return std::string(identifier["system"].text()) + '|' + std::string(identifier["value"].text());
}

/// Whether it still has the number ("system|value"), in use or not.
bool keeps(Json patient, std::string_view number) {
    return std::ranges::any_of(patient["identifier"].items(),
                               [&](Json one) { return number_of(one) == number; });
}

/// Numbers that somebody else gave the patient: of a hospital, a card.
std::vector<std::string> other_numbers(Json patient) {
    const auto of_ins = fhir::ins_numbers(patient);
    std::vector<std::string> numbers;
    for (const Json one : patient["identifier"].items()) {
        std::string number = number_of(one);
        const bool is_whole = !one["system"].text().empty() && !one["value"].text().empty();
        if (is_whole && one["use"].text() != "old" &&
            std::ranges::find(of_ins, number) == of_ins.end())
            numbers.push_back(std::move(number));
    }
    return numbers;
}

bool stands_for(Json patient, const std::string& number) {
    return !was_merged(patient) &&
           std::ranges::any_of(patient["identifier"].items(), [&](Json one) {
               return one["use"].text() != "old" && number_of(one) == number;
           });
}

Issue given_already(const Step& step, const vault::Found& to) {
    const std::string reference = reference_to("Patient", to.entry.id);
    return {.severity = Severity::Warning,
            .code = "duplicate",
            .what = {"un autre dossier porte déjà un de ces identifiants (" + reference + ")",
                     "another record has one of these identifiers already (" + reference + ")"},
            .remedy = {"corrigez l'identifiant, ou réunissez les deux dossiers par Patient/$merge",
                       "mend the identifier, or merge the two records with Patient/$merge"},
            .expression = expression_of(step, "identifier")};
}

/// "system|value" as a search takes it.
std::string criterion_of(std::string_view number) {
    const auto bar = number.find('|');
    return fhir::escape(number.substr(0, bar)) + '|' + fhir::escape(number.substr(bar + 1));
}

/// Of numbers that say who somebody is in one house only, what is open to the writer counts.
Answer<void> check_other_numbers(Sight& sight, Work& work, const Step& step, Issues& issues) {
    for (const std::string& number : other_numbers(step.change.body))
        for (const vault::Found& found :
             TRY(find_matches(sight, "Patient", {{"identifier", criterion_of(number)}}))) {
            const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
            if (!stands_for(TRY(work.arena.parse(version.body)), number)) continue;
            issues.push_back(given_already(step, found));
            return {};
        }
    return {};
}

Issue unqualified(const Step& step) {
    return {.severity = Severity::Warning,
            .code = "business-rule",
            .what = {"l'identité n'est plus qualifiée", "the identity is no longer qualified"},
            .remedy = {"interrogez le téléservice INSi pour la qualifier à nouveau",
                       "ask the INSi service to qualify it again"},
            .expression = expression_of(step, "extension")};
}

/// Whether another record has a number, open to the writer or not: two identities for one person
/// put that person at risk, and whoever holds a number learns of it no more than that it is taken.
Answer<bool> is_taken(Sight& sight, Work& work, const Plan& plan, const Step& step,
                      const std::string& number) {
    const auto is_rewritten = [&](std::string_view id) {
        return std::ranges::any_of(plan.steps, [&](const Step& other) {
            return other.change.type == "Patient" && other.change.id == id;
        });
    };
    for (const Step& other : plan.steps) {
        const bool is_other = other.change.type == "Patient" && other.change.id != step.change.id;
        if (is_other && other.has_body() && stands_for(other.change.body, number)) return true;
    }
    const Parameters criteria = {{"identifier", criterion_of(number)}};
    auto query = TRY(fhir::parse_query(
        "Patient", criteria,
        {.base = sight.desk().options.base, .now = sight.desk().rooms.clock.now()}));
    query.total = fhir::Query::Total::None;
    const vault::Page with_it = TRY(sight.desk().rooms.vault.search(
        query, {.allows = [](const vault::Record&) { return true; }}));
    for (const vault::Found& found : with_it.page) {
        if (found.entry.id == step.change.id || is_rewritten(found.entry.id)) continue;
        const vault::Version version = TRY(sight.desk().rooms.vault.read(found));
        if (stands_for(TRY(work.arena.parse(version.body)), number)) return true;
    }
    return false;
}

}  // namespace

bool was_merged(Json patient) {
    return std::ranges::any_of(patient["link"].items(),
                               [](Json link) { return link["type"].text() == "replaced-by"; });
}

std::vector<std::string> identity_names(const Change& change) {
    std::vector<std::string> names;
    const bool writes = change.kind == Change::Kind::Create || change.kind == Change::Kind::Update;
    if (change.type != "Patient" || !writes) return names;
    for (const std::string& number : fhir::ins_numbers(change.body))
        names.push_back("Patient#" + number);
    return names;
}

Answer<void> check_identity(Sight& sight, Work& work, const Plan& plan, const Step& step,
                            Issues& issues) {
    if (step.change.type != "Patient" || !step.has_body()) return {};
    Json before;
    if (step.before && !step.before->entry.deleted) {
        const vault::Version version = TRY(sight.desk().rooms.vault.read(*step.before));
        before = TRY(work.arena.parse(version.body));
    }
    if (before && fhir::has_qualified_identity(before)) {
        const bool stays = fhir::has_qualified_identity(step.change.body);
        if (!stays) issues.push_back(unqualified(step));
        for (const fhir::Trait trait : fhir::changed_traits(before, step.change.body))
            if (stays) issues.push_back(changes_trait(step, trait));
        const auto is_kept = [&](const std::string& number) {
            return keeps(step.change.body, number);
        };
        if (stays && !std::ranges::all_of(fhir::ins_numbers(before), is_kept))
            issues.push_back(drops_number(step));
    }
    const auto known = fhir::ins_numbers(before);
    for (const std::string& number : fhir::ins_numbers(step.change.body)) {
        if (std::ranges::find(known, number) != known.end()) continue;
        if (TRY(is_taken(sight, work, plan, step, number))) issues.push_back(taken(step));
    }
    return step.is_new ? check_other_numbers(sight, work, step, issues) : Answer<void>();
}

}  // namespace hygie::records
