#include <gtest/gtest.h>

#include <algorithm>

#include "guards/records/door/door_kit.h"
#include "vault/unassigned.h"

/// What speaks of patients and says of none: R4 lets it be, and no circle opens it.
namespace hygie::records {
namespace {

using namespace kit;

constexpr char kOfNobody[] =
    R"({"resourceType":"Observation","status":"final","effectiveDateTime":"2026-03-02",)"
    R"("code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},)"
    R"("subject":{"display":"eau du bassin"},"valueQuantity":{"value":5,"unit":"%"}})";

class Unassigned : public testing::Test {
  protected:
    std::string written_by(const access::Actor& actor) {
        const auto created = house_.post(actor, "Observation", kOfNobody);
        EXPECT_EQ(created.status, 201) << created.body;
        return created.id();
    }
    std::vector<int> statuses(const std::string& url) {
        std::vector<int> all;
        for (const access::Actor& actor : {house_.anne, house_.bob, desk_, house_.program})
            all.push_back(house_.get(actor, url).status);
        return all;
    }

    House house_;
    access::Actor desk_ = with_role("accueil", access::Role::Desk);
};

TEST_F(Unassigned, IsOpenToItsAuthorAndToProgramsAlone) {
    const std::string id = written_by(house_.anne);
    const std::vector<int> expected = {200, 404, 404, 200};
    EXPECT_EQ(statuses("Observation/" + id), expected);
    EXPECT_EQ(statuses("Observation/" + id + "/_history/1"), expected);
    EXPECT_EQ(statuses("Observation/" + id + "/_history"), expected);
    EXPECT_EQ(house_.get(house_.bob, "Observation/" + id).body,
              house_.get(house_.bob, "Observation/absent").body);
    const std::string of_program = written_by(house_.program);
    EXPECT_EQ(statuses("Observation/" + of_program), (std::vector<int>{404, 404, 404, 200}));
}

TEST_F(Unassigned, IsFoundByProgramsAlone) {
    const std::string id = written_by(house_.anne);
    using References = std::vector<std::string>;
    for (const std::string& url :
         {"Observation?_id=" + id, std::string("Observation?code=4548-4&subject:missing=true"),
          std::string("Observation/_history")}) {
        const auto seen = [&](const access::Actor& actor) {
            const References found = house_.get(actor, url).references();
            return std::ranges::count(found, "Observation/" + id) > 0;
        };
        EXPECT_FALSE(seen(house_.anne)) << url;
        EXPECT_FALSE(seen(house_.bob)) << url;
        EXPECT_TRUE(seen(house_.program)) << url;
    }
    // Chains through the house go on as before.
    EXPECT_EQ(house_.get(house_.anne, "CareTeam?patient=a&participant:Practitioner.family=Lemoine")
                  .references(),
              References{"CareTeam/team-a"});
}

TEST_F(Unassigned, IsGivenToItsPatientAndNeverTakenFromOne) {
    const std::string id = written_by(house_.anne);
    const std::string url = "Observation/" + id;
    std::string of_a = kOfNobody;
    constexpr std::string_view kSubject = R"({"display":"eau du bassin"})";
    of_a.replace(of_a.find(kSubject), kSubject.size(), R"({"reference":"Patient/a"})");
    of_a.insert(1, R"("id":")" + id + R"(",)");
    EXPECT_EQ(house_.put(house_.anne, url, of_a, "W/\"1\"").status, 200);
    EXPECT_EQ(
        house_.get(house_.anne, "Observation?subject=Patient/a&_id=" + id).references().size(), 1u);
    EXPECT_EQ(statuses(url), (std::vector<int>{200, 404, 404, 200}));
    std::string of_nobody = kOfNobody;
    of_nobody.insert(1, R"("id":")" + id + R"(",)");
    EXPECT_EQ(house_.put(house_.anne, url, of_nobody, "W/\"2\"").status, 422);
}

