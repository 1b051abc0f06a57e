#include "guards/mail/mailboxes/imap_reply.h"

#include <fmt/format.h>
#include <unicode/ucnv.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

std::unexpected<Error> too_much() {
    return fail(Code::Full,
                {"le serveur IMAP en dit plus qu'aucune réponse ne tient",
                 "the IMAP server says more than any answer holds"},
                {"la connexion est fermée et reprise ; voyez si ce serveur est bien le vôtre",
                 "the connection is closed and made again; see whether this server is yours"});
}

std::optional<std::uint64_t> number_at(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data()) return {};
    return value;
}

std::optional<std::uint32_t> uid_at(std::string_view text) {
    const auto value = number_at(text);
    if (!value || *value > UINT32_MAX) return {};
    return static_cast<std::uint32_t>(*value);
}

/// The size that "… {12}" or "… {12+}" announces at the end of a line.
std::optional<std::uint64_t> literal_size(std::string_view line) {
    if (!line.ends_with('}')) return {};
    const std::size_t open = line.rfind('{');
    if (open == std::string_view::npos) return {};
    const std::string_view digits = line.substr(open + 1, line.size() - open - 2);
    if (digits.empty() || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
        return {};
    return number_at(digits);
}

/// Where `name` stands as a word of a FETCH list, behind it.
std::optional<std::string_view> behind(std::string_view line, std::string_view name) {
    for (std::size_t at = line.find(name); at != std::string_view::npos;
         at = line.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        if (at > 0 && (line[at - 1] == ' ' || line[at - 1] == '(') && end < line.size() &&
            line[end] == ' ')
            return line.substr(end + 1);
    }
    return {};
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string recoded(std::string_view text, const char* to, const char* from) {
    UErrorCode error = U_ZERO_ERROR;
    std::string out(text.size() * 8 + 16, '\0');
    const std::int32_t size =
        ucnv_convert(to, from, out.data(), static_cast<std::int32_t>(out.size()), text.data(),
                     static_cast<std::int32_t>(text.size()), &error);
    if (U_FAILURE(error) || size < 0) return std::string(text);
    out.resize(static_cast<std::size_t>(size));
    return out;
}

constexpr const char* kImapNames = "IMAP-mailbox-name";

}  // namespace

std::optional<bool> ImapReply::done(std::string_view tag) const {
    const std::string_view all = line;
    if (!all.starts_with(tag) || all.size() <= tag.size() || all[tag.size()] != ' ') return {};
    return starts_with_any_case(all.substr(tag.size() + 1), "ok");
}

Status ImapReader::feed(std::string_view bytes) {
    pending_.append(bytes);
    while (true) {
        if (in_literal_) {
            if (pending_.size() < literal_left_) return {};
            open_.literals.push_back(pending_.substr(0, literal_left_));
            pending_.erase(0, literal_left_);
            in_literal_ = false;
            scanned_ = 0;
        }
        const std::size_t end = pending_.find('\n', scanned_);
        if (end == std::string::npos) {
            scanned_ = pending_.size();
            return open_.line.size() + pending_.size() > kImapLineBytesMax ? Status(too_much())
                                                                           : Status();
        }
        TRY_STATUS(take_line());
    }
}

Status ImapReader::take_line() {
    const std::size_t end = pending_.find('\n', scanned_);
    std::string_view line = std::string_view(pending_).substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (open_.line.size() + line.size() > kImapLineBytesMax) return too_much();
    const auto literal = literal_size(line);
    open_.line.append(line);
    pending_.erase(0, end + 1);
    scanned_ = 0;
    if (literal) {
        if (*literal > kMessageBytesMax || open_.literals.size() >= kPartsMax) return too_much();
        literal_left_ = *literal;
        in_literal_ = true;
        return {};
    }
    ready_.push_back(std::move(open_));
    open_ = {};
    return {};
}

std::optional<ImapReply> ImapReader::next() {
    if (given_ == ready_.size()) {
        ready_.clear();
        given_ = 0;
        return {};
    }
    return std::move(ready_[given_++]);
}

std::optional<std::vector<std::uint32_t>> search_hits(const ImapReply& reply) {
    constexpr std::string_view kStart = "* search";
    if (!starts_with_any_case(reply.line, kStart)) return {};
    std::vector<std::uint32_t> hits;
    std::string_view rest = std::string_view(reply.line).substr(kStart.size());
    while (!(rest = trim(rest)).empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        if (const auto uid = uid_at(rest.substr(0, end))) hits.push_back(*uid);
        rest.remove_prefix(end);
    }
    std::ranges::sort(hits);
    return hits;
}

std::optional<std::uint32_t> coded_number(const ImapReply& reply, std::string_view name) {
    const std::size_t at = lower(reply.line).find("[" + lower(name) + " ");
    if (at == std::string::npos) return {};
    return uid_at(std::string_view(reply.line).substr(at + name.size() + 2));
}

std::optional<std::uint32_t> exists_count(const ImapReply& reply) {
    if (!reply.is_untagged() || !lower(reply.line).ends_with(" exists")) return {};
    return uid_at(std::string_view(reply.line).substr(2));
}

bool Fetched::has_flag(std::string_view flag) const {
    return std::ranges::any_of(flags,
                               [&](const std::string& one) { return equal_any_case(one, flag); });
}

std::optional<Fetched> fetched(const ImapReply& reply) {
    const std::string_view line = reply.line;
    const std::size_t open = line.find('(');
    if (!reply.is_untagged() || open == std::string_view::npos ||
        !contains(lower(line.substr(0, open)), " fetch "))
        return {};
    Fetched out;
    if (const auto uid = behind(line, "UID")) out.uid = uid_at(*uid).value_or(0);
    if (out.uid == 0) return {};
    if (const auto size = behind(line, "RFC822.SIZE")) out.size = number_at(*size).value_or(0);
    if (const auto flags = behind(line, "FLAGS"); flags && flags->starts_with('(')) {
        std::string_view rest = flags->substr(1, flags->find(')') - 1);
        while (!(rest = trim(rest)).empty()) {
            const std::size_t end = std::min(rest.find(' '), rest.size());
            out.flags.emplace_back(rest.substr(0, end));
            rest.remove_prefix(end);
        }
    }
    if (const auto body = behind(line, "BODY[]")) {
        if (body->starts_with('{') && !reply.literals.empty())
            out.body = reply.literals.back();
        else if (body->starts_with("\"\""))
            out.body = "";
    }
    return out;
}

std::optional<std::string> listed_folder(const ImapReply& reply) {
    const std::string start = lower(reply.line);
    const std::size_t flags_end = start.find(')');
    if (!start.starts_with("* list (") || flags_end == std::string::npos) return {};
    const std::string_view flags = std::string_view(start).substr(0, flags_end);
    if (contains(flags, "\\noselect") || contains(flags, "\\nonexistent")) return {};
    if (!reply.literals.empty()) return recoded(reply.literals.back(), "UTF-8", kImapNames);
    std::string_view rest = trim(std::string_view(reply.line).substr(flags_end + 1));
    // The delimiter, in quotes or NIL, then the name, in quotes or bare.
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return {};
    rest = trim(rest.substr(blank + 1));
    std::string name;
    if (!rest.starts_with('"')) {
        name = std::string(rest);
    } else {
        for (std::size_t i = 1; i < rest.size() && rest[i] != '"'; ++i) {
            if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
            name += rest[i];
        }
    }
    if (name.empty()) return {};
    return recoded(name, "UTF-8", kImapNames);
}

std::string quoted_folder(std::string_view name) {
    std::string plain;
    for (const char c : name)
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) plain += c;
    return in_quotes(recoded(plain, kImapNames, "UTF-8"));
}

Result<std::string> quoted_text(std::string_view text) {
    const auto fits = [](char c) { return c >= 0x20 && c < 0x7f; };
    if (!std::ranges::all_of(text, fits))
        return fail(Code::BadInput,
                    {"ce texte ne se cherche pas par IMAP", "this text cannot be searched by IMAP"},
                    {"seules les lettres simples passent", "plain letters alone pass"});
    return in_quotes(text);
}

std::string search_date(WallTime at) {
    static constexpr std::array kMonths = std::to_array<std::string_view>(
        {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
    return fmt::format("{}-{}-{}", unsigned(day.day()), kMonths[unsigned(day.month()) - 1],
                       int(day.year()));
}

}  // namespace hygie::mail
