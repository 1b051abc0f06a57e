#include "guards/files/keep/sealed_folder.h"

#include "crypto/aead.h"
#include "crypto/tokens.h"

namespace hygie::files {

SealedFolder::SealedFolder(Disk& disk, Random& random, std::string dir, const crypto::Secret32& key,
                           std::string_view purpose)
    : disk_(disk), random_(random), dir_(std::move(dir)), key_(crypto::derive(key, purpose)) {}

Status SealedFolder::write(const std::string& name, std::string_view text) {
    TRY_STATUS(disk_.make_dirs(parent(path(name))));
    return disk_.replace_file(path(name),
                              crypto::box(key_, as_bytes(name), as_bytes(text), random_));
}

Result<std::string> SealedFolder::read(const std::string& name) {
    const Bytes boxed = TRY(disk_.read_file(path(name), kFileBytesMax));
    const Bytes text = TRY(crypto::unbox(key_, as_bytes(name), boxed));
    return std::string(as_text(text));
}

}  // namespace hygie::files
