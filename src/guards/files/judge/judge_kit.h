#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "guards/files/judge/judge.h"
#include "guards/files/judge/victims.h"

/// For tests of the judge: a share in memory, and who works or attacks there.
namespace hygie::files {

inline ContentPtr content(Bytes bytes) {
    return std::make_shared<MemoryContent>(std::move(bytes));
}

inline Bytes text(std::size_t lines, std::uint64_t seed) {
    static constexpr const char* kWords[] = {"patient", "tension", "mg",     "matin",  "droite",
                                             "bilan",   "douleur", "examen", "normal", "contrôle"};
    Chance chance(seed);
    std::string out;
    for (std::size_t i = 0; i < lines; ++i) {
        for (int word = 0; word < 9; ++word) out += std::string(kWords[chance() % 10]) + " ";
        out += fmt::format("{}\n", chance() % 1000);
    }
    return Bytes(out.begin(), out.end());
}

/// A share in memory, the acts of programs on it, and how many files each could change before the
/// judge had it frozen.
class Theatre {
  public:
    explicit Theatre(Policy policy = {}) : judge(std::move(policy), examiner) {}

    Actor process(pid_t pid, uid_t uid = 1000) {
        Actor actor;
        actor.process = actor.family = {pid, 77};
        actor.uid = uid;
        actor.program = "/usr/bin/program";
        return actor;
    }
    Actor station(const char* user, const char* address) {
        Actor actor = process(900, 1200);
        actor.smb = SmbClient{user, address};
        return actor;
    }

    Conclusion write(const Actor& actor, const std::string& path, ContentPtr before, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    /// … when the file has another name by the time that is told.
    Conclusion close_renamed(const Actor& actor, const std::string& from, const std::string& path,
                             ContentPtr before, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, from);
        change.path = path;
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion unlink_renamed(const Actor& actor, const std::string& from, const std::string& path,
                              ContentPtr before) {
        Change change = make(ChangeKind::Unlink, actor, from);
        change.path = path;
        change.before = std::move(before);
        return play(change);
    }
    Conclusion create(const Actor& actor, const std::string& path, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.file = key(++next_);
        change.is_new = true;
        change.now = content(std::move(now));
        return play(change);
    }
    /// Its maker writes on in the file created last.
    Conclusion write_on(const Actor& actor, const std::string& path, ContentPtr before, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.file = key(next_);
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    void read(const Actor& actor, const std::string& path, ContentPtr now, bool is_made_since) {
        Change change = make(ChangeKind::Read, actor, path);
        change.before = std::move(now);
        change.is_new = is_made_since;
        judge.hear_of(change);
    }
    Conclusion unlink(const Actor& actor, const std::string& path, ContentPtr before) {
        Change change = make(ChangeKind::Unlink, actor, path);
        change.before = std::move(before);
        return play(change);
    }
    Conclusion create_outside(const Actor& actor, const std::string& path, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.file = key(++next_);
        change.is_new = change.is_outside = true;
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion unlink_what_was_read(const Actor& actor, const std::string& path,
                                    ContentPtr before) {
        Change change = make(ChangeKind::Unlink, actor, path);
        change.before = std::move(before);
        change.was_read = true;
        return play(change);
    }
    /// … as one of a whole folder that it read.
    Conclusion unlink_of_collection(const Actor& actor, const std::string& path,
                                    ContentPtr before) {
        Change change = make(ChangeKind::Unlink, actor, path);
        change.before = std::move(before);
        change.was_read = change.is_of_collection = true;
        return play(change);
    }
    /// A symbolic link takes the place of a file that was read.
    Conclusion link_over(const Actor& actor, const std::string& path, ContentPtr before) {
        Change change = make(ChangeKind::RenameOver, actor, path);
        change.file = key(++next_);
        change.victim = key(std::hash<std::string>()(path));
        change.before = std::move(before);
        change.was_read = true;
        return play(change);
    }
    Conclusion leave_open(const Actor& actor, const std::string& path, ContentPtr before,
                          Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.is_open = true;
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion replace(const Actor& actor, const std::string& path, ContentPtr before, Bytes now) {
        create(actor, path + ".tmp", now);
        Change change = make(ChangeKind::RenameOver, actor, path);
        change.file = key(next_);
        change.from = path + ".tmp";
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion rename(const Actor& actor, const std::string& from, const std::string& path) {
        Change change = make(ChangeKind::Rename, actor, path);
        change.from = from;
        return play(change);
    }
    /// The file created last.
    Conclusion rename_last(const Actor& actor, const std::string& path) {
        Change change = make(ChangeKind::Rename, actor, path);
        change.file = key(next_);
        change.from = "/share/before";
        return play(change);
    }
    void pass(Micros time) {
        steady_ += time;
        wall_ += time;
    }
    bool is_frozen(const Actor& actor) const { return judge.rung_of(actor) >= Rung::Freeze; }

    DirectExaminer examiner;
    Judge judge;
    int frozen = 0;

  private:
    static FileKey key(std::uint64_t number) {
        Bytes handle(8);
        store_be(handle.data(), number);
        return {1, 1, handle};
    }
    Change make(ChangeKind kind, const Actor& actor, const std::string& path) {
        Change change;
        change.kind = kind;
        change.time = wall_;
        change.steady = steady_;
        change.actor = actor;
        change.file = key(std::hash<std::string>()(path));
        change.path = path;
        return change;
    }
    Conclusion play(const Change& change) {
        pass(Micros(500));
        const Conclusion conclusion = judge.take(change);
        frozen += conclusion.is_news && conclusion.rung >= Rung::Freeze;
        return conclusion;
    }

    SteadyTime steady_{std::chrono::hours(100)};
    WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 11 / 25)};
    std::uint64_t next_ = 1;
};

/// Documents of the share that are whole, in another order for each seed.
inline std::vector<const Victim*> some_victims(std::size_t count, std::uint64_t seed) {
    std::vector<const Victim*> chosen;
    for (const Victim& victim : victims())
        if (victim.bytes.size() >= 512) chosen.push_back(&victim);
    Chance chance(seed);
    std::ranges::shuffle(chosen, chance);
    if (chosen.size() > count) chosen.resize(count);
    return chosen;
}

/// Files that an attacker finds, at most.
inline constexpr std::size_t kFiles = 40;

}  // namespace hygie::files
