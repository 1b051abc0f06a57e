#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "guards/mail/door/quarantine.h"

/// What was kept back from each person on a day, in one letter each.
namespace hygie::mail {

inline constexpr std::size_t kDigestEntriesMax = 200;

struct DigestPolicy {
    std::string day;             ///< "2026-11-26", by the clocks of the house
    std::string from;            ///< the letter's sender
    std::string report_address;  ///< where a person asks for a message; empty when there is none
    bool may_release_malicious = false;  ///< as for the desk that is asked
    /// Who is one of ours: nobody else is told anything.
    std::function<bool(std::string_view address)> is_ours;
    /// What the clocks of the house show then, read as if it were UTC.
    std::function<WallTime(WallTime)> on_the_wall = [](WallTime utc) { return utc; };
};

struct Digest {
    std::string person;  ///< lower case
    std::size_t count = 0;
    std::string letter;  ///< a whole message, CRLF lines
};

/// In the order of the persons. What was given back already is left out.
std::vector<Digest> digests_of(const std::vector<Held>& held, const DigestPolicy& policy);

}  // namespace hygie::mail
