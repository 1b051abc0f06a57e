#include "fhir/data/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

using namespace hygie::fhir;

namespace {

std::string names(std::span<const std::string_view> parts) {
    std::string all;
    for (const std::string_view part : parts) all += std::string(part) + " ";
    return all;
}

}  // namespace

TEST(FhirSchema, KnowsTheTypesOfR4) {
    EXPECT_EQ(resource_types().size(), 146u);
    EXPECT_TRUE(std::ranges::is_sorted(resource_types(), {}, &TypeDef::name));
    ASSERT_NE(find_type("Observation"), nullptr);
    EXPECT_EQ(find_type("Observation")->kind, TypeKind::Resource);
    EXPECT_EQ(find_type("Observation.component")->kind, TypeKind::Backbone);
    EXPECT_EQ(find_type("decimal")->kind, TypeKind::Primitive);
    EXPECT_TRUE(find_type("Resource")->is_abstract);
    EXPECT_EQ(find_type("Nothing"), nullptr);
    EXPECT_EQ(find_type(""), nullptr);
}

TEST(FhirSchema, TypesDeriveFromOneAnother) {
    EXPECT_TRUE(find_type("Patient")->is_a("DomainResource"));
    EXPECT_TRUE(find_type("Patient")->is_a("Resource"));
    EXPECT_FALSE(find_type("Bundle")->is_a("DomainResource"));
    EXPECT_TRUE(find_type("Age")->is_a("Quantity"));
    EXPECT_TRUE(find_type("positiveInt")->is_a("integer"));
    EXPECT_TRUE(find_type("Observation.component")->is_a("BackboneElement"));
    EXPECT_FALSE(find_type("Timing.repeat")->is_a("BackboneElement"));
}

TEST(FhirSchema, ElementsOfAType) {
    const TypeDef& observation = *find_type("Observation");
    EXPECT_EQ(observation.elements.front().name, "id");
    EXPECT_EQ(observation.element("id")->types[0].type->name, "id");
    const ElementDef& status = *observation.element("status");
    EXPECT_EQ(status.path, "Observation.status");
    EXPECT_EQ(status.min, 1u);
    EXPECT_EQ(status.max, 1u);
    EXPECT_TRUE(status.is_summary && status.is_modifier && !status.is_choice && !status.is_array());
    EXPECT_EQ(status.binding, BindingStrength::Required);
    EXPECT_EQ(status.value_set, "http://hl7.org/fhir/ValueSet/observation-status");
    const ElementDef& performer = *observation.element("performer");
    EXPECT_EQ(performer.max, kUnbounded);
    EXPECT_EQ(names(performer.types[0].targets),
              "Practitioner PractitionerRole Organization CareTeam Patient RelatedPerson ");
    EXPECT_TRUE(observation.element("focus")->types[0].targets.empty());
    EXPECT_EQ(observation.element("value[x]"), nullptr);
    EXPECT_TRUE(observation.element("value")->is_choice);
    EXPECT_EQ(observation.element("birthDate"), nullptr);
}

TEST(FhirSchema, PropertiesOfJson) {
    const TypeDef& observation = *find_type("Observation");
    EXPECT_EQ(observation.property("valueQuantity").element, observation.element("value"));
    EXPECT_EQ(observation.property("valueQuantity").type, find_type("Quantity"));
    EXPECT_EQ(observation.property("valueDateTime").type, find_type("dateTime"));
    EXPECT_EQ(observation.property("component").type, find_type("Observation.component"));
    EXPECT_EQ(observation.property("contained").type, find_type("Resource"));
    for (const char* name : {"value", "valueMoney", "resourceType", "_status", ""})
        EXPECT_EQ(observation.property(name).element, nullptr) << name;
}

TEST(FhirSchema, AnElementMayHaveTheTypeOfAnother) {
    EXPECT_EQ(find_type("Observation.component")->element("referenceRange")->types[0].type,
              find_type("Observation.referenceRange"));
    EXPECT_EQ(find_type("Questionnaire.item")->element("item")->types[0].type,
              find_type("Questionnaire.item"));
}

