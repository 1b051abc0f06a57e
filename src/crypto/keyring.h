#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/sensitive.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "host/disk.h"
#include "host/process.h"
#include "host/random.h"

/// The key hierarchy: one root key of 32 random bytes → domain keys by derivation → one data key
/// per subject and scope (key_table.h). The root key is stored once, sealed (FORMAT.md).
namespace hygie::crypto {

class RootKey {
  public:
    /// From recovered shares; otherwise keys come from create_root and open_root.
    explicit RootKey(const Secret32& secret) : secret_(secret) {}

    /// The key of one part of the house, e.g. "ledger". Stable for the life of the root key.
    Secret32 domain(std::string_view name) const;
    /// The root key itself, to split it into shares.
    const Secret32& secret() const { return secret_; }

  private:
    Secret32 secret_;
};

/// What one guess of a passphrase costs: the parameters of Argon2id (RFC 9106).
struct PassphraseCost {
    std::uint64_t passes = 0;
    std::uint64_t memory_bytes = 0;
    bool operator==(const PassphraseCost&) const = default;
};
/// libsodium's levels: about 0.1 s and 0.7 s on the machine that opens. Nothing below Interactive
/// is for use outside tests.
inline constexpr PassphraseCost kInteractiveCost{2, 64 << 20};
inline constexpr PassphraseCost kModerateCost{3, 256 << 20};
inline constexpr std::size_t kPassphraseBytesMin = 12;

/// Somebody types a passphrase at each start.
struct WithPassphrase {
    Sensitive<std::string> passphrase;
    PassphraseCost cost = kModerateCost;  ///< of sealing; opening takes what the file says
};

/// systemd hands over a secret of at least 32 random bytes, which it unsealed with the TPM or the
/// host key: `head -c 32 /dev/urandom | systemd-creds encrypt --with-key=tpm2 --name=NAME - FILE`
/// and `LoadCredentialEncrypted=NAME:FILE` in the unit.
struct WithCredential {
    std::string directory;  ///< $CREDENTIALS_DIRECTORY
    std::string name;
};

/// A file of 32 random bytes opens the key: for boxes without an operator. Whoever reads both files
/// reads everything, so it belongs on another medium; it may stand beside the sealed key all the
/// same, and the status then says so. create_root and reseal make it when it is absent.
struct WithKeyFile {
    std::string path;  ///< relative: from the folder of the root key
};

using Sealing = std::variant<WithPassphrase, WithCredential, WithKeyFile>;

/// The credential of this service. Code::Unavailable outside a unit that loads credentials.
Result<WithCredential> credential(Process& process, const std::string& name);

/// Makes a root key and stores it, durably. Code::AlreadyThere when the path exists.
Result<RootKey> create_root(Disk& disk, Random& random, const std::string& path,
                            const Sealing& sealing);
/// Code::Denied for a wrong passphrase, credential or key file; Code::BadInput when the key is
/// sealed in another way; Code::Corrupt when the file is damaged.
Result<RootKey> open_root(Disk& disk, const std::string& path, const Sealing& sealing);
/// Stores `root` under another seal, atomically, and wipes the old file's bytes. Also stores a root
/// key recovered from shares where none is. A key file used before is the caller's to destroy.
Status reseal(Disk& disk, Random& random, const std::string& path, const RootKey& root,
              const Sealing& sealing);

/// How a root key is sealed, told without opening it.
struct RootDescription {
    enum class Kind : std::uint8_t { Passphrase = 1, Credential = 2, KeyFile = 3 };

    Kind kind = Kind::Passphrase;
    PassphraseCost cost;  ///< of a passphrase
    std::string name;     ///< of the credential, or path of the key file
    bool starts_unattended = false;
    Text protection;  ///< one sentence: what stands between a thief of the disk and the key
};
Result<RootDescription> describe(Disk& disk, const std::string& path);

}  // namespace hygie::crypto
