#include "guards/files/keep/journal.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/cbor.h"
#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/tokens.h"

namespace hygie::files {
namespace {

constexpr std::string_view kMagic = "hygie files log\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kHeaderBytes = 16 + 4 + 8 + kSaltBytes + 16;
constexpr std::size_t kFrameBytesMax = 16 << 20;
constexpr std::size_t kPlainBytesMax = 64 << 20;
/// Records of one frame, so that a reader never needs much memory.
constexpr std::size_t kBatchBytes = 1 << 20;
using Chain = std::array<std::uint8_t, 16>;

struct Header {
    std::uint64_t number = 0;
    std::array<std::uint8_t, kSaltBytes> salt{};
    Chain chain{};
};

Bytes encode(const Header& header) {
    Bytes out = to_bytes(as_bytes(kMagic));
    out.resize(kHeaderBytes);
    store_be(out.data() + 16, kVersion);
    store_be(out.data() + 20, header.number);
    std::ranges::copy(header.salt, out.begin() + 28);
    std::ranges::copy(header.chain, out.begin() + 28 + kSaltBytes);
    return out;
}

bool decode(ByteView bytes, Header& header) {
    if (bytes.size() < kHeaderBytes || as_text(bytes.first(16)) != kMagic ||
        load_be<std::uint32_t>(bytes.data() + 16) != kVersion)
        return false;
    header.number = load_be<std::uint64_t>(bytes.data() + 20);
    std::ranges::copy(bytes.subspan(28, kSaltBytes), header.salt.begin());
    std::ranges::copy(bytes.subspan(28 + kSaltBytes, 16), header.chain.begin());
    return true;
}

crypto::Secret32 key_of(const crypto::Secret32& key, const Header& header) {
    return crypto::derive(key, "files/log/" + to_hex(header.salt));
}

crypto::Nonce nonce_of(std::uint64_t frame) {
    crypto::Nonce nonce{};
    store_be(nonce.data() + 4, frame);
    return nonce;
}

std::string segment_path(const std::string& dir, std::uint64_t number) {
    return fmt::format("{}/{:016x}.log", dir, number);
}

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"le registre des fichiers gardés est abîmé", "the log of kept files is damaged"},
                {"rétablissez le dossier d'état depuis sa copie",
                 "bring the state folder back from its copy"});
}

Result<Bytes> decompress(ByteView packed) {
    const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
    if (size > kPlainBytesMax) return corrupt();
    Bytes plain(size);
    // Making a context for each frame costs more than decompressing it.
    thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(
        ZSTD_createDCtx(), ZSTD_freeDCtx);
    const std::size_t got = ZSTD_decompressDCtx(context.get(), plain.data(), plain.size(),
                                                packed.data(), packed.size());
    if (ZSTD_isError(got) || got != size) return corrupt();
    return plain;
}

Status hand_out(ByteView plain, const Journal::Take& take) {
    cbor::Reader in(plain);
    while (!in.done()) TRY_STATUS(take(TRY(decode_record(TRY(in.bytes())))));
    return {};
}

/// Reads frames until the first that does not belong: the end, or where a crash tore it. `chain`
/// goes on from the segment before and ends with the last good tag.
Status read_segment(ByteView bytes, const crypto::Secret32& key, Chain& chain,
                    const Journal::Take& take) {
    Header header;
    // A crash may leave a segment without its head; nothing was acknowledged in it.
    if (!decode(bytes, header)) return {};
    if (header.chain != chain) return corrupt();
    const crypto::Secret32 segment_key = key_of(key, header);
    std::size_t at = kHeaderBytes;
    for (std::uint64_t frame = 0; at + 4 <= bytes.size(); ++frame) {
        const std::size_t size = load_be<std::uint32_t>(bytes.data() + at);
        if (size < crypto::kTagBytes || size > kFrameBytesMax || at + 4 + size > bytes.size())
            return {};
        const ByteView sealed = bytes.subspan(at + 4, size);
        const Result<Bytes> packed = crypto::open(segment_key, nonce_of(frame), chain, sealed);
        if (!packed) return {};
        TRY_STATUS(hand_out(TRY(decompress(*packed)), take));
        std::ranges::copy(sealed.last(16), chain.begin());
        at += 4 + size;
    }
    return {};
}

