#include "guards/mail/message/ole.h"

#include <algorithm>

#include "guards/mail/message/bytes_at.h"
#include "guards/mail/message/charset.h"

namespace hygie::mail {
namespace {

constexpr std::uint32_t kEndOfChain = 0xFFFFFFFE;
constexpr std::uint32_t kSectorMax = 0xFFFFFFFA;
constexpr std::size_t kHeaderBytes = 512;
constexpr std::size_t kHeaderFats = 109;
constexpr std::size_t kEntryBytes = 128;
constexpr std::size_t kEntriesMax = 4096;
constexpr std::size_t kStreamBytesMax = 32U << 20;

}  // namespace

OleFile::OleFile(std::string_view bytes) : bytes_(bytes) {
    if (bytes.size() < kHeaderBytes) return;
    const unsigned shift = u16_at(bytes, 30);
    const unsigned mini_shift = u16_at(bytes, 32);
    if (shift < 7 || shift > 16 || mini_shift < 4 || mini_shift > shift) return;
    sector_ = std::size_t{1} << shift;
    mini_sector_ = std::size_t{1} << mini_shift;
    mini_cutoff_ = u32_at(bytes, 56);
    const std::size_t sectors = bytes.size() / sector_ + 1;
    std::vector<std::uint32_t> fat_sectors;
    for (std::size_t i = 0; i < kHeaderFats; ++i) fat_sectors.push_back(u32_at(bytes, 76 + 4 * i));
    std::uint32_t more = u32_at(bytes, 68);
    for (std::size_t i = 0; i < sectors && more < kSectorMax; ++i) {
        const std::size_t at = (std::size_t{more} + 1) * sector_;
        for (std::size_t j = 0; j + 1 < sector_ / 4; ++j)
            fat_sectors.push_back(u32_at(bytes, at + 4 * j));
        more = u32_at(bytes, at + sector_ - 4);
    }
    for (const std::uint32_t one : fat_sectors) {
        if (one >= kSectorMax || fat_.size() > sectors) continue;
        const std::size_t at = (std::size_t{one} + 1) * sector_;
        for (std::size_t j = 0; j < sector_ / 4; ++j) fat_.push_back(u32_at(bytes, at + 4 * j));
    }
    mini_fat_ = chain(u32_at(bytes, 60), kStreamBytesMax);
    read_directory(u32_at(bytes, 48));
}

std::uint32_t OleFile::next_of(std::uint32_t sector) const {
    return sector < fat_.size() ? fat_[sector] : kEndOfChain;
}

std::string OleFile::chain(std::uint32_t start, std::size_t size_max) const {
    std::string out;
    // A chain has no more links than there are sectors: a loop ends there.
    std::size_t steps = bytes_.size() / sector_ + 1;
    for (std::uint32_t sector = start; sector < kSectorMax && steps > 0 && out.size() < size_max;
         sector = next_of(sector), --steps)
        out += part_of(bytes_, (std::size_t{sector} + 1) * sector_, sector_);
    if (out.size() > size_max) out.resize(size_max);
    return out;
}

void OleFile::read_directory(std::uint32_t start) {
    const std::string directory = chain(start, kEntriesMax * kEntryBytes);
    for (std::size_t at = 0; at + kEntryBytes <= directory.size(); at += kEntryBytes) {
        const std::string_view raw = std::string_view(directory).substr(at, kEntryBytes);
        const auto kind = static_cast<unsigned char>(raw[66]);
        if (kind == 0) continue;
        const std::size_t name_bytes = std::min<std::size_t>(u16_at(raw, 64), 64);
        Entry entry{.name = name_bytes < 2
                                ? std::string()
                                : decode_charset(raw.substr(0, name_bytes - 2), "utf-16le").text,
                    .is_stream = kind == 2,
                    .start = u32_at(raw, 116),
                    .size = u64_at(raw, 120)};
        if (kind == 5) {
            root_class_ = raw.substr(80, 16);
            mini_stream_ = chain(entry.start, kStreamBytesMax);
        }
        entries_.push_back(std::move(entry));
    }
}

std::string OleFile::stream(const Entry& entry, std::size_t size_max) const {
    const std::size_t size = std::min<std::uint64_t>(entry.size, size_max);
    if (entry.size >= mini_cutoff_) return chain(entry.start, size);
    std::string out;
    std::size_t steps = mini_fat_.size() / 4 + 1;
    for (std::uint32_t sector = entry.start; sector < kSectorMax && steps > 0 && out.size() < size;
         sector = sector < mini_fat_.size() / 4 ? u32_at(mini_fat_, 4 * std::size_t{sector})
                                                : kEndOfChain,
                       --steps)
        out += part_of(mini_stream_, std::size_t{sector} * mini_sector_, mini_sector_);
    if (out.size() > size) out.resize(size);
    return out;
}

std::string vba_source(std::string_view container, std::size_t size_max) {
    std::string out;
    if (container.empty() || container[0] != 1) return out;
    std::size_t at = 1;
    while (at + 2 <= container.size() && out.size() < size_max) {
        const unsigned head = u16_at(container, at);
        const std::size_t size = (head & 0x0FFFU) + 3;
        const bool compressed = (head & 0x8000U) != 0;
        if ((head & 0x7000U) != 0x3000U) return out;
        const std::size_t end = std::min(at + size, container.size());
        const std::size_t chunk = out.size();
        at += 2;
        if (!compressed) {
            out += container.substr(at, end - at);
            at = end;
            continue;
        }
        while (at < end) {
            const auto flags = static_cast<unsigned char>(container[at++]);
            for (unsigned bit = 0; bit < 8 && at < end; ++bit) {
                if (((flags >> bit) & 1U) == 0) {
                    out.push_back(container[at++]);
                    continue;
                }
                const unsigned token = u16_at(container, at);
                at += 2;
                // The split of offset and length depends on how far the chunk has come.
                unsigned bits = 4;
                while ((std::size_t{1} << bits) < out.size() - chunk && bits < 12) ++bits;
                const std::size_t length = (token & (0xFFFFU >> bits)) + 3;
                const std::size_t offset = (token >> (16 - bits)) + 1;
                if (offset > out.size() - chunk) return out;
                for (std::size_t i = 0; i < length && out.size() < size_max; ++i)
                    out.push_back(out[out.size() - offset]);
            }
        }
    }
    return out;
}

}  // namespace hygie::mail
