#include "guards/files/judge/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hygie::files {
namespace {

/// Programs empty their journals. Nobody empties a document: it is destroyed under its name.
constexpr std::uint32_t kEmptiedTextPoints = 34;
/// Nothing is left, nothing is wrong with what came: honest once, not ten times.
constexpr std::uint32_t kRewrittenPoints = 34;
/// A sound document whose inside can no longer be read.
constexpr std::uint32_t kSealedInsidePoints = 50;
constexpr std::uint32_t kBreadthPoints = 50;
constexpr std::uint32_t kNotesPoints = 50;
/// A deleted file that a new sealed file of the same actor could hold: by its size alone; when the
/// actor had read it; and when the sealed file is as large as this one.
constexpr std::uint32_t kArchivedPoints = 20;
constexpr std::uint32_t kReadAndArchivedPoints = 34;
constexpr std::uint32_t kReadAndCopiedPoints = 50;
/// Of many that were read to be sealed together, and go as soon as that is done: nobody looked
/// whether it can be opened.
constexpr std::uint32_t kSealedTogetherPoints = kOneFile;
constexpr Micros kAtOnce = std::chrono::seconds(10);
/// An original deleted for a sealed copy, so long after the one before.
constexpr std::uint32_t kByHandPoints = 40;
constexpr Micros kHandPauseMin = std::chrono::seconds(1);
constexpr Micros kHandPauseMax = std::chrono::minutes(2);
constexpr std::uint32_t kCanaryGonePoints = 34;
constexpr std::size_t kNoteFoldersMin = 3;
constexpr std::size_t kRenamedMin = 10;
/// With one file destroyed, enough.
constexpr std::uint32_t kFanOutPoints = 2 * kOneFile;
constexpr std::uint32_t kBreadthMin = 50;
constexpr std::uint32_t kBreadthTimes = 5;

constexpr std::string_view kHouse = "house";
/// All users of NFS servers.
constexpr std::string_view kNfs = "nfs";

/// Extensions that people and programs give to files they rename.
constexpr std::array<std::string_view, 28> kUsualExtensions = {
    ".txt", ".doc", ".docx", ".xls", ".xlsx", ".pdf",  ".jpg", ".jpeg", ".png", ".gif",
    ".csv", ".xml", ".html", ".htm", ".json", ".md",   ".bak", ".old",  ".tmp", ".gz",
    ".zip", ".1",   ".2",    ".dcm", ".tif",  ".tiff", ".log", ".orig"};

std::uint64_t hash_of(std::string_view path) {
    return std::hash<std::string_view>()(path);
}

struct Weight {
    Sign sign = Sign::Rewritten;
    std::uint32_t points = 0;
};

/// Programs write texts anew every day, and what never had a format cannot lose it.
bool is_telling(Format before) {
    return before != Format::Text && before != Format::Unknown && before != Format::Sealed;
}

bool is_cut_text(const Finding& finding) {
    return !is_telling(finding.before) &&
           (finding.after == Format::Empty || finding.after == Format::Text);
}

/// A person may give a document a password, and the next: the archive that it was becomes another,
/// or a compound file.
bool is_sealed_document(const Finding& finding) {
    const bool is_archive = finding.after == Format::Zip && finding.after_sound == Soundness::Sound;
    return finding.before == Format::Zip && (is_archive || finding.after == Format::Ole2);
}

Weight weight_of(const Finding& finding) {
    switch (finding.fate) {
        case Fate::Same:
        case Fate::Edited:
        case Fate::Resaved:
        case Fate::Packed:
            return {};
        case Fate::Rewritten:
            return {Sign::Rewritten, is_telling(finding.before) ? kRewrittenPoints : 0};
        case Fate::Emptied:
            return {Sign::Emptied, is_cut_text(finding) ? kEmptiedTextPoints : kOneFile};
        case Fate::Damaged:
            return {Sign::Damaged, kOneFile};
        case Fate::Scrambled:
            return {Sign::Scrambled, is_sealed_document(finding) ? kSealedInsidePoints : kOneFile};
    }
    return {};
}

/// What lies open may be half of a version: it counts when all of it is there.
bool is_sure_while_open(const Change& change, const Finding& finding) {
    const bool is_lost = finding.fate == Fate::Scrambled || finding.fate == Fate::Damaged;
    return is_lost && change.now->size() >= change.before->size();
}

std::string circle_key(const Actor& actor) {
    if (actor.nfs) return std::string(kNfs);  // who deletes there is not known
    return actor.smb ? "smb:" + actor.smb->address : fmt::format("uid:{}", actor.uid);
}

/// A server deletes under its own name: that is held against its user who made what stands for it.
Actor blamed_for(Actor actor, const std::string& maker) {
    if (actor.is_nameless_server() && maker.starts_with("nfs:")) actor.nfs = maker.substr(4);
    return actor;
}

}  // namespace