TEST_F(Unassigned, NamesNobodyInTheLedger) {
    house_.trace.take();
    const std::string id = written_by(house_.anne);
    house_.get(house_.anne, "Observation/" + id);
    const auto events = house_.trace.take();
    ASSERT_EQ(events.size(), 2u);
    for (const event::Event& event : events) EXPECT_TRUE(event.subject.patient.empty());
}

TEST_F(Unassigned, TakesWhatAProgramSaysOfAPatientItMayNotSee) {
    access::Actor men_only = house_.program;
    men_only.scopes = {"system/Patient.rs?gender=male", "system/Observation.cruds"};
    house_.trace.take();
    const auto created =
        house_.post(men_only, "Observation", vault::kit::observation("x", "a", "9.90"));
    ASSERT_EQ(created.status, 201) << created.body;
    for (const event::Event& event : house_.trace.take())
        EXPECT_TRUE(event.subject.patient.empty()) << "nobody's record was written";
    EXPECT_FALSE(house_.get(house_.anne, "Observation?patient=a").body.contains("9.90"))
        << "it lies where the trace says, not in a record that was closed to its writer";
    EXPECT_EQ(statuses("Observation/" + created.id()), (std::vector<int>{404, 404, 404, 200}));
}

TEST_F(Unassigned, IsRefusedFromWhoWouldNotFindItAgainAndInAStrictPractice) {
    EXPECT_EQ(house_.post(desk_, "Observation", kOfNobody).status, 422);
    House strict(true, Completeness::Strict);
    EXPECT_EQ(strict.post(strict.program, "Observation", kOfNobody).status, 422);
}

/// What each of these sees of a resource by its id, and by a search of its type.
struct Seen {
    std::vector<int> read;
    std::vector<bool> found;
    bool operator==(const Seen&) const = default;
};

TEST_F(Unassigned, TakesWhatDescribesAPatientWhereNoneBelongs) {
    const access::Actor outsider = with_role("moreau", access::Role::Patient);
    const auto seen = [&](const std::string& reference) {
        const std::string type = reference.substr(0, reference.find('/'));
        Seen all;
        for (const access::Actor& actor :
             {house_.program, house_.anne, house_.bob, desk_, outsider}) {
            all.read.push_back(house_.get(actor, reference).status);
            const auto found = house_.get(actor, type).references();
            all.found.push_back(std::ranges::count(found, reference) > 0);
        }
        return all;
    };
    const Seen by_programs_alone{{200, 404, 404, 404, 404}, {true, false, false, false, false}};
    const std::string inside =
        R"("contained":[{"resourceType":"Patient","id":"p","birthDate":"1979-02-14"}],)"
        R"("extension":[{"url":"urn:x","valueReference":{"reference":"#p"}}])";
    for (
        const std::string& body : std::vector<std::string>{
            R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)"
            R"({"resourceType":"Patient","birthDate":"1979-02-14"}}]})",
            R"({"resourceType":"Parameters","parameter":[{"name":"x","valueString":"y"}]})",
            R"({"resourceType":"Person","birthDate":"1979-02-14"})",
            R"({"resourceType":"Medication",)" + inside + "}",
            R"({"resourceType":"Practitioner",)" + inside + "}",
            R"({"resourceType":"Library","status":"draft","type":{"text":"x"},"extension":[{"url":)"
            R"("urn:x","valueReference":{"reference":"Patient/a"}}]})"}) {
        const std::string type = body.substr(17, body.find('"', 17) - 17);
        const auto created = house_.post(house_.program, type, body);
        ASSERT_EQ(created.status, 201) << created.body;
        EXPECT_EQ(seen(type + '/' + created.id()), by_programs_alone) << type;
    }
    // An extension that names a patient, where patients belong: it is the patient's.
    const auto basic =
        house_.post(house_.program, "Basic",
                    R"({"resourceType":"Basic","code":{"text":"x"},"extension":)"
                    R"([{"url":"urn:x","valueReference":{"reference":"Patient/a"}}]})");
    ASSERT_EQ(basic.status, 201) << basic.body;
    EXPECT_EQ(seen("Basic/" + basic.id()),
              (Seen{{200, 200, 404, 404, 404}, {true, true, false, false, false}}));
    // The staff's own work.
    const auto task = house_.post(house_.anne, "Task",
                                  R"({"resourceType":"Task","status":"draft","intent":"order"})");
    ASSERT_EQ(task.status, 201) << task.body;
    EXPECT_EQ(seen("Task/" + task.id()),
              (Seen{{200, 200, 200, 200, 404}, {true, true, true, true, false}}));
}

