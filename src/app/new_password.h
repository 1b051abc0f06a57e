#pragma once

#include <string>
#include <string_view>

#include "host/random.h"

namespace hygie::app {

/// Five groups of four letters and digits, without l, o, 0 and 1: 100 random bits.
inline std::string new_password(Random& random) {
    constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
    static_assert(kAlphabet.size() == 32);
    constexpr std::size_t kLetters = 20;
    constexpr std::size_t kGroup = 4;
    std::string password;
    for (const std::uint8_t byte : random.bytes<kLetters>()) {
        if (password.size() % (kGroup + 1) == kGroup) password += '.';
        password += kAlphabet[byte % kAlphabet.size()];
    }
    return password;
}

}  // namespace hygie::app
