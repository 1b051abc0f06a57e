#include "base/check.h"
#include "ledger/proofs/tlog_proof.h"

using namespace hygie;

/// Accepted ⇒ written again to the same bytes; checking its path never crashes, whatever index and
/// size it claims.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view in = as_text({data, size});
    const auto proof = ledger::TlogProof::parse(in);
    if (!proof) return 0;
    HYGIE_CHECK(proof->encode() == in, "an accepted proof has a second spelling");
    const ledger::Checkpoint& checkpoint = proof->checkpoint.checkpoint;
    (void)ledger::verify_inclusion({}, proof->index, checkpoint.size, checkpoint.root,
                                   proof->hashes);
    (void)ledger::verify_consistency(proof->index, {}, checkpoint.size, checkpoint.root,
                                     proof->hashes);
    return 0;
}
