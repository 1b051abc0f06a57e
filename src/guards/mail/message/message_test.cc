#include "guards/mail/message/message.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/bytes.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/tnef.h"

namespace hygie::mail {
namespace {

using namespace std::string_literals;

Message parsed(std::string_view bytes) {
    Result<Message> message = parse_message(bytes);
    EXPECT_TRUE(message.has_value());
    return message ? std::move(*message) : Message{};
}

TEST(ParseMessage, ReadsHeadersOfEveryCharset) {
    const Message m = parsed(
        "From: =?iso-8859-1?Q?L=E9a_Ma=EFs?= <LEA@Clinique.Example>\r\n"
        "To: a@b.example, Groupe: c@d.example, e@f.example;\r\n"
        "Reply-To: <x@y.example>\r\n"
        "Subject: =?utf-8?B?w4l0w6k=?= et\r\n =?windows-1252?Q?=80?=\r\n"
        "Message-ID: <id@x>\r\nIn-Reply-To: <p@x>\r\nReferences: <q@x> <p@x>\r\n"
        "Date: Thu, 02 Feb 2023 15:17:40 +0100\r\n\r\nBonjour");
    EXPECT_EQ(m.author().name, "Léa Maïs");
    EXPECT_EQ(m.author().address, "lea@clinique.example");
    EXPECT_EQ(m.author().domain(), "clinique.example");
    EXPECT_EQ(m.to.size(), 3U);
    EXPECT_EQ(m.reply_to.at(0).address, "x@y.example");
    EXPECT_EQ(m.subject, "Été et €");
    EXPECT_EQ(m.message_id, "id@x");
    EXPECT_EQ(m.references, (std::vector<std::string>{"q@x", "p@x"}));
    EXPECT_EQ(m.text, "Bonjour");
}

TEST(ParseMessage, ShowsTheHtmlOfAlternatives) {
    const Message m = parsed(
        "From: a@b.example\nContent-Type: multipart/alternative; boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\nplain version of the letter\n"
        "--x\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: "
        "quoted-printable\n\n"
        "<p>The letter that is read, longer than forty bytes =C3=A9</p>"
        "<a href=3D\"https://evil.example/\">ameli.fr</a>\n--x--\n");
    EXPECT_EQ(m.text, "The letter that is read, longer than forty bytes é\nameli.fr");
    EXPECT_EQ(m.plain, "plain version of the letter");
    ASSERT_EQ(m.links.size(), 1U);
    EXPECT_EQ(m.links[0].shown, "ameli.fr");
}

TEST(ParseMessage, KeepsFilesAndTheirNames) {
    const Message m = parsed(
        "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\nVoir www.ameli.fr/compte.\n"
        "--x\nContent-Type: application/octet-stream\n"
        "Content-Disposition: attachment; filename*=utf-8''re%C3%A7u.exe\n"
        "Content-Transfer-Encoding: base64\n\nTVqQAA==\n--x--\n");
    ASSERT_EQ(m.attachments.size(), 1U);
    EXPECT_EQ(m.attachments[0].name, "reçu.exe");
    EXPECT_EQ(m.attachments[0].bytes, std::string("MZ\x90\0", 4));
    ASSERT_EQ(m.links.size(), 1U);
    EXPECT_EQ(m.links[0].target, "www.ameli.fr/compte");
}

TEST(ParseMessage, ReadsCalendarsAndBounces) {
    const Message invite = parsed(
        "From: a@b.example\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nSUMMARY:Audit\n"
        "DESCRIPTION:Ouvrez https://evil.exa\n mple/x\\nvite\nEND:VCALENDAR\n");
    EXPECT_TRUE(invite.has_calendar);
    ASSERT_EQ(invite.links.size(), 1U);
    EXPECT_EQ(invite.links[0].target, "https://evil.example/x");
    const Message bounce = parsed(
        "From: MAILER-DAEMON@b.example\nContent-Type: multipart/report; boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\nNot delivered.\n"
        "--x\nContent-Type: message/rfc822\n\nSubject: Inner\n\nhttps://evil.example/\n--x--\n");
    EXPECT_TRUE(bounce.is_report);
    EXPECT_TRUE(bounce.links.empty()) << "what comes back was not written to the reader";
    EXPECT_EQ(bounce.embedded_subjects, (std::vector<std::string>{"Inner"}));
}

TEST(ParseMessage, ReadsAnInvitationThatComesAsAFile) {
    const Message invite = parsed(
        "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\nBonjour.\n"
        "--x\nContent-Type: application/octet-stream\n"
        "Content-Disposition: attachment; filename=Invite.ICS\n\n"
        "BEGIN:VCALENDAR\nSUMMARY:Votre compte\nDESCRIPTION:https://evil.example/x\n"
        "END:VCALENDAR\n--x--\n");
    EXPECT_TRUE(invite.has_calendar);
    EXPECT_NE(invite.text.find("Votre compte"), std::string::npos);
    EXPECT_EQ(invite.attachments.size(), 1U) << "it is still a file";
    ASSERT_EQ(invite.links.size(), 1U);
    EXPECT_EQ(invite.links[0].target, "https://evil.example/x");
}

TEST(ParseMessage, ReadsAnInvitationOnce) {
    const std::string ics = "BEGIN:VCALENDAR\nSUMMARY:Audit\nEND:VCALENDAR\n";
    const Message invite = parsed(
        "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/calendar\n\n" +
        ics +
        "--x\nContent-Type: application/ics\nContent-Disposition: attachment; filename=i.ics\n\n" +
        ics + "--x--\n");
    EXPECT_EQ(invite.text.find("Audit"), invite.text.rfind("Audit"));
}

TEST(ParseMessage, ReadsPartsWhoseBoundaryIsNotNamed) {
    const std::string parts =
        "\n--x\nContent-Type: text/html\n\n<a href='https://evil.example/'>ici</a>\n"
        "--x\nContent-Disposition: attachment; filename=a.exe\n\nMZ\n--x--\n";
    for (const std::string boundary : {"", "; boundary=other"}) {
        const Message m =
            parsed("From: a@b.example\nContent-Type: multipart/mixed" + boundary + "\n" + parts);
        ASSERT_EQ(m.links.size(), 1U) << boundary;
        EXPECT_EQ(m.links[0].target, "https://evil.example/");
        ASSERT_EQ(m.attachments.size(), 1U);
        EXPECT_EQ(m.attachments[0].name, "a.exe");
    }
    const Message none =
        parsed("From: a@b.example\nContent-Type: multipart/mixed\n\nVoyez https://evil.example/\n");
    EXPECT_EQ(none.links.size(), 1U);
}

/// "Assurance Maladie" and "facture.js" lack the "=" that readers do without.
TEST(ParseMessage, ReadsWordsOfBase64WithoutTheirLastMarks) {
    const Message m = parsed(
        "From: =?utf-8?B?QXNzdXJhbmNlIE1hbGFkaWU?= <a@b.example>\n"
        "Subject: =?utf-8?b?UmVtYm91cnNlbWVudA?= =?utf-8?Q?_d=C3=BB?=\n"
        "Content-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Disposition: attachment; "
        "filename=\"=?utf-8?B?ZmFjdHVyZS5qcw?=\"\n\na\n--x--\n");
    EXPECT_EQ(m.author().name, "Assurance Maladie");
    EXPECT_EQ(m.subject, "Remboursement dû");
    ASSERT_EQ(m.attachments.size(), 1U);
    EXPECT_EQ(m.attachments[0].name, "facture.js");
}

TEST(ParseMessage, UnpacksTnef) {
    std::string tnef("\x78\x9F\x3E\x22\x01\x00", 6);
    const auto attribute = [&](std::uint32_t id, std::string_view data) {
        tnef.push_back(2);
        for (int i = 0; i < 4; ++i) tnef.push_back(static_cast<char>(id >> (8 * i)));
        for (int i = 0; i < 4; ++i)
            tnef.push_back(static_cast<char>(static_cast<std::uint32_t>(data.size()) >> (8 * i)));
        tnef += data;
        tnef += std::string(2, '\0');
    };
    attribute(0x0002800C, std::string("Bonjour\0", 8));
    attribute(0x00069002, std::string(14, '\0'));
    attribute(0x00018010, std::string("a.exe\0", 6));
    attribute(0x0006800F, "MZ!");
    const Message m = parsed(
        "From: a@b.example\nContent-Type: application/ms-tnef; name=winmail.dat\n"
        "Content-Transfer-Encoding: base64\n\n" +
        to_base64(as_bytes(tnef)) + "\n");
    EXPECT_EQ(m.text, "Bonjour");
    ASSERT_EQ(m.attachments.size(), 1U);
    EXPECT_EQ(m.attachments[0].name, "a.exe");
    EXPECT_EQ(m.attachments[0].bytes, "MZ!");
}

/// What POSIX uuencode writes: "begin", lines of 45 bytes, "end".
const std::string kUuScript =
    "begin 644 facture.js\n"
    "M=F%R(&$@/2`Q.R`O+R!I;F5R=#L@;F]T:&EN9R!I<R!D;VYE(&AE<F4N(\"`@\n"
    "#(\"`@\n"
    "`\n"
    "end\n";

TEST(ParseMessage, TakesUuencodedFilesOutOfTheText) {
    const Message letter =
        parse_message("From: a@b.example\nSubject: x\n\nVoir.\n" + kUuScript + "Merci.\n").value();
    ASSERT_EQ(letter.attachments.size(), 1u);
    EXPECT_EQ(letter.attachments[0].name, "facture.js");
    EXPECT_EQ(letter.attachments[0].bytes, "var a = 1; // inert; nothing is done here.      ");
    EXPECT_EQ(letter.text, "Voir.\nMerci.\n");

    const std::string without_end = kUuScript.substr(0, kUuScript.find("`\nend"));
    EXPECT_EQ(parse_message("Subject: x\n\n" + without_end).value().attachments.size(), 1u);
    for (const std::string& words : {"begin 644 words that go on\nas a sentence would.\n"s,
                                     "begin 644\n"s, "begin 9 x\nM\n"s, "I\nbegin with this.\n"s}) {
        const Message said = parse_message("Subject: x\n\n" + words).value();
        EXPECT_TRUE(said.attachments.empty()) << words;
        EXPECT_EQ(said.text, words);
    }
}

TEST(ParseMessage, SeesAPictureOnAStrangersShare) {
    const auto share_of = [](const std::string& source) {
        return parse_message("Content-Type: text/html\n\n<p>Bonjour</p><img src=\"" + source +
                             "\">")
            .value()
            .html_share;
    };
    EXPECT_EQ(share_of("file://203.0.113.7/a/b.png"), "file://203.0.113.7/a/b.png");
    EXPECT_EQ(share_of("\\\\x.example@SSL\\a.png"), "\\\\x.example@SSL\\a.png");
    EXPECT_EQ(share_of("file:///\\x.example\\a.png"), "file:///\\x.example\\a.png");
    for (const char* own : {"file:///C:/Temp/a.b.png", "\\\\SERVEUR\\a.b.png", "file:a.b.png",
                            "//cdn.example/a.png", "https://x.example/a.png", "cid:a@b.example"})
        EXPECT_EQ(share_of(own), "") << own;
}

TEST(ParseMessage, SurvivesTorture) {
    std::string deep = "From: a@b.example\n";
    for (int i = 0; i < 500; ++i)
        deep += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" +
                std::to_string(i) + "\n";
    EXPECT_TRUE(parsed(deep + "\nfin").defects.too_deep);
    std::string many = "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n";
    for (std::size_t i = 0; i < kPartsMax + 50; ++i) many += "--x\n\npart\n";
    EXPECT_TRUE(parsed(many).defects.too_many_parts);
    EXPECT_TRUE(parsed("From: a@b.example\nFrom: c@d.example\n\nx").defects.duplicate_from);
    EXPECT_TRUE(parsed("From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n\xFF\xFE x")
                    .defects.broken_charset);
    std::string fields = "From: a@b.example\n";
    while (fields.size() < 2 * kHeaderBlockBytesMax) fields += "X-Much: of nothing\n";
    const Message cut = parsed(fields + "\nthe letter");
    EXPECT_TRUE(cut.defects.truncated);
    EXPECT_EQ(cut.author().address, "a@b.example");
    EXPECT_EQ(cut.text, "the letter");
    EXPECT_FALSE(parse_message("").has_value());
}

RC_GTEST_PROP(ParseMessage, TakesAnyBytes, ()) {
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "From: a <b@c>\n", "Content-Type: multipart/mixed; boundary=x\n", "\n", "--x\n", "--x--\n",
        "Content-Type: text/html\n", "<a href=x>", "Content-Transfer-Encoding: base64\n", "TVqQ",
        "=?utf-8?B?w4k=?=", "\xFF\x00", "Content-Type: message/rfc822\n", "Subject: "));
    std::string bytes;
    for (const std::string& part : parts) bytes += part;
    if (bytes.empty()) return;
    const Result<Message> message = parse_message(bytes);
    RC_ASSERT(message.has_value());
    RC_ASSERT(is_utf8(message->text));
    RC_ASSERT(is_utf8(message->subject));
}

TEST(MailMessage, APlaceAloneOnItsLineIsALink) {
    const auto links = [](const std::string& text) {
        return parse_message("From: a@b.example\nSubject: x\n\nHello\n" + text + "\nBye\n")->links;
    };
    ASSERT_EQ(links("kyc-check.stackstaging.com/a").size(), 1U);
    EXPECT_EQ(links("kyc-check.stackstaging.com/a")[0].target, "kyc-check.stackstaging.com/a");
    for (const char* text : {"setup.sh", "lib.so.6", "see kyc.stackstaging.com", "1.2.3.4",
                             "a@kyc.stackstaging.com", "github.com", "etc."})
        EXPECT_TRUE(links(text).empty()) << text;
    EXPECT_EQ(links("kyc.stackstaging.com\nhttps://b.example/x").size(), 1U);
}

}  // namespace
}  // namespace hygie::mail
