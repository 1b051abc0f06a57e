#include "guards/files/keep/packs.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/tokens.h"
#include "guards/files/content/digest.h"

namespace hygie::files {
namespace {

constexpr std::string_view kMagic = "hygie file pack\n";
constexpr std::size_t kHeaderBytes = 20;
constexpr std::uint32_t kVersion = 1;
/// Length and name before the sealed bytes.
constexpr std::size_t kFrameHeadBytes = 4 + sizeof(ChunkId);
constexpr std::size_t kSealedBytesMax = Packs::kChunkBytes + (64 << 10);

std::unexpected<Error> damaged() {
    return fail(
        Code::Corrupt,
        {"un paquet de la réserve des fichiers est abîmé", "a pack of the file store is damaged"},
        {"rétablissez le dossier d'état depuis sa copie",
         "bring the state folder back from its copy"});
}

class PackedContent final : public Content {
  public:
    PackedContent(std::shared_ptr<const Packs> packs, std::vector<ChunkId> chunks,
                  std::uint64_t size)
        : packs_(std::move(packs)), chunks_(std::move(chunks)), size_(size) {}

    std::uint64_t size() const override { return size_; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        std::size_t done = 0;
        while (done < out.size() && offset + done < size_) {
            const std::uint64_t at = offset + done;
            const Bytes chunk = TRY(packs_->get(chunks_[at / Packs::kChunkBytes]));
            const std::size_t skip = at % Packs::kChunkBytes;
            if (skip >= chunk.size()) return damaged();
            const std::size_t take = std::min(chunk.size() - skip, out.size() - done);
            std::memcpy(out.data() + done, chunk.data() + skip, take);
            done += take;
        }
        return done;
    }
    std::uint64_t next_data(std::uint64_t offset) const override {
        std::size_t at = offset / Packs::kChunkBytes;
        if (at >= chunks_.size() || chunks_[at] != packs_->empty_chunk()) return offset;
        while (at < chunks_.size() && chunks_[at] == packs_->empty_chunk()) ++at;
        return std::min<std::uint64_t>(size_, at * Packs::kChunkBytes);
    }

