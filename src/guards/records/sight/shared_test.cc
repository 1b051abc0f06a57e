#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "guards/records/door/door_kit.h"

/// What names several patients: open to who may see it of each of them, or takes part in it.
namespace hygie::records {
namespace {

using namespace kit;
using References = std::vector<std::string>;

std::string appointment(const std::string& id, const References& actors) {
    std::string participants;
    for (const std::string& actor : actors)
        participants += std::string(participants.empty() ? "" : ",") +
                        R"({"actor":{"reference":")" + actor + R"("},"status":"accepted"})";
    return R"({"resourceType":"Appointment","id":")" + id +
           R"(","status":"booked","start":"2026-11-24T07:30:00Z","end":"2026-11-24T09:30:00Z",)"
           R"("participant":[)" +
           participants + "]}";
}

/// Anne treats a and b, Bob treats c: one appointment of a and b, one of a and c, and others.
class Shared : public testing::Test {
  protected:
    void SetUp() override {
        store({appointment("of-ab", {"Patient/a", "Patient/b"}),
               appointment("of-ac", {"Patient/a", "Patient/c"}),
               appointment("with-anne", {"Patient/a", "Patient/c", "Practitioner/dr-anne"}),
               appointment("was-ac", {"Patient/a", "Patient/c"}),
               R"({"resourceType":"Group","id":"group","type":"person","actual":true,"member":[)"
               R"({"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/c"}}]})",
               R"({"resourceType":"List","id":"list","status":"current","mode":"working",)"
               R"("subject":{"reference":"Patient/a"},"entry":[{"item":{"reference":)"
               R"("Patient/c"}}]})"});
        store({appointment("was-ac", {"Patient/a"})});
    }
    void store(const std::vector<std::string>& texts) {
        std::vector<vault::kit::TextWrite> writes;
        for (const std::string& text : texts) writes.push_back(vault::kit::put(text));
        const auto done = vault::kit::commit(house_.vault(), writes, "");
        ASSERT_TRUE(done) << done.error().what.en;
    }
    References seen(const access::Actor& actor, const std::string& url) {
        References found = house_.get(actor, url).references();
        std::ranges::sort(found);
        return found;
    }

    House house_;
    access::Actor desk_ = with_role("accueil", access::Role::Desk);
};

TEST_F(Shared, IsAbsentForWhoMaySeeOnePatientAlone) {
    const auto absent = house_.get(house_.anne, "Appointment/absent");
    for (const access::Actor& actor : {house_.anne, house_.bob})
        for (const std::string url :
             {"Appointment/of-ac", "Group/group", "List/list", "Appointment/of-ac/_history",
              "Appointment/of-ac/_history/1", "Appointment/of-ac/$meta"}) {
            const auto answer = house_.get(actor, url);
            EXPECT_EQ(answer.status, 404) << url;
            EXPECT_EQ(answer.body.contains("Patient/c"), false);
        }
    EXPECT_EQ(house_.get(house_.anne, "Appointment/of-ac").body, absent.body);
    for (const std::string url :
         {"Patient/a/$everything", "Patient/a/*", "Patient/a/Appointment", "_history",
          "Appointment/_history", "Appointment", "Group", "List", "Appointment?patient=c",
          "Appointment?actor=Patient/a", "Patient?_id=a&_revinclude=Appointment:patient",
          "Patient?_has:Group:member:type=person", "List?item=Patient/c", "Group?member=Patient/c",
          "List?item:Patient.family=Petit"}) {
        for (const access::Actor& actor : {house_.anne, house_.bob}) {
            const auto answer = house_.get(actor, url);
            const bool is_anne = actor.id == house_.anne.id;
            EXPECT_TRUE(answer.status == 200 || !is_anne) << url << answer.body;
            for (const std::string hidden : {"of-ac", "group", "list"})
                EXPECT_FALSE(answer.body.contains(R"("id":")" + hidden + R"(")"))
                    << url << " shows " << hidden;
        }
    }
    EXPECT_EQ(house_.get(house_.anne, "Appointment?_summary=count").json()["total"].text(), "3");
}

