#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/path/fhirpath_number.h"

namespace hygie::fhir {

/// A unit of measure as a multiple of base units (UCUM 2.1, https://ucum.org/ucum): the part of it
/// that clinical records use. Arbitrary units ("[iU]"), moles, and temperatures with an offset
/// ("Cel") are kept as dimensions of their own: what cannot be converted is not compared.
struct Unit {
    static constexpr std::size_t kDimensions = 12;
    Decimal factor{1};
    std::array<std::int8_t, kDimensions> powers{};

    /// "mg/dL", "mm[Hg]", "{drops}/min", also the calendar words of FHIRPath ("day", "year").
    /// Absent when unknown.
    static std::optional<Unit> parse(std::string_view text);

    bool same_dimension(const Unit& other) const { return powers == other.powers; }
    /// The product (or the quotient, when `sign` is -1); absent when the factor becomes too large.
    static std::optional<Unit> combine(const Unit& left, const Unit& right, int sign);
    /// The base units alone, in UCUM: "g.m-1"; "1" when there is none.
    std::string base_text() const;
};

/// `value` given in `from`, as it is in `to`; absent when they measure different things.
std::optional<Decimal> convert(const Decimal& value, std::string_view from, std::string_view to);

/// The same, and temperatures, whose scales do not begin at the same point: "Cel", "[degF]", "K".
/// What is compared by amount of substance (mmol/L with mg/dL) is absent: it takes knowing which.
std::optional<Decimal> convert_scaled(const Decimal& value, std::string_view from,
                                      std::string_view to);

/// The calendar unit of FHIRPath behind a word or a UCUM code of definite length: "days" and "d"
/// give "day"; "years" gives "year", but "a" and "mo" give nothing. Empty when there is none.
std::string_view calendar_unit(std::string_view text);

}  // namespace hygie::fhir
