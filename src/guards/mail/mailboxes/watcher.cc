#include "guards/mail/mailboxes/watcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/aead.h"
#include "crypto/tokens.h"
#include "event/uuid.h"
#include "guards/mail/door/banner.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "host/log.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPlaceBytesMax = 4U << 10;
constexpr Micros kPauseFirst = std::chrono::seconds(1);
constexpr Micros kPauseLongest = std::chrono::minutes(5);
constexpr Micros kLook = std::chrono::milliseconds(250);
constexpr Micros kJudgePause = std::chrono::seconds(2);
constexpr int kJudgeTriesMax = 3;
constexpr Micros kWaitMax = std::chrono::minutes(25);

bool is_settled(const Fetched& message) {
    return message.has_flag(kCheckedKeyword) || message.has_flag(kReleasedKeyword) ||
           message.has_flag(kSuspiciousKeyword);
}

/// Fit to stand between quotes; empty when it is not.
std::string quotable(std::string_view header) {
    const std::string_view id = trim(header);
    const auto is_plain = [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\'; };
    return std::ranges::all_of(id, is_plain) ? std::string(id) : std::string();
}

}  // namespace

std::string_view name_of(WatchAct act) {
    static constexpr std::array kNames =
        std::to_array<std::string_view>({"watching", "lost", "clean", "tagged", "bannered", "held",
                                         "released", "reported", "unchecked", "not_moved"});
    return kNames[static_cast<std::size_t>(act)];
}

Watcher::Watcher(WatchDoors doors, WatchPolicy policy, Mailbox mailbox, std::string dir,
                 const crypto::Secret32& key)
    : doors_(std::move(doors)),
      policy_(std::move(policy)),
      mailbox_(std::move(mailbox)),
      dir_(std::move(dir)),
      key_(key) {}

void Watcher::run(const std::function<bool()>& stopped) {
    Micros pause = kPauseFirst;
    while (!stopped()) {
        const SteadyTime start = doors_.clock.steady();
        const Status visited = visit(stopped);
        if (visited || stopped()) continue;
        log::warning("mail.mailbox-lost", visited.error());
        doors_.tell(mailbox_, WatchAct::Lost, &visited.error());
        // A session that lasted was a good one: the next failure counts as the first.
        if (doors_.clock.steady() - start > kPauseLongest) pause = kPauseFirst;
        for (Micros left = pause; left > Micros(0) && !stopped(); left -= kLook)
            doors_.clock.sleep_for(kLook);
        pause = std::min(pause * 2, kPauseLongest);
    }
}

Status Watcher::visit(const std::function<bool()>& stopped) {
    ImapSession session = TRY(doors_.open(mailbox_));
    TRY_STATUS(session.need_folder(mailbox_.hold_folder));
    const ImapFolder folder = TRY(session.select(mailbox_.folder));
    if (!session.can_move())
        return fail(Code::Denied,
                    {"ce serveur IMAP ne sait pas déplacer un message (ni MOVE, ni UIDPLUS)",
                     "this IMAP server cannot move a message (neither MOVE nor UIDPLUS)"},
                    {"gardez cette boîte par le milter, ou changez de serveur",
                     "guard this mailbox by the milter, or change the server"});
    place_ = TRY(load());
    uid_validity_ = folder.uid_validity;
    doors_.tell(mailbox_, WatchAct::Watching, nullptr);
    while (!stopped()) {
        for (const std::uint32_t uid : TRY(unread(session, folder))) {
            if (stopped()) return {};
            const Status taken = take(session, folder, uid);
            // Somebody moved it first: nothing is left to do.
            if (!taken && taken.error().code != Code::NotFound) return taken;
            place_.last_uid = std::max(place_.last_uid, uid);
            TRY_STATUS(keep());
        }
        (void)TRY(session.wait_for_change(kWaitMax, stopped));
    }
    return {};
}

/// What came since the last visit. When the folder was numbered anew the old number says nothing:
/// what is recent and bears no mark is looked at.
Result<std::vector<std::uint32_t>> Watcher::unread(ImapSession& session, const ImapFolder& folder) {
    if (place_.uid_validity == folder.uid_validity) {
        auto found =
            TRY(session.search(fmt::format("UID {}:*", std::uint64_t{place_.last_uid} + 1)));
        // "n:*" names the last message even when n is beyond it.
        std::erase_if(found, [&](std::uint32_t uid) { return uid <= place_.last_uid; });
        return found;
    }
    std::string what = "SINCE " + search_date(doors_.clock.now() - policy_.look_back);
    if (folder.takes_keywords) what += " UNKEYWORD " + std::string(kCheckedKeyword);
    auto found = TRY(session.search(what));
    place_ = {.uid_validity = folder.uid_validity,
              .last_uid = folder.uid_next > 0 ? folder.uid_next - 1 : 0};
    if (!found.empty()) place_.last_uid = std::min(place_.last_uid, found.front() - 1);
    TRY_STATUS(keep());
    return found;
}

