#include "guards/records/request/bundle.h"

#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;
using vault::kit::observation;

std::string bundle(const std::string& type, const std::string& entries) {
    return R"({"resourceType":"Bundle","type":")" + type + R"(","entry":[)" + entries + "]}";
}
std::string entry(const std::string& method, const std::string& url, const std::string& resource,
                  const std::string& more = "", const std::string& full_url = "") {
    std::string text = "{";
    if (!full_url.empty()) text += R"("fullUrl":")" + full_url + "\",";
    if (!resource.empty()) text += "\"resource\":" + resource + ",";
    return text + R"("request":{"method":")" + method + R"(","url":")" + url + "\"" + more + "}}";
}

std::string status_of(const Answered& answer, std::size_t number) {
    return std::string(answer.json()["entry"].items()[number]["response"]["status"].text());
}

constexpr char kPatientUrn[] = "urn:uuid:0b2b0d4e-6a27-4b53-8d7f-6a5a5f0e9a01";

TEST(Bundle, ATransactionLinksItsEntries) {
    House house;
    const std::string about =
        R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
        R"("effectiveDateTime":"2026-01-10","valueString":"70 kg",)"
        R"("subject":{"reference":")" +
        std::string(kPatientUrn) + R"("}})";
    const auto done = house.post(
        house.anne, "",
        bundle("transaction",
               entry("POST", "Observation", about) + "," +
                   entry("POST", "Patient", vault::kit::patient("x", "Neuf"), "", kPatientUrn)));
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(status_of(done, 0), "201 Created");
    const auto location = done.json()["entry"].items()[0]["response"]["location"].text();
    const std::string path(location.substr(0, location.find("/_history")));
    const auto read = house.get(house.anne, path);
    ASSERT_EQ(read.status, 200) << read.body;
    const std::string subject(read.json()["subject"]["reference"].text());
    EXPECT_TRUE(subject.starts_with("Patient/")) << subject;
    EXPECT_EQ(house.get(house.anne, subject).json()["name"].items()[0]["family"].text(), "Neuf");
}

/// What an entry names without an address lies beside it, where the bundle comes from.
TEST(Bundle, ATransactionOfAnotherServerKeepsItsOwnNames) {
    House house;
    const auto about = [](const std::string& subject, const std::string& value) {
        return R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
               R"("effectiveDateTime":"2026-01-10","valueString":")" +
               value + R"(","subject":{"reference":")" + subject + R"("}})";
    };
    const std::string from = "http://other.example/fhir/";
    const auto done = house.post(
        house.program, "",
        bundle(
            "transaction",
            entry("POST", "Observation", about("Patient/a", "theirs"), "", from + "Observation/1") +
                "," +
                entry("POST", "Observation", about(from + "Patient/a", "theirs"), "",
                      "urn:uuid:0b2b0d4e-6a27-4b53-8d7f-6a5a5f0e9a02") +
                "," +
                entry("POST", "Observation", about("Patient/a", "ours"), "",
                      "urn:uuid:0b2b0d4e-6a27-4b53-8d7f-6a5a5f0e9a03") +
                "," +
                entry("POST", "Patient", vault::kit::patient("a", "Neuf"), "", from + "Patient/a") +
                "," +
                entry("POST", "Observation", about("Patient/a/_history/3", "theirs"), "",
                      from + "Observation/2")));
    ASSERT_EQ(done.status, 200) << done.body;
    const auto subject = [&](std::size_t number) {
        const auto location = done.json()["entry"].items()[number]["response"]["location"].text();
        const std::string path(location.substr(0, location.find("/_history")));
        return std::string(house.get(house.program, path).json()["subject"]["reference"].text());
    };
    EXPECT_NE(subject(0), "Patient/a") << "an Observation of theirs on a patient of ours";
    EXPECT_EQ(subject(0), subject(1));
    EXPECT_EQ(subject(4), subject(1)) << "whichever version of it they meant";
    EXPECT_EQ(subject(2), "Patient/a");
}

TEST(Bundle, ExportsAndImportsDoNotGoThroughIt) {
    House house;
    const auto answer =
        house.post(house.program, "",
                   bundle("batch", entry("GET", "_export/0123456789abcdef/Patient-1.ndjson", "") +
                                       "," + entry("GET", "_export/0123456789abcdef", "") + "," +
                                       entry("GET", "Patient/$export", "") + "," +
                                       entry("GET", "Observation/oa1", "")));
    ASSERT_EQ(answer.status, 200) << answer.body;
    for (const std::size_t number : {0U, 1U, 2U}) {
        EXPECT_EQ(status_of(answer, number), "400 Bad Request");
        const auto response = answer.json()["entry"].items()[number]["response"];
        EXPECT_TRUE(
            response["outcome"]["issue"].items()[0]["details"]["text"].text().contains("Bundle"));
    }
    EXPECT_EQ(status_of(answer, 3), "200 OK");
}

