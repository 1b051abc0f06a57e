#pragma once

#include "app/ledger/control_words.h"
#include "host/random.h"
#include "link/framing.h"

namespace hygie::app {

/// One visit of a command as the holder of the ledger sees it: bytes in, bytes out, no socket. The
/// first output is the challenge; nothing is asked of the clerk before the proof.
class ControlSession {
  public:
    /// `clerk` and `key` must outlive the session.
    ControlSession(Clerk& clerk, const crypto::Secret32& key, Random& random);

    /// Takes bytes of the command, and carries out what it asks. What the clerk refuses is an
    /// answer; after an error the session is over, and the last output says why.
    Status feed(ByteView bytes);
    Bytes take_output() { return std::exchange(output_, {}); }
    bool is_proven() const { return is_proven_; }

  private:
    Status take(ByteView payload);
    void say(const control::Answer& answer);
    Result<control::Answer> carry_out(const control::Ask& ask);

    Result<control::Answer> on(const control::Proof& proof);
    Result<control::Answer> on(const control::Append& append);
    Result<control::Answer> on(const control::Read& read);
    Result<control::Answer> on(const control::Next&);
    Result<control::Answer> on(const Erasure& erasure);
    Result<control::Answer> on(const control::Prune& prune);
    Result<control::Answer> on(const control::Rotate&);
    Result<control::Answer> on(const control::Rewrap&);
    Result<control::Answer> on(const control::World& world);
    Result<control::Answer> on(const VaultAct& act);
    std::optional<control::Part> next_part();
    control::Part next_of_world();
    Result<control::Answer> next_of_work();

    Clerk& clerk_;
    const crypto::Secret32& key_;
    control::Challenge challenge_;
    bool is_proven_ = false;
    std::unique_ptr<Reading> reading_;
    std::size_t proof_ = 0;       ///< of the reading's, the one that goes out
    std::size_t proof_sent_ = 0;  ///< bytes of it that went out
    std::unique_ptr<VaultWork> work_;
    Bytes world_;                 ///< or what a work gave
    std::size_t world_sent_ = 0;  ///< bytes of it that went out
    link::FrameCutter cutter_;
    Bytes output_;
};

}  // namespace hygie::app
