#include "guards/records/request/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/text.h"
#include "fhir/data/schema.h"

namespace hygie::records {

namespace {

constexpr std::size_t kIdLengthMax = 64;
constexpr std::size_t kVersionDigitsMax = 18;
constexpr std::size_t kOperationLengthMax = 40;
constexpr std::size_t kPartsMax = 4;

std::unexpected<Error> no_such_path() {
    return fail(Code::NotFound,
                {"cette adresse n'existe pas dans l'interface FHIR",
                 "the FHIR interface has no such address"},
                {"comparez-la avec le CapabilityStatement : GET [base]/metadata",
                 "compare it with the CapabilityStatement: GET [base]/metadata"});
}

std::unexpected<Error> bad_encoding() {
    return fail(Code::BadInput, {"adresse mal encodée", "badly encoded address"},
                {"encodez chaque caractère réservé par %XX, en UTF-8",
                 "encode each reserved character as %XX, in UTF-8"});
}

std::unexpected<Error> too_much(Text what) {
    return fail(Code::Full, std::move(what),
                {"découpez-la en plusieurs recherches, ou réunissez les valeurs d'un paramètre par "
                 "des virgules",
                 "split it into several searches, or join the values of a parameter with commas"});
}

enum class Plus : std::uint8_t { IsPlus, IsSpace };

/// Percent-decoding (RFC 3986 §2.1); none when it is malformed, not UTF-8 or holds a NUL.
std::optional<std::string> decode(std::string_view text, Plus plus) {
    std::string out;
    if (!text.contains('%') && (plus == Plus::IsPlus || !text.contains('+'))) {
        out = text;
        text = {};
    }
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == Plus::IsSpace) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    if (!is_utf8(out) || out.contains('\0')) return std::nullopt;
    return out;
}

bool is_version(std::string_view text) {
    return !text.empty() && text.size() <= kVersionDigitsMax &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_operation(std::string_view text) {
    return text.size() > 1 && text.size() <= kOperationLengthMax && text[0] == '$' &&
           std::ranges::all_of(text.substr(1),
                               [](char c) { return is_alphanumeric(c) || c == '-'; });
}

using Parts = std::span<const std::string>;

std::optional<Target> system_target(Parts parts) {
    if (parts.empty()) return Target{};
    const std::string& first = parts[0];
    if (parts.size() == 1) {
        if (first == "metadata") return Target{.shape = Shape::Metadata};
        if (first == "_history") return Target{.shape = Shape::SystemHistory};
        if (first == "_search") return Target{.shape = Shape::SystemSearch};
        if (is_operation(first)) return Target{.shape = Shape::SystemOperation, .name = first};
    }
    if (parts.size() == 2 && first == "_page")
        return Target{.shape = Shape::Page, .name = parts[1]};
    if (first != "_export" || parts.size() < 2 || !is_id(parts[1])) return std::nullopt;
    if (parts.size() == 2) return Target{.shape = Shape::ExportStatus, .id = parts[1]};
    if (parts.size() == 3 && is_id(parts[2]))
        return Target{.shape = Shape::ExportFile, .id = parts[1], .name = parts[2]};
    return std::nullopt;
}

std::optional<Target> type_target(Parts parts) {
    Target target{.shape = Shape::Type, .type = parts[0]};
    if (parts.size() == 1) return target;
    if (parts.size() != 2) return std::nullopt;
    target.name = parts[1];
    if (parts[1] == "_history") target.shape = Shape::TypeHistory;
    if (parts[1] == "_search") target.shape = Shape::TypeSearch;
    if (is_operation(parts[1])) target.shape = Shape::TypeOperation;
    if (target.shape == Shape::Type) return std::nullopt;
    return target;
}

std::optional<Target> instance_target(Parts parts) {
    if (!is_id(parts[1])) return std::nullopt;
    Target target{.shape = Shape::Instance, .type = parts[0], .id = parts[1]};
    if (target.type == "OperationDefinition" && target.id.starts_with(kOwnDefinition)) {
        target.shape = Shape::OwnDefinition;
        if (parts.size() > 2) return std::nullopt;
    }
    if (parts.size() == 2) return target;
    const std::string& third = parts[2];
    if (third == "_history") {
        if (parts.size() == 3) {
            target.shape = Shape::InstanceHistory;
            return target;
        }
        if (!is_version(parts[3])) return std::nullopt;
        target.shape = Shape::Version;
        target.version = parts[3];
        return target;
    }
    target.name = third;
    if (is_operation(third)) {
        if (parts.size() != 3) return std::nullopt;
        target.shape = Shape::InstanceOperation;
        return target;
    }
    if (third != "*" && !is_resource_type(third)) return std::nullopt;
    if (parts.size() == 4 && parts[3] != "_search") return std::nullopt;
    target.shape = parts.size() == 4 ? Shape::CompartmentSearch : Shape::Compartment;
    return target;
}

}  // namespace

Result<Method> method_named(std::string_view name) {
    if (name == "GET" || name == "HEAD") return Method::Get;
    if (name == "POST") return Method::Post;
    if (name == "PUT") return Method::Put;
    if (name == "PATCH") return Method::Patch;
    if (name == "DELETE") return Method::Delete;
    return fail(Code::BadInput, {"méthode HTTP inconnue", "unknown HTTP method"},
                {"utilisez GET, HEAD, POST, PUT, PATCH ou DELETE",
                 "use GET, HEAD, POST, PUT, PATCH or DELETE"});
}

std::string_view name_of(Method method) {
    switch (method) {
        case Method::Get:
            return "GET";
        case Method::Post:
            return "POST";
        case Method::Put:
            return "PUT";
        case Method::Patch:
            return "PATCH";
        case Method::Delete:
            return "DELETE";
    }
    return {};
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= kIdLengthMax && std::ranges::all_of(text, [](char c) {
        return is_alphanumeric(c) || c == '-' || c == '.';
    });
}

bool is_literal_reference(std::string_view text) {
    const auto slash = text.find('/');
    return slash != text.npos && is_id(text.substr(slash + 1)) &&
           is_resource_type(text.substr(0, slash));
}

bool is_resource_type(std::string_view text) {
    const fhir::TypeDef* type = fhir::find_type(text);
    return type && type->kind == fhir::TypeKind::Resource && !type->is_abstract;
}

bool is_from_ledger(std::string_view type) {
    return type == "AuditEvent";
}

Result<Target> parse_target(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        if (parts.size() == kPartsMax) return no_such_path();
        const auto slash = path.find('/');
        auto part = decode(path.substr(0, slash), Plus::IsPlus);
        if (!part) return bad_encoding();
        parts.push_back(std::move(*part));
        path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
    }
    std::optional<Target> target;
    if (parts.empty() || !is_resource_type(parts[0])) {
        target = system_target(parts);
    } else {
        target = type_target(parts);
        if (!target && parts.size() >= 2) target = instance_target(parts);
    }
    if (!target) return no_such_path();
    return *std::move(target);
}

