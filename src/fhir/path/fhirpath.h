#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fhir/data/json.h"
#include "fhir/data/schema.h"

/// FHIRPath 2.0 (http://hl7.org/fhirpath/N1) over R4, with the functions that R4 adds
/// (https://hl7.org/fhir/R4/fhirpath.html).
namespace hygie::fhir {

/// One item of a collection: a JSON value and what FHIR says it is. A primitive with an id or
/// extensions has them in `extra` ("_birthDate"); `value` is absent when it has only those.
struct PathItem {
    Json value;
    Json extra;
    /// Values made by the expression itself have a type whose name begins with "System."
    /// ("System.Boolean", "System.DateTime" …; see is_system). Null only where FHIR knows no type.
    const TypeDef* type = nullptr;
    bool operator==(const PathItem&) const = default;
};
using PathItems = std::vector<PathItem>;

struct PathLimits {
    std::size_t items_max = 100'000;    ///< held at any moment, all collections together
    std::size_t steps_max = 5'000'000;  ///< nodes evaluated, items visited, and bytes made / 64
};

/// Where an expression is evaluated. `arena` receives values that the expression makes.
struct PathContext {
    PathItem resource;  ///< %resource
    PathItem root;      ///< %rootResource
    PathItem context;   ///< %context and the focus
    WallTime now{};
    /// resolve(): the resource behind a reference; absent when unknown. Contained resources and
    /// entries of the Bundle at the root are found without it. When it is empty, a reference that
    /// names a type ("Patient/1") gives an item of that type that holds only its id: enough for
    /// `resolve() is Patient`, as search parameters ask.
    std::function<PathItem(std::string_view reference)> resolve;
    /// memberOf(): whether a Coding, CodeableConcept or code is in a value set. May be empty.
    std::function<Result<bool>(const PathItem&, std::string_view value_set)> member_of;
    /// conformsTo() of a profile that is not the definition of a type of R4. May be empty.
    std::function<Result<bool>(const PathItem&, std::string_view profile)> conforms;
    PathLimits limits;
};

/// A compiled expression: immutable, shared between threads. What evaluate returns may point into
/// the expression (literals), into the resource and into the arena.
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
    struct Program;
    explicit PathExpression(std::unique_ptr<const Program> program);
    std::unique_ptr<const Program> program_;
};

/// The item of a resource: its type is read from resourceType.
PathItem resource_item(Json resource);
/// Whether the type is one of FHIRPath's own: System.Boolean, String, Integer, Decimal, Date,
/// DateTime, Time (as JSON booleans, strings and numbers) and Quantity (an object with `value` and
/// `unit`).
bool is_system(const TypeDef* type);

}  // namespace hygie::fhir
