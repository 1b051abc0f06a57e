#include "guards/mail/door/gate.h"

#include <gtest/gtest.h>

#include <semaphore>

#include "guards/mail/message/fold.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::mail {
namespace {

const crypto::Secret32 kKey;

/// A judge that says what the test wants and remembers what it was shown.
struct Bench {
    Judgement says;
    Noted noted;
    std::optional<Error> fails;
    std::string seen;
    Envelope envelope;

    Result<Opened> judge(const std::string& bytes, const Envelope& with) {
        seen = bytes;
        envelope = with;
        if (fails) return std::unexpected(*fails);
        return Opened{TRY(parse_message(bytes)), says, noted};
    }
};

struct Door {
    explicit Door(GatePolicy with = {}) : policy(std::move(with)) {}

    Decision pass(Incoming incoming) {
        JudgePool pool([&](const std::string& bytes,
                           const Envelope& envelope) { return bench.judge(bytes, envelope); },
                       1);
        Gate gate({clock,
                   random,
                   pool,
                   *quarantine,
                   [&](const event::Event& event) {
                       if (trace_fails) return Status(fail(Code::Full, {"plein", "full"}));
                       traced.push_back(event);
                       return Status();
                   },
                   [&](const Opened&, const Envelope&, Way way) { ways.push_back(way); },
                   {},
                   {},
                   [&](const std::string& bytes, const Envelope&) { lessons.push_back(bytes); }},
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
    std::vector<Way> ways;
    std::vector<std::string> lessons;
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
        const std::string text = shown(letter(), decision).text;
        EXPECT_TRUE(contains(text, "Message non vérifié") && contains(text, "Unchecked message"));
        Incoming is_signed = letter();
        is_signed.headers.push_back({"DKIM-Signature", " v=1"});
        Door keeper({.dkim_signed = GatePolicy::DkimSigned::Keep, .on_failure = on_failure});
        keeper.bench.fails = door.bench.fails;
        EXPECT_FALSE(keeper.pass(is_signed).body) << "a signature that is to be kept is broken";
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

TEST(MailGate, AHarmlessCopyIsDeliveredOnceTheWholeLetterIsSealed) {
    const Incoming incoming =
        letter(" multipart/mixed; boundary=b",
               "--b\r\nContent-Type: text/html\r\n\r\n<a href=https://evil.example>ici</a>\r\n"
               "--b\r\nContent-Type: application/octet-stream; name=a.js\r\nContent-Disposition: "
               "attachment; filename=a.js\r\n\r\nevil()\r\n--b--\r\n");
    Door door({.suspicious = GatePolicy::Suspicious::Neutralise});
    door.bench.noted.active_files = {"a.js"};
    const Decision decision = door.pass_as(event::Level::Suspicious, incoming);
    ASSERT_EQ(decision.fate, Fate::Deliver);
    const Message message = shown(incoming, decision);
    EXPECT_TRUE(message.links.empty());
    EXPECT_TRUE(contains(message.text, "hxxps://evil[.]example"));
    EXPECT_TRUE(contains(message.html, "Message suspect."));
    ASSERT_EQ(message.attachments.size(), 1U);
    EXPECT_FALSE(contains(message.attachments[0].bytes, "evil()"));
    EXPECT_TRUE(contains(message.attachments[0].bytes, "a.js"));
    const auto listing = door.quarantine->list();
    ASSERT_EQ(listing->held.size(), 1U);
    EXPECT_EQ(listing->held[0].kept_as, "neutralised");
    EXPECT_EQ(listing->held[0].subject, "Facture");
    EXPECT_EQ(*door.quarantine->message(listing->held[0].id), incoming.bytes());
    // What cannot be sealed is not changed, what cannot be changed is held.
    door.disk.set_free_bytes(10);
    EXPECT_EQ(door.pass_as(event::Level::Suspicious, incoming).fate, Fate::Defer);
    door.disk.set_free_bytes(1 << 20);
    door.bench.noted.active_files = {"another.js"};
    EXPECT_EQ(door.pass_as(event::Level::Suspicious, incoming).fate, Fate::Hold);
}

TEST(MailGate, ActiveFilesOfCleanMailFollowThePolicy) {
    const Incoming incoming = letter(
        " multipart/mixed; boundary=b",
        "--b\r\nContent-Type: text/plain\r\n\r\nhttps://a.example\r\n--b\r\nContent-Type: "
        "application/x; name=a.docm\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n");
    Door strip({.active_files = GatePolicy::ActiveFiles::Strip});
    strip.bench.noted.active_files = {"a.docm"};
    const Decision decision = strip.pass_as(event::Level::Clean, incoming);
    ASSERT_EQ(decision.fate, Fate::Deliver);
    const Message message = shown(incoming, decision);
    EXPECT_EQ(message.subject, "Facture");
    EXPECT_EQ(message.links.size(), 1U);
    EXPECT_EQ(strip.quarantine->list()->held.size(), 1U);
    Door hold({.active_files = GatePolicy::ActiveFiles::Hold});
    hold.bench.noted.active_files = {"a.docm"};
    EXPECT_EQ(hold.pass_as(event::Level::Clean, incoming).fate, Fate::Hold);
    hold.bench.noted.active_files = {};
    EXPECT_EQ(hold.pass_as(event::Level::Clean, incoming).fate, Fate::Deliver);
}

TEST(MailGate, ARefusedMessageIsSealedFirst) {
    Door door(
        {.suspicious = GatePolicy::Suspicious::Reject, .malicious = GatePolicy::Malicious::Reject});
    EXPECT_EQ(door.pass_as(event::Level::Malicious, letter()).fate, Fate::Reject);
    EXPECT_EQ(door.pass_as(event::Level::Suspicious, letter()).fate, Fate::Reject);
    const auto listing = door.quarantine->list();
    ASSERT_EQ(listing->held.size(), 2U);
    EXPECT_EQ(listing->held[0].kept_as, "rejected");
    door.disk.set_free_bytes(10);
    EXPECT_EQ(door.pass_as(event::Level::Malicious, letter()).fate, Fate::Defer);
}

TEST(MailGate, ASignatureThatThePolicyKeepsIsNotBroken) {
    Incoming incoming = letter();
    incoming.headers.push_back({"DKIM-Signature", " v=1; d=x.example"});
    Door keeps({.dkim_signed = GatePolicy::DkimSigned::Keep});
    const Decision whole = keeps.pass_as(event::Level::Suspicious, incoming);
    EXPECT_EQ(whole.fate, Fate::Deliver);
    EXPECT_TRUE(whole.headers.empty());
    EXPECT_FALSE(whole.body);
    EXPECT_TRUE(whole.mark.starts_with("suspicious; "));
    Door neutral({.suspicious = GatePolicy::Suspicious::Neutralise,
                  .dkim_signed = GatePolicy::DkimSigned::Keep});
    EXPECT_EQ(neutral.pass_as(event::Level::Suspicious, incoming).fate, Fate::Hold);
}

TEST(MailGate, OnlyCleanMailIsRememberedAndItsWayIsKnown) {
    Door door({.inside = {"192.168.1.", "10.0.0.7"}});
    door.pass_as(event::Level::Suspicious, letter());
    EXPECT_TRUE(door.ways.empty());
    for (const char* address : {"192.168.1.4", "192.168.10.4", "10.0.0.7", "10.0.0.70"}) {
        Incoming incoming = letter();
        incoming.envelope.client_ip = address;
        door.pass_as(event::Level::Clean, incoming);
    }
    EXPECT_EQ(door.ways, (std::vector{Way::Out, Way::In, Way::Out, Way::In}));
}

TEST(MailGate, WhatIsKeptLongerThanThePolicySaysGoesAfterItsTrace) {
    Door door;
    door.pass_as(event::Level::Malicious, letter());
    JudgePool pool([](const std::string&, const Envelope&) -> Result<Opened> { return Opened{}; },
                   1);
    const auto expire = [&](Micros keep, bool traces) {
        Gate gate({door.clock, door.random, pool, *door.quarantine,
                   [&](const event::Event& event) {
                       if (!traces) return Status(fail(Code::Full, {"plein", "full"}));
                       door.traced.push_back(event);
                       return Status();
                   }},
                  {});
        return gate.expire(keep);
    };
    door.clock.sleep_for(std::chrono::hours(2));
    ASSERT_TRUE(expire(std::chrono::hours(3), true));
    EXPECT_EQ(door.quarantine->list()->held.size(), 1U);
    EXPECT_FALSE(expire(std::chrono::hours(1), false));
    EXPECT_EQ(door.quarantine->list()->held.size(), 1U);
    ASSERT_TRUE(expire(std::chrono::hours(1), true));
    EXPECT_TRUE(door.quarantine->list()->held.empty());
    EXPECT_EQ(door.traced.back().action, event::Action::Delete);
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

/// OpenDKIM and OpenDMARC write a field each.
TEST(MailGate, ServersOfOursThatCheckOneThingEachAreBothBelieved) {
    Door door({.authserv_ids = {"dmarc.cabinet.example", "dkim.cabinet.example"}});
    Incoming incoming = letter();
    incoming.headers.insert(
        incoming.headers.begin(),
        {{"Authentication-Results", " dmarc.cabinet.example; dmarc=none"},
         {"Authentication-Results", " dkim.cabinet.example; dkim=pass; dmarc=pass"},
         {"Authentication-Results", " dkim.cabinet.example; spf=pass"}});
    door.pass_as(event::Level::Clean, incoming);
    EXPECT_EQ(door.bench.envelope.dkim, AuthResult::Pass);
    EXPECT_EQ(door.bench.envelope.dmarc, AuthResult::None) << "what was found first stands";
    EXPECT_EQ(door.bench.envelope.spf, AuthResult::Absent) << "a second field is somebody else's";
}

/// A letter that is nothing but a document or a picture, whole or in parts.
TEST(MailGate, ALetterWithoutATextGetsOneThatSaysWhy) {
    const std::string parts =
        "--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF\r\n--b--\r\n";
    for (const auto& [type, body] :
         {std::pair{" application/pdf; name=a.pdf", std::string("%PDF\r\n")},
          {" multipart/mixed; boundary=b", parts}}) {
        Door door;
        Incoming incoming = letter(type, body);
        incoming.headers.push_back({"Content-Disposition", " attachment; filename=a.pdf"});
        const Decision decision = door.pass_as(event::Level::Suspicious, incoming);
        const Message message = shown(incoming, decision);
        EXPECT_TRUE(contains(message.plain, "Message suspect. IBAN nouveau")) << type;
        EXPECT_TRUE(contains(message.plain, "Suspicious message. New IBAN"));
        ASSERT_EQ(message.attachments.size(), 1U);
        EXPECT_EQ(message.attachments[0].name, "a.pdf");
        EXPECT_EQ(trim(message.attachments[0].bytes), "%PDF");
        EXPECT_EQ(message.subject, "[Suspect] Facture");
    }
}

TEST(MailGate, WhatIsGivenBackToItsRecipientsTeachesAndWhatIsLookedAtDoesNot) {
    for (const bool teaches : {false, true}) {
        Door door;
        door.pass_as(event::Level::Malicious, letter());
        const std::string id = door.quarantine->list()->held[0].id;
        ASSERT_TRUE(door.quarantine->note_release({.id = id,
                                                   .by = "anne",
                                                   .at = door.clock.now(),
                                                   .event_id = "e-1",
                                                   .teaches = teaches}));
        door.pass_as(event::Level::Clean, letter());
        door.pass_as(event::Level::Clean, letter());
        EXPECT_EQ(door.lessons,
                  teaches ? std::vector{letter().bytes()} : std::vector<std::string>{});
    }
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
