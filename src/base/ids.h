#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace hygie {

/// A name that cannot be mistaken for another kind of name: `Id<PatientTag>` and `Id<ActorTag>` do
/// not convert. There is no formatter on purpose: an id of a person must be blinded or sealed
/// before it is written anywhere.
template <typename Tag>
class Id {
  public:
    Id() = default;
    explicit Id(std::string value) : value_(std::move(value)) {}

    const std::string& str() const { return value_; }
    bool empty() const { return value_.empty(); }
    auto operator<=>(const Id&) const = default;

  private:
    std::string value_;
};

using PatientId = Id<struct PatientTag>;
using ActorId = Id<struct ActorTag>;
using ObjectId = Id<struct ObjectTag>;
using SourceId =
    Id<struct SourceTag>;           ///< a guard or other writer of events, e.g. "mail@cabinet-1"
using NodeId = Id<struct NodeTag>;  ///< the machine that wrote the entry

}  // namespace hygie

template <typename Tag>
struct std::hash<hygie::Id<Tag>> {
    std::size_t operator()(const hygie::Id<Tag>& id) const {
        return std::hash<std::string>{}(id.str());
    }
};
