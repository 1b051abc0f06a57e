#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "crypto/secret.h"
#include "guards/files/content/content.h"
#include "guards/files/keep/packer.h"
#include "guards/files/keep/record.h"
#include "host/disk.h"
#include "host/random.h"

namespace hygie::files {

/// Sealed bytes, kept once however often they occur: chunks of a mebibyte, named by a keyed hash,
/// compressed, sealed, appended to pack files (FORMAT.md). Thread-safe.
class Packs {
  public:
    static constexpr std::size_t kChunkBytes = 1 << 20;
    static constexpr std::uint64_t kPackBytes = std::uint64_t{256} << 20;

    /// Opens for writing: the newest pack is checked whole, and cut where a crash tore it.
    static Result<std::unique_ptr<Packs>> open(Disk& disk, Random& random, std::string dir,
                                               const crypto::Secret32& key);
    /// Opens for reading alone, beside a writer.
    static Result<std::unique_ptr<Packs>> open_to_read(Disk& disk, std::string dir,
                                                       const crypto::Secret32& key);

    struct Put {
        std::vector<ChunkId> chunks;
        crypto::Hash hash{};  ///< of the whole (Digest)
        std::uint64_t size = 0;
    };
    /// Takes bytes in; durable after sync(). Chunks already here cost their hash alone.
    Result<Put> put(const Content& content);
    /// The same for bytes at hand, at most a chunk.
    Result<Put> put(ByteView bytes);
    Status sync();
    /// Rewrites packs of which less than half is in what `live` returns, and removes the old ones,
    /// durably. What is put meanwhile stays.
    Status compact(const std::function<std::set<ChunkId>()>& live);
    /// Bytes of one chunk. NotFound, or Corrupt when they do not open.
    Result<Bytes> get(const ChunkId& id) const;
    bool holds(const ChunkId& id) const;
    /// The name of a whole chunk of zeros.
    const ChunkId& empty_chunk() const { return empty_chunk_; }
    std::uint64_t bytes() const;

  private:
    struct Where {
        std::uint32_t pack = 0;
        std::uint32_t size = 0;
        std::uint64_t at = 0;
    };
    struct IdHash {
        std::size_t operator()(const ChunkId& id) const {
            return std::hash<std::string_view>()(as_text(id));
        }
    };
    enum class Check { Lengths, Seals };

    Packs(Disk& disk, Random* random, std::string dir, const crypto::Secret32& key);
    std::string path(std::uint32_t pack) const;
    Result<std::vector<std::uint32_t>> numbers() const;
    Result<std::uint64_t> load(std::uint32_t pack, Check check);
    Status move_out(std::uint32_t pack, const std::set<ChunkId>& live);
    Status move_chunk(const ChunkId& id, std::uint32_t pack, File& from, bool is_live);
    Status begin_pack();
    Result<ChunkId> put_chunk(ByteView chunk);
    Status take(const ChunkId& id, ByteView chunk);
    Status write_chunk(const ChunkId& id, ByteView chunk);
    Result<Bytes> unseal(const ChunkId& id, ByteView sealed) const;

    Disk& disk_;
    Random* random_;
    std::string dir_;
    crypto::Secret32 name_key_;
    crypto::Secret32 seal_key_;
    ChunkId empty_chunk_;
    mutable std::mutex mutex_;
    std::mutex sync_mutex_;
    std::unordered_map<ChunkId, Where, IdHash> index_;
    /// Chunks that were met again since a compaction began; none outside one.
    std::optional<std::set<ChunkId>> met_;
    std::uint32_t number_ = 0;
    std::shared_ptr<File> file_;
    std::vector<std::shared_ptr<File>> full_;  ///< not synced yet
    bool has_new_name_ = false;                ///< the folder is not synced yet
    bool dirty_ = false;
    Packer packer_;
    std::uint64_t at_ = 0;
    std::uint64_t bytes_ = 0;
};

/// The bytes of a packed version.
ContentPtr packed_content(std::shared_ptr<const Packs> packs, std::vector<ChunkId> chunks,
                          std::uint64_t size);

}  // namespace hygie::files
