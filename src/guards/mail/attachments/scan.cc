#include "guards/mail/attachments/scan.h"

#include <algorithm>
#include <initializer_list>

#include "guards/mail/attachments/file_rules.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/facts/links.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kFindingsMax = 64;

std::string_view last_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

/// A right-to-left override turns "exe.fdp" into "pdf.exe" for the reader.
bool has_override(std::string_view name) {
    return contains(name, "\xE2\x80\xAE") || contains(name, "\xE2\x80\xAD");
}

bool runs(std::string_view extension) {
    return is_script_extension(extension) || is_program_extension(extension) ||
           is_shortcut_extension(extension) || is_profile_extension(extension);
}

/// "facture.pdf.exe", "facture.pdf          .exe"
bool is_double(std::string_view name) {
    const std::string last = extension_of(name);
    if (!runs(last)) return false;
    const std::string_view rest = trim(name.substr(0, name.rfind('.')));
    return is_document_extension(extension_of(rest));
}

bool is_one_of(std::string_view one, std::initializer_list<std::string_view> all) {
    return std::ranges::find(all, one) != all.end();
}

bool is_archive_type(std::string_view type) {
    return is_one_of(type, {"zip", "7z", "rar", "gzip", "bzip2", "xz", "zstd", "cab", "tar", "iso",
                            "lzh", "xar"});
}

/// Whether bytes of this type under this extension are a lie.
bool contradicts(std::string_view extension, std::string_view type) {
    if (!is_one_of(extension,
                   {"pdf", "png", "jpg", "jpeg", "gif", "docx", "xlsx", "txt", "doc", "xls"}))
        return false;
    if (is_one_of(type, {"pe", "elf", "lnk", "iso", "vhd", "onenote", "chm", "7z", "rar", "cab"}))
        return true;
    // Programs export pages as .doc and .xls, and a text may hold any.
    if (type == "html" || type == "svg") return !is_one_of(extension, {"txt", "xls", "doc"});
    return type == "zip" && is_one_of(extension, {"png", "jpg", "jpeg", "gif", "pdf", "txt"});
}

/// The extension chooses what opens a file: a page may begin with a comment as long as one likes or
/// with the marks of a picture, and an archive with any bytes.
std::string as_opened(const std::string& type, std::string_view extension, std::string_view bytes) {
    const bool vague = is_one_of(type, {"text", "data"});
    if (is_one_of(extension, {"htm", "html", "shtml", "xhtml", "xht"}) &&
        (vague || is_picture_type(type)))
        return "html";
    if (extension == "svg" && (vague || type == "html")) return "svg";
    if (vague && is_one_of(extension, {"mht", "mhtml"})) return "eml";
    const bool packed = is_one_of(extension, {"zip", "docx", "docm", "xlsx", "xlsm", "pptx"});
    if (vague && packed && contains(bytes, "PK\x05\x06")) return "zip";
    return type;
}

}  // namespace

void FileScan::found(FileFacts& file, Capability capability, std::string_view detail) {
    if (file.findings.size() < kFindingsMax)
        file.findings.push_back({capability, clean_utf8(cut(detail, 120))});
}

void FileScan::link(const std::string& path, std::string_view target, LinkKind kind,
                    std::string_view shown) {
    if (out_.links.size() >= kLinksMax || target.empty()) return;
    out_.links.push_back({kind, clean_utf8(cut(target, 2048)), clean_utf8(cut(trim(shown), 200))});
    out_.link_where.push_back("attachment:" + path);
}

void FileScan::text(std::string_view more) {
    if (out_.text.size() >= kTextBytesMax) return;
    out_.text += clean_utf8(cut(more, kTextBytesMax - out_.text.size()));
    out_.text.push_back('\n');
}

void FileScan::addresses(const std::string& path, std::string_view words) {
    constexpr std::size_t kShortDocument = 1'500;
    if (words.size() > kShortDocument) return;
    for (std::size_t at = words.find("http"); at != std::string_view::npos;
         at = words.find("http", at + 1)) {
        std::string_view target = words.substr(at, words.find_first_of(" \t\r\n<>\"'", at) - at);
        if (!target.starts_with("https://") && !target.starts_with("http://")) continue;
        while (contains(".,;:!?)", target.substr(target.size() - 1))) target.remove_suffix(1);
        const bool known = std::ranges::any_of(
            out_.links, [&](const RawLink& one) { return one.target == target; });
        if (!known) link(path, target, LinkKind::Text, target);
    }
}

