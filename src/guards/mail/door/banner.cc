#include "guards/mail/door/banner.h"

#include "guards/mail/door/neutral.h"
#include "guards/mail/message/charset.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/mime.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kPgpMark = "-----BEGIN PGP ";

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

void take_part(GMimeObject*, GMimeObject* part, gpointer found) {
    if (!GMIME_IS_PART(part) || is_attachment(part)) return;
    const std::string type = part_type(part);
    if (type == "text/plain" || type == "text/html")
        static_cast<std::vector<GMimePart*>*>(found)->push_back(GMIME_PART(part));
}

std::vector<GMimePart*> texts_of(GMimeMessage* message) {
    std::vector<GMimePart*> parts;
    g_mime_message_foreach(message, take_part, &parts);
    return parts;
}

/// Puts a word in the place of each file of that name; false when there is none.
bool leave_out(GMimeObject* object, const std::string& name) {
    if (!GMIME_IS_MULTIPART(object)) return false;
    GMimeMultipart* parts = GMIME_MULTIPART(object);
    bool is_found = false;
    for (int i = 0; i < g_mime_multipart_get_count(parts); ++i) {
        GMimeObject* part = g_mime_multipart_get_part(parts, i);
        if (GMIME_IS_MULTIPART(part)) {
            is_found |= leave_out(part, name);
            continue;
        }
        if (!GMIME_IS_PART(part) || part_file_name(part) != name) continue;
        const GOwned<GMimePart> word(g_mime_part_new_with_type("text", "plain"));
        g_mime_object_set_disposition(GMIME_OBJECT(word.get()), "attachment");
        g_mime_part_set_filename(word.get(), "hygie.txt");
        set_text(word.get(), "[Hygie] Pièce jointe retenue, qui s'exécute à l'ouverture : " + name +
                                 "\n[Hygie] Attachment held back, it runs when opened: " + name +
                                 "\n");
        const GOwned<GMimeObject> old(g_mime_multipart_replace(parts, i, GMIME_OBJECT(word.get())));
        is_found = true;
    }
    return is_found;
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

/// A letter without a text, a document or a picture alone, gets one: a part before all it has.
std::optional<Bannered> with_text_in_front(GMimeObject* root, const Text& why) {
    const GOwned<GMimePart> word(g_mime_part_new_with_type("text", "plain"));
    set_text(word.get(), as_plain(why));
    const GOwned<GMimeMultipart> all(g_mime_multipart_new_with_subtype("mixed"));
    g_mime_multipart_add(all.get(), GMIME_OBJECT(word.get()));
    g_mime_multipart_add(all.get(), root);
    const char* boundary = g_mime_multipart_get_boundary(all.get());
    if (!boundary) return {};
    Bannered out{
        .headers = {{"MIME-Version", "1.0"},
                    {"Content-Type", std::string("multipart/mixed; boundary=\"") + boundary + "\""},
                    {"Content-Transfer-Encoding", "8bit"}},
        .body = body_of(GMIME_OBJECT(all.get()))};
    if (g_mime_object_get_content_disposition(root))
        out.headers.emplace_back("Content-Disposition", "inline");
    return out;
}

/// The message anew, `why` on top where a banner is wanted.
std::optional<Bannered> changed_parts(std::string_view bytes, const Message& message,
                                      const Text& why, const Rewrite& what) {
    if (message.is_signed || message.is_encrypted || contains(message.plain, kPgpMark)) return {};
    const GOwned<GMimeMessage> parsed = mime_message(bytes);
    GMimeObject* root = parsed ? g_mime_message_get_mime_part(parsed.get()) : nullptr;
    if (!root) return {};
    for (const std::string& name : what.without_files)
        if (!leave_out(root, name)) return {};
    std::vector<GMimePart*> parts = texts_of(parsed.get());
    const bool changes_more = what.neutral || !what.without_files.empty();
    if (parts.empty() && what.banner && !changes_more) return with_text_in_front(root, why);
    if (parts.empty()) return {};
    bool plain_has_banner = !what.banner;
    bool html_has_banner = !what.banner;
    for (GMimePart* part : parts) {
        const bool is_html = part_type(GMIME_OBJECT(part)) == "text/html";
        bool& has_banner = is_html ? html_has_banner : plain_has_banner;
        // Only the first of each kind is what a reader sees first; links hide in all.
        if (has_banner && !what.neutral) continue;
        std::string text = text_of(part);
        if (what.neutral) text = is_html ? neutral_html(text) : neutral_text(text);
        if (!std::exchange(has_banner, true)) {
            if (is_html)
                text.insert(place_in_html(text), as_html(why));
            else
                text.insert(0, as_plain(why));
        }
        set_text(part, text);
    }
    Bannered out{.headers = {}, .body = body_of(root)};
    if (GMIME_IS_PART(root))
        out.headers = {{"MIME-Version", "1.0"},
                       {"Content-Type", part_type(root) + "; charset=utf-8"},
                       {"Content-Transfer-Encoding", "quoted-printable"}};
    return out;
}

}  // namespace

std::optional<Bannered> with_banner(std::string_view bytes, const Message& message,
                                    const Judgement& judgement) {
    return rewritten(bytes, message, judgement, {.banner = true});
}

std::optional<Bannered> rewritten(std::string_view bytes, const Message& message,
                                  const Judgement& judgement, const Rewrite& what) {
    return changed_parts(bytes, message, sentences(judgement), what);
}

std::optional<Bannered> with_notice(std::string_view bytes, const Text& notice) {
    const auto message = parse_message(bytes);
    if (!message) return {};
    return changed_parts(bytes, *message, notice, {.banner = true});
}

}  // namespace hygie::mail
