#include "guards/files/gate/outlook.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "guards/files/content/excerpt.h"
#include "guards/files/keep/stage.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

/// Not those of the kernel, and none that waits for another machine or program.
constexpr std::array<std::string_view, 11> kLocal = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "exfat", "ntfs3", "tmpfs", "overlay"};
constexpr std::size_t kRememberedBytesMax = 32 << 10;

/// "\040" is a space (proc(5)).
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_code = text[i] == '\\' && i + 3 < text.size();
        if (!is_code) {
            out += text[i];
            continue;
        }
        out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
        i += 3;
    }
    return out;
}

std::uint64_t id_of(const std::string& place) {
    struct statfs info{};
    std::uint64_t id = 0;
    if (::statfs(place.c_str(), &info) == 0) std::memcpy(&id, &info.f_fsid, sizeof id);
    return id;
}

/// Opened when it is looked at.
class ContentElsewhere final : public Content {
  public:
    ContentElsewhere(std::string path, const struct stat& info)
        : path_(std::move(path)), info_(info) {}

    std::uint64_t size() const override { return static_cast<std::uint64_t>(info_.st_size); }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        struct stat now{};
        if (!fd || ::fstat(fd.get(), &now) < 0) return os_failure(errno, "fd");
        if (now.st_dev != info_.st_dev || now.st_ino != info_.st_ino ||
            Stamp::of(now).modified_ns != Stamp::of(info_).modified_ns)
            return fail(Code::NotFound,
                        {"ce n'est plus ce fichier", "it is not this file any more"});
        return content_of(std::move(fd))->read_at(offset, out);
    }

  private:
    std::string path_;
    struct stat info_;
};

}  // namespace

std::vector<std::string> places_of(std::string_view mountinfo) {
    // "36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
    std::vector<std::string> places;
    std::set<std::string> seen;
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        std::istringstream left(line.substr(0, dash));
        std::istringstream right(line.substr(dash + 3));
        std::string number, above, device, root, place, type;
        left >> number >> above >> device >> root >> place;
        right >> type;
        if (std::ranges::count(kLocal, type) != 0 && seen.insert(device).second)
            places.push_back(unescaped(place));
    }
    return places;
}

void Outlook::turn_on() {
    const std::lock_guard lock(mutex_);
    if (is_on_) return;
    is_on_ = true;
    Result<fan::Group> group = fan::Group::open(fan::Kind::Closings);
    if (!group) return;
    group_ = std::move(*group);
    std::ifstream mounts("/proc/self/mountinfo");
    const std::string text{std::istreambuf_iterator<char>(mounts), {}};
    for (const std::string& place : places_of(text)) {
        const std::uint64_t id = id_of(place);
        const auto is_it = [&](const auto& volume) { return volume->id() == id; };
        if (id == 0 || std::ranges::any_of(volumes_, is_it)) continue;
        // One that cannot be watched is not seen.
        (void)group_.watch_filesystem(place, fan::kCloseWrite);
    }
}

void Outlook::turn_off() {
    const std::lock_guard lock(mutex_);
    group_ = {};
    is_on_ = false;
}

bool Outlook::is_on() {
    const std::lock_guard lock(mutex_);
    return is_on_;
}

void Outlook::take(const std::function<void(fan::Event)>& closing) {
    std::vector<fan::Event> events;
    {
        const std::lock_guard lock(mutex_);
        if (!is_on_ || group_.fd() < 0) return;
        (void)group_.read(events);
    }
    if (events.size() > kLooksMax) events.erase(events.begin(), events.end() - kLooksMax);
    for (fan::Event& event : events) closing(std::move(event));
}

ContentPtr content_outside(int fd, const std::string& path) {
    struct stat info{};
    if (::fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return nullptr;
    if (static_cast<std::size_t>(info.st_size) > kRememberedBytesMax)
        return std::make_shared<ContentElsewhere>(path, info);
    Bytes bytes(static_cast<std::size_t>(info.st_size));
    const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
    if (got <= 0) return nullptr;
    bytes.resize(static_cast<std::size_t>(got));
    return std::make_shared<MemoryContent>(std::move(bytes));
}

}  // namespace hygie::files
