#include "guards/files/keep/stage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/bytes.h"
#include "host/disk.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr unsigned kFolders = 256;
constexpr char kPart[] = ".part";

/// Files of one folder: spreads by the low bits of the version, so that one busy moment does not
/// queue on one folder.
std::string folder_of(const std::string& dir, VersionId version) {
    return fmt::format("{}/{:02x}", dir, version % kFolders);
}

/// Second names stand apart: the kernel may take one for the live file's own, and whoever writes
/// through it must be asked about.
constexpr char kLinks[] = "links";

class FdContent final : public Content {
  public:
    explicit FdContent(UniqueFd fd) : fd_(std::move(fd)) {}

    std::uint64_t size() const override {
        struct stat info{};
        return ::fstat(fd_.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
    }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t got = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                        static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return os_failure(errno, "fd");
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    std::uint64_t next_data(std::uint64_t offset) const override {
        const off_t data = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
        if (data >= 0) return static_cast<std::uint64_t>(data);
        return errno == ENXIO ? std::max(offset, size()) : offset;
    }

  private:
    UniqueFd fd_;
};

/// Probes with two files of its own.
bool can_clone(const std::string& dir) {
    const std::string from = join(dir, "probe.a");
    const std::string to = join(dir, "probe.b");
    const UniqueFd a(::open(from.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600));
    const UniqueFd b(::open(to.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600));
    const bool clones =
        a && b && ::write(a.get(), "hygie", 5) == 5 && ::ioctl(b.get(), FICLONE, a.get()) == 0;
    (void)::unlink(from.c_str());
    (void)::unlink(to.c_str());
    return clones;
}

Status clone(int from, int to) {
    const Result<bool> done = clone_or_copy(from, to);
    return done ? Status() : Status(std::unexpected(done.error()));
}

Status copy(int from, int to) {
    struct stat info{};
    if (::fstat(from, &info) < 0) return os_failure(errno, "stage");
    return copy_bytes(from, to, static_cast<std::uint64_t>(info.st_size));
}

/// "0006…-0101….c" → version, key, how; none for any other name.
std::optional<Stage::Item> parse_name(std::string_view name) {
    const std::size_t dash = name.find('-');
    const std::size_t dot = name.find('.');
    if (dash == std::string_view::npos || dot == std::string_view::npos || dot < dash)
        return std::nullopt;
    Stage::Item item;
    const auto [end, error] = std::from_chars(name.data(), name.data() + dash, item.version, 16);
    const auto key = from_hex(name.substr(dash + 1, dot - dash - 1));
    const std::string_view kind = name.substr(dot);
    if (error != std::errc() || end != name.data() + dash || !key || key->size() < 3 ||
        key->size() > FileKey::kBytesMax || (kind != ".c" && kind != ".l"))
        return std::nullopt;
    item.key = FileKey((*key)[0], (*key)[1], ByteView(*key).subspan(2));
    item.held = kind == ".c" ? Held::Clone : Held::Link;
    return item;
}

}  // namespace

Status copy_bytes(int from, int to, std::uint64_t size) {
    if (::ftruncate(to, static_cast<off_t>(size)) < 0) return os_failure(errno, "stage");
    for (off_t at = 0; at < static_cast<off_t>(size);) {
        const off_t data = ::lseek(from, at, SEEK_DATA);
        if (data < 0) return errno == ENXIO ? Status() : Status(os_failure(errno, "stage"));
        off_t hole = ::lseek(from, data, SEEK_HOLE);
        if (hole < 0) hole = static_cast<off_t>(size);
        if (::lseek(to, data, SEEK_SET) < 0) return os_failure(errno, "stage");
        at = data;
        while (at < hole) {
            const ssize_t done = ::sendfile(to, from, &at, static_cast<std::size_t>(hole - at));
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) return os_failure(errno, "stage");
            if (done == 0) return {};
        }
    }
    return {};
}

Result<bool> cloned(int from, int to) {
    if (::ioctl(to, FICLONE, from) == 0) return true;
    if (errno == ENOSPC || errno == EDQUOT) return os_failure(errno, "stage");
    return false;
}

Result<bool> clone_or_copy(int from, int to) {
    if (TRY(cloned(from, to))) return true;
    struct stat info{};
    if (::fstat(from, &info) < 0) return os_failure(errno, "stage");
    TRY_STATUS(copy_bytes(from, to, static_cast<std::uint64_t>(info.st_size)));
    return false;
}

Error state_is_gone(const std::string& dir) {
    std::error_code error;
    const std::string held = std::filesystem::read_symlink(dir, error).string();
    const std::string& name = error ? dir : held;
    return fail(
               Code::Io,
               {"le dossier des versions gardées a été effacé : plus rien ne peut être gardé, les "
                "écritures sont refusées ; " +
                    name,
                "the folder of kept versions was deleted: nothing can be kept any more, writes are "
                "refused; " +
                    name},
               {"redémarrez le garde : il repart de ce qui est là ; ce qui était gardé ne revient "
                "que d'une copie",
                "restart the guard: it begins anew from what is there; what was kept comes back "
                "from a copy alone"})
        .error();
}

