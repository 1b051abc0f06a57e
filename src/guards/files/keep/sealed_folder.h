#pragma once

#include <string>
#include <string_view>

#include "crypto/secret.h"
#include "host/disk.h"
#include "host/random.h"

namespace hygie::files {

/// Small files of a state folder, each sealed under its own name (FORMAT_JUDGE.md): one cannot
/// stand for another, and none says anything to who reads the disk.
class SealedFolder {
  public:
    /// `purpose` derives the folder's key from the state's.
    SealedFolder(Disk& disk, Random& random, std::string dir, const crypto::Secret32& key,
                 std::string_view purpose);

    /// Atomic and durable. `name` may hold folders, which are made.
    Status write(const std::string& name, std::string_view text);
    /// Code::NotFound when it is not there, Code::Corrupt when it is another's.
    Result<std::string> read(const std::string& name);
    bool has(const std::string& name) const { return disk_.exists(path(name)); }
    Status remove(const std::string& name) { return disk_.remove(path(name)); }

    Disk& disk() const { return disk_; }
    Random& random() const { return random_; }
    const crypto::Secret32& key() const { return key_; }
    std::string path(const std::string& name) const { return join(dir_, name); }

    static constexpr std::uint64_t kFileBytesMax = 256 << 20;

  private:
    Disk& disk_;
    Random& random_;
    std::string dir_;
    crypto::Secret32 key_;
};

}  // namespace hygie::files
