#pragma once

#include <string_view>

#include "guards/records/desk/desk.h"

/// Records looked at for a purpose beside care: X-Purpose-Of-Use names it — coding, quality,
/// research — and the whole request then stands on the leave that the account has for it. Closed by
/// default: reading one resource and searching one type, by parameters that find nobody.
namespace hygie::records {

inline constexpr std::string_view kPurposeHeader = "x-purpose-of-use";

/// None without the header; refuses (400) a name that is none.
Answer<access::Purpose> purpose_of(const http::Request& request);
/// Refuses what a declared purpose does not open; nothing without one.
Answer<void> check_purpose(const Call& call);
/// The code of http://terminology.hl7.org/CodeSystem/v3-ActReason.
std::string_view code_of(access::Purpose purpose);

}  // namespace hygie::records
