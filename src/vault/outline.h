#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/result.h"
#include "vault/record.h"

namespace hygie::vault {

/// What decides about most of a patient's record, without its index: small enough to keep of
/// thousands of patients who are read by id. A snapshot that never changes.
class Outline {
  public:
    /// Decides nothing about what belongs to no patient. Code::Corrupt when the index of the record
    /// does not read back.
    static Result<std::shared_ptr<const Outline>> of(const Record& record);

    CompartmentNumber number() const { return circle_->number(); }
    /// A record without resources: whose it is, and the relations that decide from now on
    /// (lasting()).
    const std::shared_ptr<const Record>& circle() const { return circle_; }
    /// Whether the version stored at a row is the newest of a resource that the circle alone
    /// decides about: it is in the record, has no label and names no other patient. What has just
    /// been written, and is not in this snapshot, is not.
    bool decides(std::uint64_t row) const;
    /// state_of() the record it was made of.
    std::int64_t state() const { return state_; }
    const std::shared_ptr<const Relations>& relations() const { return relations_; }
    /// What it occupies in memory, about.
    std::size_t bytes() const;

  private:
    using Rows = std::pair<std::uint64_t, std::uint64_t>;  ///< the first, and one past the last
    explicit Outline(const Record& record);

    std::shared_ptr<const Relations> relations_;
    std::shared_ptr<const Record> circle_;
    std::int64_t state_;
    std::vector<Rows> rows_;  ///< ascending: what was written together is one
};

/// Another one after each commit: the newest piece of a record; 0 where none is stored yet.
std::int64_t state_of(const Record& record);
/// Of a record, the relations that decide from now on.
std::shared_ptr<const Relations> lasting_relations(const Record& record);

}  // namespace hygie::vault
