#include <zlib.h>

#include "guards/mail/twins/twin_files.h"

namespace hygie::mail {
namespace {

void put16(std::string& to, unsigned value) {
    to.push_back(static_cast<char>(value & 0xff));
    to.push_back(static_cast<char>((value >> 8) & 0xff));
}

void put32(std::string& to, std::uint32_t value) {
    put16(to, value & 0xffff);
    put16(to, value >> 16);
}

std::uint32_t crc_of(std::string_view bytes) {
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

/// The fields that the local and the central header share (APPNOTE 4.3.7, 4.3.12).
void put_common(std::string& to, const ZipEntry& entry, std::uint32_t size, bool encrypted) {
    put16(to, 20);
    put16(to, encrypted ? 1 : 0);
    put16(to, 0);
    put32(to, 0x58210000);
    put32(to, crc_of(entry.bytes));
    put32(to, size);
    put32(to, static_cast<std::uint32_t>(entry.bytes.size()));
    put16(to, static_cast<unsigned>(entry.name.size()));
    put16(to, 0);
}

}  // namespace

std::string make_zip(const std::vector<ZipEntry>& entries, bool encrypted) {
    // An encrypted entry has a head of twelve bytes before its content; zeros open with no
    // password.
    const std::string head(encrypted ? 12 : 0, '\0');
    std::string out;
    std::string directory;
    for (const ZipEntry& entry : entries) {
        const auto size = static_cast<std::uint32_t>(entry.bytes.size() + head.size());
        put32(directory, 0x02014b50);
        put16(directory, 20);
        put_common(directory, entry, size, encrypted);
        put16(directory, 0);
        put16(directory, 0);
        put16(directory, 0);
        put32(directory, 0);
        put32(directory, static_cast<std::uint32_t>(out.size()));
        directory += entry.name;
        put32(out, 0x04034b50);
        put_common(out, entry, size, encrypted);
        out += entry.name + head + entry.bytes;
    }
    const auto start = static_cast<std::uint32_t>(out.size());
    out += directory;
    put32(out, 0x06054b50);
    put32(out, 0);
    put16(out, static_cast<unsigned>(entries.size()));
    put16(out, static_cast<unsigned>(entries.size()));
    put32(out, static_cast<std::uint32_t>(directory.size()));
    put32(out, start);
    put16(out, 0);
    return out;
}

}  // namespace hygie::mail
