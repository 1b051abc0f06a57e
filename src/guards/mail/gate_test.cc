#include "guards/mail/gate.h"

#include <gtest/gtest.h>

#include <semaphore>

#include "guards/mail/fold.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::mail {
namespace {

const crypto::Secret32 kKey;

/// A judge that says what the test wants and remembers what it was shown.
struct Bench {
    Judgement says;
    std::optional<Error> fails;
    std::string seen;
    Envelope envelope;

    Result<Opened> judge(const std::string& bytes, const Envelope& with) {
        seen = bytes;
        envelope = with;
        if (fails) return std::unexpected(*fails);
        return Opened{TRY(parse_message(bytes)), says};
    }
};

struct Door {
    explicit Door(GatePolicy with = {}) : policy(std::move(with)) {}

    Decision pass(Incoming incoming) {
        JudgePool pool([&](const std::string& bytes,
                           const Envelope& envelope) { return bench.judge(bytes, envelope); },
                       1);
        Gate gate({clock, random, pool, *quarantine,
                   [&](const event::Event& event) {
                       if (trace_fails) return Status(fail(Code::Full, {"plein", "full"}));
                       traced.push_back(event);
                       return Status();
                   }},
                  policy);
        Decision decision = gate.pass(std::move(incoming));
        EXPECT_TRUE(gate.tell_releases());
        return decision;
    }
    Decision pass_as(event::Level level, Incoming incoming) {
        bench.says.level = level;
        bench.says.score = level == event::Level::Clean ? 0.01 : 0.99;
        bench.says.reasons = {
            {"money.iban.new", {"IBAN nouveau <ici>", "New IBAN <here>"}, "x", "body"}};
        bench.says.advice = {"appelez", "call"};
        return pass(std::move(incoming));
    }

