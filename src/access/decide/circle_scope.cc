#include "access/decide/circle_scope.h"

#include <algorithm>

namespace hygie::access {
namespace {

bool covers(const Actor& actor, const Scope& scope, event::Action action, std::string_view type) {
    if (scope.reach == Reach::Patient && actor.role != Role::Patient) return false;
    return (scope.type == "*" || scope.type == type) && (scope.letters & letter_of(action)) != 0;
}

}  // namespace

bool within_scopes(const Actor& actor, event::Action action, std::string_view type) {
    return std::ranges::any_of(actor.scopes, [&](const std::string& text) {
        const auto scope = parse_scope(text);
        return scope && covers(actor, *scope, action, type);
    });
}

std::vector<Scope> bounds_of(const Actor& actor, event::Action action, std::string_view type) {
    std::vector<Scope> bounds;
    for (const std::string& text : actor.scopes) {
        auto scope = parse_scope(text);
        if (!scope || !covers(actor, *scope, action, type)) continue;
        if (scope->query.empty()) return {};
        bounds.push_back(*std::move(scope));
    }
    return bounds;
}

}  // namespace hygie::access
