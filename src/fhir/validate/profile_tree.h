#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/data/json.h"
#include "fhir/data/schema.h"
#include "fhir/validate/validate_plan.h"

/// A profile as a tree of elements and slices: for profile*.cc only.
namespace hygie::fhir {

struct ProfileNode {
    std::string_view name;   ///< of the element, without "[x]"
    std::string_view slice;  ///< its name; empty for the element itself
    std::optional<std::size_t> min, max;
    Json fixed, pattern;
    std::vector<const TypeDef*> types;  ///< any when empty
    std::vector<std::string_view> type_profiles;
    std::vector<std::string_view> targets;  ///< types that a reference may mean
    std::string_view value_set;             ///< of a required binding
    std::vector<std::shared_ptr<const Rule>> rules;

    struct Discriminator {
        enum class Kind : std::uint8_t { Value, Type, Exists };
        Kind kind = Kind::Value;
        std::vector<std::string_view> path;  ///< empty for $this
    };
    std::vector<Discriminator> discriminators;
    bool is_closed = false;
    std::vector<std::unique_ptr<ProfileNode>> slices;
    std::vector<std::unique_ptr<ProfileNode>> children;

    const ProfileNode* child(std::string_view child_name) const {
        for (const auto& one : children)
            if (one->name == child_name) return one.get();
        return nullptr;
    }
    std::unique_ptr<ProfileNode> copy() const;
};

struct Profile {
    std::string_view url;
    const TypeDef* type = nullptr;
    /// What the base asks for is in it too.
    std::unique_ptr<ProfileNode> root;
    std::deque<Constraint> constraints;  ///< what its own rules point to
};

}  // namespace hygie::fhir
