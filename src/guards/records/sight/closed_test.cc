#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "guards/records/door/door_kit.h"
#include "guards/records/request/target.h"

/// Who is outside a circle learns nothing, by whatever way; and nothing shows without its trace.
namespace hygie::records {
namespace {

using namespace kit;
using vault::kit::observation;

/// Every way to read something of patient `p`, whose observation is `o`.
std::vector<Sent> readings_of(const std::string& p, const std::string& o) {
    const auto bundle = [](const std::string& type, const std::string& url) {
        return R"({"resourceType":"Bundle","type":")" + type +
               R"(","entry":[{"request":{"method":"GET","url":")" + url + R"("}}]})";
    };
    std::vector<Sent> ways;
    for (const std::string& url : {"Patient/" + p,
                                   "Patient/" + p + "/_history",
                                   "Patient/" + p + "/_history/1",
                                   "Patient/" + p + "/$everything",
                                   "Patient/" + p + "/$meta",
                                   "Observation/" + o,
                                   "Observation/" + o + "/_history",
                                   "Observation/" + o + "/_history/1",
                                   "Patient/" + p + "/Observation",
                                   "Patient/" + p + "/*",
                                   "Patient?_id=" + p,
                                   "Patient?identifier=urn:oid:1.2.250.1.71.4.2.7|2790299" + p,
                                   std::string("Patient?family=Petit&birthdate=1979-02-14"),
                                   std::string("Patient?_summary=count"),
                                   std::string("Patient?_has:Observation:subject:code=4548-4"),
                                   std::string("Patient/_history"),
                                   "Observation?subject=Patient/" + p,
                                   "Observation?patient=" + p + "&_summary=count",
                                   "Observation?subject=" + p + "&_include=Observation:subject",
                                   std::string("Observation?subject.family=Petit"),
                                   "Observation?subject:Patient.identifier=2790299" + p,
                                   "Observation?_id=" + o,
                                   std::string("Observation?code=4548-4"),
                                   std::string("Observation/_history"),
                                   std::string("CareTeam?_revinclude=Observation:subject"),
                                   std::string("Practitioner?_revinclude=CareTeam:participant"),
                                   std::string("?_type=Patient,Observation"),
                                   std::string("_history")})
        ways.push_back({.url = url});
    ways.push_back({.method = "HEAD", .url = "Patient/" + p});
    ways.push_back({.method = "POST",
                    .url = "Observation/_search",
                    .body = "subject=Patient/" + p,
                    .headers = {{"content-type", "application/x-www-form-urlencoded"}}});
    for (const std::string& body :
         {bundle("batch", "Patient/" + p), bundle("transaction", "Observation/" + o),
          bundle("batch", "Observation?subject=Patient/" + p)})
        ways.push_back({.method = "POST", .url = "", .body = body});
    return ways;
}

/// Every way to change something of it.
std::vector<Sent> changes_of(const std::string& p, const std::string& o) {
    const std::string put = observation(o, p, "1.0");
    const http::Headers first = {{"if-match", "W/\"1\""}};
    const std::string by_patient = "Observation?subject=Patient/" + p;
    return {
        {.method = "PUT",
         .url = "Patient/" + p,
         .body = vault::kit::patient(p, "Autre"),
         .headers = first},
        {.method = "PUT", .url = "Observation/" + o, .body = put},
        {.method = "PUT", .url = "Observation/" + o, .body = put, .headers = first},
        {.method = "PUT", .url = by_patient, .body = put},
        {.method = "PATCH",
         .url = "Observation/" + o,
         .body = R"([{"op":"replace","path":"/status","value":"amended"}])",
         .headers = {{"content-type", "application/json-patch+json"}}},
        {.method = "DELETE", .url = "Observation/" + o},
        {.method = "DELETE", .url = by_patient},
        {.method = "POST", .url = "Observation", .body = put},
        {.method = "POST",
         .url = "Observation",
         .body = put,
         .headers = {{"if-none-exist", "subject=Patient/" + p}}},
        {.method = "POST", .url = "Observation/$validate", .body = put},
        {.method = "POST",
         .url = "Observation/" + o + "/$meta-add",
         .body = R"({"resourceType":"Parameters","parameter":[{"name":"meta",)"
                 R"("valueMeta":{"tag":[{"code":"x"}]}}]})"},
    };
}

