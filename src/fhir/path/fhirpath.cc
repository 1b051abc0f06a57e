#include "fhir/path/fhirpath.h"

#include <algorithm>
#include <utility>

#include "fhir/path/fhirpath_machine.h"
#include "fhir/path/fhirpath_tree.h"

namespace hygie::fhir {

struct PathExpression::Program {
    Arena literals;
    std::unique_ptr<PathNode> root;
};

PathExpression::PathExpression(std::unique_ptr<const Program> program)
    : program_(std::move(program)) {}
PathExpression::PathExpression(PathExpression&&) noexcept = default;
PathExpression& PathExpression::operator=(PathExpression&&) noexcept = default;
PathExpression::~PathExpression() = default;

Result<PathExpression> PathExpression::compile(std::string_view text) {
    auto program = std::make_unique<Program>();
    program->root = TRY(parse_path(text, program->literals));
    return PathExpression(std::move(program));
}

Result<PathItems> PathExpression::evaluate(const PathContext& context, Arena& arena) const {
    PathMachine machine(context, arena);
    PathScope scope;
    if (context.context.value || context.context.extra) scope.self = context.context;
    TRY_STATUS(machine.run(*program_->root, scope));
    const auto items = machine.from(0);
    return PathItems(items.begin(), items.end());
}

Result<bool> PathExpression::holds(const PathContext& context, Arena& arena) const {
    PathMachine machine(context, arena);
    PathScope scope;
    if (context.context.value || context.context.extra) scope.self = context.context;
    const auto result = TRY(machine.logical(*program_->root, scope));
    return result.value_or(true);
}

PathItem resource_item(Json resource) {
    return {resource, {}, find_type(resource["resourceType"].text())};
}

const PathFunction* find_path_function(std::string_view name) {
    for (const auto group : {collection_functions(), string_functions(), number_functions(),
                             conversion_functions(), fhir_functions()}) {
        const auto found = std::ranges::find(group, name, &PathFunction::name);
        if (found != group.end()) return &*found;
    }
    return nullptr;
}

}  // namespace hygie::fhir
