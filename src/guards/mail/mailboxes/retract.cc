#include "guards/mail/mailboxes/retract.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/aead.h"
#include "crypto/tokens.h"
#include "event/uuid.h"
#include "guards/mail/mailboxes/watcher.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kRecordBytesMax = 16U << 20;
constexpr std::size_t kFoldersMax = 500;
/// Messages of one folder that are read to see whether they belong to the campaign.
constexpr std::size_t kCandidatesMax = 500;
constexpr std::string_view kMagic = "HYGRETR1";
constexpr std::string_view kSuffix = ".hyt";

std::unexpected<Error> unknown_retraction() {
    return fail(Code::NotFound,
                {"aucun retrait de ce nom ne se lit", "no retraction of that name can be read"},
                {"« hygie mail retract » a dit son nom quand il fut fait",
                 "'hygie mail retract' said its name when it was done"});
}

/// Message-IDs are asked for with their brackets.
Result<std::string> id_search(const std::string& message_id) {
    return "HEADER Message-ID " + TRY(quoted_text("<" + message_id + ">"));
}

Json json_of(const Found& found) {
    return {{"mailbox", found.mailbox}, {"folder", found.folder},
            {"uid", found.uid},         {"message_id", found.message_id},
            {"digest", found.digest},   {"kin", static_cast<int>(found.kin)}};
}

Found found_of(const Json& json) {
    return {.mailbox = json.at("mailbox").get<std::string>(),
            .folder = json.at("folder").get<std::string>(),
            .uid = json.at("uid").get<std::uint32_t>(),
            .message_id = json.at("message_id").get<std::string>(),
            .digest = json.at("digest").get<std::string>(),
            .kin = static_cast<Kin>(std::clamp(json.at("kin").get<int>(), 0, 2))};
}

}  // namespace

Retractor::Retractor(RetractDoors doors, std::vector<Mailbox> mailboxes, std::string dir,
                     const crypto::Secret32& key)
    : doors_(std::move(doors)), mailboxes_(std::move(mailboxes)), dir_(std::move(dir)), key_(key) {}

std::string Retractor::digest_of(std::string_view bytes) const {
    return to_hex(crypto::blind(key_, "bytes", bytes));
}

void Retractor::each_mailbox(const std::function<Status(ImapSession&, const Mailbox&)>& work,
                             const std::function<bool(const Mailbox&)>& concerns) {
    for (const Mailbox& mailbox : mailboxes_) {
        if (!concerns(mailbox)) continue;
        Result<ImapSession> session = doors_.open(mailbox);
        const Status done =
            session ? work(*session, mailbox) : Status(std::unexpected(session.error()));
        if (!done) doors_.failed(mailbox, done.error());
    }
}

Result<std::string> Retractor::fetch(const std::string& message_id) {
    const std::string what = TRY(id_search(message_id));
    std::string bytes;
    each_mailbox(
        [&](ImapSession& session, const Mailbox& mailbox) -> Status {
            (void)TRY(session.select(mailbox.folder));
            const auto hits = TRY(session.search(what));
            if (hits.empty()) return {};
            bytes = TRY(session.fetch(hits.back())).body.value_or("");
            return {};
        },
        [&](const Mailbox&) { return bytes.empty(); });
    if (!bytes.empty()) return bytes;
    return fail(Code::NotFound,
                {"ce message n'est dans aucune boîte", "this message is in no mailbox"},
                {"donnez-le avec --report, comme fichier", "give it with --report, as a file"});
}

std::vector<Found> Retractor::find(const Campaign& campaign, Micros reach, const History& history) {
    std::vector<Found> found;
    each_mailbox(
        [&](ImapSession& session, const Mailbox& mailbox) -> Status {
            std::size_t folders = 0;
            for (const std::string& folder : TRY(session.folders())) {
                if (folder == mailbox.hold_folder || ++folders > kFoldersMax) continue;
                const Status searched =
                    find_in(session, mailbox, folder, campaign, reach, history, found);
                // A folder that may not be read is one less to search; anything else ends it.
                if (!searched && searched.error().code != Code::Denied) return searched;
            }
            return {};
        },
        [](const Mailbox&) { return true; });
    return found;
}

