#include "link/framing.h"

namespace hygie::link {
namespace {

constexpr std::size_t kLengthBytes = 4;

}  // namespace

Bytes framed(ByteView payload) {
    Bytes frame(kLengthBytes);
    store_be(frame.data(), static_cast<std::uint32_t>(payload.size()));
    append(frame, payload);
    return frame;
}

void FrameCutter::feed(ByteView bytes) {
    // What was read goes only once it is half of what is kept: each byte moves once on average.
    if (read_ * 2 >= bytes_.size()) {
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(read_));
        read_ = 0;
    }
    append(bytes_, bytes);
}

Result<std::optional<ByteView>> FrameCutter::next(std::size_t payload_bytes_max) {
    const ByteView waiting = ByteView(bytes_).subspan(read_);
    if (waiting.size() < kLengthBytes) return std::nullopt;
    const auto length = load_be<std::uint32_t>(waiting.data());
    if (length > payload_bytes_max)
        return fail(
            Code::BadInput,
            {"trame plus longue que permis sur le lien", "frame longer than the link allows"},
            {"vérifiez que l'adresse est bien celle d'une garde ou d'un cœur Hygie",
             "check that the address is that of a Hygie guard or core"});
    if (waiting.size() < kLengthBytes + length) return std::nullopt;
    read_ += kLengthBytes + length;
    return waiting.subspan(kLengthBytes, length);
}

}  // namespace hygie::link
