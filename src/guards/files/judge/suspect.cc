#include "guards/files/judge/suspect.h"

#include <algorithm>
#include <set>

namespace hygie::files {

void Suspect::add(Mark mark) {
    const auto known =
        std::ranges::find_if(marks_, [&](const Mark& old) { return old.file == mark.file; });
    if (known != marks_.end()) {
        if (known->points >= mark.points) return;
        marks_.erase(known);
    }
    marks_.push_back(std::move(mark));
    if (marks_.size() > kMarksMax) marks_.pop_front();
}

void Suspect::forget(const std::vector<std::uint64_t>& files) {
    std::erase_if(marks_,
                  [&](const Mark& mark) { return std::ranges::count(files, mark.file) != 0; });
}

void Suspect::forget(std::uint64_t file, Sign sign) {
    std::erase_if(marks_, [&](const Mark& mark) { return mark.file == file && mark.sign == sign; });
}

bool Suspect::forget_open(std::uint64_t file) {
    const auto is_it = [&](const Mark& mark) { return mark.file == file && mark.is_open; };
    return std::erase_if(marks_, is_it) != 0;
}

Sums Suspect::sums(SteadyTime at, WallTime time) const {
    Sums proofs;
    Sums hints;
    for (const Mark& mark : marks_) {
        Sums& sums = is_hint(mark.sign) ? hints : proofs;
        if (at - mark.at <= kShort) sums.ten_minutes += mark.points;
        if (time - mark.time <= kDay) sums.day += mark.points;
        if (time - mark.time <= kMonth) sums.month += mark.points;
    }
    const auto both = [](std::uint32_t proof, std::uint32_t hint) {
        return proof >= kOneFile ? proof + hint : proof;
    };
    return {both(proofs.ten_minutes, hints.ten_minutes), both(proofs.day, hints.day),
            both(proofs.month, hints.month)};
}

std::size_t Suspect::contributors(SteadyTime at) const {
    std::set<std::string> keys;
    for (const Mark& mark : marks_)
        if (at - mark.at <= kShort) keys.insert(mark.actor.key());
    return keys.size();
}

std::vector<Actor> Suspect::actors(SteadyTime at) const {
    std::vector<Actor> actors;
    std::set<ProcessId> seen;
    for (auto mark = marks_.rbegin(); mark != marks_.rend(); ++mark)
        if (at - mark->at <= kShort && seen.insert(mark->actor.process).second)
            actors.push_back(mark->actor);
    std::ranges::reverse(actors);
    return actors;
}

}  // namespace hygie::files