std::string_view name_of(Rung rung) {
    static constexpr std::array<std::string_view, 5> kNames = {"preserve", "delay", "deny",
                                                               "freeze", "read-only"};
    return kNames[static_cast<std::size_t>(rung)];
}

std::string family_of(const Actor& actor) {
    if (actor.smb || actor.nfs || actor.family.started == 0) return actor.key();
    return fmt::format("family:{}.{}", actor.family.pid, actor.family.started);
}

std::vector<std::string> groups_of(const Actor& actor) {
    std::vector<std::string> groups;
    if (actor.smb) {
        groups.push_back("station:" + actor.smb->address);
        groups.push_back("user:" + actor.smb->user);
    } else if (actor.nfs) {
        if (!actor.is_nameless_server()) groups.push_back("user:" + *actor.nfs);
        groups.emplace_back(kNfs);
    } else {
        groups.push_back(fmt::format("uid:{}", actor.uid));
        groups.push_back(family_of(actor));
        if (actor.cgroup.size() > 1) groups.push_back("cgroup:" + actor.cgroup);
    }
    groups.emplace_back(kHouse);
    return groups;
}

bool Policy::is_enrolled(const Actor& actor) const {
    if (enrolled.empty()) return false;
    const std::string key = actor.key();
    return std::ranges::any_of(enrolled, [&](const std::string& name) {
        return name == key || (!actor.program.empty() && name == actor.program);
    });
}

Judge::Party& Judge::party(const std::string& key, SteadyTime now) {
    if (const auto known = parties_.find(key); known != parties_.end()) return known->second;
    if (parties_.size() >= kActorsMax) make_room();
    Party& fresh = parties_[key];
    fresh.seen = now;
    remember(key, fresh, now);
    return fresh;
}

void Judge::make_room() {
    auto oldest = parties_.end();
    for (auto it = parties_.begin(); it != parties_.end(); ++it) {
        const bool held = !it->second.suspect.marks().empty();
        if (!held && (oldest == parties_.end() || it->second.seen < oldest->second.seen))
            oldest = it;
    }
    parties_.erase(oldest == parties_.end() ? parties_.begin() : oldest);
}

Circle& Judge::circle(const Actor& actor) {
    if (circles_.size() >= kActorsMax) circles_.clear();
    return circles_[circle_key(actor)];
}

void Judge::mark(const Change& change, const Actor& actor, std::string_view path, Sign sign,
                 std::uint32_t points) {
    if (points == 0) return;
    marked_ = true;
    const bool is_open = change.is_open && (sign == Sign::Scrambled || sign == Sign::Damaged);
    const Mark mark{change.steady, change.time, points, sign, hash_of(path), actor, is_open};
    if (is_open) note_open(change, mark.file);
    party(actor.key(), change.steady).suspect.add(mark);
    // Two honest programs of one user must not lend each other their hints.
    if (is_hint(sign)) return;
    for (const std::string& group : groups_of(actor)) party(group, change.steady).suspect.add(mark);
}

/// One that was made unreadable was found by a program that does that to all it finds.
void Judge::judge_canary(const Change& change, const Actor& actor, const std::string& path) {
    if (policy_.canaries.contains(path))
        mark(change, actor, path + "#canary", Sign::Canary, policy_.freeze_points);
}

/// Deletion and renaming lose nothing, whatever the number; a canary is one under another name too.
void Judge::judge_moved_canary(const Change& change) {
    auto& canaries = policy_.canaries;
    const bool moved = canaries.contains(change.from);
    if (!moved && !canaries.contains(change.path)) return;
    if (moved) canaries.insert(change.path);
    mark(change, change.actor, "#canaries", Sign::Moved, kCanaryGonePoints);
}

