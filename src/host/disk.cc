#include "host/disk.h"

#include <fmt/format.h>

namespace hygie {

Result<Bytes> Disk::read_file(const std::string& path, std::uint64_t size_max) {
    const std::unique_ptr<File> file = TRY(open(path, Open::Read));
    const std::uint64_t size = TRY(file->size());
    if (size > size_max)
        return fail(Code::Full,
                    {fmt::format("{} : {} octets, plus que les {} admis", path, size, size_max),
                     fmt::format("{}: {} bytes, more than the {} allowed", path, size, size_max)},
                    {"vérifiez que c'est le bon fichier", "check that this is the right file"});
    Bytes bytes(size);
    bytes.resize(TRY(file->read_at(0, bytes)));
    return bytes;
}

Status Disk::write_file(const std::string& path, ByteView bytes, Access access) {
    const std::unique_ptr<File> file = TRY(open(path, Open::OpenOrCreate, access));
    // ext4 flushes a file that was cut to nothing as soon as it is closed: leave a new one alone.
    if (TRY(file->size()) > 0) TRY_STATUS(file->truncate(0));
    return file->write_at(0, bytes);
}

Status Disk::replace_file(const std::string& path, ByteView bytes, Access access) {
    const std::string tmp = path + ".tmp";
    const auto write_and_sync = [&]() -> Status {
        const std::unique_ptr<File> file = TRY(open(tmp, Open::OpenOrCreate, access));
        TRY_STATUS(file->truncate(0));
        TRY_STATUS(file->write_at(0, bytes));
        return file->sync();
    };
    if (Status written = write_and_sync(); !written) {
        // Gives the room back; the failure to report is the first one.
        (void)remove(tmp);
        return written;
    }
    TRY_STATUS(rename(tmp, path));
    return sync_dir(parent(path));
}

std::string join(std::string_view dir, std::string_view name) {
    std::string path(dir);
    if (!path.empty() && path.back() != '/') path.push_back('/');
    path.append(name);
    return path;
}

std::string parent(std::string_view path) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string_view::npos) return ".";
    return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace hygie
