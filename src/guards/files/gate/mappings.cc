#include "guards/files/gate/mappings.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "guards/files/acts/priority.h"
#include "host/log.h"

namespace hygie::files {
namespace {

constexpr int kPollMs = 100;
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

MappingWatch::~MappingWatch() {
    thread_ = {};
}

void MappingWatch::start() {
    for (auto& [pid, files] : files_) {
        if (files.size() < kFilesMin) continue;
        Result<Faults> faults = Faults::of(pid);
        if (faults)
            processes_.push_back({std::move(files), std::move(*faults)});
        else
            log::warning("files.mappings-unwatched", faults.error());
    }
    files_.clear();
    watched_ = processes_.size();
    if (processes_.empty()) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void MappingWatch::run(const std::stop_token& stop) {
    set_urgency("mappings", Urgency::Door);
    while (!stop.stop_requested() && !processes_.empty()) {
        const bool is_quiet = !wait();
        if (is_quiet && std::exchange(is_any_changed_, false)) doors_.is_quiet();
        for (Process& process : processes_) look(process);
        std::erase_if(processes_, [](const Process& process) {
            const bool is_over = process.faults.is_over() && process.doubts.empty();
            return is_over || process.files.size() == 0 || process.vain > kVainMax;
        });
        watched_ = processes_.size();
    }
    // The last one may have changed all that it had.
    if (std::exchange(is_any_changed_, false)) doors_.is_quiet();
}

/// False when nothing came.
bool MappingWatch::wait() const {
    std::vector<pollfd> polls;
    bool is_hurried = is_any_changed_;
    for (const Process& process : processes_) {
        for (const int fd : process.faults.descriptors()) polls.push_back({fd, POLLIN, 0});
        is_hurried = is_hurried || !process.doubts.empty();
    }
    return ::poll(polls.data(), polls.size(), is_hurried ? kHurryMs : kPollMs) > 0;
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
