#include "base/counted.h"

#include <gtest/gtest.h>

namespace hygie {
namespace {

TEST(Counted, SaysOneOrManyAsEachLanguageDoes) {
    const auto files = [](std::uint64_t number) {
        return counted({"{} [fichier|fichiers]", "{} [file|files]"}, {number});
    };
    EXPECT_EQ(files(0), (Text{"0 fichier", "0 files"}));
    EXPECT_EQ(files(1), (Text{"1 fichier", "1 file"}));
    EXPECT_EQ(files(2), (Text{"2 fichiers", "2 files"}));
}

TEST(Counted, EachFormGoesWithTheNumberBeforeIt) {
    EXPECT_EQ(
        counted({"{} [dossier|dossiers], {} [refusé|refusés] : [il|ils]", "{} and {}[|s]"}, {1, 3}),
        (Text{"1 dossier, 3 refusés : ils", "1 and 3s"}));
}

TEST(CountedDeathTest, NumbersAndPlacesAreAsMany) {
    EXPECT_DEATH((void)counted({"{}", "{}"}, {1, 2}), "");
    EXPECT_DEATH((void)counted({"{} {}", "{} {}"}, {1}), "");
    EXPECT_DEATH((void)counted({"[un|deux]", ""}, {}), "");
}

}  // namespace
}  // namespace hygie
