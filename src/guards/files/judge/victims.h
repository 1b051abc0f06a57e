#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"

/// For tests: the files of a practice's share (../shared/data/files), read into memory, and what
/// becomes of bytes.
namespace hygie::files {

struct Victim {
    std::string path;
    Bytes bytes;
};

inline std::vector<Victim> load_victims(const std::filesystem::path& archive_path) {
    std::vector<Victim> victims;
    struct archive* reader = archive_read_new();
    archive_read_support_format_tar(reader);
    archive_read_support_filter_zstd(reader);
    archive_read_set_options(reader, "hdrcharset=BINARY");  // names as they are, in any locale
    struct archive_entry* entry = nullptr;
    if (archive_read_open_filename(reader, archive_path.c_str(), 1 << 16) == ARCHIVE_OK) {
        for (;;) {
            const int state = archive_read_next_header(reader, &entry);
            if (state == ARCHIVE_EOF || state < ARCHIVE_WARN) break;
            if (archive_entry_filetype(entry) != AE_IFREG) continue;
            Victim victim{archive_entry_pathname(entry),
                          Bytes(static_cast<std::size_t>(archive_entry_size(entry)))};
            archive_read_data(reader, victim.bytes.data(), victim.bytes.size());
            victims.push_back(std::move(victim));
        }
    }
    archive_read_free(reader);
    return victims;
}

/// Read once; empty when the shared data are not there.
inline const std::vector<Victim>& victims() {
    static const std::vector<Victim> all = [] {
        const char* source = std::getenv("HYGIE_SOURCE");
        const std::filesystem::path root = source ? source : ".";
        return load_victims(root / "../shared/data/files/victims.tar.zst");
    }();
    return all;
}

using Chance = std::mt19937_64;

inline Bytes random_bytes(std::size_t size, Chance& chance) {
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance());
    return bytes;
}

inline Bytes gzip(ByteView bytes) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    Bytes out(deflateBound(&stream, bytes.size()) + 64);
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

/// As SQLite lays out large values: a head, then pages that begin with the number of the next.
inline Bytes in_a_database(ByteView value) {
    constexpr std::size_t kPageBytes = 4096;
    constexpr std::size_t kLinkBytes = 4;
    constexpr std::string_view kMagic("SQLite format 3\0", 16);
    Bytes pages(kMagic.begin(), kMagic.end());
    pages.resize(2 * kPageBytes);
    for (std::size_t at = 0; at < value.size(); at += kPageBytes - kLinkBytes) {
        pages.resize(pages.size() + kLinkBytes, static_cast<std::uint8_t>(pages.size() >> 12));
        append(pages, value.subspan(at, std::min(value.size() - at, kPageBytes - kLinkBytes)));
        pages.resize((pages.size() + kPageBytes - 1) / kPageBytes * kPageBytes);
    }
    return pages;
}

}  // namespace hygie::files
