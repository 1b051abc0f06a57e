#include <gtest/gtest.h>

#include <map>

#include "guards/records/door/door_kit.h"

/// What a write may not break: a part does not replace the whole, nothing is filed with two
/// patients, nothing is left orphaned.
namespace hygie::records {
namespace {

using namespace kit;

/// A resource of a patient, with more members.
std::string about(const std::string& type, const std::string& patient, const std::string& more) {
    return R"({"resourceType":")" + type + R"(","subject":{"reference":"Patient/)" + patient +
           R"("},)" + more + "}";
}
std::string measure(const std::string& patient, const std::string& more = {}) {
    return about("Observation", patient,
                 R"("status":"final","code":{"text":"poids"},"valueString":"70 kg")" +
                     (more.empty() ? "" : "," + more));
}
std::string visit(const std::string& patient, const std::string& more = {}) {
    return about(
        "Encounter", patient,
        R"("status":"finished","class":{"code":"AMB"})" + (more.empty() ? "" : "," + more));
}
std::string refers(const std::string& element, const std::string& to) {
    return '"' + element + R"(":{"reference":")" + to + R"("})";
}

class Integrity : public testing::Test {
  protected:
    std::string made(const access::Actor& actor, const std::string& body) {
        const std::string type = body.substr(17, body.find('"', 17) - 17);
        const auto answer = house_.post(actor, type, body);
        EXPECT_EQ(answer.status, 201) << answer.body;
        return type + '/' + answer.id();
    }
    Answered removed(const access::Actor& actor, const std::string& url) {
        return house_.ask(actor, {.method = "DELETE", .url = url});
    }

    House house_;
};

TEST_F(Integrity, APartIsNotWrittenOverTheWhole) {
    const auto part = house_.get(house_.anne, "Patient/a?_elements=birthDate");
    ASSERT_EQ(part.status, 200);
    ASSERT_FALSE(part.body.contains("Martin"));
    const auto put = house_.put(house_.anne, "Patient/a", part.body, "W/\"1\"");
    EXPECT_EQ(put.status, 422) << put.body;
    EXPECT_EQ(put.json()["issue"].items()[0]["code"].text(), "business-rule");
    EXPECT_EQ(house_.post(house_.anne, "Patient", part.body).status, 422);
    const auto together = house_.post(
        house_.program, "",
        R"({"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT",)"
        R"("url":"Patient/a","ifMatch":"W/\"1\""},"resource":)" +
            part.body + "}]}");
    EXPECT_EQ(together.status, 422) << together.body;
    const auto patched = house_.ask(
        house_.anne, {.method = "PATCH",
                      .url = "Patient/a",
                      .body = R"([{"op":"add","path":"/meta/tag","value":[{"system":)"
                              R"("http://terminology.hl7.org/CodeSystem/v3-ObservationValue",)"
                              R"("code":"SUBSETTED"}]}])",
                      .headers = {{"content-type", "application/json-patch+json"}}});
    EXPECT_EQ(patched.status, 422) << patched.body;
    EXPECT_EQ(house_.get(house_.anne, "Patient/a").version(), "1");
}

TEST_F(Integrity, NothingIsFiledWithTwoPatients) {
    const std::string of_a = made(house_.anne, visit("a"));
    const std::string of_b = made(house_.anne, visit("b"));
    EXPECT_EQ(
        house_.post(house_.anne, "Observation", measure("a", refers("encounter", of_a))).status,
        201);
    const auto crossed =
        house_.post(house_.anne, "Observation", measure("a", refers("encounter", of_b)));
    EXPECT_EQ(crossed.status, 422) << crossed.body;
    EXPECT_FALSE(crossed.body.contains(of_b));
    EXPECT_EQ(house_
                  .post(house_.anne, "Observation",
                        measure("a", R"("hasMember":[{"reference":)"
                                     R"("Observation/ob1"}])"))
                  .status,
              422);
    // In one bundle, too.
    const auto together = house_.post(
        house_.anne, "",
        R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":)"
        R"("urn:uuid:0d1a4ba4-0000-4000-8000-000000000001","request":{"method":"POST",)"
        R"("url":"Encounter"},"resource":)" +
            visit("b") + R"(},{"request":{"method":"POST","url":"Observation"},"resource":)" +
            measure("a", refers("encounter", "urn:uuid:0d1a4ba4-0000-4000-8000-000000000001")) +
            "}]}");
    EXPECT_EQ(together.status, 422) << together.body;
    // A newborn's encounter is part of the mother's; a relative may be a patient, too.
    made(house_.anne, visit("a", refers("partOf", of_b)));
    made(house_.anne, measure("a", R"("performer":[{"reference":"Patient/b"}])"));
}