/// Of those that nobody closes, or of whose closing nobody tells, the oldest makes room.
void Judge::note_open(const Change& change, std::uint64_t mark) {
    if (open_.size() >= kActorsMax && !open_.contains(change.file))
        open_.erase(
            std::ranges::min_element(open_, {}, [](const auto& entry) { return entry.second.at; }));
    open_[change.file] = {mark, change.steady};
}

/// What was seen of a file while it lay open is forgotten for what it is when it is closed, once
/// that is known: whoever erases one for good writes over it before it is cut and deleted.
void Judge::judge_closed(const Change& change) {
    if (change.kind != ChangeKind::CloseWrite || change.is_open) return;
    const auto open = open_.find(change.file);
    if (open == open_.end()) return;
    for (auto& [key, party] : parties_)
        if (party.suspect.forget_open(open->second.mark) && party.rung == Rung::Delay)
            party.rung = rung_for(party, change, false);
    open_.erase(open);
}

void Judge::judge_content(const Change& change) {
    if (!change.now || !change.before) return;
    // What it made itself may be changed; what it is renamed over was somebody's.
    if (change.kind == ChangeKind::CloseWrite &&
        circle(change.actor).made(change.file, change.actor.key(), change.steady))
        return judge_new(change);
    const Result<Finding> finding = examiner_.examine(change.before.get(), *change.now);
    if (!finding) return;
    judge_closed(change);
    const Weight weight = weight_of(*finding);
    if (weight.points == 0 || (change.is_open && !is_sure_while_open(change, *finding))) return;
    if (!finding->opaque && sources_.gave(change)) return;
    if (weight.sign == Sign::Emptied) {
        const auto outcome = circle(change.actor)
                                 .add({.at = change.steady,
                                       .path = change.path,
                                       .before = change.before,
                                       .actor = change.actor,
                                       .emptied = change.file},
                                      examiner_);
        if (outcome.fortune == Circle::Fortune::Explained) return;
    }
    mark(change, change.actor, change.path, weight.sign, weight.points);
    judge_canary(change, change.actor, change.path);
}

void Judge::judge_new(const Change& change) {
    judge_closed(change);
    judge_arrival(change, circle(change.actor)
                              .add(Stranger{change.steady, change.file, change.path, change.now,
                                            change.actor.key(), change.is_outside},
                                   examiner_));
}

/// Who seals letter after letter at the pace of a hand is perhaps a person: it takes twice as many.
std::uint32_t Judge::replaced_points(const Actor& actor, SteadyTime now) const {
    const auto known = parties_.find(actor.key());
    if (known == parties_.end()) return kOneFile;
    const auto& marks = known->second.suspect.marks();
    const auto last = std::ranges::find(marks.rbegin(), marks.rend(), Sign::Replaced, &Mark::sign);
    if (last == marks.rend()) return kOneFile;
    const Micros pause = std::chrono::duration_cast<Micros>(now - last->at);
    return pause >= kHandPauseMin && pause <= kHandPauseMax ? kByHandPoints : kOneFile;
}

void Judge::judge_arrival(const Change& change, const Circle::Arrival& arrival) {
    for (const Loss& loss : arrival.replaced) {
        const auto points = [&](const Actor& actor) {
            return loss.is_elsewhere ? kReadAndCopiedPoints : replaced_points(actor, change.steady);
        };
        const Actor who = blamed_for(loss.actor, change.actor.key());
        mark(change, who, loss.path, Sign::Replaced, points(who));
        judge_canary(change, who, loss.path);
        if (who.key() != change.actor.key())
            mark(change, change.actor, loss.path, Sign::Replaced, points(change.actor));
    }
    // Explained after all.
    for (const Loss& loss : arrival.cleared) {
        take_back(change, loss, Sign::Replaced);
        if (loss.is_cut()) take_back(change, loss, Sign::Emptied);
    }
    explained_ = explained_ || arrival.gives_back;
}

/// What was held against anybody for this loss.
void Judge::take_back(const Change& change, const Loss& loss, Sign sign) {
    for (auto& [key, party] : parties_) party.suspect.forget(hash_of(loss.path), sign);
    Party& own = party(loss.actor.key(), change.steady);
    if (own.rung < Rung::Freeze) own.rung = rung_for(own, change, false);
}

/// Emptied, then deleted: a deletion that leaves no trace on the disk, as a patient may ask for. It
/// is not nothing.
void Judge::judge_erased(const Change& change, const Loss& emptied) {
    take_back(change, emptied, Sign::Emptied);
    mark(change, emptied.actor, emptied.path, Sign::Emptied, kEmptiedTextPoints);
}