Status Watcher::take(ImapSession& session, const ImapFolder& folder, std::uint32_t uid) {
    const Fetched seen = TRY(session.look(uid));
    if (seen.has_flag(kHeldKeyword))
        return uid == place_.moving ? hold(session, folder, uid) : release(session, uid);
    if (is_settled(seen)) return {};
    const auto unchecked = [&] {
        doors_.tell(mailbox_, WatchAct::Unchecked, nullptr);
        return mark(session, folder, uid, kUncheckedKeyword, "\\Flagged");
    };
    if (seen.size > kMessageBytesMax) return unchecked();
    const Fetched message = TRY(session.fetch(uid));
    if (!message.body) return fail(Code::NotFound, {"message vide", "empty message"});
    Envelope envelope;
    const Result<Opened> opened = judge(*message.body, envelope);
    if (!opened) {
        log::error("mail.not-judged", opened.error());
        return unchecked();
    }
    if (mailbox_.is_desk && doors_.desk && TRY(doors_.desk(incoming_of(*message.body), *opened))) {
        doors_.tell(mailbox_, WatchAct::Reported, nullptr);
        return mark(session, folder, uid, kCheckedKeyword);
    }
    return act(session, folder, message, envelope, *opened);
}

Result<Opened> Watcher::judge(const std::string& bytes, Envelope& envelope) {
    Incoming incoming = incoming_of(bytes);
    if (contains(mailbox_.user, "@")) incoming.envelope.rcpt_to = {mailbox_.user};
    const std::string seen = judged_bytes(incoming, policy_.authserv_ids);
    if (doors_.authenticate && !incoming.envelope.is_authenticated()) doors_.authenticate(incoming);
    envelope = incoming.envelope;
    for (int left = kJudgeTriesMax;; --left) {
        Result<Opened> opened = doors_.judges.judge(seen, envelope, policy_.deadline);
        const bool may_pass = !opened && (opened.error().code == Code::Full ||
                                          opened.error().code == Code::Unavailable);
        if (!may_pass || left <= 1) return opened;
        doors_.clock.sleep_for(kJudgePause);
    }
}

/// First the trace, then the act.
Status Watcher::act(ImapSession& session, const ImapFolder& folder, const Fetched& message,
                    const Envelope& envelope, const Opened& opened) {
    const event::Level level = opened.judgement.level;
    const bool is_held =
        level == event::Level::Malicious ||
        (level == event::Level::Suspicious && mailbox_.suspicious == Mailbox::Suspicious::Hold);
    event::Event event = event_of(doors_.clock.now(), doors_.random,
                                  is_held ? event::Type::MailHeld : event::Type::MailJudged,
                                  object_of(message.uid), envelope, opened.judgement);
    event.detail["mailbox"] = mailbox_.name;
    TRY_STATUS(doors_.trace(event));
    if (is_held) return hold(session, folder, message.uid);
    if (level == event::Level::Clean) {
        if (doors_.remember) doors_.remember(opened, envelope);
        doors_.tell(mailbox_, WatchAct::Clean, nullptr);
        return mark(session, folder, message.uid, kCheckedKeyword);
    }
    if (mailbox_.suspicious == Mailbox::Suspicious::Banner)
        return put_banner(session, folder, message, opened);
    return tag(session, folder, message.uid);
}

Status Watcher::mark(ImapSession& session, const ImapFolder& folder, std::uint32_t uid,
                     std::string_view keyword, std::string_view flag) {
    std::string flags(flag);
    if (folder.takes_keywords) flags += (flags.empty() ? "" : " ") + std::string(keyword);
    return flags.empty() ? Status() : session.add_flags(uid, flags);
}

/// The mark travels with the message, so it comes first. That it is ours to move is durable before:
/// marked and still here it would be one that a person put back.
/// A server that refuses twice (a full mailbox, rights) holds up no other message.
Status Watcher::put_aside(ImapSession& session, const ImapFolder& folder, std::uint32_t uid,
                          WatchAct act, bool is_second) {
    TRY_STATUS(about_to_move(uid));
    TRY_STATUS(mark(session, folder, uid, kHeldKeyword));
    const auto moved = session.move(uid, mailbox_.hold_folder);
    if (!moved && (!is_second || moved.error().code != Code::Denied))
        return std::unexpected(moved.error());
    if (!moved) return leave(session, folder, uid, moved.error());
    doors_.tell(mailbox_, act, nullptr);
    return {};
}

Status Watcher::about_to_move(std::uint32_t uid) {
    if (place_.moving == uid) return {};
    place_.moving = uid;
    return keep();
}

/// Where it is, marked for its reader, and the trace says so.
Status Watcher::leave(ImapSession& session, const ImapFolder& folder, std::uint32_t uid,
                      const Error& why) {
    log::error("mail.not-moved", why);
    TRY_STATUS(doors_.trace(release_event(uid)));
    TRY_STATUS(mark(session, folder, uid, kSuspiciousKeyword, "\\Flagged"));
    TRY_STATUS(session.remove_flags(uid, std::string(kHeldKeyword)));
    doors_.tell(mailbox_, WatchAct::NotMoved, &why);
    return {};
}

