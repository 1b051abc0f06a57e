#pragma once

#include <string_view>

/// What speaks of patients by nature and says of none: an Observation of a group, a device or a
/// place, a document whose subject was left out; and what describes a patient where none belongs,
/// such as a Medication made for one. It is stored apart from the house and from every
/// patient, so that no circle opens it.
namespace hygie::vault {

/// The "patient" of the record that holds these: no id of FHIR is spelled so.
inline constexpr std::string_view kUnassigned = "~";

/// The same of what the program remembers for itself: nobody finds it, nothing searches it.
inline constexpr std::string_view kOwnMemory = "~~";

/// Whether a record is that of a patient: neither the house nor one of these.
constexpr bool is_of_patient(std::string_view record) {
    return !record.empty() && record != kUnassigned && record != kOwnMemory;
}

/// Whether a resource that names no patient belongs there, rather than to the house.
bool speaks_of_patients(std::string_view type);

}  // namespace hygie::vault