void Judge::judge_loss(const Change& change) {
    Circle& mine = circle(change.actor);
    const FileKey& gone = change.kind == ChangeKind::Unlink ? change.file : change.victim;
    if (change.kind == ChangeKind::RenameOver && !change.before) return;
    if (mine.made(gone, change.actor.key(), change.steady)) return;
    judge_moved_canary(change);
    if (const auto emptied = mine.emptied(gone)) judge_erased(change, *emptied);
    const auto [fortune, maker, since] =
        mine.add(Loss{change.steady, change.path, change.before, change.actor}, examiner_);
    explained_ = fortune == Circle::Fortune::Explained;
    if (fortune == Circle::Fortune::Replaced) {
        const Actor who = blamed_for(change.actor, maker);
        mark(change, who, change.path, Sign::Replaced, replaced_points(who, change.steady));
        judge_canary(change, who, change.path);
        if (who.key() != change.actor.key()) blamed_ = who;
    }
    // Whoever it was that deletes there, many archive.
    if (change.actor.is_nameless_server()) return;
    const bool is_perhaps_copied = fortune == Circle::Fortune::PerhapsCopied;
    if (!is_perhaps_copied && fortune != Circle::Fortune::PerhapsArchived) return;
    std::uint32_t points = is_perhaps_copied ? kReadAndCopiedPoints : kReadAndArchivedPoints;
    if (change.is_of_collection && since <= kAtOnce) points = kSealedTogetherPoints;
    mark(change, change.actor, change.path, Sign::Replaced,
         change.was_read ? points : kArchivedPoints);
}

void Judge::judge_name(const Change& change) {
    judge_arrival(change, circle(change.actor).rename(change.file, change.path, examiner_));
    judge_moved_canary(change);
    const std::string_view before = extension_part(name_part(change.from));
    const std::string_view after = extension_part(name_part(change.path));
    if (after.empty() || after == before || std::ranges::count(kUsualExtensions, after) != 0)
        return;
    Party& who = party(change.actor.key(), change.steady);
    constexpr std::size_t kExtensionsMax = 64;
    if (who.extensions.size() >= kExtensionsMax) who.extensions.clear();
    Extension& extension = who.extensions[std::string(after)];
    if (change.steady - extension.since > Suspect::kShort) extension = {change.steady, 0};
    if (++extension.files >= kRenamedMin)
        mark(change, change.actor, std::string(after) + "#extension", Sign::Extensions,
             kFanOutPoints);
}

/// Signs that mean something only beside destroyed files.
void Judge::add_signs(const Change& change, Party& party) {
    constexpr std::int64_t kHourSeconds = 3600;
    const std::int64_t hour =
        std::chrono::duration_cast<std::chrono::seconds>(change.steady.time_since_epoch()).count() /
        kHourSeconds;
    if (hour != party.hour) {
        constexpr std::int64_t kHoursOfMonth = 24 * 30;
        if (hour - party.hour > kHoursOfMonth) party.busiest_hour /= 2;
        party.busiest_hour = std::max(party.busiest_hour, party.this_hour);
        party.this_hour = 0;
        party.hour = hour;
    }
    ++party.this_hour;
    if (party.suspect.sums(change.steady, change.time).ten_minutes < kOneFile) return;
    if (marked_ && circle(change.actor).note_folders(change.steady) >= kNoteFoldersMin)
        mark(change, change.actor, "#notes", Sign::Notes, kNotesPoints);
    if (party.this_hour > kBreadthTimes * std::max(party.busiest_hour, kBreadthMin))
        mark(change, change.actor, "#breadth", Sign::Breadth, kBreadthPoints);
}

Conclusion Judge::take(const Change& change) {
    marked_ = false;
    explained_ = false;
    blamed_.reset();
    if (policy_.is_enrolled(change.actor)) return {};
    switch (change.kind) {
        case ChangeKind::CloseWrite:
            change.is_new || !change.before ? judge_new(change) : judge_content(change);
            break;
        case ChangeKind::RenameOver:
        case ChangeKind::Exchange:
            // By a link, or by nothing at all.
            if (!change.now) {
                judge_loss(change);
                break;
            }
            judge_arrival(change, circle(change.actor).rename(change.file, change.path, examiner_));
            judge_content(change);
            break;
        case ChangeKind::Unlink:
            judge_loss(change);
            break;
        case ChangeKind::Rename:
            judge_name(change);
            break;
        case ChangeKind::Create:
            circle(change.actor).note_birth(change.file, change.actor.key(), change.steady);
            break;
        default:
            return {};
    }
    Change theirs = change;
    if (blamed_) theirs.actor = *blamed_;
    Conclusion conclusion = conclude(theirs);
    if (blamed_) conclusion.blamed = blamed_->key();
    conclusion.is_marked = marked_;
    conclusion.is_explained = explained_;
    return conclusion;
}

