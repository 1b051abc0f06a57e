#include "ledger/log/wal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/check.h"

namespace hygie::ledger {
namespace {

constexpr std::uint32_t kSegmentMagic = 0x48595753;  // "HYWS"
constexpr std::uint32_t kRecordMagic = 0x48595752;   // "HYWR"
constexpr std::size_t kFieldBytes = kWalHeaderBytes - sizeof(crypto::Hash);
/// A record is one batch; the appender keeps batches far below this.
constexpr std::uint64_t kRecordBytesMax = 1ull << 30;

/// Both headers: 32 bytes of fields, then a hash. Segment: magic, run, number, first sequence; hash
/// = the chain so far. Record: magic, run, first sequence, body bytes, entry count; hash = chain ‖
/// fields ‖ leaf hashes.
struct Fields {
    std::uint32_t magic;
    std::uint32_t run;
    std::uint64_t first;
    std::uint64_t number_or_size;
    std::uint64_t count;
};

void store(const Fields& fields, std::uint8_t* out) {
    store_be(out, fields.magic);
    store_be(out + 4, fields.run);
    store_be(out + 8, fields.first);
    store_be(out + 16, fields.number_or_size);
    store_be(out + 24, fields.count);
}

Fields load(const std::uint8_t* in) {
    return {load_be<std::uint32_t>(in), load_be<std::uint32_t>(in + 4),
            load_be<std::uint64_t>(in + 8), load_be<std::uint64_t>(in + 16),
            load_be<std::uint64_t>(in + 24)};
}

ByteView bytes_of(std::span<const crypto::Hash> hashes) {
    return {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size_bytes()};
}

crypto::Hash link(const crypto::Hash& chain, const std::uint8_t* fields,
                  std::span<const crypto::Hash> leaves) {
    std::array<std::uint8_t, sizeof(crypto::Hash) + kFieldBytes> front;
    std::copy(chain.begin(), chain.end(), front.begin());
    std::copy_n(fields, kFieldBytes, front.begin() + sizeof(crypto::Hash));
    return crypto::sha256(front, bytes_of(leaves));
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
    constexpr std::string_view kSuffix = ".wal";
    if (!name.ends_with(kSuffix)) return std::nullopt;
    name.remove_suffix(kSuffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return number;
}

std::string segment_path(const std::string& dir, std::uint64_t number) {
    return join(dir, fmt::format("{:010}.wal", number));
}

Result<std::vector<std::uint64_t>> segments_in(Disk& disk, const std::string& dir) {
    std::vector<std::uint64_t> numbers;
    for (const DirEntry& entry : TRY(disk.list(dir)))
        if (const auto number = segment_number(entry.name)) numbers.push_back(*number);
    std::ranges::sort(numbers);
    return numbers;
}

/// Walks the records of all segments as one chain.
class Replayer {
  public:
    Replayer(std::uint64_t from, const Wal::Replay& visit)
        : from_(from), next_(from), visit_(visit) {}

    /// True when the whole segment was read and the next one may continue the chain.
    Result<bool> segment(std::uint64_t number, File& file) {
        std::array<std::uint8_t, kWalHeaderBytes> head;
        if (TRY(file.read_at(0, head)) != head.size()) return false;
        const Fields fields = load(head.data());
        crypto::Hash chain;
        std::copy_n(head.begin() + kFieldBytes, chain.size(), chain.begin());
        if (fields.magic != kSegmentMagic || fields.number_or_size != number) return false;
        // Released segments leave holes in the chain, but only below `from`: a chain may start anew
        // there.
        const bool may_start = next_ == from_ && fields.first <= from_;
        if (chain != chain_ && !may_start) return false;
        chain_ = chain;
        std::uint64_t offset = kWalHeaderBytes;
        while (TRY(record(file, offset))) {
        }
        return true;
    }

  private:
    Result<bool> record(File& file, std::uint64_t& offset) {
        std::array<std::uint8_t, kWalHeaderBytes> head;
        if (TRY(file.read_at(offset, head)) != head.size()) return false;
        const Fields fields = load(head.data());
        if (fields.magic != kRecordMagic || fields.number_or_size > kRecordBytesMax) return false;
        body_.resize(fields.number_or_size);
        if (TRY(file.read_at(offset + kWalHeaderBytes, body_)) != body_.size()) return false;
        entries_.clear();
        if (!for_each_entry(body_,
                            [this](ByteView entry) { return entries_.push_back(entry), true; }))
            return false;
        if (entries_.size() != fields.count) return false;
        leaves_.resize(entries_.size());
        crypto::leaf_hashes(entries_, leaves_);
        const crypto::Hash expected = link(chain_, head.data(), leaves_);
        if (!std::equal(expected.begin(), expected.end(), head.begin() + kFieldBytes)) return false;
        chain_ = expected;
        offset += kWalHeaderBytes + body_.size();
        if (fields.first < from_) return true;
        if (fields.first != next_) return false;
        next_ += fields.count;
        TRY_STATUS(visit_(fields.first, body_, leaves_));
        return true;
    }

    std::uint64_t from_;
    std::uint64_t next_;
    const Wal::Replay& visit_;
    crypto::Hash chain_{};
    Bytes body_;
    std::vector<ByteView> entries_;
    std::vector<crypto::Hash> leaves_;
};

}  // namespace

bool for_each_entry(ByteView framed, const std::function<bool(ByteView)>& each) {
    while (!framed.empty()) {
        if (framed.size() < 2) return false;
        const std::size_t size = load_be<std::uint16_t>(framed.data());
        if (framed.size() < 2 + size) return false;
        if (!each(framed.subspan(2, size))) return false;
        framed = framed.subspan(2 + size);
    }
    return true;
}

Status Wal::replay(Disk& disk, const std::string& dir, std::uint64_t from, const Replay& visit) {
    if (!disk.exists(dir)) return {};
    Replayer replayer(from, visit);
    for (std::uint64_t number : TRY(segments_in(disk, dir))) {
        const auto file = TRY(disk.open(segment_path(dir, number), Open::Read));
        if (!TRY(replayer.segment(number, *file))) break;
    }
    return {};
}

Wal::Wal(Disk& disk, std::string dir, std::uint32_t run)
    : disk_(disk), dir_(std::move(dir)), run_(run) {}

Result<std::unique_ptr<Wal>> Wal::create(Disk& disk, const std::string& dir, std::uint32_t run) {
    TRY_STATUS(disk.make_dirs(dir));
    std::unique_ptr<Wal> wal(new Wal(disk, dir, run));
    TRY_STATUS(wal->remove_all());
    return wal;
}

std::string Wal::path(std::uint64_t number) const {
    return segment_path(dir_, number);
}

Status Wal::start_segment(std::uint64_t first) {
    ++number_;
    std::optional<std::uint64_t> spare;
    {
        const std::lock_guard lock(closed_mutex_);
        if (file_) closed_.push_back({number_ - 1, end_});
        if (!spare_.empty()) {
            spare = spare_.back();
            spare_.pop_back();
        }
    }
    if (spare) TRY_STATUS(disk_.rename(path(*spare), path(number_)));
    file_ = TRY(disk_.open(path(number_), spare ? Open::ReadWrite : Open::Create));
    std::array<std::uint8_t, kWalHeaderBytes> head;
    store({kSegmentMagic, run_, first, number_, 0}, head.data());
    std::ranges::copy(chain_, head.begin() + kFieldBytes);
    TRY_STATUS(file_->write_at(0, head));
    TRY_STATUS(disk_.sync_dir(dir_));
    offset_ = kWalHeaderBytes;
    length_ = TRY(file_->size());
    return {};
}

Status Wal::make_room(std::size_t bytes) {
    if (offset_ + bytes <= length_) return {};
    length_ = offset_ + bytes;
    // A large record is worth its second write; zeros before it would be a third.
    if (bytes > kWalGrowBytes / 4) return {};
    length_ += kWalGrowBytes;
    return file_->preallocate(length_);
}

Status Wal::append(std::uint64_t first, std::span<const crypto::Hash> leaves, Bytes& buffer) {
    HYGIE_CHECK(buffer.size() >= kWalHeaderBytes, "a batch buffer without room for its header");
    if (!file_ || offset_ >= kWalSegmentBytes) TRY_STATUS(start_segment(first));
    store({kRecordMagic, run_, first, buffer.size() - kWalHeaderBytes, leaves.size()},
          buffer.data());
    chain_ = link(chain_, buffer.data(), leaves);
    std::ranges::copy(chain_, buffer.begin() + kFieldBytes);
    TRY_STATUS(make_room(buffer.size()));
    TRY_STATUS(file_->write_at(offset_, buffer));
    offset_ += buffer.size();
    end_ = first + leaves.size();
    return {};
}

Status Wal::sync() {
    return file_ ? file_->sync() : Status{};
}

Status Wal::release(std::uint64_t settled) {
    std::vector<std::uint64_t> surplus;
    {
        const std::lock_guard lock(closed_mutex_);
        std::erase_if(closed_, [&](const Segment& segment) {
            if (segment.end > settled) return false;
            (spare_.size() < kWalSpareSegments ? spare_ : surplus).push_back(segment.number);
            return true;
        });
    }
    for (std::uint64_t number : surplus) TRY_STATUS(disk_.remove(path(number)));
    return {};
}

Status Wal::remove_all() {
    file_.reset();
    {
        const std::lock_guard lock(closed_mutex_);
        closed_.clear();
        spare_.clear();
    }
    for (std::uint64_t number : TRY(segments_in(disk_, dir_))) {
        number_ = std::max(number_, number);
        TRY_STATUS(disk_.remove(path(number)));
    }
    return disk_.sync_dir(dir_);
}

}  // namespace hygie::ledger
