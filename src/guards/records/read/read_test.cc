#include <fmt/format.h>
#include <gtest/gtest.h>

#include "guards/records/door/allow.h"
#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;
using vault::kit::observation;

TEST(Read, GivesTheResourceAndItsVersion) {
    House house;
    const auto read = house.get(house.anne, "Observation/oa1");
    EXPECT_EQ(read.status, 200);
    EXPECT_EQ(read.id(), "oa1");
    EXPECT_EQ(read.header("ETag"), "W/\"1\"");
    EXPECT_FALSE(read.header("Last-Modified").empty());
    // Digits as they were written.
    EXPECT_EQ(read.json()["valueQuantity"]["value"].text(), "5.40");
    const auto events = house.trace.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].type, event::Type::RecordRead);
    EXPECT_EQ(events[0].subject.patient.str(), "a");
    EXPECT_EQ(events[0].subject.object.str(), "Observation/oa1");
    EXPECT_EQ(events[0].actor.id.str(), "dr-anne");
    EXPECT_EQ(events[0].basis, "CareTeam/team-a");
}

TEST(Read, NothingNewIsNotSentAgain) {
    House house;
    const auto same = house.ask(
        house.anne, {.url = "Observation/oa1", .headers = {{"if-none-match", "W/\"1\""}}});
    EXPECT_EQ(same.status, 304);
    EXPECT_TRUE(same.body.empty());
}

TEST(Read, AVersionIsOneOfAList) {
    House house;
    const auto asked = [&](const std::string& tags) {
        return house
            .ask(house.anne, {.url = "Observation/oa1", .headers = {{"if-none-match", tags}}})
            .status;
    };
    for (const std::string same : {R"(W/"7", W/"1")", R"("a,b","1")", "*"})
        EXPECT_EQ(asked(same), 304) << same;
    for (const std::string other : {R"(W/"7", W/"8")", R"("a,1,b")", R"("7,W/"1"")", "x"})
        EXPECT_EQ(asked(other), 200) << other;
}

TEST(Read, FormatIsWhatAcceptWouldSayOrAShortName) {
    House house;
    const auto asked = [&](const std::string& format) {
        return house.get(house.anne, "Observation/oa1?_format=" + format).status;
    };
    for (const std::string json :
         {"json", "JSON", "json+", "application/json", "application/fhir+json",
          "application/fhir%2Bjson", "application/fhir+json;+charset=utf-8",
          "application/fhir%2Bjson;+fhirVersion=4.0", "application/xml,application/fhir%2Bjson",
          "*/*", ""})
        EXPECT_EQ(asked(json), 200) << json;
    for (const std::string other : {"xml", "html", "text/html", "application/fhir+xml",
                                    "application/fhir%2Bjson;+fhirVersion=3.0"})
        EXPECT_EQ(asked(other), 406) << other;
}

TEST(Read, WhatItDoesNotKnowIsLeftOutWhereItMay) {
    House house;
    const auto asked = [&](const std::string& question, const std::string& prefer) {
        return house.ask(house.anne, {.url = question, .headers = {{"prefer", prefer}}});
    };
    EXPECT_EQ(asked("Observation/oa1?unheard-of=1", "").status, 400);
    EXPECT_EQ(asked("Observation/oa1?unheard-of=1", "handling=strict").status, 400);
    const auto part = asked("Observation/oa1?unheard-of=1&_elements=status", "handling=lenient");
    EXPECT_EQ(part.status, 200);
    EXPECT_FALSE(part.json()["subject"]);
    EXPECT_EQ(asked("Observation/oa1?_summary=nonsense", "handling=lenient").status, 400);
    // The next page comes without the header that the first was asked for with.
    const auto first = asked("Observation?unheard-of=1&_count=1", "handling=lenient");
    ASSERT_EQ(first.status, 200) << first.body;
    const auto next = house.get(house.anne, first.link("next"));
    EXPECT_EQ(next.status, 200) << next.body;
}