TEST(Bundle, ATransactionIsWholeOrNothing) {
    House house;
    const auto refused = house.post(
        house.anne, "",
        bundle("transaction", entry("POST", "Observation", observation("x", "a")) + "," +
                                  entry("PUT", "Observation/oa1", observation("oa1", "a", "9.9"),
                                        R"(,"ifMatch":"W/\"7\"")")));
    EXPECT_EQ(refused.status, 412) << refused.body;
    EXPECT_EQ(refused.json()["issue"].items()[0]["expression"].items()[0].text(),
              "Bundle.entry[1]");
    EXPECT_EQ(house.get(house.anne, "Observation?patient=a&_summary=count").json()["total"].text(),
              "2");
}

TEST(Bundle, ATransactionReadsAndWrites) {
    House house;
    const auto done =
        house.post(house.anne, "",
                   bundle("transaction", entry("GET", "Patient/a", "") + "," +
                                             entry("DELETE", "Observation/oa1", "") + "," +
                                             entry("GET", "Observation?patient=a", "")));
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(status_of(done, 0), "200 OK");
    EXPECT_EQ(status_of(done, 1), "204 No Content");
    EXPECT_EQ(done.json()["entry"].items()[2]["resource"]["total"].text(), "1")
        << "reads come after writes";
}

/// "Either accept all actions … or reject all" (https://hl7.org/fhir/R4/http.html#transaction).
TEST(Bundle, ATransactionThatReadsWhatIsNotThereWritesNothing) {
    House house;
    const auto send = [&](const std::string& reads) {
        return house.post(
            house.program, "",
            bundle("transaction", entry("POST", "Observation", observation("x", "a")) + "," +
                                      entry("PUT", "Observation/new", observation("new", "a")) +
                                      "," + entry("DELETE", "Observation/oa1", "") + "," + reads));
    };
    const auto count = [&] {
        const auto counted = house.get(house.program, "Observation?patient=a&_summary=count");
        return std::string(counted.json()["total"].text());
    };
    const std::string before = count();
    const auto absent = send(entry("GET", "Patient/nobody", ""));
    EXPECT_EQ(absent.status, 404) << absent.body;
    EXPECT_EQ(absent.json()["issue"].items()[0]["expression"].items()[0].text(), "Bundle.entry[3]");
    EXPECT_EQ(send(entry("GET", "Patient?nonsense=1", "")).status, 400);
    EXPECT_EQ(send(entry("GET", "Patient/a/$nothing", "")).status, 404);
    EXPECT_EQ(send(entry("GET", "Observation/oa1", "")).status, 410) << "it deletes it";
    EXPECT_EQ(count(), before);
    const auto closed =
        house.post(house.bob, "", bundle("transaction", entry("GET", "Patient/a", "")));
    EXPECT_EQ(closed.status, 404) << closed.body;
    const auto done = send(entry("GET", "Observation/new", "") + "," +
                           entry("GET", "Patient/a", "", R"(,"ifNoneMatch":"W/\"1\"")"));
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(status_of(done, 3), "200 OK");
    EXPECT_EQ(status_of(done, 4), "304 Not Modified");
}

/// Deletions come first, whatever the order of the entries.
TEST(Bundle, WhatATransactionDeletesMeetsNoConditionOfIt) {
    House house;
    const auto about = [](const std::string& value) {
        return R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
               R"("effectiveDateTime":"2026-01-10","subject":{"reference":"Patient/a"},)"
               R"("identifier":[{"system":"urn:new","value":"1"}],"valueString":")" +
               value + "\"}";
    };
    const auto found = [&] {
        return house.get(house.program, "Observation?identifier=urn:new|1").references();
    };
    ASSERT_EQ(house.post(house.program, "Observation", about("old")).status, 201);
    const auto replace = [&](const std::string& made) {
        const auto old = found();
        ASSERT_EQ(old.size(), 1U);
        const auto done = house.post(
            house.program, "", bundle("transaction", made + "," + entry("DELETE", old[0], "")));
        ASSERT_EQ(done.status, 200) << done.body;
        EXPECT_EQ(status_of(done, 0), "201 Created");
        EXPECT_EQ(found().size(), 1U);
        EXPECT_NE(found(), old);
    };
    replace(entry("POST", "Observation", about("new"), R"(,"ifNoneExist":"identifier=urn:new|1")"));
    replace(entry("PUT", "Observation?identifier=urn:new|1", about("newer")));
}

TEST(Bundle, ConditionalReferencesMeanWhatIsWrittenBesideThem) {
    House house;
    const auto about = [](const std::string& identifier) {
        return R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
               R"("effectiveDateTime":"2026-01-10","valueString":"70 kg",)"
               R"("subject":{"reference":"Patient?identifier=urn:new|)" +
               identifier + R"("}})";
    };
    const auto patient = [](const std::string& identifier) {
        return R"({"resourceType":"Patient","name":[{"family":"Neuf"}],"gender":"male",)"
               R"("birthDate":"1951-01-01","identifier":[{"system":"urn:new","value":")" +
               identifier + R"("}]})";
    };
    const auto send = [&](const std::string& entries) {
        return house.post(house.program, "", bundle("transaction", entries));
    };
    const std::string both =
        entry("POST", "Observation", about("1")) + "," + entry("POST", "Patient", patient("1"));
    ASSERT_EQ(send(both).status, 200);
    EXPECT_EQ(house.get(house.program, "Observation?patient.identifier=urn:new|1&_summary=count")
                  .json()["total"]
                  .text(),
              "1");
    EXPECT_EQ(send(both).status, 412) << "there would be two";
    EXPECT_EQ(send(entry("POST", "Observation", about("2")) + "," +
                   entry("POST", "Patient", patient("3")))
                  .status,
              412);
    const std::string invalid =
        R"({"resourceType":"Patient","gender":"blue","identifier":[{"system":"urn:new",)"
        R"("value":"5"}]})";
    const auto refused =
        send(entry("POST", "Observation", about("5")) + "," + entry("POST", "Patient", invalid));
    EXPECT_EQ(refused.status, 400) << refused.body;
    EXPECT_TRUE(refused.body.contains("Bundle.entry[1].resource.gender")) << refused.body;
    // Updated away: nobody has that number any more.
    EXPECT_EQ(send(entry("POST", "Observation", about("1")) + "," +
                   entry("PUT", "Patient?identifier=urn:new|1", patient("4")))
                  .status,
              412);
}

