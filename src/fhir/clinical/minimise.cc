#include "fhir/clinical/minimise.h"

#include <algorithm>
#include <array>
#include <vector>

#include "fhir/data/json.h"
#include "fhir/data/schema.h"

namespace hygie::fhir {
namespace {

/// Primitives that hold no text of a person's.
constexpr auto kPlain =
    std::to_array<std::string_view>({"boolean", "code", "date", "dateTime", "decimal", "instant",
                                     "integer", "positiveInt", "time", "unsignedInt"});
/// Types of elements that are looked into; backbones are, too.
constexpr auto kOpened = std::to_array<std::string_view>(
    {"Age", "CodeableConcept", "Coding", "Count", "Distance", "Dosage", "Duration", "Meta", "Money",
     "MoneyQuantity", "Period", "Quantity", "Range", "Ratio", "Reference", "SimpleQuantity",
     "Timing"});
constexpr std::size_t kYearChars = 4;
/// Of "system" in a Coding or a Quantity: an address of a terminology, not of a person.
constexpr std::size_t kSystemBytesMax = 200;

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

/// "Patient/12": a reference by any other way may hold a number of a person.
bool is_plain_reference(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == 0 || slash == text.npos || find_type(text.substr(0, slash)) == nullptr)
        return false;
    const std::string_view id = text.substr(slash + 1);
    return !id.empty() && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
    });
}

class Minimising {
  public:
    explicit Minimising(Arena& arena) : arena_(arena) {}

    Json resource(Json whole) {
        const std::string_view name = whole["resourceType"].text();
        const TypeDef* type = find_type(name);
        std::vector<Member> kept = {{"resourceType", arena_.string(name)}};
        if (type == nullptr || type->kind != TypeKind::Resource) return arena_.object(kept);
        if (const Json id = whole["id"]) kept.push_back({"id", id});
        add_members(whole, *type, kept);
        return arena_.object(kept);
    }

  private:
    void add_members(Json from, const TypeDef& type, std::vector<Member>& kept) {
        for (const Member& member : from.members()) {
            const auto [element, of] = type.property(member.name);
            if (element == nullptr || of == nullptr || member.name == "id") continue;
            if (const Json value = element_value(member, type, *of))
                kept.push_back({member.name, value});
        }
    }

    /// Absent when nothing of it stays.
    Json element_value(const Member& member, const TypeDef& in, const TypeDef& type) {
        if (!member.value.is_array()) return value_of(member.name, member.value, in, type);
        std::vector<Json> items;
        for (const Json item : member.value.items())
            if (const Json value = value_of(member.name, item, in, type)) items.push_back(value);
        return items.empty() ? Json() : arena_.array(items);
    }

    Json value_of(std::string_view name, Json value, const TypeDef& in, const TypeDef& type) {
        if (type.kind == TypeKind::Primitive) return primitive(name, value, in, type);
        if (type.kind != TypeKind::Backbone && !is_one_of(kOpened, type.name)) return {};
        if (!value.is_object()) return {};
        std::vector<Member> kept;
        if (type.name == "Reference") {
            const Json to = value["reference"];
            if (!is_plain_reference(to.text())) return {};
            kept.push_back({"reference", to});
        } else {
            add_members(value, type, kept);
        }
        return kept.empty() ? Json() : arena_.object(kept);
    }

    Json primitive(std::string_view name, Json value, const TypeDef& in, const TypeDef& type) {
        if (value.is_object() || value.is_array()) return {};
        if (name == "birthDate") return arena_.string(value.text().substr(0, kYearChars));
        const bool is_system = name == "system" && (in.name == "Coding" || in.is_a("Quantity"));
        if (is_system && value.text().size() <= kSystemBytesMax) return value;
        if (in.name == "Meta" && name == "versionId") return value;
        return is_one_of(kPlain, type.name) ? value : Json();
    }

    Arena& arena_;
};

}  // namespace

std::string minimised(std::string_view body) {
    Arena arena;
    const auto parsed = arena.parse(body);
    return to_text(Minimising(arena).resource(parsed ? *parsed : Json()));
}

}  // namespace hygie::fhir
