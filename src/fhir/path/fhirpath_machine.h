#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/path/fhirpath_tree.h"
#include "fhir/path/fhirpath_value.h"

/// Evaluates a tree. All collections lie on one stack: a node pushes its result, a function works
/// on what lies above the mark where its input begins. Nothing is copied but items of five words.
namespace hygie::fhir {

/// What $this, $index and $total are while an argument is evaluated.
struct PathScope {
    std::optional<PathItem> self;
    std::int64_t index = 0;
    std::size_t total_begin = 0;  ///< on the stack
    std::size_t total_end = 0;
};

class PathMachine {
  public:
    PathMachine(const PathContext& context, Arena& arena);
    ~PathMachine();
    PathMachine(const PathMachine&) = delete;
    PathMachine& operator=(const PathMachine&) = delete;

    /// Pushes the result of the node.
    Status run(const PathNode& node, const PathScope& scope);

    std::size_t size() const { return stack_.size(); }
    PathItem& at(std::size_t index) { return stack_[index]; }
    std::span<PathItem> from(std::size_t mark) { return std::span(stack_).subspan(mark); }
    Status push(const PathItem& item);
    void drop(std::size_t mark) { stack_.resize(mark); }
    /// Removes [first, last): what lies above moves down.
    void erase(std::size_t first, std::size_t last);
    /// Replaces everything above the mark by one item, or by nothing.
    Status replace(std::size_t mark, const std::optional<PathItem>& item);
    Status replace(std::size_t mark, bool value);

    /// The one item above the mark, absent when there is none; drops it. More is an error.
    Result<std::optional<PathItem>> take_single(std::size_t mark);
    /// The same as a truth value: what is not a boolean is true, because it is there.
    Result<std::optional<bool>> take_logical(std::size_t mark);
    /// An argument evaluated in the scope of the call; at most one item.
    Result<std::optional<PathItem>> argument(const PathNode& call, std::size_t index,
                                             const PathScope& scope);
    Result<std::optional<bool>> logical(const PathNode& node, const PathScope& scope);

    /// Pushes the children of the item: all, or those of that name.
    Status push_children(const PathItem& item);
    Status push_named(const PathItem& item, std::string_view name);

    /// Counts work; Code::Full when there was too much.
    Status charge(std::size_t steps);
    Status charge_bytes(std::size_t bytes) { return charge(bytes / 64 + 1); }

    const PathContext& context() const { return context_; }
    Arena& arena() { return arena_; }

  private:
    Status run_member(const PathNode& node, const PathScope& scope);
    Status run_at(const PathNode& node, const PathScope& scope);
    Status run_sign(const PathNode& node, const PathScope& scope);
    Status run_is(const PathNode& node, const PathScope& scope);
    Status push_values(Json value, Json extra, const TypeDef* type);
    Status push_choice(Json object, const TypeDef& type, const ElementDef& element);

    const PathContext& context_;
    Arena& arena_;
    std::vector<PathItem> stack_;
    std::size_t steps_ = 0;
};

/// A function as the table knows it. `run` finds the input above the mark and leaves the result
/// there.
struct PathFunction {
    std::string_view name;
    std::size_t args_min = 0;
    std::size_t args_max = 0;
    Status (*run)(PathMachine& machine, const PathNode& call, const PathScope& scope,
                  std::size_t mark) = nullptr;
    enum class Arguments : std::uint8_t { Expressions, Type, Pattern };
    Arguments arguments = Arguments::Expressions;
};

/// Null when there is none of that name.
const PathFunction* find_path_function(std::string_view name);
/// The functions, by what they work on; each group has its file.
std::span<const PathFunction> collection_functions();
std::span<const PathFunction> string_functions();
std::span<const PathFunction> number_functions();
std::span<const PathFunction> conversion_functions();
std::span<const PathFunction> fhir_functions();

/// Binary operators: the operands lie above the marks, the result replaces both.
Status run_binary(PathMachine& machine, const PathNode& node, const PathScope& scope);
/// Keeps the first of equal items above the mark.
Status keep_distinct(PathMachine& machine, std::size_t mark);
/// Whether an item equal to it lies in [first, last) of the stack.
Result<bool> is_among(PathMachine& machine, const PathItem& item, std::size_t first,
                      std::size_t last);
/// "is T" and "as T": whether the item is of the type, also by inheritance or exactly, as R4 has
/// it for the primitives under `as`.
bool is_of(const PathItem& item, const TypeDef* type);
bool is_as(const PathItem& item, const TypeDef* type);
/// The item behind a reference; absent when there is none.
Result<std::optional<PathItem>> resolve_reference(PathMachine& machine, const PathItem& item);
/// The one text above the mark, absent when there is none; drops it. Codes, dates and all else that
/// JSON writes as a string count.
Result<std::optional<std::string_view>> take_text(PathMachine& machine, std::size_t mark);
/// The same for an argument.
Result<std::optional<std::string_view>> text_argument(PathMachine& machine, const PathNode& call,
                                                      std::size_t index, const PathScope& scope);
/// An argument that is a whole number.
Result<std::optional<std::int64_t>> integer_argument(PathMachine& machine, const PathNode& call,
                                                     std::size_t index, const PathScope& scope);
/// An error while an expression runs.
std::unexpected<Error> run_error(std::string_view fr, std::string_view en);

}  // namespace hygie::fhir
