#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "host/random.h"

/// Shamir's secret sharing over GF(2⁸), byte by byte (Shamir 1979). For shares.h; others call that.
///
/// Ours and not libgfshare: its randomness is one function pointer for the whole process, without a
/// context to reach our Random (its ready-made choice is random(3)), and it multiplies through
/// tables indexed by secret bytes, which the cache betrays. The whole of it is the 40 lines of
/// shamir.cc.
namespace hygie::crypto::detail {

/// The value of every byte's polynomial at x. The secret is the value at 0.
struct Point {
    std::uint8_t x = 0;
    Bytes y;
    ~Point();  ///< wipes y
};

/// Points 1 to n of random polynomials of degree k - 1. 1 ≤ k ≤ n ≤ 255.
std::vector<Point> shamir_split(ByteView secret, unsigned k, unsigned n, Random& random);

/// The secret on the polynomials through all these points, which differ in x and have one size.
Bytes shamir_combine(std::span<const Point> points);

}  // namespace hygie::crypto::detail
