#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

/// A document goes in and comes out as it is, under the rules of every resource.
namespace hygie::records {
namespace {

using namespace kit;

constexpr char kLetter[] = "<script>alert('Martin')</script>";

class BinaryContent : public testing::Test {
  protected:
    Answered post(const access::Actor& actor, const std::string& context) {
        http::Headers headers = {{"content-type", "text/html; charset=utf-8"}};
        if (!context.empty()) headers.emplace_back("x-security-context", context);
        return house_.post(actor, "Binary", kLetter, headers);
    }
    Answered get(const access::Actor& actor, const std::string& url, const std::string& accept) {
        return house_.ask(actor, {.url = url, .headers = {{"accept", accept}}});
    }

    House house_;
};

TEST_F(BinaryContent, GoesInAndComesOutAsItIs) {
    const auto made = post(house_.anne, "Patient/a");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.json()["contentType"].text(), "text/html; charset=utf-8");
    const std::string url = "Binary/" + made.id();
    house_.trace.take();
    const auto content = get(house_.anne, url, "text/html");
    EXPECT_EQ(content.status, 200);
    EXPECT_EQ(content.body, kLetter);
    EXPECT_EQ(content.header("ETag"), "W/\"1\"");
    EXPECT_EQ(content.header("X-Security-Context"), "Patient/a");
    EXPECT_EQ(content.header("Content-Disposition"), "attachment") << "never a page of ours";
    EXPECT_TRUE(content.header("Content-Security-Policy").contains("sandbox"));
    const auto events = house_.trace.take();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events.front().subject.patient, PatientId("a"));
    EXPECT_EQ(get(house_.anne, url, "application/fhir+json").body, made.body);
    EXPECT_EQ(get(house_.anne, url, "application/json").body, made.body);
    EXPECT_EQ(house_.get(house_.anne, url + "?_format=json").body, made.body);
    EXPECT_EQ(get(house_.anne, url, "application/fhir+xml").status, 406);
    // As long as FHIR is not asked for by name (https://hl7.org/fhir/R4/binary.html#rest).
    EXPECT_EQ(house_.get(house_.anne, url).body, kLetter);
    for (const std::string accept : {"*/*", "text/html,application/xml;q=0.9,*/*;q=0.8"})
        EXPECT_EQ(get(house_.anne, url, accept).body, kLetter) << accept;
    const auto batch = house_.post(
        house_.anne, "",
        R"({"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":")" +
            url + R"("}}]})");
    EXPECT_EQ(batch.json()["entry"].items()[0]["resource"]["data"].text(),
              made.json()["data"].text());
    EXPECT_EQ(get(house_.anne, "Patient/a", "text/html").status, 406);
}

TEST_F(BinaryContent, IsOpenToTheCircleOfItsPatient) {
    const auto made = post(house_.anne, "Patient/a");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(get(house_.bob, "Binary/" + made.id(), "text/html").status, 404);
    EXPECT_EQ(post(house_.bob, "Patient/a").status, 422) << "closed is as good as absent";
    EXPECT_EQ(post(house_.anne, "Patient/nobody").status, 422);
    EXPECT_EQ(post(house_.anne, "that one").status, 400);
}

TEST_F(BinaryContent, IsReplacedByItsVersion) {
    const auto made = post(house_.anne, "Patient/a");
    const auto put = house_.ask(house_.anne, {.method = "PUT",
                                              .url = "Binary/" + made.id(),
                                              .body = "corrigé",
                                              .headers = {{"content-type", "text/plain"},
                                                          {"x-security-context", "Patient/a"},
                                                          {"if-match", "W/\"1\""}}});
    ASSERT_EQ(put.status, 200) << put.body;
    EXPECT_EQ(get(house_.anne, "Binary/" + made.id(), "text/plain").body, "corrigé");
    EXPECT_EQ(get(house_.anne, "Binary/" + made.id() + "/_history/1", "text/html").body, kLetter);
}

}  // namespace
}  // namespace hygie::records
