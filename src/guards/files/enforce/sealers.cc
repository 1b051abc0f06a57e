#include "guards/files/enforce/sealers.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "guards/files/acts/actors.h"
#include "guards/files/content/chunks.h"
#include "guards/files/content/format.h"

namespace hygie::files {
namespace {

/// What it holds stands among its lists. Who only seems to seal stands still until that is judged.
constexpr std::size_t kDatabaseHeadBytes = 256 << 10;
constexpr int kSealedPagesMin = 400;

std::int64_t micros_of(SteadyTime time) {
    return std::chrono::duration_cast<Micros>(time.time_since_epoch()).count();
}

/// Behind folders, which hold nothing to seal, an entry under a password (APPNOTE.TXT 4.4.4).
bool has_sealed_entry(ByteView head) {
    constexpr std::array<std::uint8_t, 4> kEntry = {'P', 'K', 3, 4};
    constexpr std::ptrdiff_t kFlags = 6;
    for (auto at = head.begin();
         (at = std::search(at, head.end(), kEntry.begin(), kEntry.end())) != head.end();
         at += kEntry.size())
        if (head.end() - at > kFlags && (at[kFlags] & 1) != 0) return true;
    return false;
}

/// As long as the head of a 7z archive.
bool begins_empty(ByteView head) {
    constexpr std::array<std::uint8_t, 32> kEmpty = {};
    return head.size() >= kEmpty.size() && std::ranges::equal(head.first(kEmpty.size()), kEmpty);
}

/// A 7z archive (7zFormat.txt) whose first bytes no compressor has written. LZMA and PPMd begin
/// with an empty byte, LZMA2 with a chunk that is stored or forgets all before it and goes on like
/// LZMA, bzip2 with its name; what is not compressed looks like itself. Its own head is written
/// last.
bool is_sealed_7z(ByteView head) {
    constexpr std::size_t kPackedAt = 32;
    constexpr std::array<std::uint8_t, 6> kMagic = {'7', 'z', 0xBC, 0xAF, 0x27, 0x1C};
    constexpr std::uint8_t kStored = 1;
    constexpr std::uint8_t kFresh = 0xE0;
    constexpr std::size_t kFreshHeadBytes = 6;
    if (head.size() < 2 * kPackedAt ||
        (!std::ranges::equal(head.first(kMagic.size()), kMagic) && !begins_empty(head)))
        return false;
    const ByteView packed = head.subspan(kPackedAt);
    const bool is_compressed =
        packed[0] <= kStored || (packed[0] >= kFresh && packed[kFreshHeadBytes] == 0);
    return !is_compressed && looks_random(packed) && format_of(packed) == Format::Unknown;
}

/// A stream of zlib (RFC 1950 §2.2).
bool is_zlib(ByteView head) {
    constexpr std::uint8_t kDeflate = 0x78;
    constexpr unsigned kHasDictionary = 0x20;
    return head.size() > 2 && head[0] == kDeflate && (head[1] & kHasDictionary) == 0 &&
           load_be<std::uint16_t>(head.data()) % 31 == 0;
}

/// Its first block says whether it compresses or only stores (RFC 1951 §3.2.3).
enum class Block { Stored, Compressed, None };
Block block_of(ByteView zlib) {
    const unsigned type = zlib[2] >> 1 & 3U;
    return type == 0 ? Block::Stored : type == 3 ? Block::None : Block::Compressed;
}

/// What its first block stores; of an object of git, what stands behind its kind and size.
ByteView stored_in(ByteView zlib) {
    constexpr std::size_t kFrameBytes = 7;
    constexpr std::string_view kObject = "blob ";
    constexpr std::size_t kKindBytesMax = 32;
    const ByteView stored = zlib.subspan(std::min(kFrameBytes, zlib.size()));
    if (!as_text(stored).starts_with(kObject)) return stored;
    const std::size_t end = as_text(stored).find('\0');
    return end < kKindBytesMax ? stored.subspan(end + 1) : stored;
}

/// Empty when it cannot be read.
Bytes beginning_of(const Content& content, std::size_t bytes_max) {
    Bytes head(std::min<std::uint64_t>(bytes_max, content.size()));
    head.resize(content.read_at(0, head).value_or(0));
    return head;
}

bool is_sealed_head(ByteView head) {
    const Format format = format_of(head);
    if (format == Format::Sealed) return true;
    if (format == Format::Text) return looks_spelled_random(head);
    if (format == Format::Zip) return has_sealed_entry(head);
    if (format == Format::Packed) return is_sealed_7z(head);
    if (format != Format::Unknown) return false;
    return begins_empty(head) ? is_sealed_7z(head) : looks_random(head);
}

}  // namespace

/// What is compressed in a stream of zlib is the judge's to see, as all that is packed.
bool looks_sealed(const Content& content) {
    const Bytes head = beginning_of(content, kSealedHeadBytes);
    if (format_of(head) == Format::Database)
        return random_permille(beginning_of(content, kDatabaseHeadBytes)) > kSealedPagesMin;
    const Block block = is_zlib(head) ? block_of(head) : Block::None;
    if (block == Block::Compressed) return false;
    return is_sealed_head(block == Block::Stored ? stored_in(head) : head);
}

/// The content is read without the lock: reading may meet the door, where who stands wants the
/// lock.
void Sealers::note(Change& change) {
    const std::string key = change.actor.key();
    if (change.kind == ChangeKind::CloseWrite) {
        if (!change.is_new || !change.now || !has_read_many(key, change.steady) ||
            !looks_sealed(*change.now))
            return;
        const std::scoped_lock lock(mutex_);
        return seal(change.actor, change.steady);
    }
    const std::scoped_lock lock(mutex_);
    if (change.kind == ChangeKind::Read) {
        readers_.note(change.file, key, change.steady);
        if (readers_.has_read_many(key, change.steady))
            read_until_us_ = micros_of(change.steady + kMemory);
    }
    const bool is_gone = change.kind == ChangeKind::Unlink;
    if (!is_gone && change.kind != ChangeKind::RenameOver) return;
    change.was_read = readers_.has_read(is_gone ? change.file : change.victim, key, change.steady);
    change.is_of_collection = change.was_read && readers_.has_read_collection(key, change.steady);
    hold(change);
}

bool Sealers::has_read_many(const std::string& key, SteadyTime now) const {
    const std::scoped_lock lock(mutex_);
    return readers_.has_read_many(key, now);
}

/// Under the lock.
void Sealers::seal(const Actor& actor, SteadyTime now) {
    if (actor.nfs) return;  // it works for the others too: it never stands still
    until_us_ = micros_of(now + kMemory);
    strangers_.clear();
    Sealer sealer{actor.key(), {actor.process}, now};
    for (const ProcessId& parent : actor.lineage) {
        if (actor.process == actor.family || sealer.family.size() > kParentsMax) break;
        sealer.family.push_back(parent);
        if (parent == actor.family) break;
    }
    std::erase_if(sealers_, [&](const Sealer& old) {
        return old.key == sealer.key || now - old.at > kMemory;
    });
    if (sealers_.size() >= kSealersMax) sealers_.erase(sealers_.begin());
    sealers_.push_back(std::move(sealer));
}

bool Sealers::is_anybody_reading(SteadyTime now) const {
    return micros_of(now) <= read_until_us_;
}

JudgeDoor::Lookout Sealers::lookout(SteadyTime now) const {
    return micros_of(now) > until_us_ ? JudgeDoor::Lookout::Calm : JudgeDoor::Lookout::Awake;
}

/// What tells it from others is read first, as little as will do: all that /proc tells takes as
/// long as deleting ten files.
void Sealers::glimpse(pid_t pid, SteadyTime now) {
    // Be it before anybody sealed anything: it will be told, and stands for no other then.
    ++expected_;
    if (micros_of(now) > until_us_) return;
    const std::scoped_lock lock(mutex_);
    const auto is_it = [&](const Held& held) { return held.process.pid == pid; };
    if (!may_hold() || std::ranges::any_of(held_, is_it) || is_stranger(pid, now)) return;
    if (const auto process = enforcer_.hold_now(pid))
        held_.push_back({{}, *process, Held::Until::Judged, now});
}

/// Under the lock.
bool Sealers::is_stranger(pid_t pid, SteadyTime now) {
    const auto known = strangers_.find(pid);
    if (known != strangers_.end() && now - known->second < kStranger) return true;
    if (is_of_a_sealer(pid, now)) return false;
    if (strangers_.size() >= kStrangersMax) strangers_.clear();
    strangers_[pid] = now;
    return true;
}

/// Nobody tells when all that it changed was looked at: time does.
void Sealers::hold(pid_t pid, SteadyTime now) {
    const std::scoped_lock lock(mutex_);
    const auto is_it = [&](const Held& held) { return held.process.pid == pid; };
    if (!may_hold() || std::ranges::any_of(held_, is_it)) return;
    if (const auto process = enforcer_.hold_now(pid))
        held_.push_back({{}, *process, Held::Until::Time, now - kHoldMax + kLookedAt});
}

/// Under the lock: it, or one of its nearest parents, sealed something or started who did.
bool Sealers::is_of_a_sealer(pid_t pid, SteadyTime now) const {
    for (std::size_t i = 0; i <= kParentsMax && pid > 1; ++i) {
        const auto stat = stat_of(pid);
        if (!stat) return false;
        const ProcessId process{pid, stat->started};
        for (const Sealer& one : sealers_)
            if (now - one.at <= kMemory && std::ranges::count(one.family, process) != 0)
                return true;
        pid = stat->parent;
    }
    return false;
}

/// Under the lock.
void Sealers::hold(const ProcessId& process, const std::string& key, SteadyTime now) {
    const auto known = std::ranges::find(held_, process, &Held::process);
    if (known != held_.end()) {
        if (known->key.empty()) known->key = key;
        return;
    }
    if (may_hold() && process.started != 0 && enforcer_.hold(process))
        held_.push_back({key, process, Held::Until::Judged, now});
}

/// Under the lock. Who deleted and is gone already may be one of many that a sealer starts.
void Sealers::hold(const Change& change) {
    if (change.is_new || change.actor.smb || change.actor.nfs) return;
    const std::string key = change.actor.key();
    const bool is_gone = change.actor.process.started == 0;
    for (const Sealer& sealer : sealers_) {
        if (change.steady - sealer.at > kMemory || (!is_gone && sealer.key != key)) continue;
        hold(change.actor.process, key, change.steady);
        for (const ProcessId& process : sealer.family) hold(process, key, change.steady);
    }
}

/// Under the lock. Who was seen first goes on last: it deletes the next at once, and to see that
/// takes the lock.
void Sealers::release_if(const std::function<bool(const Held&)>& is_it) {
    for (const Held& held : std::views::reverse(held_))
        if (is_it(held)) enforcer_.release(held.process);
    std::erase_if(held_, is_it);
}

void Sealers::know(pid_t pid) {
    --expected_;
    if (until_us_ == 0) return;
    const std::scoped_lock lock(mutex_);
    release_if([&](const Held& held) {
        return expected_ <= 0 && held.until == Held::Until::Judged && held.key.empty() &&
               held.process.pid == pid;
    });
}

std::vector<std::string> Sealers::held() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> keys;
    for (const Held& held : held_)
        if (expected_ <= 0 && held.until == Held::Until::Judged &&
            std::ranges::count(keys, held.key) == 0)
            keys.push_back(held.key);
    return keys;
}

void Sealers::let_go(const std::string& key) {
    const std::scoped_lock lock(mutex_);
    release_if(
        [&](const Held& held) { return held.key == key && held.until == Held::Until::Judged; });
}

void Sealers::let_go_since(SteadyTime before) {
    const std::scoped_lock lock(mutex_);
    let_go_earlier(before);
}

void Sealers::close() {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
    let_go_earlier(SteadyTime::max());
}

/// Under the lock.
void Sealers::let_go_earlier(SteadyTime before) {
    release_if([&](const Held& held) { return held.since < before; });
}

}  // namespace hygie::files
