#include "fhir/path/fhirpath_value.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>

#include "fhir/path/fhirpath_unit.h"

namespace hygie::fhir {
namespace {

constexpr TypeDef named_type(std::string_view name, TypeKind kind) {
    TypeDef type;
    type.name = name;
    type.kind = kind;
    return type;
}

constexpr std::string_view kNamespace = "System.";
/// In the order of System.
constexpr std::array<TypeDef, 9> kSystemTypes = {
    named_type("System.Any", TypeKind::Complex),
    named_type("System.Boolean", TypeKind::Primitive),
    named_type("System.String", TypeKind::Primitive),
    named_type("System.Integer", TypeKind::Primitive),
    named_type("System.Decimal", TypeKind::Primitive),
    named_type("System.Date", TypeKind::Primitive),
    named_type("System.DateTime", TypeKind::Primitive),
    named_type("System.Time", TypeKind::Primitive),
    named_type("System.Quantity", TypeKind::Complex),
};

System system_of_string(std::string_view type_name) {
    if (type_name == "date") return System::Date;
    if (type_name == "dateTime" || type_name == "instant") return System::DateTime;
    return type_name == "time" ? System::Time : System::String;
}

bool is_quantity_type(const TypeDef* type) {
    static const TypeDef* const quantity = find_type("Quantity");
    return type != nullptr && quantity != nullptr && is_type(type, quantity);
}

bool is_number(System system) {
    return system == System::Integer || system == System::Decimal;
}
bool is_moment(System system) {
    return system == System::Date || system == System::DateTime;
}

/// Case and white space do not count for the equivalence of strings.
std::string folded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (blank && (out.empty() || out.back() == ' ')) continue;
        out += blank ? ' ' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

enum class Likeness { Equal, Equivalent };

bool same_numbers(const Decimal& left, const Decimal& right, Likeness likeness) {
    if (likeness == Likeness::Equal) return left == right;
    const int decimals = std::min(left.scale(), right.scale());
    return left.rounded(decimals) == right.rounded(decimals);
}

bool same_json(const Json& left, const Json& right, Likeness likeness);

bool same_arrays(std::span<const Json> left, std::span<const Json> right, Likeness likeness) {
    const auto same = [&](const Json& a, const Json& b) { return same_json(a, b, likeness); };
    return likeness == Likeness::Equal ? std::ranges::equal(left, right, same)
                                       : std::ranges::is_permutation(left, right, same);
}

bool same_json(const Json& left, const Json& right, Likeness likeness) {
    if (left.kind() != right.kind()) return false;
    if (left.is_number()) {
        const auto a = Decimal::parse(left.text());
        const auto b = Decimal::parse(right.text());
        return a && b ? same_numbers(*a, *b, likeness) : left.text() == right.text();
    }
    if (left.is_string()) {
        return left.text() == right.text() ||
               (likeness == Likeness::Equivalent && folded(left.text()) == folded(right.text()));
    }
    if (left.is_array()) return same_arrays(left.items(), right.items(), likeness);
    if (!left.is_object()) return true;
    if (left.size() != right.size()) return false;
    return std::ranges::all_of(left.members(), [&](const Member& member) {
        // The id of an element says nothing about what it means.
        if (likeness == Likeness::Equivalent && member.name == "id") return true;
        return same_json(member.value, right[member.name], likeness);
    });
}

/// Both amounts in the larger of the two units; absent when they measure different things.
std::optional<std::pair<Decimal, Decimal>> in_one_unit(const PathQuantity& left,
                                                       const PathQuantity& right) {
    if (left.unit == right.unit) return std::pair{left.value, right.value};
    const auto a = Unit::parse(left.unit);
    const auto b = Unit::parse(right.unit);
    if (!a || !b || !a->same_dimension(*b)) return std::nullopt;
    const bool left_larger = a->factor >= b->factor;
    const auto& larger = left_larger ? *a : *b;
    const auto& smaller = left_larger ? *b : *a;
    // How many of the smaller make one of the larger: exact where the other way round is not.
    const auto ratio = Decimal::divide(larger.factor, smaller.factor);
    const auto scaled =
        ratio ? Decimal::divide(left_larger ? right.value : left.value, *ratio) : std::nullopt;
    if (!scaled) return std::nullopt;
    const auto plain = scaled->normalized();
    return left_larger ? std::pair{left.value, plain} : std::pair{plain, right.value};
}

std::optional<bool> same_quantities(const PathItem& left, const PathItem& right,
                                    Likeness likeness) {
    auto a = quantity_of(left);
    auto b = quantity_of(right);
    if (!a || !b) return false;
    // "1 year" and "1 'a'" are equivalent, but whether they are equal depends on the year.
    const auto definite = [](std::string_view unit) {
        return unit == "year" ? "a" : unit == "month" ? "mo" : unit;
    };
    const bool mixed = (a->unit != b->unit) && (definite(a->unit) == definite(b->unit));
    if (mixed && likeness == Likeness::Equal) return std::nullopt;
    if (mixed) return same_numbers(a->value, b->value, likeness);
    const auto pair = in_one_unit(*a, *b);
    return pair && same_numbers(pair->first, pair->second, likeness);
}

std::unexpected<Error> not_comparable() {
    return fail(Code::BadInput,
                {"FHIRPath : ces deux valeurs ne se comparent pas par ordre",
                 "FHIRPath: these two values have no order"},
                {"Comparez des valeurs de même nature.", "Compare values of the same kind."});
}

std::size_t mix(std::size_t seed, std::size_t value) {
    return (seed ^ value) * 0x9E3779B97F4A7C15U + (seed >> 7);
}

/// Numbers are left out, because 1.0 equals 1.00, and the order of members does not count.
std::size_t hash_json(const Json& json) {
    auto hash = static_cast<std::size_t>(json.kind()) + 1;
    if (json.is_string()) return mix(hash, std::hash<std::string_view>{}(json.text()));
    for (const auto& item : json.items()) hash = mix(hash, hash_json(item));
    for (const auto& member : json.members()) {
        hash += mix(std::hash<std::string_view>{}(member.name), hash_json(member.value));
    }
    return hash;
}

}  // namespace

bool is_system(const TypeDef* type) {
    return std::greater_equal<>{}(type, kSystemTypes.data()) &&
           std::less<>{}(type, kSystemTypes.data() + kSystemTypes.size());
}

System system_of(const PathItem& item) {
    if (item.value.absent()) return System::None;
    if (is_system(item.type)) return static_cast<System>(item.type - kSystemTypes.data());
    switch (item.value.kind()) {
        case Json::Kind::True:
        case Json::Kind::False:
            return System::Boolean;
        case Json::Kind::Number:
            return item.type != nullptr && item.type->name == "decimal" ? System::Decimal
                                                                        : System::Integer;
        case Json::Kind::String:
            return item.type == nullptr ? System::String : system_of_string(item.type->name);
        case Json::Kind::Object:
            return is_quantity_type(item.type) && item.value["value"] ? System::Quantity
                                                                      : System::None;
        default:
            return System::None;
    }
}

const TypeDef* system_type(System system) {
    return &kSystemTypes[static_cast<std::size_t>(system)];
}

const TypeDef* system_type(std::string_view name) {
    const auto* found = std::ranges::find_if(kSystemTypes, [&](const TypeDef& type) {
        return type.name.substr(kNamespace.size()) == name;
    });
    return found == kSystemTypes.end() ? nullptr : found;
}

const TypeDef* path_type(std::string_view name) {
    if (name.starts_with(kNamespace)) return system_type(name.substr(kNamespace.size()));
    const bool fhir_only = name.starts_with("FHIR.");
    if (fhir_only) name.remove_prefix(5);
    const auto* type = find_type(name);
    return type == nullptr && !fhir_only ? system_type(name) : type;
}

bool is_type(const TypeDef* type, const TypeDef* wanted) {
    for (; type != nullptr; type = type->base) {
        if (type == wanted) return true;
    }
    return false;
}

std::optional<Decimal> number_of(const PathItem& item) {
    if (!item.value.is_number()) return std::nullopt;
    return Decimal::parse(item.value.text());
}

std::optional<Temporal> temporal_of(const PathItem& item) {
    switch (system_of(item)) {
        case System::Date:
            return Temporal::parse_date(item.value.text());
        case System::DateTime:
            return Temporal::parse_date_time(item.value.text());
        case System::Time:
            return Temporal::parse_time(item.value.text());
        default:
            return std::nullopt;
    }
}

std::optional<PathQuantity> quantity_of(const PathItem& item) {
    const auto system = system_of(item);
    const auto amount =
        system == System::Quantity ? Decimal::parse(item.value["value"].text()) : number_of(item);
    if (!amount) return std::nullopt;
    if (system != System::Quantity) return PathQuantity{*amount, "1"};
    if (is_system(item.type)) return PathQuantity{*amount, item.value["unit"].text()};
    const auto code = item.value["code"].text();
    if (item.value["system"].text() == "http://unitsofmeasure.org") {
        // In FHIR these two stand for calendar durations.
        if (code == "a") return PathQuantity{*amount, "year"};
        if (code == "mo") return PathQuantity{*amount, "month"};
    }
    if (!code.empty()) return PathQuantity{*amount, code};
    const auto unit = item.value["unit"].text();
    return PathQuantity{*amount, unit.empty() ? "1" : unit};
}

PathItem make_boolean(Arena& arena, bool value) {
    return {arena.boolean(value), {}, system_type(System::Boolean)};
}
PathItem make_string(Arena& arena, std::string_view text) {
    return {arena.string(text), {}, system_type(System::String)};
}
PathItem make_integer(Arena& arena, std::int64_t value) {
    return {arena.number(value), {}, system_type(System::Integer)};
}
PathItem make_decimal(Arena& arena, const Decimal& value) {
    return {arena.number(value.text()), {}, system_type(System::Decimal)};
}
PathItem make_temporal(Arena& arena, const Temporal& value) {
    const auto system = value.kind == Temporal::Kind::Date       ? System::Date
                        : value.kind == Temporal::Kind::DateTime ? System::DateTime
                                                                 : System::Time;
    return {arena.string(value.text()), {}, system_type(system)};
}
PathItem make_quantity(Arena& arena, const Decimal& value, std::string_view unit) {
    const auto object =
        arena.object({{"value", arena.number(value.text())}, {"unit", arena.string(unit)}});
    return {object, {}, system_type(System::Quantity)};
}

std::optional<bool> equal(const PathItem& left, const PathItem& right) {
    const auto a = system_of(left);
    const auto b = system_of(right);
    if (a == System::String && b == System::String) return left.value.text() == right.value.text();
    if (is_number(a) && is_number(b)) {
        return same_json(left.value, right.value, Likeness::Equal);
    }
    if ((is_moment(a) && is_moment(b)) || (a == System::Time && b == System::Time)) {
        const auto x = temporal_of(left);
        const auto y = temporal_of(right);
        if (!x || !y) return left.value == right.value;
        const auto result = order(*x, *y);
        return result ? std::optional<bool>{*result == 0} : std::nullopt;
    }
    if (a == System::Quantity || b == System::Quantity) {
        return same_quantities(left, right, Likeness::Equal);
    }
    if (a != b) return false;
    return same_json(left.value, right.value, Likeness::Equal) &&
           same_json(left.extra, right.extra, Likeness::Equal);
}

bool equivalent(const PathItem& left, const PathItem& right) {
    const auto a = system_of(left);
    const auto b = system_of(right);
    if (a == System::Quantity || b == System::Quantity) {
        return same_quantities(left, right, Likeness::Equivalent).value_or(false);
    }
    if (is_moment(a) || a == System::Time) return equal(left, right).value_or(false);
    if (a != b && !(is_number(a) && is_number(b))) return false;
    return same_json(left.value, right.value, Likeness::Equivalent);
}

Result<std::optional<std::strong_ordering>> compare(const PathItem& left, const PathItem& right) {
    using Order = std::optional<std::strong_ordering>;
    const auto a = system_of(left);
    const auto b = system_of(right);
    if (is_number(a) && is_number(b)) {
        const auto x = number_of(left);
        const auto y = number_of(right);
        return x && y ? Order{*x <=> *y} : Order{};
    }
    if (a == System::String && b == System::String) {
        return left.value.text() <=> right.value.text();
    }
    if ((is_moment(a) && is_moment(b)) || (a == System::Time && b == System::Time)) {
        const auto x = temporal_of(left);
        const auto y = temporal_of(right);
        return x && y ? order(*x, *y) : Order{};
    }
    if (a == System::Quantity || b == System::Quantity) {
        const auto x = quantity_of(left);
        const auto y = quantity_of(right);
        if (!x || !y) return not_comparable();
        const auto pair = in_one_unit(*x, *y);
        return pair ? Order{pair->first <=> pair->second} : Order{};
    }
    return not_comparable();
}

std::size_t hash_of(const PathItem& item) {
    const auto system = system_of(item);
    if (system == System::String || system == System::None || system == System::Boolean) {
        return mix(static_cast<std::size_t>(system), hash_json(item.value));
    }
    return is_moment(system)   ? static_cast<std::size_t>(System::Date)
           : is_number(system) ? static_cast<std::size_t>(System::Quantity)
                               : static_cast<std::size_t>(system);
}

}  // namespace hygie::fhir
