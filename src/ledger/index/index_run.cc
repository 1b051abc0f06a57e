#include "ledger/index/index_run.h"

#include "base/cbor.h"
#include "base/check.h"
#include "crypto/aead.h"
#include "ledger/tree/tree.h"

namespace hygie::ledger {
namespace {

constexpr std::string_view kMagic = "hygie-index-run@v1\n";
constexpr std::size_t kFileIdBytes = 16;
constexpr std::size_t kHeadBytes = kMagic.size() + kFileIdBytes;
constexpr std::size_t kFootBytes = 8;  ///< size of the sealed directory
/// Written and synced in pieces of this size, so that no single step waits for a whole file.
constexpr std::size_t kWriteBytes = 1 << 20;
constexpr std::uint64_t kDirectoryNumber = UINT64_MAX;
/// Far above an honest directory: a run of 2^32 postings would need this much.
constexpr std::uint64_t kDirectoryBytesMax = 256 << 20;

/// Every file has its own random key, so that block numbers are nonces enough.
crypto::Secret32 file_key_of(const crypto::Secret32& index_key, ByteView file_id) {
    return crypto::derive(index_key, "ledger/index/run/" + to_hex(file_id));
}

crypto::Nonce nonce_of_part(std::uint64_t number) {
    crypto::Nonce nonce{};
    store_be(nonce.data() + nonce.size() - sizeof number, number);
    return nonce;
}

Bytes encode_directory(const RunDirectory& directory) {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(3 + kDimensions.size());
    writer.number(directory.range.first);
    writer.number(directory.range.end);
    for (const auto& blocks : directory.blocks) {
        writer.array(3 * blocks.size());
        for (const BlockRef& block : blocks) {
            writer.number(block.first_key);
            writer.number(block.size);
            writer.bytes(block.leaf);
        }
    }
    writer.array(2 * directory.chunks.size());
    for (const TimeSpan& chunk : directory.chunks) {
        writer.number(static_cast<std::uint64_t>(chunk.earliest));
        writer.number(static_cast<std::uint64_t>(chunk.latest));
    }
    return out;
}

/// Reads one dimension's blocks, laid out in the file from `offset` on.
Status read_blocks(cbor::Reader& in, std::uint64_t& offset, std::vector<BlockRef>& blocks) {
    const std::uint64_t count = TRY(in.array()) / 3;
    if (count > in.rest().size()) return index_corrupt();
    blocks.resize(count);
    for (BlockRef& block : blocks) {
        block.first_key = TRY(in.number());
        const std::uint64_t size = TRY(in.number());
        const ByteView leaf = TRY(in.bytes());
        if (size > UINT32_MAX || leaf.size() != block.leaf.size()) return index_corrupt();
        block.size = static_cast<std::uint32_t>(size);
        std::copy(leaf.begin(), leaf.end(), block.leaf.begin());
        block.offset = offset;
        offset += size;
    }
    return {};
}

Result<RunDirectory> decode_directory(ByteView bytes, std::uint64_t blocks_end) {
    cbor::Reader in(bytes);
    RunDirectory directory;
    if (TRY(in.array()) != 3 + kDimensions.size()) return index_corrupt();
    const auto first = TRY(in.number());
    const auto end = TRY(in.number());
    directory.range = {first, end};
    if (first >= end || end - first > UINT32_MAX) return index_corrupt();
    std::uint64_t offset = kHeadBytes;
    for (auto& blocks : directory.blocks) TRY_STATUS(read_blocks(in, offset, blocks));
    directory.chunks = empty_chunks(directory.range);
    if (offset != blocks_end || TRY(in.array()) != 2 * directory.chunks.size())
        return index_corrupt();
    for (TimeSpan& chunk : directory.chunks) {
        chunk.earliest = static_cast<std::int64_t>(TRY(in.number()));
        chunk.latest = static_cast<std::int64_t>(TRY(in.number()));
    }
    if (!in.done()) return index_corrupt();
    return directory;
}

/// Reads exactly `size` bytes; a shorter file is Code::Corrupt.
Result<Bytes> read_exactly(File& file, std::uint64_t offset, std::uint64_t size) {
    Bytes bytes(size);
    if (TRY(file.read_at(offset, bytes)) != size) return index_corrupt();
    return bytes;
}

}  // namespace

Chunks empty_chunks(SequenceRange range) {
    const std::uint64_t first = range.first / kChunkSequences;
    return Chunks((range.end - 1) / kChunkSequences - first + 1);
}

crypto::Hash dimension_root(std::uint64_t blocks, const crypto::Hash& tree_root) {
    std::array<std::uint8_t, 8> count;
    store_be(count.data(), blocks);
    return crypto::sha256(count, tree_root);
}

crypto::Hash dimension_root(std::span<const BlockRef> blocks) {
    std::vector<crypto::Hash> leaves;
    leaves.reserve(blocks.size());
    for (const BlockRef& block : blocks) leaves.push_back(block.leaf);
    Tree tree;
    tree.append(leaves, [](std::size_t, std::uint64_t, std::span<const crypto::Hash>) {});
    return dimension_root(leaves.size(), tree.root());
}

BlockRange blocks_of(std::span<const BlockRef> blocks, std::uint64_t key) {
    const auto by_key = [](const BlockRef& block, std::uint64_t wanted) {
        return block.first_key < wanted;
    };
    const auto not_before = std::lower_bound(blocks.begin(), blocks.end(), key, by_key);
    const auto after = std::upper_bound(
        not_before, blocks.end(), key,
        [](std::uint64_t wanted, const BlockRef& block) { return wanted < block.first_key; });
    // The block before may end with the key.
    const auto first = not_before == blocks.begin() ? not_before : not_before - 1;
    return {static_cast<std::size_t>(first - blocks.begin()),
            static_cast<std::size_t>(after - blocks.begin())};
}

SequenceRange sequences_at(Dimension dimension, SequenceRange run, std::uint32_t offset) {
    const unsigned shift = shape_of(dimension).sequence_shift;
    const std::uint64_t position = positions_of(dimension, run).first + offset;
    return {std::max(run.first, position << shift), std::min(run.end, (position + 1) << shift)};
}

void BlockCutter::add(std::uint64_t key, std::span<const std::uint32_t> offsets) {
    const bool same = last_offset_ >= 0 && key == last_key_;
    HYGIE_CHECK(same || last_offset_ < 0 || key > last_key_, "keys of an index run must ascend");
    if (!same) last_offset_ = -1;
    last_key_ = key;
    bool listed = same && !block_.keys.empty();
    for (const std::uint32_t offset : offsets) {
        if (offset == last_offset_) continue;
        if (!listed) {
            block_.keys.push_back(key);
            block_.counts.push_back(0);
            listed = true;
        }
        last_offset_ = offset;
        ++block_.counts.back();
        block_.offsets.push_back(offset);
        if (block_.offsets.size() == kBlockPostings) {
            cut();
            listed = false;
        }
    }
}

void BlockCutter::finish() {
    if (!block_.keys.empty()) cut();
}

void BlockCutter::cut() {
    full_.push_back({block_.keys.front(), encode_block(block_, positions_)});
    block_.keys.clear();
    block_.counts.clear();
    block_.offsets.clear();
}

Result<RunWriter> RunWriter::create(Disk& disk, Random& random, const std::string& path,
                                    const crypto::Secret32& index_key, SequenceRange range) {
    HYGIE_CHECK(range.first < range.end, "an index run covers at least one entry");
    const auto file_id = random.bytes<kFileIdBytes>();
    RunWriter writer(TRY(disk.open(path, Open::Create)), file_key_of(index_key, file_id), range);
    append(writer.buffer_, as_bytes(kMagic));
    append(writer.buffer_, file_id);
    return writer;
}

RunWriter::RunWriter(std::unique_ptr<File> file, crypto::Secret32 file_key, SequenceRange range)
    : file_(std::move(file)), file_key_(file_key) {
    directory_.range = range;
    for (const Dimension dimension : kDimensions) cutters_.emplace_back(dimension, range);
}

Status RunWriter::add(Dimension dimension, std::uint64_t key,
                      std::span<const std::uint32_t> offsets) {
    cutters_[static_cast<std::size_t>(dimension)].add(key, offsets);
    return keep(dimension);
}

Status RunWriter::end_dimension(Dimension dimension) {
    cutters_[static_cast<std::size_t>(dimension)].finish();
    return keep(dimension);
}

Status RunWriter::keep(Dimension dimension) {
    const auto at = static_cast<std::size_t>(dimension);
    if (!cutters_[at].has_full()) return {};
    for (const BlockCutter::Cut& cut : cutters_[at].take_full()) {
        directory_.blocks[at].push_back(
            {cut.first_key, written_ + buffer_.size(),
             static_cast<std::uint32_t>(cut.plaintext.size() + crypto::kTagBytes),
             crypto::leaf_hash(cut.plaintext)});
        TRY_STATUS(seal(sealed_++, cut.plaintext));
    }
    return {};
}

Status RunWriter::seal(std::uint64_t number, ByteView plaintext) {
    const std::size_t at = buffer_.size();
    buffer_.resize(at + plaintext.size() + crypto::kTagBytes);
    crypto::seal(file_key_, nonce_of_part(number), {}, plaintext, buffer_.data() + at);
    return buffer_.size() < kWriteBytes ? Status{} : write_out();
}

Status RunWriter::write_out() {
    TRY_STATUS(file_->write_at(written_, buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    return file_->sync();
}

Result<RunDirectory> RunWriter::finish(Chunks chunks) {
    directory_.chunks = std::move(chunks);
    const Bytes plaintext = encode_directory(directory_);
    TRY_STATUS(seal(kDirectoryNumber, plaintext));
    std::array<std::uint8_t, kFootBytes> foot;
    store_be(foot.data(), std::uint64_t{plaintext.size() + crypto::kTagBytes});
    append(buffer_, foot);
    TRY_STATUS(write_out());
    return std::move(directory_);
}

Result<Run> Run::open(Disk& disk, const std::string& path, const crypto::Secret32& index_key) {
    std::unique_ptr<File> file = TRY(disk.open(path, Open::Read));
    const std::uint64_t size = TRY(file->size());
    if (size < kHeadBytes + kFootBytes) return index_corrupt();
    const Bytes head = TRY(read_exactly(*file, 0, kHeadBytes));
    if (!as_text(head).starts_with(kMagic)) return index_corrupt();
    const Bytes foot = TRY(read_exactly(*file, size - kFootBytes, kFootBytes));
    const auto sealed = load_be<std::uint64_t>(foot.data());
    if (sealed > kDirectoryBytesMax || sealed > size - kHeadBytes - kFootBytes)
        return index_corrupt();
    const std::uint64_t directory_at = size - kFootBytes - sealed;
    const crypto::Secret32 key = file_key_of(index_key, ByteView(head).subspan(kMagic.size()));
    const Bytes bytes = TRY(read_exactly(*file, directory_at, sealed));
    const Result<Bytes> plaintext = crypto::open(key, nonce_of_part(kDirectoryNumber), {}, bytes);
    if (!plaintext) return index_corrupt();
    return Run(std::move(file), key, TRY(decode_directory(*plaintext, directory_at)));
}

Result<Bytes> Run::plaintext(Dimension dimension, std::size_t number) const {
    std::uint64_t part = number;
    for (const Dimension before : kDimensions) {
        if (before == dimension) break;
        part += directory_.of(before).size();
    }
    const BlockRef& ref = directory_.of(dimension)[number];
    const Bytes sealed = TRY(read_exactly(*file_, ref.offset, ref.size));
    Result<Bytes> plaintext = crypto::open(file_key_, nonce_of_part(part), {}, sealed);
    if (!plaintext) return index_corrupt();
    return plaintext;
}

Result<Block> Run::block(Dimension dimension, std::size_t number) const {
    const Bytes bytes = TRY(plaintext(dimension, number));
    return decode_block(bytes, dimension, positions_of(dimension, range()).count);
}

}  // namespace hygie::ledger
