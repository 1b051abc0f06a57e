#include "fhir/clinical/clinical_dose.h"

#include <fmt/format.h>

#include <string_view>

#include "fhir/path/fhirpath_unit.h"

namespace hygie::fhir {

namespace {

/// One dose in this unit, by UCUM code or by how it is written.
struct Bounds {
    std::string_view units;  ///< between '|'
    std::string_view low, high;
    std::string_view name;
};
constexpr Bounds kBounds[] = {
    {"|kg|", "0.001", "0.2", "kg"},
    {"|g|", "0.0001", "100", "g"},  // macrogol and contrast media come by tens of grams
    {"|mg|", "0.0001", "20000", "mg"},
    {"|ug|mcg|µg|μg|", "0.001", "50000", "µg"},
    {"|ng|", "0.1", "1000000", "ng"},
    {"|l|L|", "0.0001", "6", "L"},
    {"|dl|dL|", "0.001", "60", "dL"},
    {"|cl|cL|", "0.01", "600", "cL"},
    {"|ml|mL|cc|", "0.001", "6000", "mL"},
    {"|[drp]|goutte|gouttes|drop|drops|{drop}|{drops}|", "0.5", "500", "gouttes/drops"},
    {"|mmol|meq|mEq|", "0.001", "1000", "mmol"},
    {"|[iU]|[IU]|IU|UI|U|", "0.01", "60000000", "[iU]"},  // penicillin in perfusion
    {"|mg/kg|", "0.00001", "2000", "mg/kg"},
    {"|ug/kg|", "0.0001", "20000", "µg/kg"},
    {"|g/kg|", "0.00001", "5", "g/kg"},
    {"|mL/kg|ml/kg|", "0.0001", "100", "mL/kg"},
    {"|TAB|CAP|{tbl}|{tablet}|{capsule}|tablet|tablets|tab|tabs|capsule|capsules|comprimé|"
     "comprimés|cp|gélule|gélules|sachet|sachets|suppository|suppositoire|",
     "0.1", "40", "unités de prise/units"},
    {"|PUFF|{puff}|puff|puffs|bouffée|bouffées|", "0.5", "30", "bouffées/puffs"},
    // No unit: so many tablets, drops or puffs.
    {"|1|||", "0.01", "500", "1"},
};

const Bounds* bounds_of(std::string_view unit) {
    const auto wanted = fmt::format("|{}|", unit);
    for (const Bounds& bounds : kBounds)
        if (bounds.units.contains(wanted)) return &bounds;
    return nullptr;
}

class Doses {
  public:
    explicit Doses(Json resource) : type_(resource["resourceType"].text()) {
        std::size_t index = 0;
        for (const std::string_view name : {"dosageInstruction", "dosage"}) {
            const Json dosages = resource[name];
            if (dosages.is_array())
                for (const Json dosage : dosages.items())
                    in_dosage(dosage, fmt::format("{}.{}[{}]", type_, name, index++));
            else if (dosages)  // of MedicationAdministration: a single one, with its own dose
                quantity(dosages["dose"], fmt::format("{}.dosage.dose", type_));
        }
        quantity(resource["doseQuantity"], fmt::format("{}.doseQuantity", type_));
    }
    std::vector<DoseIssue> take() { return std::move(issues_); }

  private:
    void in_dosage(Json dosage, const std::string& where) {
        std::size_t index = 0;
        for (const Json one : dosage["doseAndRate"].items()) {
            const auto here = fmt::format("{}.doseAndRate[{}].dose", where, index++);
            quantity(one["doseQuantity"], here);
            quantity(one["doseRange"]["low"], here + ".low");
            quantity(one["doseRange"]["high"], here + ".high");
        }
        const Json most = dosage["maxDosePerAdministration"];
        quantity(most, where + ".maxDosePerAdministration");
        for (const Json one : dosage["doseAndRate"].items())
            if (exceeds(one["doseQuantity"], most) || exceeds(one["doseRange"]["high"], most))
                issues_.push_back({where + ".maxDosePerAdministration", false, {}, true});
    }

    static bool exceeds(Json dose, Json most) {
        const auto unit = [](Json quantity) {
            const auto code = quantity["code"].text();
            return code.empty() ? quantity["unit"].text() : code;
        };
        const auto value = Decimal::parse(dose["value"].text());
        const auto bound = Decimal::parse(most["value"].text());
        const auto converted = value ? convert(*value, unit(dose), unit(most)) : std::nullopt;
        return converted && bound && *converted > *bound;
    }

    void quantity(Json quantity, const std::string& where) {
        const auto value = Decimal::parse(quantity["value"].text());
        if (!value) return;
        const auto code = quantity["code"].text();
        const Bounds* bounds = bounds_of(code.empty() ? quantity["unit"].text() : code);
        if (bounds == nullptr) bounds = bounds_of(quantity["unit"].text());
        // Whatever the unit, a dose is more than nothing.
        const auto low = bounds ? *Decimal::parse(bounds->low) : Decimal();
        if (*value < low || value->zero() || value->negative())
            issues_.push_back({where, true, bounds ? spelled(bounds->low, *bounds) : "> 0"});
        else if (bounds && *value > *Decimal::parse(bounds->high))
            issues_.push_back({where, false, spelled(bounds->high, *bounds)});
    }
    static std::string spelled(std::string_view number, const Bounds& bounds) {
        return fmt::format("{} {}", number, bounds.name);
    }

    std::string_view type_;
    std::vector<DoseIssue> issues_;
};

}  // namespace

std::vector<DoseIssue> implausible_doses(Json resource) {
    return Doses(resource).take();
}

}  // namespace hygie::fhir
