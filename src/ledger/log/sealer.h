#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/sha256.h"
#include "ledger/index/index.h"
#include "ledger/log/draft.h"
#include "ledger/log/key_cache.h"
#include "ledger/log/keys.h"
#include "ledger/log/sources.h"

namespace hygie::ledger {

/// Entries sealed, on their way to durability. Holds all that later stages need, so that
/// they share no state with the sealer.
struct Batch {
    std::uint64_t first = 0;           ///< sequence of the first entry
    Bytes buffer;                      ///< room for the WAL header, then the framed entries
    std::vector<std::uint32_t> ends;   ///< where each framed entry ends in `buffer`
    std::vector<crypto::Hash> leaves;  ///< RFC 6962 leaf hash of each entry, once hash_leaves ran
    std::vector<IndexRow> rows;        ///< for the query index
    std::vector<std::size_t> open;     ///< which of the entries are the ledger's open ones
    Sources sources;                   ///< as they stand after this batch
    /// The sequence given to each draft; none for one whose counter the ledger had already seen.
    std::vector<std::optional<std::uint64_t>> sequences;

    std::size_t size() const { return ends.size(); }
    std::uint64_t end() const { return first + size(); }
    ByteView entry(std::size_t i) const;
    ByteView framed() const;
    /// Apart from sealing, which takes longest: the thread that waits for the disk has time for it.
    void hash_leaves();
    /// Adds the entries of the batch that was sealed after this one, neither of them hashed yet.
    void join(const Batch& next);
    /// Empties it and keeps its memory.
    void clear();
};

/// Turns drafts into sealed entries: numbers them, counts per source, seals each under its
/// patient's key. One thread; CPU only, but for the random bytes of new keys.
class Sealer {
  public:
    Sealer(Keys& keys, Random& random, Sources sources, std::uint32_t run, std::uint64_t next);

    /// Adds the entries that are due besides the drafts themselves: registrations of new sources,
    /// declared gaps.
    /// `spare` lends its memory.
    Result<Batch> seal(std::span<const Draft* const> drafts, WallTime now, Batch spare = {});
    Result<Batch> seal(std::span<const Draft> drafts, WallTime now);

    std::uint64_t next() const { return next_; }
    const Sources& sources() const { return sources_; }
    /// Forgets cached keys, after some were destroyed.
    void forget() { patients_.clear(), actors_.clear(); }

  private:
    struct PatientKeys {
        crypto::KeySlot slot;
        crypto::Secret32 body;
        crypto::HmacKey tokens;
        crypto::Token patient;
    };

    /// Under what the keys of a draft are cached.
    struct KeyNames {
        crypto::ShortName patient;
        crypto::ShortName actor;
    };

    Result<Batch> seal_all(std::span<const Draft* const> drafts, WallTime now, Batch batch);
    void name_keys(std::span<const Draft* const> drafts);
    void prefetch_keys(std::size_t draft) const;
    Result<Source*> source_of(const Draft& draft, WallTime now, Batch& batch);
    Status declare_gap(const Source& source, std::uint64_t counter, WallTime now, Batch& batch);
    Status add_own(event::Type type, WallTime now, std::map<std::string, std::string> detail,
                   Batch& batch);
    Status add(const Draft& draft, const KeyNames& names, Source& source, Batch& batch);
    Result<const PatientKeys*> patient_keys(const Draft& draft, const crypto::ShortName& name);
    Result<crypto::Token> actor_token(const Draft& draft, const crypto::ShortName& name);
    const std::array<std::uint8_t, 8>& mask();

    Keys& keys_;
    Random& random_;
    Sources sources_;
    std::uint32_t run_;
    std::uint64_t next_;
    KeyCache<PatientKeys> patients_;
    KeyCache<crypto::Token> actors_;
    std::vector<KeyNames> names_;  ///< of the drafts of the batch under way
    std::string scoped_;           ///< an id and its scope, about to be named
    std::array<std::array<std::uint8_t, 8>, 128>
        masks_{};  ///< for the sequences from masks_first_ on
    std::uint64_t masks_first_ = UINT64_MAX - 128;
};

/// Reads a source back from the entry that registered it.
Result<Source> registered_source(const event::Event& event, const Keys& keys);

/// The index row of an entry, made again from its event: for an index that was lost.
Result<IndexRow> row_of(const Header& header, const event::Event& event, const Keys& keys);

}  // namespace hygie::ledger
