#include <algorithm>

#include "base/check.h"
#include "crypto/shares.h"

using namespace hygie;

/// A line accepted has one canonical spelling that means the same. Lines are taken as they come,
/// then as the fields of a share, since no fuzzer finds the checksum by itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> lines(1);
    for (const std::uint8_t byte : ByteView(data, size))
        if (byte == '\n')
            lines.emplace_back();
        else
            lines.back().push_back(static_cast<char>(byte));
    for (const std::string& line : lines)
        if (const auto share = crypto::parse_share(line))
            HYGIE_CHECK(crypto::parse_share(crypto::format_share(*share)) == *share,
                        "a share has two meanings");
    (void)crypto::combine(lines);

    crypto::Share share;
    if (size < 8 + share.value.size()) return 0;
    share.needed = data[0];
    share.total = data[1];
    share.index = data[2];
    share.group = load_be<std::uint32_t>(data + 4);
    std::copy_n(data + 8, share.value.size(), share.value.begin());
    const std::string line = crypto::format_share(share);
    if (const auto parsed = crypto::parse_share(line)) {
        HYGIE_CHECK(*parsed == share, "a share is read back as another");
        HYGIE_CHECK(crypto::format_share(*parsed) == line, "a share has two canonical spellings");
    }
    std::string second = line;
    second[second.size() - 1 - data[3] % second.size()] ^= 1;
    (void)crypto::combine(std::vector{line, second});
    return 0;
}
