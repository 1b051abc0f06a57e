#include "access/decide/policy_pack.h"
#include "base/check.h"

using namespace hygie;

/// What is accepted keeps the limits that no pack may move; a refusal speaks both languages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto policy = access::parse_policy(as_text({data, size}));
    if (!policy) {
        HYGIE_CHECK(!policy.error().what.fr.empty() && !policy.error().what.en.empty(),
                    "a refusal without words");
        return 0;
    }
    HYGIE_CHECK(policy->break_glass_seconds <= access::kBreakGlassSecondsMax, "a long break-glass");
    HYGIE_CHECK(policy->motive_chars >= 15, "a motive too short");
    HYGIE_CHECK(policy->delegation_depth <= access::kDelegationDepthMax, "a deep delegation");
    HYGIE_CHECK(policy->window_of(access::Relation::Kind::Opposition) == access::Window{},
                "an opposition with a window");
    for (const access::PolicyRow& row : policy->rows)
        HYGIE_CHECK((row.write & ~row.read) == 0, "writing beyond reading");
    return 0;
}
