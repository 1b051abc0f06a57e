#include "guards/mail/mailboxes/imap.h"

#include <fmt/format.h>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr Micros kLook = std::chrono::seconds(1);
/// A server may forget a client that idles for half an hour (RFC 2177).
constexpr Micros kIdleMax = std::chrono::minutes(25);
/// How often a server that cannot tell of new mail is asked.
constexpr Micros kPollInterval = std::chrono::seconds(30);

std::unexpected<Error> lost() {
    return fail(Code::Unavailable,
                {"le serveur IMAP ne répond plus", "the IMAP server does not answer any more"},
                {"la garde y revient d'elle-même ; voyez le réseau si cela dure",
                 "the guard comes back to it by itself; see the network if this lasts"});
}

std::unexpected<Error> refused() {
    return fail(Code::Denied,
                {"le serveur IMAP a refusé une commande", "the IMAP server refused a command"},
                {"vérifiez les droits de ce compte sur ses dossiers, et la place qui lui reste",
                 "check this account's rights on its folders, and the room it has left"});
}

}  // namespace

std::string ImapSession::new_tag() {
    return fmt::format("H{}", ++tags_);
}

Result<ImapReply> ImapSession::next_reply(Micros patience) {
    std::string bytes;
    while (true) {
        if (auto reply = reader_.next()) {
            is_changed_ |= exists_count(*reply).has_value();
            return std::move(*reply);
        }
        bytes.clear();
        if (!TRY(stream_->receive(bytes, patience))) return lost();
        TRY_STATUS(reader_.feed(bytes));
    }
}

Status ImapSession::command(const std::string& text, const Take& take) {
    const std::string tag = new_tag();
    TRY_STATUS(stream_->send(tag + " " + text + "\r\n"));
    while (true) {
        const ImapReply reply = TRY(next_reply(kImapPatience));
        if (const auto done = reply.done(tag)) {
            if (take && *done) take(reply);
            return *done ? Status() : Status(refused());
        }
        if (starts_with_any_case(reply.line, "* bye")) return lost();
        if (take) take(reply);
    }
}

Status ImapSession::start() {
    return command("CAPABILITY", [&](const ImapReply& reply) {
        const std::string words = " " + lower(reply.line) + " ";
        if (!words.starts_with(" * capability ")) return;
        can_idle_ = contains(words, " idle ");
        can_move_ = contains(words, " move ");
        can_expunge_one_ = contains(words, " uidplus ");
    });
}

Result<ImapFolder> ImapSession::select(const std::string& folder) {
    ImapFolder out;
    TRY_STATUS(command("SELECT " + quoted_folder(folder), [&](const ImapReply& reply) {
        if (const auto number = coded_number(reply, "UIDVALIDITY")) out.uid_validity = *number;
        if (const auto number = coded_number(reply, "UIDNEXT")) out.uid_next = *number;
        if (contains(lower(reply.line), "[permanentflags")) {
            const std::string_view line = reply.line;
            out.takes_keywords = contains(line.substr(0, line.find(']')), "\\*");
        }
    }));
    return out;
}

Status ImapSession::need_folder(const std::string& folder) {
    bool is_there = false;
    TRY_STATUS(command("LIST \"\" " + quoted_folder(folder), [&](const ImapReply& reply) {
        is_there |= listed_folder(reply).has_value();
    }));
    if (is_there) return {};
    TRY_STATUS(command("CREATE " + quoted_folder(folder)));
    // A person must see it; a server without subscriptions may refuse.
    const Status shown = command("SUBSCRIBE " + quoted_folder(folder));
    return !shown && shown.error().code != Code::Denied ? shown : Status();
}

Result<std::vector<std::string>> ImapSession::folders() {
    std::vector<std::string> all;
    TRY_STATUS(command("LIST \"\" \"*\"", [&](const ImapReply& reply) {
        if (auto name = listed_folder(reply)) all.push_back(std::move(*name));
    }));
    return all;
}

Result<std::vector<std::uint32_t>> ImapSession::search(const std::string& what) {
    std::vector<std::uint32_t> hits;
    is_changed_ = false;
    TRY_STATUS(command("UID SEARCH " + what, [&](const ImapReply& reply) {
        if (auto found = search_hits(reply)) hits = std::move(*found);
    }));
    return hits;
}

Result<Fetched> ImapSession::fetch_items(std::uint32_t uid, const std::string& items) {
    std::optional<Fetched> found;
    TRY_STATUS(command(fmt::format("UID FETCH {} ({})", uid, items), [&](const ImapReply& reply) {
        auto one = fetched(reply);
        if (one && one->uid == uid && (!found || one->body)) found = std::move(one);
    }));
    if (found) return std::move(*found);
    return fail(Code::NotFound, {"ce message n'est plus là", "this message is not there any more"},
                {"quelqu'un l'a déplacé", "somebody moved it"});
}

