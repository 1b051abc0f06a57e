#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "crypto/key_table.h"
#include "crypto/keystream.h"
#include "crypto/tokens.h"
#include "event/event.h"
#include "ledger/log/entry.h"
#include "ledger/log/sources.h"

namespace hygie::ledger {

/// Every key of one ledger. What is about a person hangs on keys of the key table, which can be
/// destroyed; what is derived from the root only names, masks or seals what is not about a person.
/// Thread-safe.
class Keys {
  public:
    /// Opens or creates the keys in the private folder of a ledger (layout.h); `root` is the
    /// ledger's key out of the root key of the house.
    static Result<std::unique_ptr<Keys>> open(Disk& disk, Random& random, const std::string& dir,
                                              const crypto::Secret32& root);

    /// Wraps every data key anew and destroys the key that wrapped them: whoever holds an older
    /// copy of the key table, and even the root key, can no longer open what was erased since.
    Status rewrap();

    /// The key that seals an event's body: one per patient (or none), retention class and year.
    Result<crypto::KeyTable::Found> body_key(const PatientId& patient, event::Retention retention,
                                             WallTime time);
    /// The key behind the tokens of a patient and of the objects in that record; without a patient,
    /// of all others.
    Result<crypto::Secret32> token_key(const PatientId& patient);
    /// The name of an actor in headers of one year.
    Result<crypto::Token> actor_token(const ActorId& actor, WallTime time);

    /// Tokens to look for; empty when nothing of that name was ever written, or its key was
    /// destroyed.
    std::vector<crypto::Token> known_actor_tokens(const ActorId& actor) const;
    std::optional<crypto::Token> known_patient_token(const PatientId& patient) const;
    std::optional<crypto::Token> known_object_token(const PatientId& patient,
                                                    const ObjectId& object) const;

    /// The event of an entry. Code::Erased when its key was destroyed, Code::Corrupt when key and
    /// bytes do not match.
    Result<event::Event> unseal(const EntryView& entry, const Sources& sources) const;

    /// Destroys all that was written about a patient, or one retention class of it. The slots
    /// destroyed.
    Result<std::vector<crypto::KeySlot>> shred(const PatientId& patient,
                                               std::optional<event::Retention> retention);

    /// Destroys the keys of every retention class and year whose last trace has outlived its class.
    /// How many.
    Result<std::size_t> shred_expired(WallTime now);

    crypto::KeyTable& table() { return *table_; }
    const crypto::Secret32& mask_key() const { return mask_key_; }
    const crypto::Secret32& state_key() const { return state_key_; }
    const crypto::Secret32& index_key() const { return index_key_; }

  private:
    Keys(Disk& disk, Random& random, std::string dir, const crypto::Secret32& root);
    Status open_table();

    Disk& disk_;
    Random& random_;
    std::string dir_;
    std::unique_ptr<crypto::KeyTable> table_;
    crypto::Secret32 wrapping_box_key_;
    crypto::Secret32 mask_key_;
    crypto::Secret32 state_key_;
    crypto::Secret32 index_key_;
};

/// Which slot of the key table seals an entry's body: entries of one patient, retention class and
/// year have the same. Opens nothing. For entries near each other, one after the other.
class BodySlots {
  public:
    /// `keys` outlive it.
    explicit BodySlots(const Keys& keys) : keys_(keys) {}
    std::uint64_t of(const Header& header);

  private:
    static constexpr std::size_t kStretch = 256;

    const Keys& keys_;
    std::optional<std::uint32_t> run_;
    std::uint64_t first_ = 0;  ///< sequence of the first mask
    std::array<std::array<std::uint8_t, 8>, kStretch> masks_{};
};

/// The tokens of a patient and an object under that patient's token key.
crypto::Token patient_token(const crypto::Secret32& token_key);
crypto::Token object_token(const crypto::Secret32& token_key, const ObjectId& object);
crypto::Token object_token(const crypto::HmacKey& token_key, const ObjectId& object);

/// Hides key slots in headers: eight bytes of keystream for each sequence of a run.
/// Fills `masks` for `first`, `first`+1, …
void slot_masks(const crypto::Secret32& mask_key, std::uint32_t run, std::uint64_t first,
                std::span<std::array<std::uint8_t, 8>> masks);

}  // namespace hygie::ledger
