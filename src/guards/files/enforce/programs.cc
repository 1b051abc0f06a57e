#include "guards/files/enforce/programs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <span>
#include <sstream>

#include "guards/files/acts/volume.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr int kPollMs = 250;
/// So many at once that their descriptors fit below any limit.
constexpr std::size_t kReadBytes = 64 * 24;
constexpr std::uint8_t kNoVolume = 255;

/// A program that is open for as long as it is looked at.
class Program final : public Content {
  public:
    Program(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
    std::uint64_t size() const override { return size_; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0) return os_failure(errno, "pread");
        return static_cast<std::size_t>(got);
    }

  private:
    int fd_;
    std::uint64_t size_;
};

/// Of a descriptor of this thread: /proc/self would name those of the process.
std::string path_of_own(int fd) {
    std::array<char, 4096> path{};
    const std::string link = fmt::format("/proc/thread-self/fd/{}", fd);
    const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
    return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

/// One that is written anew is another.
FileKey key_of(const struct stat& info) {
    Bytes bytes(24);
    store_be(bytes.data(), static_cast<std::uint64_t>(info.st_dev));
    store_be(bytes.data() + 8, static_cast<std::uint64_t>(info.st_ino));
    store_be(bytes.data() + 16, static_cast<std::uint64_t>(info.st_ctim.tv_sec * 1'000'000'000 +
                                                           info.st_ctim.tv_nsec));
    return {kNoVolume, 0, bytes};
}

/// The kernel writes blanks and the like in names as \040.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_octal = text[i] == '\\' && i + 3 < text.size();
        if (is_octal)
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                     (text[i + 3] - '0'));
        else
            out += text[i];
        if (is_octal) i += 3;
    }
    return out;
}

}  // namespace

bool holds_programs(std::string_view type) {
    constexpr std::array<std::string_view, 14> kLocal = {
        "ext2", "ext3",    "ext4", "xfs",   "btrfs", "f2fs",    "tmpfs",
        "zfs",  "overlay", "vfat", "exfat", "ntfs3", "iso9660", "squashfs"};
    return std::ranges::count(kLocal, type) != 0;
}

std::vector<std::string> mounts_to_watch(std::string_view mountinfo) {
    std::vector<std::string> places;
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string skipped;
        std::string place;
        std::string type;
        words >> skipped >> skipped >> skipped >> skipped >> place;
        while (words >> skipped && skipped != "-") continue;
        if (words >> type && holds_programs(type)) places.push_back(unescaped(place));
    }
    return places;
}

bool is_of_system(std::string_view path) {
    constexpr std::array<std::string_view, 7> kFolders = {
        "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/bin", "/sbin", "/lib"};
    return std::ranges::any_of(kFolders, [&](auto folder) { return is_inside(path, folder); });
}

Programs::Programs(How how, std::vector<std::string> except)
    : how_(how), except_(std::move(except)), own_program_(program_of(::getpid())) {}

Result<std::unique_ptr<Programs>> Programs::start(How how, std::vector<std::string> except) {
    std::unique_ptr<Programs> programs(new Programs(how, std::move(except)));
    programs->answers_ =
        std::jthread([all = programs.get()](const std::stop_token& stop) { all->run(stop); });
    {
        std::unique_lock lock(programs->mutex_);
        programs->changed_.wait(lock, [&] { return programs->opened_.has_value(); });
    }
    if (!*programs->opened_) return std::unexpected(programs->opened_->error());
    return programs;
}

void Programs::meet_all(Asks asks) {
    {
        const std::scoped_lock lock(mutex_);
        asks_ = std::move(asks);
        is_begun_ = true;
    }
    changed_.notify_all();
    tells_ = std::jthread([this](const std::stop_token& stop) { tell(stop); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_watching_; });
}

Programs::~Programs() {
    answers_.request_stop();
    tells_.request_stop();
    changed_.notify_all();
}

std::uint64_t Programs::mask() const {
    constexpr std::uint64_t kOpenExec = 0x00001000;
    return how_ == How::Refuse ? fan::kOpenExecPerm : kOpenExec;
}

Status Programs::open() {
    if (::unshare(CLONE_FILES) < 0) return os_failure(errno, "unshare");
    const auto kind = how_ == How::Refuse ? fan::Kind::OldGate : fan::Kind::Closings;
    group_ = TRY(fan::Group::open(kind));
    return {};
}

void Programs::run(const std::stop_token& stop) {
    {
        const Status opened = open();
        std::unique_lock lock(mutex_);
        opened_ = opened;
        changed_.notify_all();
        // Whoever forks meanwhile finds nothing of this thread's under way.
        changed_.wait(lock, stop, [&] { return is_begun_; });
    }
    if (!stop.stop_requested()) answer_all(stop);
    group_ = {};  // by whose number others would close something else
}

void Programs::answer_all(const std::stop_token& stop) {
    const UniqueFd mounts(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
    watch_mounts();
    {
        const std::scoped_lock lock(mutex_);
        is_watching_ = true;
    }
    changed_.notify_all();
    std::vector<fan::Event> events;
    while (!stop.stop_requested()) {
        std::array<pollfd, 2> polls{{{group_.fd(), POLLIN, 0}, {mounts.get(), POLLPRI, 0}}};
        (void)::poll(polls.data(), polls.size(), kPollMs);
        if (polls[1].revents != 0) watch_mounts();
        events.clear();
        if (const Status taken = group_.read(events, kReadBytes); !taken)
            log::warning("files.programs", taken.error());
        for (const fan::Event& event : events)
            if (event.fd) meet(event);
    }
}

/// What cannot be watched is not met: there is nothing better to do about it.
void Programs::watch_mounts() {
    std::ostringstream text;
    text << std::ifstream("/proc/self/mountinfo").rdbuf();
    for (const std::string& place : mounts_to_watch(text.str()))
        (void)group_.watch_filesystem(place, mask());
}

void Programs::meet(const fan::Event& event) {
    Change change;
    change.kind = ChangeKind::Execute;
    change.path = path_of_own(event.fd.get());
    const bool is_elsewhere = std::ranges::none_of(
        except_, [&](const std::string& dir) { return is_inside(change.path, dir); });
    std::optional<std::string> tool;
    struct stat info{};
    if (is_elsewhere && change.path != own_program_ && ::fstat(event.fd.get(), &info) == 0) {
        change.file = key_of(info);
        if (!is_of_system(change.path))
            change.now =
                std::make_shared<Program>(event.fd.get(), static_cast<std::uint64_t>(info.st_size));
        tool = asks_.recognise(change);
        // It costs nothing from here on, until somebody writes it anew.
        if (!tool) group_.ignore(event.fd.get(), mask(), fan::Ignore::UntilModified);
        if (tool && asks_.is_wanted(change)) tool.reset();
    }
    if (tool) change.actor = actors_.of(event.tid);
    if (how_ == How::Refuse) group_.answer(event.fd.get(), tool ? fan::deny(EPERM) : fan::kAllow);
    if (!tool) return;
    change.now = nullptr;
    change.time = real_clock().now();
    change.steady = real_clock().steady();
    const std::scoped_lock lock(mutex_);
    if (found_.size() < kToldMax) found_.emplace_back(std::move(change), std::move(*tool));
    changed_.notify_all();
}

void Programs::tell(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return !found_.empty(); })) {
        const auto [change, tool] = std::move(found_.front());
        found_.pop_front();
        lock.unlock();
        asks_.report(change, tool);
        lock.lock();
    }
}

}  // namespace hygie::files
