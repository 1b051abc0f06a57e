#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "guards/files/content/finding.h"

/// Two contents of a file from anywhere: every parser of formats and archives, and the statistics.
/// The verdict about bytes is one about them alone: same bytes, same finding, and a file that did
/// not change is always innocent.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hygie;
    if (size < 2) return 0;
    const std::size_t cut = (std::size_t{data[0]} << 8 | data[1]) % (size - 1);
    const ByteView both(data + 2, size - 2);
    const auto excerpt = [](ByteView bytes) {
        return files::Excerpt{to_bytes(bytes), bytes.size(), true};
    };
    const files::Excerpt before = excerpt(both.first(std::min(cut, both.size())));
    const files::Excerpt after = excerpt(both.subspan(std::min(cut, both.size())));
    const files::Finding finding = files::examine(before, after);
    HYGIE_CHECK(finding == files::examine(before, after), "same bytes, same finding");
    HYGIE_CHECK(finding.survival_permille >= 0 && finding.survival_permille <= 1000, "a share");
    HYGIE_CHECK(finding.chunks.random <= finding.chunks.changed &&
                    finding.chunks.changed <= finding.chunks.chunks,
                "a part is no more than the whole");
    HYGIE_CHECK(files::examine(after, after).fate == files::Fate::Same, "unchanged is innocent");
    return 0;
}
