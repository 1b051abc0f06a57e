#include "access/decide/scope_query.h"

#include <algorithm>

namespace hygie::access {
namespace {

std::unexpected<Error> no_bound() {
    return fail(Code::BadInput,
                {"cette portée bornée par une recherche n'est pas permise",
                 "this scope bounded by a search is not allowed"},
                {"écrivez un type, r ou s, puis des critères simples de R4 : "
                 "patient/Observation.rs?category=laboratory",
                 "write one type, r or s, then plain criteria of R4: "
                 "patient/Observation.rs?category=laboratory"});
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char low = static_cast<char>(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

Result<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
        if (low < 0) return no_bound();
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

Result<std::vector<fhir::QueryParameter>> parameters_of(std::string_view query) {
    std::vector<fhir::QueryParameter> parameters;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || equals + 1 == pair.size()) return no_bound();
        std::string name = TRY(decoded(pair.substr(0, equals)));
        std::string value = TRY(decoded(pair.substr(equals + 1)));
        parameters.push_back({std::move(name), std::move(value)});
    }
    return parameters;
}

/// What the resource alone decides.
bool is_plain(const fhir::Criterion& criterion) {
    using Kind = fhir::Criterion::Kind;
    return criterion.kind == Kind::Value || criterion.kind == Kind::Id;
}

}  // namespace

Result<fhir::Query> search_of(const Scope& scope, WallTime now) {
    if ((scope.letters & ~(kRead | kSearch)) != 0 || scope.type == "*" ||
        scope.type == "AuditEvent")
        return no_bound();
    const auto parameters = TRY(parameters_of(scope.query));
    auto query = fhir::parse_query(scope.type, parameters, {.base = {}, .now = now});
    if (!query || query->all.size() != parameters.size() || parameters.empty() ||
        !std::ranges::all_of(query->all, is_plain))
        return no_bound();
    query->count = SIZE_MAX;
    query->total = fhir::Query::Total::None;
    return *std::move(query);
}

}  // namespace hygie::access