/// What changes is found first, and no longer has that number: others still have.
TEST(Bundle, ConditionalReferencesMeanWhatIsLeftBesideWhatChanges) {
    House house;
    const auto numbered = [](const std::string& id, const std::string& number) {
        return R"({"resourceType":"Patient","id":")" + id +
               R"(","name":[{"family":"Neuf"}],"gender":"male","birthDate":"1951-01-01",)"
               R"("identifier":[{"system":"urn:new","value":")" +
               number + R"("}]})";
    };
    store(house, {numbered("n1", "1"), numbered("n2", "1"), numbered("n3", "1")});
    const std::string about =
        R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
        R"("effectiveDateTime":"2026-01-10","valueString":"70 kg",)"
        R"("subject":{"reference":"Patient?identifier=urn:new|1"}})";
    const std::string known = R"(,"ifMatch":"W/\"1\"")";
    const auto done = house.post(
        house.program, "",
        bundle("transaction", entry("POST", "Observation", about) + "," +
                                  entry("PUT", "Patient/n1", numbered("n1", "2"), known) + "," +
                                  entry("PUT", "Patient/n2", numbered("n2", "3"), known)));
    ASSERT_EQ(done.status, 200) << done.body;
    const auto location = done.json()["entry"].items()[0]["response"]["location"].text();
    const std::string path(location.substr(0, location.find("/_history")));
    EXPECT_EQ(house.get(house.program, path).json()["subject"]["reference"].text(), "Patient/n3");
}

TEST(Bundle, EntriesSayInstantsForDates) {
    House house;
    const auto answer = house.post(
        house.anne, "",
        bundle("batch",
               entry("GET", "Patient/a", "", R"(,"ifModifiedSince":"2099-01-01T00:00:00Z")") + "," +
                   entry("GET", "Patient/a", "",
                         R"(,"ifModifiedSince":"2001-01-01T00:00:00+01:00")")));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(status_of(answer, 0), "304 Not Modified");
    EXPECT_EQ(status_of(answer, 1), "200 OK");
}

