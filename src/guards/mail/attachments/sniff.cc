#include "guards/mail/attachments/sniff.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "guards/mail/message/bytes_at.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

struct Magic {
    std::size_t at;
    std::string_view bytes;
    std::string_view type;
};
using namespace std::string_view_literals;
constexpr std::array kMagics = std::to_array<Magic>({
    {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "ole"},
    {0, "PK\x03\x04"sv, "zip"},
    {0, "PK\x05\x06"sv, "zip"},
    {0, "\x4C\x00\x00\x00\x01\x14\x02\x00"sv, "lnk"},
    {0,
     "\x7F"
     "ELF"sv,
     "elf"},
    {0, "MZ"sv, "pe"},
    {0, "\xCA\xFE\xBA\xBE"sv, "macho"},
    {0, "\xCF\xFA\xED\xFE"sv, "macho"},
    {0, "\xCE\xFA\xED\xFE"sv, "macho"},
    {0, "\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D"sv, "onenote"},
    {0, "7z\xBC\xAF\x27\x1C"sv, "7z"},
    {0, "Rar!\x1A\x07"sv, "rar"},
    {0, "\x1F\x8B"sv, "gzip"},
    {0, "BZh"sv, "bzip2"},
    {0,
     "\xFD"
     "7zXZ\x00"sv,
     "xz"},
    {0, "\x28\xB5\x2F\xFD"sv, "zstd"},
    {0, "MSCF"sv, "cab"},
    {0, "ITSF"sv, "chm"},
    {0, "\x60\xEA"sv, "arj"},
    {0, "xar!"sv, "xar"},
    {0, "vhdxfile"sv, "vhd"},
    {0, "conectix"sv, "vhd"},
    {0, "\x89PNG\r\n\x1A\n"sv, "png"},
    {0, "\xFF\xD8\xFF"sv, "jpeg"},
    {0, "GIF8"sv, "gif"},
    {0, "II*\0"sv, "tiff"},
    {0, "MM\0*"sv, "tiff"},
    {0, "RIFF"sv, "riff"},
    {0, "{\\rt"sv, "rtf"},
    {0, "\x78\x9F\x3E\x22"sv, "tnef"},
    {257, "ustar"sv, "tar"},
    {32769, "CD001"sv, "iso"},
    {32769, "BEA01"sv, "iso"},
    {32769, "NSR0"sv, "iso"},
    {2, "-lh"sv, "lzh"},
    {7, "**ACE**"sv, "ace"},
});

bool is_magic(std::string_view bytes, const Magic& magic) {
    return bytes.size() >= magic.at + magic.bytes.size() &&
           bytes.substr(magic.at, magic.bytes.size()) == magic.bytes;
}

/// Two letters are few: the reserved words and the size of the second header must fit too.
bool is_bmp(std::string_view bytes) {
    const std::uint32_t header = u32_at(bytes, 14);
    return bytes.starts_with("BM") && u32_at(bytes, 6) == 0 &&
           (header == 12 || header == 40 || header == 56 || header == 108 || header == 124);
}

constexpr std::size_t kHeadBytes = 2048;

/// The first field of a mail, and no single one: a note may begin with "Date:" too.
bool is_mail(std::string_view low) {
    for (const std::string_view first :
         {"from ", "received:", "return-path:", "delivered-to:", "mime-version:"})
        if (low.starts_with(first)) return true;
    const std::size_t colon = low.find_first_of(": \t\n");
    if (colon == std::string_view::npos || low[colon] != ':') return false;
    const std::string_view fields = low.substr(0, low.find("\n\n"));
    std::size_t known = 0;
    for (const std::string_view one :
         {"from:", "to:", "subject:", "date:", "message-id:", "mime-version:", "content-type:"}) {
        const std::size_t at = fields.find(one);
        known += at != std::string_view::npos && (at == 0 || fields[at - 1] == '\n') ? 1 : 0;
    }
    constexpr std::size_t kFieldsOfAMail = 3;
    return known >= kFieldsOfAMail;
}

/// Text that is a page, a drawing, a mail or a shortcut.
std::string_view sniff_text(std::string_view bytes) {
    const std::string head = lower(bytes.substr(0, kHeadBytes));
    const std::string_view start =
        trim(std::string_view(head).substr(head.starts_with("\xEF\xBB\xBF") ? 3 : 0));
    if (contains(head, "<svg")) return "svg";
    for (const std::string_view mark :
         {"<!doctype html", "<html", "<head", "<body", "<script", "<meta ", "<title", "<iframe",
          "<form", "<a href", "<div", "<table", "<style"})
        if (contains(head, mark)) return "html";
    if (start.starts_with("[internetshortcut]") || contains(head, "\n[internetshortcut]"))
        return "url";
    if (start.starts_with("<?xml") && contains(head, "librarydescription")) return "library-ms";
    if (start.starts_with("{\\rt")) return "rtf";
    return is_mail(start) ? "eml" : "text";
}

template <std::size_t N>
bool among(const std::array<std::string_view, N>& sorted, std::string_view word) {
    return std::ranges::binary_search(sorted, word);
}