TEST_F(Integrity, AClosedRecordIsReferredToAsAnAbsentOne) {
    const std::string closed = made(house_.bob, visit("c"));
    const http::Headers prefer = {{"prefer", "return=OperationOutcome"}};
    const auto one =
        house_.post(house_.anne, "Observation", measure("a", refers("encounter", closed)), prefer);
    const auto other = house_.post(house_.anne, "Observation",
                                   measure("a", refers("encounter", "Encounter/absent")), prefer);
    EXPECT_EQ(one.status, 201);
    EXPECT_EQ(one.status, other.status);
    EXPECT_EQ(one.body, other.body);
    const auto headers = [](const Answered& answer) { return answer.header("X-Warnings"); };
    EXPECT_EQ(headers(one), headers(other));
}

TEST_F(Integrity, APatientWithARecordIsNotDeleted) {
    for (const access::Actor& actor : {house_.anne, house_.program}) {
        const auto refused = removed(actor, "Patient/a");
        EXPECT_EQ(refused.status, 409) << refused.body;
        EXPECT_TRUE(refused.body.contains("$merge"));
        EXPECT_TRUE(refused.body.contains("active=false"));
    }
    EXPECT_EQ(house_.get(house_.anne, "Observation/oa1").status, 200);
    EXPECT_EQ(removed(house_.anne, "Patient/c").body, removed(house_.anne, "Patient/n").body)
        << "what is closed and what is absent look the same";
    // With nothing else, or with all of it.
    const std::string alone = made(house_.program, vault::kit::patient("x", "Seul"));
    EXPECT_EQ(removed(house_.program, alone).status, 204);
    std::string all = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
    for (const std::string url : {"CareTeam/team-b", "Observation/ob1", "Patient/b"})
        all += R"({"request":{"method":"DELETE","url":")" + url + R"("}},)";
    all.back() = ']';
    const auto together = house_.post(house_.program, "", all + "}");
    EXPECT_EQ(together.status, 200) << together.body;
}

TEST_F(Integrity, AStrictPracticeDeletesNothingThatIsReferredTo) {
    House strict(true, Completeness::Strict);
    const auto gone = [&](const std::string& url) {
        return strict.ask(strict.program, {.method = "DELETE", .url = url}).status;
    };
    EXPECT_EQ(gone("Practitioner/dr-anne"), 409) << "CareTeam/team-a names her";
    EXPECT_EQ(gone("Observation/oa1"), 204);
    EXPECT_EQ(gone("CareTeam/team-a"), 204);
    EXPECT_EQ(gone("CareTeam/team-b"), 204);
    EXPECT_EQ(gone("Practitioner/dr-anne"), 204);
    EXPECT_EQ(removed(house_.program, "Practitioner/dr-anne").status, 204) << "lenient";
}

TEST_F(Integrity, TheCapabilityStatementSaysWhatIsEnforced) {
    House strict(true, Completeness::Strict);
    const auto policy = [](House& house) {
        std::vector<std::string> all;
        const auto stated = house.get(house.program, "metadata");
        for (const fhir::Json one :
             stated.json()["rest"].items()[0]["resource"].items()[0]["referencePolicy"].items())
            all.emplace_back(one.text());
        return all;
    };
    EXPECT_EQ(policy(strict), (std::vector<std::string>{"literal", "logical", "enforced"}));
    EXPECT_EQ(policy(house_), (std::vector<std::string>{"literal", "logical"}));
}

TEST_F(Integrity, WhatHasNotTheFormOfAReferenceIsRefused) {
    for (const std::string wrong : {"Foo/1", "0d1a4ba4-0000-4000-8000-000000000001", "Patient/",
                                    "Encounter/a b", "Encounter/1/2"}) {
        for (const access::Actor& actor : {house_.anne, house_.program}) {
            const auto answer =
                house_.post(actor, "Observation", measure("a", refers("encounter", wrong)));
            EXPECT_TRUE(answer.status == 400 || answer.status == 422) << wrong << answer.body;
        }
    }
    for (const std::string right :
         {"https://ailleurs.example/fhir/Encounter/1", "Encounter/absent/_history/1"})
        made(house_.anne, measure("a", refers("encounter", right)));
    made(house_.anne,
         measure("a", R"("performer":[{"reference":"#p"}],"contained":[{"resourceType":)"
                      R"("Practitioner","id":"p"}])"));
}