void FileScan::qr(const std::string& path, std::string_view payload) {
    const bool known =
        std::ranges::any_of(out_.qr, [&](const QrCode& one) { return one.payload == payload; });
    if (!known && out_.qr.size() < kImagesReadMax)
        out_.qr.push_back({clean_utf8(cut(payload, 2048)), "attachment:" + path});
}

void FileScan::pictured(const std::string& path, std::string_view said, bool alone) {
    text(said);
    // The first letters of an address are often misread: "htips://", "https: //".
    for (std::size_t at = 0; at < said.size();) {
        const std::size_t end = std::min(said.find_first_of(" \n", at), said.size());
        std::string_view word = said.substr(at, end - at);
        at = end + 1;
        while (!word.empty() && contains(".,;:!?)", word.substr(word.size() - 1)))
            word.remove_suffix(1);
        const std::size_t slashes = word.find("//");
        const bool marked = slashes != std::string_view::npos;
        const std::string target =
            "https://" + std::string(marked ? word.substr(slashes + 2) : word);
        if (!domain_shown(marked ? std::string_view(target) : word).empty() && !contains(word, "@"))
            link(path, target, LinkKind::Text, word);
    }
    if (!alone) return;
    FileFacts file{.path = clean_utf8(cut(path, 1024)), .type = "picture", .findings = {}};
    found(file, Capability::PictureText, trim(said.substr(0, said.find('\n'))));
    out_.files.push_back(std::move(file));
}

bool FileScan::spend(std::size_t bytes) {
    unpacked_ += bytes;
    return unpacked_ <= kUnpackedBytesMax;
}

void FileScan::scan(const std::string& path, std::string_view bytes, std::size_t depth) {
    FileFacts file;
    file.path = clean_utf8(cut(path, 1024));
    file.type = sniff(bytes);
    if (++files_ > kNestedFilesMax || depth > kNestedDepthMax) {
        out_.incomplete = true;
        if (files_ > kNestedFilesMax) return;
        // Wrapped once more than anybody would wrap a document; its name still says what it is.
        names(file, last_name(file.path), file.type);
        if (is_archive_type(file.type)) found(file, Capability::ArchiveBomb, last_name(file.path));
        out_.files.push_back(std::move(file));
        return;
    }
    names(file, last_name(file.path), file.type);
    content(file, bytes, depth);
    match_file_rules(bytes,
                     [&](std::string_view rule) { found(file, Capability::KnownBad, rule); });
    out_.files.push_back(std::move(file));
}

void FileScan::names(FileFacts& file, std::string_view name, std::string_view type) {
    const std::string extension = extension_of(name);
    if (has_override(name) || is_double(name)) found(file, Capability::DoubleExtension, name);
    if (type == "pe" || type == "elf" || type == "macho" || is_program_extension(extension))
        found(file, Capability::Executable, name);
    if (is_script_extension(extension)) found(file, Capability::Script, name);
    if (is_shortcut_extension(extension) || type == "url" || type == "library-ms")
        found(file, Capability::Shortcut, name);
    if (is_image_extension(extension) || type == "iso" || type == "vhd")
        found(file, Capability::DiskImage, name);
    if (type == "chm" || extension == "chm" || extension == "hlp")
        found(file, Capability::ChmHelp, name);
    if (is_odd_archive_extension(extension) || type == "ace" || type == "arj")
        found(file, Capability::ArchiveOdd, name);
    if (is_profile_extension(extension)) found(file, Capability::ConfigProfile, name);
    if (contradicts(extension, type)) found(file, Capability::TypeMismatch, name);
}

void FileScan::content(FileFacts& file, std::string_view bytes, std::size_t depth) {
    const std::string extension = extension_of(last_name(file.path));
    file.type = as_opened(file.type, extension, bytes);
    const std::string type = file.type;
    if (type == "text" || type == "html" || type == "eml") scan_plain(*this, file, bytes);
    if (is_archive_type(type)) return scan_archive(*this, file, bytes, depth);
    if (type == "ole") return scan_ole(*this, file, bytes, depth);
    if (type == "pdf") return scan_pdf(*this, file, bytes, depth);
    if (type == "html") return scan_page(*this, file, bytes);
    if (type == "svg") return scan_svg(*this, file, bytes);
    if (type == "rtf") return scan_rtf(*this, file, bytes);
    if (type == "lnk") return scan_lnk(*this, file, bytes);
    if (type == "onenote") return scan_onenote(*this, file, bytes, depth);
    if (is_picture_type(type)) return scan_image(*this, file, bytes);
    if (type == "eml") return scan_mail(*this, file, bytes, depth);
    if (type == "text" && (extension == "txt" || extension == "ics" || extension == "csv"))
        text(bytes);
}

}  // namespace hygie::mail
