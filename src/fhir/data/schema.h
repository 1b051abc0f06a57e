#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

/// What FHIR R4 says about types: read once from the condensed official definitions that the build
/// embeds (definitions/, CC0). Everything returned lives as long as the process.
namespace hygie::fhir {

struct TypeDef;

inline constexpr std::uint32_t kUnbounded = UINT32_MAX;

enum class BindingStrength : std::uint8_t { None, Example, Preferred, Extensible, Required };

/// A rule in FHIRPath: "ele-1", "hasValue() or (children().count() > id.count())".
struct Constraint {
    std::string_view key;
    std::string_view human;
    std::string_view expression;
    bool is_error = true;  ///< a warning otherwise
};

/// One type an element may have. Reference(Patient | Group) has the targets Patient and Group; a
/// reference to anything has none.
struct ElementType {
    const TypeDef* type = nullptr;
    std::span<const std::string_view> targets;
};

/// One element of a type. A choice ("value[x]") has the name "value" and several types; its JSON
/// property is the name followed by the type: "valueQuantity".
struct ElementDef {
    std::string_view name;
    std::string_view path;  ///< "Observation.component.value[x]"
    std::uint32_t min = 0;
    std::uint32_t max = 1;
    bool is_choice = false;
    bool is_summary = false;
    bool is_modifier = false;
    std::span<const ElementType> types;
    BindingStrength binding = BindingStrength::None;
    std::string_view value_set;  ///< canonical without version
    std::span<const Constraint> constraints;

    bool is_array() const { return max > 1; }
};

enum class TypeKind : std::uint8_t { Primitive, Complex, Backbone, Resource };

/// "Observation", "Quantity", "decimal", or a backbone element by its path
/// ("Observation.component").
struct TypeDef {
    std::string_view name;
    TypeKind kind = TypeKind::Complex;
    bool is_abstract = false;
    const TypeDef* base = nullptr;
    std::span<const ElementDef> elements;     ///< own and inherited, in the order of the definition
    std::span<const Constraint> constraints;  ///< own and inherited
    /// What property() looks in; of schema.cc.
    struct PropertyTable;
    const PropertyTable* properties = nullptr;

    /// An element by its own name ("value"); null when there is none.
    const ElementDef* element(std::string_view element_name) const;
    /// What a JSON property means: the element, and the type it has there ("valueQuantity" → value
    /// as Quantity). `element` is null when the type has no such property.
    struct Property {
        const ElementDef* element = nullptr;
        const TypeDef* type = nullptr;
    };
    Property property(std::string_view json_name) const;
    bool is_a(std::string_view type_name) const;  ///< this type or one it derives from
};

/// A FHIR type by name; null when R4 has none of that name.
const TypeDef* find_type(std::string_view name);
/// The 146 types of resources there may be (not the abstract Resource and DomainResource), in
/// alphabetical order.
std::span<const TypeDef* const> resource_types();

/// A search parameter of R4.
struct SearchParam {
    enum class Type : std::uint8_t {
        Number,
        Date,
        String,
        Token,
        Reference,
        Composite,
        Quantity,
        Uri,
        Special
    };
    struct Component {
        const SearchParam* param = nullptr;
        std::string_view expression;
    };
    std::uint16_t number =
        0;                  ///< stable for one version of the definitions: part of stored indexes
    std::string_view code;  ///< "birthdate"
    std::string_view url;
    Type type = Type::Token;
    std::span<const std::string_view>
        bases;  ///< resource types, "Resource" and "DomainResource" included
    std::string_view expression;
    std::span<const std::string_view> targets;
    std::span<const Component> components;
};
/// A parameter of a resource type, those of Resource and DomainResource included; null when R4 has
/// none.
const SearchParam* find_search_param(std::string_view resource_type, std::string_view code);
const SearchParam* search_param_numbered(std::uint16_t number);
std::span<const SearchParam* const> search_params_of(std::string_view resource_type);

/// The types that R4 makes compartments of (https://hl7.org/fhir/R4/compartmentdefinition.html).
inline constexpr std::array<std::string_view, 5> kCompartments = {
    "Patient", "Practitioner", "RelatedPerson", "Encounter", "Device"};
/// Parameters by which a resource belongs to a compartment; "{def}": it is the one that the
/// compartment is named after. Empty for a type that is in none.
std::span<const std::string_view> compartment_params(std::string_view compartment,
                                                     std::string_view resource_type);
/// Parameters by which a resource belongs to a patient's compartment
/// (https://hl7.org/fhir/R4/compartmentdefinition-patient.html): "subject", "patient"…; empty for a
/// type that belongs to none.
std::span<const std::string_view> patient_compartment_params(std::string_view resource_type);

/// Digest of the definitions embedded, for what is stored beside indexes made from them.
std::uint64_t definitions_version();

}  // namespace hygie::fhir