TEST(Read, EveryVersionStays) {
    House house;
    const auto first = house.get(house.anne, "Observation/oa1");
    const auto changed =
        house.put(house.anne, "Observation/oa1", observation("oa1", "a", "7.0"), "W/\"1\"");
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(changed.version(), "2");
    const auto old = house.get(house.anne, "Observation/oa1/_history/1");
    EXPECT_EQ(old.body, first.body);
    const auto history = house.get(house.anne, "Observation/oa1/_history");
    ASSERT_EQ(history.status, 200) << history.body;
    EXPECT_EQ(history.json()["type"].text(), "history");
    EXPECT_EQ(history.json()["entry"].size(), 2U);
    EXPECT_EQ(history.json()["entry"].items()[0]["resource"]["meta"]["versionId"].text(), "2");
    EXPECT_EQ(house.get(house.anne, "Observation/oa1/_history/9").status, 404);
}

TEST(Read, HistoryOfATypeShowsTheCircleOnly) {
    House house;
    const auto history = house.get(house.anne, "Observation/_history");
    ASSERT_EQ(history.status, 200) << history.body;
    EXPECT_EQ(history.references().size(), 3U);
    EXPECT_FALSE(history.body.contains("oc1"));
    EXPECT_FALSE(history.body.contains("od1"));
}

TEST(Read, ACountOfNoneIsTheTotalAlone) {
    House house;
    ASSERT_EQ(
        house.put(house.anne, "Observation/oa1", observation("oa1", "a", "7.0"), "W/\"1\"").status,
        200);
    const auto total = [&](const access::Actor& actor, const std::string& url) {
        const auto counted = house.get(actor, url);
        EXPECT_EQ(counted.status, 200) << counted.body;
        EXPECT_FALSE(counted.json()["entry"]) << url;
        EXPECT_EQ(counted.link("next"), "") << url;
        return std::string(counted.json()["total"].text());
    };
    EXPECT_EQ(total(house.anne, "Observation/oa1/_history?_count=0"), "2");
    EXPECT_EQ(total(house.anne, "Observation/_history?_count=0"), "4") << "oa1 twice, oa2, ob1";
    EXPECT_EQ(total(house.bob, "Observation/_history?_count=0"), "1");
    EXPECT_EQ(total(house.anne, "Observation/_history?_count=0&_since=2099-01-01T00:00:00Z"), "0");
}

TEST(Write, CreatedIsThereAndTraced) {
    House house;
    const auto made = house.post(house.anne, "Observation", observation("x", "a", "9.1"));
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_NE(made.id(), "x") << "the server gives the id";
    EXPECT_EQ(made.header("Location"),
              "https://hygie.test/fhir/Observation/" + made.id() + "/_history/1");
    const auto events = house.trace.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].type, event::Type::RecordCreated);
    EXPECT_EQ(events[0].subject.patient.str(), "a");
    EXPECT_EQ(house.get(house.anne, "Observation/" + made.id()).status, 200);
}

TEST(Write, AnUpdateSaysWhichVersionItReplaces) {
    House house;
    const auto body = observation("oa1", "a", "7.0");
    EXPECT_EQ(house.put(house.anne, "Observation/oa1", body).status, 428);
    EXPECT_EQ(house.put(house.anne, "Observation/oa1", body, "W/\"9\"").status, 412);
    EXPECT_EQ(house.put(house.anne, "Observation/oa1", body, "W/\"1\"").status, 200);
    EXPECT_EQ(house.put(house.anne, "Observation/oa1", body, "W/\"1\"").status, 412);
    EXPECT_EQ(house.put(house.anne, "Observation/other", body, "W/\"1\"").status, 400);
}

