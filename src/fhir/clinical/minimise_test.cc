#include "fhir/clinical/minimise.h"

#include <gtest/gtest.h>

#include "fhir/data/json.h"

namespace hygie::fhir {
namespace {

TEST(Minimise, LeavesOfAPersonTheSexAndTheYearOfBirth) {
    const std::string left = minimised(
        R"({"resourceType":"Patient","id":"p","meta":{"versionId":"2","lastUpdated":)"
        R"("2026-11-20T08:00:00Z","source":"urn:ipp:99"},"language":"fr","text":{"status":)"
        R"("generated","div":"<div>Zoé SECRET</div>"},"contained":[{"resourceType":"Patient",)"
        R"("name":[{"family":"SECRET"}]}],"extension":[{"url":"birthPlace",)"
        R"("valueString":"SECRET"}],)"
        R"("identifier":[{"value":"SECRET"}],"active":true,"name":[{"family":"SECRET"}],)"
        R"("telecom":[{"value":"SECRET"}],"gender":"female","birthDate":"1970-03-05",)"
        R"("_birthDate":{"extension":[{"url":"t","valueDateTime":"1970-03-05T06:00:00Z"}]},)"
        R"("address":[{"city":"SECRET"}],"photo":[{"data":"U0VDUkVU"}],)"
        R"("contact":[{"relationship":[{"text":"SECRET"}],"name":{"family":"SECRET"}}],)"
        R"("generalPractitioner":[{"reference":"Practitioner/d","display":"SECRET"},)"
        R"({"identifier":{"value":"SECRET"}},{"reference":"https://x.example/SECRET"},)"
        R"({"reference":"#SECRET"},{"reference":"Patient?identifier=SECRET"}]})");
    EXPECT_EQ(left,
              R"({"resourceType":"Patient","id":"p","meta":{"versionId":"2","lastUpdated":)"
              R"("2026-11-20T08:00:00Z"},"language":"fr","active":true,"gender":"female",)"
              R"("birthDate":"1970","generalPractitioner":[{"reference":"Practitioner/d"}]})");
}

TEST(Minimise, LeavesCodesNumbersAndDatesAndNoText) {
    const std::string left = minimised(
        R"({"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":)"
        R"("http://loinc.org","code":"2951-2","display":"SECRET"}],"text":"SECRET"},"subject":)"
        R"({"reference":"Patient/p","display":"SECRET"},"effectiveDateTime":)"
        R"("2026-11-20T08:00:00Z",)"
        R"("valueQuantity":{"value":140.50,"unit":"SECRET","system":"http://unitsofmeasure.org",)"
        R"("code":"mmol/L"},"note":[{"text":"SECRET"}],"component":[{"code":{"text":"SECRET"},)"
        R"("valueString":"SECRET"},{"code":{"coding":[{"code":"x"}]},"valueInteger":3}],)"
        R"("derivedFrom":[{"reference":"urn:uuid:SECRET"}],"unknown":"SECRET"})");
    EXPECT_EQ(left, R"({"resourceType":"Observation","id":"o","status":"final","code":{"coding":)"
                    R"([{"system":"http://loinc.org","code":"2951-2"}]},"subject":{"reference":)"
                    R"("Patient/p"},"effectiveDateTime":"2026-11-20T08:00:00Z","valueQuantity":)"
                    R"({"value":140.50,"system":"http://unitsofmeasure.org","code":"mmol/L"},)"
                    R"("component":[{"code":{"coding":[{"code":"x"}]},"valueInteger":3}]})");
}

TEST(Minimise, LeavesNothingOfWhatItDoesNotKnow) {
    EXPECT_EQ(minimised(R"({"resourceType":"Binary","id":"b","contentType":"text/plain",)"
                        R"("data":"U0VDUkVU"})"),
              R"({"resourceType":"Binary","id":"b","contentType":"text/plain"})");
    EXPECT_EQ(minimised(R"({"resourceType":"Other","name":"SECRET"})"),
              R"({"resourceType":"Other"})");
    EXPECT_FALSE(minimised(R"({"a":)").contains("a\":"));
}

}  // namespace
}  // namespace hygie::fhir
