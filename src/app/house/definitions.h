#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "fhir/validate/definition_set.h"
#include "host/disk.h"

namespace hygie::app {

/// What a practice asks of its records beyond R4: the StructureDefinitions, ValueSets and
/// CodeSystems of a folder, such as the one a FHIR package unpacks to
/// (https://hl7.org/fhir/packages.html), fr-core for one.
class Definitions {
  public:
    static constexpr std::size_t kFilesMax = 20'000;
    static constexpr std::size_t kFileBytesMax = 64 << 20;

    /// Reads every .json file below the folder. What cannot be checked in full is left out and told
    /// in left_out(): a record that claims such a profile gets the warning that an unknown one
    /// gets. Code::BadInput when nothing there is a definition.
    static Result<std::unique_ptr<Definitions>> read(Disk& disk, const std::string& dir);

    const fhir::Profiles& profiles() const { return set_.profiles(); }
    const fhir::Terminology& terminology() const { return set_.terminology(); }
    std::size_t learnt() const { return set_.learnt(); }
    const std::vector<std::string>& left_out() const { return set_.left_out(); }  ///< canonicals

  private:
    Definitions() = default;
    Status collect(Disk& disk, const std::string& dir, std::size_t& files);

    fhir::DefinitionSet set_{&fhir::DefinitionSet::r4().profiles(),
                             &fhir::DefinitionSet::r4().terminology()};
};

}  // namespace hygie::app
