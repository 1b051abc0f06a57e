#include "ledger/index/index_block.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace hygie::ledger {
namespace {

constexpr std::size_t kBlockHeadBytes = 8 + 8 + 2 + 2;

/// The Rice parameter for `count` gaps between numbers that spread over `span`: the binary
/// logarithm of the mean gap. Whatever the numbers are, they then take fewer than 2·count + 2 unary
/// bits in all.
unsigned rice_parameter(std::uint64_t span, std::uint64_t count) {
    const std::uint64_t mean = span / (count + 1);
    return mean == 0 ? 0 : static_cast<unsigned>(std::bit_width(mean)) - 1;
}

/// The Rice parameter of lists in a run; most lists of a block are of one length.
class ListParameter {
  public:
    explicit ListParameter(std::uint64_t positions) : positions_(positions) {}
    unsigned of(std::uint32_t count) {
        if (count != std::exchange(count_, count)) parameter_ = rice_parameter(positions_, count);
        return parameter_;
    }

  private:
    std::uint64_t positions_;
    std::uint32_t count_ = 0;  ///< no list has this length
    unsigned parameter_ = 0;
};

constexpr std::uint64_t lowest(std::uint64_t value, unsigned count) {
    return value & ((std::uint64_t{1} << count) - 1);
}

/// Appends bits to bytes, most significant first.
class BitWriter {
  public:
    explicit BitWriter(Bytes& out) : out_(out) {}

    /// The lowest `count` ≤ 63 bits of a value that has no others.
    void bits(std::uint64_t value, unsigned count) {
        if (used_ + count < 64) {
            held_ = held_ << count | value;
            used_ += count;
            return;
        }
        const unsigned left = used_ + count - 64;
        put(held_ << (count - left) | value >> left);
        held_ = lowest(value, left);
        used_ = left;
    }
    /// value >> parameter as zeros before a one, then the rest in `parameter` bits.
    void rice(std::uint64_t value, unsigned parameter) {
        std::uint64_t zeros = value >> parameter;
        const std::uint64_t low = lowest(value, parameter);
        if (zeros + 1 + parameter <= 63)
            return bits(std::uint64_t{1} << parameter | low,
                        static_cast<unsigned>(zeros) + 1 + parameter);
        for (; zeros >= 63; zeros -= 63) bits(0, 63);
        bits(0, static_cast<unsigned>(zeros));
        bits(1, 1);
        bits(low, parameter);
    }
    /// Elias gamma; the value is not 0 and has at most 32 bits.
    void gamma(std::uint32_t value) {
        bits(value, 2 * static_cast<unsigned>(std::bit_width(value)) - 1);
    }
    /// Fills the last byte with zeros.
    void finish() {
        if (used_ == 0) return;
        put(held_ << (64 - used_));
        out_.resize(out_.size() - (64 - used_) / 8);
        used_ = 0;
    }

  private:
    void put(std::uint64_t word) {
        word = big_endian(word);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&word);
        out_.insert(out_.end(), bytes, bytes + sizeof word);
    }

    Bytes& out_;
    std::uint64_t held_ = 0;  ///< its lowest `used_` bits are still to be written; the rest is 0
    unsigned used_ = 0;
};

/// Reads what BitWriter wrote; past the end everything is 0 and good() turns false.
class BitReader {
  public:
    explicit BitReader(ByteView in) : at_(in.data()), end_(in.data() + in.size()) {}

    std::uint64_t bits(unsigned count) {
        if (count > 32) {
            const std::uint64_t high = bits(count - 32);
            return high << 32 | bits(32);
        }
        if (count == 0) return 0;
        refill();
        const std::uint64_t value = window_ >> (64 - count);
        drop(count);
        return value;
    }
    std::uint64_t unary() {
        std::uint64_t zeros = 0;
        for (refill(); window_ == 0; refill()) {
            if (held_ == 0) return good_ = false, 0;
            zeros += held_;
            held_ = 0;
        }
        const auto more = static_cast<unsigned>(std::countl_zero(window_));
        drop(more + 1);
        return zeros + more;
    }
    /// UINT64_MAX for what no 64-bit number can be: no caller accepts it.
    std::uint64_t rice(unsigned parameter) {
        refill();
        const auto zeros = static_cast<unsigned>(std::countl_zero(window_));
        if (zeros + 1 + parameter <= held_) {
            const std::uint64_t after = window_ << zeros << 1;
            const std::uint64_t low = parameter == 0 ? 0 : after >> (64 - parameter);
            drop(zeros + 1 + parameter);
            return std::uint64_t{zeros} << parameter | low;
        }
        const std::uint64_t high = unary();
        const std::uint64_t low = bits(parameter);
        return high > (UINT64_MAX >> parameter) ? UINT64_MAX : high << parameter | low;
    }
    std::uint64_t gamma() {
        refill();
        if (window_ >> 63 != 0) return drop(1), 1;  // most lists of patients and objects
        const std::uint64_t zeros = unary();
        if (zeros > 31) return good_ = false, 0;
        return std::uint64_t{1} << zeros | bits(static_cast<unsigned>(zeros));
    }
    bool good() const { return good_; }
    /// Nothing is left but fewer than eight bits of zeros.
    bool only_padding_left() {
        refill();
        return good_ && at_ == end_ && held_ < 8 && window_ == 0;
    }

