#include <gtest/gtest.h>

#include <algorithm>

#include "guards/records/door/door_kit.h"

/// SMART v2 scopes that bound by a search: what does not match is as if it were not there.
namespace hygie::records {
namespace {

using namespace kit;

/// An observation of patient a, of that category.
std::string observation(const std::string& id, const std::string& category) {
    std::string text = vault::kit::observation(id, "a", "7.77");
    text.insert(text.find(R"("status")"),
                R"("category":[{"coding":[{"code":")" + category + R"("}]}],)");
    return text;
}

/// Two of laboratory, one of vital signs, one social, beside two without category.
class Scopes : public testing::Test {
  protected:
    void SetUp() override {
        const auto done =
            vault::kit::commit(house_.vault(),
                               {vault::kit::put(observation("lab1", "laboratory")),
                                vault::kit::put(observation("lab2", "laboratory")),
                                vault::kit::put(observation("vital", "vital-signs")),
                                vault::kit::put(observation("social", "social-history"))},
                               "");
        ASSERT_TRUE(done) << done.error().what.en;
        anne_ = house_.anne;
        anne_.scopes = {"user/Observation.rs?category=laboratory", "user/Patient.rs"};
    }
    std::vector<std::string> seen(const std::string& url) {
        auto references = house_.get(anne_, url).references();
        std::ranges::sort(references);
        return references;
    }