TEST_F(Integrity, AnEmptyConditionIsNoCondition) {
    const auto empty =
        house_.post(house_.anne, "Observation", measure("a"), {{"if-none-exist", ""}});
    EXPECT_EQ(empty.status, 400) << empty.body;
    const auto entry = house_.post(
        house_.anne, "",
        R"({"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST",)"
        R"("url":"Observation","ifNoneExist":""},"resource":)" +
            measure("a") + "}]}");
    EXPECT_EQ(entry.status, 400) << entry.body;
    EXPECT_EQ(house_.get(house_.anne, "Observation?patient=a").references().size(), 2U);
}

std::string weighed(const std::string& value, const std::string& unit) {
    return about("Observation", "a",
                 R"("status":"final","code":{"coding":[{"system":"http://loinc.org","code":)"
                 R"("29463-7"}]},"effectiveDateTime":"2026-03-02","valueQuantity":{"value":)" +
                     value + R"(,"unit":"x","system":"http://unitsofmeasure.org","code":")" + unit +
                     R"("})");
}

TEST_F(Integrity, AValueThatNoBodyHasIsRefusedAndOneThatHardlyAnyHasWarns) {
    const http::Headers tell = {{"prefer", "return=OperationOutcome"}};
    const auto usual = house_.post(house_.anne, "Observation", weighed("70.5", "kg"), tell);
    EXPECT_EQ(usual.status, 201) << usual.body;
    EXPECT_FALSE(usual.body.contains("warning")) << usual.body;
    for (const auto& [value, unit] : std::vector<std::pair<std::string, std::string>>{
             {"-3", "kg"}, {"70", "cm"}, {"705", "kg"}}) {
        const auto refused = house_.post(house_.anne, "Observation", weighed(value, unit));
        EXPECT_EQ(refused.status, 422) << value << unit << refused.body;
        EXPECT_TRUE(refused.body.contains("Observation.value")) << refused.body;
    }
    const auto warned = house_.post(house_.anne, "Observation", weighed("420", "kg"), tell);
    EXPECT_EQ(warned.status, 201) << warned.body;
    EXPECT_TRUE(warned.body.contains(R"("severity":"warning")")) << warned.body;
    EXPECT_EQ(house_.get(house_.anne, "DetectedIssue?patient=a").json()["total"].text(), "1");
}

TEST_F(Integrity, AWrongKeyOfAProfessionalWarns) {
    const auto practitioner = [&](const std::string& number) {
        return house_.post(
            house_.program, "Practitioner",
            R"({"resourceType":"Practitioner","name":[{"family":"X"}],"identifier":[{)"
            R"("system":"https://rpps.esante.gouv.fr","value":")" +
                number + R"("}]})",
            {{"prefer", "return=OperationOutcome"}});
    };
    EXPECT_FALSE(practitioner("99700212964").body.contains("identifier[0]"));
    const auto wrong = practitioner("99700212965");
    EXPECT_EQ(wrong.status, 201) << wrong.body;
    EXPECT_TRUE(wrong.body.contains("Practitioner.identifier[0].value")) << wrong.body;
    EXPECT_FALSE(wrong.body.contains("99700212965"));
}

TEST_F(Integrity, ADocumentThatIsNotAsLongOrNotWhatItSaysWarns) {
    const auto document = [&](const std::string& said) {
        return house_.post(
            house_.anne, "DocumentReference",
            about("DocumentReference", "a",
                  R"("status":"current","content":[{"attachment":{"contentType":"text/plain",)"
                  R"("data":"QUJD",)" +
                      said + "}}]"),
            {{"prefer", "return=OperationOutcome"}});
    };
    const std::string where = "DocumentReference.content[0].attachment";
    // The SHA-1 of "ABC".
    const std::string hash = R"("hash":"PAG9uybzWLqyfyZ5JKosmgP8/bg=")";
    EXPECT_FALSE(document(R"("size":3,)" + hash).body.contains(where));
    for (const std::string& said :
         {std::string(R"("size":4,)") + hash, std::string(R"("size":2)"),
          std::string(R"("hash":"AAAA")"), R"("size":3,"hash":"Q)" + hash.substr(9)}) {
        const auto warned = document(said);
        EXPECT_EQ(warned.status, 201) << warned.body;
        EXPECT_TRUE(warned.body.contains(where)) << said << warned.body;
    }
}

