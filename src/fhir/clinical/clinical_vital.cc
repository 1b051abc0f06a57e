#include "fhir/clinical/clinical_vital.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "fhir/path/fhirpath_unit.h"

namespace hygie::fhir {

namespace {

constexpr std::string_view kLoinc = "http://loinc.org";
constexpr std::string_view kSystolic = "8480-6";
constexpr std::string_view kDiastolic = "8462-4";

/// Bounds in one unit: outside of the first two a value is implausible at any age, outside of the
/// last two it is none.
struct Vital {
    std::string_view codes;  ///< LOINC, between '|'
    std::string_view unit;
    std::string_view low, high;
    std::string_view least, most;
    bool is_vital = true;  ///< measured in one kind of unit: any other is a mistake
};
constexpr Vital kVitals[] = {
    // Body weight: from a premature birth to the heaviest people known.
    {"|29463-7|3141-9|8335-2|8339-4|3142-7|8341-0|", "kg", "0.3", "350", "0.1", "700"},
    {"|8302-2|8306-3|8308-9|3137-7|8301-4|8305-5|", "cm", "20", "235", "10", "280"},
    {"|8310-5|8329-5|8331-1|8332-9|8333-7|8328-7|61008-9|", "Cel", "25", "43", "5", "50"},
    {"|8867-4|8889-8|8893-0|", "/min", "20", "250", "0", "500"},
    {"|9279-1|", "/min", "4", "90", "0", "200"},
    {"|8480-6|8459-0|8461-6|", "mm[Hg]", "40", "260", "0", "400"},
    {"|8462-4|8453-3|8455-8|", "mm[Hg]", "15", "160", "0", "300"},
    {"|2708-6|59408-5|", "%", "40", "100", "0", "100"},
    {"|39156-5|", "kg/m2", "8", "90", "2", "300"},
    {"|9843-4|8287-5|", "cm", "18", "68", "5", "150"},
    {"|4548-4|", "%", "3", "20", "0", "100", false},
    {"|718-7|", "g/dL", "2", "25", "0", "60", false},
    {"|2823-3|6298-4|", "mmol/L", "1.2", "10", "0", "100", false},
    {"|2951-2|2947-0|", "mmol/L", "95", "190", "0", "500", false},
};

const Vital* vital_of(Json concept_) {
    for (const Json coding : concept_["coding"].items()) {
        if (coding["system"].text() != kLoinc) continue;
        const auto code = fmt::format("|{}|", coding["code"].text());
        const auto* const found = std::ranges::find_if(
            kVitals, [&](const Vital& vital) { return vital.codes.contains(code); });
        if (found != std::end(kVitals)) return found;
    }
    return nullptr;
}

bool has_code(Json concept_, std::string_view code) {
    return std::ranges::any_of(concept_["coding"].items(), [&](Json coding) {
        return coding["system"].text() == kLoinc && coding["code"].text() == code;
    });
}

/// The UCUM code of a quantity, or what people write for it.
std::string_view unit_of(Json quantity) {
    struct Written {
        std::string_view text, unit;
    };
    constexpr Written kWritten[] = {{"mmHg", "mm[Hg]"}, {"°C", "Cel"},     {"C", "Cel"},
                                    {"°F", "[degF]"},   {"F", "[degF]"},   {"bpm", "/min"},
                                    {"kg/m²", "kg/m2"}, {"lbs", "[lb_av]"}};
    const std::string_view code = quantity["code"].text();
    if (!code.empty()) return code;
    const std::string_view text = quantity["unit"].text();
    const auto* const found = std::ranges::find(kWritten, text, &Written::text);
    return found == std::end(kWritten) ? text : found->unit;
}

/// In what is known to measure the same; absent when the unit is unknown.
std::optional<Decimal> value_in(Json quantity, std::string_view unit) {
    const auto value = Decimal::parse(quantity["value"].text());
    return value ? convert_scaled(*value, unit_of(quantity), unit) : std::nullopt;
}

/// A unit that is known, and measures something else: a weight in centimetres.
bool measures_another(Json quantity, const Vital& vital) {
    const std::string_view unit = unit_of(quantity);
    return vital.is_vital && !unit.empty() && Unit::parse(unit) &&
           !convert_scaled(Decimal(1), unit, vital.unit);
}

class Judging {
  public:
    explicit Judging(Json observation) : observation_(observation) {}

