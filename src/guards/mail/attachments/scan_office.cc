#include <algorithm>

#include "guards/mail/attachments/scan.h"
#include "guards/mail/attachments/sniff.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/html.h"
#include "guards/mail/message/share.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kMemberTextMax = 2U << 20;

/// The text between the tags, paragraphs apart.
std::string xml_text(std::string_view xml) {
    std::string out;
    for (std::size_t at = 0; at < xml.size() && out.size() < kTextBytesMax;) {
        const std::size_t open = std::min(xml.find('<', at), xml.size());
        out += xml.substr(at, open - at);
        const std::size_t close = std::min(xml.find('>', open), xml.size());
        const std::string_view tag = xml.substr(open, close - open);
        if (tag.starts_with("</w:p") || tag.starts_with("</a:p") || tag.starts_with("</si") ||
            tag.starts_with("</text:p") || tag.starts_with("<w:br") || tag.starts_with("<w:tab"))
            out.push_back('\n');
        at = close + 1;
    }
    return decode_entities(out);
}

bool is_elsewhere(std::string_view target) {
    return starts_with_any_case(target, "http") || starts_with_any_case(target, "ftp:") ||
           is_foreign_share(target);
}

/// Relations that lead out of the document: links to follow, and templates and objects that load
/// by themselves. Pictures do so too, and only those on a share give something away.
void read_relations(FileScan& scan, FileFacts& file, std::string_view xml) {
    const HtmlSink sink{
        .tag =
            [&](const HtmlTag& tag) {
                if (tag.name != "relationship" ||
                    !equal_any_case(tag.attribute("targetmode"), "External"))
                    return;
                const std::string_view target = tag.attribute("target");
                const std::string kind = lower(tag.attribute("type"));
                if (kind.ends_with("/hyperlink")) {
                    scan.link(file.path, target, LinkKind::Anchor);
                } else if (kind.ends_with("/attachedtemplate") || kind.ends_with("/oleobject") ||
                           kind.ends_with("/frame") || kind.ends_with("/subdocument")) {
                    if (!starts_with_any_case(target, "file:") || is_foreign_share(target))
                        scan.found(file, Capability::ExternalTemplate, target);
                } else if (kind.ends_with("/extensibility") ? is_elsewhere(target)
                                                            : is_foreign_share(target)) {
                    scan.found(file, Capability::ExternalTemplate, target);
                }
            },
        .text = [](std::string_view) {},
        .script = [](std::string_view) {}};
    tokenize_html(xml, sink);
}

/// What fields are told to do, one after the other: a field may be cut into many runs.
std::string instructions(std::string_view low) {
    static constexpr std::string_view kRun = "instrtext";
    static constexpr std::string_view kWhole = "w:instr=\"";
    std::string out(" ");
    for (std::size_t at = low.find(kRun); at != std::string_view::npos;
         at = low.find(kRun, at + kRun.size())) {
        const std::size_t begin = low.find('>', at);
        if (begin == std::string_view::npos) break;
        const bool closes = at >= 3 && low.substr(at - 3, 3) == "/w:";
        if (!closes) out += low.substr(begin + 1, low.find('<', begin) - begin - 1);
    }
    for (std::size_t at = low.find(kWhole); at != std::string_view::npos;
         at = low.find(kWhole, at + 1)) {
        const std::size_t begin = at + kWhole.size();
        out.push_back(' ');
        out += low.substr(begin, low.find('"', begin) - begin);
    }
    return out;
}

bool has_dde(std::string_view xml) {
    const std::string low = lower(xml);
    if (contains(low, "ddelink ")) return true;
    const std::string told = instructions(low);
    return contains(told, " ddeauto ") || contains(told, " dde ");
}

/// A ribbon's buttons call macros by name; a name may say in which document they stand.
void read_ribbon(FileScan& scan, FileFacts& file, std::string_view xml) {
    const HtmlSink sink{
        .tag =
            [&](const HtmlTag& tag) {
                for (const HtmlAttribute& one : tag.attributes)
                    if (!one.name.starts_with("xmlns") && is_elsewhere(trim(one.value)))
                        scan.found(file, Capability::ExternalTemplate, one.value);
            },
        .text = [](std::string_view) {},
        .script = [](std::string_view) {}};
    tokenize_html(xml, sink);
}

