#include "guards/files/judge/theft.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "guards/files/judge/memory.h"

namespace hygie::files {
namespace {

constexpr std::size_t kReadingsMax = 20'000;
constexpr std::int64_t kDaysKept = 30;
constexpr std::string_view kDomain = "files.reader";
/// An archive that appears after so many different files were read is made of them.
constexpr std::size_t kArchiveFilesMin = 50;

bool is_archive_name(std::string_view path) {
    constexpr std::array<std::string_view, 9> kEndings = {".zip", ".7z",  ".rar", ".tar", ".tgz",
                                                          ".gz",  ".zst", ".xz",  ".gpg"};
    const std::string_view extension = extension_part(name_part(path));
    return std::ranges::count(kEndings, extension) != 0;
}

std::int64_t day_of(WallTime time) {
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

void drop(std::unordered_map<std::uint64_t, std::size_t>& counts, std::uint64_t key) {
    const auto known = counts.find(key);
    if (known != counts.end() && --known->second == 0) counts.erase(known);
}

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt,
                {"la mémoire des lectures est abîmée", "the memory of readings is damaged"},
                {"supprimez judge.habits : elle repart de zéro, rien d'autre n'est perdu",
                 "delete judge.habits: it starts afresh, nothing else is lost"});
}

}  // namespace

void TheftWatch::Reader::forget_before(SteadyTime time) {
    while (!readings.empty() && (readings.front().at < time || readings.size() > kReadingsMax)) {
        drop(files, readings.front().file);
        drop(folders, readings.front().folder);
        readings.pop_front();
    }
}

std::size_t TheftWatch::Reader::usual() const {
    // Today is what is judged; the days before are what is usual.
    std::size_t most = 0;
    for (auto day = days.begin(); day != days.end() && std::next(day) != days.end(); ++day)
        most = std::max(most, day->second);
    return most;
}

Conclusion TheftWatch::take(const Change& change) {
    const std::string key = change.actor.key();
    if (change.kind != ChangeKind::Read) {
        const bool archive =
            change.kind == ChangeKind::CloseWrite && change.is_new && is_archive_name(change.path);
        const auto known = readers_.find(key);
        if (!archive || known == readers_.end()) return {};
        return conclude(change, known->second, true);
    }
    Reader& reader = this->reader(key);
    reader.forget_before(change.steady - TheftPolicy::kWindow);
    const std::hash<std::string_view> hash;
    const Reading reading{change.steady, hash(change.path), hash(folder_part(change.path))};
    reader.readings.push_back(reading);
    ++reader.files[reading.file];
    ++reader.folders[reading.folder];
    std::size_t& today = reader.days[day_of(change.time)];
    today = std::max(today, reader.files.size());
    while (reader.days.begin()->first < day_of(change.time) - kDaysKept)
        reader.days.erase(reader.days.begin());
    return conclude(change, reader, false);
}

Conclusion TheftWatch::conclude(const Change& change, Reader& reader, bool is_archive) {
    const std::size_t files = reader.files.size();
    const std::size_t usual = policy_.usual_times * reader.usual();
    if (reader.folders.size() < policy_.folders_min) return {};
    Rung rung = Rung::Preserve;
    if (files >= std::max(policy_.files_alert, usual)) rung = Rung::Delay;
    if (is_archive && files >= kArchiveFilesMin && files >= usual && !reader.archived) {
        reader.archived = true;
        rung = Rung::Delay;
    }
    if (files >= std::max(policy_.files_cut, usual) && change.actor.smb) rung = Rung::Freeze;
    if (files < std::min(policy_.files_alert, kArchiveFilesMin) / 2) reader.rung = Rung::Preserve;
    if (rung <= reader.rung) return {};
    reader.rung = rung;
    Conclusion conclusion{.rung = rung, .verdict = {}, .key = change.actor.key(), .targets = {}};
    conclusion.is_news = true;
    conclusion.targets = {change.actor};
    conclusion.verdict.level =
        rung == Rung::Freeze ? event::Level::Malicious : event::Level::Suspicious;
    conclusion.verdict.score_permille = rung == Rung::Freeze ? 900 : 600;
    conclusion.verdict.reasons.push_back(
        {"files.bulk-read",
         {fmt::format("{} fichiers différents lus dans {} dossiers en dix minutes, au plus {} un "
                      "jour d'avant",
                      files, reader.folders.size(), reader.usual()),
          fmt::format("{} different files read in {} folders within ten minutes, at most {} on a "
                      "day before",
                      files, reader.folders.size(), reader.usual())},
         change.path});
    if (is_archive)
        conclusion.verdict.reasons.push_back(
            {"files.archive-of-reads",
             {"une archive neuve suit ces lectures", "a new archive follows these readings"},
             change.path});
    return conclusion;
}

TheftWatch::Reader& TheftWatch::reader(const std::string& key) {
    if (const auto known = readers_.find(key); known != readers_.end()) return known->second;
    if (readers_.size() >= kActorsMax) readers_.clear();
    Reader& fresh = readers_[key];
    if (!habits_key_) return fresh;
    const auto habit = habits_.find(crypto::blind(*habits_key_, kDomain, key));
    if (habit != habits_.end()) fresh.days = habit->second;
    return fresh;
}

void TheftWatch::forgive(const std::string& key) {
    const auto known = readers_.find(key);
    if (known == readers_.end()) return;
    Days days = std::move(known->second.days);
    known->second = {};
    known->second.days = std::move(days);
}

/// Of families of processes nothing is kept: none outlives the machine's start.
Bytes TheftWatch::save(const crypto::Secret32& key, WallTime now) const {
    auto all = habits_;
    for (const auto& [name, reader] : readers_)
        if (!name.starts_with("family:") && !reader.days.empty())
            all[crypto::blind(key, kDomain, name)] = reader.days;
    for (auto& [token, days] : all)
        std::erase_if(days, [&](const auto& day) { return day.first < day_of(now) - kDaysKept; });
    std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
    Memory memory;
    for (const auto& [token, days] : all)
        for (const auto& [day, files] : days)
            memory[token].emplace_back(static_cast<std::uint64_t>(std::max<std::int64_t>(day, 0)),
                                       files);
    return spell_memory(memory);
}

Status TheftWatch::load(const crypto::Secret32& key, ByteView text) {
    const Result<Memory> memory = parse_memory(text);
    if (!memory) return damaged();
    habits_key_ = key;
    habits_.clear();
    for (const auto& [token, days] : *memory)
        for (const auto& [day, files] : days)
            habits_[token][static_cast<std::int64_t>(day)] = files;
    return {};
}

}  // namespace hygie::files