Status Retractor::find_in(ImapSession& session, const Mailbox& mailbox, const std::string& folder,
                          const Campaign& campaign, Micros reach, const History& history,
                          std::vector<Found>& found) {
    (void)TRY(session.select(folder));
    std::set<std::uint32_t> candidates;
    const auto look = [&](const std::string& what) -> Status {
        const auto hits = TRY(session.search(what));
        candidates.insert(hits.begin(), hits.end());
        return {};
    };
    if (const auto what = id_search(campaign.message_id); what && !campaign.message_id.empty())
        TRY_STATUS(look(*what));
    const std::string since = "SINCE " + search_date(doors_.clock.now() - reach) + " ";
    if (const auto sender = quoted_text(campaign.sender); sender && !campaign.sender.empty())
        TRY_STATUS(look(since + "FROM " + *sender));
    for (const std::string& host : campaign.hosts)
        if (const auto word = quoted_text(host)) TRY_STATUS(look(since + "BODY " + *word));
    std::size_t read = 0;
    for (const std::uint32_t uid : candidates) {
        if (++read > kCandidatesMax || found.size() >= kRetractedMax) break;
        const auto fetched = session.fetch(uid);
        if (!fetched && fetched.error().code != Code::NotFound)
            return std::unexpected(fetched.error());
        if (!fetched || !fetched->body) continue;
        const auto message = parse_message(*fetched->body);
        if (!message) continue;
        const Reading reading = read_evidence(*message, {}, history);
        if (const auto kin = kinship(campaign, campaign_of(*message, reading.evidence, history)))
            found.push_back({.mailbox = mailbox.name,
                             .folder = folder,
                             .uid = uid,
                             .message_id = message->message_id,
                             .digest = digest_of(*fetched->body),
                             .kin = *kin});
    }
    return {};
}

Result<Retraction> Retractor::retract(std::vector<Found> found, const std::string& by) {
    const WallTime now = doors_.clock.now();
    Retraction retraction{.id = event::print_uuid(event::make_uuid(now, doors_.random)),
                          .at = now,
                          .by = by,
                          .moved = std::move(found)};
    // The way back is durable before anything moves.
    TRY_STATUS(keep(retraction));
    std::vector<Found> moved;
    each_mailbox(
        [&](ImapSession& session, const Mailbox& mailbox) -> Status {
            TRY_STATUS(session.need_folder(mailbox.hold_folder));
            for (const Found& one : retraction.moved) {
                if (one.mailbox != mailbox.name) continue;
                const Status done = move_away(session, mailbox, one);
                if (done)
                    moved.push_back(one);
                else if (done.error().code != Code::NotFound)
                    return done;
            }
            return {};
        },
        [&](const Mailbox& mailbox) {
            return std::ranges::any_of(
                retraction.moved, [&](const Found& one) { return one.mailbox == mailbox.name; });
        });
    retraction.moved = std::move(moved);
    return retraction;
}

Status Retractor::move_away(ImapSession& session, const Mailbox& mailbox, const Found& found) {
    const ImapFolder folder = TRY(session.select(found.folder));
    (void)TRY(session.look(found.uid));
    TRY_STATUS(doors_.trace(event_about(found, event::Type::MailHeld, {})));
    if (folder.takes_keywords) TRY_STATUS(session.add_flags(found.uid, std::string(kHeldKeyword)));
    (void)TRY(session.move(found.uid, mailbox.hold_folder));
    return {};
}

