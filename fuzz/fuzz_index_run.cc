#include "base/check.h"
#include "ledger/index/index_block.h"

using namespace hygie;
using namespace hygie::ledger;

/// A block of an index run, as a completeness proof carries it: accepted ⇒ written again to the
/// same bytes. The first five bytes choose the dimension and the size of the run.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 5) return 0;
    const Dimension dimension = kDimensions[data[0] % kDimensions.size()];
    const auto positions = std::uint64_t{load_be<std::uint32_t>(data + 1)};
    const ByteView in(data + 5, size - 5);
    if (const auto block = decode_block(in, dimension, positions))
        HYGIE_CHECK(as_text(encode_block(*block, positions)) == as_text(in),
                    "an accepted block has a second spelling");
    return 0;
}
