#include "guards/files/keep/placed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "crypto/tokens.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr std::size_t kKeyBytes = 1 + FileKey::kBytesMax;
constexpr std::size_t kEntriesAtOnce = 256;

void store_key(std::uint8_t* at, const FileKey& key) {
    *at = static_cast<std::uint8_t>(key.bytes().size());
    std::ranges::copy(key.bytes(), at + 1);
}

std::optional<FileKey> load_key(ByteView bytes) {
    const std::size_t size = bytes[0];
    if (size < 3 || size > FileKey::kBytesMax) return std::nullopt;
    return FileKey(bytes[1], bytes[2], bytes.subspan(3, size - 2));
}

}  // namespace

crypto::HmacKey placed_key(const crypto::Secret32& state_key) {
    return crypto::HmacKey(crypto::derive(state_key, "files/placed").view());
}

Result<PlacedList> PlacedList::make(const std::string& dir, const crypto::HmacKey& key,
                                    Random& random) {
    const std::string path = placed_list(dir);
    if (::unlink(path.c_str()) < 0 && errno != ENOENT) return os_failure(errno, path);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    Salt salt{};
    random.fill(salt);
    if (!fd || ::write(fd.get(), salt.data(), salt.size()) != static_cast<ssize_t>(salt.size()))
        return os_failure(errno, path);
    return PlacedList(std::move(fd), key, salt);
}

Result<PlacedList> PlacedList::open(const std::string& dir, const crypto::HmacKey& key) {
    const std::string path = placed_list(dir);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return os_failure(errno, path);
    Salt salt{};
    if (::pread(fd.get(), salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size()))
        return fail(Code::NotFound, {"aucun garde n'attend", "no guard expects this"});
    return PlacedList(std::move(fd), key, salt);
}

std::array<std::uint8_t, PlacedList::kTagBytes> PlacedList::tag_of(ByteView entry) const {
    const auto whole =
        crypto::hmac_sha256(key_, {ByteView(salt_), entry.first(kEntryBytes - kTagBytes)});
    std::array<std::uint8_t, kTagBytes> tag;
    std::copy_n(whole.begin(), kTagBytes, tag.begin());
    return tag;
}

/// In one piece. One that cannot be written costs the guard time, nothing else.
void PlacedList::add(const Placement& placed) const {
    std::array<std::uint8_t, kEntryBytes> entry{};
    store_key(entry.data(), placed.file);
    store_key(entry.data() + kKeyBytes, placed.kept);
    store_be(entry.data() + 2 * kKeyBytes, placed.version);
    std::ranges::copy(tag_of(entry), entry.end() - kTagBytes);
    (void)!::write(fd_.get(), entry.data(), entry.size());
}

std::optional<Placement> PlacedList::parse(ByteView entry) const {
    if (!equal_constant_time(tag_of(entry), entry.last(kTagBytes))) return std::nullopt;
    const auto file = load_key(entry);
    const auto kept = load_key(entry.subspan(kKeyBytes));
    if (!file || !kept) return std::nullopt;
    return Placement{*file, *kept, load_be<VersionId>(entry.data() + 2 * kKeyBytes)};
}

std::vector<Placement> PlacedList::read_on() {
    std::vector<Placement> added;
    struct stat info{};
    // Reading may be asked about, and whoever asks us holds others up: only when there is
    // something.
    if (::fstat(fd_.get(), &info) < 0 || static_cast<std::uint64_t>(info.st_size) <= at_)
        return added;
    std::array<std::uint8_t, kEntriesAtOnce * kEntryBytes> bytes;
    for (;;) {
        const ssize_t got = ::pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at_));
        const std::size_t entries = got > 0 ? static_cast<std::size_t>(got) / kEntryBytes : 0;
        for (std::size_t i = 0; i < entries; ++i)
            if (auto placed = parse(ByteView(bytes).subspan(i * kEntryBytes, kEntryBytes)))
                added.push_back(std::move(*placed));
        at_ += entries * kEntryBytes;
        if (entries < kEntriesAtOnce) return added;
    }
}

void Placed::expect(const FileKey& folder, PlacedList list) {
    const std::lock_guard lock(mutex_);
    if (lists_.size() >= kListsMax) lists_.pop_front();
    lists_.push_back({folder, std::move(list)});
}

bool Placed::is_folder(const FileKey& key) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(lists_, key, &List::folder) > 0;
}

/// Under the lock. A file is told of before it gets its place.
Placed::Files::iterator Placed::find(const FileKey& file) {
    const auto known = told_.find(file);
    if (known != told_.end()) return known;
    for (List& list : lists_)
        for (Placement& placed : list.list.read_on())
            if (told_.size() < kFilesMax) told_.try_emplace(placed.file, Told{placed});
    return told_.find(file);
}

void Placed::forget_when_done(Files::iterator told) {
    if (told->second.is_taken && told->second.is_closed) told_.erase(told);
}

std::optional<Placement> Placed::take(const FileKey& file) {
    const std::lock_guard lock(mutex_);
    const auto told = find(file);
    if (told == told_.end() || told->second.is_taken) return std::nullopt;
    told->second.is_taken = true;
    Placement placed = told->second.placed;
    forget_when_done(told);
    return placed;
}

bool Placed::is_open(const FileKey& file) {
    const std::lock_guard lock(mutex_);
    const auto told = find(file);
    return told != told_.end() && !told->second.is_closed;
}

void Placed::close(const FileKey& file) {
    const std::lock_guard lock(mutex_);
    const auto told = told_.find(file);
    if (told == told_.end()) return;
    told->second.is_closed = true;
    forget_when_done(told);
}

}  // namespace hygie::files
