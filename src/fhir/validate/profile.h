#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "fhir/data/json.h"

/// Profiles: what a StructureDefinition asks of a type beyond R4
/// (https://hl7.org/fhir/R4/profiling.html).
namespace hygie::fhir {

struct Profile;

/// The profiles that are known, by canonical. Immutable once filled, then safe from any thread.
class Profiles {
  public:
    /// On top of what `base` knows, which must outlive this.
    explicit Profiles(const Profiles* base = nullptr);
    Profiles(Profiles&&) noexcept;
    Profiles& operator=(Profiles&&) noexcept;
    ~Profiles();

    /// Learns a StructureDefinition that constrains a type, whose values must outlive this: its
    /// differential on top of its base (a type of R4 or a profile learnt before), its snapshot when
    /// that base is unknown. Checked are numbers, types, fixed values and patterns, required
    /// bindings, rules, targets of references, and slices told apart by value, pattern, type or
    /// existence, extensions by their url. Code::BadInput for what cannot be checked in
    /// full, Code::AlreadyThere for an address that is known.
    Status add(Json structure_definition);

    /// Null when it is not known. A version behind '|' is left out of account.
    const Profile* find(std::string_view canonical) const;

  private:
    const Profiles* base_;
    std::unordered_map<std::string_view, std::unique_ptr<const Profile>> profiles_;
};

}  // namespace hygie::fhir
