#include "guards/files/gate/mappings.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "guards/files/acts/priority.h"
#include "host/log.h"

namespace hygie::files {
namespace {

constexpr int kPollMs = 100;
constexpr int kForEver = -1;
/// While something may be changing that nobody tells of again.
constexpr int kHurryMs = 2;
/// Who has waited for its page, and for the journal, has written by then.
constexpr Micros kDoubtMax = std::chrono::milliseconds(50);

}  // namespace

void MappedFiles::add(const Mapping& mapping, const FileKey& file) {
    ranges_[mapping.begin] = {mapping.end, file};
    files_.insert(file);
}

std::optional<FileKey> MappedFiles::at(std::uint64_t address) const {
    const auto next = ranges_.upper_bound(address);
    if (next == ranges_.begin()) return std::nullopt;
    const Range& range = std::prev(next)->second;
    if (address >= range.end || !files_.contains(range.file)) return std::nullopt;
    return range.file;
}

void MappedFiles::add_all(const MappedFiles& others) {
    for (const auto& [begin, range] : others.ranges_) ranges_[begin] = range;
    files_.insert(others.files_.begin(), others.files_.end());
}

/// "7f…-7f… rw-s 00000000 07:03 131 /path": shared and writable. Which file that is tells its link:
/// on btrfs the device in the line is not the one that stat(2) tells.
std::vector<Mapping> mappings_of(pid_t pid) {
    std::vector<Mapping> found;
    std::ifstream text(fmt::format("/proc/{}/maps", pid));
    for (std::string line; std::getline(text, line);) {
        Mapping mapping;
        mapping.pid = pid;
        char access[5] = {};
        struct stat info{};
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &mapping.begin, &mapping.end, access) != 3 ||
            access[1] != 'w' || access[3] != 's' || ::stat(mapping.link().c_str(), &info) < 0 ||
            !S_ISREG(info.st_mode))
            continue;
        mapping.inode = {info.st_dev, info.st_ino};
        found.push_back(mapping);
    }
    return found;
}

std::string Mapping::link() const {
    return fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, begin, end);
}

MappingWatch::MappingWatch(Doors doors)
    : doors_(std::move(doors)), woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

/// Who comes meanwhile must not begin it again: it would use what is going.
void MappingWatch::stop() {
    std::jthread ending;
    {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
        ending = std::move(thread_);
    }
    ending.request_stop();
    wake();
}

void MappingWatch::watch(pid_t pid, MappedFiles files) {
    {
        const std::lock_guard lock(mutex_);
        const bool is_known = watched_files_.contains(pid);
        if (files.size() < (is_known ? 1 : kFilesMin)) return;
        watched_files_[pid].add_all(files);
    }
    Result<Faults> faults = Faults::of(pid);
    if (!faults) return log::warning("files.mappings-unwatched", faults.error());
    const std::lock_guard lock(mutex_);
    if (is_over_) return;
    coming_.push_back({pid, std::move(files), std::move(*faults)});
    ++watched_;
    if (!thread_.joinable())
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    wake();
}

bool MappingWatch::is_watched(pid_t pid, const FileKey& file) const {
    const std::lock_guard lock(mutex_);
    const auto known = watched_files_.find(pid);
    return known != watched_files_.end() && known->second.has(file);
}

void MappingWatch::wake() const {
    const std::uint64_t one = 1;
    (void)!::write(woken_.get(), &one, sizeof one);
}

void MappingWatch::run(const std::stop_token& stop) {
    set_urgency("mappings", Urgency::Door);
    while (!stop.stop_requested()) {
        const bool is_quiet = !wait();
        take_in();
        if (is_quiet && std::exchange(is_any_changed_, false)) doors_.is_quiet();
        for (Process& process : processes_) look(process);
        leave_alone();
    }
}

void MappingWatch::leave_alone() {
    const std::lock_guard lock(mutex_);
    std::erase_if(processes_, [this](const Process& process) {
        const bool is_over = process.faults.is_over() && process.doubts.empty();
        // Another may get its number.
        if (is_over) watched_files_.erase(process.pid);
        return is_over || process.files.size() == 0 || process.vain > kVainMax;
    });
    watched_ = processes_.size() + coming_.size();
}

/// Faults of who is known already are told by what tells them.
void MappingWatch::take_in() {
    std::uint64_t times = 0;
    (void)!::read(woken_.get(), &times, sizeof times);
    const std::lock_guard lock(mutex_);
    for (Process& one : coming_) {
        const auto known = std::ranges::find(processes_, one.pid, &Process::pid);
        if (known == processes_.end())
            processes_.push_back(std::move(one));
        else
            known->files.add_all(one.files);
    }
    coming_.clear();
}

/// False when nothing came. Who is not watched any more may have changed all that it had a moment
/// ago.
bool MappingWatch::wait() const {
    std::vector<pollfd> polls = {{woken_.get(), POLLIN, 0}};
    bool is_hurried = is_any_changed_;
    for (const Process& process : processes_) {
        for (const int fd : process.faults.descriptors()) polls.push_back({fd, POLLIN, 0});
        is_hurried = is_hurried || !process.doubts.empty();
    }
    const int patience = is_hurried ? kHurryMs : processes_.empty() ? kForEver : kPollMs;
    return ::poll(polls.data(), polls.size(), patience) > 0;
}

/// Faults are told before what they were for is done: the next one, or time, shows it.
void MappingWatch::look(Process& process) {
    std::vector<Fault> faults;
    process.faults.read(faults);
    const SteadyTime now = std::chrono::steady_clock::now();
    for (const Fault& fault : faults) doubt(process, fault, now);
    std::erase_if(process.doubts, [&](const Doubt& doubt) {
        const bool has_changed = doors_.has_changed(doubt.pid, doubt.file);
        if (has_changed) {
            process.files.forget(doubt.file);
            process.vain = 0;
            is_any_changed_ = true;
        }
        return has_changed || now - doubt.since > kDoubtMax;
    });
}

void MappingWatch::doubt(Process& process, const Fault& fault, SteadyTime now) {
    ++process.vain;
    const auto file = process.files.at(fault.address);
    if (!file) return;
    const auto known = std::ranges::find(process.doubts, *file, &Doubt::file);
    if (known == process.doubts.end())
        process.doubts.push_back({fault.pid, *file, now});
    else
        known->since = now;
}

}  // namespace hygie::files
