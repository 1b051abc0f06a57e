#include <gtest/gtest.h>

#include "guards/mail/door/desk.h"
#include "guards/mail/door/digest.h"
#include "guards/mail/door/neutral.h"
#include "guards/mail/judge/campaign.h"
#include "guards/mail/judge/memory.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/html.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::mail {
namespace {

TEST(MailNeutral, NothingInATextCanBeFollowed) {
    EXPECT_EQ(neutral_text("Voyez https://evil.example/a.b?c=1, vite."),
              "Voyez hxxps://evil[.]example/a.b?c=1, vite.");
    EXPECT_EQ(neutral_text("(www.evil.example) <HTTP://a.example>"),
              "(www[.]evil[.]example) <hxxp://a[.]example>");
    EXPECT_EQ(neutral_text("evil.example/dossier et ftp://a.example/x"),
              "evil[.]example/dossier et x-ftp://a[.]example/x");
    EXPECT_EQ(neutral_text("12.50 EUR. anne@cabinet.example fin."),
              "12.50 EUR. anne@cabinet.example fin.");
}

TEST(MailNeutral, APageKeepsItsWordsAndLosesItsHands) {
    const std::string page =
        "<html><head><base href='https://evil.example/'><meta http-equiv=refresh "
        "content='0;url=https://evil.example'><style>@import url(https://evil.example)</style>"
        "</head><body onload=x()><p style='color:red'>Cliquez <a href=\"https://evil.example/p\">"
        "ici &amp; maintenant</a></p><form action=https://evil.example><input name=p></form>"
        "<img src=https://evil.example/t.gif alt=logo><img src='cid:a@b'><script>fetch('x')"
        "</script><iframe src=https://evil.example></iframe>"
        "<div style=\"background:url(https://evil.example)\">Fin</div></body></html>";
    const std::string safe = neutral_html(page);
    const HtmlView view = view_html(safe);
    EXPECT_TRUE(view.links.empty());
    EXPECT_TRUE(view.forms.empty());
    EXPECT_TRUE(view.scripts.empty());
    EXPECT_FALSE(view.has_script);
    EXPECT_FALSE(view.has_frame);
    EXPECT_FALSE(contains(safe, "evil.example"));
    EXPECT_TRUE(contains(view.text, "ici & maintenant [hxxps://evil[.]example/p]"));
    EXPECT_TRUE(contains(view.text, "Fin"));
    EXPECT_TRUE(contains(safe, "src=\"cid:a@b\""));
    EXPECT_TRUE(contains(safe, "style=\"color:red\""));
}

TEST(MailNeutral, NoCutOfAPageLeavesAHand) {
    const std::string page =
        "<a href='https://evil.example/p' onclick=\"x('<b>')\">x</a><!-- <a "
        "href=https://e.example> "
        "--><svg><a xlink:href=https://evil.example>y</a></svg><a\nhref=\"https://evil.example\">z";
    for (std::size_t at = 0; at < page.size(); ++at) {
        const std::string safe = neutral_html(page.substr(at));
        EXPECT_TRUE(view_html(safe).links.empty()) << at << ": " << safe;
        EXPECT_FALSE(contains(safe, "evil.example")) << at << ": " << safe;
    }
}

const WallTime kDay = *from_rfc3339("2026-03-02T10:00:00Z");
constexpr auto kOneDay = std::chrono::days(1);

Opened letter_from(const std::string& address, const std::string& id,
                   std::vector<std::string> ibans = {}, bool proven = true) {
    Opened opened;
    opened.message.from = {{.name = "Labo", .address = address}};
    opened.message.message_id = id;
    opened.noted = {.is_authentic = proven, .ibans = std::move(ibans)};
    return opened;
}

History seed() {
    return *parse_history(R"({"organisations": [{"id": "o", "name": "Cabinet",
        "own_domains": ["cabinet.example"]}], "suppliers": [{"name": "Connu",
        "domains": ["connu.example"], "ibans": ["FR7630006000011234567890189"]},
        {"name": "Sans compte", "domains": ["sans.example"]}],
        "sent_or_received_message_ids": ["old@x.example"]})");
}

TEST(MailMemory, AStrangerIsKnownOnTheSecondDayAndWhoWeWriteToAtOnce) {
    const History known = seed();
    Memory memory;
    EXPECT_TRUE(memory.note(letter_from("a@labo.example", "1"), {}, Way::In, kDay, known));
    EXPECT_TRUE(memory.note(letter_from("a@labo.example", "2"), {}, Way::In, kDay, known));
    EXPECT_TRUE(memory.history(known, kDay).known_correspondents.empty());
    memory.note(letter_from("a@labo.example", "3"), {}, Way::In, kDay + kOneDay, known);
    const Envelope to_patient{.helo = {},
                              .client_ip = {},
                              .mail_from = {},
                              .rcpt_to = {"P@ville.example", "anne@cabinet.example"}};
    memory.note(letter_from("anne@cabinet.example", "4"), to_patient, Way::Out, kDay, known);
    const History learned = memory.history(known, kDay + kOneDay);
    ASSERT_EQ(learned.known_correspondents.size(), 2U);
    EXPECT_EQ(learned.known_correspondents[0].address, "a@labo.example");
    EXPECT_EQ(learned.known_correspondents[0].first_seen, "2026-03-02");
    EXPECT_EQ(learned.known_correspondents[1].address, "p@ville.example");
    EXPECT_TRUE(learned.message_ids.contains("4"));
}

