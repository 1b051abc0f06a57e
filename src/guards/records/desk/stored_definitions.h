#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "fhir/validate/definition_set.h"
#include "guards/records/desk/options.h"

namespace hygie::records {

/// Definitions that are looked at; a house that has more keeps them in the folder of the
/// configuration.
inline constexpr std::size_t kStoredDefinitionsMax = 500;

/// The profiles, value sets and code systems that are stored here, on top of those of the
/// configuration: what a write or $validate is checked against. What R4 or the configuration
/// defines is never replaced by what somebody stored. Thread-safe.
class StoredDefinitions {
  public:
    StoredDefinitions(vault::Vault& vault, const Options& options)
        : vault_(vault), options_(options) {}

    /// As they stand at this moment. A write that stores one is the first to see it.
    std::shared_ptr<const fhir::DefinitionSet> current();

  private:
    using Place = std::shared_ptr<const vault::Record>;
    std::shared_ptr<const fhir::DefinitionSet> learn(const Place& house,
                                                     const std::vector<vault::Entry>& entries);

    vault::Vault& vault_;
    const Options& options_;
    std::mutex mutex_;
    std::vector<std::string> seen_;  ///< "Type/id/version" of those that were learnt
    Place house_;
    std::shared_ptr<const fhir::DefinitionSet> set_;
};

}  // namespace hygie::records
