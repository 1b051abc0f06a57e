#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/note.h"

/// Whom a verifier believes (C2SP tlog-policy): the log's keys, the witnesses, and how many of them
/// it takes. Pure.
namespace hygie::ledger {

inline constexpr std::size_t kPolicyBytesMax = 1 << 20;
inline constexpr std::size_t kPolicyLinesMax = 4096;
/// How far ahead of ours a witness's clock may run; a cosignature from later than that does not
/// count.
inline constexpr Micros kClockTolerance = std::chrono::seconds(60);

/// When a checkpoint is judged, and how old the cosignatures that make the quorum may be.
struct Moment {
    WallTime now{};
    std::optional<Micros> max_age;
};

/// What a policy found under a checkpoint it accepts.
struct Endorsement {
    struct Cosigner {
        std::size_t witness = 0;  ///< index into Policy::witnesses
        std::uint64_t time = 0;   ///< seconds since 1970, of its newest cosignature
        bool operator==(const Cosigner&) const = default;
    };
    std::size_t log = 0;  ///< index into Policy::logs: the key that signed
    std::vector<Cosigner>
        cosigners;  ///< in the order of the policy; each witness once, fresh ones only
    bool operator==(const Endorsement&) const = default;
};

class Policy {
  public:
    struct Log {
        VerifierKey key;  ///< its name is the log's origin; several keys of one name are the epochs
                          ///< of one log
        std::string url;
    };
    struct Witness {
        std::string name;
        VerifierKey key;
        std::string url;
    };

    /// Strict, with errors that name the line. Code::BadInput.
    static Result<Policy> parse(std::string_view text);
    /// Believes one log key and asks for no witness.
    static Policy trusting(VerifierKey log);

    /// Accepts a checkpoint signed by one of the logs of its origin and cosigned by a quorum of
    /// distinct witnesses, each no older than max_age and not from the future. Without a quorum
    /// rule nothing can show an age: a max_age then refuses. Code::Forged when signatures are
    /// missing or false, Code::Stale when only their age is wrong.
    Result<Endorsement> judge(const SignedCheckpoint& checkpoint, const Moment& moment) const;
    /// The log's signature only: for an older checkpoint that the caller accepted before. The index
    /// of the log.
    Result<std::size_t> judge_log(const SignedCheckpoint& checkpoint) const;

    const std::vector<Log>& logs() const { return logs_; }
    const std::vector<Witness>& witnesses() const { return witnesses_; }

  private:
    friend class PolicyParser;
    /// A name in the quorum rule: a witness, or a group that holds when `threshold` of its members
    /// do.
    struct Part {
        std::optional<std::size_t> witness;
        std::size_t threshold = 0;
        std::vector<std::size_t> members;  ///< earlier parts
    };
    bool reached(const std::vector<bool>& seen) const;

    std::vector<Log> logs_;
    std::vector<Witness> witnesses_;
    std::vector<Part> parts_;
    std::optional<std::size_t> quorum_;
};

}  // namespace hygie::ledger