TEST(FhirSchema, ConstraintsStandWhereTheyApply) {
    const auto has = [](std::span<const Constraint> rules, std::string_view key) {
        return std::ranges::find(rules, key, &Constraint::key) != rules.end();
    };
    EXPECT_TRUE(has(find_type("Observation")->constraints, "obs-7"));
    EXPECT_TRUE(has(find_type("Observation")->constraints, "dom-2"));
    EXPECT_TRUE(has(find_type("Observation.referenceRange")->constraints, "obs-3"));
    EXPECT_TRUE(has(find_type("HumanName")->constraints, "ele-1"));
    EXPECT_TRUE(has(find_type("Range")->element("low")->constraints, "sqty-1"));
    const auto rules = find_type("Patient")->constraints;
    const auto dom6 = std::ranges::find(rules, "dom-6", &Constraint::key);
    ASSERT_NE(dom6, rules.end());
    EXPECT_FALSE(dom6->is_error);
    EXPECT_EQ(dom6->expression, "text.`div`.exists()");
}

TEST(FhirSchema, EveryTypeIsWhole) {
    std::set<std::string_view> seen;
    for (const TypeDef* type : resource_types()) {
        EXPECT_TRUE(seen.insert(type->name).second);
        EXPECT_EQ(find_type(type->name), type);
        for (const ElementDef& element : type->elements) {
            EXPECT_FALSE(element.types.empty()) << element.path;
            EXPECT_GE(element.max, 1u) << element.path;
            EXPECT_EQ(type->element(element.name), &element) << element.path;
        }
    }
}

TEST(FhirSchema, SearchParameters) {
    const SearchParam* birthdate = find_search_param("Patient", "birthdate");
    ASSERT_NE(birthdate, nullptr);
    EXPECT_EQ(birthdate->type, SearchParam::Type::Date);
    EXPECT_EQ(birthdate->url, "http://hl7.org/fhir/SearchParameter/individual-birthdate");
    EXPECT_EQ(search_param_numbered(birthdate->number), birthdate);
    EXPECT_EQ(find_search_param("Patient", "_id"), find_search_param("Bundle", "_id"));
    EXPECT_NE(find_search_param("Patient", "_text"), nullptr);
    EXPECT_EQ(find_search_param("Bundle", "_text"), nullptr);
    EXPECT_EQ(find_search_param("Patient", "status"), nullptr);
    EXPECT_EQ(find_search_param("Nothing", "_id"), nullptr);
    EXPECT_EQ(search_param_numbered(0), nullptr);
    EXPECT_EQ(search_param_numbered(UINT16_MAX), nullptr);
    const SearchParam* pair = find_search_param("Observation", "code-value-quantity");
    ASSERT_EQ(pair->components.size(), 2u);
    EXPECT_EQ(pair->components[0].param, find_search_param("Observation", "code"));
    EXPECT_EQ(pair->components[1].expression, "value.as(Quantity)");
    EXPECT_EQ(names(find_search_param("Observation", "performer")->targets),
              "Practitioner Organization CareTeam Patient PractitionerRole RelatedPerson ");
}

TEST(FhirSchema, TheCompartmentOfAPatient) {
    EXPECT_EQ(names(patient_compartment_params("Observation")), "subject performer ");
    EXPECT_EQ(names(patient_compartment_params("Immunization")), "patient ");
    EXPECT_TRUE(patient_compartment_params("Organization").empty());
    for (const TypeDef* type : resource_types()) {
        for (const std::string_view code : patient_compartment_params(type->name))
            EXPECT_NE(find_search_param(type->name, code), nullptr) << type->name << " " << code;
    }
}

TEST(FhirSchema, OtherCompartments) {
    EXPECT_EQ(names(compartment_params("Encounter", "Observation")), "encounter ");
    EXPECT_EQ(names(compartment_params("Practitioner", "Practitioner")), "{def} ");
    EXPECT_EQ(names(compartment_params("Device", "Observation")), "subject device ");
    EXPECT_TRUE(compartment_params("Organization", "Observation").empty());
    for (const std::string_view compartment : kCompartments)
        EXPECT_FALSE(compartment_params(compartment, "Communication").empty()) << compartment;
}
