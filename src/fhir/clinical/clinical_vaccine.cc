#include "fhir/clinical/clinical_vaccine.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "fhir/path/fhirpath_time.h"
#include "fhir/search/search_value.h"

namespace hygie::fhir {

namespace {

constexpr std::string_view kCvx = "http://hl7.org/fhir/sid/cvx";
constexpr std::string_view kAtc = "http://www.whocc.no/atc";

/// No vaccine is given again sooner.
constexpr int kDaysAtLeast = 21;

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
    // Known as one vaccine whoever names it; given again no sooner than any other.
    {" 88 135 140 141 150 153 158 161 171 185 186 197 205 231 ", "J07BB",
     kDaysAtLeast},                                       // influenza
    {" 03 94 ", "J07BD5", kDaysAtLeast},                  // measles, mumps, rubella
    {" 20 106 107 120 130 146 ", "J07CA", kDaysAtLeast},  // diphtheria, tetanus, pertussis…
    {" 133 152 215 216 ", "J07AL02", kDaysAtLeast},       // pneumococcal conjugate
    {" 62 118 137 165 ", "J07BM", kDaysAtLeast},          // human papillomavirus
    {" 116 119 122 ", "J07BH", kDaysAtLeast},             // rotavirus
    {" 162 163 164 ", "J07AH09", kDaysAtLeast},           // meningococcal B
    {" 21 ", "J07BK01", kDaysAtLeast},                    // varicella
};
constexpr int kDaysTolerated = 4;
/// Within these, one dose of a series is not given twice; a seasonal vaccine begins again after.
constexpr int kSeriesDays = 180;

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

/// Nullptr for a vaccine that is not in the table.
const Vaccine* known(Json vaccine) {
    for (const Json coding : vaccine["coding"].items()) {
        const auto system = coding["system"].text();
        const auto code = coding["code"].text();
        for (const Vaccine& each : kVaccines) {
            const bool by_cvx = system == kCvx && each.cvx.contains(" " + std::string(code) + " ");
            if (by_cvx || (system == kAtc && code.starts_with(each.atc))) return &each;
        }
    }
    return nullptr;
}

/// One program codes it by CVX, another by ATC: the same vaccine all the same.
bool is_same(Json one, Json other) {
    return shares_a_code(one, other) || (known(one) && known(one) == known(other));
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

std::optional<std::int64_t> days_between(Json one, Json other) {
    return days_between(one["occurrenceDateTime"].text(), other["occurrenceDateTime"].text());
}

/// Whether both say to be the same dose of the same series.
bool shares_a_dose(Json one, Json other) {
    const auto protocols = other["protocolApplied"].items();
    return std::ranges::any_of(one["protocolApplied"].items(), [&](Json applied) {
        return std::ranges::any_of(protocols, [&](Json each) {
            const bool is_numbered =
                applied["doseNumberPositiveInt"] || applied["doseNumberString"];
            return is_numbered && each["series"].text() == applied["series"].text() &&
                   each["doseNumberPositiveInt"] == applied["doseNumberPositiveInt"] &&
                   each["doseNumberString"] == applied["doseNumberString"];
        });
    });
}

bool is_given_twice(Json one, Json other) {
    return is_given(one) && is_given(other) && is_same(one["vaccineCode"], other["vaccineCode"]);
}

}  // namespace

std::optional<int> broken_interval(Json one, Json other) {
    if (!is_given_twice(one, other)) return std::nullopt;
    const auto apart = days_between(one, other);
    const Vaccine* const vaccine = known(one["vaccineCode"]);
    const int days = vaccine ? vaccine->days : kDaysAtLeast;
    const int told = days > kDaysAtLeast ? days - kDaysTolerated : days;
    if (!apart || *apart >= told) return std::nullopt;
    return days;
}

bool repeats_dose(Json one, Json other) {
    if (!is_given_twice(one, other) || !shares_a_dose(one, other)) return false;
    const auto apart = days_between(one, other);
    return apart && *apart < kSeriesDays;
}

}  // namespace hygie::fhir
