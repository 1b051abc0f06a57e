#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "fhir/data/json.h"

/// What a drug or an allergy is made of, compared by codes, by ATC group and by names.
namespace hygie::fhir {

struct Substances {
    struct Code {
        std::string_view system, code;
    };
    std::vector<Code> codes;
    std::vector<std::string> names;  ///< folded

    void add_concept(Json codeable_concept);
    /// Its code and its ingredients.
    void add_medication(Json medication);
    void add_text(std::string_view text);
};

struct SubstanceMatch {
    enum class Kind : std::uint8_t {
        None,
        Same,    ///< the substance itself, or a group that it belongs to
        Family,  ///< another one of a family known for crossed allergies
    };
    Kind kind = Kind::None;
    Text family;
};
SubstanceMatch match_of(const Substances& allergen, const Substances& drug);

}  // namespace hygie::fhir
