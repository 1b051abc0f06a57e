#include "app/line/columns.h"

#include <gtest/gtest.h>

namespace hygie::app {
namespace {

TEST(Columns, AnAccentTakesNoneOfItsOwn) {
    EXPECT_EQ(columns_of("gelé"), 4U);
    EXPECT_EQ(padded("gelé", 6), "gelé  ");
    EXPECT_EQ(padded("open", 6), "open  ");
}

TEST(Columns, WhatIsTooLongStandsApartAllTheSame) {
    EXPECT_EQ(padded("suspendu", 8), "suspendu ");
    EXPECT_EQ(padded("suspendu", 3), "suspendu ");
}

}  // namespace
}  // namespace hygie::app
