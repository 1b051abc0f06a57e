#include "guards/mail/message/message.h"

#include <algorithm>

#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/mime.h"
#include "guards/mail/message/mime_walk.h"

namespace hygie::mail {
namespace {

std::string tidy_header(const char* value) {
    if (!value) return {};
    std::string out = clean_utf8(cut(value, kHeaderBytesMax));
    std::string flat;
    flat.reserve(out.size());
    for (const char c : out) {
        const bool fold_mark = c == '\r' || c == '\n' || c == '\t';
        if (!fold_mark)
            flat.push_back(c);
        else if (!flat.ends_with(' '))
            flat.push_back(' ');
    }
    return std::string(trim(flat));
}

void take_mailbox(InternetAddressMailbox* mailbox, std::vector<Address>& out) {
    const char* written = internet_address_mailbox_get_addr(mailbox);
    const std::string address = written ? lower(trim(clean_utf8(written))) : std::string();
    const char* name = internet_address_get_name(INTERNET_ADDRESS(mailbox));
    out.push_back({.name = tidy_header(name), .address = std::string(bare_address(address))});
}

void take_addresses(InternetAddressList* list, std::vector<Address>& out, int depth = 0) {
    if (!list || depth > 4) return;
    const int size = internet_address_list_length(list);
    for (int i = 0; i < size && out.size() < kAddressesMax; ++i) {
        InternetAddress* one = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_MAILBOX(one))
            take_mailbox(INTERNET_ADDRESS_MAILBOX(one), out);
        else if (INTERNET_ADDRESS_IS_GROUP(one))
            take_addresses(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one)), out,
                           depth + 1);
    }
}

/// "<a@b> <c@d>" → {"a@b", "c@d"}
std::vector<std::string> message_ids(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t at = text.find('<'); at != std::string_view::npos && out.size() < 200;
         at = text.find('<', at)) {
        const std::size_t end = text.find('>', at);
        if (end == std::string_view::npos) break;
        out.emplace_back(trim(text.substr(at + 1, end - at - 1)));
        at = end;
    }
    if (out.empty() && !trim(text).empty()) out.emplace_back(trim(text));
    return out;
}

void take_headers(GMimeMessage* mime, Message& out) {
    GMimeHeaderList* list = g_mime_object_get_header_list(GMIME_OBJECT(mime));
    const int count = g_mime_header_list_get_count(list);
    int froms = 0;
    for (int i = 0; i < count && out.headers.size() < kHeadersMax; ++i) {
        GMimeHeader* header = g_mime_header_list_get_header_at(list, i);
        const std::string name = tidy_header(g_mime_header_get_name(header));
        if (equal_any_case(name, "from")) ++froms;
        out.headers.push_back({name, tidy_header(g_mime_header_get_value(header))});
    }
    out.defects.duplicate_from = froms > 1;
    out.defects.no_headers = out.headers.empty();
}

void take_known_headers(GMimeMessage* mime, Message& out) {
    out.subject = std::string(out.header("subject"));
    take_addresses(g_mime_message_get_from(mime), out.from);
    take_addresses(g_mime_message_get_sender(mime), out.sender);
    take_addresses(g_mime_message_get_reply_to(mime), out.reply_to);
    take_addresses(g_mime_message_get_to(mime), out.to);
    take_addresses(g_mime_message_get_cc(mime), out.cc);
    out.return_path = lower(bare_address(out.header("return-path")));
    out.message_id = bare_address(out.header("message-id"));
    out.in_reply_to = message_ids(out.header("in-reply-to"));
    out.references = message_ids(out.header("references"));
}

/// Where the header block ends: the first empty line.
std::size_t header_end(std::string_view bytes) {
    const std::size_t unix_end = bytes.find("\n\n");
    const std::size_t dos_end = bytes.find("\n\r\n");
    return std::min({unix_end, dos_end, bytes.size()});
}