    GatePolicy policy;
    sim::SimDisk disk;
    sim::SimRandom random{1};
    sim::SimClock clock;
    Bench bench;
    bool trace_fails = false;
    std::vector<event::Event> traced;
    std::unique_ptr<Quarantine> quarantine =
        *Quarantine::open(disk, random, "q", kKey, Quarantine::Role::Guard);
};

Incoming letter(std::string type = " text/plain; charset=utf-8",
                std::string body = "Bonjour\r\nvoici l'IBAN\r\n") {
    Incoming incoming{.envelope = {},
                      .headers = {{"Subject", " Facture"}, {"Content-Type", std::move(type)}},
                      .body = std::move(body)};
    incoming.envelope.mail_from = "a@x.example";
    incoming.envelope.rcpt_to = {"b@y.example"};
    return incoming;
}

std::string value_of(const Decision& decision, std::string_view name) {
    for (const auto& [field, value] : decision.headers)
        if (equal_any_case(field, name)) return value;
    return {};
}

/// The message as a reader gets it after the decision.
Message shown(const Incoming& incoming, const Decision& decision) {
    Incoming now = incoming;
    for (const auto& [name, value] : decision.headers) {
        std::erase_if(now.headers,
                      [&](const RawHeader& h) { return equal_any_case(h.name, name); });
        now.headers.push_back({name, " " + value});
    }
    if (decision.body) now.body = *decision.body;
    return *parse_message(now.bytes());
}

TEST(MailGate, CleanMailIsOnlyMarked) {
    Door door;
    const Decision decision = door.pass_as(event::Level::Clean, letter());
    EXPECT_EQ(decision.fate, Fate::Deliver);
    EXPECT_TRUE(decision.mark.starts_with("clean; "));
    EXPECT_TRUE(decision.headers.empty());
    EXPECT_FALSE(decision.body);
    ASSERT_EQ(door.traced.size(), 1U);
    EXPECT_EQ(door.traced[0].type, event::Type::MailJudged);
}

TEST(MailGate, MaliciousMailIsHeldSealedAndTraced) {
    Door door;
    const Incoming incoming = letter();
    EXPECT_EQ(door.pass_as(event::Level::Malicious, incoming).fate, Fate::Hold);
    const auto listing = door.quarantine->list();
    ASSERT_EQ(listing->held.size(), 1U);
    EXPECT_EQ(*door.quarantine->message(listing->held[0].id), incoming.bytes());
    ASSERT_EQ(door.traced.size(), 1U);
    EXPECT_EQ(door.traced[0].type, event::Type::MailHeld);
    EXPECT_EQ(door.traced[0].subject.object.str(), "mail/" + listing->held[0].id);
}

TEST(MailGate, WhatCannotBeHeldOrTracedIsLeftToTheServerWhateverThePolicy) {
    Door door({.on_failure = GatePolicy::OnFailure::Deliver});
    door.disk.set_free_bytes(10);
    EXPECT_EQ(door.pass_as(event::Level::Malicious, letter()).fate, Fate::Defer);
    door.disk.set_free_bytes(1 << 20);
    door.trace_fails = true;
    EXPECT_EQ(door.pass_as(event::Level::Malicious, letter()).fate, Fate::Defer);
}

TEST(MailGate, AnEngineThatFailsDefersOrDeliversWithAWordAsThePolicySays) {
    for (const auto on_failure : {GatePolicy::OnFailure::Defer, GatePolicy::OnFailure::Deliver}) {
        Door door({.on_failure = on_failure});
        door.bench.fails = Error{Code::Unavailable, {"x", "x"}, {}, {}};
        const Decision decision = door.pass(letter());
        if (on_failure == GatePolicy::OnFailure::Defer) {
            EXPECT_EQ(decision.fate, Fate::Defer);
            continue;
        }
        EXPECT_EQ(decision.fate, Fate::Deliver);
        EXPECT_EQ(decision.mark, "unchecked");
        EXPECT_EQ(shown(letter(), decision).subject, "[Non vérifié / unchecked] Facture");
    }
}

TEST(MailGate, AJudgeThatIsLateCountsAsFailed) {
    std::counting_semaphore<2> go{0};
    JudgePool pool(
        [&](const std::string& bytes, const Envelope&) -> Result<Opened> {
            go.acquire();
            return Opened{TRY(parse_message(bytes)), {}};
        },
        1);
    EXPECT_EQ(pool.judge("a: b\r\n\r\n", {}, Micros(1)).error().code, Code::Unavailable);
    go.release(2);
    EXPECT_TRUE(pool.judge("a: b\r\n\r\n", {}, std::chrono::minutes(1)));
}

TEST(MailGate, SuspiciousMailSaysWhyInBothLanguagesInTextAndHtml) {
    Door door;
    const Incoming both =
        letter(" multipart/alternative; boundary=b",
               "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nr\xe9gl\xe9\r\n"
               "--b\r\nContent-Type: text/html\r\n\r\n<html><BODY class=x><p>voil\xc3\xa0</p>\r\n"
               "--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment\r\n"
               "\r\nfichier\r\n--b--\r\n");
    for (const Incoming& incoming : {letter(), both}) {
        const Decision decision = door.pass_as(event::Level::Suspicious, incoming);
        ASSERT_EQ(decision.fate, Fate::Deliver);
        ASSERT_TRUE(decision.body);
        const Message message = shown(incoming, decision);
        EXPECT_EQ(message.subject, "[Suspect] Facture");
        EXPECT_TRUE(
            message.plain.starts_with("[Hygie] Message suspect. IBAN nouveau <ici> → appelez"));
        EXPECT_TRUE(contains(message.plain, "Suspicious message. New IBAN <here> → call"));
    }
    const Message message = shown(both, door.pass_as(event::Level::Suspicious, both));
    EXPECT_TRUE(contains(message.plain, "réglé"));
    EXPECT_TRUE(contains(message.html, "<BODY class=x><div"));
    EXPECT_TRUE(contains(message.html, "IBAN nouveau &lt;ici&gt;"));
    EXPECT_TRUE(contains(message.html, "voilà"));
    ASSERT_EQ(message.attachments.size(), 1U);
    EXPECT_EQ(message.attachments[0].bytes, "fichier");
}

TEST(MailGate, SignedMailKeepsItsBody) {
    Door door;
    const Decision decision =
        door.pass_as(event::Level::Suspicious,
                     letter(" multipart/signed; protocol=\"application/pgp-signature\"; boundary=b",
                            "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: "
                            "application/pgp-signature\r\n\r\nx\r\n--b--\r\n"));
    EXPECT_FALSE(decision.body);
    EXPECT_EQ(value_of(decision, "Subject"), "[Suspect] Facture");
}

TEST(MailGate, SuspiciousMailIsHeldWhereThePolicySaysSo) {
    Door door({.suspicious = GatePolicy::Suspicious::Hold});
    EXPECT_EQ(door.pass_as(event::Level::Suspicious, letter()).fate, Fate::Hold);
    EXPECT_EQ(door.quarantine->list()->held.size(), 1U);
}

TEST(MailGate, OnlyOurOwnServersResultsAreBelieved) {
    Door door({.authserv_ids = {"mx.cabinet.example"}});
    Incoming incoming = letter();
    incoming.headers.insert(
        incoming.headers.begin(),
        {{"Authentication-Results", " evil.example; dmarc=pass; spf=pass"},
         {"Authentication-Results", " mx.cabinet.example;\n\tspf=fail;\n\tdkim=none; dmarc=fail"},
         {"Authentication-Results", " mx.cabinet.example; dmarc=pass"}});
    door.pass_as(event::Level::Clean, incoming);
    EXPECT_EQ(door.bench.envelope.dmarc, AuthResult::Fail);
    EXPECT_EQ(door.bench.envelope.spf, AuthResult::Fail);
    EXPECT_FALSE(contains(lower(door.bench.seen), "authentication-results"));
}

TEST(MailGate, AReleaseReachesTheTrace) {
    Door door;
    door.pass_as(event::Level::Malicious, letter());
    const std::string id = door.quarantine->list()->held[0].id;
    ASSERT_TRUE(door.quarantine->note_release(
        {.id = id, .by = "anne", .at = door.clock.now(), .event_id = "e-1"}));
    door.pass_as(event::Level::Clean, letter());
    ASSERT_EQ(door.traced.size(), 3U);
    EXPECT_EQ(door.traced[2].type, event::Type::MailReleased);
    EXPECT_EQ(door.traced[2].actor.id.str(), "anne");
    EXPECT_EQ(door.traced[2].id, "e-1");
}

}  // namespace
}  // namespace hygie::mail
