#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "guards/files/acts/actors.h"
#include "guards/files/enforce/enforcer.h"
#include "host/unique_fd.h"

namespace hygie::files {
namespace {

/// A tree that forks while it is read is read again, so many times at most.
constexpr int kPasses = 4;

std::map<pid_t, ProcessStat> all_processes() {
    std::map<pid_t, ProcessStat> all;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc"), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
        const std::string_view name(entry->d_name);
        pid_t pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr !=
            name.data() + name.size())
            continue;
        if (const auto stat = stat_of(pid)) all.emplace(pid, *stat);
    }
    return all;
}

class RealProcessControl final : public ProcessControl {
  public:
    std::vector<ProcessId> tree_of(const ProcessId& root) override {
        std::vector<ProcessId> tree;
        std::set<pid_t> seen;
        for (int pass = 0; pass < kPasses; ++pass) {
            const auto all = all_processes();
            const auto top = all.find(root.pid);
            if (top == all.end() || top->second.started != root.started) return tree;
            const std::size_t before = tree.size();
            for (const auto& [pid, stat] : all) {
                if (!descends(all, pid, root.pid) || is_kin(all, pid)) continue;
                if (seen.insert(pid).second) tree.push_back({pid, stat.started});
            }
            if (tree.size() == before) break;
        }
        return tree;
    }

    bool is_ours(pid_t pid) override { return std::ranges::count(ours_, pid) != 0; }

    bool is_waited_for(pid_t pid) override {
        if (is_nfs_server(pid)) return true;
        std::string text;
        const UniqueFd fd(::open("/proc/locks", O_RDONLY | O_CLOEXEC));
        std::array<char, 64 << 10> block;
        for (ssize_t got = 1; fd && got > 0;) {
            got = ::read(fd.get(), block.data(), block.size());
            if (got > 0) text.append(block.data(), static_cast<std::size_t>(got));
        }
        return std::ranges::count(waited_for(text), pid) != 0;
    }

    bool send(const ProcessId& process, int signal) override {
        if (process.pid <= 1) return false;
        // The descriptor pins the process; then it is still the one that was meant, or it is not.
        const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0U)));
        const auto stat = stat_of(process.pid);
        if (!fd || !stat || stat->started != process.started || stat->is_kernel) return false;
        return ::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0U) == 0;
    }

    std::optional<ProcessId> stop_now(pid_t pid) override {
        const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
        if (!fd || ::syscall(SYS_pidfd_send_signal, fd.get(), SIGSTOP, nullptr, 0U) != 0)
            return std::nullopt;
        const auto stat = stat_of(pid);
        if (!stat) return std::nullopt;
        return ProcessId{pid, stat->started};
    }

    bool freeze_group(const std::string& cgroup, const std::vector<ProcessId>& family) override {
        // The root of all, and whatever a path could climb out of.
        if (cgroup.size() < 2 || cgroup.find("..") != std::string::npos) return false;
        const auto is_family = [&](pid_t pid) {
            return std::ranges::count(family, pid, &ProcessId::pid) != 0 && !is_ours(pid) &&
                   !is_waited_for(pid);
        };
        const auto members = members_of(cgroup);
        if (!members || members->empty() || !std::ranges::all_of(*members, is_family)) return false;
        return write_group(cgroup, "1");
    }

    void thaw_group(const std::string& cgroup) override { write_group(cgroup, "0"); }

  private:
    /// This process and those above it. Asked before anybody has to be stopped in a hurry.
    static std::vector<pid_t> ancestry() {
        constexpr std::size_t kDepthMax = 64;
        std::vector<pid_t> ours{::getpid()};
        while (ours.size() < kDepthMax) {
            const auto stat = stat_of(ours.back());
            if (!stat || stat->parent <= 1) break;
            ours.push_back(stat->parent);
        }
        return ours;
    }
    const std::vector<pid_t> ours_ = ancestry();

    /// Where version 2 is; beside version 1, systemd mounts it in a folder of its own.
    static std::string groups_top() {
        const std::string hybrid = "/sys/fs/cgroup/unified";
        return std::filesystem::exists(hybrid + "/cgroup.procs") ? hybrid : "/sys/fs/cgroup";
    }

    static bool write_group(const std::string& cgroup, std::string_view word) {
        const UniqueFd fd(::open(fmt::format("{}{}/cgroup.freeze", groups_top(), cgroup).c_str(),
                                 O_WRONLY | O_CLOEXEC));
        return fd && ::write(fd.get(), word.data(), word.size()) > 0;
    }

    /// Of the group and of those below it, which freeze with it; none when that cannot be known.
    static std::optional<std::vector<pid_t>> members_of(const std::string& cgroup) {
        const std::filesystem::path top(groups_top() + cgroup);
        std::vector<std::filesystem::path> groups{top};
        std::error_code error;
        for (std::filesystem::recursive_directory_iterator entry(top, error), end;
             !error && entry != end; entry.increment(error))
            if (entry->is_directory(error)) groups.push_back(entry->path());
        std::vector<pid_t> members;
        for (const std::filesystem::path& group : groups) {
            std::ifstream list(group / "cgroup.procs");
            if (error || !list) return std::nullopt;
            for (pid_t pid = 0; list >> pid;) members.push_back(pid);
        }
        return members;
    }

    static bool descends(const std::map<pid_t, ProcessStat>& all, pid_t pid, pid_t root) {
        constexpr int kDepthMax = 64;
        for (int depth = 0; depth < kDepthMax && pid > 1; ++depth) {
            if (pid == root) return true;
            const auto stat = all.find(pid);
            if (stat == all.end()) return false;
            pid = stat->second.parent;
        }
        return false;
    }
    /// The guard, what it started, and what it was started by.
    static bool is_kin(const std::map<pid_t, ProcessStat>& all, pid_t pid) {
        return descends(all, pid, ::getpid()) || descends(all, ::getpid(), pid);
    }
};

}  // namespace

ProcessControl& real_process_control() {
    static RealProcessControl control;
    return control;
}

}  // namespace hygie::files
