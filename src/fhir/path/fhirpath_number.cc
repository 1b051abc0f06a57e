#include "fhir/path/fhirpath_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/ascii.h"
#include "base/check.h"

namespace hygie::fhir {
namespace {

using Digits = __int128;

constexpr int kDigitsMax = 37;      // 10^38 still fits into 127 bits
constexpr int kScaleMax = 37;       // more decimals are rounded away
constexpr int kQuotientScale = 28;  // FHIRPath asks for 28 digits and 8 decimals
constexpr int kExponentMax = 1000;

constexpr Digits power_of_ten(int exponent) {
    Digits value = 1;
    for (int i = 0; i < exponent; ++i) value *= 10;
    return value;
}
const Digits kLimit = power_of_ten(kDigitsMax + 1);

/// Drops digits at the end, halves away from zero.
Digits drop_digits(Digits value, int count) {
    if (count > kDigitsMax) return 0;
    const Digits unit = power_of_ten(count);
    const Digits rest = value % unit;
    Digits kept = value / unit;
    if (rest >= unit - rest && rest > 0) ++kept;
    if (-rest >= unit + rest && rest < 0) --kept;
    return kept;
}

/// The exponent behind "e" of a number; absent when it is none or out of all measure.
std::optional<int> parse_exponent(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const bool negative = text[0] == '-';
    if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    int value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        value = std::min(value * 10 + (c - '0'), kExponentMax);
    }
    return negative ? -value : value;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
    const bool minus = text.starts_with('-');
    if (minus || text.starts_with('+')) text.remove_prefix(1);
    int exponent = 0;
    if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
        const auto parsed = parse_exponent(text.substr(e + 1));
        if (!parsed) return std::nullopt;
        exponent = *parsed;
        text = text.substr(0, e);
    }
    if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) return std::nullopt;
    Digits digits = 0;
    int scale = 0;
    bool fraction = false;
    for (const char c : text) {
        if (c == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (!is_digit(c)) return std::nullopt;
        if (digits >= kLimit / 10) {
            if (!fraction) return std::nullopt;
            continue;  // beyond what anything measures
        }
        digits = digits * 10 + (c - '0');
        if (fraction) ++scale;
    }
    scale -= exponent;
    if (scale > kScaleMax) {
        digits = drop_digits(digits, scale - kScaleMax);
        scale = kScaleMax;
    }
    for (; scale < 0 && digits != 0; ++scale) {
        if (digits >= kLimit / 10) return std::nullopt;
        digits *= 10;
    }
    return Decimal(minus ? -digits : digits, std::max(scale, 0));
}

std::optional<Decimal> Decimal::from_double(double value) {
    if (!std::isfinite(value)) return std::nullopt;
    const auto parsed = parse(fmt::format("{:.14e}", value));
    if (!parsed) return std::nullopt;
    return parsed->normalized();
}

std::string Decimal::text() const {
    Digits rest = digits_ < 0 ? -digits_ : digits_;
    std::string reversed;
    while (rest > 0 || static_cast<int>(reversed.size()) <= scale_) {
        reversed.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
        rest /= 10;
    }
    if (scale_ > 0) reversed.insert(static_cast<std::size_t>(scale_), 1, '.');
    if (digits_ < 0) reversed.push_back('-');
    std::ranges::reverse(reversed);
    return reversed;
}

double Decimal::to_double() const {
    return static_cast<double>(static_cast<long double>(digits_) /
                               std::pow(10.0L, static_cast<long double>(scale_)));
}

std::optional<std::int64_t> Decimal::integer() const {
    const auto plain = normalized();
    if (plain.scale_ > 0 || plain.digits_ > INT64_MAX || plain.digits_ < INT64_MIN) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(plain.digits_);
}

