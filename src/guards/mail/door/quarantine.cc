#include "guards/mail/door/quarantine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "crypto/aead.h"
#include "event/uuid.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMagic = "HYGHELD1";
constexpr std::string_view kHeldSuffix = ".hyq";
constexpr std::string_view kReleaseSuffix = ".hyr";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::size_t kHeadBytes = kMagic.size() + sizeof(std::uint32_t);
/// Marks of releases: first here, and there once the trace has them.
constexpr std::string_view kUntoldDir = "releases";
constexpr std::string_view kToldDir = "released";

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"un message retenu est abîmé ou scellé d'une autre clé",
                 "a held message is damaged or sealed with another key"},
                {"donnez la clé de cette garde, ou rétablissez le dossier depuis une copie",
                 "give this guard's key, or bring the folder back from a copy"});
}

std::unexpected<Error> unknown_name(Code code) {
    return fail(
        code,
        {"ceci n'est pas le nom d'un message retenu", "this is not the name of a held message"},
        {"« hygie mail quarantine list » les donne tous",
         "'hygie mail quarantine list' gives them all"});
}

Status check_id(const std::string& id) {
    return event::parse_uuid(id) ? Status() : unknown_name(Code::BadInput);
}

/// What a box belongs to: a part moved to another message or place does not open.
std::string bound_to(std::string_view part, const std::string& id) {
    return std::string(kMagic) + ' ' + std::string(part) + ' ' + id;
}

std::string text_of(const Held& entry) {
    const Json all = {{"id", entry.id},
                      {"at", to_rfc3339(entry.at)},
                      {"helo", entry.envelope.helo},
                      {"client_ip", entry.envelope.client_ip},
                      {"mail_from", entry.envelope.mail_from},
                      {"rcpt_to", entry.envelope.rcpt_to},
                      {"verdict", entry.verdict},
                      {"bytes", entry.bytes},
                      {"from", entry.from},
                      {"subject", entry.subject},
                      {"kept_as", entry.kept_as}};
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Held> entry_of(std::string_view text) {
    const Json all = Json::parse(text, nullptr, false);
    if (!all.is_object()) return corrupt();
    try {
        Held entry;
        entry.id = all.at("id").get<std::string>();
        entry.at = TRY(from_rfc3339(all.at("at").get<std::string>()));
        entry.envelope.helo = all.at("helo").get<std::string>();
        entry.envelope.client_ip = all.at("client_ip").get<std::string>();
        entry.envelope.mail_from = all.at("mail_from").get<std::string>();
        entry.envelope.null_sender = entry.envelope.mail_from.empty();
        entry.envelope.rcpt_to = all.at("rcpt_to").get<std::vector<std::string>>();
        entry.verdict = all.at("verdict").get<std::string>();
        entry.bytes = all.at("bytes").get<std::uint64_t>();
        // Not in entries of the first guards.
        entry.from = all.value("from", "");
        entry.subject = all.value("subject", "");
        entry.kept_as = all.value("kept_as", "held");
        return entry;
    } catch (const Json::exception&) {
        return corrupt();
    }
}

Result<Release> release_of(std::string_view text) {
    const Json all = Json::parse(text, nullptr, false);
    if (!all.is_object()) return corrupt();
    try {
        const WallTime at = TRY(from_rfc3339(all.at("at").get<std::string>()));
        return Release{.id = all.at("id").get<std::string>(),
                       .by = all.at("by").get<std::string>(),
                       .at = at,
                       .event_id = all.at("event_id").get<std::string>(),
                       .teaches = all.value("teaches", false)};
    } catch (const Json::exception&) {
        return corrupt();
    }
}

}  // namespace

Quarantine::Quarantine(Disk& disk, Random& random, std::string dir, const crypto::Secret32& key)
    : disk_(disk), random_(random), dir_(std::move(dir)), key_(key) {}

Result<std::unique_ptr<Quarantine>> Quarantine::open(Disk& disk, Random& random, std::string dir,
                                                     const crypto::Secret32& key, Role role) {
    std::unique_ptr<Quarantine> made(new Quarantine(disk, random, std::move(dir), key));
    for (const std::string& part :
         {made->dir_, join(made->dir_, kUntoldDir), join(made->dir_, kToldDir)})
        TRY_STATUS(disk.make_dirs(part));
    if (role == Role::Guard) {
        made->lock_ = TRY(disk.lock(join(made->dir_, "lock")));
        TRY_STATUS(made->sweep());
    }
    return made;
}

