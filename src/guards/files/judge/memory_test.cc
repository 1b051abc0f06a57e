#include "guards/files/judge/memory.h"

#include <gtest/gtest.h>

namespace hygie::files {
namespace {

const Memory kSome = {{crypto::Token{1}, {{20'000, 7}, {20'001, 0}}}, {crypto::Token{2}, {{5, 9}}}};

TEST(Memory, IsReadAsItWasWritten) {
    EXPECT_EQ(parse_memory(spell_memory({})).value(), Memory{});
    EXPECT_EQ(parse_memory(spell_memory(kSome)).value(), kSome);
}

TEST(Memory, NothingButAWholeOneIsTaken) {
    const Bytes whole = spell_memory(kSome);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(parse_memory(ByteView(whole).first(size))) << size;
    Bytes longer = whole;
    longer.push_back(0);
    EXPECT_FALSE(parse_memory(longer));
}

}  // namespace
}  // namespace hygie::files
