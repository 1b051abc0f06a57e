#include <algorithm>
#include <array>

#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/message/bytes_at.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/message.h"

namespace hygie::mail {
namespace {

using namespace std::string_view_literals;

/// Printable characters of 8- and 16-bit strings, one after the other.
std::string printable(std::string_view bytes, std::size_t size_max) {
    std::string out;
    for (const char c : bytes.substr(0, size_max)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 32 && byte < 127) out.push_back(c);
    }
    return out;
}

constexpr auto kStarters = std::to_array<std::string_view>(
    {"powershell", "mshta", "cmd.exe", "wscript", "cscript", "rundll32", "regsvr32", "msiexec",
     "curl", "conhost", "ftp.exe", "certutil", "explorer.exe", "\\\\"});

}  // namespace

void scan_lnk(FileScan& scan, FileFacts& file, std::string_view bytes) {
    const std::string text = lower(printable(bytes, 64U << 10));
    std::string_view starts = "LNK";
    for (const std::string_view one : kStarters)
        if (contains(text, one)) {
            starts = one;
            break;
        }
    scan.found(file, Capability::Shortcut, starts);
}

void scan_onenote(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth) {
    // FileDataStoreObject (MS-ONESTORE §2.6.13): GUID, length, 12 bytes, data.
    static constexpr std::string_view kStore =
        "\xE7\x16\xE3\xBD\x65\x26\x11\x45\xA4\xC4\x8D\x4D\x0B\x7A\x9E\xAC"sv;
    for (std::size_t at = bytes.find(kStore); at != std::string_view::npos;
         at = bytes.find(kStore, at + 16)) {
        const std::uint64_t size = u64_at(bytes, at + 16);
        const std::string_view inner =
            part_of(bytes, at + 36, std::min<std::uint64_t>(size, bytes.size()));
        const std::string_view type = sniff(inner);
        if (is_picture_type(type)) {
            FileFacts image{file.path, std::string(type), {}};
            scan_image(scan, image, inner);
            continue;
        }
        if (inner.empty()) continue;
        scan.found(file, Capability::OneNoteFile, type);
        scan.scan(file.path + "/embedded", inner, depth + 1);
    }
}

void scan_plain(FileScan& scan, FileFacts& file, std::string_view bytes) {
    static constexpr auto kFormulas = std::to_array<std::string_view>(
        {"cmd|", "powershell|", "mshta|", "msexcel|", "rundll32|", "regsvr32|", "wscript|"});
    const std::string_view head = bytes.substr(0, kTextBytesMax);
    const std::string low = lower(head);
    const std::string extension = extension_of(file.path);
    if (extension == "csv" || extension == "txt" || extension == "tsv")
        for (const std::string_view one : kFormulas)
            if (contains(low, one)) scan.found(file, Capability::Dde, one);
    // Word's XML of 2003, and pages that Word saved: "ActiveMime" in base64.
    if (contains(low, "macrospresent=\"yes\"") || contains(head, "QWN0aXZlTWltZ"))
        scan.found(file, Capability::Macro, "editdata.mso");
    if (contains(low, "msxsl:script")) scan.found(file, Capability::Script, "msxsl:script");
}

void scan_mail(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth) {
    const Result<Message> inner = parse_message(bytes);
    if (!inner) return;
    scan.text(inner->subject);
    scan.text(inner->text);
    for (const RawLink& one : inner->links) scan.link(file.path, one.target, one.kind, one.shown);
    // A page saved as a mail opens in a browser.
    if (const std::string saved = extension_of(file.path); saved == "mht" || saved == "mhtml")
        scan_page(scan, file, inner->html);
    for (const Attachment& one : inner->attachments)
        scan.scan(file.path + "/" + one.name, one.bytes, depth + 1);
}

}  // namespace hygie::mail