std::vector<Sent> ways_to(const std::string& p, const std::string& o) {
    std::vector<Sent> ways = readings_of(p, o);
    std::ranges::move(changes_of(p, o), std::back_inserter(ways));
    return ways;
}

/// Where a text holds what names the asked one, put one name for all.
std::string without_names(std::string text, const std::string& p, const std::string& o) {
    for (const std::string& name : {"Patient/" + p, "Patient%2F" + p, "=" + p, "2790299" + p, o}) {
        for (std::size_t at = 0; (at = text.find(name, at)) != text.npos; ++at) {
            const char next = at + name.size() < text.size() ? text[at + name.size()] : '"';
            if (!std::isalnum(static_cast<unsigned char>(next))) text.replace(at, name.size(), "*");
        }
    }
    return text;
}

std::string asked_of(const Sent& sent) {
    return sent.method + ' ' + sent.url + ' ' + sent.body;
}

/// What every answer of a stranger may never hold.
void expect_nothing_of_c(const Answered& answer, const Sent& sent) {
    for (const std::string_view secret : {"Petit", "oc1", "team-c", "2790299c", "5.40\""}) {
        // What the asker wrote may be said back only in the self link.
        std::string body = answer.body;
        if (const auto self = answer.link("self"); !self.empty()) {
            const std::string spelled = self.substr(1);
            if (const auto at = body.find(spelled); at != body.npos) body.erase(at, spelled.size());
        }
        EXPECT_FALSE(body.contains(secret)) << secret << " in " << asked_of(sent) << '\n' << body;
    }
}

TEST(Closed, NoWayShowsAnythingOfAnothersPatient) {
    House house;
    for (const Sent& sent : ways_to("c", "oc1")) {
        expect_nothing_of_c(house.ask(house.anne, sent), sent);
        expect_nothing_of_c(
            house.ask(with_role("patient", access::Role::Patient, "Patient/a"), sent), sent);
    }
    EXPECT_EQ(house.get(house.bob, "Observation/oc1").version(), "1") << "nothing changed";
    EXPECT_EQ(house.get(house.bob, "Patient/c").version(), "1");
}

/// The whole matrix: each role, each way, the same question about what is closed and what never
/// was.
TEST(Closed, ForbiddenAndAbsentLookTheSame) {
    const std::vector<access::Actor> askers = {
        doctor("dr-anne"), with_role("accueil-nadia", access::Role::Desk),
        with_role("patient", access::Role::Patient, "Patient/a"),
        with_role("rssi", access::Role::Security),
        with_role("technique", access::Role::Operations)};
    for (const access::Actor& asker : askers) {
        House house;
        const auto closed = ways_to("c", "oc1");
        const auto absent = ways_to("n", "on1");
        for (std::size_t i = 0; i < closed.size(); ++i) {
            const bool desk_sees = asker.role == access::Role::Desk;
            if (desk_sees) continue;  // identity is open to the desk
            const auto one = house.ask(asker, closed[i]);
            const auto other = house.ask(asker, absent[i]);
            EXPECT_EQ(one.status, other.status)
                << access::name_of(asker.role) << ' ' << asked_of(closed[i]) << '\n'
                << one.body << '\n'
                << other.body;
            EXPECT_EQ(without_names(one.body, "c", "oc1"), without_names(other.body, "n", "on1"))
                << access::name_of(asker.role) << ' ' << asked_of(closed[i]);
        }
    }
}

TEST(Closed, TheDeskSeesNothingClinical) {
    House house;
    const auto desk = with_role("accueil-nadia", access::Role::Desk);
    EXPECT_EQ(house.get(desk, "Patient/c").status, 200);
    EXPECT_EQ(house.get(desk, "Observation/oc1").status, 404);
    EXPECT_EQ(house.get(desk, "Observation?subject=Patient/c").status, 403);
    const auto all = house.get(desk, "Patient/c/$everything");
    EXPECT_FALSE(all.body.contains("Observation/oc1")) << all.body;
    const auto included = house.get(desk, "Patient?_id=c&_revinclude=Observation:subject");
    EXPECT_EQ(included.status, 403) << included.body;
    EXPECT_FALSE(included.body.contains("oc1")) << included.body;
}