TEST_F(Unassigned, LeavesToAPatientWhatIsAboutTheirs) {
    house_.trace.take();
    const auto task = house_.post(
        house_.anne, "Task",
        R"({"resourceType":"Task","status":"draft","intent":"order","description":"relire",)"
        R"("focus":{"reference":"Observation/oa1"}})");
    ASSERT_EQ(task.status, 201) << task.body;
    EXPECT_EQ(house_.trace.take().back().subject.patient.str(), "a");
    const std::vector<int> of_the_circle = {200, 404, 404, 200};
    EXPECT_EQ(statuses("Task/" + task.id()), of_the_circle);
    const auto both = house_.post(
        house_.program, "",
        R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:)"
        R"(6f0b3a4e-0000-4000-8000-000000000001","request":{"method":"POST","url":"Provenance"},)"
        R"("resource":{"resourceType":"Provenance","recorded":"2026-03-02T10:00:00Z","agent":)"
        R"([{"who":{"display":"x"}}],"target":[{"reference":"urn:uuid:)"
        R"(6f0b3a4e-0000-4000-8000-000000000002"}]}},{"fullUrl":"urn:uuid:)"
        R"(6f0b3a4e-0000-4000-8000-000000000002","request":{"method":"POST","url":"Observation"},)"
        R"("resource":)" +
            vault::kit::observation("new", "a") + "}]}");
    ASSERT_EQ(both.status, 200) << both.body;
    const auto found = house_.get(house_.anne, "Provenance").references();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(statuses(found.front()), of_the_circle);
    // Of what is closed to the writer nothing follows.
    const auto blind = house_.post(house_.bob, "Task",
                                   R"({"resourceType":"Task","status":"draft","intent":"order",)"
                                   R"("focus":{"reference":"Observation/oa1"}})");
    const auto nothing = house_.post(house_.bob, "Task",
                                     R"({"resourceType":"Task","status":"draft","intent":"order",)"
                                     R"("focus":{"reference":"Observation/absent"}})");
    EXPECT_EQ(blind.status, nothing.status);
    EXPECT_EQ(statuses("Task/" + blind.id()), statuses("Task/" + nothing.id()));
}

/// A document as French software sends it: a Composition, and the Patient it brings.
std::string document_about(const std::string& subject, const std::string& identifier) {
    return R"({"resourceType":"Bundle","type":"document","identifier":{"system":"urn:x",)"
           R"("value":"d"},)"
           R"("timestamp":"2026-03-02T10:00:00Z","entry":[{"fullUrl":"urn:uuid:)"
           R"(6f0b3a4e-0000-4000-8000-00000000000c","resource":{"resourceType":"Composition",)"
           R"("status":"final","type":{"text":"CR"},"subject":{"reference":")" +
           subject +
           R"("},"date":"2026-03-02","author":[{"display":"x"}],)"
           R"("title":"CR"}},{"fullUrl":"urn:uuid:)"
           R"(6f0b3a4e-0000-4000-8000-00000000000a","resource":{"resourceType":"Patient",)"
           R"("id":"a","identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.10","value":")" +
           identifier + R"("}]}}]})";
}