/// The word of base64 behind "?B?" at `mark`, of a header field; empty where it is none.
std::string_view encoded_word(std::string_view bytes, std::size_t mark) {
    constexpr std::size_t kCharsetMax = 40;
    constexpr std::size_t kWordMax = 1024;
    const std::size_t line = std::min(mark, kCharsetMax);
    const std::string_view before = bytes.substr(mark - line, line);
    const std::size_t start = before.rfind("=?");
    if (start == std::string_view::npos || contains(before.substr(start), " ")) return {};
    const std::string_view rest = bytes.substr(mark + 3, kWordMax);
    const std::size_t end = rest.find_first_of("? \r\n");
    return end != std::string_view::npos && rest.substr(end).starts_with("?=") ? rest.substr(0, end)
                                                                               : std::string_view{};
}

/// Readers add the marks that a word in base64 lacks at its end. GMime drops what stands before
/// them, be it the end of a brand's name or of a file's.
std::string_view completed(std::string_view bytes, std::string& copy) {
    std::size_t done = 0;
    for (std::size_t at = bytes.find('?'); at != std::string_view::npos && at + 3 < bytes.size();
         at = bytes.find('?', at + 1)) {
        if ((bytes[at + 1] != 'B' && bytes[at + 1] != 'b') || bytes[at + 2] != '?') continue;
        const std::string_view word = encoded_word(bytes, at);
        if (word.size() % 4 < 2) continue;
        const std::size_t end = at + 3 + word.size();
        copy.append(bytes.substr(done, end - done)).append(4 - word.size() % 4, '=');
        done = end;
    }
    if (done == 0) return bytes;
    copy += bytes.substr(done);
    return copy;
}

/// The message without what only costs time: hundreds of thousands of fields or parts.
std::string_view bounded(std::string_view bytes, std::string& copy, Defects& defects) {
    std::size_t lines = 0;
    for (std::size_t at = bytes.find("\n--"); at != std::string_view::npos;
         at = bytes.find("\n--", at + 3))
        if (++lines > kBoundaryLinesMax) {
            defects.too_many_parts = true;
            bytes = bytes.substr(0, at + 1);
            break;
        }
    const std::size_t end = header_end(bytes);
    if (end <= kHeaderBlockBytesMax) return bytes;
    defects.truncated = true;
    const std::size_t cut_at = bytes.rfind('\n', kHeaderBlockBytesMax);
    copy = bytes.substr(0, cut_at == std::string_view::npos ? kHeaderBlockBytesMax : cut_at);
    copy += bytes.substr(end);
    return copy;
}

}  // namespace

std::string_view Address::domain() const {
    return domain_of(address);
}

std::string_view Message::header(std::string_view name) const {
    const auto it = std::ranges::find_if(
        headers, [&](const Header& one) { return equal_any_case(one.name, name); });
    return it == headers.end() ? std::string_view{} : it->value;
}

const Address& Message::author() const {
    static const Address nobody;
    return from.empty() ? nobody : from.front();
}

Result<Message> parse_message(std::string_view bytes) {
    if (bytes.empty())
        return fail(Code::BadInput, {"le message est vide", "the message is empty"},
                    {"donnez le message entier, en-têtes compris",
                     "give the whole message, headers included"});
    if (bytes.size() > kMessageBytesMax)
        return fail(
            Code::Full,
            {"le message est trop grand pour être lu", "the message is too large to be read"},
            {"la limite est de 64 Mio", "the limit is 64 MiB"});
    Message out;
    std::string copy;
    std::string with_marks;
    const std::string_view read = bounded(bytes, copy, out.defects);
    const GOwned<GMimeMessage> mime = mime_message(completed(read, with_marks));
    if (!mime) {
        // No header at all: some readers show such bytes as plain text, and so do we.
        out.defects.no_headers = true;
        out.plain = out.text = clean_utf8(cut(bytes, kTextBytesMax));
        return out;
    }
    take_headers(mime.get(), out);
    take_known_headers(mime.get(), out);
    walk_parts(mime.get(), out);
    return out;
}

}  // namespace hygie::mail