    std::vector<ValueIssue> judge() {
        const std::string_view status = observation_["status"].text();
        if (status == "entered-in-error" || status == "cancelled") return {};
        values(observation_, "Observation");
        std::size_t index = 0;
        for (const Json component : observation_["component"].items())
            values(component, fmt::format("Observation.component[{}]", index++));
        pressures();
        return std::move(issues_);
    }

  private:
    void values(Json element, const std::string& where) {
        if (const Vital* vital = vital_of(element["code"]))
            value(element["valueQuantity"], *vital, where + ".value");
        std::size_t index = 0;
        for (const Json range : element["referenceRange"].items())
            in_order(range, fmt::format("{}.referenceRange[{}]", where, index++));
    }

    void value(Json quantity, const Vital& vital, const std::string& where) {
        // "< 5" says of no value that it is there.
        if (!quantity || quantity["comparator"]) return;
        if (measures_another(quantity, vital)) {
            issues_.push_back(
                {where,
                 true,
                 {fmt::format("L'unité ne mesure pas cela (attendu : {}).", vital.unit),
                  fmt::format("The unit does not measure this (expected: {}).", vital.unit)}});
            return;
        }
        const auto number = value_in(quantity, vital.unit);
        if (!number) return;
        if (is_outside(*number, vital.least, vital.most))
            add(where, true, vital.least, vital.most, vital.unit);
        else if (is_outside(*number, vital.low, vital.high))
            add(where, false, vital.low, vital.high, vital.unit);
    }

    static bool is_outside(const Decimal& number, std::string_view low, std::string_view high) {
        return number < *Decimal::parse(low) || number > *Decimal::parse(high);
    }

    void add(const std::string& where, bool is_impossible, std::string_view low,
             std::string_view high, std::string_view unit) {
        const Text what =
            is_impossible
                ? Text{"La valeur est impossible", "The value is impossible"}
                : Text{"La valeur est hors du plausible", "The value is beyond what is plausible"};
        issues_.push_back({where,
                           is_impossible,
                           {fmt::format("{} (de {} à {} {}).", what.fr, low, high, unit),
                            fmt::format("{} ({} to {} {}).", what.en, low, high, unit)}});
    }

    void in_order(Json range, const std::string& where) {
        const auto low = Decimal::parse(range["low"]["value"].text());
        const auto high = value_in(range["high"], unit_of(range["low"]));
        if (low && high && *low > *high)
            issues_.push_back({where,
                               false,
                               {"La borne basse dépasse la borne haute.",
                                "The low bound is above the high bound."}});
    }

    void pressures() {
        const auto pressure = [&](std::string_view code) -> std::optional<Decimal> {
            for (const Json component : observation_["component"].items())
                if (has_code(component["code"], code))
                    return value_in(component["valueQuantity"], "mm[Hg]");
            return std::nullopt;
        };
        const auto systolic = pressure(kSystolic);
        const auto diastolic = pressure(kDiastolic);
        if (systolic && diastolic && *systolic < *diastolic)
            issues_.push_back({"Observation.component",
                               false,
                               {"La pression systolique est en dessous de la diastolique.",
                                "The systolic pressure is below the diastolic one."}});
    }

    Json observation_;
    std::vector<ValueIssue> issues_;
};

}  // namespace

std::vector<ValueIssue> implausible_values(Json observation) {
    return Judging(observation).judge();
}

}  // namespace hygie::fhir