ContentPtr content_of(UniqueFd fd) {
    return std::make_shared<FdContent>(std::move(fd));
}

Result<Stage> Stage::open(const std::string& dir) {
    Stage stage;
    stage.named_ = dir;
    stage.anchor_ = TRY(Anchor::at(real_disk(), dir));
    stage.dir_ = stage.anchor_->path();
    TRY_STATUS(real_disk().make_dirs(join(stage.dir_, kLinks)));
    for (const std::string& folder : stage.all_folders())
        if (::mkdir(folder.c_str(), 0700) < 0 && errno != EEXIST) return os_failure(errno, folder);
    stage.clones_ = can_clone(stage.dir_);
    return stage;
}

Result<Stage> Stage::at(const std::string& dir) {
    Stage stage;
    stage.dir_ = stage.named_ = dir;
    return stage;
}

bool Stage::has_bytes(const FileKey& key, VersionId version) const {
    return ::access(path(key, version, Held::Clone).c_str(), F_OK) == 0;
}

std::vector<std::string> Stage::folders() const {
    std::vector<std::string> all;
    for (unsigned i = 0; i < kFolders; ++i) all.push_back(folder_of(dir_, i));
    return all;
}

std::vector<std::string> Stage::all_folders() const {
    std::vector<std::string> all = folders();
    for (unsigned i = 0; i < kFolders; ++i) all.push_back(folder_of(join(dir_, kLinks), i));
    return all;
}

std::string Stage::path(const FileKey& key, VersionId version, Held held) const {
    const std::string base = held == Held::Clone ? dir_ : join(dir_, kLinks);
    return fmt::format("{}/{:016x}-{}{}", folder_of(base, version), version, to_hex(key.bytes()),
                       held == Held::Clone ? ".c" : ".l");
}

/// A folder that is not there any more keeps nothing: that is no file that vanished.
std::unexpected<Error> Stage::cannot_keep(int error) const {
    return error == ENOENT ? std::unexpected(state_is_gone(named_)) : os_failure(error, named_);
}

Status Stage::keep(int fd, const FileKey& key, VersionId version, How how) const {
    const std::string name = path(key, version, Held::Clone);
    // A clone is there or not. A copy grows: it gets its name when it is whole.
    const bool clones = clones_ && how == How::Best;
    const std::string first = clones ? name : name + kPart;
    const UniqueFd to(::open(first.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (!to) return cannot_keep(errno);
    const Status done = clones ? clone(fd, to.get()) : copy(fd, to.get());
    if (!done) {
        (void)::unlink(first.c_str());
        return done;
    }
    if (!clones && ::rename(first.c_str(), name.c_str()) < 0) return cannot_keep(errno);
    return {};
}

Status Stage::link(int fd, const FileKey& key, VersionId version) const {
    if (::linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd).c_str(), AT_FDCWD,
                 path(key, version, Held::Link).c_str(), AT_SYMLINK_FOLLOW) == 0)
        return {};
    if (errno == ENOSPC || errno == EDQUOT) return os_failure(errno, named_);
    return fail(Code::Unavailable, {"pas de second nom possible", "no second name possible"});
}

Status Stage::keep_again(const FileKey& kept, VersionId kept_version, std::uint64_t size,
                         const FileKey& key, VersionId version) const {
    const std::string name = path(kept, kept_version, Held::Clone);
    struct stat info{};
    if (::lstat(name.c_str(), &info) < 0 || static_cast<std::uint64_t>(info.st_size) != size)
        return fail(Code::NotFound, {"version absente de la réserve", "version not in the stage"});
    if (::link(name.c_str(), path(key, version, Held::Clone).c_str()) == 0) return {};
    return cannot_keep(errno);
}

Result<UniqueFd> Stage::open_version(const FileKey& key, VersionId version) const {
    if (Result<UniqueFd> own = open_held(key, version, Held::Clone)) return own;
    return open_held(key, version, Held::Link);
}

Result<UniqueFd> Stage::open_own(const FileKey& key, VersionId version) const {
    return open_held(key, version, Held::Clone);
}

Result<UniqueFd> Stage::open_held(const FileKey& key, VersionId version, Held held) const {
    UniqueFd fd(::open(path(key, version, held).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (fd) return fd;
    return fail(Code::NotFound, {"version absente de la réserve", "version not in the stage"});
}

Status Stage::drop(const FileKey& key, VersionId version) const {
    for (const Held held : {Held::Clone, Held::Link})
        if (::unlink(path(key, version, held).c_str()) < 0 && errno != ENOENT)
            return os_failure(errno, named_);
    return {};
}

Status Stage::list(const std::function<void(const Item&)>& item) const {
    for (const std::string& folder : all_folders()) {
        for (const DirEntry& entry : TRY(real_disk().list(folder))) {
            const std::string name = join(folder, entry.name);
            const auto parsed = parse_name(entry.name);
            struct stat info{};
            if (!parsed || ::lstat(name.c_str(), &info) < 0 || info.st_size == 0) {
                (void)::unlink(name.c_str());
                continue;
            }
            item(*parsed);
        }
    }
    return {};
}

}  // namespace hygie::files