TEST_F(Shared, IsOpenToWhoMaySeeEachAndToWhoTakesPart) {
    EXPECT_EQ(seen(house_.anne, "Appointment"),
              (References{"Appointment/of-ab", "Appointment/was-ac", "Appointment/with-anne"}));
    for (const std::string url : {"Appointment/of-ab", "Appointment/with-anne"})
        EXPECT_EQ(house_.get(house_.anne, url).status, 200) << url;
    EXPECT_EQ(seen(house_.anne, "Appointment?patient=b"), References{"Appointment/of-ab"});
    for (const access::Actor& actor : {house_.program, desk_})
        EXPECT_EQ(house_.get(actor, "Appointment/of-ac").status, 200);
    EXPECT_EQ(house_.get(house_.program, "Group/group").status, 200);
}

/// It lies in the record of a; whoever looks from b, by id or by name, finds it too.
TEST_F(Shared, ComesAlongWithWhomItNamesSecond) {
    for (const std::string url : {"Patient?_id=b&_revinclude=Appointment:patient",
                                  "Patient?family=Bernard&_revinclude=Appointment:patient"})
        EXPECT_EQ(seen(house_.anne, url), (References{"Appointment/of-ab", "Patient/b"})) << url;
    EXPECT_EQ(seen(house_.anne, "Patient?_id=b&_has:Appointment:patient:status=booked"),
              References{"Patient/b"});
    EXPECT_EQ(seen(house_.bob, "Patient?_id=c&_revinclude=Appointment:patient"),
              References{"Patient/c"});
}

TEST_F(Shared, BringsAlongAndIsFoundByWhomItNamesSecond) {
    EXPECT_EQ(seen(house_.anne, "Appointment?_id=of-ab&_include=Appointment:patient"),
              (References{"Appointment/of-ab", "Patient/a", "Patient/b"}));
    EXPECT_EQ(seen(house_.anne, "Appointment?_id=of-ab&actor:Patient.family=Bernard"),
              References{"Appointment/of-ab"});
    EXPECT_EQ(seen(house_.anne, "Appointment?date=2026-11-24&actor:Patient.family=Bernard"),
              References{"Appointment/of-ab"});
    // An appointment that she takes part in shows its patients' ids; the record of c stays closed.
    EXPECT_EQ(seen(house_.anne, "Appointment?_id=with-anne&_include=Appointment:patient"),
              (References{"Appointment/with-anne", "Patient/a"}));
    EXPECT_EQ(seen(house_.anne, "Appointment?_id=with-anne&actor:Patient.family=Petit"),
              References{});
}

/// Neither whom a closed record names is looked for, nor whom a closed resource names.
TEST_F(Shared, WhatIsClosedLeadsToNobody) {
    const auto refused_of = [&](const access::Actor& actor, const std::string& url) {
        house_.trace.take();
        EXPECT_EQ(house_.get(actor, url).status, 200) << url;
        std::set<std::string> patients;
        for (const event::Event& event : house_.trace.take())
            if (event.type == event::Type::AccessRefused)
                patients.insert(event.subject.patient.str());
        return patients;
    };
    EXPECT_EQ(refused_of(house_.bob, "Appointment?patient=a&_include=Appointment:patient"),
              std::set<std::string>{"a"});
    EXPECT_EQ(refused_of(house_.bob, "Patient?_id=b&_revinclude=Appointment:patient"),
              std::set<std::string>{"b"});
    EXPECT_EQ(refused_of(house_.anne, "Group?_id=group&_include=Group:member"),
              std::set<std::string>{});
    // Nor does another type than the one asked about.
    EXPECT_EQ(refused_of(house_.anne, "Observation?patient=a&_include=Observation:encounter"),
              std::set<std::string>{});
}