/// RFC 9110 §13.1.1 and §13.1.2.
TEST(Write, ConditionsOnVersionsAreListsAndAny) {
    House house;
    const auto body = observation("oa1", "a", "7.0");
    const std::string url = "Observation/oa1";
    EXPECT_EQ(house.put(house.anne, url, body, "*").status, 200);
    EXPECT_EQ(house.put(house.anne, url, body, "W/\"1\", W/\"2\"").status, 200);
    EXPECT_EQ(house.put(house.anne, url, body, "W/\"1\", W/\"2\"").status, 412);
    EXPECT_EQ(house.put(house.anne, url, body, "\"theirs\"").status, 412);
    const auto with = [&](const std::string& method, const std::string& name,
                          const std::string& value) {
        const bool is_patch = method == "PATCH";
        return house
            .ask(house.anne,
                 {.method = method,
                  .url = url,
                  .body = is_patch ? R"([{"op":"test","path":"/status","value":"final"}])" : body,
                  .headers = {{"content-type",
                               is_patch ? "application/json-patch+json" : "application/fhir+json"},
                              {name, value}}})
            .status;
    };
    EXPECT_EQ(with("PATCH", "if-match", "*"), 200);
    EXPECT_EQ(with("PUT", "if-none-match", "*"), 412);
    EXPECT_EQ(with("PUT", "if-none-match", "W/\"3\""), 412);
    EXPECT_EQ(with("DELETE", "if-match", "*"), 204);
    EXPECT_EQ(with("PUT", "if-match", "*"), 412) << "nothing is current there";
    EXPECT_EQ(house.put(house.anne, "Observation/none", observation("none", "a"), "*").status, 404)
        << "as of one that is closed";
    EXPECT_EQ(
        house.put(house.program, "Observation?identifier=u|none", observation("", "a"), "*").status,
        412);
    EXPECT_EQ(with("PUT", "if-none-match", "*"), 201) << "nothing is there any more";
}

TEST(Write, WhatAnAddressTakesComesFromTheOneTable) {
    EXPECT_EQ(allowed_methods("Patient"), "GET, HEAD, POST, PUT, PATCH, DELETE");
    EXPECT_EQ(allowed_methods("Patient/absent"), "GET, HEAD, PUT, PATCH, DELETE");
    EXPECT_EQ(allowed_methods("AuditEvent"), "GET, HEAD");
    EXPECT_EQ(allowed_methods("Patient/_search"), "POST");
    EXPECT_EQ(allowed_methods("Nothing"), "");
}

TEST(Write, PreferSaysWhatComesBack) {
    House house;
    const auto minimal = house.post(house.anne, "Observation", observation("x", "a"),
                                    {{"prefer", "return=minimal"}});
    EXPECT_EQ(minimal.status, 201);
    EXPECT_TRUE(minimal.body.empty());
    for (const std::string same :
         {R"(return="minimal")", "Return = minimal", R"(x="a,b"; y, return=minimal)"})
        EXPECT_EQ(
            house.post(house.anne, "Observation", observation("x", "a"), {{"prefer", same}}).body,
            "")
            << same;
    for (const std::string other : {R"(x="return=minimal")", R"(x="a, return=minimal")"})
        EXPECT_NE(
            house.post(house.anne, "Observation", observation("x", "a"), {{"prefer", other}}).body,
            "")
            << other;
    const auto outcome = house.post(house.anne, "Observation", observation("x", "a"),
                                    {{"prefer", "return=OperationOutcome"}});
    EXPECT_EQ(outcome.json()["resourceType"].text(), "OperationOutcome");
}

TEST(Write, DeletedIsGoneAndItsHistoryStays) {
    House house;
    EXPECT_EQ(house.ask(house.anne, {.method = "DELETE", .url = "Observation/oa1"}).status, 204);
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 410);
    EXPECT_EQ(house.get(house.anne, "Observation?subject=Patient/a").json()["total"].text(), "1");
    EXPECT_EQ(house.get(house.anne, "Observation/oa1/_history").json()["entry"].size(), 2U);
    EXPECT_EQ(house.ask(house.anne, {.method = "DELETE", .url = "Observation/oa1"}).status, 204);
}

TEST(Write, UpdateAsCreateIsForPrograms) {
    House house;
    const std::string body = observation("from-old-base", "a");
    // A person could tell a free id from one that is closed.
    EXPECT_EQ(house.put(house.anne, "Observation/from-old-base", body).status, 404);
    EXPECT_EQ(house.put(house.program, "Observation/from-old-base", body).status, 201);
    EXPECT_EQ(house.get(house.anne, "Observation/from-old-base").status, 200);
}

