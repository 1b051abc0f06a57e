#include "fhir/data/code_shape.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace hygie::fhir {

namespace {

bool all_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_digit);
}

/// The dihedral group of ten (J. Verhoeff, Error Detecting Decimal Codes, 1969).
int multiply(int left, int right) {
    constexpr int kHalf = 5;
    const int turned = left % kHalf;
    if (left < kHalf) {
        return right < kHalf ? (turned + right) % kHalf : (turned + right % kHalf) % kHalf + kHalf;
    }
    return right < kHalf ? (turned - right + kHalf) % kHalf + kHalf
                         : (turned - right % kHalf + kHalf) % kHalf;
}

bool keeps_verhoeff(std::string_view digits) {
    constexpr std::array<int, 10> kOnce = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
    int sum = 0;
    for (std::size_t place = 0; place < digits.size(); ++place) {
        int digit = digits[digits.size() - 1 - place] - '0';
        for (std::size_t i = 0; i < place % 8; ++i) digit = kOnce[static_cast<std::size_t>(digit)];
        sum = multiply(sum, digit);
    }
    return sum == 0;
}

CodeFit fit_of_snomed(std::string_view code) {
    constexpr std::size_t kLeast = 6;
    constexpr std::size_t kMost = 18;
    const bool is_expression = code.find_first_of(" :|+,={}<>()") != std::string_view::npos;
    if (is_expression) return CodeFit::Fits;
    if (!all_digits(code) || code.size() < kLeast || code.size() > kMost || code.front() == '0')
        return CodeFit::WrongShape;
    return keeps_verhoeff(code) ? CodeFit::Fits : CodeFit::WrongKey;
}

/// Every other digit from the right counts twice, digit by digit.
bool keeps_luhn(std::string_view digits, char key) {
    int sum = 0;
    for (std::size_t place = 0; place < digits.size(); ++place) {
        const int digit = digits[digits.size() - 1 - place] - '0';
        const int twice = 2 * digit;
        sum += place % 2 == 0 ? twice / 10 + twice % 10 : digit;
    }
    return (10 - sum % 10) % 10 == key - '0';
}

CodeFit fit_of_loinc(std::string_view code) {
    const bool is_part = code.starts_with("LP") || code.starts_with("LA") || code.starts_with("LG");
    if (is_part) code.remove_prefix(2);
    const std::size_t hyphen = code.find('-');
    constexpr std::size_t kMost = 8;
    if (hyphen == std::string_view::npos || hyphen + 2 != code.size() || hyphen > kMost ||
        !all_digits(code.substr(0, hyphen)) || !is_digit(code.back()))
        return CodeFit::WrongShape;
    if (is_part) return CodeFit::Fits;
    return keeps_luhn(code.substr(0, hyphen), code.back()) ? CodeFit::Fits : CodeFit::WrongKey;
}

}  // namespace

CodeFit fit_of(std::string_view system, std::string_view code) {
    if (system == "http://snomed.info/sct") return fit_of_snomed(code);
    if (system == "http://loinc.org") return fit_of_loinc(code);
    return CodeFit::Fits;
}

}  // namespace hygie::fhir
