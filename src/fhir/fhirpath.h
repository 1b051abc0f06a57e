#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fhir/json.h"
#include "fhir/schema.h"

/// FHIRPath 2.0 (http://hl7.org/fhirpath/N1) over R4, with the functions that R4 adds
/// (https://hl7.org/fhir/R4/fhirpath.html).
namespace hygie::fhir {

/// One item of a collection: a JSON value and what FHIR says it is. A primitive with an id or
/// extensions has them in `extra` ("_birthDate"); `value` is absent when it has only those.
struct PathItem {
    Json value;
    Json extra;
    const TypeDef* type = nullptr;  ///< null for values made by the expression itself
    bool operator==(const PathItem&) const = default;
};
using PathItems = std::vector<PathItem>;

struct PathLimits {
    std::size_t items_max = 100'000;  ///< in any collection on the way
    std::size_t steps_max = 1'000'000;
};

/// Where an expression is evaluated. `arena` receives values that the expression makes.
struct PathContext {
    PathItem resource;  ///< %resource
    PathItem root;      ///< %rootResource
    PathItem context;   ///< %context and the focus
    WallTime now{};
    /// resolve(): the resource behind a reference; absent when unknown. May be empty.
    std::function<PathItem(std::string_view reference)> resolve;
    /// memberOf(): whether a Coding, CodeableConcept or code is in a value set. May be empty.
    std::function<Result<bool>(const PathItem&, std::string_view value_set)> member_of;
    PathLimits limits;
};

/// A compiled expression: immutable, shared between threads.
class PathExpression {
  public:
    /// Code::BadInput says what is wrong and where in the expression.
    static Result<PathExpression> compile(std::string_view text);
    PathExpression(PathExpression&&) noexcept;
    PathExpression& operator=(PathExpression&&) noexcept;
    ~PathExpression();

    Result<PathItems> evaluate(const PathContext& context, Arena& arena) const;
    /// For constraints: the collection converted to a boolean by the rules of singleton evaluation;
    /// empty is true, as for an invariant that has nothing to say.
    Result<bool> holds(const PathContext& context, Arena& arena) const;

  private:
    struct Node;
    explicit PathExpression(std::unique_ptr<const Node> root);
    std::unique_ptr<const Node> root_;
};

/// The item of a resource: its type is read from resourceType.
PathItem resource_item(Json resource);

}  // namespace hygie::fhir