TEST(Write, ConditionalCreateFindsWhatIsThere) {
    House house;
    const std::string body =
        R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
        R"("effectiveDateTime":"2026-01-10","valueString":"70 kg",)"
        R"("identifier":[{"system":"urn:essai","value":"1"}],"subject":{"reference":"Patient/a"}})";
    const http::Headers condition = {{"if-none-exist", "identifier=urn:essai|1&subject=Patient/a"}};
    const auto first = house.post(house.anne, "Observation", body, condition);
    ASSERT_EQ(first.status, 201) << first.body;
    const auto second = house.post(house.anne, "Observation", body, condition);
    EXPECT_EQ(second.status, 200);
    EXPECT_EQ(second.id(), first.id());
}

TEST(Write, ConditionalUpdateAndDelete) {
    House house;
    const auto put = house.put(house.anne, "Observation?_id=oa1&subject=Patient/a",
                               observation("oa1", "a", "8.0"));
    ASSERT_EQ(put.status, 200) << put.body;
    EXPECT_EQ(put.version(), "2");
    std::string without_id = observation("oa1", "a", "8.5");
    without_id.erase(without_id.find(R"("id":"oa1",)"), 11);
    const auto again = house.put(house.anne, "Observation?_id=oa1&subject=Patient/a", without_id);
    ASSERT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.version(), "3");
    EXPECT_EQ(
        house.ask(house.anne, {.method = "DELETE", .url = "Observation?subject=Patient/a"}).status,
        412)
        << "two match";
    EXPECT_EQ(
        house.ask(house.anne, {.method = "DELETE", .url = "Observation?_id=oa1&subject=Patient/a"})
            .status,
        204);
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 410);
}

TEST(Write, AResourceStaysInItsRecord) {
    House house;
    const auto moved = house.put(house.anne, "Observation/oa1", observation("oa1", "b"), "W/\"1\"");
    EXPECT_EQ(moved.status, 422) << moved.body;
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").json()["subject"]["reference"].text(),
              "Patient/a");
}

std::string observation_with(std::string_view subject, std::string_view more = {}) {
    return fmt::format(R"({{"resourceType":"Observation","status":"final","code":{{"text":"x"}},)"
                       R"("effectiveDateTime":"2026-01-10","valueString":"x",)"
                       R"("subject":{{"reference":"{}"}}{}}})",
                       subject, more);
}
const std::string kOfNone =
    observation_with("Patient/a", R"(,"encounter":{"reference":"Encounter/none"})");
// Of the record of patient c, which is closed to Anne.
const std::string kOfClosed =
    observation_with("Patient/a", R"(,"hasMember":[{"reference":"Observation/oc1"}])");
const http::Headers kTold = {{"prefer", "return=OperationOutcome"}};

TEST(Write, AReferenceThatLeadsNowhereWarns) {
    House house;
    const auto dangling = house.post(house.anne, "Observation", kOfNone, kTold);
    ASSERT_EQ(dangling.status, 201) << dangling.body;
    const auto issue = dangling.json()["issue"].items().front();
    EXPECT_EQ(issue["severity"].text(), "warning");
    EXPECT_EQ(issue["code"].text(), "not-found");
    EXPECT_EQ(dangling.header("X-Warnings"), "1");
    // What is closed is as good as absent, in the same words.
    EXPECT_EQ(house.post(house.anne, "Observation", kOfClosed, kTold).body, dangling.body);
    const auto sound = house.post(house.anne, "Observation", observation_with("Patient/a"));
    EXPECT_EQ(sound.status, 201);
    EXPECT_EQ(sound.header("X-Warnings"), "");
}

TEST(Write, AReferenceLeadsSomewhereInAStrictPractice) {
    House house(true, Completeness::Strict);
    const auto dangling = house.post(house.anne, "Observation", kOfNone);
    EXPECT_EQ(dangling.status, 422) << dangling.body;
    EXPECT_EQ(house.post(house.anne, "Observation", kOfClosed).body, dangling.body);
    EXPECT_EQ(house.post(house.program, "Observation", kOfNone).status, 422);
}