/// What an OpenDocument text does when it opens: events that start a macro, DDE, and parts and
/// pictures that come from elsewhere (ODF 1.3, part 3).
void read_open_document(FileScan& scan, FileFacts& file, std::string_view xml) {
    const HtmlSink sink{
        .tag =
            [&](const HtmlTag& tag) {
                const std::string_view target = trim(tag.attribute("xlink:href"));
                const std::string_view event = tag.attribute("script:event-name");
                if (tag.name == "script:event-listener" && !tag.closes) {
                    const bool opens = event == "dom:load" || event == "office:new" ||
                                       event == "dom:DOMFocusIn" || event == "office:load-finished";
                    scan.found(file, opens ? Capability::MacroAutoRun : Capability::Macro,
                               target.empty() ? event : target);
                }
                if (tag.name == "office:dde-source" || tag.name == "text:dde-connection-decl")
                    scan.found(file, Capability::Dde, "DDE");
                const bool part = tag.name == "text:section-source" || tag.name == "draw:object" ||
                                  tag.name == "draw:object-ole" ||
                                  tag.name == "draw:floating-frame" ||
                                  tag.name == "table:table-source";
                if (part ? is_elsewhere(target)
                         : tag.name == "draw:image" && is_foreign_share(target))
                    scan.found(file, Capability::ExternalTemplate, target);
            },
        .text = [](std::string_view) {},
        .script = [](std::string_view) {}};
    tokenize_html(xml, sink);
}

/// A module of Basic, or a script of another language, in an OpenDocument file.
bool is_open_document_macro(std::string_view name, std::string_view bytes) {
    if (name.starts_with("basic/")) return name.ends_with(".xml") && !contains(name, "script-l");
    return name.starts_with("scripts/") && !bytes.empty() &&
           !name.ends_with("parcel-descriptor.xml");
}

/// Where the words stand that a reader sees.
bool is_shown_text(std::string_view name) {
    return name == "word/document.xml" || name == "xl/sharedstrings.xml" || name == "content.xml" ||
           (name.starts_with("ppt/slides/slide") && name.ends_with(".xml"));
}

bool may_hold_dde(std::string_view name) {
    return name.ends_with(".xml") &&
           (name.starts_with("word/") || contains(name, "/externallinks/"));
}

/// Macros of each kind of office file, by where they lie in it.
void find_macros(FileScan& scan, FileFacts& file, std::string_view name, std::string_view bytes) {
    const std::string low = lower(name);
    if (low == "xl/workbook.xml" && contains(lower(bytes), "_xlnm.auto_open"))
        scan.found(file, Capability::MacroAutoRun, "Auto_Open");
    if (is_open_document_macro(low, bytes) && !file.has(Capability::Macro))
        scan.found(file, Capability::Macro, name);
}

}  // namespace

void scan_office_member(FileScan& scan, FileFacts& file, std::string_view name,
                        std::string_view bytes) {
    const std::string low = lower(name);
    if (low.ends_with("vbaproject.bin")) {
        scan_ole(scan, file, bytes, 0);
        if (!file.has(Capability::Macro)) scan.found(file, Capability::Macro, name);
        return;
    }
    if (contains(low, "/macrosheets/")) {
        scan.found(file, Capability::Macro, name);
        if (contains(lower(bytes), "auto_open"))
            scan.found(file, Capability::MacroAutoRun, "Auto_Open");
        return;
    }
    find_macros(scan, file, name, bytes);
    if (low.starts_with("customui/") && low.ends_with(".xml"))
        return read_ribbon(scan, file, bytes.substr(0, kMemberTextMax));
    if (low == "content.xml" || low == "styles.xml")
        read_open_document(scan, file, bytes.substr(0, kMemberTextMax));
    if (contains(low, "/embeddings/") && low.ends_with(".bin"))
        return scan_ole(scan, file, bytes, 1);
    if (contains(low, "/embeddings/"))
        return scan.scan(file.path + low.substr(low.rfind('/')), bytes, 2);
    if (sniff(bytes) == "ole") return scan_ole(scan, file, bytes, 1);
    if (low.ends_with(".rels")) return read_relations(scan, file, bytes);
    const std::string_view part = bytes.substr(0, kMemberTextMax);
    if (is_shown_text(low)) {
        const std::string words = xml_text(part);
        scan.text(words);
        scan.addresses(file.path, words);
    }
    if (may_hold_dde(low) && has_dde(part)) scan.found(file, Capability::Dde, "DDE");
    if (const std::string_view type = sniff(bytes); is_picture_type(type)) {
        FileFacts image{file.path, std::string(type), {}};
        scan_image(scan, image, bytes);
    }
}

}  // namespace hygie::mail