/// Numbers of the segments of a folder, in order.
Result<std::vector<std::uint64_t>> segments_in(Disk& disk, const std::string& dir) {
    std::vector<std::uint64_t> numbers;
    for (const DirEntry& entry : TRY(disk.list(dir))) {
        if (entry.name.size() != 20 || !entry.name.ends_with(".log")) continue;
        const auto bytes = from_hex(entry.name.substr(0, 16));
        if (bytes) numbers.push_back(load_be<std::uint64_t>(bytes->data()));
    }
    return numbers;
}

struct End {
    std::uint64_t number = 0;
    Chain chain{};
};

Result<End> read_all(Disk& disk, const std::string& dir, const crypto::Secret32& key,
                     const Journal::Take& take) {
    End end;
    for (const std::uint64_t number : TRY(segments_in(disk, dir))) {
        const Bytes bytes =
            TRY(disk.read_file(segment_path(dir, number), 2 * Journal::kSegmentBytes));
        TRY_STATUS(read_segment(bytes, key, end.chain, take));
        end.number = number;
    }
    return end;
}

}  // namespace

Status Journal::read(Disk& disk, const std::string& dir, const crypto::Secret32& key,
                     const Take& take) {
    TRY(read_all(disk, dir, key, take));
    return {};
}

Result<std::unique_ptr<Journal>> Journal::open(Disk& disk, Random& random, const std::string& dir,
                                               const crypto::Secret32& key, const Take& take) {
    TRY_STATUS(disk.make_dirs(dir));
    std::unique_ptr<Journal> journal(new Journal(disk, random, dir, key));
    const End end = TRY(read_all(disk, dir, key, take));
    journal->number_ = end.number;
    // The new segment names the last frame before it, which must not be lost after it.
    if (end.number > 0)
        TRY_STATUS(TRY(disk.open(segment_path(dir, end.number), Open::ReadWrite))->sync());
    journal->chain_ = end.chain;
    // Never behind a torn frame, and never a nonce twice: a new segment with its own key.
    TRY_STATUS(journal->begin_segment());
    return journal;
}

Status Journal::begin_segment() {
    if (file_) TRY_STATUS(file_->sync());
    Header header{number_ + 1, random_.bytes<kSaltBytes>(), chain_};
    const std::string path = segment_path(dir_, header.number);
    file_ = TRY(disk_.open(path, Open::Create));
    TRY_STATUS(file_->write_at(0, encode(header)));
    TRY_STATUS(file_->sync());
    TRY_STATUS(disk_.sync_dir(dir_));
    number_ = header.number;
    segment_key_ = key_of(key_, header);
    at_ = kHeaderBytes;
    frames_ = 0;
    return {};
}

Status Journal::append(std::span<const Record> records) {
    const std::lock_guard lock(mutex_);
    while (!records.empty()) {
        Bytes plain;
        cbor::Writer out(plain);
        std::size_t taken = 0;
        while (taken < records.size() && plain.size() < kBatchBytes)
            out.bytes(files::encode(records[taken++]));
        records = records.subspan(taken);
        if (at_ > kSegmentBytes) TRY_STATUS(begin_segment());
        const Bytes packed = packer_.pack(plain);
        Bytes frame(4 + packed.size() + crypto::kTagBytes);
        store_be(frame.data(), static_cast<std::uint32_t>(frame.size() - 4));
        crypto::seal(segment_key_, nonce_of(frames_), chain_, packed, frame.data() + 4);
        dirty_ = true;
        TRY_STATUS(file_->write_at(at_, frame));
        std::ranges::copy(ByteView(frame).last(16), chain_.begin());
        at_ += frame.size();
        ++frames_;
    }
    return {};
}

Status Journal::sync() {
    std::shared_ptr<File> file;
    {
        const std::lock_guard lock(mutex_);
        if (!dirty_) return {};
        dirty_ = false;
        file = file_;
    }
    // Beside the writers: nobody whose act waits for the journal waits for the disk too. Segments
    // before this one were synced when it began.
    return file->sync();
}

}  // namespace hygie::files
