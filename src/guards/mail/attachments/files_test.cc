#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "guards/mail/attachments/read_files.h"
#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/judge/judge.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/ole.h"
#include "guards/mail/message/test_file.h"
#include "guards/mail/message/test_zip.h"

namespace hygie::mail {
namespace {

using namespace std::string_literals;

bool any_has(const AttachmentFacts& facts, Capability capability) {
    return std::ranges::any_of(facts.files,
                               [&](const FileFacts& file) { return file.has(capability); });
}

std::string workbook_with_auto_open() {
    return packed({{"[Content_Types].xml", "<Types/>"},
                   {"xl/workbook.xml", "<definedName name='_xlnm.Auto_Open'>x</definedName>"},
                   {"xl/macrosheets/sheet1.xml", "<x/>"}});
}

struct Dropper {
    const char* name;
    std::string bytes;
    Capability capability;
};

/// One inert file of each kind by which programs arrive.
std::vector<Dropper> droppers() {
    const std::string one_note =
        "\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1\x53\x78\xD0\x29\x96\xD3"s +
        "\xE7\x16\xE3\xBD\x65\x26\x11\x45\xA4\xC4\x8D\x4D\x0B\x7A\x9E\xAC"s +
        "\x05\0\0\0\0\0\0\0"s + std::string(12, '\0') + "MZabc";
    std::string iso(40'000, '\0');
    iso.replace(32'769, 5, "CD001");
    return {
        {"a.exe", "MZ\x90", Capability::Executable},
        {"photo.jpg", "MZ\x90", Capability::TypeMismatch},
        {"a.js", "var x = 1;", Capability::Script},
        {"facture.pdf.js", "var x = 1;", Capability::DoubleExtension},
        {"facture\xE2\x80\xAE"
         "fdp.exe",
         "MZ", Capability::DoubleExtension},
        {"a.lnk", "\x4C\0\0\0\x01\x14\x02\0 powershell"s, Capability::Shortcut},
        {"lien.url", "[InternetShortcut]\nURL=file://x\n", Capability::Shortcut},
        {"a.iso", iso, Capability::DiskImage},
        {"a.img", "x", Capability::DiskImage},
        {"a.one", one_note, Capability::OneNoteFile},
        {"a.chm", "ITSF", Capability::ChmHelp},
        {"a.html",
         "<script>var b=new Blob([atob('x')]);a.href=URL.createObjectURL(b);a.download='f.zip';"
         "a.click()</script>",
         Capability::HtmlSmuggling},
        {"a.htm", "<form action='https://x.example/'><input type=password></form>",
         Capability::HtmlForm},
        {"a.html", "<script>window.location='https://x.example'</script>", Capability::HtmlScript},
        {"a.svg", "<svg><script>x()</script></svg>", Capability::SvgScript},
        {"a.rtf", "{\\rtf1{\\object\\objdata 0105}}", Capability::RtfObject},
        {"b.rtf", "{\\rtf1{\\object Equation.3}}", Capability::ExploitShape},
        {"a.xlsm", workbook_with_auto_open(), Capability::MacroAutoRun},
        {"a.docx",
         packed({{"[Content_Types].xml", "<Types/>"},
                 {"word/_rels/settings.xml.rels",
                  "<Relationship Type='x/attachedTemplate' Target='https://x.example/t.dotm' "
                  "TargetMode='External'/>"}}),
         Capability::ExternalTemplate},
        {"d.docx",
         packed({{"[Content_Types].xml", "<Types/>"},
                 {"word/document.xml", "<w:instrText>DDEAUTO c:\\x</w:instrText>"}}),
         Capability::Dde},
        {"a.pdf",
         "%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/Launch/F(x.exe)>>>>endobj\n"
         "trailer<</Root 1 0 R>>\n",
         Capability::PdfLaunch},
        {"b.pdf",
         "%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert)>>>>endobj\n"
         "trailer<</Root 1 0 R>>\n",
         Capability::PdfJavaScript},
        {"a.zip", packed({{"x/facture.vbs", "x"}}), Capability::Script},
        {"n.zip", packed({{"b.zip", packed({{"c.exe", "MZ"}})}}), Capability::ArchiveNested},
        {"mail.mobileconfig", "<?xml version='1.0'?><plist></plist>", Capability::ConfigProfile},
        {"a.ppkg", "x", Capability::ConfigProfile},
        {"a.vhd", "conectix", Capability::DiskImage},
        {"a.wim", "MSWIM", Capability::DiskImage},
        {"a.xll", "x", Capability::Executable},
        {"a.jar", packed({{"A.class", "x"}}), Capability::Executable},
        {"a.msi", "x", Capability::Executable},
        {"a.hta", "<script>x</script>", Capability::Script},
        {"a.wsf", "<job/>", Capability::Script},
        {"a.rdp", "full address:s:x.example", Capability::Shortcut},
        {"a.settingcontent-ms", "<x/>", Capability::Shortcut},
        {"a.appinstaller", "<x/>", Capability::Shortcut},
    };
}

TEST(ReadFiles, NamesWhatAFileCanDo) {
    for (const Dropper& row : droppers()) {
        const AttachmentFacts facts = read_files(with_file(row.name, row.bytes));
        EXPECT_TRUE(any_has(facts, row.capability)) << row.name;
        EXPECT_FALSE(facts.crashed) << row.name;
    }
}

TEST(ReadFiles, ADropperIsFlaggedWhateverTheLetterSaysAndTheModelThinks) {
    const Scorer blind = [](const Message&, const Evidence&, std::span<const Signal>) {
        Opinion opinion;
        opinion.log_odds.fill(-9);
        return opinion;
    };
    for (const Dropper& row : droppers()) {
        Message letter = with_file(row.name, row.bytes);
        letter.subject = "Compte rendu";
        letter.text = letter.plain = "Bonjour, voici le compte rendu. Bonne journée.";
        letter.from.push_back({"Marie Curie", "marie@labo.example"});
        const Judgement judgement = judge(letter, Envelope{}, History{}, blind);
        EXPECT_NE(judgement.level, event::Level::Clean) << row.name;
        const bool page =
            row.capability == Capability::HtmlForm || row.capability == Capability::HtmlScript;
        EXPECT_EQ(judgement.kind, page ? Class::Phishing : Class::Malware) << row.name;
        ASSERT_FALSE(judgement.reasons.empty()) << row.name;
        EXPECT_TRUE(judgement.reasons.front().id.starts_with("file.")) << row.name;
    }
}

TEST(ReadFiles, AnArchiveLockedWithThePasswordBesideItIsFlagged) {
    Message letter = with_file("a.zip", packed({{"x.exe", "MZ"}}, "Sesame42"));
    letter.text = letter.plain = "Le mot de passe est : Sesame42.";
    letter.from.push_back({"Marie Curie", "marie@labo.example"});
    EXPECT_EQ(judge(letter, Envelope{}, History{}, {}).kind, Class::Malware);
    letter.attachments.front().bytes = packed({{"notes.txt", "x"}}, "other");
    const Judgement judgement = judge(letter, Envelope{}, History{}, {});
    EXPECT_NE(judgement.level, event::Level::Clean) << "nobody could look inside";
}

TEST(ReadFiles, OpensAnArchiveWithThePasswordOfTheLetter) {
    Message message = with_file("a.zip", packed({{"x.js", "var x"}}, "Sesame42"));
    AttachmentFacts facts = read_files(message);
    EXPECT_TRUE(any_has(facts, Capability::ArchiveEncrypted));
    message.text = "Le mot de passe est : Sesame42.";
    facts = read_files(message);
    EXPECT_TRUE(any_has(facts, Capability::Script)) << "and what is inside is named";
    EXPECT_EQ(facts.password_in_text, "Sesame42");
}

TEST(ReadFiles, APasswordIsGivenWhereItIsSaidNotWhereItIsSpokenOf) {
    Message message = with_file("a.zip", packed({{"planning.txt", "x"}}, "Sesame42"));
    for (const char* words :
         {"Password is the one on the whiteboard in the staff room.",
          "Le mot de passe est celui que nous avons convenu ensemble.",
          "Das Passwort schicke ich Ihnen per SMS.", "Le code vous sera donné au téléphone."}) {
        message.text = words;
        EXPECT_EQ(read_files(message).password_in_text, "") << words;
    }
    const std::vector<std::pair<const char*, const char*>> given = {
        {"Mot de passe : facture", "facture"},
        {"Le mot de passe est facture.", "facture"},
        {"the password is Facture-7 and the file is attached", "Facture-7"},
        {"Passwort = rechnung, bitte öffnen", "rechnung"}};
    for (const auto& [words, password] : given) {
        message.text = words;
        EXPECT_EQ(read_files(message).password_in_text, password) << words;
    }
}

TEST(ReadFiles, HarmlessFilesAreHarmless) {
    for (const auto& [name, bytes] :
         Members{{"a.txt", "bonjour"},
                 {"a.patch", "--- a\n+++ b\n"},
                 {"a.docx", packed({{"[Content_Types].xml", "<Types/>"},
                                    {"word/document.xml", "<w:p><w:t>Facture</w:t></w:p>"}})},
                 {"a.pdf", "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"}}) {
        const AttachmentFacts facts = read_files(with_file(name, bytes));
        for (const FileFacts& file : facts.files) EXPECT_TRUE(file.findings.empty()) << name;
    }
}

TEST(ReadFiles, APageThatIsOneLinkIsSeenAndItsLinkRead) {
    const auto pdf = [](const std::string& box) {
        return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
               "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
               "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 400]/Annots 4 0 R>>endobj\n"
               "4 0 obj[<</Subtype/Link/Rect[" +
               box +
               "]/A<</S/URI/URI(https://evil.example/x)>>>>]endobj\n"
               "trailer<</Root 1 0 R>>\n";
    };
    const AttachmentFacts button = read_files(with_file("a.pdf", pdf("500 400 0 0")));
    EXPECT_TRUE(any_has(button, Capability::PdfPageLink));
    ASSERT_EQ(button.links.size(), 1U);
    EXPECT_EQ(button.links[0].target, "https://evil.example/x");
    const AttachmentFacts line = read_files(with_file("a.pdf", pdf("50 50 200 62")));
    EXPECT_FALSE(any_has(line, Capability::PdfPageLink));
    EXPECT_EQ(line.links.size(), 1U);
}

TEST(ReadFiles, TakesTextAndLinksOfDocuments) {
    const AttachmentFacts facts = read_files(with_file(
        "a.docx", packed({{"[Content_Types].xml", "<Types/>"},
                          {"word/document.xml", "<w:p><w:t>IBAN &amp; co</w:t></w:p>"},
                          {"word/_rels/document.xml.rels",
                           "<Relationship Type='x/hyperlink' Target='https://evil.example/' "
                           "TargetMode='External'/>"}})));
    EXPECT_NE(facts.text.find("IBAN & co"), std::string::npos);
    ASSERT_EQ(facts.links.size(), 1U);
    EXPECT_EQ(facts.links[0].target, "https://evil.example/");
    EXPECT_EQ(facts.link_where[0], "attachment:a.docx");
}

TEST(ReadFiles, BombsEndAtTheirLimits) {
    const std::string zeros(4U << 20, '\0');
    Members members;
    for (int i = 0; i < 20; ++i) members.emplace_back("f" + std::to_string(i), zeros);
    // In this process: a loaded machine must not reach the deadline before the limit.
    const Message bomb = with_file("bomb.zip", packed(members));
    const AttachmentFacts facts = facts_of_answer(answer_question(question_of(bomb, {}, false)));
    EXPECT_TRUE(any_has(facts, Capability::ArchiveBomb));
    std::string nested = packed({{"a.txt", "x"}});
    for (int i = 0; i < 12; ++i) nested = packed({{"n.zip", nested}});
    EXPECT_TRUE(read_files(with_file("deep.zip", nested)).incomplete);
}

TEST(ReadFiles, UnpacksVbaAsOfficeDoes) {
    // MS-OVBA §3.2.1: no compression of "abcdefghijklmnopqrstuv."
    EXPECT_EQ(vba_source("\x01\x19\xB0\x00"
                         "abcdefgh\x00"
                         "ijklmnop\x00"
                         "qrstuv."s,
                         1000),
              "abcdefghijklmnopqrstuv.");
    // MS-OVBA §3.2.3: maximum compression of 73 times "a".
    EXPECT_EQ(vba_source("\x01\x03\xB0\x02"
                         "a\x45\x00"s,
                         1000),
              std::string(73, 'a'));
}

TEST(ReadFiles, AnAnswerOfAnImpossibleSizeIsNoAnswer) {
    const Bytes endless = {0x9B, 0x2D, 0x31, 0x2E, 0x34, 0x0A, 0xB1, 0x33, 0x20, 0x2B};
    EXPECT_TRUE(facts_of_answer(endless).crashed);
    EXPECT_TRUE(answer_question(endless).empty());
}

RC_GTEST_PROP(ReadFiles, AnswersAnyBytes, (const std::vector<std::uint8_t>& bytes)) {
    const AttachmentFacts facts = facts_of_answer(bytes);
    RC_ASSERT(facts.links.size() == facts.link_where.size());
    answer_question(bytes);
    const OleFile ole(as_text(bytes));
    for (const OleFile::Entry& entry : ole.entries()) ole.stream(entry, 1000);
    sniff(as_text(bytes));
}

}  // namespace
}  // namespace hygie::mail
