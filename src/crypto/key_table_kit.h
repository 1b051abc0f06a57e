#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "crypto/key_table.h"
#include "crypto/sha256.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

/// \file
/// For tests: a key table on a simulated disk.

namespace hygie::crypto {

inline constexpr KeyScope kTrace{1, 2026};
inline const std::string kDir = "state/keys";
inline const std::string kFile = "state/keys/slots";

inline Secret32 key_of(std::string_view name) {
    return Secret32(sha256(as_bytes(name)));
}

struct House {
    explicit House(std::uint64_t seed = 1) : random(seed) {}

    sim::SimDisk disk;
    sim::SimRandom random;
    Secret32 wrapping = key_of("wrapping");

    Result<std::unique_ptr<KeyTable>> try_open() {
        return KeyTable::open(disk, random, kDir, wrapping);
    }
    std::unique_ptr<KeyTable> open() { return try_open().value(); }
    Bytes bytes() { return disk.read_file(kFile, 1 << 20).value(); }
    void put(ByteView content) { ASSERT_TRUE(disk.write_file(kFile, content)); }
};

}  // namespace hygie::crypto
