#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "fhir/data/json.h"
#include "fhir/validate/validate.h"

/// Whether a resource that is valid also makes sense beside the rest of the record: contradictions
/// (clinical safety), incoherences (times), gaps (completeness). Pure: the caller hands over what
/// the record holds, and decides what becomes of the findings. Errors are meant to refuse a write,
/// warnings to accompany it (OperationOutcome, DetectedIssue), never to be dropped.
namespace hygie::fhir {

struct Finding {
    enum class Kind : std::uint8_t {
        SameVaccine,       ///< given again before its interval has passed
        Allergy,           ///< prescribed or given against a recorded allergy or intolerance
        ImplausibleDose,   ///< beyond what its unit makes plausible, or its own maximum
        ImplausibleValue,  ///< measured, and beyond what a body has
        SameTherapy,       ///< the same drug is prescribed already
        SameAllergy,       ///< recorded already, or none is said to be known
        TimesOutOfOrder,   ///< an end before its start
        BeforeBirth,
        AfterDeath,
        InFuture,  ///< said to have happened, at a time to come
        Expired,   ///< used after the date it was good for
        Identity,  ///< the INS number says otherwise than the traits beside it
        Gap,       ///< something that a record must hold is not there
    };
    Kind kind = Kind::Gap;
    Issue::Severity severity = Issue::Severity::Warning;
    std::string where;   ///< FHIRPath, as in Issue: "MedicationRequest.dosageInstruction[0]"
    Text text;           ///< never a value from the input
    std::string with{};  ///< what it contradicts: "AllergyIntolerance/3"; empty when nothing else
};

/// For DetectedIssue.code (http://terminology.hl7.org/CodeSystem/v3-ActCode): "ALGY", "DOSEIVL",
/// "DOSE", "DUPTHPY", "TIME", "VALIDAT", "KEY206"; empty for gaps.
std::string_view detected_code(Finding::Kind kind);
/// For DetectedIssue.severity: "high", "moderate", "low".
std::string_view detected_severity(const Finding& finding);

/// Types of resources of the same patient that contradictions() wants to see for one of that type;
/// empty when it needs none. Medication is for what medicationReference points to.
std::span<const std::string_view> related_types(std::string_view type);

/// Contradictions of a new resource with the patient's record, as warnings: the same vaccine within
/// its interval, a prescription against an active allergy (whichever comes last) or of what is
/// prescribed already, an allergy twice or beside "none known", an implausible dose or value, an
/// INS number that says otherwise than the patient's traits. `record` holds the current resources
/// of related_types(); others, and an older version of the same one, are passed over.
std::vector<Finding> contradictions(Json resource, std::span<const Json> record);

/// Times that cannot be right. Within the resource itself they are errors; between the resource and
/// the patient (before birth, after death) or the clock they are warnings, as it is not known which
/// of both is wrong. `patient` may be Absent.
std::vector<Finding> incoherences(Json resource, Json patient, WallTime now);

/// Values that cannot be, as errors: a weight below nothing, or in centimetres.
std::vector<Finding> impossible_values(Json resource);

/// Identifiers of professionals and places whose shape or key is wrong, as warnings: an old base
/// has some, and no care hangs on them.
std::vector<Finding> doubtful_identifiers(Json resource);

/// Who keeps the record: what it must hold depends on it.
enum class Practice : std::uint8_t {
    Office,         ///< a practice of one or several professionals: a core that every record has
    Establishment,  ///< a hospital or clinic: also who did it, why, and the verified identity
};

/// What is missing for the record to be complete: errors for what must be there, warnings for what
/// should (FORMAT.md lists both).
std::vector<Finding> gaps(Json resource, Practice practice);

}  // namespace hygie::fhir
