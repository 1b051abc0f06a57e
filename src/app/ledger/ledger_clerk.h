#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "app/ledger/clerk.h"
#include "crypto/secret.h"
#include "ledger/log/appender.h"

namespace hygie::app {

/// A ledger opened for writing, with its witnesses if there are any.
struct OpenLedger {
    std::unique_ptr<ledger::Log> log;
    ledger::Cosigner cosign;
    crypto::Secret32 control_key;  ///< what whoever asks the holder must know (control_listener.h)
};

/// Acts upon a patient that soon follow one alike, and tell nothing more.
struct Repeats {
    std::vector<event::Type> types{};
    bool (*counts)(const event::Event&) = nullptr;  ///< whether such an act is one to follow
    Micros within{};                                ///< after it
};

/// What of a ledger is opened at all: the rest is passed over, sealed as it is.
struct Selection {
    std::vector<event::Type> types{};  ///< these alone; empty: all
    Repeats but_for{};
};

/// Carries out on a ledger that this process holds. Thread-safe, and beside whatever is appended
/// through appender().
class LedgerClerk final : public Clerk {
  public:
    LedgerClerk(const ledger::Doors& doors, NodeId node, OpenLedger opened,
                ledger::AppenderOptions options = {});

    Result<std::vector<std::optional<std::uint64_t>>> append(
        std::vector<ledger::Draft> drafts) override;
    Result<std::unique_ptr<Reading>> read(const ActorId& reader, const Question& question) override;
    /// The same, left untraced: for who writes its own trace before it shows anything.
    Result<std::unique_ptr<Reading>> look(const Question& question, Selection selection = {});
    /// look() at what lies below the index `before`, the newest first.
    Result<std::unique_ptr<Reading>> look_back(const Question& question,
                                               std::uint64_t before = UINT64_MAX);
    Result<std::uint64_t> shred(const Erasure& erasure) override;
    Result<ledger::Pruned> prune(const ActorId& by, bool dry_run) override;
    Result<std::string> rotate() override;
    Result<std::uint64_t> rewrap() override;
    /// Which entries are looked at, and in which order.
    struct Course {
        bool newest_first = false;
        std::uint64_t before = UINT64_MAX;  ///< below this index
        Selection selection{};
    };
    Result<Bytes> world(const ActorId& reader, const std::string& patient) override;
    /// Who gives the resources for world(); null: nobody. Called after the trace, and not again
    /// once this returned.
    using Teller = std::function<Result<Bytes>(const std::string& patient)>;
    void tell_with(Teller teller);
    Result<std::unique_ptr<VaultWork>> vault(const VaultAct& act) override;
    /// Who carries vault() out; null: nobody. Not called again once this returned.
    using Keeper = std::function<Result<std::unique_ptr<VaultWork>>(const VaultAct& act)>;
    void keep_with(Keeper keeper);
    /// Whether a patient's traces may be erased: who says no; null: nobody. As keep_with().
    using Guard = std::function<Status(const PatientId& patient)>;
    void guard_with(Guard guard);
    Status close() override { return appender_.close(); }

    /// Writes into the ledger, durably, who reads what.
    Status log_reading(const ActorId& reader, const std::string& what);
    WallTime now() const { return doors_.clock.now(); }

    const ledger::Log& log() const { return *opened_.log; }
    ledger::Appender& appender() { return appender_; }
    const ledger::Appender& appender() const { return appender_; }
    const crypto::Secret32& control_key() const { return opened_.control_key; }

  private:
    Result<std::unique_ptr<Reading>> look_along(const Question& question, const Course& course);
    event::Event event_by(const ActorId& who, event::Type type);
    Result<std::vector<Bytes>> prove(const ActorId& actor);
    Result<std::vector<Bytes>> prove_once(const ActorId& actor);

    ledger::Doors doors_;
    NodeId node_;
    OpenLedger opened_;
    ledger::Appender appender_;
    std::mutex teller_mutex_;
    Teller teller_;
    Keeper keeper_;
    Guard guard_;
};

}  // namespace hygie::app
