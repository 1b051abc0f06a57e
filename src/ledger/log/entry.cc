#include "ledger/log/entry.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace hygie::ledger {
namespace {

constexpr std::uint8_t kArrayOf12 = 0x8C;
constexpr unsigned kMajorNumber = 0;
constexpr unsigned kMajorBytes = 2;
constexpr unsigned kMajorMap = 5;

/// One store where store_be is a loop: each entry asks for a dozen.
template <typename T>
std::uint8_t* put_be(std::uint8_t* out, T value) {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    std::memcpy(out, &value, sizeof value);
    return out + sizeof value;
}

/// Writes the head of a CBOR item in its shortest form (RFC 8949 §4.2.1).
std::uint8_t* put_head(std::uint8_t* out, unsigned major, std::uint64_t value) {
    const auto head = [&](unsigned info) { return static_cast<std::uint8_t>(major << 5 | info); };
    if (value < 24) return put_be(out, head(static_cast<unsigned>(value)));
    if (value <= 0xFF) return put_be(put_be(out, head(24)), static_cast<std::uint8_t>(value));
    if (value <= 0xFFFF) return put_be(put_be(out, head(25)), static_cast<std::uint16_t>(value));
    if (value <= 0xFFFF'FFFF)
        return put_be(put_be(out, head(26)), static_cast<std::uint32_t>(value));
    return put_be(put_be(out, head(27)), value);
}

template <std::size_t N>
std::uint8_t* put_bytes(std::uint8_t* out, const std::array<std::uint8_t, N>& bytes) {
    out = put_head(out, kMajorBytes, N);
    return std::copy(bytes.begin(), bytes.end(), out);
}

/// Walks over an entry; the first mistake makes every later call fail, so it is looked at once at
/// the end.
class Cursor {
  public:
    explicit Cursor(ByteView in) : in_(in) {}

    std::uint64_t head(unsigned major) {
        if (in_.empty() || (in_[0] >> 5) != major) return refuse();
        const unsigned info = in_[0] & 31;
        if (info < 24) return take(1), info;
        if (info > 27) return refuse();
        const std::size_t width = std::size_t{1} << (info - 24);
        if (in_.size() < 1 + width) return refuse();
        std::uint64_t value = 0;
        for (std::size_t i = 1; i <= width; ++i) value = value << 8 | in_[i];
        const std::uint64_t smallest = width == 1 ? 24 : std::uint64_t{1} << (4 * width);
        if (value < smallest) return refuse();  // a shorter spelling exists
        return take(1 + width), value;
    }

    std::uint64_t number(std::uint64_t value_max = UINT64_MAX) {
        const std::uint64_t value = head(kMajorNumber);
        return value <= value_max ? value : refuse();
    }

    template <std::size_t N>
    void bytes(std::array<std::uint8_t, N>& out) {
        if (head(kMajorBytes) != N || in_.size() < N) {
            refuse();
            return;
        }
        std::copy_n(in_.begin(), N, out.begin());
        take(N);
    }

    bool next_is(unsigned major) const { return !in_.empty() && (in_[0] >> 5) == major; }
    std::uint64_t refuse() {
        good_ = false;
        in_ = {};
        return 0;
    }
    void take(std::size_t size) { in_ = in_.subspan(size); }
    bool good() const { return good_; }
    ByteView rest() const { return in_; }

  private:
    ByteView in_;
    bool good_ = true;
};

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt, {"entrée de journal mal formée", "malformed ledger entry"},
                {"comparez avec une copie sûre : hygie ledger verify dit où commence l'écart",
                 "compare with a safe copy: hygie ledger verify says where the difference starts"});
}

}  // namespace

std::size_t encode_header(const Header& header, Payload payload, std::size_t size,
                          std::uint8_t* out, std::size_t& associated_size) {
    HYGIE_CHECK(header.time.time_since_epoch().count() >= 0, "times before 1970 have no spelling");
    std::uint8_t* at = out;
    *at++ = kArrayOf12;
    at = put_head(at, kMajorNumber, kEntryVersion);
    at = put_head(at, kMajorNumber, static_cast<std::uint64_t>(header.type));
    at = put_head(at, kMajorNumber,
                  static_cast<std::uint64_t>(header.time.time_since_epoch().count()));
    at = put_head(at, kMajorNumber, header.sequence);
    at = put_head(at, kMajorNumber, header.node);
    at = put_head(at, kMajorNumber, header.source);
    at = put_head(at, kMajorNumber, header.counter);
    at = put_head(at, kMajorNumber, static_cast<std::uint64_t>(header.retention));
    at = put_bytes(at, header.actor);
    at = put_head(at, kMajorNumber, header.run);
    at = put_bytes(at, header.key_ref);
    associated_size = static_cast<std::size_t>(at - out);
    if (payload == Payload::Sealed) at = put_head(at, kMajorBytes, size);
    return static_cast<std::size_t>(at - out);
}

Result<EntryView> parse_entry(ByteView entry) {
    if (entry.empty() || entry[0] != kArrayOf12) return corrupt();
    Cursor in(entry.subspan(1));
    EntryView view;
    Header& header = view.header;
    if (in.number() != kEntryVersion) return corrupt();
    header.type = static_cast<event::Type>(in.number(UINT16_MAX));
    header.time = WallTime(Micros(static_cast<std::int64_t>(in.number(INT64_MAX))));
    header.sequence = in.number();
    header.node = in.number();
    header.source = in.number();
    header.counter = in.number();
    header.retention = static_cast<event::Retention>(in.number(UINT8_MAX));
    in.bytes(header.actor);
    header.run = static_cast<std::uint32_t>(in.number(UINT32_MAX));
    in.bytes(header.key_ref);
    if (!in.good()) return corrupt();
    view.associated = entry.first(entry.size() - in.rest().size());
    view.is_sealed = in.next_is(kMajorBytes);
    if (view.is_sealed) {
        const std::uint64_t size = in.head(kMajorBytes);
        if (!in.good() || size < crypto::kTagBytes || size != in.rest().size()) return corrupt();
    } else if (!in.next_is(kMajorMap)) {
        return corrupt();
    }
    view.payload = in.rest();
    return view;
}

crypto::Nonce nonce_of(const Header& header) {
    crypto::Nonce nonce;
    put_be(put_be(nonce.data(), header.run), header.sequence);
    return nonce;
}

}  // namespace hygie::ledger