Result<Fetched> ImapSession::look(std::uint32_t uid) {
    return fetch_items(uid, "UID FLAGS RFC822.SIZE");
}

Result<Fetched> ImapSession::fetch(std::uint32_t uid) {
    return fetch_items(uid, "UID FLAGS BODY.PEEK[]");
}

Status ImapSession::add_flags(std::uint32_t uid, const std::string& flags) {
    return command(fmt::format("UID STORE {} +FLAGS.SILENT ({})", uid, flags));
}

Status ImapSession::remove_flags(std::uint32_t uid, const std::string& flags) {
    return command(fmt::format("UID STORE {} -FLAGS.SILENT ({})", uid, flags));
}

Result<std::uint32_t> ImapSession::move(std::uint32_t uid, const std::string& folder) {
    std::uint32_t there = 0;
    const Take take = [&](const ImapReply& reply) {
        // "[COPYUID validity from to]"
        const std::size_t at = lower(reply.line).find("[copyuid ");
        if (at == std::string::npos) return;
        const std::string_view code = std::string_view(reply.line).substr(at);
        const std::size_t end = code.find(']');
        const std::size_t last = code.substr(0, end).rfind(' ');
        if (end == std::string_view::npos || last == std::string_view::npos) return;
        there = static_cast<std::uint32_t>(
            std::strtoul(std::string(code.substr(last + 1, end - last - 1)).c_str(), nullptr, 10));
    };
    if (can_move_) {
        TRY_STATUS(command(fmt::format("UID MOVE {} {}", uid, quoted_folder(folder)), take));
        return there;
    }
    if (!can_expunge_one_) return refused();
    TRY_STATUS(command(fmt::format("UID COPY {} {}", uid, quoted_folder(folder)), take));
    TRY_STATUS(add_flags(uid, "\\Deleted"));
    TRY_STATUS(command(fmt::format("UID EXPUNGE {}", uid)));
    return there;
}

Status ImapSession::append(const std::string& folder, const std::string& flags,
                           std::string_view message) {
    const std::string tag = new_tag();
    TRY_STATUS(stream_->send(fmt::format("{} APPEND {} ({}) {{{}}}\r\n", tag, quoted_folder(folder),
                                         flags, message.size())));
    bool is_sent = false;
    while (true) {
        const ImapReply reply = TRY(next_reply(kImapPatience));
        if (const auto done = reply.done(tag)) return *done ? Status() : Status(refused());
        if (!reply.is_continuation() || is_sent) continue;
        TRY_STATUS(stream_->send(message));
        TRY_STATUS(stream_->send("\r\n"));
        is_sent = true;
    }
}

Result<bool> ImapSession::wait_for_change(Micros patience, const std::function<bool()>& stopped) {
    if (can_idle_ && !is_changed_) TRY_STATUS(idle(std::min(patience, kIdleMax), stopped));
    if (can_idle_ || is_changed_) return is_changed_;
    for (Micros left = std::min(patience, kPollInterval); left > Micros(0) && !stopped();
         left -= kLook) {
        std::string bytes;
        if (TRY(stream_->receive(bytes, kLook))) TRY_STATUS(reader_.feed(bytes));
    }
    TRY_STATUS(command("NOOP"));
    return is_changed_;
}

Status ImapSession::idle(Micros patience, const std::function<bool()>& stopped) {
    const std::string tag = new_tag();
    TRY_STATUS(stream_->send(tag + " IDLE\r\n"));
    bool is_over = false;
    const auto take = [&](const ImapReply& reply) -> Status {
        if (starts_with_any_case(reply.line, "* bye")) return lost();
        if (const auto done = reply.done(tag)) {
            is_over = true;
            if (!*done) return refused();
        }
        return {};
    };
    for (Micros left = patience; left > Micros(0) && !is_changed_ && !is_over && !stopped();) {
        std::string bytes;
        if (!TRY(stream_->receive(bytes, kLook))) left -= kLook;
        TRY_STATUS(reader_.feed(bytes));
        while (const auto reply = reader_.next()) {
            is_changed_ |= exists_count(*reply).has_value();
            TRY_STATUS(take(*reply));
        }
    }
    if (is_over) return {};
    TRY_STATUS(stream_->send("DONE\r\n"));
    while (!is_over) TRY_STATUS(take(TRY(next_reply(kImapPatience))));
    return {};
}

}  // namespace hygie::mail
