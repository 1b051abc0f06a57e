#include "fhir/validate/profile.h"

#include <algorithm>
#include <charconv>

#include "fhir/data/definitions.h"
#include "fhir/validate/profile_tree.h"

namespace hygie::fhir {

using definitions::take;

namespace {

constexpr std::string_view kCore = "http://hl7.org/fhir/StructureDefinition/";

std::unexpected<Error> not_checked(std::string fr, std::string en) {
    return fail(Code::BadInput, {"Profil : " + std::move(fr), "Profile: " + std::move(en)},
                {"Corrigez la StructureDefinition, ou n’annoncez pas ce profil.",
                 "Correct the StructureDefinition, or do not claim this profile."});
}

std::string_view without_version(std::string_view canonical) {
    return canonical.substr(0, canonical.find('|'));
}

/// The member whose name begins so ("fixed", "pattern") and goes on with a type.
Json typed_member(Json element, std::string_view prefix) {
    for (const Member& member : element.members()) {
        const auto name = member.name;
        if (name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] >= 'A' &&
            name[prefix.size()] <= 'Z')
            return member.value;
    }
    return {};
}

/// Makes the tree of one StructureDefinition.
class Builder {
  public:
    Builder(Profile& profile, const Profiles& known) : profile_(profile), known_(known) {}

    Status build(Json definition) {
        profile_.url = definition["url"].text();
        profile_.type = find_type(definition["type"].text());
        if (profile_.url.empty() || !profile_.type)
            return not_checked("il lui faut « url » et un « type » de R4",
                               "it needs a “url” and a “type” of R4");
        const auto base = without_version(definition["baseDefinition"].text());
        const Profile* const known_base = known_.find(base);
        profile_.root = known_base ? known_base->root->copy() : std::make_unique<ProfileNode>();
        const bool on_core = base.starts_with(kCore) && find_type(base.substr(kCore.size()));
        const bool own = (known_base || on_core) && definition["differential"];
        const Json elements = definition[own ? "differential" : "snapshot"]["element"];
        if (!elements)
            return not_checked("sa base est inconnue et elle n’a pas de « snapshot »",
                               "its base is unknown and it has no “snapshot”");
        for (const Json element : elements.items()) TRY_STATUS(add(element));
        return {};
    }

  private:
    /// "Patient.identifier:INS.system": names, each with its slice.
    Status add(Json element) {
        auto id = element["id"].text();
        if (id.empty()) id = element["path"].text();
        take(id, '.');
        ProfileNode* node = profile_.root.get();
        while (!id.empty()) {
            auto name = take(id, '.');
            const auto before_slice = take(name, ':');
            node = &at(*node, before_slice, name);
        }
        return fill(*node, element);
    }

    static ProfileNode& at(ProfileNode& parent, std::string_view name, std::string_view slice) {
        if (name.ends_with("[x]")) name.remove_suffix(3);
        auto& element = find_or_make(parent.children, name, {});
        return slice.empty() ? element : find_or_make(element.slices, name, slice);
    }
    static ProfileNode& find_or_make(std::vector<std::unique_ptr<ProfileNode>>& nodes,
                                     std::string_view name, std::string_view slice) {
        for (const auto& node : nodes)
            if (node->name == name && node->slice == slice) return *node;
        auto& made = nodes.emplace_back(std::make_unique<ProfileNode>());
        made->name = name;
        made->slice = slice;
        return *made;
    }

    Status fill(ProfileNode& node, Json element) {
        if (element["min"]) node.min = number_of(element["min"].text());
        const auto max = element["max"].text();
        if (!max.empty()) node.max = max == "*" ? SIZE_MAX : number_of(max);
        if (const Json fixed = typed_member(element, "fixed")) node.fixed = fixed;
        if (const Json pattern = typed_member(element, "pattern")) node.pattern = pattern;
        const Json binding = element["binding"];
        if (binding["strength"].text() == "required") node.value_set = binding["valueSet"].text();
        if (element["type"]) {
            node.types.clear();
            node.type_profiles.clear();
            node.targets.clear();
        }
        for (const Json type : element["type"].items()) fill_type(node, type);
        for (const Json constraint : element["constraint"].items())
            TRY_STATUS(fill_rule(node, constraint));
        return fill_slicing(node, element["slicing"]);
    }

    static std::size_t number_of(std::string_view text) {
        std::size_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }

