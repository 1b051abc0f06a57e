#include "guards/files/gate/unclosed.h"

#include <algorithm>

namespace hygie::files {

void Unclosed::add(const FileKey& key, pid_t tid, const std::string& actor, Time now, Age age) {
    const std::lock_guard lock(mutex_);
    if (files_.size() >= kFilesMax) return;
    const int looks = age == Age::New ? 1 : 0;
    if (files_.try_emplace(key, Entry{tid, actor, now, looks, now, age, {}}).second && looks == 0)
        ++unseen_[actor];
}

void Unclosed::remember(const FileKey& key, pid_t tid, const std::string& actor) {
    const std::lock_guard lock(mutex_);
    if (remembered_.size() >= kActorsMax && !remembered_.contains(actor)) remembered_.clear();
    if (gathering_.size() >= kActorsMax && !gathering_.contains(actor)) gathering_.clear();
    gathering_[actor] = {};
    auto& files = remembered_[actor];
    files.emplace_back(key, tid);
    if (files.size() > kRememberedMax) files.pop_front();
}

void Unclosed::note_birth(const FileKey& key) {
    const std::lock_guard lock(mutex_);
    if (born_.size() >= kBornMax) born_.clear();
    born_.insert(key);
}

void Unclosed::recall(const std::string& actor, Time now) {
    std::deque<std::pair<FileKey, pid_t>> files;
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = gathering_.find(actor); known != gathering_.end())
            ++known->second.read;
        const auto found = remembered_.find(actor);
        if (found == remembered_.end()) return;
        files = std::move(found->second);
        remembered_.erase(found);
    }
    for (const auto& [key, tid] : files) add(key, tid, actor, now, Age::New);
}

bool Unclosed::is_gathering(const std::string& actor) const {
    const std::lock_guard lock(mutex_);
    const auto known = gathering_.find(actor);
    return known != gathering_.end() && known->second.read >= kGatheredMin;
}

bool Unclosed::is_time_to_look(const std::string& actor) const {
    const std::lock_guard lock(mutex_);
    const auto known = gathering_.find(actor);
    return known != gathering_.end() && known->second.read >= known->second.next;
}

std::vector<Unclosed::File> Unclosed::take_look(const std::string& actor) {
    const std::lock_guard lock(mutex_);
    if (const auto known = gathering_.find(actor); known != gathering_.end())
        known->second.next = 2 * std::max(known->second.read, known->second.next);
    std::vector<File> files;
    for (const auto& [key, entry] : files_)
        if (entry.age == Age::New && entry.actor == actor)
            files.push_back({key, entry.tid, entry.since});
    return files;
}

/// Under the lock.
void Unclosed::seen(const Entry& entry) {
    const auto count = unseen_.find(entry.actor);
    if (count != unseen_.end() && --count->second == 0) unseen_.erase(count);
}

Unclosed::Age Unclosed::close(const FileKey& key) {
    remove(key);
    const std::lock_guard lock(mutex_);
    return born_.erase(key) != 0 ? Age::New : Age::Old;
}

void Unclosed::remove(const FileKey& key) {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    if (found->second.looks == 0) seen(found->second);
    files_.erase(found);
}

std::vector<Unclosed::File> Unclosed::due(Time now, const std::optional<std::string>& actor) const {
    const std::lock_guard lock(mutex_);
    std::vector<File> files;
    for (const auto& [key, entry] : files_)
        if (entry.looks < kLooksMax && entry.next <= now && (!actor || entry.actor == *actor))
            files.push_back({key, entry.tid, entry.since});
    return files;
}

void Unclosed::looked(const FileKey& key, Time now) {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    Entry& entry = found->second;
    if (entry.looks == 0) seen(entry);
    entry.next = now + kPause * (1 << entry.looks);
    entry.last = now;
    // Perhaps it was only read, in a way that cannot be told from writing: no closing will come.
    if (++entry.looks >= kLooksMax) files_.erase(found);
}

void Unclosed::was_empty(const FileKey& key, Time now) {
    const std::lock_guard lock(mutex_);
    if (const auto found = files_.find(key); found != files_.end())
        found->second.next = now + kFresh;
}

void Unclosed::hasten(const std::string& actor, Time now) {
    const std::lock_guard lock(mutex_);
    for (auto& [key, entry] : files_) {
        const bool is_seen = entry.age == Age::New && entry.looks > 1;
        if (!is_seen || entry.actor != actor || now - entry.last < kFresh) continue;
        entry.next = now;
        --entry.looks;
    }
}

std::size_t Unclosed::unseen(const std::string& actor, const FileKey& beside) const {
    const std::lock_guard lock(mutex_);
    const auto count = unseen_.find(actor);
    if (count == unseen_.end()) return 0;
    const auto itself = files_.find(beside);
    const bool is_counted =
        itself != files_.end() && itself->second.actor == actor && itself->second.looks == 0;
    return count->second - (is_counted ? 1 : 0);
}

bool Unclosed::is_any_unseen() const {
    const std::lock_guard lock(mutex_);
    return !unseen_.empty();
}

}  // namespace hygie::files
