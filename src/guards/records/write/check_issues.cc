#include "guards/records/write/check_issues.h"

#include <algorithm>

namespace hygie::records {

/// "Observation.status" of an entry is "Bundle.entry[3].resource.status".
std::string expression_in(const Step& step, std::string_view where) {
    if (step.change.expression.empty()) return std::string(where);
    const auto dot = std::min(where.find('.'), where.size());
    return step.change.expression + ".resource" + std::string(where.substr(dot));
}

/// Stored apart: only its author and programs will see it.
Issue lacks_patient(const Step& step) {
    return {.severity = Severity::Warning,
            .code = "required",
            .what = {"cette ressource ne dit pas de quel patient d'ici elle parle : seuls son "
                     "auteur et les logiciels la verront",
                     "this resource does not say which patient of this house it is about: only its "
                     "author and programs will see it"},
            .remedy = {"nommez-le dans l'élément prévu (subject, patient ; securityContext pour un "
                       "Binary)",
                       "name them in the element for it (subject, patient; securityContext for a "
                       "Binary)"},
            .expression = expression_in(step, step.change.type)};
}

/// A resource stays in the record it was written to: moving it would hide from one circle, and show
/// to another, what was meant for the first.
Issue moves(const Step& step) {
    return {.code = "business-rule",
            .what = {"cette ressource passerait du dossier d'un patient à un autre",
                     "this resource would go from one patient's record to another's"},
            .remedy = {"supprimez-la ici et créez-la là-bas, ou réunissez les dossiers par $merge",
                       "delete it here and create it there, or merge the records with $merge"},
            .expression = expression_in(step, step.change.type)};
}

Issue is_malformed(const Step& step) {
    return {.code = "value",
            .what = {"une référence n'a pas la forme d'une référence",
                     "a reference has not the form of a reference"},
            .remedy = {"écrivez Type/id, avec un type de R4, ou une adresse entière",
                       "write Type/id, with a type of R4, or a whole URL"},
            .expression = expression_in(step, step.change.type)};
}

/// What says that the writer had only a part in hand: to store it would wipe out the rest
/// (https://hl7.org/fhir/R4/search.html#summary).
Issue is_a_part(const Step& step) {
    return {.code = "business-rule",
            .what = {"cette ressource est incomplète (SUBSETTED) : elle effacerait ce qui manque",
                     "this resource is incomplete (SUBSETTED): it would wipe out what it lacks"},
            .remedy = {"relisez-la sans _summary ni _elements, ou envoyez un PATCH",
                       "read it again without _summary and _elements, or send a PATCH"},
            .expression = expression_in(step, step.change.type + ".meta.tag")};
}

/// Filed with one patient, and said to belong to what was done for another.
Issue belongs_elsewhere(const Step& step, std::string_view element) {
    return {.code = "business-rule",
            .what = {"cette ressource est d'un patient, et ce à quoi elle se rattache d'un autre",
                     "this resource is of one patient, and what it belongs to of another"},
            .remedy = {"vérifiez le patient, la venue et les demandes désignées",
                       "check the patient, the encounter and the requests referred to"},
            .expression = expression_in(step, step.change.type + '.' + std::string(element))};
}

}  // namespace hygie::records