    void fill_type(ProfileNode& node, Json type) {
        if (const TypeDef* const found = find_type(type["code"].text()))
            node.types.push_back(found);
        for (const Json profile : type["profile"].items())
            node.type_profiles.push_back(without_version(profile.text()));
        for (const Json target : type["targetProfile"].items()) {
            const auto url = without_version(target.text());
            const Profile* const profile = known_.find(url);
            const TypeDef* const core =
                url.starts_with(kCore) ? find_type(url.substr(kCore.size())) : nullptr;
            // A target that is not known here could be of any type.
            node.targets.push_back(profile ? profile->type->name
                                   : core  ? core->name
                                           : std::string_view("Resource"));
        }
    }

    Status fill_rule(ProfileNode& node, Json constraint) {
        const auto key = constraint["key"].text();
        const auto same = [&](const Constraint& known) { return known.key == key; };
        // Those of R4 itself, which snapshots repeat, are checked already.
        constexpr std::string_view kGeneral[] = {"ele-1", "ext-1", "dom-2", "dom-3",
                                                 "dom-4", "dom-5", "dom-6"};
        if (std::ranges::any_of(profile_.type->constraints, same) ||
            std::ranges::find(kGeneral, key) != std::end(kGeneral) || !constraint["expression"])
            return {};
        auto compiled = PathExpression::compile(constraint["expression"].text());
        if (!compiled) return std::unexpected(compiled.error());
        profile_.constraints.push_back({key, constraint["human"].text(),
                                        constraint["expression"].text(),
                                        constraint["severity"].text() != "warning"});
        auto rule = std::make_shared<Rule>();
        rule->constraint = &profile_.constraints.back();
        rule->expression = std::move(*compiled);
        node.rules.push_back(std::move(rule));
        return {};
    }

    static Status fill_slicing(ProfileNode& node, Json slicing) {
        if (!slicing) return {};
        node.is_closed = slicing["rules"].text() == "closed";
        node.discriminators.clear();
        for (const Json one : slicing["discriminator"].items()) {
            ProfileNode::Discriminator made;
            const auto kind = one["type"].text();
            using Kind = ProfileNode::Discriminator::Kind;
            if (kind == "type") made.kind = Kind::Type;
            if (kind == "exists") made.kind = Kind::Exists;
            auto path = one["path"].text();
            if (kind == "profile" || path.contains('('))
                return not_checked(
                    "ses tranches ne se distinguent pas par une valeur, un type ou "
                    "une présence",
                    "its slices are not told apart by a value, a type or an "
                    "existence");
            if (path == "$this") path = {};
            while (!path.empty()) made.path.push_back(take(path, '.'));
            node.discriminators.push_back(std::move(made));
        }
        return {};
    }

    Profile& profile_;
    const Profiles& known_;
};

}  // namespace

std::unique_ptr<ProfileNode> ProfileNode::copy() const {
    auto made = std::make_unique<ProfileNode>();
    made->name = name;
    made->slice = slice;
    made->min = min;
    made->max = max;
    made->fixed = fixed;
    made->pattern = pattern;
    made->types = types;
    made->type_profiles = type_profiles;
    made->targets = targets;
    made->value_set = value_set;
    made->rules = rules;
    made->discriminators = discriminators;
    made->is_closed = is_closed;
    for (const auto& one : slices) made->slices.push_back(one->copy());
    for (const auto& one : children) made->children.push_back(one->copy());
    return made;
}

Profiles::Profiles(const Profiles* base) : base_(base) {}
Profiles::Profiles(Profiles&&) noexcept = default;
Profiles& Profiles::operator=(Profiles&&) noexcept = default;
Profiles::~Profiles() = default;

Status Profiles::add(Json structure_definition) {
    auto profile = std::make_unique<Profile>();
    TRY_STATUS(Builder(*profile, *this).build(structure_definition));
    const auto url = profile->url;
    // Others stand on the first one.
    const bool is_known = base_ && base_->find(url);
    if (is_known || !profiles_.try_emplace(url, std::move(profile)).second)
        return fail(Code::AlreadyThere,
                    {"Un profil de cette adresse est déjà connu.",
                     "A profile of this address is known already."},
                    {"Retirez l’un des deux.", "Take away one of both."});
    return {};
}

const Profile* Profiles::find(std::string_view canonical) const {
    const auto found = profiles_.find(without_version(canonical));
    if (found != profiles_.end()) return found->second.get();
    return base_ ? base_->find(canonical) : nullptr;
}

}  // namespace hygie::fhir
