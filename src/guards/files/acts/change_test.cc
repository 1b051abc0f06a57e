#include "guards/files/acts/change.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hygie::files {
namespace {

RC_GTEST_PROP(FileKey, KeepsWhatNamesAFile, (std::uint8_t volume, std::uint8_t type)) {
    const auto handle = *rc::gen::resize(38, rc::gen::arbitrary<Bytes>());
    RC_PRE(handle.size() + 2 <= FileKey::kBytesMax);
    const FileKey key(volume, type, handle);
    RC_ASSERT(key.volume() == volume);
    RC_ASSERT(key.type() == type);
    RC_ASSERT(to_bytes(key.handle()) == handle);
    RC_ASSERT(key == FileKey(volume, type, handle));
    RC_ASSERT(key != FileKey(volume, static_cast<std::uint8_t>(type + 1), handle));
}

TEST(FileKey, AGenerationMakesAnotherFile) {
    const Bytes first{1, 0, 0, 0, 7, 0, 0, 0};
    Bytes second = first;
    second[4] = 8;
    EXPECT_NE(FileKey(0, 1, first), FileKey(0, 1, second));
}

TEST(Actor, ClientsOfSambaAreNamedByPersonAndMachine) {
    Actor actor;
    actor.family = {42, 1000};
    actor.uid = 33;
    EXPECT_EQ(actor.key(), "family:42.1000:uid:33");
    actor.smb = SmbClient{"marie", "192.0.2.7"};
    EXPECT_EQ(actor.key(), "smb:marie@192.0.2.7");
}

}  // namespace
}  // namespace hygie::files