TEST_F(Shared, LinksLeadFromRecordToRecord) {
    store({R"({"resourceType":"Patient","id":"b","name":[{"family":"Bernard"}],)"
           R"("link":[{"type":"seealso","other":{"reference":"Patient/a"}}]})"});
    EXPECT_EQ(seen(house_.program, "Patient?_id=b&_include=Patient:link"),
              (References{"Patient/a", "Patient/b"}));
    EXPECT_EQ(seen(house_.program, "Patient?_id=a&_revinclude=Patient:link"),
              (References{"Patient/a", "Patient/b"}));
    EXPECT_EQ(seen(house_.program, "Patient?_id=a&_has:Patient:link:family=Bernard"),
              References{"Patient/a"});
    EXPECT_EQ(seen(house_.program, "Patient?family=Bernard&link.family=Martin"),
              References{"Patient/b"});
}

/// What is further than one search goes stays away, and what is near is answered as if it was not.
TEST_F(Shared, AmongThousandsWhatIsNearIsFound) {
    std::vector<std::string> all;
    std::string members = R"({"entity":{"reference":"Patient/a"}},)"
                          R"({"entity":{"reference":"Patient/b"}})";
    for (std::size_t i = 0; i < vault::kCandidatesMax; ++i) {
        const std::string id = "of-many-" + std::to_string(i);
        all.push_back(R"({"resourceType":"Patient","id":")" + id + R"("})");
        members += R"(,{"entity":{"reference":"Patient/)" + id + R"("}})";
    }
    all.push_back(R"({"resourceType":"Group","id":"throng","type":"person","actual":true,)"
                  R"("member":[)" +
                  members + "]}");
    const auto schedule = [](const std::string& id, const std::string& actor) {
        return R"({"resourceType":"Schedule","id":")" + id + R"(","actor":[{"reference":")" +
               actor + R"("}]})";
    };
    all.push_back(schedule("of-anne", "Practitioner/dr-anne"));
    all.push_back(R"({"resourceType":"Slot","id":"slot","status":"free","schedule":{"reference":)"
                  R"("Schedule/of-anne"},"start":"2026-11-24T07:30:00Z",)"
                  R"("end":"2026-11-24T09:30:00Z"})");
    store(all);
    const access::Actor& program = house_.program;
    EXPECT_EQ(seen(program, "Observation?patient=b&_include=Observation:encounter"),
              References{"Observation/ob1"});
    EXPECT_EQ(seen(program, "Group?_id=throng&_include=Group:member"),
              (References{"Group/throng", "OperationOutcome/", "Patient/a"}));
    EXPECT_EQ(seen(program, "Patient?_id=b&_revinclude=Patient:link"),
              (References{"OperationOutcome/", "Patient/b"}));
    EXPECT_EQ(seen(program, "Practitioner?_id=dr-anne&_revinclude=Schedule:actor"),
              (References{"OperationOutcome/", "Practitioner/dr-anne", "Schedule/of-anne"}));
    EXPECT_EQ(seen(program, "Schedule?_id=of-anne&_revinclude=Slot:schedule"),
              (References{"Schedule/of-anne", "Slot/slot"}));
    EXPECT_EQ(house_.get(program, "Observation").status, 413) << "nothing narrows it";

    const auto partial = house_.get(program, "Group?_id=throng&_include=Group:member");
    const fhir::Json said = partial.json()["entry"].items().back();
    EXPECT_EQ(said["search"]["mode"].text(), "outcome");
    EXPECT_EQ(said["resource"]["issue"].items()[0]["severity"].text(), "warning");
    EXPECT_EQ(said["resource"]["issue"].items()[0]["code"].text(), "incomplete");
    EXPECT_EQ(partial.json()["total"].text(), "1") << "of the hits, which are all there";
    // What decides about hits was not looked into: nobody counted them.
    for (const std::string url : {"Group?_id=throng&member:Patient.family=Martin",
                                  "Group?_id=throng&_summary=count"
                                  "&member:Patient.family=Martin"}) {
        const auto found = house_.get(program, url);
        EXPECT_TRUE(found.body.contains("\"incomplete\"")) << found.body;
        EXPECT_TRUE(found.json()["total"].text().empty()) << found.body;
    }
    const auto guess =
        house_.get(program, "Group?_id=throng&member:Patient.family=Martin&_total=estimate");
    EXPECT_EQ(guess.json()["total"].text(), "1");
    const auto made = house_.ask(
        program, {.method = "POST",
                  .url = "Group",
                  .body = R"({"resourceType":"Group","type":"person","actual":true})",
                  .headers = {{"if-none-exist", "_id=throng&member:Patient.family=Nobody"}}});
    EXPECT_EQ(made.status, 413) << "not made where it is not known whether it is there";
}