/// What was being written when the guard ended was never acknowledged.
Status Quarantine::sweep() {
    for (const DirEntry& entry : TRY(disk_.list(dir_)))
        if (!entry.is_dir && entry.name.ends_with(kTemporarySuffix))
            TRY_STATUS(disk_.remove(join(dir_, entry.name)));
    return {};
}

std::string Quarantine::path_of(const std::string& id) const {
    return join(dir_, id + std::string(kHeldSuffix));
}

Status Quarantine::hold(const Held& entry, std::string_view message) {
    TRY_STATUS(check_id(entry.id));
    if (failed_)
        return fail(Code::Io,
                    {"le disque de la quarantaine a failli", "the quarantine's disk failed"},
                    {"vérifiez le disque, puis relancez la garde du courrier",
                     "check the disk, then start the mail guard again"});
    const Bytes head =
        crypto::box(key_, as_bytes(bound_to("entry", entry.id)), as_bytes(text_of(entry)), random_);
    if (head.size() > kHeldEntryBytesMax)
        return fail(Code::Full, {"trop de destinataires pour une seule fiche",
                                 "too many recipients for one entry"});
    Bytes file = to_bytes(as_bytes(kMagic));
    file.resize(kHeadBytes);
    store_be(file.data() + kMagic.size(), static_cast<std::uint32_t>(head.size()));
    append(file, head);
    append(file,
           crypto::box(key_, as_bytes(bound_to("message", entry.id)), as_bytes(message), random_));
    const std::string path = path_of(entry.id);
    Status kept = disk_.replace_file(path, file);
    if (kept) return kept;
    if (kept.error().code == Code::Full)
        (void)disk_.remove(path + std::string(kTemporarySuffix));
    else
        failed_ = true;
    return kept;
}