constexpr auto kScripts = std::to_array<std::string_view>(
    {"a3x",      "ahk",     "applescript", "au3",   "bas",           "bat",      "cdxml",
     "cmd",      "command", "csh",         "dqy",   "fxp",           "gadget",   "hta",
     "htc",      "inf",     "ins",         "iqy",   "isp",           "its",      "job",
     "js",       "jse",     "ksh",         "mad",   "maf",           "mag",      "mam",
     "maq",      "mar",     "mas",         "mat",   "mau",           "mav",      "maw",
     "msc",      "msh",     "msh1",        "msh2",  "mshxml",        "ops",      "oqy",
     "pcd",      "plg",     "prf",         "prg",   "printerexport", "ps1",      "ps1xml",
     "ps2",      "psc1",    "psd1",        "psm1",  "pyw",           "pyz",      "pyzw",
     "reg",      "rqy",     "scpt",        "scptd", "sct",           "shb",      "slk",
     "terminal", "vb",      "vbe",         "vbp",   "vbs",           "vsmacros", "vsw",
     "ws",       "wsb",     "wsc",         "wsf",   "wsh",           "xnk"});
constexpr auto kPrograms = std::to_array<std::string_view>(
    {"accde",      "ade",     "adp", "apk",  "appx", "appxbundle", "com",  "cpl", "deb",  "diagcab",
     "diagcfg",    "diagpkg", "dll", "elf",  "exe",  "jar",        "jnlp", "mde", "msi",  "msix",
     "msixbundle", "msp",     "mst", "msu",  "ocx",  "pif",        "pkg",  "ppa", "ppam", "rpm",
     "run",        "scr",     "sys", "vsto", "vxd",  "wll",        "xbap", "xla", "xlam", "xll"});
/// They start a program, or have the reader's machine sign in at a stranger's.
constexpr auto kShortcuts = std::to_array<std::string_view>({"appinstaller",
                                                             "application",
                                                             "appref-ms",
                                                             "contact",
                                                             "desklink",
                                                             "deskthemepack",
                                                             "desktop",
                                                             "fileloc",
                                                             "inetloc",
                                                             "library-ms",
                                                             "lnk",
                                                             "rdp",
                                                             "scf",
                                                             "search-ms",
                                                             "searchconnector-ms",
                                                             "settingcontent-ms",
                                                             "theme",
                                                             "themepack",
                                                             "url",
                                                             "webloc",
                                                             "website"});
constexpr auto kDiskImages =
    std::to_array<std::string_view>({"dmg", "img", "iso", "udf", "vhd", "vhdx", "vmdk", "wim"});
/// Packed in ways that no scanner of ours unpacks and no honest office uses any more.
constexpr auto kOddArchives =
    std::to_array<std::string_view>({"ace", "alz", "arc", "arj", "egg", "uue", "xxe", "zoo"});
constexpr auto kDocuments = std::to_array<std::string_view>(
    {"csv", "doc", "docm", "docx", "gif", "htm", "html", "jpeg", "jpg",  "mp3", "mp4", "odt",
     "pdf", "png", "ppt",  "pptx", "rtf", "txt", "xls",  "xlsm", "xlsx", "xml", "zip"});
static_assert(std::ranges::is_sorted(kScripts) && std::ranges::is_sorted(kPrograms) &&
              std::ranges::is_sorted(kShortcuts) && std::ranges::is_sorted(kDiskImages) &&
              std::ranges::is_sorted(kOddArchives) && std::ranges::is_sorted(kDocuments));

}  // namespace

std::string_view sniff(std::string_view bytes) {
    if (bytes.empty()) return "data";
    for (const Magic& magic : kMagics)
        if (is_magic(bytes, magic)) return magic.type;
    if (is_bmp(bytes)) return "bmp";
    if (contains(bytes.substr(0, 1024), "%PDF-")) return "pdf";
    const std::string_view head = bytes.substr(0, kHeadBytes);
    const bool wide = head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF");
    const auto controls = std::ranges::count_if(head, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 9 || (byte > 13 && byte < 32);
    });
    if (wide) return "text";
    return controls == 0 ? sniff_text(bytes) : "data";
}

bool is_picture_type(std::string_view type) {
    return type == "png" || type == "jpeg" || type == "gif" || type == "riff" || type == "bmp" ||
           type == "tiff";
}

std::string extension_of(std::string_view name) {
    name = trim(name);
    while (name.ends_with('.')) name.remove_suffix(1);
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string() : lower(name.substr(dot + 1));
}

bool is_script_extension(std::string_view extension) {
    return among(kScripts, extension);
}
bool is_program_extension(std::string_view extension) {
    return among(kPrograms, extension);
}
bool is_shortcut_extension(std::string_view extension) {
    return among(kShortcuts, extension);
}
bool is_image_extension(std::string_view extension) {
    return among(kDiskImages, extension);
}
bool is_odd_archive_extension(std::string_view extension) {
    return among(kOddArchives, extension);
}
bool is_profile_extension(std::string_view extension) {
    return extension == "mobileconfig" || extension == "mobileprovision" || extension == "ppkg";
}
bool is_document_extension(std::string_view extension) {
    return among(kDocuments, extension);
}

}  // namespace hygie::mail