class Bookings : public Integrity {
  protected:
    Answered book(const std::string& who, const std::string& from, const std::string& to,
                  const std::string& status = "booked") {
        return house_.post(house_.anne, "Appointment",
                           R"({"resourceType":"Appointment","status":")" + status +
                               R"(","start":"2126-03-0)" + from + R"(","end":"2126-03-0)" + to +
                               R"(","participant":[{"actor":{"reference":")" + who +
                               R"("},"status":"accepted"},{"actor":{"reference":"Patient/a"},)"
                               R"("status":"accepted"}]})",
                           {{"prefer", "return=OperationOutcome"}});
    }
    static bool warned(const Answered& answer) {
        EXPECT_EQ(answer.status, 201) << answer.body;
        return answer.body.contains(R"("code":"conflict")");
    }
};

TEST_F(Bookings, WhoIsTakenAtThatTimeAlreadyIsSaid) {
    const std::string place =
        house_.post(house_.program, "Location", R"({"resourceType":"Location","name":"Salle 1"})")
            .id();
    const std::string room = "Location/" + place;
    EXPECT_FALSE(warned(book(room, "1T10:00:00+01:00", "1T10:30:00+01:00")));
    const auto twice = book(room, "1T09:15:00Z", "1T09:45:00Z");
    EXPECT_TRUE(warned(twice)) << twice.body;
    EXPECT_FALSE(twice.body.contains("Patient/a")) << "nothing of who comes to the other";
    EXPECT_FALSE(warned(book(room, "1T09:45:00Z", "1T10:00:00Z"))) << "one after the other";
    EXPECT_FALSE(warned(book(room, "1T09:00:00Z", "1T09:45:00Z", "cancelled")));
    EXPECT_FALSE(warned(book(room, "2T08:00:00Z", "2T12:00:00Z")));
    EXPECT_TRUE(warned(book(room, "2T11:00:00Z", "2T11:20:00Z"))) << "within a longer one";
}

TEST_F(Integrity, CompressedContentIsRefusedByItsName) {
    const auto refused =
        house_.post(house_.anne, "Observation", "\x1f\x8b", {{"content-encoding", "gzip"}});
    EXPECT_EQ(refused.status, 415) << refused.body;
    EXPECT_EQ(refused.header("Accept-Encoding"), "identity");
    EXPECT_EQ(
        house_.post(house_.anne, "Observation", measure("a"), {{"content-encoding", "identity"}})
            .status,
        201);
}

TEST_F(Integrity, AnswersBearTheNameOfTheirRequest) {
    const auto named =
        house_.ask(house_.anne, {.url = "Patient/a", .headers = {{"x-request-id", "req-1"}}});
    EXPECT_EQ(named.header("X-Request-Id"), "req-1");
    const auto odd =
        house_.ask(house_.anne, {.url = "Patient/a", .headers = {{"x-request-id", "a\tb"}}});
    EXPECT_EQ(odd.header("X-Request-Id"), "");
}

TEST_F(Integrity, APatchThatChangesNothingMakesNoVersion) {
    const auto patched = [&](const std::string& operations) {
        return house_.ask(house_.anne,
                          {.method = "PATCH",
                           .url = "Patient/a",
                           .body = operations,
                           .headers = {{"content-type", "application/json-patch+json"}}});
    };
    for (const std::string same :
         {"[]", R"([{"op":"replace","path":"/birthDate","value":"1979-02-14"}])"}) {
        const auto answer = patched(same);
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.version(), "1") << same;
    }
    EXPECT_EQ(patched(R"([{"op":"replace","path":"/birthDate","value":"1979-02-15"}])").version(),
              "2");
}

TEST_F(Integrity, EverythingTellsEachOnce) {
    for (int i = 0; i < 3; ++i)
        made(house_.anne, visit("a", R"("participant":[{"individual":{"reference":)"
                                     R"("Practitioner/dr-anne"}}])"));
    std::map<std::string, int> told;
    int pages = 0;
    for (std::string url = "Patient/a/$everything?_count=2"; !url.empty(); ++pages) {
        const auto page = house_.get(house_.anne, url);
        ASSERT_EQ(page.status, 200) << page.body;
        for (const std::string& reference : page.references()) ++told[reference];
        url = page.link("next");
    }
    EXPECT_GT(pages, 2);
    EXPECT_EQ(told.count("Practitioner/dr-anne"), 1U);
    for (const auto& [reference, times] : told) EXPECT_EQ(times, 1) << reference;
}

}  // namespace
}  // namespace hygie::records
