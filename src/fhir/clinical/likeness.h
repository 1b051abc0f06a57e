#pragma once

#include <cstdint>
#include <string_view>

#include "fhir/data/json.h"

/// Whether two Patients may be one person: what speaks for it and against it, weighed
/// (Fellegi and Sunter, A Theory for Record Linkage, 1969). Pure: who is compared is the caller's.
namespace hygie::fhir {

struct Likeness {
    /// Of http://terminology.hl7.org/CodeSystem/match-grade.
    enum class Grade : std::uint8_t {
        CertainlyNot,
        Possible,  ///< worth a look: a twin, a homonym, a slip in two places
        Probable,  ///< name and birth agree, but for a slip
        Certain,   ///< the same INS number, and nothing against it
    };
    Grade grade = Grade::CertainlyNot;
    int permille = 0;  ///< of what there is at most to agree on
};
Likeness likeness(Json asked, Json known);

/// "certain"
std::string_view code_of(Likeness::Grade grade);

}  // namespace hygie::fhir
