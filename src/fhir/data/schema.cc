#include "fhir/data/schema.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "fhir/data/definitions.h"

namespace hygie::fhir {

using definitions::take;

/// Names of JSON properties in a hash table with open places, at most half full: this look-up is
/// done for every member of every resource.
struct TypeDef::PropertyTable {
    struct Slot {
        std::string_view name;
        Property property;
    };
    std::vector<Slot> slots;

    explicit PropertyTable(std::size_t count) {
        std::size_t size = 8;
        while (size < 2 * count) size *= 2;
        slots.resize(size);
    }
    /// Where a name is, or would be.
    std::size_t place(std::string_view key) const {
        std::size_t at = std::hash<std::string_view>{}(key);
        for (;; ++at) {
            const Slot& slot = slots[at & (slots.size() - 1)];
            if (!slot.property.element || slot.name == key) return at & (slots.size() - 1);
        }
    }
    void add(std::string_view key, Property property) { slots[place(key)] = {key, property}; }
};

const ElementDef* TypeDef::element(std::string_view element_name) const {
    const auto found = std::ranges::find(elements, element_name, &ElementDef::name);
    return found == elements.end() ? nullptr : &*found;
}

TypeDef::Property TypeDef::property(std::string_view json_name) const {
    return properties->slots[properties->place(json_name)].property;
}

bool TypeDef::is_a(std::string_view type_name) const {
    for (const TypeDef* type = this; type; type = type->base)
        if (type->name == type_name) return true;
    return false;
}

namespace {

/// A type while it is read, and the memory behind its spans.
struct TypeEntry {
    TypeDef def;
    std::string_view base_name;
    std::vector<ElementDef> elements;
    std::vector<Constraint> constraints;
    bool is_linked = false;
};

/// An element while it is read: what is linked when all types are known.
struct ElementEntry {
    TypeEntry* owner = nullptr;
    std::size_t index = 0;
    std::string_view types;
    std::vector<Constraint> constraints;
};

/// Reads r4.types.
class Types {
  public:
    Types() {
        std::string_view text = definitions::types();
        while (!text.empty()) read_line(take(text, '\n'));
        for (ElementEntry& element : elements_) link(element);
        for (TypeEntry& type : types_) link(type);
        std::ranges::sort(resources_, {}, &TypeDef::name);
    }

    const TypeDef* find(std::string_view name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : &found->second->def;
    }
    std::span<const TypeDef* const> resources() const { return resources_; }

  private:
    void read_line(std::string_view line) {
        const std::string_view word = take(line, ' ');
        if (word == "#") return;
        if (word == "-") return read_element(line);
        if (word == "!" || word == "?") return read_constraint(word == "!", line);
        read_type(word, line);
    }

    void read_type(std::string_view kind, std::string_view line) {
        const std::string_view name = take(line, ' ');
        const std::string_view colon = line;
        std::string_view base;
        if (colon.starts_with(": ")) {
            line.remove_prefix(2);
            base = take(line, ' ');
        }
        current_ = &add_type(name,
                             kind == "primitive"  ? TypeKind::Primitive
                             : kind == "resource" ? TypeKind::Resource
                                                  : TypeKind::Complex,
                             base);
        current_->def.is_abstract = line == "abstract";
        constraints_ = &current_->constraints;
        if (kind == "resource" && !current_->def.is_abstract) resources_.push_back(&current_->def);
    }

    TypeEntry& add_type(std::string_view name, TypeKind kind, std::string_view base) {
        TypeEntry& type = types_.emplace_back();
        type.def.name = name;
        type.def.kind = kind;
        type.base_name = base;
        by_name_.emplace(name, &type);
        return type;
    }

