#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "vault/record.h"

namespace hygie::vault {

/// Of a patient's record, what searches over one type ask, for the types that were asked about: its
/// values as packed as they are stored, and who is tied to the patient. A sixth of what the opened
/// record takes, and opened in less. A snapshot that never changes.
class Slices {
  public:
    /// Nothing yet. `relations`: those of the record that decide from now on (lasting()).
    Slices(const Record& record, std::shared_ptr<const Relations> relations);

    CompartmentNumber number() const { return number_; }
    /// state_of() the record they were made of.
    std::int64_t state() const { return state_; }
    /// Whether the record itself must be asked: what has labels or names other patients is judged
    /// with all that it holds, and what belongs to no patient by other rules.
    bool are_too_little() const { return are_too_little_; }
    /// Whether nothing is missing to search a type.
    bool has(std::string_view type) const;
    /// These and a type of the record, in the same state.
    Slices with(const Record& record, std::string_view type) const;
    /// The record as a search over `type`, which is there, sees it.
    std::shared_ptr<const Record> open(std::string_view type) const;
    /// What they occupy in memory, about, the relations left out: an outline has the same.
    std::size_t bytes() const;

  private:
    struct Slice {
        std::string type;
        std::vector<Bytes> pieces;  ///< fhir::slice(); oldest first
    };

    CompartmentNumber number_;
    crypto::Secret32 key_;
    std::string patient_;
    std::int64_t state_;
    bool are_too_little_;
    std::shared_ptr<const Relations> relations_;
    std::vector<Slice> slices_;
};

}  // namespace hygie::vault
