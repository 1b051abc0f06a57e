#include "guards/files/keep/read_back.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "guards/files/keep/stage.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

/// What every disk takes without the kernel's cache between.
constexpr std::size_t kSectorBytes = 4096;
/// Smaller ones are written by the kernel together, later.
constexpr std::uint64_t kDirectBytesMin = 256 << 10;
constexpr std::size_t kBlockBytes = Digest::kBlockBytes;

struct Free {
    void operator()(std::uint8_t* bytes) const { std::free(bytes); }
};

/// A mebibyte where a disk can write to. One thread brings back many files with it.
class Block {
  public:
    Block() : bytes_(static_cast<std::uint8_t*>(std::aligned_alloc(kSectorBytes, kBlockBytes))) {
        if (!bytes_) throw std::bad_alloc();
    }
    std::span<std::uint8_t> whole() { return {bytes_.get(), kBlockBytes}; }
    std::span<std::uint8_t> first(std::size_t size) { return whole().first(size); }

  private:
    std::unique_ptr<std::uint8_t, Free> bytes_;
};

constexpr std::size_t whole_sectors(std::size_t bytes) {
    return (bytes + kSectorBytes - 1) / kSectorBytes * kSectorBytes;
}

bool is_empty(std::span<const std::uint8_t> bytes) {
    return bytes.front() == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

/// Not every file system can; then it goes through the cache.
bool set_direct(int fd, bool on) {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && ::fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/// Less than asked for at the end of the file alone.
Result<std::size_t> read_block(int fd, std::uint64_t at, std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got =
            ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EINVAL && set_direct(fd, false)) continue;
        if (got < 0) return os_failure(errno, "share");
        done += static_cast<std::size_t>(got);
        if (got == 0 || static_cast<std::size_t>(got) % kSectorBytes != 0) break;
    }
    return done;
}

Status write_all(int fd, std::uint64_t at, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && errno == EINVAL && set_direct(fd, false)) continue;
        if (put < 0) return os_failure(errno, "share");
        bytes = bytes.subspan(static_cast<std::size_t>(put));
        at += static_cast<std::uint64_t>(put);
    }
    return {};
}

/// Into a file that has no bytes there: empty sectors stay holes.
Status write_block(int fd, std::uint64_t at, std::span<const std::uint8_t> bytes) {
    const auto sector = [&](std::size_t begin) {
        return bytes.subspan(begin, std::min(kSectorBytes, bytes.size() - begin));
    };
    for (std::size_t begin = 0; begin < bytes.size();) {
        const bool is_hole = is_empty(sector(begin));
        std::size_t end = begin + sector(begin).size();
        while (end < bytes.size() && is_empty(sector(end)) == is_hole) end += sector(end).size();
        if (!is_hole) TRY_STATUS(write_all(fd, at + begin, bytes.subspan(begin, end - begin)));
        begin = end;
    }
    return {};
}

ReadBack told(Digest& digest) {
    return {digest.end_hash(), digest.end_tag(), digest.size(), digest.is_sparse()};
}

}  // namespace

std::unexpected<Error> unequal() {
    return fail(Code::Corrupt,
                {"le fichier relu n'est pas celui qui fut gardé",
                 "the file read again is not the one that was kept"},
                {"vérifiez le disque, puis recommencez", "check the disk, then try again"});
}

Result<ReadBack> read_back(int fd, Digest digest, const std::stop_token& stop) {
    thread_local Block block;
    const ContentPtr content = content_of(UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)));
    (void)set_direct(fd, true);
    const std::uint64_t size = content->size();
    while (!stop.stop_requested()) {
        const std::uint64_t at = digest.size();
        digest.skip(empty_blocks(at, content->next_data(at)));
        if (digest.size() != at) continue;
        // The kernel would fill with zeros what it is asked for behind the end.
        const std::uint64_t left = size > at ? size - at : 0;
        const std::size_t wanted = std::min<std::uint64_t>(left + 1, kBlockBytes);
        const std::size_t got = TRY(read_block(fd, at, block.first(whole_sectors(wanted))));
        digest.add(block.first(got));
        if (got < kBlockBytes) return told(digest);
    }
    return fail(Code::Busy, {"la lecture fut interrompue", "reading was interrupted"});
}

Result<ReadBack> copy_and_read_back(const Content& from, std::uint64_t size, int to,
                                    Digest digest) {
    thread_local Block block;
    thread_local Block again;
    if (::ftruncate(to, static_cast<off_t>(size)) < 0) return os_failure(errno, "share");
    const bool is_direct = size >= kDirectBytesMin && set_direct(to, true);
    while (digest.size() < size) {
        const std::uint64_t at = digest.size();
        digest.skip(empty_blocks(at, from.next_data(at)));
        if (digest.size() != at) continue;
        const std::size_t wanted = std::min<std::uint64_t>(kBlockBytes, size - at);
        if (TRY(from.read_at(at, block.first(wanted))) != wanted)
            return fail(
                Code::NotFound,
                {"une version gardée est incomplète", "a version that was kept is not whole"},
                {"prenez-la dans la copie hors du poste, ou restaurez depuis un autre "
                 "instant (--since)",
                 "take it from the copy elsewhere, or restore from another time "
                 "(--since)"});
        const std::size_t written = is_direct ? whole_sectors(wanted) : wanted;
        std::ranges::fill(block.whole().subspan(wanted, written - wanted), 0);
        TRY_STATUS(write_block(to, at, block.first(written)));
        if (TRY(read_block(to, at, again.first(written))) < wanted ||
            std::memcmp(block.whole().data(), again.whole().data(), wanted) != 0)
            return unequal();
        digest.add(block.first(wanted));
    }
    if (is_direct && ::ftruncate(to, static_cast<off_t>(size)) < 0)
        return os_failure(errno, "share");
    return told(digest);
}

Result<bool> has_same_bytes(int one, int other) {
    thread_local Block block;
    thread_local Block again;
    for (std::uint64_t at = 0;; at += kBlockBytes) {
        const std::size_t got = TRY(read_block(one, at, block.whole()));
        if (TRY(read_block(other, at, again.whole())) != got) return false;
        if (std::memcmp(block.whole().data(), again.whole().data(), got) != 0) return false;
        if (got < kBlockBytes) return true;
    }
}

}  // namespace hygie::files
