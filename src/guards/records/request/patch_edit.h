#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/data/json.h"
#include "guards/records/request/refusal.h"

/// Changes at one place of a document: what both kinds of patches come down to.
namespace hygie::records {

/// Names of members and decimal indexes of elements, from the root down (RFC 6901).
using Pointer = std::vector<std::string>;

inline constexpr std::size_t kPatchOperationsMax = 1'000;

enum class Edit : std::uint8_t {
    Add,  ///< a member that may be there, or an element before that index ("-": behind the last)
    Replace,  ///< of what is there
    Remove,   ///< of what is there
};

/// A pointer as RFC 6901 writes it; refuses (400) what is none.
Answer<Pointer> parse_pointer(std::string_view text);

/// What is at that place; Absent when nothing is.
fhir::Json at(fhir::Json root, std::span<const std::string> pointer);

/// The document with one change. Refuses (422) a place that is not there.
Answer<fhir::Json> edited(fhir::Arena& arena, fhir::Json root, std::span<const std::string> pointer,
                          Edit edit, fhir::Json value);

/// The document without the empty arrays and objects that a removal left: FHIR has none.
fhir::Json pruned(fhir::Arena& arena, fhir::Json value);

/// 400: no patch at all (RFC 5789 §2.2).
std::unexpected<Refusal> malformed_patch();
/// 422: the patch does not fit what is there.
std::unexpected<Refusal> misfit(std::string expression);

}  // namespace hygie::records
