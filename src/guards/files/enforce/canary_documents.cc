#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>
#include <memory>

#include "guards/files/enforce/canaries.h"

/// What decoys hold. Sound for every program: they must not be what breaks an honest one's run.
namespace hygie::files {
namespace {

constexpr std::array<std::string_view, 24> kWords = {
    "bilan",     "contrat",  "exercice",  "charges",   "loyer",   "assurance",
    "cabinet",   "poste",    "mobilier",  "entretien", "facture", "relance",
    "courrier",  "stock",    "planning",  "remise",    "annexe",  "rapport",
    "trimestre", "commande", "livraison", "montant",   "devis",   "accord"};

std::string sentence(Random& random, std::size_t words) {
    std::string text;
    for (std::size_t i = 0; i < words; ++i) {
        const std::uint64_t chance = load_be<std::uint64_t>(random.bytes<8>().data());
        text += i == 0 ? "" : " ";
        text += chance % 5 == 0 ? fmt::format("{},{:02}", chance % 9973, chance % 97)
                                : std::string(kWords[chance / 5 % kWords.size()]);
    }
    return text;
}

constexpr std::size_t kLines = 60;
constexpr std::size_t kWordsOfLine = 11;

struct Freer {
    void operator()(struct archive* writer) const { archive_write_free(writer); }
};

void add(struct archive* writer, const char* name, std::string_view text) {
    const std::unique_ptr<struct archive_entry, void (*)(struct archive_entry*)> entry(
        archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), name);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_write_header(writer, entry.get());
    archive_write_data(writer, text.data(), text.size());
}

}  // namespace

/// ECMA-376: the three parts without which Word opens nothing.
Bytes canary_document(Random& random) {
    std::string body;
    for (std::size_t i = 0; i < kLines; ++i)
        body += "<w:p><w:r><w:t>" + sentence(random, kWordsOfLine) + "</w:t></w:r></w:p>";
    constexpr std::size_t kRoom = 256 << 10;
    Bytes bytes(kRoom);
    std::size_t used = 0;
    const std::unique_ptr<struct archive, Freer> writer(archive_write_new());
    archive_write_set_format_zip(writer.get());
    archive_write_open_memory(writer.get(), bytes.data(), bytes.size(), &used);
    add(writer.get(), "[Content_Types].xml",
        R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?>)"
        R"(<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">)"
        R"(<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.)"
        R"(relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/)"
        R"(vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>)");
    add(writer.get(), "_rels/.rels",
        R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?>)"
        R"(<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">)"
        R"(<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/)"
        R"(relationships/officeDocument" Target="word/document.xml"/></Relationships>)");
    add(writer.get(), "word/document.xml",
        R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?>)"
        R"(<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">)"
        "<w:body>" +
            body + "</w:body></w:document>");
    archive_write_close(writer.get());
    bytes.resize(used);
    return bytes;
}

/// ISO 32000-1, one page.
Bytes canary_pdf(Random& random) {
    std::string page = "BT /F1 10 Tf 40 800 Td 12 TL\n";
    for (std::size_t i = 0; i < kLines; ++i)
        page += "(" + sentence(random, kWordsOfLine) + ") Tj T*\n";
    page += "ET";
    const std::array<std::string, 5> objects = {
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources"
        "<</Font<</F1 5 0 R>>>>>>",
        fmt::format("<</Length {}>>\nstream\n{}\nendstream", page.size(), page),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"};
    std::string out = "%PDF-1.4\n";
    std::string table = "0000000000 65535 f \n";
    for (std::size_t i = 0; i < objects.size(); ++i) {
        table += fmt::format("{:010} 00000 n \n", out.size());
        out += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
    }
    out += fmt::format("xref\n0 {}\n{}trailer\n<</Root 1 0 R/Size {}>>\nstartxref\n{}\n%%EOF\n",
                       objects.size() + 1, table, objects.size() + 1, out.size());
    return Bytes(out.begin(), out.end());
}

}  // namespace hygie::files