  private:
    void refill() {
        if (end_ - at_ >= 8) {
            window_ |= load_word(at_) >> held_;
            const unsigned taken = (63 - held_) / 8;
            at_ += taken;
            held_ += 8 * taken;
            // Bits beyond held_ were read early; they are read again by the next refill.
            window_ &= ~std::uint64_t{0} << (64 - held_);
            return;
        }
        for (; held_ <= 56 && at_ != end_; held_ += 8)
            window_ |= std::uint64_t{*at_++} << (56 - held_);
    }
    void drop(unsigned count) {
        if (count > held_) {
            good_ = false;
            count = held_;
        }
        held_ -= count;
        window_ = count == 64 ? 0 : window_ << count;
    }

    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::uint64_t window_ = 0;  ///< its highest `held_` bits are the next ones; the rest is 0
    unsigned held_ = 0;
    bool good_ = true;
};

void write_offsets(BitWriter& out, std::span<const std::uint32_t> offsets, std::uint64_t positions,
                   unsigned parameter) {
    std::uint64_t next = 0;
    for (const std::uint32_t offset : offsets) {
        HYGIE_CHECK(offset >= next && offset < positions, "postings of an index must ascend");
        out.rice(offset - next, parameter);
        next = std::uint64_t{offset} + 1;
    }
}

bool read_keys(BitReader& in, std::uint64_t last, std::size_t keys, Block& block) {
    const std::uint64_t first = block.keys[0];
    if (keys == 1) return first == last;
    if (last <= first || last - first < keys - 1) return false;
    const unsigned parameter = rice_parameter(last - first, keys - 1);
    while (block.keys.size() < keys) {
        const std::uint64_t gap = in.rice(parameter);
        if (!in.good() || gap >= last - block.keys.back()) return false;
        block.keys.push_back(block.keys.back() + gap + 1);
    }
    return block.keys.back() == last;
}

bool read_counts(BitReader& in, std::size_t postings, Block& block) {
    std::uint64_t left = postings;
    for (std::size_t i = 0; i < block.keys.size(); ++i) {
        const std::uint64_t count = in.gamma();
        if (!in.good() || count > left) return false;
        left -= count;
        block.counts.push_back(static_cast<std::uint32_t>(count));
    }
    return left == 0;
}

bool read_offsets(BitReader& in, std::uint64_t positions, Block& block) {
    ListParameter parameters(positions);
    for (const std::uint32_t count : block.counts) {
        const unsigned parameter = parameters.of(count);
        std::uint64_t next = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint64_t gap = in.rice(parameter);
            if (next >= positions || gap >= positions - next) return false;
            block.offsets.push_back(static_cast<std::uint32_t>(next + gap));
            next += gap + 1;
        }
    }
    return in.good();
}

}  // namespace

Bytes encode_block(const Block& block, std::uint64_t positions) {
    const std::size_t keys = block.keys.size();
    const std::size_t postings = block.offsets.size();
    HYGIE_CHECK(keys > 0 && keys == block.counts.size() && postings <= kBlockPostings,
                "an index block holds 1 to kBlockPostings postings");
    HYGIE_CHECK(positions <= UINT32_MAX, "offsets of an index run have 32 bits");
    Bytes out(kBlockHeadBytes);
    out.reserve(2 * postings + 64);
    store_be(out.data(), block.keys.front());
    store_be(out.data() + 8, block.keys.back());
    store_be(out.data() + 16, static_cast<std::uint16_t>(keys));
    store_be(out.data() + 18, static_cast<std::uint16_t>(postings));
    BitWriter bits(out);
    if (keys > 1) {
        const unsigned parameter = rice_parameter(block.keys.back() - block.keys.front(), keys - 1);
        for (std::size_t i = 1; i < keys; ++i) {
            HYGIE_CHECK(block.keys[i] > block.keys[i - 1], "keys of an index block must ascend");
            bits.rice(block.keys[i] - block.keys[i - 1] - 1, parameter);
        }
    }
    for (const std::uint32_t count : block.counts) bits.gamma(count);
    ListParameter parameters(positions);
    std::size_t at = 0;
    for (const std::uint32_t count : block.counts) {
        write_offsets(bits, std::span(block.offsets).subspan(at, count), positions,
                      parameters.of(count));
        at += count;
    }
    bits.finish();
    return out;
}

Result<Block> decode_block(ByteView bytes, Dimension dimension, std::uint64_t positions) {
    if (bytes.size() < kBlockHeadBytes || positions > UINT32_MAX) return index_corrupt();
    const auto last = load_be<std::uint64_t>(bytes.data() + 8);
    const std::size_t keys = load_be<std::uint16_t>(bytes.data() + 16);
    const std::size_t postings = load_be<std::uint16_t>(bytes.data() + 18);
    if (keys == 0 || keys > postings || postings > kBlockPostings) return index_corrupt();
    const unsigned token_bits = shape_of(dimension).token_bits;
    if (token_bits < 64 && last >> token_bits != 0) return index_corrupt();
    Block block;
    block.keys.reserve(keys);
    block.counts.reserve(keys);
    block.offsets.reserve(postings);
    block.keys.push_back(load_be<std::uint64_t>(bytes.data()));
    BitReader bits(bytes.subspan(kBlockHeadBytes));
    if (!read_keys(bits, last, keys, block) || !read_counts(bits, postings, block) ||
        !read_offsets(bits, positions, block) || !bits.only_padding_left())
        return index_corrupt();
    return block;
}

std::unexpected<Error> index_corrupt(std::source_location where) {
    return fail(
        Code::Corrupt,
        {"l'index de recherche du journal est abîmé", "the query index of the ledger is damaged"},
        {"effacez le dossier de l'index : il est reconstruit à partir du journal, qui n'est pas "
         "touché",
         "remove the index directory: it is rebuilt from the log, which is not touched"},
        where);
}

}  // namespace hygie::ledger
