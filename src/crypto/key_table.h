#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/aead.h"
#include "crypto/tokens.h"
#include "host/disk.h"

namespace hygie::crypto {

/// The number of a slot in the key table. Stable for the life of the table, never used twice.
using KeySlot = std::uint64_t;

/// What a data key serves besides its subject: a retention class and the calendar year of the
/// traces under it, so that the end of a retention period is the destruction of whole scopes.
struct KeyScope {
    std::uint8_t retention = 0;
    std::uint16_t year = 0;
    auto operator<=>(const KeyScope&) const = default;
};

/// One random data key per (subject, scope), wrapped, in a small rewritable file of fixed slots
/// (see FORMAT.md). Destroying a slot overwrites it in place and syncs: everything sealed under it
/// is gone, wherever it was copied. The subject is stored only as a blind token. Thread-safe.
class KeyTable {
  public:
    /// Opens or creates `dir`/slots. `wrapping` is the domain key of this table. Code::Denied when
    /// the table is wrapped under another key, Code::Corrupt when its header is damaged; damaged
    /// slots do not stop the others from being read. Nothing is written to a table that exists.
    static Result<std::unique_ptr<KeyTable>> open(Disk& disk, Random& random,
                                                  const std::string& dir, const Secret32& wrapping);
    ~KeyTable();

    struct Found {
        KeySlot slot;
        Secret32 key;
        bool fresh;  ///< made by this call: not durable before sync()
    };
    /// The live key of (subject, scope), made when absent.
    Result<Found> find_or_make(std::string_view subject, KeyScope scope);
    /// The live key of (subject, scope), if there is one.
    std::optional<Found> find(std::string_view subject, KeyScope scope) const;
    /// The key in a slot. Code::Erased when it was destroyed, Code::NotFound when it never was.
    Result<Secret32> get(KeySlot number) const;
    /// Makes every key handed out so far durable; cheap when none is fresh.
    Status sync();

    /// Destroys every live key of a subject (all retention classes, or one). Durable on return. The
    /// slots destroyed.
    Result<std::vector<KeySlot>> shred(std::string_view subject,
                                       std::optional<std::uint8_t> retention);
    /// Destroys every live key of a retention class up to and including a year: the end of a
    /// retention period.
    Result<std::vector<KeySlot>> shred_expired(std::uint8_t retention, std::uint16_t last_year);
    /// Re-wraps every live key under a new wrapping key, into a new file that replaces the old one,
    /// so that older copies of the file cannot be opened once the old wrapping key is gone.
    Status rewrap(const Secret32& wrapping);

    std::uint64_t live() const;
    std::uint64_t slots() const;

  private:
    struct State;
    explicit KeyTable(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::crypto
