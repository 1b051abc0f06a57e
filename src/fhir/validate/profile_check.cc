#include <fmt/format.h>

#include <algorithm>

#include "fhir/validate/french.h"
#include "fhir/validate/profile.h"
#include "fhir/validate/profile_tree.h"
#include "fhir/validate/validate_walk.h"

/// Whether a resource keeps a profile.
namespace hygie::fhir {

namespace {

constexpr int kDepthMax = 32;  ///< of profiles within profiles
constexpr std::string_view kCore = "http://hl7.org/fhir/StructureDefinition/";

/// One value of an element, and where it is.
struct ProfileItem {
    PathItem item;
    std::size_t index = Place::kNoIndex;
};
using ProfileItems = std::vector<ProfileItem>;

Json at(Json list, std::size_t index) {
    return index < list.size() ? list.items()[index] : Json();
}

bool is_extension(std::string_view name) {
    return name == "extension" || name == "modifierExtension";
}

/// The values that a JSON property holds, one by one.
void add_property(Json object, std::string_view name, const TypeDef* type, ProfileItems& out) {
    const Json value = object[name];
    const Json extra = object["_" + std::string(name)];
    if (!value.is_array() && !extra.is_array()) {
        if (value || extra) out.push_back({{value, extra, type}, Place::kNoIndex});
        return;
    }
    for (std::size_t i = 0; i < std::max(value.size(), extra.size()); ++i)
        out.push_back({{at(value, i), at(extra, i), type}, i});
}

/// The values of an element; of a choice in any of its forms, "valueQuantity" for that one alone.
ProfileItems children_of(const PathItem& parent, std::string_view name) {
    ProfileItems out;
    const Json object = parent.value.is_object() ? parent.value : parent.extra;
    const TypeDef* type = parent.type;
    if (type && type->kind == TypeKind::Resource && parent.value.is_object()) {
        if (const auto* own = find_type(parent.value["resourceType"].text())) type = own;
    }
    const ElementDef* const element = type ? type->element(name) : nullptr;
    if (element && element->is_choice) {
        for (const Member& member : object.members()) {
            const auto property = type->property(member.name);
            if (property.element == element) add_property(object, member.name, property.type, out);
        }
        return out;
    }
    const auto* const of = element && !element->types.empty() ? element->types.front().type
                           : type                             ? type->property(name).type
                                                              : nullptr;
    add_property(object, name, of, out);
    return out;
}

/// Whether the value has all that the pattern has.
bool keeps_pattern(Json pattern, Json value) {
    if (pattern.is_object())
        return value.is_object() &&
               std::ranges::all_of(pattern.members(), [&](const Member& member) {
                   return keeps_pattern(member.value, value[member.name]);
               });
    if (pattern.is_array())
        return std::ranges::all_of(pattern.items(), [&](Json wanted) {
            return std::ranges::any_of(value.items(),
                                       [&](Json one) { return keeps_pattern(wanted, one); });
        });
    return pattern == value;
}

bool is_one_of(const std::vector<const TypeDef*>& types, const TypeDef* type) {
    return types.empty() || !type || std::ranges::any_of(types, [&](const TypeDef* allowed) {
               for (const TypeDef* up = type; up; up = up->base)
                   if (up == allowed) return true;
               return false;
           });
}

}  // namespace

/// Checks the tree of a profile against a value, reporting to a walk.
class ProfileCheck {
  public:
    ProfileCheck(Walk& walk, int depth) : walk_(walk), depth_(depth) {}

    void profile(const Profile& profile, const PathItem& item, const Place& place) {
        if (depth_ > kDepthMax)
            return walk_.report(Issue::Type::TooCostly, place,
                                {"Trop de profils les uns dans les autres.",
                                 "Too many profiles inside each other."});
        element(*profile.root, item, place);
    }

  private:
    void element(const ProfileNode& node, const PathItem& item, const Place& place) {
        if (walk_.is_full()) return;
        if (node.fixed && !(node.fixed == item.value))
            walk_.report(Issue::Type::Value, place,
                         {"Le profil impose une valeur ici.", "The profile fixes a value here."});
        if (node.pattern && !keeps_pattern(node.pattern, item.value))
            walk_.report(
                Issue::Type::Value, place,
                {"Le profil impose un motif ici.", "The profile asks for a pattern here."});
        if (!is_one_of(node.types, item.type))
            walk_.report(Issue::Type::Structure, place,
                         {"Le profil demande un autre type ici.",
                          "The profile asks for another type here."});
        if (!node.targets.empty()) walk_.target(item.value, node.targets, place);
        if (!node.value_set.empty()) walk_.bound(item.value, node.value_set, place);
        for (const auto& rule : node.rules) walk_.rule(*rule, item, place);
        type_profiles(node, item, place);
        for (const auto& child : node.children) children(*child, item, place);
    }

    void type_profiles(const ProfileNode& node, const PathItem& item, const Place& place) {
        const Profiles* const known = walk_.options().known;
        if (!known) return;
        for (const auto url : node.type_profiles)
            if (const Profile* const found = known->find(url))
                ProfileCheck(walk_, depth_ + 1).profile(*found, item, place);
    }