TEST(Write, OfAPatientWhoIsNotHereAProgramsWritingIsKeptApartAndAPersonsIsRefused) {
    House house;
    const auto absent = house.post(house.anne, "Observation", observation_with("Patient/none"));
    EXPECT_EQ(absent.status, 422) << absent.body;
    EXPECT_EQ(house.post(house.anne, "Observation", observation_with("Patient/c")).body,
              absent.body);
    const auto early =
        house.post(house.program, "Observation", observation_with("Patient/later"), kTold);
    ASSERT_EQ(early.status, 201) << early.body;
    EXPECT_EQ(early.json()["issue"].items().size(), 2u) << "leads nowhere; is about nobody here";
    access::Actor narrow = house.program;
    narrow.scopes = {"system/Observation.cruds"};
    const auto blind = house.post(narrow, "Observation", observation_with("Patient/none"));
    EXPECT_EQ(blind.status, 422) << blind.body;
    EXPECT_EQ(house.post(narrow, "Observation", observation_with("Patient/a")).body, blind.body)
        << "who may read no Patient learns nothing of any";
}

TEST(Write, ABundleThatIsKeptRefersWithinItself) {
    House house;
    const auto kept = house.post(
        house.program, "Bundle",
        R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:)"
        R"(6f2f4b9a-1f5d-4c1a-9c7a-0d6d3a0b5c01","resource":{"resourceType":"Patient"}},)"
        R"({"fullUrl":"urn:uuid:6f2f4b9a-1f5d-4c1a-9c7a-0d6d3a0b5c02","resource":)" +
            observation_with("urn:uuid:6f2f4b9a-1f5d-4c1a-9c7a-0d6d3a0b5c01") + "}]}");
    ASSERT_EQ(kept.status, 201) << kept.body;
    EXPECT_TRUE(kept.body.contains(R"("reference":"urn:uuid:6f2f4b9a)"));
}

TEST(Write, ARequestSentAgainIsAnsweredFromMemory) {
    House house;
    const http::Headers key = {{"idempotency-key", "\"8e03978e-40d5\""}};
    const auto first = house.post(house.anne, "Observation", observation("x", "a"), key);
    const auto again = house.post(house.anne, "Observation", observation("x", "a"), key);
    ASSERT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.id(), first.id());
    EXPECT_EQ(house.get(house.anne, "Observation?subject=Patient/a").json()["total"].text(), "3");
    EXPECT_EQ(house.post(house.anne, "Observation", observation("x", "b"), key).status, 422)
        << "another request under the same key";
}

TEST(Write, WhatAKeyRemembersIsNobodysToSeeOrChange) {
    House house;
    const http::Headers key = {{"idempotency-key", "8e03978e-40d5"}};
    const auto first = house.post(house.anne, "Observation", observation("x", "a"), key);
    ASSERT_EQ(first.status, 201) << first.body;
    for (const access::Actor& actor :
         {house.program, house.anne, with_role("accueil", access::Role::Desk)}) {
        for (const std::string url : {"Basic", "Basic?_total=accurate", "Basic/_history",
                                      "_history", "?_type=Basic,Observation"})
            EXPECT_FALSE(house.get(actor, url).body.contains("Idempotency-Key")) << url;
    }
    for (const auto& write : house.machine.trace.events())
        EXPECT_FALSE(write.second.subject.patient.str().contains('~'));
    house.restart();
    EXPECT_EQ(house.post(house.anne, "Observation", observation("x", "a"), key).id(), first.id());
}

TEST(Write, WhoOpensARecordIsInItsCircle) {
    House house;
    const auto made = house.post(house.bob, "Patient", vault::kit::patient("x", "Nouveau"));
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(house.get(house.bob, "Patient/" + made.id()).status, 200);
    EXPECT_EQ(house.get(house.anne, "Patient/" + made.id()).status, 404);
}

