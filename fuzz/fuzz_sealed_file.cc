#include "access/accounts/account_codec.h"
#include "access/accounts/sealed_file.h"
#include "base/check.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

using namespace hygie;

/// Input: bytes found where a sealed file should be, and the content of one of accounts. No bytes
/// open that we did not seal; a book of this version that is accepted is spelled again to the same
/// bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    if (const auto book = access::decode_book(bytes); book && size > 0) {
        const auto again = access::encode_book(*book);
        HYGIE_CHECK(again, "a book that was read is written");
        const bool is_older =
            bytes[1] != (*again)[1];  // the version stands behind the array's head
        HYGIE_CHECK(is_older || std::ranges::equal(*again, bytes), "a book has two spellings");
    }
    sim::SimDisk disk;
    sim::SimClock clock;
    sim::SimRandom random(1);
    HYGIE_CHECK(disk.make_dirs("d") && disk.write_file("d/f", bytes), "the disk writes");
    const crypto::Secret32 key(std::array<std::uint8_t, 32>{1});
    HYGIE_CHECK(!access::SealedFile::open({disk, clock, random}, "d", "f", key),
                "bytes opened that nobody sealed");
    return 0;
}