  private:
    std::shared_ptr<const Packs> packs_;
    std::vector<ChunkId> chunks_;
    std::uint64_t size_;
};

}  // namespace

ContentPtr packed_content(std::shared_ptr<const Packs> packs, std::vector<ChunkId> chunks,
                          std::uint64_t size) {
    return std::make_shared<PackedContent>(std::move(packs), std::move(chunks), size);
}

Packs::Packs(Disk& disk, Random* random, std::string dir, const crypto::Secret32& key)
    : disk_(disk),
      random_(random),
      dir_(std::move(dir)),
      name_key_(crypto::derive(key, "files/pack/name")),
      seal_key_(crypto::derive(key, "files/pack/seal")),
      empty_chunk_(crypto::hmac_sha256(name_key_.view(), Bytes(kChunkBytes))) {}

std::string Packs::path(std::uint32_t pack) const {
    return fmt::format("{}/{:08x}.pack", dir_, pack);
}

Result<std::vector<std::uint32_t>> Packs::numbers() const {
    std::vector<std::uint32_t> all;
    for (const DirEntry& entry : TRY(disk_.list(dir_))) {
        if (entry.name.size() != 13 || !entry.name.ends_with(".pack")) continue;
        const auto bytes = from_hex(entry.name.substr(0, 8));
        if (bytes) all.push_back(load_be<std::uint32_t>(bytes->data()));
    }
    return all;
}

Result<std::unique_ptr<Packs>> Packs::open_to_read(Disk& disk, std::string dir,
                                                   const crypto::Secret32& key) {
    std::unique_ptr<Packs> packs(new Packs(disk, nullptr, std::move(dir), key));
    if (!disk.exists(packs->dir_)) return packs;
    for (const std::uint32_t number : TRY(packs->numbers()))
        TRY(packs->load(number, Check::Lengths));
    return packs;
}

Result<std::unique_ptr<Packs>> Packs::open(Disk& disk, Random& random, std::string dir,
                                           const crypto::Secret32& key) {
    TRY_STATUS(disk.make_dirs(dir));
    std::unique_ptr<Packs> packs(new Packs(disk, &random, std::move(dir), key));
    const std::vector<std::uint32_t> numbers = TRY(packs->numbers());
    for (const std::uint32_t number : numbers) {
        const bool newest = number == numbers.back();
        const std::uint64_t end = TRY(packs->load(number, newest ? Check::Seals : Check::Lengths));
        packs->number_ = number;
        if (!newest) continue;
        // What a crash tore must not be taken for a chunk that is here.
        const auto file = TRY(disk.open(packs->path(number), Open::ReadWrite));
        if (TRY(file->size()) > end) {
            TRY_STATUS(file->truncate(end));
            TRY_STATUS(file->sync());
        }
    }
    return packs;
}

/// Puts the frames of a pack into the index; where the good ones end.
Result<std::uint64_t> Packs::load(std::uint32_t pack, Check check) {
    const auto file = TRY(disk_.open(path(pack), Open::Read));
    const std::uint64_t size = TRY(file->size());
    std::uint64_t at = kHeaderBytes;
    while (at + kFrameHeadBytes <= size) {
        std::array<std::uint8_t, kFrameHeadBytes> head;
        TRY(file->read_at(at, head));
        const auto sealed = load_be<std::uint32_t>(head.data());
        if (sealed < crypto::kBoxBytes || sealed > kSealedBytesMax ||
            at + kFrameHeadBytes + sealed > size)
            break;
        ChunkId id;
        std::memcpy(id.data(), head.data() + 4, id.size());
        const Where where{pack, sealed, at + kFrameHeadBytes};
        if (check == Check::Seals) {
            Bytes bytes(sealed);
            TRY(file->read_at(where.at, bytes));
            if (!unseal(id, bytes)) break;
        }
        index_[id] = where;
        at += kFrameHeadBytes + sealed;
    }
    at = std::min(at, size);
    bytes_ += at;
    return at;
}

Status Packs::begin_pack() {
    HYGIE_CHECK(random_ != nullptr, "packs opened to read are not written");
    if (file_) full_.push_back(std::move(file_));
    file_ = TRY(disk_.open(path(number_ + 1), Open::Create));
    ++number_;
    Bytes header = to_bytes(as_bytes(kMagic));
    header.resize(kHeaderBytes);
    store_be(header.data() + 16, kVersion);
    TRY_STATUS(file_->write_at(0, header));
    has_new_name_ = true;
    at_ = kHeaderBytes;
    bytes_ += kHeaderBytes;
    return {};
}

Result<ChunkId> Packs::put_chunk(ByteView chunk) {
    const ChunkId id = crypto::hmac_sha256(name_key_.view(), chunk);
    TRY_STATUS(take(id, chunk));
    return id;
}

Status Packs::take(const ChunkId& id, ByteView chunk) {
    if (met_) met_->insert(id);
    return index_.contains(id) ? Status() : write_chunk(id, chunk);
}

Status Packs::write_chunk(const ChunkId& id, ByteView chunk) {
    if (!file_ || at_ > kPackBytes) TRY_STATUS(begin_pack());
    const Bytes sealed = crypto::box(seal_key_, id, packer_.pack(chunk), *random_);
    Bytes frame(4);
    store_be(frame.data(), static_cast<std::uint32_t>(sealed.size()));
    append(frame, id);
    append(frame, sealed);
    dirty_ = true;
    TRY_STATUS(file_->write_at(at_, frame));
    index_[id] = {number_, static_cast<std::uint32_t>(sealed.size()), at_ + kFrameHeadBytes};
    at_ += frame.size();
    bytes_ += frame.size();
    return {};
}

/// Chunks that lie in holes are named without being read.
Result<Packs::Put> Packs::put(const Content& content) {
    Put put;
    Digest digest;
    Bytes buffer(kChunkBytes);
    for (;;) {
        const std::uint64_t at = digest.size();
        const std::uint64_t empty = empty_blocks(at, content.next_data(at));
        if (empty != 0) {
            const std::lock_guard lock(mutex_);
            TRY_STATUS(take(empty_chunk_, Bytes(kChunkBytes)));
            put.chunks.insert(put.chunks.end(), empty, empty_chunk_);
            digest.skip(empty);
            continue;
        }
        const std::size_t got = TRY(content.read_at(at, buffer));
        if (got == 0) break;
        const ByteView chunk = ByteView(buffer).first(got);
        digest.add(chunk);
        const std::lock_guard lock(mutex_);
        put.chunks.push_back(TRY(put_chunk(chunk)));
        if (got < kChunkBytes) break;
    }
    put.size = digest.size();
    put.hash = *digest.end_hash();
    return put;
}

Result<Packs::Put> Packs::put(ByteView bytes) {
    HYGIE_CHECK(bytes.size() <= kChunkBytes, "more than a chunk is put as a content");
    Put put;
    put.size = bytes.size();
    Digest digest;
    digest.add(bytes);
    put.hash = *digest.end_hash();
    const ChunkId id = crypto::hmac_sha256(name_key_.view(), bytes);
    const std::lock_guard lock(mutex_);
    TRY_STATUS(take(id, bytes));
    put.chunks.push_back(id);
    return put;
}

/// Beside the writers: a pack that was begun or filled meanwhile waits for its sync, nobody else.
Status Packs::sync() {
    // Who comes second returns when the first is done.
    const std::lock_guard one_at_a_time(sync_mutex_);
    std::vector<std::shared_ptr<File>> files;
    bool has_new_name = false;
    {
        const std::lock_guard lock(mutex_);
        if (!dirty_) return {};
        dirty_ = false;
        files = std::exchange(full_, {});
        files.push_back(file_);
        has_new_name = std::exchange(has_new_name_, false);
    }
    for (const auto& file : files) TRY_STATUS(file->sync());
    return has_new_name ? disk_.sync_dir(dir_) : Status();
}

Status Packs::compact(const std::function<std::set<ChunkId>()>& live) {
    struct Fill {
        std::uint64_t all = 0;
        std::uint64_t live = 0;
    };
    {
        const std::lock_guard lock(mutex_);
        met_.emplace();
    }
    const std::set<ChunkId> kept = live();
    std::map<std::uint32_t, Fill> fills;
    Status done;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, where] : index_) {
            fills[where.pack].all += where.size;
            if (kept.contains(id)) fills[where.pack].live += where.size;
        }
        if (file_) fills.erase(number_);
    }
    for (const auto& [pack, fill] : fills)
        if (done && 2 * fill.live < fill.all) done = move_out(pack, kept);
    const std::lock_guard lock(mutex_);
    met_.reset();
    return done;
}