TEST(Refuse, WhatCannotBeUnderstood) {
    House house;
    struct Case {
        Sent sent;
        int status;
    };
    const std::vector<Case> cases = {
        {{.url = "Nonsense/1"}, 404},
        {{.url = "Observation/oa1?_unknown=1"}, 400},
        {{.url = "Observation?unknown=1&subject=Patient/a"}, 400},
        {{.url = "Patient/%zz"}, 400},
        {{.url = "Patient/a/../b"}, 404},
        {{.method = "POST", .url = "Patient/a"}, 405},
        {{.method = "BREW", .url = "Patient/a"}, 400},
        {{.method = "POST", .url = "Observation", .body = "{"}, 400},
        {{.method = "POST", .url = "Observation", .body = R"({"resourceType":"Patient"})"}, 400},
        {{.method = "POST",
          .url = "Observation",
          .body = observation("x", "a"),
          .headers = {{"content-type", "application/xml"}}},
         415},
        {{.url = "Patient/a", .headers = {{"accept", "application/fhir+xml"}}}, 406},
        {{.url = "Patient/a?_format=xml"}, 406},
        {{.method = "PUT", .url = "AuditEvent/1", .body = R"({"resourceType":"AuditEvent"})"}, 405},
    };
    for (const Case& one : cases) {
        const auto refused = house.ask(house.anne, one.sent);
        EXPECT_EQ(refused.status, one.status)
            << one.sent.method << ' ' << one.sent.url << ' ' << refused.body;
        EXPECT_EQ(refused.json()["resourceType"].text(), "OperationOutcome") << refused.body;
    }
}

TEST(Refuse, InTheLanguageAskedFor) {
    House house;
    const auto french = house.get(house.anne, "Observation/none");
    const auto english =
        house.ask(house.anne, {.url = "Observation/none", .headers = {{"accept-language", "en"}}});
    EXPECT_TRUE(french.body.contains("n'existe pas")) << french.body;
    EXPECT_TRUE(english.body.contains("no such resource")) << english.body;
}

TEST(Capability, SaysWhatIsThere) {
    House house;
    const auto stated = house.get(house.anne, "metadata");
    ASSERT_EQ(stated.status, 200);
    EXPECT_EQ(stated.json()["fhirVersion"].text(), "4.0.1");
    EXPECT_EQ(stated.json()["implementationGuide"].size(), 3U);
    const auto checked = house.post(house.anne, "CapabilityStatement/$validate", stated.body);
    EXPECT_FALSE(checked.body.contains(R"("severity":"error")")) << checked.body;
    const auto resources = stated.json()["rest"].items()[0]["resource"].items();
    EXPECT_EQ(resources.size(), 145U) << "every type of R4 but AuditEvent: there is no ledger here";
    EXPECT_FALSE(stated.body.contains("\"AuditEvent\""));
}

TEST(Capability, OurOwnOperationsAreDefinedHereAndReadOnly) {
    House house;
    const auto stated = house.get(house.anne, "metadata");
    std::size_t read = 0;
    const std::string base = "https://hygie.test/fhir/";
    const auto read_all = [&](fhir::Json operations) {
        for (const fhir::Json operation : operations.items()) {
            const std::string url(operation["definition"].text());
            if (!url.starts_with(base)) continue;
            const auto definition = house.get(house.anne, url.substr(base.size()));
            ASSERT_EQ(definition.status, 200) << url;
            EXPECT_EQ(definition.json()["url"].text(), url);
            EXPECT_EQ(definition.json()["code"].text(), operation["name"].text());
            const auto checked =
                house.post(house.anne, "OperationDefinition/$validate", definition.body);
            EXPECT_FALSE(checked.body.contains(R"("severity":"error")")) << checked.body;
            ++read;
        }
    };
    const fhir::Json rest = stated.json()["rest"].items()[0];
    read_all(rest["operation"]);
    for (const fhir::Json type : rest["resource"].items())
        if (type["type"].text() == "Patient") read_all(type["operation"]);
    EXPECT_EQ(read, 4U);
    EXPECT_EQ(house.get(house.anne, "OperationDefinition/hygie-none").status, 404);
    EXPECT_EQ(house.put(house.program, "OperationDefinition/hygie-import", "{}").status, 405);
}

}  // namespace
}  // namespace hygie::records