TEST(Bundle, ConditionalReferencesAndCreations) {
    House house;
    const std::string about =
        R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
        R"("effectiveDateTime":"2026-01-10","valueString":"70 kg",)"
        R"("subject":{"reference":"Patient?identifier=2790299a"}})";
    const auto done =
        house.post(house.anne, "",
                   bundle("transaction", entry("POST", "Observation", about) + "," +
                                             entry("POST", "Patient", vault::kit::patient("a"),
                                                   R"(,"ifNoneExist":"identifier=2790299a")")));
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(status_of(done, 1), "200 OK") << "it was there";
    EXPECT_EQ(house.get(house.anne, "Observation?patient=a&_summary=count").json()["total"].text(),
              "3");
    const std::string closed =
        R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
        R"("effectiveDateTime":"2026-01-10","valueString":"70 kg",)"
        R"("subject":{"reference":"Patient?identifier=2790299c"}})";
    EXPECT_EQ(
        house.post(house.anne, "", bundle("transaction", entry("POST", "Observation", closed)))
            .status,
        412);
}

TEST(Bundle, ABatchAnswersEachForItself) {
    House house;
    const auto done = house.post(
        house.anne, "",
        bundle("batch", entry("GET", "Patient/a", "") + "," + entry("GET", "Patient/c", "") + "," +
                            entry("POST", "Observation", observation("x", "a")) + "," +
                            entry("POST", "Observation", observation("x", "c")) + "," +
                            entry("GET", "Observation?nonsense=1", "") + "," +
                            entry("PUT", "No/such/place/at/all", "{}") + "," +
                            entry("GET", "Patient/b", "")));
    ASSERT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(status_of(done, 0), "200 OK");
    EXPECT_EQ(status_of(done, 1), "404 Not Found");
    EXPECT_EQ(status_of(done, 2), "201 Created");
    EXPECT_EQ(status_of(done, 3), "422 Unprocessable Entity");
    EXPECT_EQ(status_of(done, 4), "400 Bad Request");
    EXPECT_EQ(status_of(done, 5), "400 Bad Request");
    EXPECT_EQ(status_of(done, 6), "200 OK");
}

TEST(Bundle, RefusesWhatMeansNothing) {
    House house;
    for (const std::string& bad :
         {bundle("searchset", ""), bundle("transaction", R"({"resource":{}})"),
          bundle("transaction", entry("POST", "Patient/a", vault::kit::patient("a"))),
          bundle("transaction", entry("POST", "Observation", vault::kit::patient("a"))),
          bundle("transaction", entry("DELETE", "Observation/oa1", "") + "," +
                                    entry("DELETE", "Observation/oa1", "")),
          bundle("transaction", entry("DELETE", "Observation", "")),
          bundle("transaction", entry("POST", "Patient/$merge", "{}")),
          bundle("transaction",
                 entry("PUT", "AuditEvent/1", R"({"resourceType":"AuditEvent"})"))}) {
        const auto refused = house.post(house.anne, "", bad);
        EXPECT_GE(refused.status, 400) << bad;
        EXPECT_LT(refused.status, 500) << bad << refused.body;
    }
}

TEST(Bundle, NoListAndNoObjectIsEmpty) {
    House house;
    const auto sent = [&](const std::string& members) {
        return house.post(house.anne, "",
                          R"({"resourceType":"Bundle","type":"batch")" + members + "}");
    };
    const std::string read = entry("GET", "Patient/a", "");
    EXPECT_EQ(sent("").status, 200) << "a batch of nothing has no list";
    for (const std::string wrong :
         {R"("entry":[])", R"("entry":{})", R"("entry":null)", R"("entry":"x")"})
        EXPECT_EQ(sent("," + wrong).status, 400) << wrong;
    for (const std::string wrong : {R"("link":[])", R"("meta":{})", R"("meta":{"tag":[{}]})"})
        EXPECT_EQ(sent("," + wrong + R"(,"entry":[)" + read + "]").status, 400) << wrong;
    // An entry answers for itself.
    const auto apart = sent(R"(,"entry":[{},)" + read + R"(,{"link":[],)" + read.substr(1) + "," +
                            entry("GET", "Patient/a", "{}") + "," +
                            entry("POST", "Observation", observation("x", "a")) + "]");
    ASSERT_EQ(apart.status, 200) << apart.body;
    EXPECT_EQ(status_of(apart, 0), "400 Bad Request");
    EXPECT_EQ(status_of(apart, 1), "200 OK");
    EXPECT_EQ(status_of(apart, 2), "400 Bad Request");
    EXPECT_EQ(status_of(apart, 3), "400 Bad Request");
    EXPECT_EQ(status_of(apart, 4), "201 Created");
}