Rung Judge::rung_for(const Party& party, const Change& change, bool is_group) const {
    const Sums sums = party.suspect.sums(change.steady, change.time);
    if (!is_group) {
        if (sums.ten_minutes >= policy_.freeze_points || sums.day >= policy_.freeze_points_day ||
            sums.month >= policy_.freeze_points_month)
            return Rung::Freeze;
        return sums.ten_minutes >= policy_.delay_points ? Rung::Delay : Rung::Preserve;
    }
    if (party.suspect.contributors(change.steady) == 0) return Rung::Preserve;
    const bool together = party.suspect.contributors(change.steady) > 1;
    if ((together && sums.ten_minutes >= policy_.group_points) ||
        sums.day >= policy_.group_points_day || sums.month >= policy_.group_points_month)
        return Rung::Freeze;
    return Rung::Preserve;
}

Conclusion Judge::conclude(const Change& change) {
    const std::string key = change.actor.key();
    Party& own = party(key, change.steady);
    own.seen = change.steady;
    add_signs(change, own);
    if (!marked_) return {.rung = own.rung, .verdict = {}, .key = key, .targets = {}};
    const Rung before = own.rung;
    own.rung = std::max(own.rung, rung_for(own, change, false));
    Conclusion conclusion = explain(key, own, own.rung, change);
    conclusion.is_news = own.rung > before;
    if (own.rung == Rung::Freeze) conclusion.is_news = true;
    for (const std::string& group : groups_of(change.actor)) {
        if (own.rung >= Rung::Freeze) break;
        Party& many = party(group, change.steady);
        const bool house = group == kHouse;
        const Sums sums = many.suspect.sums(change.steady, change.time);
        const bool hot = house ? many.suspect.contributors(change.steady) > 1 &&
                                     sums.ten_minutes >= policy_.house_points
                               : rung_for(many, change, true) >= Rung::Freeze;
        if (!hot) continue;
        conclusion = explain(group, many, Rung::Freeze, change);
        conclusion.is_news = true;
        for (const Actor& actor : conclusion.targets)
            party(actor.key(), change.steady).rung = Rung::Freeze;
        break;
    }
    if (conclusion.rung == Rung::Freeze && conclusion.is_news &&
        is_outbreak(conclusion, change.steady))
        conclusion.rung = Rung::ReadOnly;
    return conclusion;
}

/// So many works were frozen lately that freezing is not the answer. The processes of one split
/// work count once, unless each runs another program.
bool Judge::is_outbreak(const Conclusion& conclusion, SteadyTime now) {
    for (const Actor& actor : conclusion.targets) {
        const std::string key = actor.key();
        if (std::ranges::count(frozen_, key, &Frozen::actor) != 0) continue;
        const bool alone = conclusion.key == key;
        frozen_.push_back({now, key, alone ? key : conclusion.key + ' ' + actor.program});
    }
    while (!frozen_.empty() && now - frozen_.front().at > Suspect::kShort) frozen_.pop_front();
    std::set<std::string_view> works;
    for (const Frozen& one : frozen_) works.insert(one.work);
    return works.size() >= policy_.read_only_works;
}

Rung Judge::rung_of(const Actor& actor) const {
    const auto known = parties_.find(actor.key());
    return known == parties_.end() ? Rung::Preserve : known->second.rung;
}

void Judge::forgive(const std::string& key) {
    const auto known = parties_.find(key);
    if (known == parties_.end()) return;
    std::vector<std::uint64_t> files;
    for (const Mark& mark : known->second.suspect.marks()) files.push_back(mark.file);
    parties_.erase(known);
    for (auto& [name, other] : parties_) other.suspect.forget(files);
    std::erase_if(frozen_, [&](const Frozen& one) { return one.actor == key; });
}

}  // namespace hygie::files
