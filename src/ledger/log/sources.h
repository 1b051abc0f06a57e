#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace hygie::ledger {

/// A writer of events as the ledger knows it. Number 0 is the ledger itself.
struct Source {
    std::uint64_t number = 0;
    std::uint64_t node_number = 0;
    std::uint64_t last_counter = 0;
    SourceId name;
    NodeId node;
    Bytes key;  ///< Ed25519 public key, empty when the source does not sign its stream
    bool operator==(const Source&) const = default;
};

/// Who writes into this ledger, and how far each has counted. Small: guards, not people.
class Sources {
  public:
    Sources();

    /// The source of that name on that node; null when it never wrote.
    Source* find(const SourceId& name, const NodeId& node);
    Source& number(std::uint64_t number);
    bool has(std::uint64_t number) const { return number < all_.size(); }
    const std::vector<Source>& all() const { return all_; }
    /// Numbers a new source; its node keeps the number it has if another source of it is known.
    Source& add(const SourceId& name, const NodeId& node, Bytes key);
    /// Takes in a source as it was registered. Code::Corrupt unless it has the next number.
    Status restore(Source source);

    Bytes encode() const;
    static Result<Sources> decode(ByteView bytes);

  private:
    std::vector<Source> all_;  ///< by number
    std::uint64_t found_ = 0;  ///< the number that find() gave last
    std::map<std::pair<SourceId, NodeId>, std::uint64_t> numbers_;
    std::map<NodeId, std::uint64_t> nodes_;
};

}  // namespace hygie::ledger