/// What is closed is no way to what is open: who asserted a diagnosis says that there is one.
TEST(Closed, AnIncludeDoesNotLeadThroughWhatIsClosed) {
    House house;
    ASSERT_EQ(house
                  .put(house.program, "Condition/secret",
                       R"({"resourceType":"Condition","id":"secret","code":{"text":"x"},)"
                       R"("subject":{"reference":"Patient/a"},)"
                       R"("asserter":{"reference":"Practitioner/dr-bob"}})")
                  .status,
              201);
    const std::string url =
        "Patient?_id=a&_revinclude=Condition:subject&_include:iterate=Condition:asserter";
    EXPECT_EQ(house.get(house.anne, url).references(),
              (std::vector<std::string>{"Patient/a", "Condition/secret", "Practitioner/dr-bob"}));
    // Bob sees the practitioner, and nothing of patient a.
    EXPECT_TRUE(house.get(house.bob, url).references().empty());
    const auto desk = with_role("accueil-lea", access::Role::Desk, "Practitioner/desk");
    EXPECT_EQ(house.get(desk, url).status, 403);
    access::Actor bounded = house.anne;
    bounded.scopes = {"user/Patient.rs", "user/Practitioner.rs"};
    const auto refused = house.get(bounded, url);
    EXPECT_EQ(refused.status, 403);
    EXPECT_TRUE(refused.references().empty());
}

TEST(Closed, ARefusedAccessIsInTheLedger) {
    House house;
    house.get(house.anne, "Observation/oc1");
    const auto events = house.trace.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].type, event::Type::AccessRefused);
    EXPECT_EQ(events[0].actor.id.str(), "dr-anne");
    EXPECT_EQ(events[0].subject.object.str(), "Observation/oc1");
    EXPECT_EQ(events[0].subject.patient.str(), "c") << "whose record it was";
    ASSERT_TRUE(events[0].verdict);
    EXPECT_FALSE(events[0].verdict->reasons.empty());
}

TEST(Closed, ASearchThatTouchedAClosedRecordSaysSoInTheLedger) {
    House house;
    house.get(house.anne, "Observation?subject=Patient/c");
    const auto events = house.trace.take();
    const auto refused = std::ranges::find(events, event::Type::AccessRefused, &event::Event::type);
    ASSERT_NE(refused, events.end());
    EXPECT_EQ(refused->subject.patient.str(), "c");
    EXPECT_EQ(refused->query, "/fhir/Observation?subject=Patient/c");
}

/// A first trace of somebody takes a key of its own, and so longer: that told absent from closed.
TEST(Closed, NoTraceIsAboutWhoIsNotHere) {
    for (const std::string url : {"Patient/*/Observation", "Observation?subject=Patient/*",
                                  "Patient/*/$everything", "Patient/*"}) {
        House house;
        for (const std::string_view id : {"c", "n"}) {
            std::string asked = url;
            asked.replace(asked.find('*'), 1, id);
            house.get(house.anne, asked);
            const auto events = house.trace.take();
            ASSERT_FALSE(events.empty()) << asked;
            const bool names = std::ranges::any_of(
                events, [](const event::Event& e) { return !e.subject.patient.empty(); });
            EXPECT_EQ(names, id == "c") << asked;
            EXPECT_TRUE(events[0].query.contains(asked)) << "what was asked is kept";
        }
    }
}

TEST(Closed, APageBelongsToWhoAskedForIt) {
    House house;
    const auto first = house.get(house.anne, "Observation?subject=Patient/a&_count=1");
    const std::string next = first.link("next");
    ASSERT_FALSE(next.empty()) << first.body;
    EXPECT_EQ(house.get(house.bob, next).status, 404);
    EXPECT_EQ(house.get(house.anne, next).references().size(), 1U);
    EXPECT_EQ(house.get(house.anne, next + "A").status, 404);
}