TEST(Bundle, AHeadHasNoBody) {
    House house;
    for (const std::string type : {"batch", "transaction"}) {
        const auto done = house.post(house.anne, "",
                                     bundle(type, entry("HEAD", "Patient/a", "") + "," +
                                                      entry("HEAD", "Observation?patient=a", "") +
                                                      "," + entry("GET", "Patient/a", "")));
        ASSERT_EQ(done.status, 200) << done.body;
        const auto entries = done.json()["entry"].items();
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(status_of(done, i), "200 OK");
        EXPECT_FALSE(entries[0]["resource"]);
        EXPECT_FALSE(entries[1]["resource"]);
        EXPECT_TRUE(entries[2]["resource"]);
        EXPECT_EQ(entries[0]["response"]["etag"].text(), entries[2]["response"]["etag"].text());
    }
}

TEST(Bundle, AThousandEntriesAtOnce) {
    House house;
    std::string entries;
    for (int i = 0; i < 1000; ++i)
        entries += (i > 0 ? "," : "") + entry("POST", "Observation", observation("x", "a"));
    const auto done = house.post(house.anne, "", bundle("transaction", entries));
    ASSERT_EQ(done.status, 200) << done.body.substr(0, 500);
    EXPECT_EQ(done.json()["entry"].size(), 1000U);
    std::string reads;
    for (int i = 0; i < 1000; ++i) reads += (i > 0 ? "," : "") + entry("GET", "Patient/a", "");
    EXPECT_EQ(house.post(house.anne, "", bundle("batch", reads)).json()["entry"].size(), 1000U);
}

TEST(Bundle, AnAnswerThatGrowsTooLargeEndsInRefusals) {
    House house;
    const std::string large(16 << 20, 'A');
    ASSERT_EQ(house
                  .put(house.program, "Binary/big",
                       R"({"resourceType":"Binary","id":"big","contentType":"text/plain",)"
                       R"("securityContext":{"reference":"Patient/a"},"data":")" +
                           large + "\"}")
                  .status,
              201);
    std::string entries;
    for (int i = 0; i < 6; ++i)
        entries += (entries.empty() ? "" : ",") + entry("GET", "Binary/big", "");
    const auto answer = house.post(house.anne, "", bundle("batch", entries));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(status_of(answer, 0), "200 OK");
    EXPECT_EQ(status_of(answer, 5), "413 Content Too Large");
    EXPECT_LT(answer.body.size(), std::size_t{96} << 20);

    for (int i = 0; i < 4; ++i) {
        const std::string id = "big" + std::to_string(i);
        ASSERT_EQ(house
                      .put(house.program, "Binary/" + id,
                           R"({"resourceType":"Binary","id":")" + id +
                               R"(","contentType":"text/plain","securityContext":)"
                               R"({"reference":"Patient/a"},"data":")" +
                               large + "\"}")
                      .status,
                  201);
    }
    EXPECT_EQ(house.get(house.anne, "Patient/a/$everything?_type=Binary").status, 413);
    const auto history = house.get(house.anne, "Binary/_history");
    EXPECT_EQ(history.json()["entry"].size(), 2U);
    EXPECT_FALSE(history.link("next").empty());
}

TEST(Bundle, EntriesOfABatchComeOneAfterTheOther) {
    const auto entry = [](const std::string& method, const std::string& url,
                          const std::string& more = {}) {
        return R"({"request":{"method":")" + method + R"(","url":")" + url + '"' + more + "}}";
    };
    const std::string put =
        R"({"request":{"method":"PUT","url":"Observation/oa2","ifMatch":"W/\"2\""},"resource":)" +
        vault::kit::observation("oa2", "a", "7.7") + "}";
    std::string first = put;
    first.replace(first.find(R"(W/\"2)"), 5, R"(W/\"1)");
    for (int i = 0; i < 5; ++i) {
        House again;
        const auto answer = again.post(
            again.program, "",
            R"({"resourceType":"Bundle","type":"batch","entry":[)" +
                entry("DELETE", "Observation/oa1") + "," + entry("GET", "Observation/oa1") + "," +
                first + "," + put + "," + first + "," + entry("GET", "Observation/oa2") + "]}");
        ASSERT_EQ(answer.status, 200) << answer.body;
        std::vector<std::string> statuses;
        for (const fhir::Json each : answer.json()["entry"].items())
            statuses.emplace_back(each["response"]["status"].text().substr(0, 3));
        EXPECT_EQ(statuses, (std::vector<std::string>{"204", "410", "200", "200", "412", "200"}));
    }
}

}  // namespace
}  // namespace hygie::records
