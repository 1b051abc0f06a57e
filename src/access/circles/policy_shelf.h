#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "access/accounts/sealed_file.h"
#include "access/decide/policy_pack.h"

/// The rules that a house put in force: one signed pack, sealed in `dir`/policy, seen by every
/// process of the machine at its next question.
namespace hygie::access {

class PolicyShelf {
  public:
    static Result<std::unique_ptr<PolicyShelf>> open(const SealedFile::Doors& doors,
                                                     const std::string& dir,
                                                     const crypto::Secret32& key);

    /// The rules in force now: the program's own as long as nothing else was put there. What cannot
    /// be read opens nothing to anybody.
    std::shared_ptr<const Policy> current();

    struct Pack {
        std::string text;
        std::string signature;    ///< one line, empty for the program's own
        crypto::PublicKey key{};  ///< trusted here; all zero: none yet
        bool operator==(const Pack&) const = default;
    };
    /// As it was put there; the program's own text when nothing was.
    Result<Pack> pack();
    /// Puts a pack in force. The signature must be by `key`, or, without one, by the key that was
    /// trusted before; the program's own text needs none. Code::Forged, Code::BadInput.
    Status put(std::string text, std::string signature, std::optional<crypto::PublicKey> key);
    /// What put() would refuse.
    Status check(const std::string& text, const std::string& signature,
                 std::optional<crypto::PublicKey> key);

  private:
    explicit PolicyShelf(std::unique_ptr<SealedFile> file) : file_(std::move(file)) {}

    std::unique_ptr<SealedFile> file_;
    std::mutex mutex_;
    std::shared_ptr<const Policy> known_;
};

}  // namespace hygie::access
