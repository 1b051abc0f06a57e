#pragma once

#include <array>
#include <cstdint>

#include "crypto/one_time_mac.h"
#include "crypto/secret.h"
#include "guards/files/keep/record.h"

namespace hygie::files {

/// Binds bytes to a version of this state folder: without its key nobody makes one, nor changes the
/// bytes unseen. Checked many times as fast as SHA-256, which is written down beside it
/// (FORMAT.md).
struct ContentMark {
    std::array<std::uint8_t, 16> salt{};
    crypto::OneTimeMac::Tag tag{};
};

/// Of a Hashed record. Code::Corrupt when there is none.
Result<ContentMark> mark_of(const Record& record);
/// As the record holds it.
ChunkId bytes_of(const ContentMark& mark);

/// Makes the keys of marks: one for each version, size and salt, so that none serves twice.
class MarkKey {
  public:
    explicit MarkKey(const crypto::Secret32& state_key);
    crypto::OneTimeMac begin(VersionId version, std::uint64_t size,
                             const std::array<std::uint8_t, 16>& salt) const;

  private:
    crypto::HmacKey key_;
};

}  // namespace hygie::files
