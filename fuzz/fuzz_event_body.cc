#include "base/check.h"
#include "event/codec.h"

using namespace hygie;

/// Accepted ⇒ encoded again to the same bytes: one event has one body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView body(data, size);
    const auto read = event::decode_body({event::Type::RecordRead, {}, 1, {}}, body);
    if (!read) return 0;
    const auto again = event::encode_body(*read);
    HYGIE_CHECK(again.has_value(), "a decoded event cannot be encoded");
    HYGIE_CHECK(as_text(*again) == as_text(body), "an accepted body has a second spelling");
    return 0;
}