    void children(const ProfileNode& node, const PathItem& parent, const Place& place) {
        const ProfileItems items = children_of(parent, node.name);
        count(node, items.size(), {&place, node.name});
        for (const auto& [item, index] : items) element(node, item, {&place, node.name, index});
        if (!node.slices.empty()) slices(node, items, place);
    }

    void count(const ProfileNode& node, std::size_t number, const Place& place) {
        if (node.min && number < *node.min)
            walk_.report(Issue::Type::Required, place,
                         {fmt::format("Le profil en demande au moins {}.", *node.min),
                          fmt::format("The profile asks for at least {}.", *node.min)});
        if (node.max && number > *node.max)
            walk_.report(Issue::Type::Structure, place,
                         {fmt::format("Le profil en permet au plus {}.", *node.max),
                          fmt::format("The profile allows at most {}.", *node.max)});
    }

    void slices(const ProfileNode& node, const ProfileItems& items, const Place& place) {
        std::vector<std::size_t> counts(node.slices.size());
        for (const auto& [item, index] : items) {
            const Place here{&place, node.name, index};
            std::size_t slice = 0;
            while (slice < counts.size() && !belongs(node, *node.slices[slice], item)) ++slice;
            if (slice < counts.size()) {
                ++counts[slice];
                element(*node.slices[slice], item, here);
            } else if (node.is_closed) {
                walk_.report(Issue::Type::Structure, here,
                             {"Le profil ne permet pas celui-ci (tranches fermées).",
                              "The profile does not allow this one (closed slices)."});
            }
        }
        for (std::size_t i = 0; i < counts.size(); ++i)
            count(*node.slices[i], counts[i], {&place, node.name});
    }

    bool belongs(const ProfileNode& node, const ProfileNode& slice, const PathItem& item) const {
        if (is_extension(node.name)) {
            const auto* const url = slice.child("url");
            const auto wanted = url && url->fixed             ? url->fixed.text()
                                : slice.type_profiles.empty() ? std::string_view()
                                                              : slice.type_profiles.front();
            return !wanted.empty() && item.value["url"].text() == wanted;
        }
        if (node.discriminators.empty()) return is_one_of(slice.types, item.type);
        return std::ranges::all_of(node.discriminators, [&](const auto& discriminator) {
            return tells(discriminator, slice, item);
        });
    }

    /// Whether a value is of the slice as far as this discriminator tells.
    bool tells(const ProfileNode::Discriminator& discriminator, const ProfileNode& slice,
               const PathItem& item) const {
        using Kind = ProfileNode::Discriminator::Kind;
        const ProfileNode* node = &slice;
        Json wanted = wanted_of(slice);
        ProfileItems values = {{item, Place::kNoIndex}};
        for (const auto name : discriminator.path) {
            ProfileItems next;
            for (const auto& value : values)
                std::ranges::copy(children_of(value.item, name), std::back_inserter(next));
            values = std::move(next);
            node = node ? node->child(name) : nullptr;
            wanted = node && wanted_of(*node) ? wanted_of(*node) : wanted[name];
        }
        if (discriminator.kind == Kind::Exists)
            return values.empty() == (node && node->max == std::size_t{0});
        if (discriminator.kind == Kind::Type)
            return std::ranges::any_of(values, [&](const ProfileItem& value) {
                return node && is_one_of(node->types, value.item.type);
            });
        return std::ranges::any_of(values, [&](const ProfileItem& value) {
            if (wanted) return keeps_pattern(wanted, value.item.value);
            return node && !node->value_set.empty() &&
                   walk_.may_be_in(value.item.value, node->value_set);
        });
    }
    static Json wanted_of(const ProfileNode& node) {
        return node.fixed ? node.fixed : node.pattern;
    }

    Walk& walk_;
    int depth_;
};

void Walk::claimed(std::string_view canonical, Json value, const TypeDef& type, const Place& place,
                   Issue::Severity if_unknown) {
    const auto url = canonical.substr(0, canonical.find('|'));
    const Profile* const profile = options_.known ? options_.known->find(url) : nullptr;
    const PathItem item{value, {}, &type};
    if (profile && profile->type == &type) {
        ProfileCheck(*this, 0).profile(*profile, item, place);
    } else if (profile || (url.starts_with(kCore) && find_type(url.substr(kCore.size())))) {
        const auto* const wanted = profile ? profile->type : find_type(url.substr(kCore.size()));
        if (!type.is_a(wanted->name))
            report(Issue::Type::Structure, place,
                   {"Le profil annoncé est celui d’un autre type de ressource.",
                    "The claimed profile is one of another type of resource."});
    } else if (url == kFrenchPatientIns) {
        if (type.name == "Patient") french(check_french_ins_profile(value), place);
    } else {
        report(Issue::Type::NotFound, place,
               {"Un profil annoncé ou demandé n’est pas connu ici : il n’a pas été vérifié.",
                "A profile that is claimed or asked for is not known here: it was not checked."},
               if_unknown);
    }
}

}  // namespace hygie::fhir