Result<std::string> Quarantine::whole_id(const std::string& part) {
    constexpr std::size_t kPartMin = 6;
    constexpr std::size_t kNamedMax = 5;
    if (check_id(part)) return part;
    if (part.size() < kPartMin)
        return fail(
            Code::BadInput,
            {fmt::format("« {} » est trop court", part), fmt::format("'{}' is too short", part)},
            {fmt::format("donnez au moins {} signes du nom", kPartMin),
             fmt::format("give {} signs of the name at least", kPartMin)});
    const std::string begin = lower(part);
    std::vector<std::string> ids;
    for (const DirEntry& file : TRY(disk_.list(dir_)))
        if (!file.is_dir && file.name.ends_with(kHeldSuffix) && file.name.starts_with(begin))
            ids.push_back(file.name.substr(0, file.name.size() - kHeldSuffix.size()));
    if (ids.empty()) return unknown_name(Code::NotFound);
    if (ids.size() == 1) return ids.front();
    std::ranges::sort(ids);
    const std::size_t shown = std::min(ids.size(), kNamedMax);
    const std::string names = fmt::format(
        "{}{}", fmt::join(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
        shown < ids.size() ? ", …" : "");
    return fail(Code::BadInput,
                {fmt::format("{} messages commencent par « {} » : {}", ids.size(), part, names),
                 fmt::format("{} messages begin with '{}': {}", ids.size(), part, names)},
                {"donnez le nom entier, ou davantage de ses signes",
                 "give the whole name, or more of its signs"});
}

Result<Held> Quarantine::find(const std::string& id) {
    TRY_STATUS(check_id(id));
    if (!disk_.exists(path_of(id))) return unknown_name(Code::NotFound);
    const std::unique_ptr<File> file = TRY(disk_.open(path_of(id), Open::Read));
    std::array<std::uint8_t, kHeadBytes> start{};
    if (TRY(file->read_at(0, start)) != start.size() || !as_text(start).starts_with(kMagic))
        return corrupt();
    const auto size = load_be<std::uint32_t>(start.data() + kMagic.size());
    if (size > kHeldEntryBytesMax) return corrupt();
    Bytes boxed(size);
    if (TRY(file->read_at(kHeadBytes, boxed)) != boxed.size()) return corrupt();
    const auto text = crypto::unbox(key_, as_bytes(bound_to("entry", id)), boxed);
    if (!text) return corrupt();
    Held entry = TRY(entry_of(as_text(*text)));
    const std::string mark = id + std::string(kReleaseSuffix);
    entry.is_released = disk_.exists(join(join(dir_, kUntoldDir), mark)) ||
                        disk_.exists(join(join(dir_, kToldDir), mark));
    return entry;
}

Result<Quarantine::Listing> Quarantine::list() {
    Listing listing;
    for (const DirEntry& file : TRY(disk_.list(dir_))) {
        if (file.is_dir || !file.name.ends_with(kHeldSuffix)) continue;
        auto entry = find(file.name.substr(0, file.name.size() - kHeldSuffix.size()));
        if (entry)
            listing.held.push_back(std::move(*entry));
        else
            ++listing.unreadable;
    }
    std::ranges::sort(listing.held, {},
                      [](const Held& held) { return std::pair(held.at, held.id); });
    return listing;
}

Result<std::string> Quarantine::message(const std::string& id) {
    TRY_STATUS(check_id(id));
    const Bytes file = TRY(disk_.read_file(
        path_of(id), kHeadBytes + kHeldEntryBytesMax + kMessageBytesMax + crypto::kBoxBytes));
    if (file.size() < kHeadBytes || !as_text(file).starts_with(kMagic)) return corrupt();
    const std::size_t head = load_be<std::uint32_t>(file.data() + kMagic.size());
    if (head > file.size() - kHeadBytes) return corrupt();
    const auto plain = crypto::unbox(key_, as_bytes(bound_to("message", id)),
                                     ByteView(file).subspan(kHeadBytes + head));
    if (!plain) return corrupt();
    return std::string(as_text(*plain));
}

Status Quarantine::note_release(const Release& release) {
    TRY_STATUS(check_id(release.id));
    const Json all = {{"id", release.id},
                      {"by", release.by},
                      {"at", to_rfc3339(release.at)},
                      {"event_id", release.event_id},
                      {"teaches", release.teaches}};
    const std::string text = all.dump(-1, ' ', false, Json::error_handler_t::replace);
    return disk_.replace_file(
        join(join(dir_, kUntoldDir), release.id + std::string(kReleaseSuffix)),
        crypto::box(key_, as_bytes(bound_to("release", release.id)), as_bytes(text), random_));
}

Result<std::vector<Release>> Quarantine::untold_releases() {
    const std::string dir = join(dir_, kUntoldDir);
    std::vector<Release> all;
    for (const DirEntry& file : TRY(disk_.list(dir))) {
        if (file.is_dir || !file.name.ends_with(kReleaseSuffix)) continue;
        const std::string id = file.name.substr(0, file.name.size() - kReleaseSuffix.size());
        const Bytes boxed = TRY(disk_.read_file(join(dir, file.name), kReleaseBytesMax));
        const auto text = crypto::unbox(key_, as_bytes(bound_to("release", id)), boxed);
        if (!text) return corrupt();
        all.push_back(TRY(release_of(as_text(*text))));
    }
    return all;
}

Result<std::size_t> Quarantine::expire(WallTime limit,
                                       const std::function<Status(const Held&)>& first) {
    std::size_t count = 0;
    for (const Held& held : TRY(list()).held) {
        if (held.at >= limit) break;
        TRY_STATUS(first(held));
        TRY_STATUS(disk_.remove(path_of(held.id)));
        ++count;
    }
    if (count > 0) TRY_STATUS(disk_.sync_dir(dir_));
    return count;
}

Status Quarantine::release_told(const std::string& id) {
    TRY_STATUS(check_id(id));
    const std::string name = id + std::string(kReleaseSuffix);
    const std::string from = join(dir_, kUntoldDir);
    const std::string to = join(dir_, kToldDir);
    TRY_STATUS(disk_.rename(join(from, name), join(to, name)));
    TRY_STATUS(disk_.sync_dir(to));
    return disk_.sync_dir(from);
}

}  // namespace hygie::mail
