#pragma once

#include <memory>
#include <string>

#include "app/ledger/clerk.h"
#include "app/ledger/control_words.h"
#include "host/clock.h"
#include "link/connection.h"
#include "link/framing.h"

namespace hygie::app {

/// Asks the process that holds a ledger open to carry out (control_listener.h). One thread.
class RemoteClerk final : public Clerk {
  public:
    /// Code::Unavailable or Code::NotFound when nobody listens in the ledger's folder,
    /// Code::Denied when whoever does is not to be trusted or does not trust us.
    static Result<std::unique_ptr<RemoteClerk>> connect(Clock& clock, const std::string& dir,
                                                        const crypto::Secret32& control_key);

    Result<std::vector<std::optional<std::uint64_t>>> append(
        std::vector<ledger::Draft> drafts) override;
    /// The reading must not outlive the clerk, nor go on after something else was asked of it.
    Result<std::unique_ptr<Reading>> read(const ActorId& reader, const Question& question) override;
    Result<std::uint64_t> shred(const Erasure& erasure) override;
    Result<ledger::Pruned> prune(const ActorId& by, bool dry_run) override;
    Result<std::string> rotate() override;
    Result<std::uint64_t> rewrap() override;
    Result<Bytes> world(const ActorId& reader, const std::string& patient) override;
    Result<std::unique_ptr<VaultWork>> vault(const VaultAct& act) override;
    Status close() override { return {}; }

  private:
    class RemoteReading;
    class RemoteWork;

    RemoteClerk(Clock& clock, UniqueFd socket)
        : clock_(clock), connection_(clock, std::move(socket)) {}
    template <typename Kind>
    Result<Kind> ask(const control::Ask& ask);
    /// Sends, and waits for the answer, which must be of this kind.
    template <typename Kind>
    Result<Kind> exchange(Bytes out);

    Clock& clock_;
    link::Connection connection_;
    link::FrameCutter cutter_;
};

}  // namespace hygie::app
