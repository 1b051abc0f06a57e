#include "fhir/search/blind.h"

#include <gtest/gtest.h>

namespace hygie::fhir {
namespace {

std::vector<std::vector<std::string>> terms_of(std::string_view type, const QueryParameter& asked) {
    const auto query = parse_query(type, {&asked, 1}, {});
    return query ? narrow(*query).all_of_any : std::vector<std::vector<std::string>>{{"wrong"}};
}

/// Else whoever asks for it of a whole hospital touches more records than a search may.
TEST(Blind, AChainThroughThePatientLeadsToTheRecord) {
    const auto patient = terms_of("Patient", {"identifier", "urn:x|1"});
    ASSERT_EQ(patient.size(), 1U);
    for (const std::string_view type : {"Observation", "Encounter", "Condition", "Immunization"}) {
        EXPECT_EQ(terms_of(type, {"patient.identifier", "urn:x|1"}), patient) << type;
        EXPECT_EQ(terms_of(type, {"patient:Patient.identifier", "urn:x|1"}), patient) << type;
    }
    EXPECT_EQ(terms_of("Observation", {"subject:Patient.identifier", "urn:x|1"}), patient);
    // It could be a device.
    EXPECT_TRUE(terms_of("Observation", {"subject.identifier", "urn:x|1"}).empty());
}

}  // namespace
}  // namespace hygie::fhir
