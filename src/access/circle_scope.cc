#include "access/circle_scope.h"

#include <algorithm>

#include "access/scope.h"

namespace hygie::access {

bool within_scopes(const Actor& actor, event::Action action, std::string_view type) {
    return std::ranges::any_of(actor.scopes, [&](const std::string& text) {
        const auto scope = parse_scope(text);
        if (!scope || !scope->query.empty()) return false;
        if (scope->reach == Reach::Patient && actor.role != Role::Patient) return false;
        return (scope->type == "*" || scope->type == type) &&
               (scope->letters & letter_of(action)) != 0;
    });
}

}  // namespace hygie::access
