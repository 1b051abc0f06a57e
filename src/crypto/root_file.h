#pragma once

#include "base/bytes.h"
#include "crypto/keyring.h"

/// The bytes of root.hyk, without any I/O (FORMAT.md). For keyring.cc; others call keyring.h.
namespace hygie::crypto::detail {

/// What one must have to open the box, as the file says it.
struct RootFile {
    using Kind = RootDescription::Kind;

    Kind kind = Kind::Passphrase;
    PassphraseCost cost;                  ///< Passphrase
    std::array<std::uint8_t, 16> salt{};  ///< Passphrase
    std::string name;                     ///< Credential: its name; KeyFile: its path
    Bytes box;                            ///< crypto::box of the root key
};

/// What the box authenticates: all that precedes it.
Bytes encode_associated(const RootFile& file);
Bytes encode_root_file(const RootFile& file);
/// Code::Corrupt for anything but what encode_root_file writes, within sane costs.
Result<RootFile> decode_root_file(ByteView bytes);

}  // namespace hygie::crypto::detail
