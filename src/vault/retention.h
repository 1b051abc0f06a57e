#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "vault/record.h"

namespace hygie::vault {

/// How long a kind of practice keeps records. The defaults are those of French health care
/// establishments, which independent practices are advised to follow (CSP R.1112-7; CNIL 2020-081).
struct RetentionProfile {
    int years_after_contact = 20;
    int until_age_years = 28;  ///< a record made in childhood is kept to this birthday at least
    /// Instead of years_after_contact, when the patient died less than this after the last contact:
    /// counted from death.
    int years_after_death = 10;
    int years_after_transfusion = 30;
    /// Codes that say that a transfusion took place (SNOMED CT: transfusion of blood product…).
    std::vector<std::string> transfusion_codes = {"116859006", "5447007", "12719002", "33389009"};
};

/// What retention depends on.
struct RetentionFacts {
    std::optional<WallTime> birth;
    std::optional<WallTime> death;
    WallTime last_contact{};
    std::optional<WallTime> last_transfusion;
};

RetentionFacts retention_facts(const Record& record, const RetentionProfile& profile);
/// Until when the record is kept.
WallTime kept_until(const RetentionFacts& facts, const RetentionProfile& profile);

}  // namespace hygie::vault
