#include <gtest/gtest.h>

#include "event/balp.h"
#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;

/// A ledger of three entries, newest first.
class ThreeEntries final : public AuditTrail {
  public:
    ThreeEntries() {
        for (std::uint64_t index = 3; index > 0; --index) {
            Entry one;
            one.event.id = "e" + std::to_string(index);
            one.event.type = event::Type::RecordRead;
            one.event.action = event::Action::Read;
            one.event.actor.id = ActorId("dr-anne");
            one.event.subject = {PatientId("a"), ObjectId("Observation/oa1")};
            one.place.index = index;
            entries_.push_back(std::move(one));
        }
    }
    Result<std::vector<Entry>> search(const Question& question) override {
        std::vector<Entry> found;
        for (const Entry& one : entries_)
            if (one.place.index < question.before.value_or(UINT64_MAX) &&
                found.size() < question.count)
                found.push_back(one);
        return found;
    }
    Result<Entry> read(const std::string& id) override {
        for (const Entry& one : entries_)
            if (one.event.id == id) return one;
        return fail(Code::NotFound, {"", ""}, {"", ""});
    }

  private:
    std::vector<Entry> entries_;
};

/// The practice, with a ledger to be read.
class Office {
  public:
    Answered get(const std::string& url, const std::string& prefer = {}) {
        http::Request request;
        const auto question = std::min(url.find('?'), url.size());
        request.method = "GET";
        request.path =
            url.starts_with("/fhir") ? url.substr(0, question) : "/fhir/" + url.substr(0, question);
        request.query = url.substr(std::min(question + 1, url.size()));
        if (!prefer.empty()) request.headers.emplace_back("prefer", prefer);
        std::promise<http::Response> promise;
        door_.handle(security_, std::move(request),
                     [&](http::Response response) { promise.set_value(std::move(response)); });
        return House::answered(promise.get_future().get());
    }

  private:
    House house_;
    ThreeEntries ledger_;
    Door door_{Rooms{.vault = house_.vault(),
                     .trace = house_.trace,
                     .clock = house_.machine.clock,
                     .random = house_.machine.random,
                     .disk = house_.machine.disk,
                     .audit = &ledger_},
               Options{.base = "https://hygie.test/fhir/",
                       .node = NodeId("box"),
                       .export_dir = {},
                       .key = crypto::Secret32(std::array<std::uint8_t, 32>{9})}};
    const access::Actor security_ = with_role("rssi", access::Role::Security);
};

TEST(Audit, TracesAreCutDown) {
    Office office;
    const auto part = office.get("AuditEvent?_count=1&_elements=outcome");
    ASSERT_EQ(part.status, 200) << part.body;
    const fhir::Json trace = part.json()["entry"].items()[0]["resource"];
    EXPECT_TRUE(trace["outcome"] && trace["agent"] && trace["recorded"]) << part.body;
    EXPECT_FALSE(trace["entity"]) << part.body;
    EXPECT_EQ(trace["meta"]["tag"].items()[0]["code"].text(), "SUBSETTED");
    const auto summary = office.get("AuditEvent/e2?_summary=text");
    ASSERT_EQ(summary.status, 200) << summary.body;
    EXPECT_FALSE(summary.json()["entity"] || summary.json()["outcome"]) << summary.body;
    EXPECT_TRUE(office.get("AuditEvent/e2").json()["entity"]);
    EXPECT_EQ(office.get("AuditEvent/e2?unheard-of=1").status, 400);
    EXPECT_EQ(office.get("AuditEvent?_elements=unheard-of").status, 400);
}

TEST(Audit, WhatItDoesNotKnowIsLeftOutWhereItMay) {
    Office office;
    for (const std::string odd : {"unheard-of=1", "_sort=date", "patient.name=x"}) {
        EXPECT_EQ(office.get("AuditEvent?_count=2&" + odd).status, 400) << odd;
        const auto page = office.get("AuditEvent?_count=2&" + odd, "handling=lenient");
        ASSERT_EQ(page.status, 200) << page.body;
        EXPECT_EQ(page.link("self"), "/fhir/AuditEvent?_count=2") << odd;
        const auto entries = page.json()["entry"].items();
        ASSERT_EQ(entries.size(), 3U) << page.body;
        EXPECT_EQ(entries[2]["search"]["mode"].text(), "outcome");
        const auto next = office.get(page.link("next"));
        EXPECT_EQ(next.status, 200) << next.body;
        EXPECT_EQ(next.references().front(), "AuditEvent/e1");
    }
    EXPECT_EQ(office.get("AuditEvent?date=never", "handling=lenient").status, 400);
}

}  // namespace
}  // namespace hygie::records
