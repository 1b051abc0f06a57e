#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/search/search_query.h"

/// What a FHIR URL points at (https://hl7.org/fhir/R4/http.html): the same words for a request and
/// for an entry of a bundle.
namespace hygie::records {

enum class Method : std::uint8_t { Get, Post, Put, Patch, Delete };
/// A HEAD is a GET whose body the server leaves out. Code::BadInput for any other word.
Result<Method> method_named(std::string_view name);
std::string_view name_of(Method method);

/// The shapes of paths below the base.
enum class Shape : std::uint8_t {
    System,             ///< (nothing)
    Metadata,           ///< metadata
    SystemHistory,      ///< _history
    SystemSearch,       ///< _search
    SystemOperation,    ///< $op
    Page,               ///< _page/token: the rest of an earlier answer
    ExportStatus,       ///< _export/id
    ExportFile,         ///< _export/id/name
    Type,               ///< Type
    TypeHistory,        ///< Type/_history
    TypeSearch,         ///< Type/_search
    TypeOperation,      ///< Type/$op
    Instance,           ///< Type/id
    InstanceHistory,    ///< Type/id/_history
    Version,            ///< Type/id/_history/version
    InstanceOperation,  ///< Type/id/$op
    Compartment,        ///< Type/id/Type2
    CompartmentSearch,  ///< Type/id/Type2/_search
    OwnDefinition,      ///< OperationDefinition/hygie-…: of an operation of ours
};

struct Target {
    Shape shape = Shape::System;
    std::string type{};     ///< a resource type of R4
    std::string id{};       ///< of a resource, or of an export
    std::string version{};  ///< of Version: decimal digits
    std::string name{};     ///< "$op", the token of Page, the file of ExportFile, the inner type of
                            ///< Compartment ("*" for all)
};

/// Takes a path below the base apart, without its leading '/': "Patient/1/_history". Code::NotFound
/// when it has no shape of these or names no resource type; Code::BadInput when it is badly
/// encoded.
Result<Target> parse_target(std::string_view path);

/// Ids of the definitions of our own operations begin with it; nothing of that name is stored.
inline constexpr std::string_view kOwnDefinition = "hygie-";

/// FHIR's id: letters, digits, '-' and '.', at most 64.
bool is_id(std::string_view text);

/// "Observation/42": a type of R4, a slash and an id.
bool is_literal_reference(std::string_view text);

/// "Observation": a type of R4, whatever case is another.
bool is_resource_type(std::string_view text);

/// AuditEvent: served from the ledger and from nowhere else, never written.
bool is_from_ledger(std::string_view type);

using Parameter = fhir::QueryParameter;
using Parameters = std::vector<Parameter>;

inline constexpr std::size_t kParametersMax = 200;
inline constexpr std::size_t kQueryBytesMax = 64 << 10;

/// A query or a form, decoded, in the order written (application/x-www-form-urlencoded).
/// Code::BadInput when it is badly encoded, no UTF-8, or exceeds a limit.
Result<Parameters> parse_query(std::string_view query);
/// The inverse, each character percent-encoded that is not unreserved (RFC 3986 §2.3).
std::string print_query(std::span<const Parameter> parameters);
/// The value of the first parameter of that name; empty when there is none.
std::string_view value_of(std::span<const Parameter> parameters, std::string_view name);

}  // namespace hygie::records