TEST(Trace, NothingShowsUntilTheLedgerKeepsIt) {
    const auto ways = ways_to("a", "oa1");
    for (std::size_t i = 0; i < ways.size(); ++i) {
        House house;
        house.machine.trace.mode = MemoryTrace::Mode::Wait;
        const auto answer = house.ask_later(house.anne, ways[i]);
        // Writes first pass through the writing thread; all else waits on this one.
        if (ways[i].method == "GET" || ways[i].method == "HEAD") {
            EXPECT_EQ(house.machine.trace.waiting(), 1U) << asked_of(ways[i]);
        }
        EXPECT_EQ(answer->wait_for(std::chrono::milliseconds(5)), std::future_status::timeout)
            << asked_of(ways[i]);
        while (answer->wait_for(std::chrono::milliseconds(1)) == std::future_status::timeout)
            house.machine.trace.release();
        EXPECT_GE(answer->get().status, 200);
    }
}

TEST(Trace, AFailedTraceDisclosesNothing) {
    for (const Sent& sent : ways_to("a", "oa1")) {
        House house;
        house.machine.trace.mode = MemoryTrace::Mode::Fail;
        const auto answer = house.ask(house.anne, sent);
        const bool is_bundle = sent.url.empty();
        if (!is_bundle) {
            EXPECT_GE(answer.status, 500) << asked_of(sent) << answer.body;
        }
        for (const std::string_view secret : {"Martin", "5.40", "team-a"})
            EXPECT_FALSE(answer.body.contains(secret)) << asked_of(sent) << '\n' << answer.body;
    }
}

/// Random requests over everything: whatever names somebody in an answer is in the ledger.
TEST(Trace, EveryPatientShownHasAnEntry) {
    House house;
    for (const std::string p : {"a", "b"}) {
        for (const Sent& sent : ways_to(p, "o" + p + "1")) {
            house.trace.take();
            const auto answer = house.ask(house.anne, sent);
            std::set<std::string> told;
            for (const event::Event& event : house.trace.take())
                told.insert(event.subject.patient.str());
            const bool shows_a = answer.body.contains("Martin") ||
                                 answer.body.contains(R"("reference":"Patient/a")");
            const bool shows_b = answer.body.contains("Bernard") ||
                                 answer.body.contains(R"("reference":"Patient/b")");
            EXPECT_TRUE(!shows_a || told.contains("a")) << asked_of(sent) << '\n' << answer.body;
            EXPECT_TRUE(!shows_b || told.contains("b")) << asked_of(sent) << '\n' << answer.body;
        }
    }
}

TEST(Trace, ARefusedSearchIsKeptHoweverLongItsForm) {
    House house;
    for (const std::string type : {"application/fhir+json", "application/x-www-form-urlencoded"}) {
        house.trace.take();
        const auto answer = house.post(house.anne, "Patient/_search", std::string(1 << 20, 'x'),
                                       {{"content-type", type}});
        EXPECT_GE(answer.status, 400);
        const auto events = house.trace.take();
        ASSERT_EQ(events.size(), 1U);
        EXPECT_LT(events.front().query.size(), 2 * kQueryBytesMax);
    }
}

TEST(Trace, ValidatingWhatIsStoredNamesItsPatient) {
    House house;
    ASSERT_EQ(house.post(house.anne, "Observation/oa1/$validate", "").status, 200);
    const auto events = house.trace.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events.front().subject.patient.str(), "a");
    EXPECT_EQ(events.front().subject.object.str(), "Observation/oa1");
    EXPECT_EQ(events.front().basis, "CareTeam/team-a");
}

TEST(Trace, AHistorySaysOfEachPatientWhy) {
    House house;
    ASSERT_EQ(house.get(house.anne, "Observation/_history").status, 200);
    std::map<std::string, std::string> why;
    for (const event::Event& event : house.trace.take())
        why[event.subject.patient.str()] = event.basis;
    EXPECT_EQ(why, (std::map<std::string, std::string>{{"a", "CareTeam/team-a"},
                                                       {"b", "CareTeam/team-b"}}));
}

}  // namespace
}  // namespace hygie::records
