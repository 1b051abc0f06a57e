#include "fhir/clinical_vaccine.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "fhir/fhirpath_time.h"
#include "fhir/search_value.h"

namespace hygie::fhir {

namespace {

constexpr std::string_view kCvx = "http://hl7.org/fhir/sid/cvx";
constexpr std::string_view kAtc = "http://www.whocc.no/atc";

/// Vaccines by CVX codes and by a prefix of ATC: the fewest days between two doses (CDC, General
/// Best Practice Guidelines for Immunization, table 3-2; calendrier vaccinal français).
struct Vaccine {
    std::string_view cvx;  ///< codes between spaces
    std::string_view atc;
    int days;
};
constexpr Vaccine kVaccines[] = {
    {" 18 90 166 175 176 ", "J07BG", 3},                     // rabies, several in a week
    {" 207 208 213 217 218 221 300 301 302 ", "J07BN", 21},  // COVID-19
    {" 08 43 44 45 110 ", "J07BC01", 28},                    // hepatitis B
    {" 52 83 84 85 104 ", "J07BC02", 168},                   // hepatitis A
    {" 114 136 147 203 ", "J07AH08", 56},                    // meningococcal ACWY
    {" 09 113 115 138 139 ", "J07AM51", 28},                 // tetanus, of a primary series too
    {" 33 ", "J07AL01", 1'825},                              // pneumococcal polysaccharide
    {" 37 183 184 ", "J07BL01", 1'825},                      // yellow fever
    {" 25 41 53 101 ", "J07AP", 730},                        // typhoid
    {" 187 ", "J07BK03", 28},                                // recombinant zoster
};
/// Of any other: no vaccine is given again sooner.
constexpr int kDaysAtLeast = 21;
constexpr int kDaysTolerated = 4;

bool is_given(Json immunization) {
    return immunization["status"].text() == "completed" && immunization["occurrenceDateTime"];
}

bool shares_a_code(Json one, Json other) {
    const auto codings = other["coding"].items();
    for (const Json coding : one["coding"].items()) {
        const bool found = std::ranges::any_of(codings, [&](Json each) {
            return each["system"].text() == coding["system"].text() &&
                   each["code"].text() == coding["code"].text();
        });
        if (found && !coding["code"].text().empty()) return true;
    }
    if (one["coding"] || other["coding"]) return false;
    const auto text = fold(one["text"].text());
    return !text.empty() && text == fold(other["text"].text());
}

int days_of(Json vaccine) {
    for (const Json coding : vaccine["coding"].items()) {
        const auto system = coding["system"].text();
        const auto code = coding["code"].text();
        for (const Vaccine& known : kVaccines) {
            const bool by_cvx = system == kCvx && known.cvx.contains(" " + std::string(code) + " ");
            if (by_cvx || (system == kAtc && code.starts_with(known.atc))) return known.days;
        }
    }
    return kDaysAtLeast;
}

/// Days between two dates that are known to the day; absent otherwise.
std::optional<std::int64_t> days_between(std::string_view one, std::string_view other) {
    const auto a = Temporal::parse_date_time(one);
    const auto b = Temporal::parse_date_time(other);
    constexpr auto kDay = Temporal::Precision::Day;
    if (!a || !b || a->precision < kDay || b->precision < kDay) return std::nullopt;
    const auto day = [](const Temporal& value) {
        namespace chrono = std::chrono;
        return chrono::sys_days{chrono::year{value.year} /
                                chrono::month{static_cast<unsigned>(value.month)} /
                                chrono::day{static_cast<unsigned>(value.day)}};
    };
    return std::abs((day(*a) - day(*b)).count());
}

}  // namespace

std::optional<int> broken_interval(Json one, Json other) {
    if (!is_given(one) || !is_given(other)) return std::nullopt;
    if (!shares_a_code(one["vaccineCode"], other["vaccineCode"])) return std::nullopt;
    const auto apart =
        days_between(one["occurrenceDateTime"].text(), other["occurrenceDateTime"].text());
    const int days = days_of(one["vaccineCode"]);
    const int told = days > kDaysAtLeast ? days - kDaysTolerated : days;
    if (!apart || *apart >= told) return std::nullopt;
    return days;
}

}  // namespace hygie::fhir
