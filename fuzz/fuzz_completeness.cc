#include "base/check.h"
#include "ledger/proofs/completeness.h"

using namespace hygie;
using namespace hygie::ledger;

/// A completeness proof: accepted ⇒ written again to the same bytes. Its checkpoint is then signed
/// by a key that the policy trusts, so that everything behind the signature is walked as well.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView in(data, size);
    auto proof = CompletenessProof::decode(in);
    if (!proof) return 0;
    HYGIE_CHECK(as_text(proof->encode()) == as_text(in), "an accepted proof has a second spelling");
    if (!is_key_name(proof->checkpoint.checkpoint.origin)) return 0;
    const NoteSigner signer(proof->checkpoint.checkpoint.origin, KeyType::Ed25519,
                            crypto::SigningKey::from_seed(crypto::Secret32()));
    proof->checkpoint = sign_checkpoint(proof->checkpoint.checkpoint, signer);
    const auto answer = check_completeness(*proof, Policy::trusting(signer.verifier()), {});
    if (answer)
        HYGIE_CHECK(answer->entries.size() == proof->entries.size(),
                    "an answer lists what it shows");
    return 0;
}
