#include <array>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/judge/judge.h"

namespace hygie::mail {

std::string_view name_of(Capability capability) {
    switch (capability) {
        case Capability::Executable:
            return "executable";
        case Capability::Script:
            return "script";
        case Capability::Macro:
            return "macro";
        case Capability::MacroAutoRun:
            return "macro_auto_run";
        case Capability::ExternalTemplate:
            return "external_template";
        case Capability::EmbeddedObject:
            return "embedded_object";
        case Capability::Dde:
            return "dde";
        case Capability::Shortcut:
            return "shortcut";
        case Capability::DiskImage:
            return "disk_image";
        case Capability::HtmlSmuggling:
            return "html_smuggling";
        case Capability::HtmlForm:
            return "html_form";
        case Capability::HtmlScript:
            return "html_script";
        case Capability::OneNoteFile:
            return "onenote_file";
        case Capability::SvgScript:
            return "svg_script";
        case Capability::PdfJavaScript:
            return "pdf_javascript";
        case Capability::PdfLaunch:
            return "pdf_launch";
        case Capability::PdfPageLink:
            return "pdf_page_link";
        case Capability::PictureText:
            return "picture_text";
        case Capability::PdfEmbedded:
            return "pdf_embedded";
        case Capability::ArchiveEncrypted:
            return "archive_encrypted";
        case Capability::ArchiveNested:
            return "archive_nested";
        case Capability::ArchiveOdd:
            return "archive_odd";
        case Capability::ArchiveBomb:
            return "archive_bomb";
        case Capability::DoubleExtension:
            return "double_extension";
        case Capability::TypeMismatch:
            return "type_mismatch";
        case Capability::ChmHelp:
            return "chm_help";
        case Capability::RtfObject:
            return "rtf_object";
        case Capability::ExploitShape:
            return "exploit_shape";
        case Capability::ConfigProfile:
            return "config_profile";
        case Capability::KnownBad:
            return "known_bad";
    }
    return "";
}

namespace {

constexpr std::array<std::string_view, kClasses> kClassNames = {
    "none",         "spam",          "phishing",  "spear_phishing", "malware",
    "tech_support", "payment_fraud", "extortion", "data_theft"};

constexpr std::array<std::string_view, kLures> kLureNames = {
    "credential",      "threat",      "urgency",     "click",        "payment_change",
    "payment_request", "secrecy",     "bec_opener",  "gift_card",    "call",
    "support_alert",   "charge",      "extortion",   "data_request", "delivery",
    "refund",          "health",      "document",    "attachment",   "generic_greeting",
    "prize",           "advance_fee", "spam_invest", "spam_goods",   "mailing",
    "identify",        "secret",      "opened",      "house"};

}  // namespace

std::string_view name_of(Lure lure) {
    return kLureNames.at(static_cast<std::size_t>(lure));
}

bool lure_named(std::string_view name, Lure& out) {
    for (std::size_t i = 0; i < kLures; ++i) {
        if (kLureNames[i] != name) continue;
        out = static_cast<Lure>(i);
        return true;
    }
    return false;
}

std::string_view name_of(Class kind) {
    return kClassNames.at(static_cast<std::size_t>(kind));
}

bool class_named(std::string_view name, Class& out) {
    for (std::size_t i = 0; i < kClasses; ++i) {
        if (kClassNames[i] != name) continue;
        out = static_cast<Class>(i);
        return true;
    }
    return false;
}

}  // namespace hygie::mail
