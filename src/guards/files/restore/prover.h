#pragma once

#include "guards/files/keep/content_mark.h"
#include "guards/files/keep/read_back.h"
#include "guards/files/restore/restore.h"

namespace hygie::files {

struct Proven {
    Proof proof = Proof::None;
    Bytes hash;  ///< SHA-256 (Digest): taken now, or written down beside what was checked now
};

/// Decides by what a restore proves that bytes are those that were kept, and whether they are.
class Prover {
  public:
    Prover(const crypto::Secret32& state_key, Hashing hashing)
        : marks_(state_key), hashing_(hashing) {}

    /// What to compute over bytes of the stage, of which `told` (or null) is known.
    Result<Digest> staged(const Record* told) const;
    /// … over bytes out of the packs, which open under their seals or not at all.
    Digest sealed(const Record* told, const Record& sealed) const;
    /// Code::Corrupt when what was read is not what was told.
    Result<Proven> judge(const Record* told, const ReadBack& again) const;

  private:
    MarkKey marks_;
    Hashing hashing_;
};

}  // namespace hygie::files
