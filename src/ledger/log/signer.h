#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/log/keys.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/log_reader.h"

namespace hygie::ledger {

/// Refuses what cannot name a log. Code::BadInput.
Status check_origin(const std::string& origin);

/// The log's signing key of the present epoch. The private key is sealed under a key of the key
/// table, so that ending an epoch destroys it: a key stolen tomorrow cannot sign yesterday.
class Signer {
  public:
    /// Makes the first epoch. Code::AlreadyThere when the directory has one.
    static Result<Signer> create(Disk& disk, Random& random, Keys& keys, const std::string& dir,
                                 const std::string& origin);
    static Result<Signer> open(Disk& disk, Keys& keys, const std::string& dir);

    /// A checkpoint with the log's signature, and its own timestamp under it: a sign of life for
    /// those who have no witness. Both keys sign while an epoch ends.
    SignedCheckpoint sign(const Checkpoint& checkpoint, WallTime now) const;

    /// The key of the next epoch, made but not yet in use.
    Result<Signer> next(Random& random) const;
    /// Makes this epoch the present one on disk and destroys the private keys of earlier ones.
    Status install(Disk& disk, Random& random, Keys& keys, const std::string& dir) const;

    const std::string& origin() const { return origin_; }
    std::uint64_t epoch() const { return epoch_; }
    VerifierKey verifier() const;

  private:
    Signer(std::string origin, std::uint64_t epoch, const crypto::SigningKey& key);

    std::string origin_;
    std::uint64_t epoch_;
    crypto::SigningKey key_;
};

/// The verifier keys of every epoch, oldest first, as the log itself gives them. Never empty.
Result<std::vector<VerifierKey>> read_verifier_keys(LogReader& log);

}  // namespace hygie::ledger