TEST(MailMemory, UnprovenMailTeachesNothing) {
    const History known = seed();
    Memory memory;
    for (int day = 0; day < 5; ++day)
        EXPECT_FALSE(memory.note(letter_from("a@labo.example", "1", {"FR14"}, false), {}, Way::In,
                                 kDay + day * kOneDay, known));
    EXPECT_EQ(memory.correspondents(), 0U);
}

TEST(MailMemory, ASecondIbanOfASupplierTakesAPerson) {
    const History known = seed();
    Memory memory;
    const std::string first = "FR1420041010050500013M02606";
    const std::string second = "DE89370400440532013000";
    for (int day = 0; day < 2; ++day) {
        memory.note(letter_from("x@sans.example", "1", {first}), {}, Way::In, kDay + day * kOneDay,
                    known);
        memory.note(letter_from("x@connu.example", "2", {second}), {}, Way::In,
                    kDay + day * kOneDay, known);
        memory.note(letter_from("x@gmail.com", "3", {second}), {}, Way::In, kDay + day * kOneDay,
                    known);
    }
    for (int day = 2; day < 9; ++day)
        memory.note(letter_from("x@sans.example", "4", {second}), {}, Way::In, kDay + day * kOneDay,
                    known);
    const History learned = memory.history(known, kDay + kOneDay);
    ASSERT_EQ(learned.suppliers.size(), 1U);
    EXPECT_EQ(learned.suppliers[0].name, "Sans compte");
    EXPECT_EQ(learned.suppliers[0].ibans, std::vector{first});
}

TEST(MailMemory, AYoungMemoryMakesNobodyAStranger) {
    Memory memory;
    for (int day = 0; day < 2; ++day)
        memory.note(letter_from("a@labo.example", "1"), {}, Way::In, kDay + day * kOneDay, {});
    EXPECT_TRUE(memory.history({}, kDay + kOneDay).empty());
    EXPECT_FALSE(memory.history({}, kDay + 20 * kOneDay).empty());
}

TEST(MailMemory, LiesSealedAndComesBackTheSame) {
    sim::SimDisk disk;
    sim::SimRandom random{1};
    const crypto::Secret32 key;
    const History known = seed();
    Memory memory;
    memory.note(letter_from("a@labo.example", "id-1", {"FR1420041010050500013M02606"}), {}, Way::In,
                kDay, known);
    ASSERT_TRUE(keep_memory(disk, random, "m", "mail", key, memory));
    const Bytes file = *disk.read_file("m/mail.hym", 1 << 20);
    for (const std::string_view word : {"labo", "id-1", "FR14"})
        EXPECT_FALSE(contains(as_text(file), word));
    EXPECT_EQ(open_memory(disk, "m", "mail", key)->write(), memory.write());
    // Another door's file under this one's name is refused.
    ASSERT_TRUE(disk.rename("m/mail.hym", "m/other.hym"));
    EXPECT_EQ(open_memory(disk, "m", "other", key).error().code, Code::Corrupt);
}

TEST(MailMemory, IsBounded) {
    Memory memory;
    const History known = seed();
    for (std::size_t i = 0; i < kRememberedIdsMax + 10; ++i)
        memory.note(letter_from("a@labo.example", std::to_string(i)), {}, Way::In, kDay, known);
    EXPECT_EQ(memory.message_ids(), kRememberedIdsMax);
    EXPECT_FALSE(memory.all().message_ids.contains("3"));
}

TEST(MailDesk, FindsTheLetterInTheLetter) {
    const std::string inner = "Subject: facture\r\nFrom: x@y.example\r\n\r\nvoici\r\n";
    const std::string head = "From: anne@cabinet.example\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\n";
    const Reported attached = reported_in(
        head +
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain"
        "\r\n\r\nvoyez\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" +
        inner + "--b--\r\n");
    EXPECT_TRUE(attached.is_whole);
    EXPECT_EQ(parse_message(attached.bytes)->subject, "facture");
    EXPECT_EQ(parse_message(attached.bytes)->author().address, "x@y.example");
    const Reported forwarded = reported_in(head + "\r\n----- Message -----\r\nvoici\r\n");
    EXPECT_FALSE(forwarded.is_whole);
    EXPECT_FALSE(contains(forwarded.bytes, "anne@"));
    EXPECT_TRUE(contains(forwarded.bytes, "voici"));
}

