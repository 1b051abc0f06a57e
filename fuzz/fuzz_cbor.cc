#include "base/cbor.h"
#include "base/check.h"

using namespace hygie;

namespace {

/// Copies one item from reader to writer; false when the reader accepts no item here.
bool copy_item(cbor::Reader& reader, cbor::Writer& writer) {
    if (const auto number = reader.number()) {
        writer.number(*number);
    } else if (const auto bytes = reader.bytes()) {
        writer.bytes(*bytes);
    } else if (const auto text = reader.text()) {
        writer.text(*text);
    } else if (const auto items = reader.array()) {
        writer.array(*items);
    } else if (const auto pairs = reader.map()) {
        writer.map(*pairs);
    } else if (const auto flag = reader.boolean()) {
        writer.boolean(*flag);
    } else {
        return false;
    }
    return true;
}

}  // namespace

/// Accepted ⇒ written again to the same bytes: no value has two spellings. A refusal takes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView in(data, size);
    cbor::Reader reader(in);
    Bytes again;
    cbor::Writer writer(again);
    while (!reader.done() && copy_item(reader, writer)) {
    }
    append(again, reader.rest());
    HYGIE_CHECK(as_text(again) == as_text(in), "an accepted CBOR item has a second spelling");
    return 0;
}
