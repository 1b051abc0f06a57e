#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"

/// Signed notes (C2SP signed-note): a text and the signatures under it. Pure.
namespace hygie::ledger {

/// A note of ours carries a handful of signatures; room is left for witnesses we do not know and
/// for post-quantum signatures of nearly 5 kB each. The specification asks for at least 16.
inline constexpr std::size_t kNoteSignaturesMax = 64;
inline constexpr std::size_t kNoteBytesMax = 512 << 10;

/// The signature types this program knows. ML-DSA-44 keys and lines are read and kept, but nothing
/// here can verify them (OpenSSL 3.0 has no ML-DSA): they never count.
enum class KeyType : std::uint8_t {
    Ed25519 = 0x01,      ///< over the note text
    Cosignature = 0x04,  ///< Ed25519 with a timestamp, for checkpoints (C2SP tlog-cosignature)
    MlDsa44 = 0x06,
};

/// Whether `name` may name a key: non-empty UTF-8 without spaces, control characters or '+'.
bool is_key_name(std::string_view name);

/// SHA-256(name ‖ 0x0A ‖ type ‖ key)[:4], big-endian.
std::uint32_t key_id(std::string_view name, KeyType type, ByteView key);

/// A public key with its name: "name+hash+base64".
struct VerifierKey {
    std::string name;
    KeyType type = KeyType::Ed25519;
    Bytes key;  ///< 32 bytes, 1,312 for ML-DSA-44
    std::uint32_t id = 0;

    static VerifierKey of(std::string name, KeyType type, const crypto::PublicKey& key);
    /// Strict; Code::BadInput for unknown types, wrong key sizes and ids that are not those of name
    /// and key.
    static Result<VerifierKey> parse(std::string_view vkey);
    std::string str() const;
    bool operator==(const VerifierKey&) const = default;
};

/// One signature line of a note: "— name base64(id ‖ signature)\n".
struct NoteSignature {
    std::string name;
    std::uint32_t id = 0;
    Bytes signature;

    std::string line() const;
    bool operator==(const NoteSignature&) const = default;
};

/// Reads signature lines and nothing else; each ends in a newline. Code::BadInput otherwise.
Result<std::vector<NoteSignature>> parse_signatures(std::string_view lines);

struct Note {
    std::string text;  ///< ends in a newline
    std::vector<NoteSignature> signatures;

    /// Strict: what is accepted encodes to the same bytes. Says nothing about the signatures'
    /// truth.
    static Result<Note> parse(std::string_view bytes);
    std::string encode() const;
    bool operator==(const Note&) const = default;
};

/// A signature that one of the given keys really made.
struct Verified {
    std::size_t key = 0;     ///< which of the keys given
    std::uint64_t time = 0;  ///< of a cosignature, in seconds since 1970; 0 for other types
    bool operator==(const Verified&) const = default;
};

/// Every signature by the given keys. Lines of unknown keys are ignored, and so are those of
/// ML-DSA-44 keys; a line with the name and id of a known key that does not verify condemns the
/// whole note: Code::Forged.
Result<std::vector<Verified>> verify_note(const Note& note,
                                          std::span<const VerifierKey* const> keys);

/// Signs notes in one name, with signatures of one type (Ed25519 or Cosignature).
class NoteSigner {
  public:
    NoteSigner(std::string name, KeyType type, crypto::SigningKey key);

    /// A type 0x01 signature over the text.
    NoteSignature sign(std::string_view text) const;
    /// A cosignature/v1 of a checkpoint's text at a time in seconds since 1970.
    NoteSignature cosign(std::string_view text, std::uint64_t time) const;
    const VerifierKey& verifier() const { return verifier_; }

  private:
    VerifierKey verifier_;
    crypto::SigningKey key_;
};

}  // namespace hygie::ledger
