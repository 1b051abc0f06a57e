#include "guards/mail/message/mime_walk.h"

#include <algorithm>
#include <array>

#include "guards/mail/message/charset.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/html.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/tnef.h"
#include "guards/mail/message/uuencoded.h"

namespace hygie::mail {
namespace {

/// Less visible HTML than this beside plain text is a wrapper, not a letter.
constexpr std::size_t kThinTextBytes = 40;

/// The reading of a calendar: what an invitation shows.
std::string calendar_text(std::string_view ics) {
    static constexpr auto kShown = std::to_array<std::string_view>(
        {"SUMMARY", "DESCRIPTION", "LOCATION", "ORGANIZER", "URL", "COMMENT"});
    std::string flat;
    for (std::size_t i = 0; i < ics.size(); ++i) {
        if (ics[i] == '\r') continue;
        const bool folded_line =
            ics[i] == '\n' && i + 1 < ics.size() && (ics[i + 1] == ' ' || ics[i + 1] == '\t');
        if (folded_line)
            ++i;
        else
            flat.push_back(ics[i]);
    }
    std::string out;
    for (std::size_t at = 0; at < flat.size();) {
        const std::size_t end = std::min(flat.find('\n', at), flat.size());
        const std::string_view line = std::string_view(flat).substr(at, end - at);
        const std::size_t colon = line.find(':');
        const std::string_view name = line.substr(0, line.find_first_of(":;"));
        if (colon != std::string_view::npos && std::ranges::find(kShown, name) != kShown.end()) {
            for (std::size_t i = colon + 1; i < line.size(); ++i) {
                if (line[i] != '\\' || i + 1 == line.size())
                    out.push_back(line[i]);
                else if (const char next = line[++i]; next == 'n' || next == 'N')
                    out.push_back('\n');
                else
                    out.push_back(next);
            }
            out.push_back('\n');
        }
        at = end + 1;
    }
    return out;
}

/// "kyc-check.free.example", alone on its line: what a reader is to copy, and many programs make a
/// link of. Three labels at least: "setup.sh" is a file.
bool is_bare_place(std::string_view line) {
    constexpr std::size_t kPlaceBytesMax = 200;
    if (line.size() < 10 || line.size() > kPlaceBytesMax) return false;
    const std::string_view host = line.substr(0, line.find('/'));
    const bool spelled = std::ranges::all_of(host, [](char c) {
        return c == '.' || c == '-' || std::isalnum(static_cast<unsigned char>(c));
    });
    if (!spelled || std::ranges::count(host, '.') < 2 || host.front() == '.' ||
        host.back() == '.' || contains(line, " ") || starts_with_any_case(host, "www."))
        return false;
    const std::string_view top = host.substr(host.rfind('.') + 1);
    const bool of_letters = std::ranges::all_of(
        top, [](char c) { return std::isalpha(static_cast<unsigned char>(c)); });
    return of_letters && top.size() >= 2 && registrable_domain(lower(host)).size() < host.size();
}

void bare_places(std::string_view text, std::vector<RawLink>& out) {
    while (!text.empty() && out.size() < kLinksMax) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trim(text.substr(0, end));
        if (is_bare_place(line))
            out.push_back(
                {.kind = LinkKind::Text, .target = std::string(line), .shown = std::string(line)});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

/// An invitation that comes as a file is shown as one all the same.
bool ends_with_ics(std::string_view name) {
    return lower(name).ends_with(".ics");
}

class Walker {
  public:
    explicit Walker(Message& out) : out_(out) {}

    void walk(GMimeObject* part, std::size_t depth) {
        if (!part) return;
        if (depth > kPartDepthMax) {
            out_.defects.too_deep = true;
            return;
        }
        if (++parts_ > kPartsMax) {
            out_.defects.too_many_parts = true;
            return;
        }
        if (GMIME_IS_MULTIPART(part))
            multipart(part, depth);
        else if (GMIME_IS_MESSAGE_PART(part))
            embedded(GMIME_MESSAGE_PART(part), depth);
        else if (GMIME_IS_PART(part))
            leaf(GMIME_PART(part), depth);
    }

    void finish() {
        bool shows_html = false;
        for (const Segment& segment : shown_) {
            join(out_.text, segment.text, kTextBytesMax);
            shows_html = shows_html || segment.is_html;
        }
        if (out_.links.empty() || !shows_html) links_of_text(out_.text, out_.links);
        if (out_.links.empty()) bare_places(out_.text, out_.links);
    }

  private:
    struct Segment {
        bool is_html = false;
        std::string text;
    };

    void multipart(GMimeObject* part, std::size_t depth) {
        const std::string type = part_type(part);
        if (type == "multipart/signed") out_.is_signed = true;
        if (type == "multipart/encrypted") out_.is_encrypted = true;
        const bool report = type == "multipart/report";
        if (report) out_.is_report = true;
        const std::size_t before = shown_.size();
        const int count = g_mime_multipart_get_count(GMIME_MULTIPART(part));
        if (count == 0) unbounded(GMIME_MULTIPART(part), type, depth);
        for (int i = 0; i < count; ++i)
            walk(g_mime_multipart_get_part(GMIME_MULTIPART(part), i), depth + 1);
        if (type == "multipart/alternative") choose(before);
    }

    /// Parts whose boundary is not named, or is another one: some readers take the first line that
    /// looks like one, others show all as it stands.
    void unbounded(GMimeMultipart* part, const std::string& type, std::size_t depth) {
        constexpr std::size_t kBoundaryMax = 70;
        const char* prologue = g_mime_multipart_get_prologue(part);
        if (!prologue) return;
        const std::string_view text(prologue);
        const std::size_t at = text.starts_with("--") ? 0 : text.find("\n--");
        if (at == std::string_view::npos) return as_it_stands(text);
        const std::string_view line = text.substr(text.find("--", at) + 2);
        const std::string_view boundary = trim(line.substr(0, line.find('\n')));
        if (boundary.empty() || boundary.size() > kBoundaryMax || contains(boundary, "\""))
            return as_it_stands(text);
        std::string guessed = "Content-Type: " + type + "; boundary=\"";
        guessed.append(boundary).append("\"\n\n").append(text);
        const GOwned<GMimeMessage> read = mime_message(guessed);
        GMimeObject* root = read ? g_mime_message_get_mime_part(read.get()) : nullptr;
        if (!root || !GMIME_IS_MULTIPART(root) ||
            g_mime_multipart_get_count(GMIME_MULTIPART(root)) == 0)
            return as_it_stands(text);
        walk(root, depth + 1);
    }

    void as_it_stands(std::string_view text) {
        std::string shown = clean_utf8(cut(text, kTextBytesMax));
        join(out_.plain, shown, kTextBytesMax);
        shown_.push_back({.is_html = false, .text = std::move(shown)});
    }

    /// Of alternatives the reader sees one: the HTML, unless it is only a wrapper.
    void choose(std::size_t first) {
        const auto begin = shown_.begin() + static_cast<std::ptrdiff_t>(first);
        const bool rich = std::any_of(begin, shown_.end(), [](const Segment& one) {
            return one.is_html && one.text.size() >= kThinTextBytes;
        });
        if (!rich) return;
        shown_.erase(
            std::remove_if(begin, shown_.end(), [](const Segment& one) { return !one.is_html; }),
            shown_.end());
    }

    void embedded(GMimeMessagePart* part, std::size_t depth) {
        GMimeMessage* inner = g_mime_message_part_get_message(part);
        if (!inner) return;
        if (const char* subject = g_mime_message_get_subject(inner);
            subject && out_.embedded_subjects.size() < kAttachmentsMax)
            out_.embedded_subjects.push_back(clean_utf8(cut(subject, kHeaderBytesMax)));
        // What a bounce sends back was not written to the reader; its files are still files.
        const std::size_t before = shown_.size();
        const std::size_t links = out_.links.size();
        walk(g_mime_message_get_mime_part(inner), depth + 1);
        if (!out_.is_report) return;
        shown_.resize(before);
        out_.links.resize(std::min(out_.links.size(), links));
    }

    void leaf(GMimePart* part, std::size_t depth) {
        auto* object = GMIME_OBJECT(part);
        const std::string type = part_type(object);
        const std::string name = part_file_name(object);
        if (type == "application/pkcs7-signature" || type == "application/x-pkcs7-signature" ||
            type == "application/pgp-signature" || type == "application/pgp-encrypted")
            return;
        if (type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime")
            if (smime(part, depth)) return;
        const bool file = is_attachment(object) || (!name.empty() && !shown_.empty());
        if (!file && type == "text/html") return html(part);
        if (!file && type == "text/calendar") return calendar(part);
        if (!file && (type.starts_with("text/") || type == "message/delivery-status" ||
                      type == "message/disposition-notification"))
            return plain(part);
        if (file && !out_.has_calendar && (type == "text/calendar" || ends_with_ics(name)))
            calendar(part);
        attach(part, type, name);
    }

    std::string decoded(GMimePart* part, std::string_view bytes, std::size_t size_max) {
        if (bytes.size() > size_max) out_.defects.truncated = true;
        Decoded text = decode_charset(bytes.substr(0, size_max),
                                      part_parameter(GMIME_OBJECT(part), "charset"));
        out_.defects.broken_charset = out_.defects.broken_charset || text.broken;
        return std::move(text.text);
    }

    void html(GMimePart* part) {
        const std::string page = decoded(part, part_bytes(part, kHtmlBytesMax + 1), kHtmlBytesMax);
        HtmlView view = view_html(page);
        join(out_.html, page, kHtmlBytesMax);
        join(out_.hidden, view.hidden, kTextBytesMax);
        for (RawLink& link : view.links)
            if (out_.links.size() < kLinksMax) out_.links.push_back(std::move(link));
        for (Form& form : view.forms) out_.forms.push_back(std::move(form));
        out_.images += view.images;
        out_.tracking_images += view.tracking_images;
        out_.html_has_script = out_.html_has_script || view.has_script;
        if (out_.html_share.empty()) out_.html_share = std::move(view.share);
        shown_.push_back({.is_html = true, .text = std::move(view.text)});
    }

    void plain(GMimePart* part) {
        std::string bytes = part_bytes(part, kAttachmentBytesMax);
        for (UuFile& file : take_uuencoded(bytes))
            keep(std::move(file.name), std::move(file.bytes));
        std::string text = decoded(part, bytes, kTextBytesMax);
        join(out_.plain, text, kTextBytesMax);
        shown_.push_back({.is_html = false, .text = std::move(text)});
    }

    void calendar(GMimePart* part) {
        out_.has_calendar = true;
        std::string text =
            calendar_text(decoded(part, part_bytes(part, kTextBytesMax + 1), kTextBytesMax));
        join(out_.plain, text, kTextBytesMax);
        links_of_text(text, out_.links);
        // Kept beside the HTML alternative: the calendar shows it too.
        shown_.push_back({.is_html = true, .text = std::move(text)});
    }

    bool smime(GMimePart* part, std::size_t depth) {
        const std::string kind = part_parameter(GMIME_OBJECT(part), "smime-type");
        if (equal_any_case(kind, "enveloped-data") || equal_any_case(kind, "authEnveloped-data")) {
            out_.is_encrypted = true;
            return true;
        }
        const std::string content = signed_content(part_bytes(part, kAttachmentBytesMax));
        if (content.empty()) return false;
        out_.is_signed = true;
        const GOwned<GMimeMessage> inner = mime_message(content);
        if (inner) walk(g_mime_message_get_mime_part(inner.get()), depth + 1);
        return true;
    }

    void attach(GMimePart* part, const std::string& type, const std::string& name) {
        if (out_.attachments.size() >= kAttachmentsMax) {
            out_.defects.too_many_parts = true;
            return;
        }
        std::string bytes = part_bytes(part, kAttachmentBytesMax + 1);
        const bool cut_short = bytes.size() > kAttachmentBytesMax;
        if (cut_short) bytes.resize(kAttachmentBytesMax);
        if (type == "application/ms-tnef" || equal_any_case(name, "winmail.dat"))
            if (tnef(bytes)) return;
        const char* id = g_mime_part_get_content_id(part);
        out_.attachments.push_back({.name = name,
                                    .type = type,
                                    .bytes = std::move(bytes),
                                    .is_inline = !is_attachment(GMIME_OBJECT(part)),
                                    .is_truncated = cut_short,
                                    .content_id = id ? clean_utf8(id) : std::string()});
    }

    bool tnef(std::string_view bytes) {
        Tnef opened = read_tnef(bytes);
        if (!opened.is_tnef) return false;
        if (!opened.body.empty()) {
            join(out_.plain, opened.body, kTextBytesMax);
            shown_.push_back({.is_html = false, .text = std::move(opened.body)});
        }
        for (Tnef::File& file : opened.files) keep(std::move(file.name), std::move(file.bytes));
        return true;
    }

    /// A file that stood inside another part.
    void keep(std::string name, std::string bytes) {
        if (out_.attachments.size() >= kAttachmentsMax) return;
        out_.attachments.push_back({.name = std::move(name),
                                    .type = "application/octet-stream",
                                    .bytes = std::move(bytes),
                                    .is_inline = false,
                                    .is_truncated = false,
                                    .content_id = {}});
    }

    void join(std::string& to, std::string_view more, std::size_t size_max) {
        if (to.size() >= size_max) return;
        if (!to.empty() && !to.ends_with('\n')) to.push_back('\n');
        to += cut(more, size_max - to.size());
    }

    Message& out_;
    std::vector<Segment> shown_;
    std::size_t parts_ = 0;
};

bool ends_link(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '<' || c == '>' || c == '`' ||
           c == '{' || c == '}' || c == '|' || c == '\\' || c == '^';
}

}  // namespace

void links_of_text(std::string_view text, std::vector<RawLink>& out) {
    static constexpr auto kStarts =
        std::to_array<std::string_view>({"http://", "https://", "ftp://", "www."});
    for (std::size_t at = 0; at < text.size() && out.size() < kLinksMax; ++at) {
        const char first = text[at];
        if (first != 'h' && first != 'H' && first != 'f' && first != 'F' && first != 'w' &&
            first != 'W')
            continue;
        const std::string_view rest = text.substr(at);
        const bool starts = std::ranges::any_of(
            kStarts, [&](std::string_view one) { return starts_with_any_case(rest, one); });
        const bool inside_word = at > 0 && (static_cast<unsigned char>(text[at - 1]) >= 0x80 ||
                                            std::isalnum(static_cast<unsigned char>(text[at - 1])));
        if (!starts || inside_word) continue;
        std::size_t end = 0;
        while (end < rest.size() && end < 4096 && !ends_link(rest[end])) ++end;
        std::string_view found = rest.substr(0, end);
        while (!found.empty() && contains(".,;:!?)]'*_", found.substr(found.size() - 1)))
            found.remove_suffix(1);
        if (found.size() > 8)
            out.push_back({.kind = LinkKind::Text,
                           .target = std::string(found),
                           .shown = std::string(found)});
        at += std::max<std::size_t>(end, 1) - 1;
    }
}

void walk_parts(GMimeMessage* mime, Message& out) {
    Walker walker(out);
    walker.walk(g_mime_message_get_mime_part(mime), 0);
    walker.finish();
}

}  // namespace hygie::mail
