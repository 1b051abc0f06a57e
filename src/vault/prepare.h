#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "crypto/sha256.h"
#include "host/clock.h"
#include "vault/shelf.h"
#include "vault/transaction.h"

namespace hygie::vault {

/// Hands out numbers for rows and pieces, each once for the life of the vault: they are nonces.
/// What is handed out lies below a mark that is durable beforehand, so that a crash cannot make a
/// number come back. Thread-safe.
class Numbers {
  public:
    /// The first of `count` numbers in sequence; Code::Busy when the mark must rise first.
    Result<std::uint64_t> take(std::uint64_t count);

    void start_at(std::uint64_t next) { next_ = mark_ = next; }
    bool is_low() const { return next_ + kReserve / 2 > mark_; }
    std::uint64_t next_mark() const { return next_ + kReserve; }
    void rise(std::uint64_t mark) { mark_ = mark; }

  private:
    static constexpr std::uint64_t kReserve = 1 << 20;
    std::atomic<std::uint64_t> next_ = 1;
    std::atomic<std::uint64_t> mark_ = 1;
};

/// One write, ready to be stored.
struct PreparedWrite {
    std::size_t asked = 0;  ///< its place in the transaction
    Key place;
    std::optional<Known> before;
    Known after;
    bool must_be_new = false;
    std::optional<std::uint32_t> if_match;
    Bytes stored;
    Version version;
};

/// What a transaction does to one record.
struct PreparedPart {
    CompartmentNumber compartment = 0;
    std::string patient;
    std::uint64_t first_row = 0;
    std::uint64_t rows = 0;
    Piece piece;
    std::vector<std::int64_t> names;
};

struct Prepared {
    std::vector<PreparedWrite> writes;  ///< in the order of their rows, which are in sequence
    std::vector<PreparedPart> parts;
    std::uint64_t first_row = 0;
    crypto::Hash digest{};
};

/// SHA-256 over (row number, hash of what is stored) of each row.
crypto::Hash commit_digest(std::uint64_t first_row, std::span<const crypto::Hash> rows);

/// The newest version of a resource, as the one who asks sees the vault.
using Lookup = std::function<Result<std::optional<Known>>(Key place, std::string_view type,
                                                          std::string_view id)>;

/// All the work of a transaction that needs no disk: checks what it asks for, stamps, compresses,
/// seals and indexes it. Optimistic: it holds as long as what `lookup` said does. Thread-safe.
Result<Prepared> prepare(Shelf& shelf, Clock& clock, Numbers& numbers,
                         std::span<const Write> writes, const std::string& author,
                         const Lookup& lookup);

}  // namespace hygie::vault
