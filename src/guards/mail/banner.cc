#include "guards/mail/banner.h"

#include "guards/mail/charset.h"
#include "guards/mail/fold.h"
#include "guards/mail/limits.h"
#include "guards/mail/mime.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kPgpMark = "-----BEGIN PGP ";

struct TextParts {
    GMimePart* plain = nullptr;
    GMimePart* html = nullptr;
};

void take_part(GMimeObject*, GMimeObject* part, gpointer found) {
    auto& parts = *static_cast<TextParts*>(found);
    if (!GMIME_IS_PART(part) || is_attachment(part)) return;
    const std::string type = part_type(part);
    if (type == "text/plain" && !parts.plain) parts.plain = GMIME_PART(part);
    if (type == "text/html" && !parts.html) parts.html = GMIME_PART(part);
}

TextParts parts_of(GMimeMessage* message) {
    TextParts parts;
    g_mime_message_foreach(message, take_part, &parts);
    return parts;
}

Text sentences(const Judgement& judgement) {
    Text all{"Message suspect.", "Suspicious message."};
    if (!judgement.reasons.empty()) {
        all.fr += " " + judgement.reasons.front().text.fr;
        all.en += " " + judgement.reasons.front().text.en;
    }
    all.fr += " → " + judgement.advice.fr;
    all.en += " → " + judgement.advice.en;
    return all;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += c;
    }
    return out;
}

std::string as_plain(const Text& why) {
    return "[Hygie] " + why.fr + "\n[Hygie] " + why.en + "\n" + std::string(60, '-') + "\n\n";
}

std::string as_html(const Text& why) {
    return "<div style=\"border:2px solid #b35900;background:#fff4e5;color:#222;padding:10px;"
           "margin:0 0 12px;font-family:sans-serif\"><p lang=\"fr\"><strong>Hygie</strong> — " +
           escaped(why.fr) + "</p><p lang=\"en\"><strong>Hygie</strong> — " + escaped(why.en) +
           "</p></div>";
}

/// Behind the opening <body …>, where there is one.
std::size_t place_in_html(std::string_view html) {
    const std::size_t body = lower(html).find("<body");
    if (body == std::string::npos) return 0;
    const std::size_t end = html.find('>', body);
    return end == std::string_view::npos ? 0 : end + 1;
}

std::string text_of(GMimePart* part) {
    return decode_charset(part_bytes(part, kMessageBytesMax),
                          part_parameter(GMIME_OBJECT(part), "charset"))
        .text;
}

void set_text(GMimePart* part, const std::string& text) {
    const GOwned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(text.data(), text.size()));
    const GOwned<GMimeDataWrapper> content(
        g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
    g_mime_part_set_content(part, content.get());
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
}

/// The body without its header fields, lines ended as SMTP ends them.
std::string body_of(GMimeObject* root) {
    const GOwned<GMimeStream> out(g_mime_stream_mem_new());
    g_mime_object_write_content_to_stream(root, nullptr, out.get());
    const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
    std::string body;
    if (!bytes) return body;
    char before = '\0';
    for (const char c : std::string_view(reinterpret_cast<const char*>(bytes->data), bytes->len)) {
        if (c == '\n' && before != '\r') body += '\r';
        body += c;
        before = c;
    }
    return body;
}

}  // namespace

std::optional<Bannered> with_banner(std::string_view bytes, const Message& message,
                                    const Judgement& judgement) {
    if (message.is_signed || message.is_encrypted || contains(message.plain, kPgpMark)) return {};
    const GOwned<GMimeMessage> parsed = mime_message(bytes);
    GMimeObject* root = parsed ? g_mime_message_get_mime_part(parsed.get()) : nullptr;
    if (!root) return {};
    const TextParts parts = parts_of(parsed.get());
    if (!parts.plain && !parts.html) return {};
    const Text why = sentences(judgement);
    if (parts.plain) set_text(parts.plain, as_plain(why) + text_of(parts.plain));
    if (parts.html) {
        std::string html = text_of(parts.html);
        html.insert(place_in_html(html), as_html(why));
        set_text(parts.html, html);
    }
    Bannered out{.headers = {}, .body = body_of(root)};
    if (GMIME_IS_PART(root))
        out.headers = {{"MIME-Version", "1.0"},
                       {"Content-Type", part_type(root) + "; charset=utf-8"},
                       {"Content-Transfer-Encoding", "quoted-printable"}};
    return out;
}

}  // namespace hygie::mail
