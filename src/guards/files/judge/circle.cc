#include "guards/files/judge/circle.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <ranges>
#include <set>

namespace hygie::files {
namespace {

constexpr std::size_t kStemBytesMin = 4;
constexpr std::uint64_t kNoteBytesMax = 64 << 10;
/// Candidates examined for one loss or one new file.
constexpr std::size_t kComparedMax = 6;
/// Compressed data gives back at most so many times its size; more is not believed.
constexpr std::uint64_t kCompressionMax = 4;

std::string_view stem_of(std::string_view name) {
    return name.substr(0, name.find('.', 1));
}

/// `stem` and then another word: `scan_1` leads `scan_1.dcm.zst`, not `scan_10.dcm.zst`.
bool leads(std::string_view stem, std::string_view name) {
    if (!name.starts_with(stem)) return false;
    return name.size() == stem.size() ||
           std::isalnum(static_cast<unsigned char>(name[stem.size()])) == 0;
}

/// Whether `name` holds `word` from end to end of a word: `a.txt` is in `a.txt.enc` and in
/// `[id] a.txt`, not in `data.txt`.
bool holds_word(std::string_view name, std::string_view word) {
    const std::size_t at = name.find(word);
    if (word.empty() || at == std::string_view::npos) return false;
    const bool begins = at == 0 || std::isalnum(static_cast<unsigned char>(name[at - 1])) == 0;
    return begins && leads(word, name.substr(at));
}

bool sizes_match(std::uint64_t before, std::uint64_t after) {
    const std::uint64_t slack = before / 10 + 1024;
    return after + slack >= before && after <= before + slack;
}

bool holds_files(Format format) {
    return format == Format::Zip || format == Format::Archive || format == Format::Packed;
}

std::uint64_t hash_of(const Content& content) {
    const Excerpt excerpt = excerpt_of(content);
    return std::hash<std::string_view>()(as_text(excerpt.bytes));
}

}  // namespace

std::string_view name_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

std::string_view folder_part(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view extension_part(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot);
}

bool Circle::made(const FileKey& file, const std::string& actor, SteadyTime now) const {
    const auto birth = born_.find(file);
    return birth != born_.end() && birth->second.actor == std::hash<std::string>()(actor) &&
           now - birth->second.at <= kMemory;
}

void Circle::note_birth(const FileKey& file, const std::string& actor, SteadyTime now) {
    if (!born_.insert({file, {now, std::hash<std::string>()(actor)}}).second) return;
    births_.push_back(file);
    if (births_.size() <= kBornMax) return;
    born_.erase(births_.front());
    births_.pop_front();
}

Circle::Tie Circle::tie_of(const Loss& loss, const Stranger& stranger) {
    const std::string_view lost = name_part(loss.path);
    const std::string_view made = name_part(stranger.path);
    const std::string_view stem = stem_of(lost);
    const bool same_folder = folder_part(loss.path) == folder_part(stranger.path);
    const bool same_actor = stranger.actor == loss.who;
    // Other folders hold files of the same name: there it must be the same actor.
    if (holds_word(made, lost)) {
        if (same_folder) return Tie::Name;
        if (same_actor) return Tie::Far;
    }
    if (same_folder && stem.size() >= kStemBytesMin && leads(stem, made)) return Tie::Stem;
    if (same_folder && sizes_match(loss.before->size(), stranger.now->size())) return Tie::Place;
    // Only who made an archive can have put its own losses there.
    const bool may_hold = stranger.room >= loss.before->size() && same_actor;
    return may_hold ? Tie::Size : Tie::None;
}

/// Whether comparing the two contents could tell anything: with no more to tie them than place or
/// size, a file that anybody can read clears only what it holds.
bool Circle::may_matter(const Loss& loss, Stranger& stranger, Tie tie, Examiner& examiner) {
    if (tie >= Tie::Stem || loss.before->size() == stranger.now->size()) return true;
    if (!stranger.look) {
        const Result<Finding> look = examiner.examine(nullptr, *stranger.now);
        if (!look) return true;
        stranger.look = *look;
    }
    return stranger.look->opaque || holds_files(stranger.look->after);
}

Circle::Judged Circle::compare(const Loss& loss, Stranger& stranger, Tie tie, Examiner& examiner) {
    const Result<Finding> finding = examiner.examine(loss.before.get(), *stranger.now);
    if (!finding) return Judged::Unrelated;
    if (!finding->opaque) stranger.look = *finding;
    switch (finding->fate) {
        case Fate::Same:
        case Fate::Edited:
        case Fate::Packed:
            return Judged::Innocent;
        case Fate::Resaved:
            // Cut, and then filled with its next version.
            return loss.is_cut() && loss.emptied == stranger.file ? Judged::Innocent
                                                                  : Judged::Unrelated;
        case Fate::Emptied:
        case Fate::Rewritten:
            return Judged::Unrelated;
        case Fate::Damaged:
        case Fate::Scrambled:
            break;
    }
    if (tie == Tie::Name) return Judged::Replaced;
    // It bears part of the name, and ciphertext among what it kept of the content.
    if (tie >= Tie::Stem && finding->fate == Fate::Damaged) return Judged::Replaced;
    // With less to tie them, only a file that no one can read without a secret is suspected.
    return finding->opaque && !finding->readable ? Judged::Replaced : Judged::Unrelated;
}

void Circle::forget(SteadyTime now) {
    const auto old = [&](const auto& entry) { return now - entry.at > kMemory; };
    while (!losses_.empty() && (old(losses_.front()) || losses_.size() > kKeptMax))
        losses_.pop_front();
    while (!strangers_.empty() && (old(strangers_.front()) || strangers_.size() > kKeptMax))
        strangers_.pop_front();
}

Circle::Arrival Circle::add(Stranger stranger, Examiner& examiner) {
    forget(stranger.at);
    note_birth(stranger.file, stranger.actor, stranger.at);
    std::erase_if(strangers_, [&](const Stranger& old) { return old.file == stranger.file; });
    if (!stranger.now || stranger.now->size() == 0) return {};
    stranger.room = stranger.now->size() * kCompressionMax;
    strangers_.push_back(std::move(stranger));
    return arrive(strangers_.back(), examiner);
}

Circle::Arrival Circle::rename(const FileKey& file, const std::string& path, Examiner& examiner) {
    const auto known = std::ranges::find(strangers_, file, &Stranger::file);
    if (known == strangers_.end()) return {};
    known->path = path;
    return arrive(*known, examiner);
}

/// Acts are told out of order now and then: a loss that another file was held against is judged
/// again when this one may give it back.
Circle::Arrival Circle::arrive(Stranger& stranger, Examiner& examiner) {
    std::vector<std::pair<Tie, std::size_t>> candidates;
    for (std::size_t i = 0; i < losses_.size(); ++i)
        if (const Tie tie = tie_of(losses_[i], stranger); tie >= Tie::Place)
            candidates.emplace_back(tie, i);
    std::ranges::stable_sort(candidates, std::greater(),
                             [](const auto& candidate) { return candidate.first; });
    if (candidates.size() > kComparedMax) candidates.resize(kComparedMax);
    Arrival arrival;
    std::set<std::size_t> settled;
    for (const auto& [tie, index] : candidates) {
        Loss& loss = losses_[index];
        if (!may_matter(loss, stranger, tie, examiner)) continue;
        const Judged judged = compare(loss, stranger, tie, examiner);
        if (judged == Judged::Innocent) {
            // A copy outside may be sealed there and brought back.
            if (stranger.is_outside)
                loss.is_elsewhere = true;
            else
                settled.insert(index);
            arrival.gives_back = true;
            // Filled again after it was cut.
            const bool is_refilled = loss.is_cut() && !stranger.is_outside;
            if (is_refilled || loss.suspicion != Suspicion::None) arrival.cleared.push_back(loss);
            loss.suspicion = Suspicion::None;
            // One that is no archive stands for one file.
            if (stranger.look && !holds_files(stranger.look->after)) break;
        } else if (judged == Judged::Replaced && loss.suspicion != Suspicion::Sure) {
            loss.suspicion = Suspicion::Sure;
            arrival.replaced.push_back(loss);
        }
    }
    for (const std::size_t index : std::views::reverse(settled))
        losses_.erase(losses_.begin() + static_cast<std::ptrdiff_t>(index));
    return arrival;
}

Circle::Outcome Circle::add(Loss loss, Examiner& examiner) {
    forget(loss.at);
    if (!loss.before || loss.before->size() == 0) return {Fortune::Explained};
    loss.who = loss.actor.key();
    // The strongest tie first, then the latest file.
    std::vector<std::pair<Tie, Stranger*>> candidates;
    for (auto stranger = strangers_.rbegin(); stranger != strangers_.rend(); ++stranger)
        if (const Tie tie = tie_of(loss, *stranger); tie != Tie::None)
            candidates.emplace_back(tie, &*stranger);
    std::ranges::stable_sort(candidates, std::greater(),
                             [](const auto& candidate) { return candidate.first; });
    if (candidates.size() > kComparedMax) candidates.resize(kComparedMax);
    // Events come out of order: the file that gives it back need not be the latest.
    std::vector<std::pair<Tie, Stranger*>> suspects;
    for (const auto& [tie, stranger] : candidates) {
        if (!may_matter(loss, *stranger, tie, examiner)) continue;
        const Judged judged = compare(loss, *stranger, tie, examiner);
        if (judged == Judged::Innocent) {
            loss.is_elsewhere = stranger->is_outside;
            if (loss.is_elsewhere) losses_.push_back(std::move(loss));
            return {Fortune::Explained};
        }
        if (judged == Judged::Replaced) suspects.emplace_back(tie, stranger);
    }
    if (suspects.empty()) {
        losses_.push_back(std::move(loss));
        return {Fortune::Unexplained};
    }
    const auto [tie, stranger] = suspects.front();
    const auto since = std::chrono::duration_cast<Micros>(loss.at - stranger->at);
    const bool is_alone = sizes_match(loss.before->size(), stranger->now->size());
    if (tie == Tie::Size) stranger->room -= loss.before->size();
    loss.suspicion = tie == Tie::Size ? Suspicion::Some : Suspicion::Sure;
    losses_.push_back(std::move(loss));
    if (tie != Tie::Size) return {Fortune::Replaced, stranger->actor};
    return {is_alone ? Fortune::PerhapsCopied : Fortune::PerhapsArchived, stranger->actor, since};
}

std::optional<Loss> Circle::emptied(const FileKey& file) const {
    const auto found = std::ranges::find(losses_, file, &Loss::emptied);
    return found == losses_.end() ? std::nullopt : std::optional(*found);
}

std::size_t Circle::note_folders(SteadyTime now) const {
    std::map<std::uint64_t, std::vector<const Stranger*>> by_size;
    for (const Stranger& stranger : strangers_)
        if (now - stranger.at <= kMemory && stranger.now->size() <= kNoteBytesMax)
            by_size[stranger.now->size()].push_back(&stranger);
    std::size_t most = 0;
    for (const auto& [size, same_size] : by_size) {
        if (same_size.size() <= most) continue;
        std::map<std::uint64_t, std::set<std::string_view>> folders;
        for (const Stranger* stranger : same_size)
            folders[hash_of(*stranger->now)].insert(folder_part(stranger->path));
        for (const auto& [hash, where] : folders) most = std::max(most, where.size());
    }
    return most;
}

}  // namespace hygie::files