TEST_F(Unassigned, LeavesADocumentToWhomItSpeaksOf) {
    const std::string number = "285052B99012338";
    const auto patient = house_.post(
        house_.program, "Patient",
        R"({"resourceType":"Patient","name":[{"use":"official","family":"Essai","given":["Ana"]}],)"
        R"("gender":"female","birthDate":"1985-05-03","generalPractitioner":[{"reference":)"
        R"("Practitioner/dr-anne"}],"identifier":[{"use":"official","system":)"
        R"("urn:oid:1.2.250.1.213.1.4.10","value":")" +
            number + R"("}]})");
    ASSERT_EQ(patient.status, 201) << patient.body;
    const std::string brought = "urn:uuid:6f0b3a4e-0000-4000-8000-00000000000a";
    const std::vector<int> of_the_circle = {200, 404, 404, 200};
    for (const std::string& document :
         {document_about("Patient/a", "285052B99012437"), document_about(brought, number)}) {
        const auto kept = house_.post(house_.program, "Bundle", document);
        ASSERT_EQ(kept.status, 201) << kept.body;
        EXPECT_EQ(statuses("Bundle/" + kept.id()), of_the_circle) << document;
    }
    const auto stranger =
        house_.post(house_.program, "Bundle", document_about(brought, "285052B99012437"));
    EXPECT_EQ(statuses("Bundle/" + stranger.id()), (std::vector<int>{404, 404, 404, 200}));
}

TEST_F(Unassigned, LeavesAFileToThePatientOfTheDocumentThatShowsIt) {
    const auto sent = house_.post(
        house_.anne, "",
        R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:)"
        R"(6f0b3a4e-0000-4000-8000-000000000001","request":{"method":"POST","url":"Binary"},)"
        R"("resource":{"resourceType":"Binary","contentType":"text/plain","data":"eA=="}},)"
        R"({"request":{"method":"POST","url":"DocumentReference"},"resource":{"resourceType":)"
        R"("DocumentReference","status":"current","subject":{"reference":"Patient/a"},"content":)"
        R"([{"attachment":{"contentType":"text/plain","url":"urn:uuid:)"
        R"(6f0b3a4e-0000-4000-8000-000000000001"}}]}}]})");
    ASSERT_EQ(sent.status, 200) << sent.body;
    const std::string place(sent.json()["entry"].items()[0]["response"]["location"].text());
    const auto file = place.substr(place.find("Binary/"));
    EXPECT_EQ(house_.vault()
                  .find("Binary", file.substr(7, file.find("/_history") - 7))
                  ->record->patient(),
              "a");
}

