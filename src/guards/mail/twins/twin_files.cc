#include "guards/mail/twins/twin_files.h"

#include <array>

#include <fmt/format.h>

namespace hygie::mail {
namespace {

constexpr std::string_view kInert = "Inert sample made by hygie; it does nothing.";

std::string make_pdf(std::string_view text, std::string_view link) {
    std::string shown;
    for (const char sign : text)
        if (sign != '(' && sign != ')' && sign != '\\' && static_cast<unsigned char>(sign) < 0x80)
            shown.push_back(sign);
    const std::string stream = fmt::format("BT /F1 12 Tf 60 720 Td ({}) Tj ET", shown);
    std::vector<std::string> objects = {
        "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
                    "/Resources << /Font << /F1 5 0 R >> >>{} >>",
                    link.empty() ? "" : " /Annots [6 0 R]"),
        fmt::format("<< /Length {} >>\nstream\n{}\nendstream", stream.size(), stream),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
    if (!link.empty())
        objects.push_back(
            fmt::format("<< /Type /Annot /Subtype /Link /Rect [50 700 400 740] /A << "
                        "/S /URI /URI ({}) >> >>",
                        link));
    std::string pdf = "%PDF-1.4\n";
    std::string table = fmt::format("xref\n0 {}\n0000000000 65535 f \n", objects.size() + 1);
    for (std::size_t i = 0; i < objects.size(); ++i) {
        table += fmt::format("{:010} 00000 n \n", pdf.size());
        pdf += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
    }
    return pdf + table +
           fmt::format("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n",
                       objects.size() + 1, pdf.size());
}

std::vector<ZipEntry> office_parts(std::string_view text, bool with_macro) {
    std::vector<ZipEntry> parts = {
        {"[Content_Types].xml",
         "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/"
         "content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"},
        {"_rels/.rels",
         "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/"
         "2006/relationships\"/>"},
        {"word/document.xml",
         fmt::format("<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats."
                     "org/wordprocessingml/2006/main\"><w:body><w:p><w:r><w:t>{}</w:t></w:r></w:p>"
                     "</w:body></w:document>",
                     text)}};
    // Named like a macro project; there is none inside.
    if (with_macro) parts.push_back({"word/vbaProject.bin", std::string(kInert)});
    return parts;
}

std::string make_iso(std::string_view inside) {
    std::string image(34U * 1024, '\0');
    const std::string_view mark =
        "\x01"
        "CD001\x01";
    image.replace(32U * 1024, mark.size(), mark);
    image.replace(33U * 1024, inside.size(), inside);
    return image;
}

std::string make_lnk() {
    std::string link("L\0\0\0\x01\x14\x02\0\0\0\0\0\xC0\0\0\0\0\0\0F", 20);
    link.resize(76, '\0');
    return link + std::string(kInert);
}

std::string smuggling_page() {
    return fmt::format(
        "<html><body><script>/* {} */ var b = new Blob([atob('aW5lcnQ=')]); "
        "var a = document.createElement('a'); a.href = URL.createObjectURL(b); "
        "a.download = 'inert.txt'; /* never clicked */</script></body></html>",
        kInert);
}

std::string form_page(std::string_view link) {
    return fmt::format(
        "<html><body><h1>Session</h1><form method=post action=\"{}\"><input name=email>"
        "<input type=password name=pass><button>OK</button></form></body></html>",
        link.empty() ? "https://forms.example/post" : link);
}

std::string script_text() {
    return fmt::format("// {}\n", kInert);
}

TwinFile active_file(std::string_view stem, std::string_view link, Dice& dice) {
    const std::string name(stem);
    const auto zip = [&](std::string inner, std::string bytes, bool locked) {
        return make_zip({{std::move(inner), std::move(bytes)}}, locked);
    };
    switch (dice.below(16)) {
        case 0:
            return {name + ".docm", "application/vnd.ms-word.document.macroEnabled.12",
                    make_zip(office_parts("Activez le contenu", true), false), "docm"};
        case 1:
            return {name + ".xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12",
                    make_zip(office_parts("Enable content", true), false), "xlsm"};
        case 2:
            return {name + ".iso", "application/x-iso9660-image", make_iso(kInert), "iso"};
        case 3:
            return {name + ".img", "application/octet-stream", make_iso(kInert), "img"};
        case 4:
            return {name + ".pdf.lnk", "application/octet-stream", make_lnk(), "lnk"};
        case 5:
            return {name + ".zip", "application/zip", zip(name + ".lnk", make_lnk(), false),
                    "zip_lnk"};
        case 6:
            return {name + ".zip", "application/zip", zip(name + ".js", script_text(), false),
                    "zip_js"};
        case 7:
            return {name + ".zip", "application/zip",
                    zip(name + ".exe", "MZ" + std::string(kInert), true), "zip_locked"};
        case 8:
            return {name + ".html", "text/html", smuggling_page(), "html_smuggling"};
        case 9:
            return {name + ".htm", "text/html", form_page(link), "html_form"};
        case 10:
            return {name + ".svg", "image/svg+xml",
                    fmt::format(
                        "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>/* {} */</script></svg>",
                        kInert),
                    "svg"};
        case 11:
            return {
                name + ".one", "application/onenote",
                std::string("\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1\x53\x78\xD0\x29\x96\xD3",
                            16) +
                    std::string(64, '\0') +
                    std::string("\xE7\x16\xE3\xBD\x65\x26\x11\x45\xA4\xC4\x8D\x4D\x0B\x7A\x9E\xAC",
                                16) +
                    std::string(kInert),
                "one"};
        case 12:
            return {name + ".vbs", "application/octet-stream", fmt::format("' {}\n", kInert),
                    "vbs"};
        case 13:
            return {name + ".hta", "application/hta",
                    fmt::format(
                        "<html><head><script language=\"VBScript\">' {}\n</script></head></html>",
                        kInert),
                    "hta"};
        case 14:
            return {name + ".pdf.exe", "application/octet-stream", "MZ" + std::string(kInert),
                    "exe"};
        default:
            return {name + ".zip", "application/zip",
                    zip("archive.zip", zip(name + ".js", script_text(), false), false),
                    "zip_zip_js"};
    }
}

}  // namespace

std::vector<TwinFile> make_files(const TwinScene& scene, std::string_view stem, Dice& dice) {
    const std::string& kind = scene.attachment;
    const std::string name(stem);
    const bool attack = scene.side == Side::Attack;
    static constexpr std::array<std::string_view, 4> kRisky = {
        "https://docs-secure.example/v", "https://files.portal-view.test/d",
        "https://share.doc-online.example/o", "https://id.verify-access.test/s"};
    const std::string lure = scene.link.empty() ? std::string(dice.pick(kRisky)) : scene.link;
    const std::string line = fmt::format("{} {} {}", scene.facts.at("ref"),
                                         scene.facts.at("supplier"), scene.facts.at("amount"));
    if (kind == "active" && attack) return {active_file(stem, lure, dice)};
    if (kind == "active" || kind == "pdf")
        return {{name + ".pdf", "application/pdf", make_pdf(line, ""), "pdf"}};
    if (kind == "pdf_link")
        return {{name + ".pdf", "application/pdf",
                 make_pdf("Open the secure document / Ouvrir le document", lure), "pdf_link"}};
    if (kind == "pdf_phone")
        return {{name + ".pdf", "application/pdf",
                 make_pdf("Order " + scene.facts.at("num") + " charged. To cancel call " +
                              scene.facts.at("phone"),
                          ""),
                 "pdf_phone"}};
    if (kind == "pdf_qr" || kind == "png_qr")
        return {{name + ".png", "image/png", make_qr_png(lure), kind}};
    if (kind == "png_qr_own")
        return {{name + ".png", "image/png", make_qr_png("BILLET-" + scene.facts.at("num")), kind}};
    if (kind == "docx")
        return {{name + ".docx",
                 "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                 make_zip(office_parts(line, false), false), "docx"}};
    if (kind == "zip")
        return {{name + ".zip", "application/zip",
                 make_zip({{name + ".pdf", make_pdf(line, "")}}, false), "zip_pdf"}};
    if (kind == "png")
        return {{name + ".png", "image/png", make_qr_png("S/N " + scene.facts.at("num")), "png"}};
    if (kind == "ics")
        return {{"invite.ics", "text/calendar",
                 "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:" +
                     scene.facts.at("ref") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                 "ics"}};
    return {};
}

}  // namespace hygie::mail
