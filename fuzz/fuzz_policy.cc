#include "base/check.h"
#include "ledger/proofs/policy.h"

using namespace hygie;

/// An unsigned checkpoint is never accepted, whatever the policy; a refusal names its line in both
/// languages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto policy = ledger::Policy::parse(as_text({data, size}));
    if (!policy) {
        HYGIE_CHECK(policy.error().what.fr.contains("ligne"), "an error without its line");
        HYGIE_CHECK(policy.error().what.en.contains("line"), "an error without its line");
        return 0;
    }
    for (const auto& log : policy->logs()) {
        ledger::SignedCheckpoint unsigned_one{{log.key.name, 1, {}, {}}, {}};
        unsigned_one.note.text = unsigned_one.checkpoint.encode();
        HYGIE_CHECK(!policy->judge(unsigned_one, {}),
                    "a checkpoint without a signature was accepted");
    }
    return 0;
}