TEST_F(Unassigned, LooksAtEachOfManyThatReferToOneAnotherOnce) {
    constexpr int kMany = 120;  // 120 to the power of the hops would never end
    const auto name = [](int i) {
        return "urn:uuid:6f0b3a4e-0000-4000-8000-" + std::to_string(100'000'000'000 + i);
    };
    std::string others;
    for (int i = 0; i < kMany; ++i)
        others += (i == 0 ? "" : ",") + (R"({"reference":")" + name(i) + R"("})");
    std::string entries;
    for (int i = 0; i < kMany; ++i)
        entries += (i == 0 ? "" : ",") + (R"({"fullUrl":")" + name(i)) +
                   R"(","request":{"method":"POST","url":"Task"},"resource":{"resourceType":)"
                   R"("Task","status":"draft","intent":"order","partOf":[)" +
                   others + "]}}";
    const auto done =
        house_.post(house_.program, "",
                    R"({"resourceType":"Bundle","type":"transaction","entry":[)" + entries + "]}");
    ASSERT_EQ(done.status, 200) << done.body.substr(0, 500);
    EXPECT_EQ(done.json()["entry"].size(), static_cast<std::size_t>(kMany));
}

TEST_F(Unassigned, FilesWhatCameBeforeTheDocumentThatShowsIt) {
    const auto file =
        house_.post(house_.anne, "Binary",
                    R"({"resourceType":"Binary","contentType":"text/plain","data":"eA=="})");
    ASSERT_EQ(file.status, 201) << file.body;
    const std::string other = "Binary/" + file.id();
    const auto shows = [&](const access::Actor& actor, const std::string& patient) {
        return house_.post(
            actor, "DocumentReference",
            R"({"resourceType":"DocumentReference","status":"current","subject":{)"
            R"("reference":"Patient/)" +
                patient + R"("},"content":[{"attachment":{"contentType":"text/plain","url":")" +
                other + R"("}}]})");
    };
    ASSERT_EQ(shows(house_.bob, "c").status, 201);
    EXPECT_EQ(house_.vault().find("Binary", file.id())->record->patient(), vault::kUnassigned)
        << "nobody files what they cannot see";
    const auto document = shows(house_.anne, "a");
    ASSERT_EQ(document.status, 201) << document.body;
    EXPECT_EQ(document.json()["resourceType"].text(), "DocumentReference");
    EXPECT_EQ(house_.vault().find("Binary", file.id())->record->patient(), "a");
    EXPECT_EQ(house_.get(house_.bob, other).status, 404);
    EXPECT_EQ(house_.get(house_.anne, other).status, 200);
    ASSERT_EQ(shows(house_.anne, "b").status, 201);
    EXPECT_EQ(house_.vault().find("Binary", file.id())->record->patient(), "a") << "once filed";
}

TEST_F(Unassigned, FilesCirclesOfReferencesWhateverTheirOrder) {
    const auto name = [](int i) {
        return "urn:uuid:6f0b3a4e-0000-4000-8000-" + std::to_string(100'000'000'000 + i);
    };
    const auto task = [&](int i, const std::string& refers) {
        return R"({"fullUrl":")" + name(i) +
               R"(","request":{"method":"POST","url":"Task"},"resource":{"resourceType":"Task",)"
               R"("status":"draft","intent":"order",)" +
               refers + "}}";
    };
    const auto part_of = [&](int i) { return R"("partOf":[{"reference":")" + name(i) + R"("}])"; };
    // 0 → 1 → 2 → 0, and 2 says whose it is; 3 hangs on 0.
    std::vector<std::string> entries = {task(0, part_of(1)), task(1, part_of(2)),
                                        task(2, part_of(0) + R"(,"for":{"reference":"Patient/a"})"),
                                        task(3, part_of(0))};
    std::ranges::sort(entries);
    do {
        std::string all;
        for (const std::string& entry : entries) all += (all.empty() ? "" : ",") + entry;
        const auto sent =
            house_.post(house_.program, "",
                        R"({"resourceType":"Bundle","type":"transaction","entry":[)" + all + "]}");
        ASSERT_EQ(sent.status, 200) << sent.body;
        for (const fhir::Json entry : sent.json()["entry"].items()) {
            const std::string_view place = entry["response"]["location"].text();
            const std::string_view id = place.substr(place.find("Task/") + 5);
            EXPECT_EQ(house_.vault().find("Task", id.substr(0, id.find('/')))->record->patient(),
                      "a");
        }
    } while (std::ranges::next_permutation(entries).found);
}

TEST_F(Unassigned, TakesDocumentsAndPictures) {
    for (const std::string body :
         {R"({"resourceType":"Binary","contentType":"text/plain","data":"eA=="})",
          R"({"resourceType":"DocumentReference","status":"current","content":[{"attachment":{)"
          R"("contentType":"text/plain","data":"eA=="}}]})"}) {
        const std::string type = body.substr(17, body.find('"', 17) - 17);
        const auto created = house_.post(house_.anne, type, body);
        ASSERT_EQ(created.status, 201) << created.body;
        EXPECT_EQ(statuses(type + '/' + created.id()), (std::vector<int>{200, 404, 404, 200}));
    }
}

}  // namespace
}  // namespace hygie::records
