#include <algorithm>
#include <array>

#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

/// Words of a document that is only a wrapper around a link.
constexpr std::size_t kThinDocumentWords = 120;

std::string_view signal_of(Capability capability) {
    switch (capability) {
        case Capability::Executable:
            return "file.executable";
        case Capability::Script:
            return "file.script";
        case Capability::Macro:
            return "file.macro";
        case Capability::MacroAutoRun:
            return "file.macro_auto_run";
        case Capability::ExternalTemplate:
            return "file.external_template";
        case Capability::EmbeddedObject:
            return "file.embedded_object";
        case Capability::Dde:
            return "file.dde";
        case Capability::Shortcut:
            return "file.shortcut";
        case Capability::DiskImage:
            return "file.disk_image";
        case Capability::HtmlSmuggling:
            return "file.html_smuggling";
        case Capability::HtmlForm:
            return "file.html_form";
        case Capability::HtmlScript:
            return "file.html_script";
        case Capability::OneNoteFile:
            return "file.onenote_file";
        case Capability::SvgScript:
            return "file.svg_script";
        case Capability::PdfJavaScript:
            return "file.pdf_javascript";
        case Capability::PdfLaunch:
            return "file.pdf_launch";
        case Capability::PdfPageLink:
            return "file.page_is_link";
        case Capability::PictureText:
            return "file.picture_text";
        case Capability::PdfEmbedded:
            return "file.pdf_embedded";
        case Capability::ArchiveEncrypted:
            return "file.archive_encrypted";
        case Capability::ArchiveNested:
            return "file.archive_nested";
        case Capability::ArchiveOdd:
            return "file.archive_odd";
        case Capability::ArchiveBomb:
            return "file.archive_bomb";
        case Capability::DoubleExtension:
            return "file.double_extension";
        case Capability::TypeMismatch:
            return "file.type_mismatch";
        case Capability::ChmHelp:
            return "file.chm_help";
        case Capability::RtfObject:
            return "file.rtf_object";
        case Capability::ExploitShape:
            return "file.exploit_shape";
        case Capability::ConfigProfile:
            return "file.config_profile";
        case Capability::KnownBad:
            break;  // no opinion to weigh: known_bad.h
    }
    return "";
}

}  // namespace

void draw_files(const Scene& scene, SignalList& out) {
    const AttachmentFacts& facts = scene.evidence.attachments;
    for (const FileFacts& file : facts.files) {
        const std::string outer = file.path.substr(0, file.path.find('/'));
        const std::string where = "attachment:" + outer;
        for (const FileFacts::Finding& finding : file.findings)
            if (finding.capability != Capability::KnownBad)
                out.add(signal_of(finding.capability), 1,
                        finding.detail.empty() ? file.path : finding.detail, where, file.path);
        if (file.type == "html") out.add("file.html", 1, file.path, where, file.path);
    }
    const std::size_t words = static_cast<std::size_t>(std::ranges::count(facts.text, ' ')) + 1;
    for (std::size_t i = 0; i < facts.links.size(); ++i)
        if (facts.links[i].kind != LinkKind::Text && words <= kThinDocumentWords)
            out.add("file.pdf_link", 1, facts.links[i].target, facts.link_where[i],
                    facts.link_where[i].substr(facts.link_where[i].find(':') + 1));
    if (!facts.password_in_text.empty() && out.has("file.archive_encrypted"))
        out.add("file.password_given", 1, facts.password_in_text, "text");
    if (facts.incomplete || facts.crashed)
        if (!scene.message.attachments.empty())
            out.add("file.unreadable", facts.crashed ? 1 : 0.5,
                    scene.message.attachments.front().name,
                    "attachment:" + scene.message.attachments.front().name);
    if (scene.message.has_calendar) out.add("file.calendar", 1, scene.message.subject, "text");
}

}  // namespace hygie::mail