    void read_element(std::string_view line) {
        ElementDef element;
        element.path = take(line, '\t');
        const std::size_t dot = element.path.rfind('.');
        element.name = element.path.substr(dot + 1);
        element.is_choice = element.name.ends_with("[x]");
        if (element.is_choice) element.name.remove_suffix(3);
        const std::string_view least = take(line, '.');
        std::from_chars(least.data(), least.data() + least.size(), element.min);
        take(line, '.');
        const std::string_view most = take(line, '\t');
        element.max = kUnbounded;
        std::from_chars(most.data(), most.data() + most.size(), element.max);
        const std::string_view types = take(line, '\t');
        const std::string_view flags = take(line, '\t');
        element.is_summary = flags.contains('s');
        element.is_modifier = flags.contains('m');
        element.binding = strength(take(line, ' '));
        element.value_set = line;
        TypeEntry& owner = *by_name_.at(element.path.substr(0, dot));
        owner.elements.push_back(element);
        elements_.push_back({&owner, owner.elements.size() - 1, types, {}});
        constraints_ = &elements_.back().constraints;
        // The rules of a backbone element belong to its type.
        if (types == "{}" || types == "{Element}")
            constraints_ = &add_type(element.path, TypeKind::Backbone,
                                     types == "{}" ? "BackboneElement" : "Element")
                                .constraints;
    }

    static BindingStrength strength(std::string_view word) {
        if (word == "required") return BindingStrength::Required;
        if (word == "extensible") return BindingStrength::Extensible;
        if (word == "preferred") return BindingStrength::Preferred;
        return word == "example" ? BindingStrength::Example : BindingStrength::None;
    }

    void read_constraint(bool is_error, std::string_view line) {
        Constraint constraint;
        constraint.key = take(line, '\t');
        constraint.expression = take(line, '\t');
        constraint.human = line;
        constraint.is_error = is_error;
        constraints_->push_back(constraint);
    }

    void link(ElementEntry& entry) {
        ElementDef& element = entry.owner->elements[entry.index];
        auto& types = element_types_.emplace_back();
        std::string_view left = entry.types;
        if (left.starts_with('{')) {
            const std::string_view of = left.substr(1, left.size() - 2);
            types.push_back({find(of.contains('.') ? of : element.path), {}});
            left = {};
        }
        while (!left.empty()) {
            std::string_view one = left.substr(0, left.find(" | "));
            left.remove_prefix(std::min(left.size(), one.size() + 3));
            const TypeDef* const type = find(take(one, '('));
            auto& targets = targets_.emplace_back();
            one = one.substr(0, one.find(')'));
            while (!one.empty()) targets.push_back(take(one, '|'));
            types.push_back({type, targets});
        }
        for (const ElementType& type : types)
            HYGIE_CHECK(type.type, "the definitions name a type that they do not have");
        element.types = types;
        element.constraints = entry.constraints;
    }

    void link(TypeEntry& type) {
        if (std::exchange(type.is_linked, true)) return;
        if (!type.base_name.empty()) {
            TypeEntry& base = *by_name_.at(type.base_name);
            link(base);
            type.def.base = &base.def;
            type.elements.insert(type.elements.begin(), base.elements.begin(), base.elements.end());
            type.constraints.insert(type.constraints.begin(), base.constraints.begin(),
                                    base.constraints.end());
        }
        type.def.elements = type.elements;
        type.def.constraints = type.constraints;
        type.def.properties = &tables_.emplace_back(property_table(type.def));
    }

    TypeDef::PropertyTable property_table(const TypeDef& type) {
        std::size_t count = 0;
        for (const ElementDef& element : type.elements) count += element.types.size();
        TypeDef::PropertyTable table(count);
        for (const ElementDef& element : type.elements) {
            for (const ElementType& of : element.types)
                table.add(
                    element.is_choice ? choice_name(element.name, of.type->name) : element.name,
                    {&element, of.type});
        }
        return table;
    }

    std::string_view choice_name(std::string_view element, std::string_view type) {
        std::string& name = names_.emplace_back(element);
        name += static_cast<char>(type.front() & ~0x20);
        name += type.substr(1);
        return name;
    }

    std::deque<TypeEntry> types_;
    std::unordered_map<std::string_view, TypeEntry*> by_name_;
    std::deque<ElementEntry> elements_;
    std::deque<std::vector<ElementType>> element_types_;
    std::deque<std::vector<std::string_view>> targets_;
    std::deque<TypeDef::PropertyTable> tables_;
    std::deque<std::string> names_;
    std::vector<const TypeDef*> resources_;
    TypeEntry* current_ = nullptr;
    std::vector<Constraint>* constraints_ = nullptr;
};

const Types& types() {
    static const Types kTypes;
    return kTypes;
}

}  // namespace

const TypeDef* find_type(std::string_view name) {
    return types().find(name);
}

std::span<const TypeDef* const> resource_types() {
    return types().resources();
}

}  // namespace hygie::fhir
