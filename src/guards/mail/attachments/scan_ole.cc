#include <algorithm>

#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/message/bytes_at.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/ole.h"

namespace hygie::mail {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kStreamRead = 4U << 20;
constexpr std::size_t kSourceMax = 1U << 20;

/// Procedures that Office calls by itself.
constexpr auto kAutoRun = std::to_array<std::string_view>(
    {"autoopen", "auto_open", "autoexec", "autoclose", "auto_close", "document_open",
     "document_close", "document_new", "workbook_open", "workbook_activate", "workbook_close",
     "presentation_open", "slideshowbegin", "onslideshowpagechange", "_layout(", "_gotfocus(",
     "inkpicture"});

/// A name that starts with a control character, as Office marks its own: "\1Ole10Native".
bool named(const OleFile::Entry& entry, std::string_view name) {
    std::string_view own = entry.name;
    if (!own.empty() && static_cast<unsigned char>(own[0]) < 32) own.remove_prefix(1);
    return equal_any_case(own, name);
}

std::string_view auto_run_in(std::string_view source) {
    const std::string low = lower(source);
    for (const std::string_view name : kAutoRun)
        if (contains(low, name)) return name;
    return {};
}

/// The module's source stands behind its compiled form; its container starts with 0x01 and a
/// chunk head.
std::string module_source(std::string_view stream) {
    for (std::size_t at = 0; at + 3 < stream.size(); ++at) {
        if (stream[at] != 1 || (u16_at(stream, at + 1) & 0xF000U) != 0xB000U) continue;
        std::string source = vba_source(stream.substr(at), kSourceMax);
        if (contains(source.substr(0, 64), "Attribut")) return source;
    }
    return {};
}

void read_vba(FileScan& scan, FileFacts& file, const OleFile& ole) {
    std::string_view auto_run;
    for (const OleFile::Entry& entry : ole.entries()) {
        if (!entry.is_stream) continue;
        const std::string source = module_source(ole.stream(entry, kStreamRead));
        if (auto_run.empty()) auto_run = auto_run_in(source);
    }
    scan.found(file, Capability::Macro, "VBA");
    if (!auto_run.empty()) scan.found(file, Capability::MacroAutoRun, auto_run);
}

/// Excel 4 macros: a sheet of type 1 in the workbook, started by the built-in name Auto_Open.
void read_workbook(FileScan& scan, FileFacts& file, std::string_view book) {
    constexpr std::uint16_t kBoundSheet = 0x0085;
    constexpr std::uint16_t kName = 0x0018;
    constexpr std::uint16_t kFilePass = 0x002F;
    bool macro_sheet = false;
    bool auto_open = false;
    for (std::size_t at = 0; at + 4 <= book.size();) {
        const std::uint16_t id = u16_at(book, at);
        const std::size_t size = u16_at(book, at + 2);
        const std::string_view data = part_of(book, at + 4, size);
        if (id == kBoundSheet && data.size() > 6) macro_sheet = macro_sheet || data[5] == 1;
        if (id == kFilePass) scan.found(file, Capability::ArchiveEncrypted, "Excel");
        if (id == kName && data.size() > 15) {
            const bool built_in = (u16_at(data, 0) & 0x20U) != 0;
            auto_open = auto_open || (built_in && (data[15] == 1 || data[14] == 1)) ||
                        contains(lower(data), "auto_open");
        }
        at += 4 + size;
    }
    if (!macro_sheet) return;
    scan.found(file, Capability::Macro, "Excel 4");
    if (auto_open) scan.found(file, Capability::MacroAutoRun, "Auto_Open");
}

/// \1Ole10Native: a file wrapped by the object packager.
void read_package(FileScan& scan, FileFacts& file, std::string_view stream, std::size_t depth) {
    const std::size_t label_end = stream.find('\0', 6);
    const std::string label(
        part_of(stream, 6, label_end == std::string_view::npos ? 0 : label_end - 6));
    scan.found(file, Capability::EmbeddedObject, label.empty() ? "Ole10Native" : label);
    for (const std::string_view mark : {"MZ"sv, "PK\x03\x04"sv, "\x4C\0\0\0\x01\x14\x02\0"sv}) {
        const std::size_t at = stream.find(mark, 6);
        if (at == std::string_view::npos) continue;
        scan.scan(file.path + "/" + (label.empty() ? "object" : label), stream.substr(at),
                  depth + 1);
        return;
    }
}

/// Text of a Word or other stream, enough for links and lures: runs of printable characters.
void read_text(FileScan& scan, std::string_view stream) {
    std::string out;
    std::string run;
    const auto flush = [&] {
        if (run.size() >= 6) out += run + "\n";
        run.clear();
    };
    for (std::size_t i = 0; i < stream.size() && out.size() < kTextBytesMax / 4; ++i) {
        const auto byte = static_cast<unsigned char>(stream[i]);
        if (byte >= 32 && byte < 127)
            run.push_back(stream[i]);
        else if (byte == 0 && !run.empty() && i + 2 < stream.size() && stream[i + 2] == 0)
            continue;
        else
            flush();
    }
    flush();
    scan.text(out);
}

}  // namespace

void scan_ole(FileScan& scan, FileFacts& file, std::string_view bytes, std::size_t depth) {
    const OleFile ole(bytes);
    if (ole.root_class().substr(0, 4) == "\x84\x10\x0C\x00"sv) {
        scan.found(file, Capability::Executable, "MSI");
        return;
    }
    bool vba = false;
    for (const OleFile::Entry& entry : ole.entries()) {
        if (named(entry, "VBA") || named(entry, "_VBA_PROJECT")) vba = true;
        if (named(entry, "EncryptedPackage"))
            scan.found(file, Capability::ArchiveEncrypted, "Office");
        if (named(entry, "Equation Native"))
            scan.found(file, Capability::ExploitShape, "Equation Native");
        if (!entry.is_stream) continue;
        if (named(entry, "Workbook") || named(entry, "Book"))
            read_workbook(scan, file, ole.stream(entry, kStreamRead));
        if (named(entry, "Ole10Native"))
            read_package(scan, file, ole.stream(entry, kStreamRead), depth);
        if (named(entry, "WordDocument")) {
            const std::string stream = ole.stream(entry, kStreamRead);
            read_text(scan, stream);
            if (contains(stream, "DDEAUTO")) scan.found(file, Capability::Dde, "DDEAUTO");
        }
        // Attachments of an Outlook message.
        if (entry.name.starts_with("__substg1.0_3701"))
            scan.scan(file.path + "/attachment", ole.stream(entry, kStreamRead), depth + 1);
    }
    if (vba) read_vba(scan, file, ole);
}

}  // namespace hygie::mail
