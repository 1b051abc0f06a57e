#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "crypto/secret.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/judge/judge_pool.h"
#include "host/disk.h"
#include "host/random.h"

/// What the guard learned of the house's mail by itself: who writes to whom since when, which IBAN
/// a supplier uses, which messages were exchanged. Sealed, bounded, and slow to trust.
namespace hygie::mail {

/// The domain of the house's root key that seals the memory.
inline constexpr std::string_view kMemoryKeyDomain = "mail-memory";
inline constexpr std::size_t kRememberedMax = 20'000;
inline constexpr std::size_t kRememberedIdsMax = 50'000;
inline constexpr std::size_t kRememberedIbansMax = 5'000;
/// A stranger who writes is a correspondent, and an IBAN is a supplier's, once they were seen on
/// so many different days: one convincing letter buys nothing.
inline constexpr std::uint32_t kDaysToTrust = 2;

inline constexpr Micros kMemoryRipe = std::chrono::days(14);

/// Which way a message went.
enum class Way : std::uint8_t { In, Out };

class Memory {
  public:
    /// A message that was found clean and delivered. Incoming mail teaches only when its sender is
    /// proven; whom the house itself writes to is known at once. True when something changed.
    bool note(const Opened& opened, const Envelope& envelope, Way way, WallTime at,
              const History& known);
    /// What may be believed, as a part to merge with what the operator said. An IBAN of a supplier
    /// whose IBANs are known already is never added: that takes a person.
    /// Nor does a memory that is young speak where the operator said nothing: to it everybody would
    /// be a stranger, and every thread unknown.
    History history(const History& known, WallTime now) const;
    /// Everything that was trusted, whatever its age.
    History all() const { return trusted({}); }

    std::size_t correspondents() const { return people_.size(); }
    std::size_t message_ids() const { return ids_.size(); }

    std::string write() const;
    /// Code::Corrupt when the text is none of ours.
    static Result<Memory> read(std::string_view text);

  private:
    struct Seen {
        std::string name{};
        std::string first{};  ///< ISO dates
        std::string last{};
        std::uint32_t days = 0;
        bool written_to = false;
    };
    struct Account {
        std::string domain{};
        std::string last{};
        std::uint32_t days = 0;
    };
    bool note_sender(const Message& message, const std::string& day, const History& known);
    bool note_ibans(const Opened& opened, const std::string& day, const History& known);
    bool note_id(const std::string& id);
    History trusted(const History& known) const;
    void forget_surplus();

    std::string since_{};                      ///< the first day
    std::map<std::string, Seen> people_;       ///< by address
    std::map<std::string, Account> accounts_;  ///< by IBAN
    std::deque<std::string> ids_;              ///< oldest first
    std::unordered_set<std::string> has_id_;
};

/// The sealed file `dir`/`name`.hym; nothing remembered yet when absent.
Result<Memory> open_memory(Disk& disk, const std::string& dir, const std::string& name,
                           const crypto::Secret32& key);
Status keep_memory(Disk& disk, Random& random, const std::string& dir, const std::string& name,
                   const crypto::Secret32& key, const Memory& memory);

}  // namespace hygie::mail
