#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/clock.h"
#include "host/disk.h"
#include "ledger/proofs/policy.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/merkle.h"

namespace hygie::ledger {

/// A request larger than a note and its proof is hostile.
inline constexpr std::size_t kWitnessRequestBytesMax = kNoteBytesMax + 8192;

/// What the witness answers over HTTP.
struct WitnessAnswer {
    int status = 0;
    std::string content_type;
    std::string body;
    bool operator==(const WitnessAnswer&) const = default;
};

/// A witness (C2SP tlog-witness): remembers the last checkpoint it cosigned of each log it knows,
/// and cosigns only what continues it. One file per log, replaced durably before the answer leaves:
/// a crash can make it forget an answer it did not give, never one it gave. Thread-safe.
class Witness {
  public:
    /// `dir` holds the memory of this witness and of no other; it is made when absent. `logs` gives
    /// the keys each origin may sign with (the key's name). Code::Busy when another process uses
    /// `dir`, Code::Corrupt when a file in it was not written under this signer's key: a witness
    /// that starts anew could be made to cosign a fork.
    static Result<std::unique_ptr<Witness>> open(Disk& disk, Clock& clock, std::string dir,
                                                 NoteSigner signer,
                                                 const std::vector<Policy::Log>& logs);

    /// POST <submission prefix>/add-checkpoint
    WitnessAnswer add_checkpoint(std::string_view body);
    /// GET <monitoring prefix>/<origin hash>/checkpoint
    WitnessAnswer latest(std::string_view origin_hash);
    /// Both of the above by method and path, without the prefix: "/add-checkpoint", "/<origin
    /// hash>/checkpoint".
    WitnessAnswer handle(std::string_view method, std::string_view path, std::string_view body);

    const VerifierKey& verifier() const { return signer_.verifier(); }

  private:
    struct Origin {
        std::vector<VerifierKey> keys;
        std::string path;
        std::mutex mutex;
        std::optional<SignedCheckpoint> latest;
    };
    struct Request {
        std::uint64_t old_size = 0;
        Proof proof;
        SignedCheckpoint checkpoint;
    };

    Witness(Disk& disk, Clock& clock, NoteSigner signer)
        : disk_(disk), clock_(clock), signer_(std::move(signer)) {}
    Status restore(const std::string& name, Origin& origin) const;
    static Result<Request> parse(std::string_view body);
    WitnessAnswer judge(Origin& origin, const Request& request);
    WitnessAnswer cosign(Origin& origin, const Request& request);

    Disk& disk_;
    Clock& clock_;
    NoteSigner signer_;
    std::unique_ptr<FileLock> lock_;
    std::map<std::string, Origin, std::less<>>
        origins_;  ///< by SHA-256 of the origin, in hexadecimal; fixed once open
};

}  // namespace hygie::ledger
