#include "crypto/shamir.h"

#include <sodium.h>

#include "base/check.h"

namespace hygie::crypto::detail {
namespace {

/// Product in GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1, the field of AES, in time that does not depend on
/// the values.
std::uint8_t multiply(unsigned left, unsigned right) {
    unsigned product = 0;
    for (int bit = 0; bit < 8; ++bit) {
        product ^= left & (0u - (right & 1u));
        left = (left << 1) ^ (0x11Bu & (0u - (left >> 7)));
        right >>= 1;
    }
    return static_cast<std::uint8_t>(product);
}

/// a⁻¹ = a²⁵⁴: the product of a², a⁴ … a¹²⁸.
std::uint8_t invert(std::uint8_t value) {
    std::uint8_t square = value;
    std::uint8_t inverse = 1;
    for (int i = 1; i < 8; ++i) {
        square = multiply(square, square);
        inverse = multiply(inverse, square);
    }
    return inverse;
}

/// What point `at` weighs in the value at 0 (Lagrange); minus is plus in this field.
std::uint8_t weight(std::span<const Point> points, std::size_t at) {
    std::uint8_t result = 1;
    for (std::size_t other = 0; other < points.size(); ++other) {
        if (other == at) continue;
        const std::uint8_t difference = points[at].x ^ points[other].x;
        HYGIE_CHECK(difference != 0, "two points at one place determine nothing");
        result = multiply(result, multiply(points[other].x, invert(difference)));
    }
    return result;
}

}  // namespace

Point::~Point() {
    sodium_memzero(y.data(), y.size());
}

std::vector<Point> shamir_split(ByteView secret, unsigned k, unsigned n, Random& random) {
    const bool fits = k >= 1 && k <= n && n <= 255;
    HYGIE_CHECK(fits, "the field has 255 places for points");
    std::vector<Point> points(n);
    for (unsigned i = 0; i < n; ++i) {
        points[i].x = static_cast<std::uint8_t>(i + 1);
        points[i].y.assign(secret.size(), 0);
    }
    // Horner's rule for all points at once, from the highest coefficient down to the secret.
    Bytes coefficients(secret.size());
    for (unsigned degree = k; degree-- > 0;) {
        if (degree == 0)
            coefficients.assign(secret.begin(), secret.end());
        else
            random.fill(coefficients);
        for (Point& point : points)
            for (std::size_t i = 0; i < secret.size(); ++i)
                point.y[i] = multiply(point.y[i], point.x) ^ coefficients[i];
    }
    sodium_memzero(coefficients.data(), coefficients.size());
    return points;
}

Bytes shamir_combine(std::span<const Point> points) {
    HYGIE_CHECK(!points.empty(), "no point determines nothing");
    Bytes secret(points.front().y.size());
    for (std::size_t at = 0; at < points.size(); ++at) {
        HYGIE_CHECK(points[at].y.size() == secret.size(), "points of one secret have one size");
        const std::uint8_t factor = weight(points, at);
        for (std::size_t i = 0; i < secret.size(); ++i)
            secret[i] ^= multiply(factor, points[at].y[i]);
    }
    return secret;
}

}  // namespace hygie::crypto::detail