    House house_;
    access::Actor anne_;
};

using References = std::vector<std::string>;

TEST_F(Scopes, ASearchFindsAndCountsWhatMatchesAlone) {
    const References labs = {"Observation/lab1", "Observation/lab2"};
    EXPECT_EQ(seen("Observation?patient=a"), labs);
    EXPECT_EQ(seen("Observation"), labs);
    EXPECT_EQ(seen("Patient/a/Observation"), labs);
    EXPECT_EQ(seen("Observation?_id=vital,lab1"), References{"Observation/lab1"});
    EXPECT_EQ(house_.get(anne_, "Observation?_summary=count").json()["total"].text(), "2");
    EXPECT_EQ(house_.get(anne_, "Observation?patient=a&_count=1").json()["total"].text(), "2");
    EXPECT_TRUE(seen("Observation?category=vital-signs").empty());
}

TEST_F(Scopes, WhatDoesNotMatchIsAbsentByEveryWay) {
    EXPECT_EQ(house_.get(anne_, "Observation/lab1").status, 200);
    const auto absent = house_.get(anne_, "Observation/nothing");
    EXPECT_EQ(absent.status, 404);
    for (const std::string url : {"Observation/vital", "Observation/social", "Observation/oa1",
                                  "Observation/vital/_history", "Observation/vital/_history/1",
                                  "Observation/vital/$meta"}) {
        const auto answer = house_.get(anne_, url);
        EXPECT_EQ(answer.status, 404) << url;
        EXPECT_EQ(answer.json()["issue"].items().size(), absent.json()["issue"].items().size());
    }
    EXPECT_EQ(house_.get(anne_, "Observation/vital").body, absent.body) << "told the same";
    for (const std::string url : {"Patient/a/$everything", "Patient/a/*", "Observation/_history",
                                  "Patient?_id=a&_revinclude=Observation:subject", "_history",
                                  "?_type=Patient,Observation"}) {
        const auto answer = house_.get(anne_, url);
        for (const std::string hidden : {"vital", "social", "oa1", "ob1"})
            EXPECT_FALSE(answer.body.contains("Observation/" + hidden) ||
                         answer.body.contains(R"("id":")" + hidden + R"(")"))
                << url << " shows " << hidden;
    }
}

TEST_F(Scopes, WhatIsHiddenDecidesNoSearchElsewhere) {
    EXPECT_EQ(seen("Patient?_has:Observation:subject:category=laboratory"),
              References{"Patient/a"});
    EXPECT_TRUE(seen("Patient?_has:Observation:subject:category=vital-signs").empty());
}

TEST_F(Scopes, SeveralSearchesAddUpAndOneWithoutASearchLeavesAll) {
    anne_.scopes.push_back("user/Observation.rs?category=vital-signs");
    EXPECT_EQ(seen("Observation?patient=a"),
              (References{"Observation/lab1", "Observation/lab2", "Observation/vital"}));
    anne_.scopes.push_back("user/Observation.rs");
    EXPECT_EQ(seen("Observation?patient=a").size(), 6U);
}

TEST_F(Scopes, EachLetterHasItsOwnBound) {
    anne_.scopes = {"user/Observation.r?category=vital-signs",
                    "user/Observation.s?category=laboratory"};
    EXPECT_EQ(house_.get(anne_, "Observation/vital").status, 200);
    EXPECT_EQ(house_.get(anne_, "Observation/lab1").status, 404);
    EXPECT_EQ(seen("Observation?patient=a"), (References{"Observation/lab1", "Observation/lab2"}));
    EXPECT_EQ(house_.put(anne_, "Observation/vital", observation("vital", "vital-signs")).status,
              403)
        << "neither letter writes";
}

TEST_F(Scopes, ACircleStillBoundsWhatAScopeLeaves) {
    access::Actor bob = house_.bob;
    bob.scopes = {"user/Observation.rs?category=laboratory"};
    EXPECT_EQ(house_.get(bob, "Observation/lab1").status, 404);
    EXPECT_TRUE(house_.get(bob, "Observation?category=laboratory").references().empty());
}

TEST_F(Scopes, ASearchThatCannotBeJudgedLeavesNothing) {
    anne_.scopes = {"user/Observation.rs?_has:Provenance:target:agent=1"};
    EXPECT_TRUE(seen("Observation?patient=a").empty());
    EXPECT_EQ(house_.get(anne_, "Observation/lab1").status, 404);
}

/// "None" over a type that the token does not cover would be read as "no allergy".
TEST_F(Scopes, ASearchBeyondTheTokenIsRefusedAndNotEmpty) {
    for (const std::string url :
         {"AllergyIntolerance?patient=a", "AllergyIntolerance", "Patient/a/AllergyIntolerance",
          "?_type=Patient,AllergyIntolerance", "Patient?_revinclude=AllergyIntolerance:patient",
          "Patient?_has:AllergyIntolerance:patient:code=x",
          "Observation?subject:Patient.general-practitioner:Practitioner.family=x",
          "Observation?_include=Observation:performer:Practitioner",
          "AllergyIntolerance/_history"}) {
        const auto answer = house_.get(anne_, url);
        EXPECT_EQ(answer.status, 403) << url << '\n' << answer.body;
        EXPECT_TRUE(answer.header("WWW-Authenticate").contains("insufficient_scope")) << url;
    }
    const auto refused = house_.get(anne_, "AllergyIntolerance?patient=a");
    EXPECT_TRUE(refused.header("WWW-Authenticate").contains("user/AllergyIntolerance.s"));
    EXPECT_EQ(refused.body, house_.get(anne_, "AllergyIntolerance?patient=n").body)
        << "says nothing about the patient";
    // Where one way of an include is open, it is followed.
    EXPECT_EQ(house_.get(anne_, "Observation?_include=Observation:subject").status, 200);
    // A letter is not another.
    anne_.scopes = {"user/Observation.r"};
    EXPECT_EQ(house_.get(anne_, "Observation?patient=a").status, 403);
    anne_.scopes = {"user/Condition.c", "user/Patient.rs"};
    const auto made = house_.post(
        anne_, "Condition", R"({"resourceType":"Condition","subject":{"reference":"Patient/a"}})",
        {{"if-none-exist", "code=x"}});
    EXPECT_EQ(made.status, 403) << "a condition that cannot be searched is not met by nothing";
}

TEST_F(Scopes, ARoleThatNeverReadsATypeIsToldSo) {
    const auto desk = with_role("accueil", access::Role::Desk);
    EXPECT_EQ(house_.get(desk, "Observation?patient=a").status, 403);
    EXPECT_EQ(house_.get(desk, "Observation?patient=n").status, 403);
    EXPECT_EQ(house_.get(desk, "Appointment?patient=a").status, 200);
    EXPECT_EQ(house_.get(desk, "Practitioner").status, 200);
    for (const access::Role role : {access::Role::Security, access::Role::Operations}) {
        EXPECT_EQ(house_.get(with_role("x", role), "Patient").status, 403);
        EXPECT_EQ(house_.get(with_role("x", role), "Organization").status, 200);
    }
}

TEST_F(Scopes, APatientsOwnSearchIsTheOwnRecord) {
    auto patient = with_role("louis", access::Role::Patient, "Patient/a");
    EXPECT_EQ(house_.get(patient, "Patient").references(), References{"Patient/a"});
    EXPECT_EQ(house_.get(patient, "Observation").references().size(), 6U);
    EXPECT_EQ(house_.get(patient, "Observation/_history").references().size(), 6U);
    patient.scopes = {"patient/Observation.rs?category=laboratory", "patient/Patient.rs"};
    EXPECT_EQ(house_.get(patient, "Observation?_count=1").json()["total"].text(), "2");
    EXPECT_EQ(house_.get(patient, "Patient").references(), References{"Patient/a"});
    EXPECT_EQ(house_.get(patient, "Condition").status, 403);
}

TEST_F(Scopes, APatchShowsNothingToWhoMayNotRead) {
    for (const std::string scope : {"user/Observation.r?category=laboratory", "user/Patient.rs"}) {
        anne_.scopes = {scope, "user/Patient.r", "user/Observation.u"};
        const auto patched =
            house_.ask(anne_, {.method = "PATCH",
                               .url = "Observation/vital",
                               .body = "[]",
                               .headers = {{"content-type", "application/json-patch+json"}}});
        EXPECT_EQ(patched.status, 200) << patched.body;
        EXPECT_FALSE(patched.body.contains("vital-signs")) << patched.body;
        const auto tagged = house_.post(
            anne_, "Observation/vital/$meta-add",
            R"({"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":)"
            R"([{"code":"t"}]}}]})");
        EXPECT_EQ(tagged.status, 404) << tagged.body;
    }
    anne_.scopes = {"user/Patient.r", "user/Observation.ru"};
    const auto patched =
        house_.ask(anne_, {.method = "PATCH",
                           .url = "Observation/vital",
                           .body = "[]",
                           .headers = {{"content-type", "application/json-patch+json"}}});
    EXPECT_TRUE(patched.body.contains("vital-signs")) << patched.body;
}

}  // namespace
}  // namespace hygie::records
