#include "access/decide/scope.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace hygie::access {
namespace {

TEST(Scope, ReadsBothVersionsOfTheSyntax) {
    const auto scope = parse_scope("patient/Observation.rs?category=laboratory");
    ASSERT_TRUE(scope);
    EXPECT_EQ(*scope,
              (Scope{Reach::Patient, "Observation", kRead | kSearch, "category=laboratory"}));
    EXPECT_EQ(spell(*parse_scope("user/*.read")), "user/*.rs");
    EXPECT_EQ(spell(*parse_scope("system/Patient.write")), "system/Patient.cud");
    EXPECT_EQ(spell(*parse_scope("system/Patient.*")), "system/Patient.cruds");
    for (const char* bad :
         {"", "patient", "patient/", "patient/Observation", "patient/Observation.", "patient/.rs",
          "patient/Observation.sr", "patient/Observation.rr", "patient/Observation.x",
          "Patient/Observation.rs", "admin/Observation.rs", "patient/observation.rs",
          "patient/Obs3rvation.rs", "patient/Observation.rs?", "patient/Observation.rs?x",
          "patient/Observation.rs ", "patient/Observation.rs?a=\"b\"", "patient/**.rs", "*/*.*"})
        EXPECT_FALSE(parse_scope(bad)) << bad;
}

rc::Gen<Scope> any_scope() {
    return rc::gen::build<Scope>(
        rc::gen::set(&Scope::reach, rc::gen::element(Reach::Patient, Reach::User, Reach::System)),
        rc::gen::set(&Scope::type,
                     rc::gen::element<std::string>("*", "Patient", "Observation", "Condition")),
        rc::gen::set(&Scope::letters, rc::gen::inRange<std::uint8_t>(1, 32)),
        rc::gen::set(&Scope::query,
                     rc::gen::element<std::string>("", "category=laboratory", "status=final")));
}

RC_GTEST_PROP(Scope, SpellsWhatItRead, ()) {
    const Scope scope = *any_scope();
    RC_ASSERT(parse_scope(spell(scope)).value() == scope);
}

/// Whether some scope of the list permits this letter on this type; scopes with a query permit less
/// than everything, so they only count where `narrowed` has a query too.
bool allows(const std::vector<Scope>& scopes, Reach reach, const std::string& type, Letter letter,
            const std::string& query) {
    return std::ranges::any_of(scopes, [&](const Scope& s) {
        return s.reach == reach && (s.type == "*" || s.type == type) && s.letters & letter &&
               (s.query.empty() || query.contains(s.query));
    });
}

RC_GTEST_PROP(Scope, NarrowingNeverAddsAnything, ()) {
    const auto wish = *rc::gen::resize(6, rc::gen::container<std::vector<Scope>>(any_scope()));
    const auto ceiling = *rc::gen::resize(6, rc::gen::container<std::vector<Scope>>(any_scope()));
    std::string text;
    std::vector<std::string> limits;
    for (const Scope& scope : wish) text += spell(scope) + " ";
    for (const Scope& scope : ceiling) limits.push_back(spell(scope));
    for (const std::string& spelled : narrow(text, limits)) {
        const Scope left = parse_scope(spelled).value();
        const std::string type = left.type == "*" ? "Any" : left.type;
        for (const Letter letter : {kCreate, kRead, kUpdate, kDelete, kSearch}) {
            if (!(left.letters & letter)) continue;
            RC_ASSERT(allows(wish, left.reach, type, letter, left.query));
            RC_ASSERT(allows(ceiling, left.reach, type, letter, left.query));
        }
    }
}

RC_GTEST_PROP(Scope, WhatBothAllowRemains, ()) {
    const Scope wish = *any_scope(), limit = *any_scope();
    const auto left = narrow(spell(wish), std::vector{spell(limit)});
    const bool meet = wish.reach == limit.reach && (wish.letters & limit.letters) &&
                      (wish.type == "*" || limit.type == "*" || wish.type == limit.type);
    RC_ASSERT(left.empty() == !meet);
}

TEST(Scope, NarrowsWordsAndForgetsUnknownOnes) {
    const std::vector<std::string> ceiling = {"openid", "user/*.rs", "patient/*.rs"};
    EXPECT_EQ(narrow("openid fhirUser root user/*.cruds  user/*.cruds", ceiling),
              (std::vector<std::string>{"openid", "user/*.rs"}));
    EXPECT_TRUE(narrow("system/*.rs", ceiling).empty());
    EXPECT_TRUE(narrow("", ceiling).empty());
    EXPECT_TRUE(narrow("user/*.rs", {}).empty());
    std::string flood;
    for (int i = 0; i < 500; ++i) flood += "user/*.rs?a=" + std::to_string(i) + " ";
    EXPECT_LE(narrow(flood, ceiling).size(), kScopesMax);
}

TEST(Scope, ASearchInAScopeIsGrantedWhenOneResourceCanBeJudgedByIt) {
    for (const char* good :
         {"patient/Observation.rs?category=laboratory",
          "user/Observation.r?code=http://loinc.org|1",
          "system/Condition.s?category=a&clinical-status=active", "user/Observation.rs?_id=42",
          "user/Observation.rs?category=laboratory%2Cvital-signs", "user/Patient.rs?gender=female"})
        EXPECT_TRUE(check_grantable(*parse_scope(good))) << good;
    for (const char* bad :
         {"user/Observation.cruds?category=laboratory", "user/*.rs?category=laboratory",
          "user/Observation.rs?nothing=1", "user/Observation.rs?subject:Patient.name=x",
          "user/Observation.rs?_has:Provenance:target:agent=1", "user/AuditEvent.rs?action=R",
          "user/Observation.rs?category=a&_sort=date", "user/Observation.rs?_count=1",
          "user/Observation.rs?category=%4", "user/Observation.rs?category="})
        EXPECT_FALSE(check_grantable(*parse_scope(bad))) << bad;
}

TEST(Scope, KnowsTheLetterOfAnAction) {
    EXPECT_EQ(letter_of(event::Action::Create), kCreate);
    EXPECT_EQ(letter_of(event::Action::Read), kRead);
    EXPECT_EQ(letter_of(event::Action::Update), kUpdate);
    EXPECT_EQ(letter_of(event::Action::Delete), kDelete);
    EXPECT_EQ(letter_of(event::Action::Execute), kSearch);
}

}  // namespace
}  // namespace hygie::access