/// What is still needed is durable in its new place before the old one goes.
Status Packs::move_out(std::uint32_t pack, const std::set<ChunkId>& live) {
    std::vector<ChunkId> ids;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, where] : index_)
            if (where.pack == pack) ids.push_back(id);
    }
    const auto file = TRY(disk_.open(path(pack), Open::Read));
    for (const ChunkId& id : ids) TRY_STATUS(move_chunk(id, pack, *file, live.contains(id)));
    TRY_STATUS(sync());
    {
        const std::lock_guard lock(mutex_);
        bytes_ -= std::min(bytes_, TRY(file->size()));
    }
    TRY_STATUS(disk_.remove(path(pack)));
    return disk_.sync_dir(dir_);
}

/// One at a time, so that whoever keeps bytes meanwhile hardly waits.
Status Packs::move_chunk(const ChunkId& id, std::uint32_t pack, File& from, bool is_live) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(id);
    if (found == index_.end() || found->second.pack != pack) return {};
    if (!is_live && !met_->contains(id)) {
        index_.erase(found);
        return {};
    }
    const Where where = found->second;
    Bytes sealed(where.size);
    sealed.resize(TRY(from.read_at(where.at, sealed)));
    return write_chunk(id, TRY(unseal(id, sealed)));
}

Result<Bytes> Packs::unseal(const ChunkId& id, ByteView sealed) const {
    const Bytes packed = TRY(crypto::unbox(seal_key_, id, sealed));
    const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
    if (size > kChunkBytes) return damaged();
    Bytes plain(size);
    const std::size_t got =
        ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
    if (ZSTD_isError(got) || got != size) return damaged();
    return plain;
}

Result<Bytes> Packs::get(const ChunkId& id) const {
    Result<Bytes> bytes = damaged();
    // A compaction may move it between the two looks.
    for (int looks = 0; looks < 2 && !bytes; ++looks) {
        Where where;
        {
            const std::lock_guard lock(mutex_);
            const auto found = index_.find(id);
            if (found == index_.end()) return damaged();
            where = found->second;
        }
        const auto file = disk_.open(path(where.pack), Open::Read);
        if (!file) {
            bytes = std::unexpected(file.error());
            continue;
        }
        Bytes sealed(where.size);
        sealed.resize(TRY((*file)->read_at(where.at, sealed)));
        bytes = unseal(id, sealed);
    }
    return bytes;
}

bool Packs::holds(const ChunkId& id) const {
    const std::lock_guard lock(mutex_);
    return index_.contains(id);
}

std::uint64_t Packs::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace hygie::files
