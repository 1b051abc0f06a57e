#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/fhirpath.h"
#include "fhir/validate.h"
#include "fhir/validate_plan.h"

/// One validation: the walk over a resource, and what it must remember. For validate*.cc and
/// profile*.cc only.
namespace hygie::fhir {

/// Where the walk is: spelled only when something is wrong.
struct Place {
    static constexpr std::size_t kNoIndex = SIZE_MAX;
    const Place* parent = nullptr;
    std::string_view name;
    std::size_t index = kNoIndex;

    std::string str() const;
};

/// A resource within the walk, and what its contained resources and references must agree on.
struct ResourceScope {
    Json resource;
    const TypeDef* type = nullptr;
    ResourceScope* container = nullptr;  ///< of a contained resource
    bool refers_to_container = false;
    std::vector<std::string_view> local_references{};  ///< "#x" found here or in what it contains

    ResourceScope& root() { return container ? *container : *this; }
};

class Walk {
  public:
    explicit Walk(const ValidateOptions& options);

    /// The resource at the root, a contained one, or one in a Bundle or Parameters.
    void resource(Json value, const Place& place, ResourceScope* container);
    std::vector<Issue> take_issues() { return std::move(issues_); }

    // What the parts of the walk share.
    void report(Issue::Type type, const Place& place, Text text,
                Issue::Severity severity = Issue::Severity::Error);
    bool is_full() const { return issues_.size() >= options_.issues_max; }
    bool keeps(const Rule& rule, const PathItem& item);
    PathContext& context() { return context_; }
    Arena& arena() { return arena_; }
    const ValidateOptions& options() const { return options_; }
    const Terminology& terminology() const;

  private:
    using Seen = std::bitset<kElementsMax>;

    void object(Json value, const TypeCheck& plan, const Place& place);
    void members(Json value, const TypeCheck& plan, const Place& place, Seen& seen);
    void property(TypeDef::Property property, const ElementCheck& element, Json value,
                  Json companion, const Place& place);
    void item(const TypeCheck& plan, const ElementCheck& element, Json value, Json companion,
              const Place& place);
    void primitive(const TypeCheck& plan, const ElementCheck& element, Json value, Json companion,
                   const Place& place);
    void missing(const TypeCheck& plan, const Seen& seen, const Place& place);
    void count(const ElementCheck& element, std::size_t number, const Place& place);
    void binding(const ElementCheck& element, const TypeCheck& plan, Json value,
                 const Place& place);
    void rules(const std::vector<Rule>& rules, const PathItem& item, const Place& place);
    void special(const TypeCheck& plan, const ElementCheck* element, Json value,
                 const Place& place);
    void narrative(Json div, const Place& place);
    void contained(ResourceScope& scope, const Place& place);
    void contained_one(ResourceScope& scope, Json one, const Place& place);

    // validate_reference.cc
    void reference(const ElementCheck& element, Json value, const Place& place);
    void local_reference(std::string_view target, const Place& place);
    void target_type(const ElementCheck& element, const TypeCheck& plan, std::string_view type,
                     const Place& place);
    std::string_view referenced_type(std::string_view reference) const;

    // validate_bundle.cc
    void open_bundle(Json bundle, const Place& place);
    void bundle(Json value, const Place& place);

    const ValidateOptions& options_;
    std::vector<Issue> issues_;
    PathContext context_;
    Arena arena_;
    ResourceScope* scope_ = nullptr;
    /// Resources of the Bundle at the root by fullUrl; null when it is no Bundle.
    std::unordered_map<std::string_view, Json> entries_;
    bool is_bundle_ = false;
};

}  // namespace hygie::fhir