/// Gives the number exactly `scale` decimals when that loses nothing and fits.
bool Decimal::rescale(int scale) {
    HYGIE_CHECK(scale >= scale_, "a rescaled decimal loses no digit");
    Digits digits = digits_;
    for (int i = scale_; i < scale; ++i) {
        if (__builtin_mul_overflow(digits, Digits{10}, &digits)) return false;
    }
    digits_ = digits;
    scale_ = scale;
    return true;
}

/// Brings both to the same scale without losing a digit; false when one of them does not fit.
bool Decimal::align(Decimal& left, Decimal& right) {
    return left.scale_ < right.scale_ ? left.rescale(right.scale_) : right.rescale(left.scale_);
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
    Decimal left = *this;
    Decimal right = other;
    if (align(left, right)) return left.digits_ <=> right.digits_;
    // The one that could not be scaled up is the larger in absolute value.
    const bool left_larger = scale_ < other.scale_;
    const bool above = left_larger ? digits_ > 0 : other.digits_ < 0;
    return above ? std::strong_ordering::greater : std::strong_ordering::less;
}

Decimal Decimal::operator-() const {
    return {-digits_, scale_};
}

std::optional<Decimal> Decimal::add(Decimal left, Decimal right) {
    Decimal& finer = left.scale_ > right.scale_ ? left : right;
    Decimal& coarser = left.scale_ > right.scale_ ? right : left;
    while (!align(left, right)) finer = finer.rounded(finer.scale_ - 1);
    Digits sum = 0;
    if (__builtin_add_overflow(coarser.digits_, finer.digits_, &sum)) return std::nullopt;
    return Decimal(sum, left.scale_);
}

std::optional<Decimal> Decimal::multiply(Decimal left, Decimal right) {
    Digits product = 0;
    while (__builtin_mul_overflow(left.digits_, right.digits_, &product)) {
        Decimal& finer = left.scale_ > right.scale_ ? left : right;
        if (finer.scale_ == 0) return std::nullopt;
        finer = finer.rounded(finer.scale_ - 1);
    }
    return Decimal(product, left.scale_ + right.scale_).rounded(kScaleMax);
}

std::optional<Decimal> Decimal::divide(Decimal left, Decimal right) {
    if (right.zero()) return std::nullopt;
    right = right.normalized();
    int scale = left.scale_ - right.scale_;
    Digits digits = left.digits_;
    for (Digits next = 0; scale < kQuotientScale; ++scale) {
        if (__builtin_mul_overflow(digits, Digits{10}, &next)) break;
        digits = next;
    }
    Digits quotient = digits / right.digits_;
    for (; scale < 0; ++scale) {
        if (__builtin_mul_overflow(quotient, Digits{10}, &quotient)) return std::nullopt;
    }
    return Decimal(quotient, scale).rounded(kQuotientScale).normalized();
}

std::optional<Decimal> Decimal::whole_quotient(Decimal left, Decimal right) {
    if (right.zero() || !align(left, right)) return std::nullopt;
    return Decimal(left.digits_ / right.digits_, 0);
}

std::optional<Decimal> Decimal::remainder(Decimal left, Decimal right) {
    if (right.zero() || !align(left, right)) return std::nullopt;
    return Decimal(left.digits_ % right.digits_, left.scale_);
}

Decimal Decimal::rounded(int decimals) const {
    if (decimals >= scale_) return *this;
    return {drop_digits(digits_, scale_ - decimals), decimals};
}

Decimal Decimal::truncated() const {
    return {scale_ > kDigitsMax ? 0 : digits_ / power_of_ten(scale_), 0};
}

Decimal Decimal::floor() const {
    Decimal whole = truncated();
    if (*this < whole) --whole.digits_;
    return whole;
}

Decimal Decimal::ceiling() const {
    return -(-*this).floor();
}

Decimal Decimal::normalized() const {
    Decimal plain = *this;
    while (plain.scale_ > 0 && plain.digits_ % 10 == 0) {
        plain.digits_ /= 10;
        --plain.scale_;
    }
    return plain;
}

}  // namespace hygie::fhir