Result<std::size_t> Retractor::undo(const std::string& id, const std::string& by) {
    const Retraction retraction = TRY(load(id));
    std::size_t count = 0;
    each_mailbox(
        [&](ImapSession& session, const Mailbox& mailbox) -> Status {
            for (const Found& one : retraction.moved)
                if (one.mailbox == mailbox.name)
                    TRY_STATUS(move_back(session, mailbox, one, by, count));
            return {};
        },
        [&](const Mailbox& mailbox) {
            return std::ranges::any_of(
                retraction.moved, [&](const Found& one) { return one.mailbox == mailbox.name; });
        });
    return count;
}

/// The very message, by its bytes: a number of the other folder may have been given anew.
Status Retractor::move_back(ImapSession& session, const Mailbox& mailbox, const Found& found,
                            const std::string& by, std::size_t& count) {
    const ImapFolder folder = TRY(session.select(mailbox.hold_folder));
    const auto by_id = id_search(found.message_id);
    const std::vector<std::uint32_t> hits =
        TRY(session.search(by_id && !found.message_id.empty() ? *by_id : "ALL"));
    std::size_t read = 0;
    for (const std::uint32_t uid : hits) {
        if (++read > kCandidatesMax) break;
        const auto fetched = session.fetch(uid);
        if (!fetched || !fetched->body || digest_of(*fetched->body) != found.digest) continue;
        TRY_STATUS(doors_.trace(event_about(found, event::Type::MailReleased, by)));
        if (folder.takes_keywords) {
            TRY_STATUS(session.remove_flags(uid, std::string(kHeldKeyword)));
            TRY_STATUS(session.add_flags(uid, std::string(kReleasedKeyword)));
        }
        (void)TRY(session.move(uid, found.folder));
        ++count;
        return {};
    }
    return {};
}

event::Event Retractor::event_about(const Found& found, event::Type type, const std::string& by) {
    event::Event event;
    const WallTime now = doors_.clock.now();
    event.id = event::print_uuid(event::make_uuid(now, doors_.random));
    event.type = type;
    event.action = event::usual_action(type);
    event.time = now;
    if (!by.empty()) event.actor.id = ActorId(by);
    event.subject.object = ObjectId("mail/" + found.digest);
    event.detail = {
        {"mailbox", found.mailbox}, {"why", "retracted"}, {"kin", std::string(name_of(found.kin))}};
    return event;
}

Status Retractor::keep(const Retraction& retraction) {
    Json all = {{"id", retraction.id},
                {"at", to_rfc3339(retraction.at)},
                {"by", retraction.by},
                {"moved", Json::array()}};
    for (const Found& one : retraction.moved) all["moved"].push_back(json_of(one));
    const std::string text = all.dump(-1, ' ', false, Json::error_handler_t::replace);
    TRY_STATUS(doors_.disk.make_dirs(dir_));
    return doors_.disk.replace_file(
        join(dir_, retraction.id + std::string(kSuffix)),
        crypto::box(key_, as_bytes(std::string(kMagic) + " " + retraction.id), as_bytes(text),
                    doors_.random));
}

Result<Retraction> Retractor::load(const std::string& id) {
    if (!event::parse_uuid(id)) return unknown_retraction();
    const auto boxed =
        doors_.disk.read_file(join(dir_, id + std::string(kSuffix)), kRecordBytesMax);
    if (!boxed) return unknown_retraction();
    const auto text = crypto::unbox(key_, as_bytes(std::string(kMagic) + " " + id), *boxed);
    if (!text) return unknown_retraction();
    try {
        const Json all = Json::parse(as_text(*text));
        const WallTime at = TRY(from_rfc3339(all.at("at").get<std::string>()));
        Retraction out{.id = id, .at = at, .by = all.at("by").get<std::string>(), .moved = {}};
        for (const Json& one : all.at("moved")) out.moved.push_back(found_of(one));
        return out;
    } catch (const Json::exception&) {
        return unknown_retraction();
    }
}

}  // namespace hygie::mail
