#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/clock.h"
#include "host/fetch.h"
#include "ledger/proofs/policy.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/merkle.h"

namespace hygie::ledger {

/// Makes consistency proofs of the log being cosigned. Called from several threads at once.
using ProofSource = std::function<Result<Proof>(std::uint64_t old_size, std::uint64_t new_size)>;

/// What one witness gave: its cosignature, verified, or the reason there is none.
struct Cosigned {
    std::string witness;  ///< its name in the policy
    Result<NoteSignature> cosignature;
};

/// Asks the witnesses of a policy for cosignatures (C2SP tlog-witness), all at once, each in its
/// own thread and within one deadline, so that a witness that hangs, lies or answers garbage costs
/// only its own cosignature. Remembers how far each witness was. One call at a time.
class WitnessClient {
  public:
    /// Asks the witnesses that have a URL. `policy` must outlive the client.
    WitnessClient(Fetch& fetch, Clock& clock, const Policy& policy, ProofSource prove,
                  Micros deadline);

    /// One answer per witness, in the order of the policy. Reasons: Code::NotFound (no URL),
    /// Code::Unavailable (no answer in time, or not one of the protocol), Code::Denied (it
    /// refused), Code::Forged (its cosignature is false or misdated, or it has seen a longer log
    /// than ours: our log was rolled back or somebody else signs for it).
    std::vector<Cosigned> collect(const SignedCheckpoint& checkpoint);

  private:
    class Ask;
    Fetch& fetch_;
    Clock& clock_;
    const Policy& policy_;
    ProofSource prove_;
    Micros deadline_;
    std::vector<std::uint64_t> sizes_;  ///< what each witness last cosigned, as far as we know
};

}  // namespace hygie::ledger
