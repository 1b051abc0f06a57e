#include "fhir/search/search_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "fhir/search/search_testing.h"

using namespace hygie;
using namespace hygie::fhir;

/// By the widest parameter at each link, whether or not the types that it leads to share the next.
TEST(SearchQuery, ChainsHaveFewWays) {
    constexpr std::size_t kTargetsMax = 16;  // of a link that names no type
    std::map<std::string_view, std::size_t> ways;
    for (std::size_t hop = 0; hop < kQueryHopsMax; ++hop) {
        std::map<std::string_view, std::size_t> further;
        for (const TypeDef* type : resource_types())
            for (const SearchParam* param : search_params_of(type->name)) {
                if (param->targets.size() > kTargetsMax) continue;
                std::size_t all = 0;
                for (const auto target : param->targets) all += 1 + ways[target];
                further[type->name] = std::max(further[type->name], all);
            }
        ways = std::move(further);
    }
    EXPECT_LT(
        std::ranges::max_element(ways, {}, [](const auto& one) { return one.second; })->second,
        kQueryWaysMax);
}

namespace {

/// Ids of what a search of a patient and a task finds, or "refused".
std::vector<std::string> found(std::string_view type, const std::string& question) {
    static hygie::fhir::testing::Shelf shelf;
    if (shelf.compartment.pieces().empty())
        shelf.add(
            {R"({"resourceType":"Patient","id":"p","active":true,"gender":"female",)"
             R"("deceasedBoolean":true,"telecom":[{"system":"phone","value":"0199001234"}],)"
             R"("address":[{"use":"home","city":"Brest"}]})",
             R"({"resourceType":"Task","id":"t","status":"requested","intent":"order",)"
             R"("code":{"coding":[{"system":"urn:acts","code":"fulfill"}]}})",
             R"({"resourceType":"DocumentReference","id":"d","status":"current",)"
             R"("relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/c"}}],)"
             R"("content":[{"attachment":{"contentType":"text/plain"}}]})"});
    const auto query = parse_query(type, hygie::fhir::testing::parameters_of(question), {});
    if (!query) return {"refused"};
    const Compartment* const all[] = {&shelf.compartment};
    std::vector<std::string> ids;
    const auto hits = run(*query, {all});
    for (const Hit& hit : hits->page) ids.emplace_back(hit.entry.id);
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST(SearchQuery, ABareCodeIsOfTheSystemsOfItsValueSetAlone) {
    const std::string gender = "http://hl7.org/fhir/administrative-gender|";
    for (const std::string& asked :
         {std::string("female"), std::string("|female"), gender + "female", gender})
        EXPECT_EQ(found("Patient", "gender=" + asked), Ids{"p"}) << asked;
    for (const std::string& asked :
         {std::string("urn:wrong|female"), gender + "male", std::string("urn:wrong|")})
        EXPECT_EQ(found("Patient", "gender=" + asked), Ids{}) << asked;
    EXPECT_EQ(found("Patient", "gender:not=urn:wrong|female"), Ids{"p"});
    EXPECT_EQ(found("Patient", "address-use=http://hl7.org/fhir/address-use|home"), Ids{"p"});
    EXPECT_EQ(found("Patient", "address-use=urn:wrong|home"), Ids{});
    // Of two systems either may be the code's.
    EXPECT_EQ(found("Task", "intent=http://hl7.org/fhir/request-intent|order"), Ids{"t"});
    EXPECT_EQ(found("Task", "intent=http://hl7.org/fhir/task-intent|order"), Ids{"t"});
    EXPECT_EQ(found("Task", "intent=urn:wrong|order"), Ids{});
    EXPECT_EQ(found("Task", "code=urn:acts|fulfill"), Ids{"t"});
    // R4 does not list what may stand there.
    EXPECT_EQ(found("DocumentReference", "contenttype=urn:ietf:bcp:13|text/plain"), Ids{"d"});
    EXPECT_EQ(found("DocumentReference", "relationship=DocumentReference/c$replaces"), Ids{"d"});
    EXPECT_EQ(found("DocumentReference", "relationship=DocumentReference/c$urn:wrong|replaces"),
              Ids{});
}

TEST(SearchQuery, ContactsAndBooleansAreAskedForWithoutASystem) {
    for (const std::string param : {"telecom=", "phone="}) {
        EXPECT_EQ(found("Patient", param + "0199001234"), Ids{"p"});
        EXPECT_EQ(found("Patient", param + "email|0199001234"), Ids{"refused"});
        EXPECT_EQ(found("Patient", param + "|0199001234"), Ids{"refused"});
    }
    for (const std::string param : {"active=", "deceased="}) {
        EXPECT_EQ(found("Patient", param + "true"), Ids{"p"});
        EXPECT_EQ(found("Patient", param + "urn:wrong|true"), Ids{"refused"});
    }
    EXPECT_EQ(found("Observation", "subject:Patient.telecom=email|1"), Ids{"refused"});
}
