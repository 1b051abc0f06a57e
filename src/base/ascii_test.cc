#include "base/ascii.h"

#include <gtest/gtest.h>

#include <cctype>

namespace hygie {
namespace {

/// The C library in the locale "C", in which a test starts.
TEST(Ascii, says_of_each_byte_what_the_c_library_says) {
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        EXPECT_EQ(is_digit(c), std::isdigit(byte) != 0) << byte;
        EXPECT_EQ(is_letter(c), std::isalpha(byte) != 0) << byte;
        EXPECT_EQ(is_alphanumeric(c), std::isalnum(byte) != 0) << byte;
        EXPECT_EQ(hex_value(c) >= 0, std::isxdigit(byte) != 0) << byte;
        EXPECT_EQ(is_blank(c), std::isspace(byte) != 0 && c != '\v' && c != '\f') << byte;
        EXPECT_EQ(lower(std::string(1, c)), std::string(1, static_cast<char>(std::tolower(byte))))
            << byte;
    }
}

TEST(Ascii, knows_what_hexadecimal_digits_are_worth) {
    EXPECT_EQ(hex_value('0'), 0);
    EXPECT_EQ(hex_value('9'), 9);
    EXPECT_EQ(hex_value('a'), 10);
    EXPECT_EQ(hex_value('F'), 15);
}

TEST(Ascii, leaves_letters_with_accents_alone) {
    EXPECT_EQ(lower("ÉTÉ à Brest"), "ÉtÉ à brest");
}

}  // namespace
}  // namespace hygie