/// Of as many as the bound, one more that is closed is one that is absent.
TEST_F(Shared, ClosedRecordsCountForNobody) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < vault::kCandidatesMax; ++i) {
        const std::string id = "closed-" + std::to_string(i);
        all.push_back(R"({"resourceType":"Patient","id":")" + id +
                      R"(","name":[{"family":"Martinot"}]})");
        all.push_back(appointment("with-b-" + std::to_string(i), {"Patient/" + id, "Patient/b"}));
    }
    store(all);
    for (const std::string url : {"Patient?_id=b&_revinclude=Appointment:patient",
                                  "Patient?family=Bernard&_revinclude=Appointment:patient"})
        EXPECT_EQ(seen(house_.anne, url), (References{"Appointment/of-ab", "Patient/b"})) << url;
    const auto counted = house_.get(
        house_.anne, "Patient?_id=b&_has:Appointment:patient:status=booked&_summary=count");
    EXPECT_EQ(counted.json()["total"].text(), "1") << counted.body;
    EXPECT_FALSE(counted.body.contains("incomplete"));
    EXPECT_EQ(seen(house_.program, "Patient?_id=b&_revinclude=Appointment:patient"),
              (References{"OperationOutcome/", "Patient/b"}));
    // Nor do they among those that a search or a compartment begins with.
    house_.trace.take();
    EXPECT_EQ(seen(house_.anne, "Patient?family=Martin"), References{"Patient/a"});
    EXPECT_EQ(house_.trace.take().front().detail["closed"], std::to_string(vault::kCandidatesMax));
    EXPECT_EQ(seen(house_.anne, "Patient/b/Appointment"), References{"Appointment/of-ab"});
    for (const std::string url : {"Patient?family=Martin", "Patient/b/Appointment"})
        EXPECT_EQ(house_.get(house_.program, url).status, 413) << url;
}

/// How many are closed would show in the time it takes, and does from here on in a refusal.
TEST_F(Shared, NoMoreRecordsAreLookedIntoThanTheBound) {
    const auto closed = [](std::size_t number) {
        return R"({"resourceType":"Patient","id":"closed-)" + std::to_string(number) +
               R"(","name":[{"family":"Martinot"}]})";
    };
    std::vector<std::string> all;
    while (all.size() + 1 < vault::kLookedIntoMax) all.push_back(closed(all.size()));
    store(all);
    EXPECT_EQ(seen(house_.anne, "Patient?family=Martin"), References{"Patient/a"});
    store({closed(all.size())});
    EXPECT_EQ(house_.get(house_.anne, "Patient?family=Martin").status, 413);
}

/// Who is no part of a circle has that record alone to look into.
TEST_F(Shared, LinksTakeNoRecordAway) {
    access::Actor bob = house_.bob;
    ASSERT_EQ(house_.post(bob, "Patient/a/$break-glass", std::string(kMotive)).status, 200);
    EXPECT_EQ(seen(bob, "Patient?_id=a&_revinclude=Patient:link"), References{"Patient/a"});
}