TEST(MailDesk, NamesOfHeldMessagesAreFoundInSubjects) {
    const std::string id = "0192f0c1-2b3c-7d4e-8f50-0123456789ab";
    EXPECT_EQ(held_named("Re: " + id + " svp"), id);
    EXPECT_EQ(held_named("rien"), "");
}

TEST(MailDigest, TellsOursAloneWhatWasHeldThatDay) {
    Held held{.id = "i-1",
              .at = kDay,
              .envelope = {},
              .verdict =
                  R"({"reasons": [{"fr": "RIB nouveau", "en": "new"}],
                  "advice": {"fr": "appelez", "en": "call"}})"};
    held.envelope.rcpt_to = {"Anne@cabinet.example", "x@dehors.example"};
    held.from = "v@voleur.example";
    held.subject = "Facture\r\nBcc: x@y.example";
    Held other_day = held;
    other_day.at = kDay + kOneDay;
    Held reported = held;
    reported.kept_as = "reported";
    Held released = held;
    released.is_released = true;
    const auto all = digests_of(
        {held, other_day, reported, released},
        {.day = "2026-03-02",
         .from = "hygie@cabinet.example",
         .report_address = "hygie@cabinet.example",
         .is_ours = [](std::string_view one) { return one.ends_with("@cabinet.example"); }});
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].person, "anne@cabinet.example");
    EXPECT_EQ(all[0].count, 1U);
    const Message letter = *parse_message(all[0].letter);
    EXPECT_TRUE(contains(letter.plain, "v@voleur.example"));
    EXPECT_TRUE(contains(letter.plain, "appelez"));
    EXPECT_TRUE(contains(letter.plain, "call"));
    EXPECT_TRUE(contains(letter.plain, "mailto:hygie@cabinet.example?subject=i-1"));
    EXPECT_EQ(letter.header("bcc"), "");
    EXPECT_FALSE(contains(letter.plain, "\nBcc"));
}

TEST(MailDigest, CountsDaysAndHoursAsTheHouseDoes) {
    Held held{
        .id = "i-1", .at = *from_rfc3339("2026-03-02T23:40:00Z"), .envelope = {}, .verdict = {}};
    held.envelope.rcpt_to = {"anne@cabinet.example"};
    const auto digests = [&](const char* day) {
        return digests_of(
            {held}, {.day = day,
                     .from = "hygie@cabinet.example",
                     .report_address = {},
                     .is_ours = [](std::string_view) { return true; },
                     .on_the_wall = [](WallTime utc) { return utc + std::chrono::hours(1); }});
    };
    EXPECT_TRUE(digests("2026-03-02").empty());
    ASSERT_EQ(digests("2026-03-03").size(), 1U);
    EXPECT_TRUE(contains(digests("2026-03-03")[0].letter, "* 00:40"));
}

/// The desk refuses an attack to its recipient, unless the policy says otherwise: so does the
/// digest.
TEST(MailDigest, OffersWhatTheDeskGivesAlone) {
    Held held{.id = "i-1", .at = kDay, .envelope = {}, .verdict = R"({"verdict": "malicious"})"};
    held.envelope.rcpt_to = {"anne@cabinet.example"};
    for (const bool all : {false, true}) {
        const auto digests = digests_of({held}, {.day = "2026-03-02",
                                                 .from = "hygie@cabinet.example",
                                                 .report_address = "hygie@cabinet.example",
                                                 .may_release_malicious = all,
                                                 .is_ours = [](std::string_view) { return true; }});
        ASSERT_EQ(digests.size(), 1U);
        EXPECT_EQ(contains(digests[0].letter, "mailto:"), all);
        EXPECT_TRUE(contains(digests[0].letter, "i-1"));
    }
}

TEST(MailCampaign, HonestPlacesTieNothing) {
    const auto marks = [](const std::string& from, const std::string& subject,
                          const std::string& text) {
        const Message message =
            *parse_message("From: " + from + "\r\nSubject: " + subject + "\r\n\r\n" + text);
        return campaign_of(message, read_evidence(message, {}, {}).evidence, {});
    };
    const Campaign known = marks("a@x.example", "Rembours\xc3\xa9",
                                 "https://voleur.example/1 "
                                 "https://www.ameli.fr/x");
    EXPECT_EQ(kinship(known, marks("b@y.example", "?", "https://voleur.example/2")), Kin::Link);
    EXPECT_EQ(kinship(known, marks("a@x.example", "REMBOURSE", "")), Kin::Sender);
    EXPECT_FALSE(kinship(known, marks("b@y.example", "Rembourse", "https://www.ameli.fr/x")));
    EXPECT_FALSE(kinship(known, marks("a@x.example", "autre", "bonjour")));
}

}  // namespace
}  // namespace hygie::mail
