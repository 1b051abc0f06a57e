#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fhir/data/json.h"
#include "fhir/terminology/terminology.h"
#include "fhir/validate/profile.h"

namespace hygie::fhir {

/// StructureDefinitions, ValueSets and CodeSystems that come together and stand on each other, on
/// top of what is known.
class DefinitionSet {
  public:
    /// What R4 itself makes of its resources: the vital signs and the like.
    static const DefinitionSet& r4();

    /// Both must outlive this.
    explicit DefinitionSet(const Profiles* profiles = nullptr,
                           const Terminology* terminology = &Terminology::r4())
        : profiles_(profiles), terminology_(terminology) {}

    /// Takes a resource in JSON; what is no definition is passed over.
    void take(std::string_view text);
    /// Learns what was taken, in whatever order it stands on itself. What cannot be checked in
    /// full is left out: who claims such a profile gets the warning that an unknown one gets.
    void learn();

    const Profiles& profiles() const { return profiles_; }
    const Terminology& terminology() const { return terminology_; }
    std::size_t learnt() const { return learnt_; }
    const std::vector<std::string>& left_out() const { return left_out_; }  ///< canonicals

  private:
    template <typename Learn>
    void learn_all(std::vector<Json> waiting, Learn&& one);

    Arena arena_;
    std::vector<Json> systems_, sets_, structures_;
    Profiles profiles_;
    Terminology terminology_;
    std::size_t learnt_ = 0;
    std::vector<std::string> left_out_;
};

}  // namespace hygie::fhir