TEST_F(Shared, EarlierVersionsAreJudgedByWhomTheyNamed) {
    EXPECT_EQ(house_.get(house_.anne, "Appointment/was-ac").status, 200);
    EXPECT_EQ(house_.get(house_.anne, "Appointment/was-ac/_history/1").status, 404);
    EXPECT_EQ(house_.get(house_.anne, "Appointment/was-ac/_history/2").status, 200);
    const std::string first = R"("id":"was-ac","meta":{"versionId":"1")";
    for (const std::string url : {"Appointment/was-ac/_history", "Appointment/_history", "_history",
                                  "Appointment/was-ac/_history?_at=2026"})
        EXPECT_FALSE(house_.get(house_.anne, url).body.contains(first)) << url;
    EXPECT_TRUE(house_.get(house_.program, "Appointment/was-ac/_history").body.contains(first));
}

TEST_F(Shared, IsWrittenByWhoMaySeeEach) {
    const std::string of_ab = appointment("x", {"Patient/a", "Patient/b"});
    EXPECT_EQ(house_.post(house_.anne, "Appointment", of_ab).status, 201);
    const auto refused =
        house_.post(house_.anne, "Appointment", appointment("x", {"Patient/a", "Patient/c"}));
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_EQ(
        refused.body,
        house_.post(house_.anne, "Appointment", appointment("x", {"Patient/a", "Patient/z"})).body);
    const auto changed = house_.put(house_.anne, "Appointment/of-ac",
                                    appointment("of-ac", {"Patient/a"}), "W/\"1\"");
    EXPECT_EQ(changed.status, 404) << changed.body;
}

/// What a compartment holds leads on as what any search finds.
TEST_F(Shared, CompartmentsLeadToOtherRecords) {
    EXPECT_EQ(seen(house_.anne, "Patient/b/Appointment?_include=Appointment:patient"),
              (References{"Appointment/of-ab", "Patient/a", "Patient/b"}));
    EXPECT_EQ(seen(house_.anne, "Patient/b/Appointment?actor:Patient.family=Martin"),
              References{"Appointment/of-ab"});
    EXPECT_EQ(seen(house_.anne, "Patient/a/Appointment?_include=Appointment:patient"),
              (References{"Appointment/of-ab", "Appointment/was-ac", "Appointment/with-anne",
                          "Patient/a", "Patient/b"}));
    store({R"({"resourceType":"Patient","id":"b","name":[{"family":"Bernard"}],)"
           R"("link":[{"type":"seealso","other":{"reference":"Patient/a"}}]})"});
    EXPECT_EQ(seen(house_.anne, "Patient/b/Patient?_include=Patient:link"),
              (References{"Patient/a", "Patient/b"}));
    EXPECT_EQ(seen(house_.anne, "Patient/b/Patient"), References{"Patient/b"});
    EXPECT_EQ(seen(house_.bob, "Patient/c/Appointment?_include=Appointment:patient"), References{});
}

TEST_F(Shared, IsInTheCompartmentOfEach) {
    for (const std::string patient : {"a", "b"}) {
        const References found = seen(house_.anne, "Patient/" + patient + "/Appointment");
        EXPECT_TRUE(std::ranges::count(found, "Appointment/of-ab") == 1) << patient;
        const auto whole = house_.get(house_.anne, "Patient/" + patient + "/$everything");
        EXPECT_TRUE(whole.body.contains(R"("id":"of-ab")")) << patient;
    }
    EXPECT_EQ(seen(house_.bob, "Patient/c/Appointment"), References{});
    EXPECT_EQ(seen(house_.program, "Patient/c/Appointment"),
              (References{"Appointment/of-ac", "Appointment/with-anne"}));
    EXPECT_EQ(seen(house_.program, "Patient/b/Appointment?status=cancelled"), References{});
}

}  // namespace
}  // namespace hygie::records
