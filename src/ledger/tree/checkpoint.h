#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"
#include "ledger/tree/note.h"

/// What a log says about itself (C2SP tlog-checkpoint): its name, its size and its root. Pure.
namespace hygie::ledger {

/// The text of a checkpoint.
struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;
    crypto::Hash root{};
    std::vector<std::string> extensions;  ///< opaque lines, signed with the rest; ours have none

    /// Strict: what is accepted encodes to the same bytes; Code::BadInput otherwise.
    static Result<Checkpoint> parse(std::string_view text);
    std::string encode() const;
    bool operator==(const Checkpoint&) const = default;
};

/// A checkpoint and the note it came in, whose signatures are not verified yet.
struct SignedCheckpoint {
    Checkpoint checkpoint;
    Note note;

    static Result<SignedCheckpoint> parse(std::string_view bytes);
    std::string encode() const { return note.encode(); }
    bool operator==(const SignedCheckpoint&) const = default;
};

/// A checkpoint signed by its log.
SignedCheckpoint sign_checkpoint(const Checkpoint& checkpoint, const NoteSigner& log);

}  // namespace hygie::ledger
