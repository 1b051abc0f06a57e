#include <algorithm>

#include "guards/files/judge/judge.h"
#include "guards/files/judge/memory.h"

/// The memory of the judge across restarts: FORMAT.md, "judge.state".
namespace hygie::files {
namespace {

constexpr std::string_view kDomain = "files.actor";

std::uint64_t micros_of(WallTime time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
}

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt, {"la mémoire du juge est abîmée", "the judge's memory is damaged"},
                {"supprimez judge.state : le juge repart de zéro, rien d'autre n'est perdu",
                 "delete judge.state: the judge starts afresh, nothing else is lost"});
}

}  // namespace

Bytes Judge::save(const crypto::Secret32& key, WallTime now) const {
    auto all = history_;
    for (const auto& [name, party] : parties_) {
        auto& points = all[crypto::blind(key, kDomain, name)];
        points.clear();
        for (const Mark& mark : party.suspect.marks())
            if (!is_hint(mark.sign)) points.emplace_back(mark.time, mark.points);
    }
    for (auto& [token, points] : all)
        std::erase_if(points,
                      [&](const auto& point) { return now - point.first > Suspect::kMonth; });
    std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
    Memory memory;
    for (const auto& [token, points] : all)
        for (const auto& [time, count] : points) memory[token].emplace_back(micros_of(time), count);
    return spell_memory(memory);
}

Status Judge::load(const crypto::Secret32& key, ByteView state) {
    const Result<Memory> memory = parse_memory(state);
    if (!memory) return damaged();
    history_key_ = key;
    history_.clear();
    for (const auto& [token, points] : *memory)
        for (const auto& [time, count] : points)
            history_[token].emplace_back(WallTime{Micros(static_cast<std::int64_t>(time))},
                                         static_cast<std::uint32_t>(count));
    return {};
}

/// Old marks of a party that is seen again: they count for the day and the month only.
void Judge::remember(const std::string& key, Party& party, SteadyTime now) const {
    if (!history_key_) return;
    const auto known = history_.find(crypto::blind(*history_key_, kDomain, key));
    if (known == history_.end()) return;
    std::uint64_t number = 0;
    for (const auto& [time, points] : known->second)
        party.suspect.add({now - 2 * Suspect::kShort, time, points, Sign::Damaged, ++number, {}});
}

}  // namespace hygie::files
