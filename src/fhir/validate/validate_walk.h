#pragma once

#include <bitset>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/path/fhirpath.h"
#include "fhir/validate/validate.h"
#include "fhir/validate/validate_plan.h"

/// One validation: the walk over a resource, and what it must remember. For validate*.cc and
/// profile*.cc only.
namespace hygie::fhir {

struct KnownExtension;

/// Where the walk is: spelled only when something is wrong.
struct Place {
    static constexpr std::size_t kNoIndex = SIZE_MAX;
    const Place* parent = nullptr;
    std::string_view name;
    std::size_t index = kNoIndex;
    const ElementDef* element = nullptr;  ///< what stands there, as its parent defines it; null
                                          ///< for a resource
    const TypeDef* type = nullptr;
    Json value{};

    std::string str() const;
};

/// A resource within the walk, and what its contained resources and references must agree on.
struct ResourceScope {
    Json resource;
    const TypeDef* type = nullptr;
    ResourceScope* container = nullptr;  ///< of a contained resource
    /// Of the root: ids of contained resources that something refers to, or that refer to the root.
    std::vector<std::string_view> referred{};
    std::set<std::string_view> ids{};  ///< of its elements

    ResourceScope& root() { return container ? *container : *this; }
};

class Walk {
  public:
    explicit Walk(const ValidateOptions& options);

    /// The resource at the root.
    void start(Json value);
    /// The resource at the root, a contained one, or one in a Bundle or Parameters.
    void resource(Json value, const Place& place, ResourceScope* container);
    std::vector<Issue> take_issues() { return std::move(issues_); }

    // What the parts of the walk share.
    void report(Issue::Type type, const Place& place, Text text,
                Issue::Severity severity = Issue::Severity::Error);
    bool is_full() const { return issues_.size() >= options_.issues_max; }
    void rule(const Rule& rule, const PathItem& item, const Place& place);
    const ValidateOptions& options() const { return options_; }
    void target(Json reference, const std::vector<std::string_view>& types, const Place& place);
    void bound(Json value, std::string_view value_set, const Place& place);
    /// Whether a coded value is in the set; true when the set is not known.
    bool may_be_in(Json value, std::string_view value_set) const;
    const Terminology& terminology() const;

  private:
    using Seen = std::bitset<kElementsMax>;

    // validate.cc: elements, their number and their values.
    void object(Json value, const TypeCheck& check, const Place& place);
    void members(Json value, const TypeCheck& check, const Place& place, Seen& seen);
    void property(TypeDef::Property property, const ElementCheck& element, Json value,
                  Json companion, const Place& place);
    void item(const TypeCheck& check, const ElementCheck& element, Json value, Json companion,
              const Place& place);
    void primitive(const TypeCheck& check, Json value, Json companion, const Place& place);
    void missing(const TypeCheck& check, const Seen& seen, const Place& place);

    // validate_content.cc: what the elements say.
    void binding(const ElementCheck& element, Json value, const Place& place);
    void rules(const std::vector<Rule>& rules, const PathItem& item, const Place& place);
    void code_shape(Json system, Json code, const Place& place, Issue::Severity severity);
    void display(Json coding, const Place& place);
    void extension(Json value, const TypeDef& type, const Place& place);
    void known_extension(const KnownExtension& known, const Member& value, const TypeDef& type,
                         const Place& place);
    void extension_place(const KnownExtension& known, const Place& place);
    void special(const TypeCheck& check, Json value, const Place& place);
    void contained(ResourceScope& scope, const Place& place);

    // validate_prose.cc: rules that R4 has in its text alone.
    void prose(Json value, const TypeDef& type, const Place& place);
    void absolute(Json uri, const Place& place);
    void questions(Json questionnaire, const Place& place);
    void value_set(Json compose, const Place& place);
    void value_set_part(Json part, const Place& place);
    void french(std::vector<Issue> found, const Place& place);

    // profile_check.cc
    void claimed(std::string_view canonical, Json value, const TypeDef& type, const Place& place,
                 Issue::Severity if_unknown);

    void capabilities(Json rest, const Place& place);

    // validate_reference.cc
    void reference(const ElementCheck& element, Json value, const Place& place);
    void bundled_reference(std::string_view target, const Place& place);
    void local_reference(std::string_view target, const Place& place);
    void note_local(std::string_view target);
    void note_id(Json id, const Place& place);
    const TypeDef* referenced_type(std::string_view reference) const;
    Json entry_at(std::string_view reference) const;

    // validate_bundle.cc
    void open_bundle(Json bundle);
    void bundle(Json value, const Place& place);
    void bundle_urls(Json bundle, const Place& place);
    void document(Json bundle, const Place& place);

    const ValidateOptions& options_;
    std::vector<Issue> issues_;
    PathContext context_;
    Arena arena_;
    ResourceScope* scope_ = nullptr;
    /// Resources of the Bundle at the root by fullUrl; empty when it is no Bundle.
    std::unordered_map<std::string_view, Json> entries_;
    bool is_bundle_ = false;  ///< the root
};

}  // namespace hygie::fhir
