#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hygie::fhir {

/// A decimal number, exact to 37 significant digits: FHIR keeps the digits that were written, and
/// measurements with twenty decimals are found in the field. What does not fit is rounded in its
/// last digits; what is too large is absent.
class Decimal {
  public:
    Decimal() = default;
    explicit Decimal(std::int64_t value) : digits_(value) {}
    /// A JSON number, or one with a leading plus or zeros.
    static std::optional<Decimal> parse(std::string_view text);
    /// Fifteen significant digits of it; absent when not finite or too large.
    static std::optional<Decimal> from_double(double value);

    /// With the decimals that it has: 1.50 stays 1.50.
    std::string text() const;
    double to_double() const;
    /// How many digits behind the point.
    int scale() const { return scale_; }
    bool negative() const { return digits_ < 0; }
    bool zero() const { return digits_ == 0; }
    /// The value, when it has no fraction and fits.
    std::optional<std::int64_t> integer() const;

    std::strong_ordering operator<=>(const Decimal& other) const;
    bool operator==(const Decimal& other) const { return (*this <=> other) == 0; }
    Decimal operator-() const;

    static std::optional<Decimal> add(Decimal left, Decimal right);
    static std::optional<Decimal> multiply(Decimal left, Decimal right);
    /// To 28 digits at most; absent for a division by zero, as in the next two.
    static std::optional<Decimal> divide(Decimal left, Decimal right);
    /// The whole part of the quotient, towards zero.
    static std::optional<Decimal> whole_quotient(Decimal left, Decimal right);
    static std::optional<Decimal> remainder(Decimal left, Decimal right);

    /// To so many decimals, halves away from zero; more decimals than it has leave it as it is.
    Decimal rounded(int decimals) const;
    Decimal truncated() const;
    Decimal floor() const;
    Decimal ceiling() const;
    /// Without zeros at the end of the fraction.
    Decimal normalized() const;

  private:
    using Digits = __int128;
    Decimal(Digits digits, int scale) : digits_(digits), scale_(scale) {}
    bool rescale(int scale);
    static bool align(Decimal& left, Decimal& right);

    Digits digits_ = 0;  ///< the value times 10^scale_
    int scale_ = 0;      ///< never negative
};

}  // namespace hygie::fhir
