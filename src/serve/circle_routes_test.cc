#include "serve/circle_routes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "serve/circle_pages.h"
#include "sim/sim_clock.h"
#include "sim/sim_random.h"

namespace hygie::serve {
namespace {

using access::Role;

/// The routes over a ledger with one emergency.
class CircleAnswers : public testing::Test {
  protected:
    CircleAnswers() {
        emergency_.type = event::Type::BreakGlass;
        emergency_.id = "e1";
        emergency_.time = clock_.now();
        emergency_.actor.id = ActorId("dr-bob");
        emergency_.subject.patient = PatientId("patient-7");
    }

    CircleParts parts() {
        return {
            .clock = clock_,
            .random = random_,
            .sink =
                [this](std::vector<event::Event> events, const std::function<void(Status)>& done) {
                    std::ranges::move(events, std::back_inserter(events_));
                    done({});
                },
            .origin = {},
            .events =
                [this](const auto&) {
                    return Result<std::vector<event::Event>>(std::vector{emergency_});
                },
            .decide = [this](const auto&, const auto&) { return decision_; },
            .patients_of = [](const auto&) { return std::vector<std::string>{"patient-7"}; },
            .who_is = [](const auto&) { return access::ActorWords(); },
            .is_here = [](const std::string& patient) { return patient == "patient-7"; }};
    }

    Response ask(const access::Actor& actor, const std::string& method, const std::string& path,
                 const std::string& form = "") {
        Request request;
        request.method = method;
        request.path = path.substr(0, path.find('?'));
        if (request.path != path) request.query = path.substr(request.path.size() + 1);
        request.body = to_bytes(as_bytes(form));
        Response answer;
        CircleRoutes routes(parts());
        routes(actor, request, [&](Response response) { answer = std::move(response); });
        return answer;
    }

    static access::Actor officer(std::vector<std::string> scopes) {
        access::Actor actor;
        actor.id = ActorId("rssi");
        actor.role = Role::Security;
        actor.auth = "otp";
        actor.scopes = std::move(scopes);
        return actor;
    }

    sim::SimClock clock_;
    sim::SimRandom random_{1};
    event::Event emergency_;
    access::Decision decision_;
    std::vector<event::Event> events_;
};

constexpr char kReview[] = "event=e1&finding=justified&words=Appel+du+15+retrouv%C3%A9";

TEST_F(CircleAnswers, AnOfficersProgramSeesAndReviewsWhatItsScopesLet) {
    EXPECT_EQ(ask(officer({}), "GET", "/circles/worklist").status, 200);
    EXPECT_EQ(ask(officer({"user/AuditEvent.rs"}), "GET", "/circles/worklist").status, 200);
    EXPECT_EQ(ask(officer({"user/AuditEvent.rs"}), "POST", "/circles/worklist", kReview).status,
              403);
    EXPECT_EQ(ask(officer({"user/Practitioner.rs"}), "GET", "/circles/worklist").status, 403);
    const Response page = ask(officer({"user/Practitioner.rs"}), "GET", "/circles/home");
    EXPECT_EQ(page.status, 403);
    EXPECT_FALSE(as_text(page.body).contains("patient-7"));
    EXPECT_EQ(ask(officer({"user/*.rs", "user/AuditEvent.c"}), "POST", "/circles/worklist", kReview)
                  .status,
              200);
}

TEST_F(CircleAnswers, WhoSignedAnEmergencyIsToldToPatientAndOfficer) {
    emergency_.detail["cosigned_by"] = "dr-anne";
    decision_.permitted = true;
    decision_.reasons = {{.id = "circle.self", .text = {}, .evidence = {}}};
    access::Actor patient;
    patient.id = ActorId("p7");
    patient.role = Role::Patient;
    const std::string opened(as_text(ask(patient, "GET", "/circles/opened").body));
    EXPECT_TRUE(opened.contains(R"("cosigner":"dr-anne")")) << opened;
    const std::string page(as_text(ask(patient, "GET", "/circles/home").body));
    EXPECT_TRUE(page.contains("avec la signature de dr-anne")) << page;
    EXPECT_TRUE(page.contains("with the signature of dr-anne")) << page;
    const std::string list(as_text(ask(officer({}), "GET", "/circles/worklist").body));
    EXPECT_TRUE(list.contains(R"("cosigner":"dr-anne")")) << list;
    EXPECT_TRUE(std::string(as_text(ask(officer({}), "GET", "/circles/home").body))
                    .contains("contresigné par dr-anne"));
}

/// A first trace of somebody takes a key of its own, and so longer: that told absent from closed.
/// An act of half past eleven in the evening, by UTC, was after midnight in Paris.
TEST(CirclePages, SayTheHourOfThePractice) {
    access::Opening opening;
    opening.last = from_rfc3339("2026-07-31T23:30:00Z").value();
    const auto page = openings_page(std::vector{opening}, {}, {"p"}, "p", {});
    EXPECT_TRUE(as_text(page.body).contains("2026-08-01 01:30")) << as_text(page.body);
}

TEST_F(CircleAnswers, ARefusalNamesWhoIsHereAlone) {
    access::Actor patient = officer({});
    patient.role = Role::Patient;
    decision_.permitted = false;
    EXPECT_EQ(ask(patient, "GET", "/circles/opened?patient=patient-7").status, 403);
    EXPECT_EQ(ask(patient, "GET", "/circles/opened?patient=nobody").status, 403);
    ASSERT_EQ(events_.size(), 2U);
    EXPECT_EQ(events_[0].subject.patient.str(), "patient-7");
    EXPECT_EQ(events_[1].subject.patient.str(), "");
    EXPECT_EQ(events_[1].query, "/circles/opened?patient=nobody");
}

TEST_F(CircleAnswers, WhatIsRefusedIsInTheLedger) {
    access::Actor weak = officer({});
    weak.auth = "pwd";
    access::Actor patient = officer({});
    patient.role = Role::Patient;
    for (const auto& [actor, path] : {std::pair(weak, "/circles/worklist"),
                                      {weak, "/circles/home"},
                                      {weak, "/circles/unexplained"},
                                      {patient, "/circles/home"},
                                      {patient, "/circles/opened"}}) {
        events_.clear();
        EXPECT_EQ(ask(actor, "GET", path).status, 403) << path;
        ASSERT_EQ(events_.size(), 1U) << path;
        EXPECT_EQ(events_.front().type, event::Type::AccessRefused) << path;
        EXPECT_EQ(events_.front().actor.id, actor.id);
    }
}

}  // namespace
}  // namespace hygie::serve