Status Watcher::hold(ImapSession& session, const ImapFolder& folder, std::uint32_t uid) {
    return put_aside(session, folder, uid, WatchAct::Held, place_.moving == uid);
}

/// A message in a mailbox cannot be changed: a copy with the banner takes its place, and the
/// original goes where held messages are, whole.
Status Watcher::put_banner(ImapSession& session, const ImapFolder& folder, const Fetched& message,
                           const Opened& opened) {
    const Incoming incoming = incoming_of(*message.body);
    const auto banner = with_banner(incoming.bytes(), opened.message, opened.judgement);
    if (!banner || !folder.takes_keywords) return tag(session, folder, message.uid);
    const Incoming copy = changed(incoming, banner->headers, banner->body);
    const bool is_second = place_.moving == message.uid;
    if (!is_second || !TRY(has_copy(session, message, opened))) {
        TRY_STATUS(about_to_move(message.uid));
        const Status put = session.append(
            mailbox_.folder, std::string(kSuspiciousKeyword) + " \\Flagged", copy.bytes());
        if (!put && put.error().code == Code::Denied) return tag(session, folder, message.uid);
        if (!put) return put;
    }
    return put_aside(session, folder, message.uid, WatchAct::Bannered, is_second);
}

/// The last visit ended between the copy and its original's mark: what came since, bears our mark
/// and the same name is that copy. No sender sets a mark.
Result<bool> Watcher::has_copy(ImapSession& session, const Fetched& message, const Opened& opened) {
    constexpr std::size_t kNameMax = 250;
    const std::string name = quotable(opened.message.header("Message-ID"));
    if (name.empty() || name.size() > kNameMax) return false;
    auto found =
        TRY(session.search(fmt::format("UID {}:* KEYWORD {} HEADER Message-ID \"{}\"",
                                       std::uint64_t{message.uid} + 1, kSuspiciousKeyword, name)));
    // "n:*" names the last message even when n is beyond it.
    std::erase_if(found, [&](std::uint32_t uid) { return uid <= message.uid; });
    return !found.empty();
}

Status Watcher::tag(ImapSession& session, const ImapFolder& folder, std::uint32_t uid) {
    doors_.tell(mailbox_, WatchAct::Tagged, nullptr);
    return mark(session, folder, uid, kSuspiciousKeyword, "\\Flagged");
}

event::Event Watcher::release_event(std::uint32_t uid) const {
    event::Event event;
    const WallTime now = doors_.clock.now();
    event.id = event::print_uuid(event::make_uuid(now, doors_.random));
    event.type = event::Type::MailReleased;
    event.action = event::usual_action(event.type);
    event.time = now;
    event.subject.object = ObjectId("mail/" + object_of(uid));
    event.detail = {{"mailbox", mailbox_.name}};
    return event;
}

/// Held once, and here again: only a person can have put it back.
Status Watcher::release(ImapSession& session, std::uint32_t uid) {
    event::Event event = release_event(uid);
    event.actor.id = ActorId(mailbox_.name);
    TRY_STATUS(doors_.trace(event));
    if (doors_.learn_release)
        if (const Result<Fetched> message = session.fetch(uid); message && message->body)
            doors_.learn_release(*message->body, {});
    TRY_STATUS(session.add_flags(uid, std::string(kReleasedKeyword)));
    TRY_STATUS(session.remove_flags(uid, std::string(kHeldKeyword)));
    doors_.tell(mailbox_, WatchAct::Released, nullptr);
    return {};
}

/// A name for the message that says nothing to others, and the same one when it is asked again.
std::string Watcher::object_of(std::uint32_t uid) const {
    return to_hex(crypto::blind(
        key_, "message",
        fmt::format("{}\n{}\n{}\n{}", mailbox_.user, mailbox_.folder, uid_validity_, uid)));
}

std::string Watcher::path() const {
    return join(
        dir_, to_hex(crypto::blind(key_, "place",
                                   mailbox_.url + "\n" + mailbox_.user + "\n" + mailbox_.folder)) +
                  ".hyw");
}

Result<Watcher::Place> Watcher::load() {
    const std::string file = path();
    if (!doors_.disk.exists(file)) return Place{};
    const Bytes boxed = TRY(doors_.disk.read_file(file, kPlaceBytesMax));
    const auto text = crypto::unbox(key_, as_bytes("HYGWATC1"), boxed);
    const Json all = text ? Json::parse(as_text(*text), nullptr, false) : Json();
    // A place that cannot be read costs a second look at recent mail, nothing else.
    if (!all.is_object()) {
        log::warning("mail.watch-place-unreadable");
        return Place{};
    }
    return Place{.uid_validity = all.value("uid_validity", 0U),
                 .last_uid = all.value("last_uid", 0U),
                 .moving = all.value("moving", 0U)};
}

Status Watcher::keep() {
    const Json all = {{"uid_validity", place_.uid_validity},
                      {"last_uid", place_.last_uid},
                      {"moving", place_.moving}};
    return doors_.disk.replace_file(
        path(), crypto::box(key_, as_bytes("HYGWATC1"), as_bytes(all.dump()), doors_.random));
}

}  // namespace hygie::mail
