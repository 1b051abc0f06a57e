#include "crypto/secret.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace hygie::crypto {
namespace {

std::array<std::uint8_t, 32> some_bytes() {
    std::array<std::uint8_t, 32> bytes;
    bytes.fill(0xA7);
    return bytes;
}

TEST(Secret, holds_and_compares_its_bytes) {
    const Secret32 secret(some_bytes());
    EXPECT_EQ(to_bytes(secret.view()), Bytes(32, 0xA7));
    EXPECT_TRUE(secret == Secret32(some_bytes()));
    EXPECT_FALSE(secret == Secret32());
}

TEST(Secret, is_wiped_when_destroyed) {
    alignas(Secret32) std::array<std::uint8_t, sizeof(Secret32)> memory;
    auto* const secret = new (memory.data()) Secret32(some_bytes());
    ASSERT_TRUE(std::ranges::count(memory, 0xA7) == 32);
    std::destroy_at(secret);
    EXPECT_TRUE(std::ranges::count(memory, 0xA7) == 0);
}

/// Exits with 0 when the process, once hardened, is what harden_process() promises.
[[noreturn]] void harden_and_exit() {
    harden_process();
    rlimit core{1, 1};
    const bool hardened = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                          getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
                          core.rlim_max == 0;
    // What it allocates afterwards must still be granted, whatever the limit on locked memory.
    const auto memory = std::make_unique<std::array<std::uint8_t, 8 << 20>>();
    _exit(hardened && memory->back() == 0 ? 0 : 1);
}

TEST(HardenDeathTest, a_hardened_process_leaves_no_core_and_no_tracer) {
    EXPECT_EXIT(harden_and_exit(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hygie::crypto
