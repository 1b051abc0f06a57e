#include "guards/files/content/excerpt.h"

#include <algorithm>

#include "guards/files/content/chunks.h"

namespace hygie::files {
namespace {

// Of a content too large to be read whole: its head, its tail, and samples between them whose
// distance is odd in chunks, so that damage at any regular distance is met.
constexpr std::size_t kHeadBytes = 1 << 20;
constexpr std::size_t kTailBytes = 256 << 10;
constexpr std::size_t kSampleBytes = 4 * kChunkBytes;
constexpr std::size_t kSamples = 96;

void take(const Content& content, std::uint64_t offset, std::size_t size, Bytes& out) {
    const std::size_t start = out.size();
    out.resize(start + size);
    std::size_t done = 0;
    while (done < size) {
        const auto got = content.read_at(offset + done, std::span(out).subspan(start + done));
        if (!got || *got == 0) break;
        done += *got;
    }
    out.resize(start + done);
}

}  // namespace

Result<std::size_t> MemoryContent::read_at(std::uint64_t offset,
                                           std::span<std::uint8_t> out) const {
    if (offset >= bytes_.size()) return 0;
    const std::size_t count = std::min<std::size_t>(out.size(), bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
    return count;
}

Excerpt excerpt_of(const Content& content) {
    Excerpt excerpt{.bytes = {}, .size = content.size()};
    if (excerpt.size <= kWholeBytesMax) {
        take(content, 0, static_cast<std::size_t>(excerpt.size), excerpt.bytes);
        excerpt.size = excerpt.bytes.size();  // the live file may have shrunk
        return excerpt;
    }
    excerpt.whole = false;
    excerpt.bytes.reserve(kHeadBytes + kSamples * kSampleBytes + kTailBytes);
    take(content, 0, kHeadBytes, excerpt.bytes);
    const std::uint64_t middle = excerpt.size - kHeadBytes - kTailBytes;
    const std::uint64_t step = (middle / kSamples / kChunkBytes | 1) * kChunkBytes;
    for (std::size_t i = 0; i < kSamples && (i + 1) * step <= middle; ++i)
        take(content, kHeadBytes + i * step, kSampleBytes, excerpt.bytes);
    take(content, excerpt.size - kTailBytes, kTailBytes, excerpt.bytes);
    return excerpt;
}

}  // namespace hygie::files