Result<Parameters> parse_query(std::string_view query) {
    if (query.size() > kQueryBytesMax)
        return too_much({fmt::format("cette recherche dépasse {} octets", kQueryBytesMax),
                         fmt::format("this search is longer than {} bytes", kQueryBytesMax)});
    Parameters parameters;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = decode(pair.substr(0, equals), Plus::IsSpace);
        auto value = decode(pair.substr(std::min(equals + 1, pair.size())), Plus::IsSpace);
        if (!name || !value || name->empty()) return bad_encoding();
        if (parameters.size() == kParametersMax)
            return too_much({fmt::format("plus de {} paramètres", kParametersMax),
                             fmt::format("more than {} parameters", kParametersMax)});
        parameters.push_back({std::move(*name), std::move(*value)});
    }
    return parameters;
}

namespace {

void append_encoded(std::string& out, std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
}

}  // namespace

std::string print_query(std::span<const Parameter> parameters) {
    std::string out;
    for (const auto& [name, value] : parameters) {
        if (!out.empty()) out += '&';
        append_encoded(out, name);
        out += '=';
        append_encoded(out, value);
    }
    return out;
}

std::string_view value_of(std::span<const Parameter> parameters, std::string_view name) {
    const auto found = std::ranges::find(parameters, name, &Parameter::name);
    return found == parameters.end() ? std::string_view() : std::string_view(found->value);
}

}  // namespace hygie::records
