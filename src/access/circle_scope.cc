#include "access/circle_scope.h"

#include <algorithm>
#include <string>

namespace hygie::access {
namespace {

using event::Action;

/// The letter of SMART App Launch 2 that an act needs.
char letter_needed(Action action) {
    switch (action) {
        case Action::Create:
            return 'c';
        case Action::Read:
            return 'r';
        case Action::Update:
            return 'u';
        case Action::Delete:
            return 'd';
        case Action::Execute:
            return 's';
    }
    return '?';
}

bool letters_cover(std::string_view letters, Action action) {
    if (letters == "*") return true;
    if (letters == "read") return action == Action::Read || action == Action::Execute;
    if (letters == "write")
        return action == Action::Create || action == Action::Update || action == Action::Delete;
    return letters.find(letter_needed(action)) != std::string_view::npos;
}

bool covers(std::string_view scope, const Actor& actor, Action action, std::string_view type) {
    const auto slash = scope.find('/');
    const auto dot = scope.find('.', slash == std::string_view::npos ? 0 : slash);
    if (slash == std::string_view::npos || dot == std::string_view::npos) return false;
    const std::string_view reach = scope.substr(0, slash);
    const std::string_view what = scope.substr(slash + 1, dot - slash - 1);
    if (reach == "patient" ? actor.role != Role::Patient : reach != "user" && reach != "system")
        return false;
    return (what == "*" || what == type) && letters_cover(scope.substr(dot + 1), action);
}

}  // namespace

bool within_scopes(const Actor& actor, Action action, std::string_view type) {
    return std::ranges::any_of(actor.scopes, [&](const std::string& scope) {
        return scope.find('?') == std::string::npos && covers(scope, actor, action, type);
    });
}

}  // namespace hygie::access
